import { expect } from "chai";
import { TypedDataEncoder } from "ethers";
import { type Address, getAddress, type Hex, sha256, stringToHex } from "viem";
import {
  acceptanceTypes,
  domainOf,
  type Grant,
  grantTypes,
  hashAcceptance,
  hashGrant,
  hashOffer,
  hashOrder,
  hashReceipt,
  hashRegistration,
  hashSession,
  hashSessionClaim,
  type JobOrder,
  type Offer,
  offerTypes,
  orderTypes,
  type Receipt,
  receiptTypes,
  registrationTypes,
  type SessionClaim,
  type SessionTerms,
  sessionClaimTypes,
  sessionTypes,
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
    payer: nextAddress(),
    programId: next(),
    workloadId: next(),
    paramsHash: next(),
    datasets: Array.from({ length: uses }, () => ({ datasetId: next(), grantHash: next(), maxPrice: nextNumber(256) })),
    resultKey: next(),
    token: nextAddress(),
    operatorFee: nextNumber(256),
    failureFee: nextNumber(256),
    operator: nextAddress(),
    offerHash: next(),
    bond: nextNumber(256),
    acceptBy: nextNumber(64),
    deadline: nextNumber(64),
    quorum: Number(nextNumber(8)),
    session: next(),
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
    priceUnit: Number(nextNumber(8)),
    price: nextNumber(256),
    maxUses: nextNumber(64),
    notBefore: nextNumber(64),
    notAfter: nextNumber(64),
    resultReaders: Array.from({ length: readers }, next),
    epoch: Number(nextNumber(32)),
    ownerEpoch: Number(nextNumber(32)),
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
    outputRows: nextNumber(64),
    runSeconds: Number(nextNumber(32)),
    countedGrants: Number(nextNumber(16)),
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

const offer = (): Offer => ({
  operator: nextAddress(),
  workloadId: next(),
  token: nextAddress(),
  fee: nextNumber(256),
  pricePerSecond: nextNumber(256),
  validUntil: nextNumber(64),
  nonce: nextNumber(256),
});

const terms = (): SessionTerms => ({
  maxJobs: Number(nextNumber(32)),
  challengeSeconds: Number(nextNumber(32)),
  disputeBond: nextNumber(256),
});

const claim = (): SessionClaim => ({
  sessionId: next(),
  root: next(),
  okCount: Number(nextNumber(32)),
  failedCount: Number(nextNumber(32)),
  countedGrants: Number(nextNumber(16)),
  anchorBlock: nextNumber(64),
  anchorHash: next(),
});

const acceptance = () => ({ jobId: next(), bonder: nextAddress() });

/** The hash that another library gives. */
const byEthers = (types: object, message: object) =>
  TypedDataEncoder.hash(domain, structuredClone(types) as never, message);

/** Another value of the same shape. */
function changed(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(1);
  if (typeof value === "bigint") return value ^ 1n;
  if (typeof value === "number") return (value ^ 1) >>> 0;
  return String(value).length === 42 ? nextAddress() : next();
}

describe("EIP-712 hashes", () => {
  it("agree with another library's, for many values and array lengths", () => {
    for (let round = 0; round < 17; round++) {
      const [o, g, r, e] = [order(round), grant(round), receipt(), registration()];
      const [f, t, c, a] = [offer(), terms(), claim(), acceptance()];
      expect(hashOrder(domain, o)).to.equal(byEthers(orderTypes, o));
      expect(hashGrant(domain, g)).to.equal(byEthers(grantTypes, g));
      expect(hashReceipt(domain, r)).to.equal(byEthers(receiptTypes, r));
      expect(hashRegistration(domain, e)).to.equal(byEthers(registrationTypes, e));
      expect(hashOffer(domain, f)).to.equal(byEthers(offerTypes, f));
      expect(hashSession(domain, o, t)).to.equal(byEthers(sessionTypes, { order: o, ...t }));
      expect(hashSessionClaim(domain, c)).to.equal(byEthers(sessionClaimTypes, c));
      expect(hashAcceptance(domain, a)).to.equal(byEthers(acceptanceTypes, a));
    }
  });

  it("change with every field", () => {
    const [o, t] = [order(2), terms()];
    const cases: [object, (value: never) => Hex][] = [
      [order(2), (value) => hashOrder(domain, value)],
      [grant(2), (value) => hashGrant(domain, value)],
      [receipt(), (value) => hashReceipt(domain, value)],
      [offer(), (value) => hashOffer(domain, value)],
      [o, (value) => hashSession(domain, value, t)],
      [t, (value) => hashSession(domain, o, value)],
      [claim(), (value) => hashSessionClaim(domain, value)],
      [acceptance(), (value) => hashAcceptance(domain, value)],
    ];
    for (const [original, hash] of cases) {
      const fields = Object.entries(original);
      const hashes = fields.map(([field, value]) => hash({ ...original, [field]: changed(value) } as never));
      expect(new Set([...hashes, hash(original as never)]).size).to.equal(fields.length + 1);
    }
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
