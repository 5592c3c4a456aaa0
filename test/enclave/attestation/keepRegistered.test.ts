/** The loop that keeps a registration alive, over a registry in memory and clocks that the test turns. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { decodeFunctionData, type Hex, keccak256, slice } from "viem";
import { createIdentity, type EnclaveIdentity } from "../../../enclave/attestation/identity.ts";
import { keepRegistered, RegistrationEndedError, type Watch } from "../../../enclave/attestation/keepRegistered.ts";
import {
  ForeignEvidenceError,
  OutdatedProofError,
  PlatformNotAllowedError,
  type Proof,
  type Registration,
  type RegistrationPorts,
  register,
  renew,
} from "../../../enclave/attestation/registration.ts";
import { type Enclave, UnknownEnclaveError } from "../../../enclave/chain/reader.ts";
import { TransactionRefusedError } from "../../../enclave/chain/sender.ts";
import { enclaveRegistryAbi } from "../../../protocol/abi.ts";
import { evidenceHashOf } from "../../../protocol/enclaveRecord.ts";
import { rejection } from "../../support/rejection.ts";

const day = 86_400n;
const life = 7n * day;
const operator = "0x000000000000000000000000000000000000dEaD";
const registry = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const quote: Hex = `0x${readFileSync(new URL("../../vectors/tdx/gcp.quote.bin", import.meta.url)).toString("hex")}`;
const tcbEvidenceHash = keccak256("0x01");
const noEvidence = {
  pckLeaf: "0x",
  issuerKey: { x: keccak256("0x"), y: keccak256("0x") },
  platform: {
    pckKey: { x: keccak256("0x"), y: keccak256("0x") },
    platformId: slice(keccak256("0x"), 0, 16),
    serial: 1n,
    notAfter: 2n,
    issuer: 1,
    fmspc: "0x000000000000",
    pceId: "0x0000",
    pceSvn: 1,
    componentSvns: `0x${"00".repeat(16)}`,
  },
  attestationKeyHash: keccak256("0x"),
  qeIsvSvn: 1,
  revocationHint: 0,
} as const;

describe("keepRegistered", () => {
  let identity: EnclaveIdentity;
  before(async () => {
    identity = await createIdentity();
  });

  /** A registry, a chain clock in seconds, a monotonic clock in ms; `ticks` steps the loop. */
  function world() {
    const state = {
      time: 1_000_000n,
      ms: 0,
      record: undefined as Enclave | undefined,
      refuse: undefined as TransactionRefusedError | undefined,
      worth: true,
      calls: [] as string[],
      sentAt: [] as bigint[],
      proof: { quote: "0x04", evidence: noEvidence, tcbEvidenceHash } as Proof,
    };
    const heard: (string | undefined)[] = [];
    const changes: (Registration | undefined)[] = [];
    const ports: RegistrationPorts = {
      platform: {
        quote: async () => ({ quote, eventLog: "[]" }),
        info: () => Promise.reject(new Error("not used")),
        deriveKey: () => Promise.reject(new Error("not used")),
      },
      identity,
      sender: {
        address: operator,
        async send({ data }) {
          const { functionName } = decodeFunctionData({ abi: enclaveRegistryAbi, data });
          state.calls.push(functionName);
          state.sentAt.push(state.time);
          if (state.refuse !== undefined) throw state.refuse;
          state.record = {
            operator,
            expiresAt: state.time + life,
            registeredAtBlock: 1n,
            tcbStatus: 1,
            state: 1,
            workloadId: keccak256("0x"),
            platformId: slice(keccak256("0x"), 0, 16),
            evidenceHash: evidenceHashOf(identity.vaultKey, state.proof.tcbEvidenceHash),
          };
          const transactionHash = keccak256(data);
          return {
            status: "mined",
            receipt: { transactionHash, blockNumber: 1n, blockHash: keccak256("0x"), gasUsed: 1n, succeeded: true },
          };
        },
      },
      reader: {
        async enclave() {
          if (state.record === undefined) throw new UnknownEnclaveError(identity.signingKey);
          return state.record;
        },
      },
      deployment: {
        chainId: 31337,
        fromBlock: 0,
        contracts: {
          tdxCollateral: registry,
          tdxVerifier: registry,
          enclaveRegistry: registry,
          endorsements: registry,
          datasetRegistry: registry,
          jobMarket: registry,
        },
        rootKey: `0x${"11".repeat(64)}`,
      },
      operator,
      endpoint: "http://127.0.0.1:1",
      appConfig: "0x",
      recentBlock: async () => ({ number: 1n, hash: keccak256("0x01") }),
      newestBlock: async () => ({ number: 2n, hash: keccak256("0x02"), timestamp: state.time }),
      consent: async () => ({ validUntil: 0n, signature: "0x" }),
      prove: async () => state.proof,
      shown: new Set(),
    };
    return { state, ports, heard, changes };
  }

  /** Runs the loop; between two looks `turn` may change the world, and ends it by returning true. */
  async function run({ state, ports, heard, changes }: ReturnType<typeof world>, turn: (look: number) => boolean) {
    const stop = new AbortController();
    const first = await register(ports);
    let look = 0;
    const watch: Watch = {
      everyMs: 0,
      signal: stop.signal,
      changed: (registration) => void changes.push(registration),
      problem: (error) => void heard.push((error as Error).name),
      worthRenewing: async () => state.worth,
      random: () => 0,
      now: () => state.ms,
      pause: async () => {
        if (turn(look++)) stop.abort();
      },
    };
    await keepRegistered(ports, first, watch);
    return first;
  }

  it("renews at half of the life, and then at half of the new one", async () => {
    const w = world();
    await run(w, (look) => {
      w.state.time += day / 2n;
      return look === 20;
    });
    const start = 1_000_000n;
    expect(w.state.calls.slice(0, 3)).to.deep.equal(["register", "renew", "renew"]);
    expect(w.state.sentAt.slice(0, 3)).to.deep.equal([start, start + life / 2n, start + life]);
    expect(w.heard).to.deep.equal([]);
  });

  it("waits while a renewal would gain nothing, and renews when it does", async () => {
    const w = world();
    w.state.worth = false;
    await run(w, (look) => {
      w.state.time += day;
      w.state.ms += 3_600_000;
      if (look === 5) w.state.worth = true;
      return look === 6;
    });
    expect(w.state.calls).to.deep.equal(["register", "renew"]);
  });

  it("backs off after failures, tells of each, keeps trying past the end, and renews what has expired", async () => {
    const w = world();
    const stale = new TransactionRefusedError(registry, { errorName: "EnclaveRegistry_StaleBlock", args: [1n, 999n] });
    await run(w, (look) => {
      if (look === 0) {
        w.state.time += life + day;
        w.state.refuse = stale;
      }
      w.state.ms += 30_000;
      if (look === 12) w.state.refuse = undefined;
      return look === 16;
    });
    // At 30 s, then a minute, two and four after the failure before.
    expect(w.heard).to.deep.equal(Array(3).fill("Registration.OutdatedProofError"));
    expect(w.state.calls).to.deep.equal(["register", "renew", "renew", "renew", "renew"]);
    expect(w.changes.at(-1)?.expiresAt).to.equal(w.state.time + life);
  });

  it("registers anew after a reorganisation that dropped the registration", async () => {
    const w = world();
    await run(w, (look) => {
      if (look === 1) w.state.record = undefined;
      return look === 3;
    });
    expect(w.state.calls).to.deep.equal(["register", "register"]);
    expect(w.changes.includes(undefined)).to.equal(true);
    expect(w.changes.at(-1)).to.not.equal(undefined);
  });

  for (const [state, name] of [
    [3, "Demoted"],
    [4, "Retired"],
  ] as const) {
    it(`ends the worker when the registration was ${name.toLowerCase()}`, async () => {
      const w = world();
      const error = await rejection(
        run(w, (look) => {
          if (look === 1 && w.state.record !== undefined) w.state.record = { ...w.state.record, state };
          return look === 5;
        }),
        RegistrationEndedError,
      );
      expect(error.state).to.equal(name);
      expect(w.state.calls).to.deep.equal(["register"]);
    });
  }

  it("goes on from its own renewal, sent by a stranger before it could be", async () => {
    const w = world();
    const send = w.ports.sender.send;
    const refusal = new TransactionRefusedError(registry, { errorName: "EnclaveRegistry_EvidenceMismatch", args: [] });
    // What the stranger sent shows a newer module: the evidence that our call names is no longer what is recorded.
    let overtaken = 0;
    w.ports.sender.send = async (call, alreadyDone) => {
      const sent = await send(call, alreadyDone);
      if (w.state.calls.length !== 2) return sent;
      overtaken += 1;
      throw refusal;
    };
    await run(w, (look) => {
      w.state.time += day;
      w.state.ms += 4_000_000;
      w.state.proof = { ...w.state.proof, tcbEvidenceHash: keccak256("0x02") };
      return look === 9;
    });
    expect(overtaken).to.equal(1);
    expect(w.heard).to.deep.equal(["Chain.TransactionRefusedError"]);
    // Overtaken at half of the first life, renewed at half of the one that the stranger prolonged.
    expect(w.state.calls).to.deep.equal(["register", "renew", "renew"]);
    expect(w.changes.at(-1)?.expiresAt).to.equal(w.state.record?.expiresAt);
  });

  it("names to the registry the evidence that it remembers, whichever was mined", async () => {
    const w = world();
    await register(w.ports);
    w.state.proof = { ...w.state.proof, tcbEvidenceHash: keccak256("0x02") };
    await renew(w.ports, { transactionHash: undefined } as Registration);
    await renew(w.ports, { transactionHash: undefined } as Registration);
    expect(w.state.calls).to.deep.equal(["register", "renew", "renew"]);
    const evidenceHash = slice(keccak256("0x03"), 0, 16);
    if (w.state.record !== undefined) w.state.record = { ...w.state.record, evidenceHash };
    await rejection(renew(w.ports, { transactionHash: undefined } as Registration), ForeignEvidenceError);
  });

  it("tells a platform that is not allowed from a proof that is outdated", async () => {
    const w = world();
    const refused = (errorName: string) => new TransactionRefusedError(registry, { errorName, args: [5, 6] });
    for (const name of [
      "TdxVerifier_TcbStatusNotAllowed",
      "TdxVerifier_CertificateRevoked",
      "TdxVerifier_IssuerRevoked",
    ]) {
      w.state.refuse = refused(name);
      const error = await rejection(register(w.ports), PlatformNotAllowedError);
      expect([error.errorName, error.args, error.retryable]).to.deep.equal([name, [5, 6], false]);
    }
    for (const name of [
      "TdxVerifier_PlatformNotRecorded",
      "TdxVerifier_WrongRevocationHint",
      "TdxCollateral_Expired",
    ]) {
      w.state.refuse = refused(name);
      expect((await rejection(register(w.ports), OutdatedProofError)).retryable).to.equal(true);
    }
    w.state.refuse = refused("EnclaveRegistry_BadSignature");
    await rejection(register(w.ports), TransactionRefusedError);
  });
});
