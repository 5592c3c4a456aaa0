/**
 * Room: sdk/bundle/inventory. A bundle proves what the audit looks at and nothing else: so nothing in it can be changed unseen.
 * Pure.
 */

import { BaseError } from "../../protocol/errors.ts";
import { isMissing } from "../audit/evidence.ts";
import type { OnChain } from "../audit/gather/gatherEvidence.ts";
import { isBefore } from "../audit/position.ts";
import type { ChainProofs, ProvenChain } from "../proofs/chainProofs.ts";
import { historyWindow } from "../proofs/history.ts";
import type { Recorder } from "./recordView.ts";

/**
 * Has the renewals proven that count: the last before the job ended, the last up to that block, and the last of all.
 *
 * @example
 * keepRenewals(recorder, onChain)
 */
export function keepRenewals({ renewals, wantTransaction }: Recorder, { ending, registration }: OnChain): void {
  if (isMissing(registration)) return;
  const counting = [
    renewals.at(-1),
    renewals.findLast((event) => ending !== undefined && isBefore(event, ending)),
    renewals.findLast((event) => ending !== undefined && event.block.number <= ending.block.number),
  ];
  for (const event of counting) if (event !== undefined) wantTransaction(event.transactionHash);
}

/**
 * Refuses proofs of what nobody looks at.
 *
 * @param wants - what was looked at, all of it proven.
 * @throws {@link SurplusProofError}
 * @example
 * requireNothingMore(bundle.chain, proven, recorder.wants())
 */
export function requireNothingMore(
  { accounts }: ChainProofs,
  proven: ProvenChain,
  wants: ReturnType<Recorder["wants"]>,
): void {
  const transactions = new Set(wants.transactions);
  for (const { transactionHash } of proven.receipts)
    if (!transactions.has(transactionHash)) throw new SurplusProofError(`transaction ${transactionHash}`);
  const keyOf = (block: bigint | string, address: string) => `${block} ${address.toLowerCase()}`;
  const words = new Map(wants.accounts.map(({ block, address, slots }) => [keyOf(block, address), new Set(slots)]));
  for (const { block, address, slots } of accounts) {
    const wanted = words.get(keyOf(block, address));
    if (wanted === undefined) throw new SurplusProofError(`account ${address} at block ${block}`);
    for (const slot of slots)
      if (!wanted.has(slot)) throw new SurplusProofError(`slot ${slot} of ${address} at block ${block}`);
  }
  requireNoSpareBlock(proven, [
    proven.anchor.number,
    ...wants.blocks,
    ...proven.receipts.map(({ blockNumber }) => blockNumber),
    ...accounts.map(({ block }) => BigInt(block)),
  ]);
}

/** A block that nobody looks at leads to one that is looked at: as its child, or where no newer block reaches that far. */
function requireNoSpareBlock({ blocks }: ProvenChain, looked: readonly bigint[]): void {
  const wanted = new Set(looked);
  for (const [i, { number }] of blocks.entries()) {
    if (wanted.has(number)) continue;
    const next = blocks[i + 1]?.number;
    const newer = blocks[i - 1]?.number ?? number;
    const leads = next !== undefined && (next === number - 1n || newer - next > historyWindow);
    if (!leads) throw new SurplusProofError(`block ${number}`);
  }
}

/** The bundle proves something that no claim of the job rests on. */
export class SurplusProofError extends BaseError {
  override readonly name = "Bundle.SurplusProofError";
  readonly what: string;
  constructor(what: string) {
    super(`The bundle proves what no claim of the job rests on: ${what}.`, {
      hint: "It was changed or put together by hand. Have it made anew with `dcm bundle`.",
    });
    this.what = what;
  }
}
