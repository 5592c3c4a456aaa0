/**
 * Room: simulator/tdReport. The 584 bytes that a quote says of a TD. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3.2 "TD Quote Body" (TDX 1.0).
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { BaseError } from "../protocol/errors.ts";

/** Fields and their sizes in bytes, in the order of the wire. */
const fields = {
  teeTcbSvn: 16,
  mrSeam: 48,
  mrSignerSeam: 48,
  seamAttributes: 8,
  tdAttributes: 8,
  xfam: 8,
  mrTd: 48,
  mrConfigId: 48,
  mrOwner: 48,
  mrOwnerConfig: 48,
  rtMr0: 48,
  rtMr1: 48,
  rtMr2: 48,
  rtMr3: 48,
  reportData: 64,
} as const;

type Field = keyof typeof fields;

/** A TD report of TDX 1.0. */
export type TdReport = { [F in Field]: Uint8Array };

/**
 * The report's bytes, as a quoting enclave signs them.
 *
 * @returns 584 bytes.
 * @throws {@link BadFieldLengthError} if a field has another size than the wire gives it.
 * @example
 * encodeTdReport(report).length // 584
 */
export function encodeTdReport(report: TdReport): Uint8Array {
  return concatBytes(
    ...(Object.keys(fields) as Field[]).map((field) => {
      if (report[field].length !== fields[field]) throw new BadFieldLengthError(field, report[field].length);
      return report[field];
    }),
  );
}

/** A field of the report has the wrong size. */
export class BadFieldLengthError extends BaseError {
  override readonly name = "Simulator.BadFieldLengthError";
  constructor(field: Field, length: number) {
    super(`${field} is ${length} bytes, expected ${fields[field]}.`, {
      hint: "Pad report data with zeros on the right; measurements have fixed sizes.",
    });
  }
}
