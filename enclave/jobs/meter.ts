/**
 * Room: enclave/jobs/meter. What the market charges by and only the enclave can count: rows of the result, seconds of the
 * run. Pure. What they come to is computed by protocol/charges.ts.
 */
import { zeroHash } from "viem";
import { type Grant, type JobOrder, priceUnits } from "../../protocol/eip712.ts";
import type { JsonValue } from "../../protocol/jsonSchema.ts";

/**
 * Rows of an output: the elements of an array, or of the array that an object has under `rows`; else it is one row.
 *
 * @example
 * rowsOf({ rows: [1, 2, 3] }) // 3n
 */
export function rowsOf(output: JsonValue): bigint {
  if (Array.isArray(output)) return BigInt(output.length);
  if (output === null || typeof output !== "object" || !Object.hasOwn(output, "rows")) return 1n;
  const { rows } = output;
  return Array.isArray(rows) ? BigInt(rows.length) : 1n;
}

/**
 * The rows that a receipt states: none where no grant is priced by them, for they tell something of the data.
 *
 * @example
 * const outputRows = billedRows(grants, output)
 */
export function billedRows(grants: readonly Pick<Grant, "priceUnit">[], output: JsonValue): bigint {
  return grants.some(({ priceUnit }) => priceUnit === priceUnits.outputRow) ? rowsOf(output) : 0n;
}

/**
 * The seconds that a receipt states: none where no offer charges for them.
 *
 * @param elapsedMs - of the program's run.
 * @example
 * const runSeconds = billedSeconds(order, 1_200.5) // 2 with an offer
 */
export function billedSeconds({ offerHash }: Pick<JobOrder, "offerHash">, elapsedMs: number): number {
  return offerHash === zeroHash ? 0 : Math.ceil(elapsedMs / 1000);
}
