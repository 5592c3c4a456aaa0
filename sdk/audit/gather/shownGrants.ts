/**
 * Room: sdk/audit/gather/shownGrants. The grants of a settlement, whole: what the market was shown of them, with what the
 * order and the enclave's operator add. Pure. Whether they are the ones that the order names shows by their hash.
 */
import { zeroAddress } from "viem";
import type { JobOrder, ShownGrant, SignedGrant } from "../../../protocol/eip712.ts";
import { type EnclaveRecord, isMissing, type Missing } from "../evidence.ts";

/**
 * The grants by data set.
 *
 * @param countedGrants - of the receipts that are Ok and paid for together: the same of all.
 * @param shown - one for each of its bits.
 * @returns undefined where the grant is not counted.
 * @example
 * const grants = signedGrantsOf(order, receipt.countedGrants, sent.grants, record)
 */
export function signedGrantsOf(
  order: JobOrder,
  countedGrants: number,
  shown: readonly ShownGrant[],
  record: EnclaveRecord | Missing,
): (SignedGrant | undefined)[] | Missing {
  if (isMissing(record)) return record;
  const left = [...shown];
  return order.datasets.map(({ datasetId }, i) => {
    const next = (countedGrants & (1 << i)) === 0 ? undefined : left.shift();
    if (next === undefined) return undefined;
    const { anyRequester, anyOperator, signature, ...rest } = next;
    const { programId, workloadId, token } = order;
    const requester = anyRequester ? zeroAddress : order.requester;
    const operator = anyOperator ? zeroAddress : record.operator;
    return { grant: { datasetId, programId, workloadId, requester, operator, token, ...rest }, signature };
  });
}
