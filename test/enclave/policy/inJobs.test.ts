/** The output policy on its way through a job, with real keys, ciphertexts, seals and receipts; chain and sandbox are made up. */
import { Decrypter } from "age-encryption";
import { expect } from "chai";
import { type Address, type Hex, keccak256, sha256, zeroAddress, zeroHash } from "viem";
import { createIdentity, type EnclaveIdentity } from "../../../enclave/attestation/identity.ts";
import { carryOut } from "../../../enclave/jobs/carryOut.ts";
import { JobStop } from "../../../enclave/jobs/jobStop.ts";
import type { JobPorts, Outcome, RunnableJob } from "../../../enclave/jobs/ports.ts";
import { createLog, type EnclaveLog } from "../../../enclave/receipts/enclaveLog.ts";
import { logSignatures } from "../../../enclave/receipts/logUses.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import {
  domainOf,
  type FailureCode,
  failureCodes,
  type Grant,
  hashGrant,
  receiptStatus,
} from "../../../protocol/eip712.ts";
import { quickjs } from "../../../protocol/engines.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";
import type { Policy } from "../../../protocol/policy.ts";
import {
  decodePrints,
  type Prints,
  printsCommitmentOf,
  provePrints,
  type SealedPrints,
} from "../../../protocol/prints.ts";
import { checkProgram, type Manifest, type Program, packProgram, policyHashOf } from "../../../protocol/program.ts";
import { publicResultKey } from "../../../protocol/publicReader.ts";
import { sealKey } from "../../../protocol/sealing.ts";
import { datasetKeyBytes, decryptResult, encryptDataset, newResultIdentity } from "../../../sdk/encryption.ts";
import { sampleJob } from "../../support/emitter.ts";
import { memoryLog } from "../../support/memoryLog.ts";
import { plainGrant } from "../../support/plainTerms.ts";
import { rejection } from "../../support/rejection.ts";

const market: Address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const owner: Address = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const deployment = { chainId: 31337, contracts: { jobMarket: market } } as Deployment; // all that samples need
const domain = domainOf(31337, market);
const dataset = await encryptDataset(new TextEncoder().encode("id,n\n1,2\n"));
const reader = await newResultIdentity();
const owns = await newResultIdentity();
const source = new TextEncoder().encode("export default () => 1;");

function programUnder(policy: Policy, inputs: number): Program {
  const manifest: Manifest = {
    v: 1,
    name: "made up",
    runtime: quickjs,
    entry: "main.js",
    files: [{ path: "main.js", sha256: sha256(source), size: source.length }],
    params: {},
    inputs: ["people", ...Array.from({ length: inputs - 1 }, (_, i) => `more${i}`)].map((name) => ({
      name,
      format: "csv",
    })),
    output: { format: "json", schema: {}, maxBytes: 4096, policy },
    limits: { fuel: 1_000_000, memoryBytes: 16_777_216, wallMs: 1000 },
  };
  return checkProgram(manifest, new Map([["main.js", source]]));
}

type Run = {
  policy: Policy;
  output: JsonValue;
  maxUses?: bigint;
  quorum?: number;
  /** Of the job: another number is another job under the same grant. */
  number?: number;
  /** Default: an enclave of its own, and its log. */
  identity?: EnclaveIdentity;
  log?: EnclaveLog;
  /** The job names its grant so many times, for as many inputs. */
  times?: number;
  /** Of the grant. */
  resultReaders?: readonly Hex[];
  /** Of each input; default: the same one. */
  owners?: readonly Address[];
  /** What the program printed, and whether it failed; default: nothing is known, and it did not. */
  prints?: Prints;
  failure?: FailureCode;
  /** No wall of the machine holds the program's engine. */
  lacksWall?: boolean;
  /** The block that consent was checked at is gone when the run is over. */
  reorganised?: boolean;
  lastChance?: boolean;
};

/** One enclave's word on a job: the same job for the same policy. */
async function carry({ policy, output, maxUses = 1n, quorum = 1, number = 1, times = 1, ...run }: Run) {
  const program = programUnder(policy, times);
  const grant: Grant = {
    datasetId: keccak256("0x03"),
    programId: program.id,
    workloadId: keccak256("0x02"),
    requester: zeroAddress,
    operator: zeroAddress,
    token: zeroAddress,
    ...plainGrant,
    price: 5n,
    maxUses,
    notBefore: 0n,
    notAfter: 4_000_000_000n,
    resultReaders: run.resultReaders ?? [],
    epoch: 0,
    nonce: 1n,
  };
  const grantHash = hashGrant(domain, grant);
  const datasets = Array(times).fill({ datasetId: grant.datasetId, grantHash, maxPrice: 5n });
  const changes = { programId: program.id, resultKey: reader.resultKey, datasets, quorum };
  const { jobId, order, params, programUri } = sampleJob(deployment, number, changes);
  const origin = { by: "opening", index: 0n, openedHash: zeroHash } as const;
  const job: RunnableJob = { jobId, order, programUri, params: Buffer.from(params.slice(2), "hex"), origin };
  const identity = run.identity ?? (await createIdentity());
  const sealedKey = await sealKey(identity.vaultKey, grantHash, datasetKeyBytes(dataset.key));
  const entries: string[] = [];
  const log = run.log ?? createLog(identity.signingKey, memoryLog());
  const owners = [...(run.owners ?? [])];
  let lastOwner = owner;
  const found = { owner, sizeBytes: dataset.ciphertext.length, contentHash: dataset.contentHash, uri: "blob:data" };
  const ports: JobPorts = {
    domain,
    workloadId: order.workloadId,
    operator: market,
    identity,
    log: {
      ...log,
      append(entry) {
        entries.push(entry.type);
        return log.append(entry);
      },
    },
    grants: { find: () => ({ grant, signature: "0x", sealedKey, sealedKeySignature: "0x" }) },
    chain: {
      anchor: async () => ({ number: 1n, hash: zeroHash, timestamp: 100n }),
      isCanonical: async () => run.reorganised !== true,
      proofOf: async () => "signed",
      standing: async () => ({ is: "open" }),
      dataset: async () => {
        lastOwner = owners.shift() ?? owner;
        return { ...found, owner: lastOwner };
      },
      consent: async () => ({ owner: lastOwner, epoch: 0, ownerEpoch: 0, revoked: false }),
      grantUses: async () => 0n,
      isSignedBy: async () => true,
    },
    fetch: async () => ({ status: "ok", fetched: packProgram(program) }),
    fetchCiphertext: async () => ({
      status: "ok",
      fetched: {
        sizeBytes: dataset.ciphertext.length,
        async *read() {
          yield dataset.ciphertext.slice();
        },
        release: async () => undefined,
      },
    }),
    lacksWallFor: () => run.lacksWall ?? false,
    run: async () => {
      const printed = { fuelUsed: 64, ...(run.prints && { prints: { ...run.prints, text: run.prints.text.slice() } }) };
      if (run.failure !== undefined) return { status: "failed", failure: run.failure, ...printed };
      const counts = { console: { lines: 0, bytes: 0 }, printsHash: run.prints?.hash ?? zeroHash };
      return { status: "ok", output, outputBytes: new Uint8Array(), ...counts, ...printed };
    },
    inTurn: (_, work) => work(),
    observe: () => undefined,
    now: () => 0,
  };
  return { outcome: await carryOut(ports, job, { lastChance: run.lastChance ?? true }), program, entries, jobId };
}

async function opened({ receipt, resultCiphertext }: Outcome) {
  return (await decryptResult(reader.identity, resultCiphertext as Uint8Array, receipt)).output;
}

describe("carryOut, under an output policy", () => {
  const group = { k: 10, rows: "", count: "n", units: { people: "id" }, otherwise: "omit" } as const;

  it("seals what the policy leaves of an output, and commits to that", async () => {
    const { outcome, program } = await carry({ policy: { group }, output: [{ n: 9 }, { n: 10 }] });
    expect(outcome.receipt).to.include({ status: receiptStatus.ok, policyHash: policyHashOf(program.manifest) });
    expect(await opened(outcome)).to.deep.equal([{ n: 10 }]); // opening checks the commitment
  });

  it("releases nothing of an output that breaks it, and signs which rule", async () => {
    const strict = { ...group, otherwise: "fail" } as const;
    const cases: [string, Run][] = [
      ["GroupTooSmall", { policy: { group: strict }, output: [{ n: 9 }] }],
      ["GroupTooSmall", { policy: { group }, output: [{ n: "10" }] }],
      ["OutputRefused", { policy: { round: [{ path: "/r", decimals: 1 }] }, output: { r: "1.25" } }],
      ["OutputTooLarge", { policy: { pad: [256] }, output: "x".repeat(200) }],
    ];
    for (const [failure, run] of cases) {
      const { outcome, program, entries } = await carry(run);
      expect(outcome.receipt, failure).to.deep.include({
        status: receiptStatus.failed,
        failureCode: failureCodes.indexOf(failure as "GroupTooSmall"),
        policyHash: policyHashOf(program.manifest),
        resultHash: zeroHash,
        outputCommitment: zeroHash,
        outputRows: 0n,
        countedGrants: 0,
      });
      expect(outcome.resultCiphertext).to.equal(null);
      expect(entries.at(-1)).to.equal("job.refused");
      expect(entries).to.include("input.destroyed");
    }
  });

  it("opens no key for a grant that allows more uses than the budget", async () => {
    const noise = { epsilonMicros: 600_000, budgetMicros: 1_000_000, fields: [{ path: "/n", sensitivity: 1 }] };
    for (const maxUses of [0n, 2n]) {
      const { outcome, entries } = await carry({ policy: { noise }, output: { n: 1 }, maxUses });
      expect(outcome.receipt.failureCode).to.equal(failureCodes.indexOf("BudgetExceeded"));
      expect(entries).to.deep.equal(["job.refused"]);
    }
    const { outcome, entries } = await carry({ policy: { noise }, output: { n: 1 }, maxUses: 1n });
    expect(outcome.receipt.failureCode).to.equal(0);
    expect(entries).to.include("key.opened");
  });

  it("computes no more jobs under a budget than the grant has uses, whatever the node counts and however they end", async () => {
    const identity = await createIdentity();
    const policy = { group: { ...group, otherwise: "fail" }, maxUses: 3 } as const;
    const failures: (string | undefined)[] = [];
    for (const [number, n] of [
      [1, 10],
      [2, 9],
      [2, 9],
      [1, 10],
      [3, 10],
      [4, 10],
      [1, 10],
    ] as const) {
      const { outcome, entries } = await carry({ policy, output: [{ n }], maxUses: 3n, number, identity });
      failures.push(failureCodes[outcome.receipt.failureCode]);
      expect(entries.includes("key.opened")).to.equal(number !== 4);
    }
    const expected = ["None", "GroupTooSmall", "GroupTooSmall", "None", "None", "GrantRefused", "None"];
    expect(failures).to.deep.equal(expected);
    const elsewhere = await carry({ policy, output: [{ n: 10 }], maxUses: 3n, number: 4 });
    expect(elsewhere.outcome.receipt.failureCode).to.equal(0);
  });

  it("counts a grant that a job names twice as two uses", async () => {
    const identity = await createIdentity();
    const ends: (string | undefined)[] = [];
    for (const number of [1, 2, 1]) {
      const run = { policy: { maxUses: 3 }, output: 1, maxUses: 3n, times: 2, number, identity };
      ends.push(failureCodes[(await carry(run)).outcome.receipt.failureCode]);
    }
    expect(ends).to.deep.equal(["None", "GrantRefused", "None"]);
  });

  it("limits nothing where the policy does not", async () => {
    const identity = await createIdentity();
    for (const number of [1, 2, 3]) {
      const { outcome } = await carry({ policy: { group }, output: [], maxUses: 2n, number, identity });
      expect(outcome.receipt.failureCode).to.equal(0); // the market counts, as ever
    }
  });

  it("comes to the same noise in every enclave, so that a quorum agrees", async () => {
    const noise = { epsilonMicros: 1_000, budgetMicros: 1_000, fields: [{ path: "/n", sensitivity: 1_000_000 }] };
    const run = { policy: { noise }, output: { n: 5 }, quorum: 2 };
    const [a, b] = [(await carry(run)).outcome, (await carry(run)).outcome];
    expect(a.signature).to.not.equal(b.signature); // two keys
    expect(a.receipt.outputCommitment).to.equal(b.receipt.outputCommitment);
    expect(await opened(a)).to.deep.equal(await opened(b));
    expect(await opened(a)).to.not.deep.equal({ n: 5 });
  });

  it("states the limit as the fuel that was used, where there is noise: what was used depends on the data", async () => {
    const noise = { epsilonMicros: 1_000, budgetMicros: 1_000, fields: [{ path: "/n", sensitivity: 1 }] };
    const { receipt } = (await carry({ policy: { noise }, output: { n: 5 } })).outcome;
    expect([receipt.failureCode, receipt.fuelUsed]).to.deep.equal([0, 1_000_000n]);
    const failed = (await carry({ policy: { noise }, output: { n: 0.5 } })).outcome.receipt;
    expect(failed.fuelUsed).to.equal(1_000_000n);
    expect((await carry({ policy: {}, output: { n: 5 } })).outcome.receipt.fuelUsed).to.equal(64n);
  });

  it("says of a quorum's job that it failed where every enclave would", async () => {
    const { outcome } = await carry({ policy: { group }, output: {}, quorum: 2 });
    expect(outcome.receipt.failureCode).to.equal(failureCodes.indexOf("GroupTooSmall"));
    const over = await carry({ policy: { maxUses: 1 }, output: {}, quorum: 2, maxUses: 2n });
    expect(over.outcome.receipt.failureCode).to.equal(failureCodes.indexOf("BudgetExceeded"));
  });

  it("shows the host a size class, not a size", async () => {
    const pad = [512, 2048];
    const sizes: number[] = [];
    for (const length of [0, 1, 200, 300, 400, 1000, 1500]) {
      const { outcome } = await carry({ policy: { pad }, output: "x".repeat(length) });
      sizes.push((outcome.resultCiphertext as Uint8Array).length);
      const decrypter = new Decrypter();
      decrypter.addIdentity(reader.identity);
      const plaintext = await decrypter.decrypt(outcome.resultCiphertext as Uint8Array);
      expect(pad).to.include(plaintext.length);
      expect(await opened(outcome)).to.equal("x".repeat(length));
    }
    const [small, large] = [sizes[0], sizes[6]];
    expect(sizes).to.deep.equal([small, small, small, small, large, large, large]);
    expect((large ?? 0) - (small ?? 0)).to.equal(2048 - 512);
  });
});

describe("carryOut, of a program whose prints are sealed", () => {
  const policy = { prints: "readers" } as const;
  const resultReaders = [owns.resultKey];
  const text = new TextEncoder().encode("row 7 is bad\n");
  const prints: Prints = { text, cut: false, hash: sha256(text) };

  async function openedPrints(sealed: SealedPrints | undefined, jobId: Hex) {
    const decrypter = new Decrypter();
    decrypter.addIdentity(owns.identity);
    return decodePrints(await decrypter.decrypt((sealed as SealedPrints).ciphertext), jobId);
  }

  it("seals them to the readers that the grant names, under the receipt, whether it failed or not", async () => {
    for (const failure of [undefined, "ProgramTrapped"] as const) {
      const run = { policy, output: 1, resultReaders, prints, ...(failure && { failure }) };
      const { outcome, jobId, entries } = await carry(run);
      expect(failureCodes[outcome.receipt.failureCode]).to.equal(failure ?? "None");
      const sealed = outcome.prints as SealedPrints;
      const { printsCommitment, readers } = provePrints(sealed, outcome.receipt);
      const found = await openedPrints(sealed, jobId);
      expect(found).to.deep.include({ text, cut: false, hash: prints.hash });
      expect([printsCommitment, readers]).to.deep.equal([printsCommitmentOf(found.salt, prints.hash), 1]);
      const requester = new Decrypter();
      requester.addIdentity(reader.identity);
      const refused = await requester.decrypt(sealed.ciphertext).then(String, (error: Error) => error.message);
      expect(refused).to.equal("no identity matched any of the file's recipients");
      expect(entries.slice(-4)).to.deep.equal(
        failure === undefined
          ? ["program.ran", "prints.sealed", "input.destroyed", "result.sealed"]
          : ["program.ran", "prints.sealed", "input.destroyed", "job.refused"],
      );
    }
  });

  it("proves them under each receipt's own log size, of jobs side by side whose signatures are in the log, too", async () => {
    const own = await createIdentity();
    const log = createLog(own.signingKey, memoryLog());
    const enclave = { identity: logSignatures(own, log), log };
    const run = { policy, output: 1, resultReaders, prints, ...enclave };
    const done = await Promise.all([1, 2, 3].map((number) => carry({ ...run, number })));
    for (const { outcome, jobId } of done) {
      provePrints(outcome.prints as SealedPrints, outcome.receipt);
      expect((await openedPrints(outcome.prints, jobId)).jobId).to.equal(jobId);
    }
    expect(new Set(done.map(({ outcome }) => outcome.receipt.logSize)).size).to.equal(3);
  });

  it("seals them also where the output breaks the policy, and that they are lost where nothing is known", async () => {
    const group = { k: 10, rows: "", count: "n", units: { people: "id" }, otherwise: "fail" } as const;
    const broken = await carry({ policy: { ...policy, group }, output: [{ n: 1 }], resultReaders, prints });
    expect(failureCodes[broken.outcome.receipt.failureCode]).to.equal("GroupTooSmall");
    expect((await openedPrints(broken.outcome.prints, broken.jobId)).text).to.deep.equal(text);

    const lost = await carry({ policy, output: 1, resultReaders, failure: "TimeExceeded" });
    const found = await openedPrints(lost.outcome.prints, lost.jobId);
    expect([found.cut, found.text.length]).to.deep.equal([true, 0]);
    const [one, other] = [broken, lost].map(({ outcome }) => outcome.prints?.ciphertext.length);
    expect(one).to.equal(other); // their size says nothing
  });

  it("gives nothing out where a reorganisation may have undone the consent, whether the run failed or not", async () => {
    for (const failure of [undefined, "ProgramTrapped"] as const) {
      const run = { policy, output: 1, resultReaders, prints, reorganised: true, ...(failure && { failure }) };
      const { outcome } = await carry(run);
      expect(failureCodes[outcome.receipt.failureCode]).to.equal(failure ?? "GrantRefused");
      expect(outcome).to.not.have.property("prints");
    }
  });

  it("seals nothing where the policy does not say so, no grant names a reader, or all the world is one", async () => {
    const cases: Partial<Run>[] = [{ policy: {}, resultReaders }, {}, { resultReaders: [publicResultKey] }];
    for (const one of cases) {
      const { outcome, entries } = await carry({ policy, output: 1, prints, ...one });
      expect(outcome.receipt.failureCode).to.equal(0);
      expect(outcome).to.not.have.property("prints");
      expect(entries).to.not.include("prints.sealed");
    }
  });

  it("seals nothing of data of several owners, whoever their grants name", async () => {
    const run = { policy, output: 1, prints, resultReaders, times: 2, maxUses: 2n };
    const same = await carry({ ...run, owners: [owner, owner] });
    expect(same.outcome.prints).to.not.equal(undefined);
    const two = await carry({ ...run, owners: [owner, market] });
    expect(two.outcome.receipt.failureCode).to.equal(0);
    expect(two.outcome).to.not.have.property("prints");
  });
});

describe("carryOut, where no wall holds the program's engine", () => {
  it("waits for others, opens nothing, and fails when it may wait no longer", async () => {
    const run = { policy: {}, output: 1, lacksWall: true };
    const stop = await rejection(carry({ ...run, lastChance: false }), JobStop);
    expect([stop.code, stop.final]).to.deep.equal(["ProgramMismatch", false]);
    expect(stop.message).to.equal("ProgramMismatch: quickjs is not run on this machine.");
    const { outcome, entries } = await carry(run);
    expect(outcome.receipt.failureCode).to.equal(failureCodes.indexOf("ProgramMismatch"));
    expect(entries).to.deep.equal(["job.refused"]);
  });
});
