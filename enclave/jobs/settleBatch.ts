/**
 * Room: enclave/jobs/settleBatch. Settles signed orders together: what is ready while one transaction is being mined goes
 * into the next. The market takes all of a transaction or nothing, so that an order which it refuses is found by simulation
 * and brought to it alone; the others do not wait for it.
 */
import { isAddressEqual } from "viem";
import { isExecutionFailure } from "../chain/call.ts";
import {
  InsufficientGasMoneyError,
  type Sender,
  TransactionRefusedError,
  TransactionRevertedError,
} from "../chain/sender.ts";
import { isSignedByKey } from "../vault/ownerSignature.ts";
import { mostGasOf, type SignedWork, settleOrdersCall, termsOf } from "./orderGroups.ts";
import { type SettlePorts, settleJob } from "./settleJob.ts";
import type { SettlementVerdict } from "./settlement.ts";

/** What settling in batches takes. */
export type SettleBatchPorts = SettlePorts & { sender: Pick<Sender, "send" | "simulate"> };

/** Most orders of one transaction. */
export const maxBatch = 64;
/** Most gas that a batch may need: with the sender's margin below the limit of a transaction (EIP-7825). */
const maxBatchGas = 12_000_000;
/** Most calldata of a batch, in hex digits: nodes pass on transactions of up to 128 KiB. */
const maxBatchDigits = 2 * 96 * 1024;

type Waiting = SignedWork & {
  terms: string;
  isOfKeys: boolean;
  resolve(verdict: SettlementVerdict): void;
  reject(error: unknown): void;
};

/**
 * Makes the settler of signed orders. A lone one is sent at once.
 *
 * @returns what brings one receipt to the market and waits until it is mined; its verdicts and errors are those of
 * {@link settleJob}.
 * @example
 * const settleOrder = createSettleBatch(ports)
 * const verdict = await settleOrder({ job, outcome })
 */
export function createSettleBatch(ports: SettleBatchPorts): (work: SignedWork) => Promise<SettlementVerdict> {
  let waiting: Waiting[] = [];
  let isSending = false;
  /** Halved when the market refuses a batch: who can make it fail in the block that it is mined in costs less each time. */
  let most = maxBatch;

  async function sendAll(): Promise<void> {
    isSending = true;
    while (waiting.length > 0) {
      const batch = take();
      await deliver(batch).catch((error) => {
        for (const { reject } of batch) reject(error); // those that are settled are settled
      });
    }
    isSending = false;
  }

  /** The first that waits, and what may go with it, in the order in which they came. */
  function take(): readonly Waiting[] {
    const batch: Waiting[] = [];
    const groups = new Set<string>();
    let gas = 0;
    const rest = waiting.filter((work) => {
      const more = mostGasOf(work, groups.has(work.terms));
      const fits = batch.length < most && gas + more <= maxBatchGas && work.isOfKeys && batch[0]?.isOfKeys;
      if (batch.length > 0 && !fits) return true;
      groups.add(work.terms);
      gas += more;
      batch.push(work);
      return false;
    });
    waiting = rest;
    return batch;
  }

  async function deliver(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    if (batch.length === 1) return alone(first);
    const call = callOf(batch);
    if (call.data.length > maxBatchDigits) return halves(batch);
    try {
      for (const { job } of batch) ports.observe("sending", job.jobId);
      await ports.sender.send(call, () => isDone(batch));
    } catch (error) {
      most = Math.max(2, most >> 1); // below, there would be no batch to grow by
      if (isOfOne(error)) return deliverSifted(batch);
      // Mined in vain though it had passed, or too dear for the gas wallet as a whole.
      if (error instanceof TransactionRevertedError || error instanceof InsufficientGasMoneyError) return halves(batch);
      throw error;
    }
    most = Math.min(maxBatch, 2 * most);
    for (const { job, resolve } of batch) {
      ports.observe("settled", job.jobId);
      resolve("ended");
    }
  }

  async function deliverSifted(batch: readonly Waiting[]): Promise<void> {
    const { good, bad } = await sift([], batch);
    if (bad.length === 0) return halves(batch);
    await deliver(good);
    for (const work of bad) await alone(work);
  }

  async function halves(batch: readonly Waiting[]): Promise<void> {
    await deliver(batch.slice(0, batch.length >> 1));
    await deliver(batch.slice(batch.length >> 1));
  }

  /** Those that the market takes together with the `good` before them, by halves: a credit may suffice for some only. */
  async function sift(good: readonly Waiting[], batch: readonly Waiting[]): Promise<Sifted> {
    if (batch.length === 0) return { good, bad: [] };
    const all = [...good, ...batch];
    if (await passes(all)) return { good: all, bad: [] };
    if (batch.length === 1) return { good, bad: batch };
    const left = await sift(good, batch.slice(0, batch.length >> 1));
    const right = await sift(left.good, batch.slice(batch.length >> 1));
    return { good: right.good, bad: [...left.bad, ...right.bad] };
  }

  async function passes(batch: readonly Waiting[]): Promise<boolean> {
    try {
      await ports.sender.simulate(callOf(batch));
      return true;
    } catch (error) {
      if (isOfOne(error)) return false;
      throw error;
    }
  }

  async function alone({ job, outcome, resolve, reject }: Waiting): Promise<void> {
    await settleJob(ports, job, outcome).then(resolve, reject);
  }

  async function isDone(batch: readonly Waiting[]): Promise<boolean> {
    for (const { job } of batch) if ((await ports.standingNow(job)).is !== "ended") return false;
    return true;
  }

  const callOf = (batch: readonly Waiting[]) => ({ to: ports.market, data: settleOrdersCall(batch, ports.offer) });

  return (work) =>
    new Promise((resolve, reject) => {
      settleOrdersCall([work], ports.offer); // what cannot be sent at all fails here, and nobody else with it
      waiting.push({ ...work, terms: termsOf(work), isOfKeys: isOfKeys(work), resolve, reject });
      if (!isSending) void sendAll();
    });
}

type Sifted = { good: readonly Waiting[]; bad: readonly Waiting[] };

/** What a stranger's contract says, and how much gas it takes to say so, must not come between others' orders. */
function isOfKeys({ job }: SignedWork): boolean {
  const { requester, payer } = job.order;
  const { requesterSignature, payerSignature } = job.origin;
  if (!isSignedByKey(requester, job.jobId, requesterSignature)) return false;
  return isAddressEqual(payer, requester) || isSignedByKey(payer, job.jobId, payerSignature);
}

/** Whether one order of a batch may be why it fails: the market says so, or the node ran out of something. */
function isOfOne(error: unknown): boolean {
  return error instanceof TransactionRefusedError || isExecutionFailure(error);
}
