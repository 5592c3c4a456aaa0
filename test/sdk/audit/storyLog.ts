/** The log of a story's enclave, as a worker of this project writes and shows it. */
import type { Address, Hex } from "viem";
import { createLog } from "../../../enclave/receipts/enclaveLog.ts";
import type { Domain, JobOrder } from "../../../protocol/eip712.ts";
import type { NewLogEntry } from "../../../protocol/logEntry.ts";
import { hashLogHead, type LogHead } from "../../../protocol/logHead.ts";
import type { Program } from "../../../protocol/program.ts";

/** What a log is about. */
export type LoggedRun = {
  jobId: Hex;
  order: JobOrder;
  program: Program;
  contents: readonly { datasetId: Hex; contentHash: Hex }[];
  anchorHash: Hex;
  resultHash: Hex;
};

/** The entries of a run that comes to a result, without the boot. */
export function entriesOk({ jobId, order, program, contents, anchorHash, resultHash }: LoggedRun): NewLogEntry[] {
  const grants = order.datasets.map(({ grantHash }) => grantHash);
  return [
    ...grants.map((grantHash) => ({ type: "key.received", grantHash }) as const),
    ...grants.map((grantHash) => ({ type: "grant.checked", jobId, grantHash, anchorHash }) as const),
    ...order.datasets.map(({ datasetId, grantHash }) => ({ type: "key.opened", jobId, grantHash, datasetId }) as const),
    ...contents.map((content) => ({ type: "input.decrypted", jobId, ...content, plainBytes: 17 }) as const),
    {
      type: "program.ran",
      jobId,
      programId: program.id,
      engineSha256: program.manifest.runtime.artifactSha256,
      paramsHash: order.paramsHash,
      printsCommitment: anchorHash,
    },
    { type: "input.destroyed", jobId, count: contents.length },
    { type: "result.sealed", jobId, resultHash, readers: 2 },
  ];
}

/** The worker's side: a log of a boot and these entries, that goes on with one more after the receipt. */
export async function tellLog(options: {
  enclave: { signingKey: { address: Address; sign(message: { hash: Hex }): Promise<Hex> }; vaultKey: Hex };
  workloadId: Hex;
  domain: Domain;
  entries: readonly NewLogEntry[];
}): Promise<{ logRoot: Hex; logSize: bigint; answers: Map<string, unknown> }> {
  const { enclave, workloadId, domain } = options;
  const { address: logId } = enclave.signingKey;
  const stored: Uint8Array[] = [];
  const log = createLog(logId, {
    appendLog: (_, __, entry) => void stored.push(entry),
    syncLog: () => undefined,
    logEntries: (_, from, count) => stored.slice(from, from + count),
  });
  log.append({ type: "boot", signingKey: logId, vaultKey: enclave.vaultKey, workloadId, previous: null });
  for (const entry of options.entries) log.append(entry);
  const { root: logRoot, size: logSize } = log.head();
  const from = Number(logSize);
  log.append({ type: "key.signed", digest: logRoot });
  const head: LogHead = { ...log.head(), anchorBlock: 1n, anchorHash: logRoot };
  const signature = await enclave.signingKey.sign({ hash: hashLogHead(domain, head) });
  const json = { ...head, size: `${head.size}`, anchorBlock: "1", signature };
  const view = { logId, size: from + 1, root: head.root, living: true, intact: true, head: json };
  const ends = { fromRoot: logRoot, toRoot: head.root, proof: log.consistency(from, from + 1) };
  return {
    logRoot,
    logSize,
    answers: new Map<string, unknown>([
      [`/logs/${logId}`, view],
      [`/logs/${logId}/entries?from=0&count=${from}`, { logId, from: 0, entries: log.entries(0, from) }],
      [`/logs/${logId}/consistency?from=${from}&to=${from + 1}`, { logId, from, to: from + 1, ...ends }],
    ]),
  };
}
