/**
 * Room: simulator/tdReport. What a quote says of a TD: 584 bytes in TDX 1.0, 648 in TDX 1.5. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3.2 "TD Quote Body" (TDX 1.0) and A.4 (TDX 1.5).
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

/** Fields that TDX 1.5 adds behind them. */
const fieldsOf15 = { teeTcbSvn2: 16, mrServiceTd: 48 } as const;

type Field = keyof typeof fields | keyof typeof fieldsOf15;

/** A TD report. TDX 1.0 leaves out `teeTcbSvn2` (SVNs of the module that runs now) and `mrServiceTd`. */
export type TdReport = { [F in Field]: Uint8Array };

/**
 * The report's bytes, as a quoting enclave signs them.
 *
 * @returns 584 bytes of TDX 1.0, 648 of TDX 1.5.
 * @throws {@link BadFieldLengthError} if a field has another size than the wire gives it.
 * @example
 * encodeTdReport(report, "1.0").length // 584
 */
export function encodeTdReport(report: TdReport, tdx: "1.0" | "1.5"): Uint8Array {
  const sizes = Object.entries(tdx === "1.0" ? fields : sizesOf15) as [Field, number][];
  return concatBytes(
    ...sizes.map(([field, size]) => {
      if (report[field].length !== size) throw new BadFieldLengthError(field, report[field].length);
      return report[field];
    }),
  );
}

const sizesOf15 = { ...fields, ...fieldsOf15 };

/** A field of the report has the wrong size. */
export class BadFieldLengthError extends BaseError {
  override readonly name = "Simulator.BadFieldLengthError";
  constructor(field: Field, length: number) {
    super(`${field} is ${length} bytes, expected ${sizesOf15[field]}.`, {
      hint: "Pad report data with zeros on the right; measurements have fixed sizes.",
    });
  }
}
