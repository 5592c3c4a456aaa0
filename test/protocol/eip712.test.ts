import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import { type Address, getAddress, type Hex, sha256, stringToHex } from "viem";
import {
  domainOf,
  type Grant,
  grantTypes,
  hashGrant,
  hashOrder,
  hashReceipt,
  hashRegistration,
  type JobOrder,
  orderTypes,
  type Receipt,
  receiptTypes,
  registrationTypes,
} from "../../protocol/eip712.ts";

let counter = 0;
/** Fixed, different 32 bytes at each call. */
const next = (): Hex => sha256(stringToHex(`eip712 test ${counter++}`));
const nextAddress = (): Address => getAddress(`0x${next().slice(2, 42)}`);
const nextNumber = (bits: number): bigint => BigInt(next()) >> BigInt(256 - bits);

const domain = domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3");

function order(uses: number): JobOrder {
  return {
    requester: nextAddress(),
    programId: next(),
    workloadId: next(),
    paramsHash: next(),
    datasets: Array.from({ length: uses }, () => ({ datasetId: next(), grantHash: next(), price: nextNumber(256) })),
    resultKey: next(),
    token: nextAddress(),
    operatorFee: nextNumber(256),
    failureFee: nextNumber(256),
    operator: nextAddress(),
    deadline: nextNumber(64),
    nonce: nextNumber(256),
  };
}

function grant(readers: number): Grant {
  return {
    datasetId: next(),
    programId: next(),
    workloadId: next(),
    requester: nextAddress(),
    operator: nextAddress(),
    token: nextAddress(),
    pricePerUse: nextNumber(256),
    maxUses: nextNumber(64),
    notBefore: nextNumber(64),
    notAfter: nextNumber(64),
    resultReaders: Array.from({ length: readers }, next),
    epoch: Number(nextNumber(32)),
    nonce: nextNumber(256),
  };
}

function receipt(): Receipt {
  return {
    jobId: next(),
    status: 1,
    programId: next(),
    workloadId: next(),
    inputsRoot: next(),
    grantsRoot: next(),
    paramsHash: next(),
    resultHash: next(),
    outputCommitment: next(),
    policyHash: next(),
    fuelUsed: nextNumber(64),
    logRoot: next(),
    logSize: nextNumber(64),
    anchorBlock: nextNumber(64),
    anchorHash: next(),
    failureCode: 0,
  };
}

const registration = () => ({
  operator: nextAddress(),
  vaultKeyHash: next(),
  endpoint: "https://worker.example",
  blockNumber: nextNumber(64),
});

/** The hash that another library gives. */
const byEthers = (types: object, message: object) =>
  TypedDataEncoder.hash(domain, structuredClone(types) as never, message);

describe("EIP-712 hashes", () => {
  it("agree with another library's, for many values and array lengths", () => {
    for (let round = 0; round < 17; round++) {
      const [o, g, r, e] = [order(round), grant(round), receipt(), registration()];
      expect(hashOrder(domain, o)).to.equal(byEthers(orderTypes, o));
      expect(hashGrant(domain, g)).to.equal(byEthers(grantTypes, g));
      expect(hashReceipt(domain, r)).to.equal(byEthers(receiptTypes, r));
      expect(hashRegistration(domain, e)).to.equal(byEthers(registrationTypes, e));
    }
  });

  it("change with every field", () => {
    const original = receipt();
    const hashes = Object.entries(original).map(([field, value]) => {
      const changed = typeof value === "string" ? next() : typeof value === "bigint" ? value ^ 1n : 2;
      return hashReceipt(domain, { ...original, [field]: changed });
    });
    expect(new Set([...hashes, hashReceipt(domain, original)]).size).to.equal(hashes.length + 1);
    const consent = grant(2);
    const grants = Object.entries(consent).map(([field, value]) => {
      const other = Array.isArray(value) ? value.slice(1) : typeof value === "bigint" ? value ^ 1n : undefined;
      const text = field === "epoch" ? (consent.epoch ^ 1) >>> 0 : String(value).length === 42 ? nextAddress() : next();
      return hashGrant(domain, { ...consent, [field]: other ?? text });
    });
    expect(new Set([...grants, hashGrant(domain, consent)]).size).to.equal(grants.length + 1);
  });

  it("change with chain and contract, and tell the kinds apart", () => {
    const o = order(1);
    const hashes = [
      hashOrder(domain, o),
      hashOrder(domainOf(1, domain.verifyingContract), o),
      hashOrder(domainOf(31337, nextAddress()), o),
      hashOrder(domain, { ...o, datasets: [...o.datasets, ...o.datasets] }),
    ];
    expect(new Set(hashes).size).to.equal(hashes.length);
    expect(domain).to.deep.include({ name: "DataCollabMarket", version: "1" });
  });
});
