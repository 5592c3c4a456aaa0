/**
 * Room: sdk/audit/position. Which of two events of the chain came first, and who owned what then. Pure.
 */
import type { Address } from "viem";
import type { DatasetEvidence, Position } from "./evidence.ts";

/**
 * Whether one event came before another.
 *
 * @example
 * const revokedBefore = dataset.nonceRevocations.some((event) => isBefore(event, ending))
 */
export function isBefore(event: Position, other: Position): boolean {
  const [number, otherNumber] = [event.block.number, other.block.number];
  return number < otherNumber || (number === otherNumber && event.logIndex < other.logIndex);
}

/**
 * Who owned a data set just before a job ended; without an ending, who owns it now.
 *
 * @example
 * const owner = ownerAt(registration.owner, transfers, ending)
 */
export function ownerAt(
  first: Address,
  transfers: DatasetEvidence["transfers"],
  ending: Position | undefined,
): Address {
  const past = transfers.filter((transfer) => ending === undefined || isBefore(transfer, ending));
  return past.at(-1)?.to ?? first;
}
