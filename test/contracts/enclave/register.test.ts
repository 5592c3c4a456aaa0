/**
 * The registry as a wallet meets it: protocol/ and the contract must agree on every hash, in whole transactions. The
 * verifier is a scripted one: what registration and renewal cost beyond verification is measured here too.
 */
import { assert, expect } from "chai";
import type { ContractTransactionResponse } from "ethers";
import { network } from "hardhat";
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  type Hex,
  keccak256,
  slice,
  sliceHex,
  toHex,
  zeroAddress,
  zeroHash,
} from "viem";
import {
  type EnclaveBinding,
  registrationReportData,
  type WorkloadMeasurements,
  workloadIdOf,
} from "../../../protocol/attestationBinding.ts";
import { domainOf, registrationTypes } from "../../../protocol/eip712.ts";

const maxLifeSeconds = 604_800n;
/** UpToDate and SWHardeningNeeded. */
const allowedTcb = 0b110n;
const none = "0x";

/**
 * Gas of `register` and `renew` above that of a transaction that only has the quote verified. Of that of `register`, 88,400
 * are four new slots, 7,800 the event, 3,000 the recovery of the key, 2,600 the call, and about 5,000 more calldata.
 */
const mostGas = { register: 120_500n, renew: 30_000n };

const platform = {
  pckKey: { x: keccak256("0x01"), y: keccak256("0x02") },
  platformId: slice(keccak256("0xd208dfb1002346ae1bb4ef2a3c055292"), 0, 16),
  serial: 0x5e41a1n,
  notAfter: 4_000_000_000n,
  issuer: 1n,
  fmspc: "0xb0c06f000000",
  pceId: "0x0000",
  pceSvn: 13n,
  componentSvns: "0x03030202040100050000000000000000",
};
const svns = "0x08010700000000000000000000000000";
const tcb = { platform, teeTcbSvn: svns, currentTeeTcbSvn: svns, qeIsvSvn: 8n };
const verdict = { tcb, tcbEvidenceHash: zeroHash, tcbStatus: 2n, validUntil: 4_000_000_000n };
const evidence = {
  pckLeaf: none,
  issuerKey: { x: zeroHash, y: zeroHash },
  platform,
  attestationKeyHash: zeroHash,
  qeIsvSvn: 8n,
  revocationHint: 57n,
};

const measurements: WorkloadMeasurements = {
  composeHash: keccak256("0x03"),
  mrTd: bytes(48, "a0"),
  rtMr0: bytes(48, "b0"),
  rtMr1: bytes(48, "b1"),
  rtMr2: bytes(48, "b2"),
  tdAttributes: "0x0000001000000000",
  xfam: "0xe702060000000000",
};

describe("EnclaveRegistry, against protocol/", () => {
  async function deploy() {
    const { ethers } = await network.create();
    const verifier = await ethers.deployContract("MockTdxVerifier");
    const registry = await ethers.deployContract("EnclaveRegistry", [
      await verifier.getAddress(),
      maxLifeSeconds,
      allowedTcb,
    ]);
    const [operator, agent] = await ethers.getSigners();
    const signingKey = new ethers.Wallet(keccak256(toHex("signing key")));
    assert(operator !== undefined && agent !== undefined, "funded accounts");
    const vaultKey = toHex("a vault key of thirty-two bytes.");
    const binding: EnclaveBinding = {
      chainId: (await ethers.provider.getNetwork()).chainId,
      registry: (await registry.getAddress()) as Address,
      operator: operator.address as Address,
      signingKey: signingKey.address as Address,
      vaultKey,
    };
    const domain = domainOf(Number(binding.chainId), binding.registry);

    /** A genuine quote over the latest block, whatever it binds. */
    async function quoteNow(of: EnclaveBinding = binding) {
      const block = await ethers.provider.getBlock("latest");
      assert(block?.hash != null, "a block");
      const quote = quoteOf(registrationReportData(of, BigInt(block.number), block.hash as Hex));
      await (await verifier.getFunction("accept").send(quote, verdict)).wait();
      return { quote, blockNumber: BigInt(block.number), blockHash: block.hash as Hex };
    }

    async function registrationOf(blockNumber: bigint) {
      const request = {
        operator: binding.operator,
        signingKey: binding.signingKey,
        vaultKey,
        endpoint: "https://worker.example",
        appConfig: none,
        blockNumber,
      };
      const signature = await signingKey.signTypedData(domain, typesOf(registrationTypes), {
        operator: request.operator,
        vaultKeyHash: keccak256(vaultKey),
        endpoint: request.endpoint,
        blockNumber,
      });
      return { request, signature };
    }

    const unread = { validUntil: 0n, signature: none };
    return { ethers, verifier, registry, operator, agent, binding, domain, quoteNow, registrationOf, unread };
  }

  it("takes the report data and the EIP-712 signature that protocol/ makes, and returns its workload id", async () => {
    const { ethers, verifier, registry, binding, quoteNow, registrationOf, unread } = await deploy();
    const { quote, blockNumber } = await quoteNow();
    const { request, signature } = await registrationOf(blockNumber);

    const transaction: ContractTransactionResponse = await registry
      .getFunction("register")
      .send(quote, evidence, request, signature, unread);
    const receipt = await transaction.wait();
    const mined = await ethers.provider.getBlock(receipt?.blockNumber ?? -1);
    const workloadId = workloadIdOf(measurements);
    const expiresAt = BigInt(mined?.timestamp ?? 0) + maxLifeSeconds;

    const [event] = await registry.queryFilter("EnclaveRegistered");
    assert(event !== undefined && "args" in event, "the event");
    expect(plain(event.args)).to.deep.equal([
      request.signingKey,
      request.operator,
      workloadId,
      measurements.composeHash,
      platform.platformId,
      2n,
      expiresAt,
      request.vaultKey,
      request.endpoint,
      tcbFields,
    ]);
    const tcbEvidenceHash = hashTcb();
    const vaultKeyHash = keccak256(binding.vaultKey);
    expect(plain(await registry.getFunction("enclave").staticCall(request.signingKey))).to.deep.equal([
      request.operator,
      expiresAt,
      BigInt(mined?.number ?? 0),
      2n,
      1n,
      workloadId,
      platform.platformId,
      hashPair(vaultKeyHash, tcbEvidenceHash),
    ]);
    expect(await registry.getFunction("isLive").staticCall(request.signingKey)).to.equal(true);

    const alone = await (await verifier.getFunction("verify").send(quote, evidence, allowedTcb)).wait();
    expectGas("register", (receipt?.gasUsed ?? 0n) - (alone?.gasUsed ?? 0n));
  });

  it("names the report data that protocol/ makes when a quote carries another", async () => {
    const { registry, binding, quoteNow, registrationOf, unread } = await deploy();
    const { quote, blockNumber, blockHash } = await quoteNow({ ...binding, vaultKey: "0x01" });
    const { request, signature } = await registrationOf(blockNumber);
    const expected = registrationReportData(binding, blockNumber, blockHash);
    const other = registrationReportData({ ...binding, vaultKey: "0x01" }, blockNumber, blockHash);
    await expect(registry.getFunction("register").send(quote, evidence, request, signature, unread))
      .to.be.revertedWithCustomError(registry, "EnclaveRegistry_ReportDataMismatch")
      .withArgs(sliceHex(expected, 0, 32), sliceHex(other, 0, 32), sliceHex(other, 32, 64));
  });

  it("takes the operator's EIP-712 authorization of another sender", async () => {
    const { registry, operator, agent, binding, domain, quoteNow, registrationOf } = await deploy();
    const { quote, blockNumber } = await quoteNow();
    const { request, signature } = await registrationOf(blockNumber);
    const validUntil = 4_000_000_000n;
    const types = {
      OperatorAuthorization: [
        { name: "operator", type: "address" },
        { name: "agent", type: "address" },
        { name: "validUntil", type: "uint64" },
      ],
    };
    const say = (name: string) =>
      operator.signTypedData(domain, types, { operator: binding.operator, agent: name, validUntil });
    const sendWith = (given: string): Promise<ContractTransactionResponse> =>
      (registry.connect(agent) as typeof registry)
        .getFunction("register")
        .send(quote, evidence, request, signature, { validUntil, signature: given });

    await expect(sendWith(await say(zeroAddress)))
      .to.be.revertedWithCustomError(registry, "EnclaveRegistry_OperatorNotAuthorized")
      .withArgs(operator.address, agent.address);
    await sendWith(await say(agent.address));
    expect(await registry.getFunction("isLive").staticCall(request.signingKey)).to.equal(true);
  });

  it("renews and ends", async () => {
    const { verifier, registry, agent, binding, quoteNow, registrationOf, unread } = await deploy();
    const first = await quoteNow();
    const { request, signature } = await registrationOf(first.blockNumber);
    await registry.getFunction("register").send(first.quote, evidence, request, signature, unread);

    const { quote, blockNumber } = await quoteNow();
    const renewal = {
      signingKey: binding.signingKey,
      vaultKeyHash: keccak256(binding.vaultKey),
      tcbEvidenceHash: hashTcb(),
      appConfig: none,
      blockNumber,
    };
    const anyone = registry.connect(agent) as typeof registry;
    const receipt = await (await anyone.getFunction("renew").send(quote, evidence, renewal)).wait();
    const alone = await (await verifier.getFunction("verify").send(quote, evidence, allowedTcb)).wait();
    expectGas("renew", (receipt?.gasUsed ?? 0n) - (alone?.gasUsed ?? 0n));

    const outOfDate = {
      tcbStatus: 5n,
      platform: 5n,
      module_: 1n,
      qe: 1n,
      certificateRevoked: false,
      validUntil: 4_000_000_000n,
      advisoryIds: [1245n],
    };
    await verifier.getFunction("judge").send(tcb, outOfDate, 57n);
    await expect(anyone.getFunction("demote").send(binding.signingKey, renewal.vaultKeyHash, tcb, 57n))
      .to.emit(registry, "EnclaveDemoted")
      .withArgs(binding.signingKey, 1n, 5n);
    expect(await registry.getFunction("isLive").staticCall(binding.signingKey)).to.equal(false);
  });
});

function expectGas(what: keyof typeof mostGas, gas: bigint): void {
  assert(gas > 0n && gas <= mostGas[what], `${what} takes ${gas} above verification, at most ${mostGas[what]}`);
}

/** ethers wants arrays that it may write to. */
function typesOf(types: typeof registrationTypes) {
  return { EnclaveRegistration: [...types.EnclaveRegistration] };
}

/** Fields of `tcb` as ethers returns a struct. */
const tcbFields = [
  [
    [platform.pckKey.x, platform.pckKey.y],
    platform.platformId,
    platform.serial,
    platform.notAfter,
    platform.issuer,
    platform.fmspc,
    platform.pceId,
    platform.pceSvn,
    platform.componentSvns,
  ],
  tcb.teeTcbSvn,
  tcb.currentTeeTcbSvn,
  tcb.qeIsvSvn,
];

/** ethers' results, nested, as plain arrays. */
function plain(value: unknown): unknown {
  return Array.isArray(value) ? [...value].map(plain) : value;
}

/** keccak256 of the ABI encoding of `tcb`, word by word: numbers at the right, bytes at the left. */
function hashTcb(): Hex {
  const left = (value: string) => `${value}${"0".repeat(66 - value.length)}` as Hex;
  return keccak256(
    concatHex([
      platform.pckKey.x,
      platform.pckKey.y,
      left(platform.platformId),
      ...[platform.serial, platform.notAfter, platform.issuer].map((number) => toHex(number, { size: 32 })),
      left(platform.fmspc),
      left(platform.pceId),
      toHex(platform.pceSvn, { size: 32 }),
      left(platform.componentSvns),
      left(tcb.teeTcbSvn),
      left(tcb.currentTeeTcbSvn),
      toHex(tcb.qeIsvSvn, { size: 32 }),
    ]),
  );
}

function hashPair(a: Hex, b: Hex): Hex {
  return slice(keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "bytes32" }], [a, b])), 0, 16);
}

/** Version 4, up to and with an attestation key; by the places in contracts/attestation/TdReport.sol. */
function quoteOf(reportData: Hex): Hex {
  const m = measurements;
  const body = concatHex([
    bytes(120, "00"),
    m.tdAttributes,
    m.xfam,
    m.mrTd,
    concatHex(["0x01", m.composeHash, bytes(15, "00")]),
    bytes(96, "00"),
    m.rtMr0,
    m.rtMr1,
    m.rtMr2,
    bytes(48, "b3"),
    reportData,
  ]);
  const header = concatHex(["0x040002008100000000000000", "0x939a7233f79c4ca9940a0db3957f0607", bytes(20, "00")]);
  return concatHex([header, body, bytes(4 + 64 + 64, "00")]);
}

function bytes(size: number, value: string): Hex {
  return `0x${value.repeat(size)}`;
}
