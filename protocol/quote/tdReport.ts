/**
 * Room: protocol/quote. Reads the fields of a TDX report body, 1.0 or 1.5, and of an SGX enclave report. Verifies nothing.
 * Pure: no clock, no disk, no network, no node:*. Mirrors `contracts/attestation/`.
 */
import { BaseError } from "../errors.ts";

/** Byte offsets. Source: Intel TDX DCAP Quoting Library API, A.3.2 "TD Quote Body". */
const td = {
  teeTcbSvn: 0,
  mrSeam: 16,
  mrSignerSeam: 64,
  seamAttributes: 112,
  tdAttributes: 120,
  xfam: 128,
  mrTd: 136,
  mrConfigId: 184,
  mrOwner: 232,
  mrOwnerConfig: 280,
  rtMr0: 328,
  rtMr1: 376,
  rtMr2: 424,
  rtMr3: 472,
  reportData: 520,
  end: 584,
} as const;

/** Byte offsets. Source: Intel SGX DCAP ECDSA Quoting Library API, A.4 "Enclave Report Body". */
const qe = {
  miscSelect: 16,
  attributes: 48,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
  end: 384,
} as const;

/** What TDX 1.5 adds. Source: Intel TDX DCAP Quoting Library API, A.4.2 "TD Quote Body 1.5" (quote version 5). */
const td15 = { teeTcbSvn2: 584, mrServiceTd: 600, end: 648 } as const;

/** Bytes in a TDX 1.0 report body. */
export const tdReportSize = td.end;
/** Bytes in a TDX 1.5 report body. */
export const td15ReportSize = td15.end;
/** Bytes in an SGX enclave report body. */
export const enclaveReportSize = qe.end;

/** Fields of a TDX report body; views into it, sizes in bytes 16 (SVNs), 48 (measurements), 8 (attributes), 64. */
export type TdReport = { readonly [field in Exclude<keyof typeof td, "end">]: Uint8Array } & {
  /** TDX 1.5 only: SVNs of the TDX module that runs now; `teeTcbSvn` are those that the TD was launched under. */
  readonly teeTcbSvn2?: Uint8Array;
  /** TDX 1.5 only: measurement of a service TD bound to this one, zero if there is none. */
  readonly mrServiceTd?: Uint8Array;
};

/** What the checks need of the quoting enclave's own report. */
export type EnclaveReport = {
  miscSelect: number;
  /** 16 bytes: flags, then XFRM. */
  attributes: Uint8Array;
  mrSigner: Uint8Array;
  isvProdId: number;
  isvSvn: number;
  reportData: Uint8Array;
};

/**
 * Reads the fields of a TDX report body.
 *
 * @param body - 584 bytes (TDX 1.0) or 648 (TDX 1.5).
 * @returns views into `body`, not copies.
 * @throws {@link BadReportLengthError} if `body` has another size.
 * @example
 * const report = readTdReport(quote.subarray(48, 48 + tdReportSize))
 */
export function readTdReport(body: Uint8Array): TdReport {
  if (body.length !== td.end && body.length !== td15.end)
    throw new BadReportLengthError("TD report body", body.length, `${td.end} or ${td15.end}`);
  return {
    teeTcbSvn: body.subarray(td.teeTcbSvn, td.mrSeam),
    mrSeam: body.subarray(td.mrSeam, td.mrSignerSeam),
    mrSignerSeam: body.subarray(td.mrSignerSeam, td.seamAttributes),
    seamAttributes: body.subarray(td.seamAttributes, td.tdAttributes),
    tdAttributes: body.subarray(td.tdAttributes, td.xfam),
    xfam: body.subarray(td.xfam, td.mrTd),
    mrTd: body.subarray(td.mrTd, td.mrConfigId),
    mrConfigId: body.subarray(td.mrConfigId, td.mrOwner),
    mrOwner: body.subarray(td.mrOwner, td.mrOwnerConfig),
    mrOwnerConfig: body.subarray(td.mrOwnerConfig, td.rtMr0),
    rtMr0: body.subarray(td.rtMr0, td.rtMr1),
    rtMr1: body.subarray(td.rtMr1, td.rtMr2),
    rtMr2: body.subarray(td.rtMr2, td.rtMr3),
    rtMr3: body.subarray(td.rtMr3, td.reportData),
    reportData: body.subarray(td.reportData, td.end),
    ...(body.length === td15.end && {
      teeTcbSvn2: body.subarray(td15.teeTcbSvn2, td15.mrServiceTd),
      mrServiceTd: body.subarray(td15.mrServiceTd, td15.end),
    }),
  };
}

/**
 * Reads the quoting enclave's report.
 *
 * @param body - exactly 384 bytes.
 * @throws {@link BadReportLengthError} if `body` has another size.
 * @example
 * const { isvSvn } = readEnclaveReport(parseQuote(bytes).qeReport)
 */
export function readEnclaveReport(body: Uint8Array): EnclaveReport {
  if (body.length !== qe.end) throw new BadReportLengthError("enclave report", body.length, qe.end);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  return {
    miscSelect: view.getUint32(qe.miscSelect, true),
    attributes: body.subarray(qe.attributes, qe.attributes + 16),
    mrSigner: body.subarray(qe.mrSigner, qe.mrSigner + 32),
    isvProdId: view.getUint16(qe.isvProdId, true),
    isvSvn: view.getUint16(qe.isvSvn, true),
    reportData: body.subarray(qe.reportData, qe.end),
  };
}

/** The bytes are not a report of the size that is read here. */
export class BadReportLengthError extends BaseError {
  override readonly name = "Quote.BadReportLengthError";
  constructor(what: string, length: number, expected: number | string) {
    super(`The ${what} is ${length} bytes, expected ${expected}.`, {
      hint: "Only TDX 1.0 and 1.5 bodies (quote versions 4 and 5) are read here.",
    });
  }
}
