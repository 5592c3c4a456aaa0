/**
 * JobMarket's EIP-712 hashes against protocol/eip712.ts, for random values of every field. What a wallet or an
 * enclave signs is what the chain checks, or nothing works; what a field is left out of can be forged.
 */
import { expect } from "chai";
import { network } from "hardhat";
import { type Address, type Hex, hexToBigInt, keccak256, slice, toHex, zeroAddress } from "viem";
import {
  domainOf,
  failureCodes,
  type Grant,
  hashGrant,
  hashOrder,
  hashReceipt,
  type JobOrder,
  type Receipt,
} from "../../../protocol/eip712.ts";

const rounds = 25;

/** Random values that are the same on every run. */
function randomFrom(seed: string) {
  let counter = 0;
  const bytes32 = (): Hex => keccak256(toHex(`${seed}/${counter++}`));
  const uint = (bits: number): bigint => hexToBigInt(bytes32()) >> BigInt(256 - bits);
  const below = (limit: number): number => Number(uint(32) % BigInt(limit));
  const address = (): Address => (below(4) === 0 ? zeroAddress : slice(bytes32(), 0, 20));
  const listOf = <T>(length: number, make: () => T): T[] => Array.from({ length }, make);
  return { bytes32, uint, below, address, listOf };
}

type Random = ReturnType<typeof randomFrom>;

function randomOrder({ bytes32, uint, below, address, listOf }: Random): JobOrder {
  return {
    requester: address(),
    payer: address(),
    programId: bytes32(),
    workloadId: bytes32(),
    paramsHash: bytes32(),
    datasets: listOf(below(17), () => ({ datasetId: bytes32(), grantHash: bytes32(), maxPrice: uint(256) })),
    resultKey: bytes32(),
    token: address(),
    operatorFee: uint(256),
    failureFee: uint(256),
    operator: address(),
    offerHash: bytes32(),
    bond: uint(256),
    acceptBy: uint(64),
    deadline: uint(64),
    quorum: Number(uint(8)),
    session: bytes32(),
    nonce: uint(256),
  };
}

function randomGrant({ bytes32, uint, below, address, listOf }: Random): Grant {
  return {
    datasetId: bytes32(),
    programId: bytes32(),
    workloadId: bytes32(),
    requester: address(),
    operator: address(),
    token: address(),
    priceUnit: below(3),
    price: uint(256),
    maxUses: uint(64),
    notBefore: uint(64),
    notAfter: uint(64),
    resultReaders: listOf(below(17), bytes32),
    epoch: Number(uint(32)),
    ownerEpoch: Number(uint(32)),
    nonce: uint(256),
  };
}

function randomReceipt({ bytes32, uint, below }: Random): Receipt {
  return {
    jobId: bytes32(),
    status: below(3),
    programId: bytes32(),
    workloadId: bytes32(),
    inputsRoot: bytes32(),
    grantsRoot: bytes32(),
    paramsHash: bytes32(),
    resultHash: bytes32(),
    outputCommitment: bytes32(),
    policyHash: bytes32(),
    fuelUsed: uint(64),
    outputRows: uint(64),
    runSeconds: Number(uint(32)),
    countedGrants: Number(uint(16)),
    logRoot: bytes32(),
    logSize: uint(64),
    anchorBlock: uint(64),
    anchorHash: bytes32(),
    failureCode: below(failureCodes.length),
  };
}

/** Another value of the same type, in range for every type of the formats. */
function changed(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(1);
  if (typeof value === "bigint") return value ^ 1n;
  if (typeof value === "number") return value === 0 ? 1 : value - 1;
  return `${String(value).slice(0, -1)}${String(value).endsWith("0") ? "1" : "0"}`;
}

describe("JobMarket hashes", () => {
  async function deploy() {
    const { ethers } = await network.create();
    const datasets = await ethers.deployContract("DatasetRegistry");
    const enclaves = await ethers.deployContract("MockEnclaveRegistry");
    const registries = [await enclaves.getAddress(), await datasets.getAddress()];
    const extension = await ethers.deployContract("MarketExtension", registries);
    const core = await ethers.deployContract("JobMarket", [...registries, await extension.getAddress()]);
    const market = await ethers.getContractAt("IMarket", await core.getAddress());
    const { chainId } = await ethers.provider.getNetwork();
    return { core, market, domain: domainOf(Number(chainId), (await market.getAddress()) as Address) };
  }

  it("hashOrder is the protocol's", async () => {
    const { market, domain } = await deploy();
    const random = randomFrom("order");
    for (let i = 0; i < rounds; i++) {
      const order = randomOrder(random);
      expect(await market.getFunction("hashOrder")(order)).to.equal(hashOrder(domain, order));
    }
  });

  it("hashGrant is the protocol's", async () => {
    const { market, domain } = await deploy();
    const random = randomFrom("grant");
    for (let i = 0; i < rounds; i++) {
      const grant = randomGrant(random);
      expect(await market.getFunction("hashGrant")(grant)).to.equal(hashGrant(domain, grant));
    }
  });

  it("hashReceipt is the protocol's", async () => {
    const { market, domain } = await deploy();
    const random = randomFrom("receipt");
    for (let i = 0; i < rounds; i++) {
      const receipt = randomReceipt(random);
      expect(await market.getFunction("hashReceipt")(receipt)).to.equal(hashReceipt(domain, receipt));
    }
  });

  it("every field changes its hash", async () => {
    const { market } = await deploy();
    const random = randomFrom("fields");
    const order = {
      ...randomOrder(random),
      datasets: [{ datasetId: random.bytes32(), grantHash: random.bytes32(), maxPrice: 1n }],
    };
    const grant = { ...randomGrant(random), resultReaders: [random.bytes32()] };
    const cases = { hashOrder: order, hashGrant: grant, hashReceipt: randomReceipt(random) };
    for (const [name, value] of Object.entries(cases)) {
      const hash = await market.getFunction(name)(value);
      for (const [field, content] of Object.entries(value)) {
        const other = await market.getFunction(name)({ ...value, [field]: changed(content) });
        expect(other, `${name} ignores ${field}`).to.not.equal(hash);
      }
    }
  });

  it("the domain names the contract and the chain", async () => {
    const { core, domain } = await deploy();
    const [, name, version, chainId, verifyingContract] = await core.getFunction("eip712Domain")();
    expect({ name, version, chainId: Number(chainId), verifyingContract }).to.deep.equal(domain);
  });
});
