/**
 * Room: protocol/quote. Reads a TDX quote of version 4 and cuts it into what the chain verifies. Checks no signature.
 * Pure: no clock, no disk, no network, no node:*. Mirrors `contracts/attestation/TdxVerifier.sol`.
 */
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { BaseError } from "../errors.ts";
import { decodePemChain } from "./pemChain.ts";
import { enclaveReportSize, readTdReport, type TdReport, tdReportSize } from "./tdReport.ts";

/** Byte offsets. Source: Intel TDX DCAP Quoting Library API, A.3 "Version 4 Quote Format", all integers little-endian. */
const at = {
  version: 0,
  attestationKeyType: 2,
  teeType: 4,
  qeVendorId: 12,
  userData: 28,
  body: 48,
  signatureDataSize: 48 + tdReportSize,
  signature: 636,
  attestationKey: 700,
  certificationType: 764,
  certificationSize: 766,
  qeReport: 770,
  qeSignature: 770 + enclaveReportSize,
  authDataSize: 1218,
  authData: 1220,
} as const;

/** What certification data of type 5 starts with: its type (2 bytes) and size (4 bytes). */
const chainHeaderSize = 6;
const ecdsaP256 = 2;
const tdx = 0x81;
const qeReportCertification = 6;
const pemChainCertification = 5;
const intelQeVendorId = "0x939a7233f79c4ca9940a0db3957f0607";

/** Longest quote that is read, in bytes; real ones are 5 to 8 KB with their padding. */
export const maxQuoteSize = 16_384;
/** Longest QE authentication data that is read, in bytes; real ones have 32. */
export const maxAuthDataSize = 1024;

/** A quote's parts. Byte arrays are views into it. */
export type Quote = {
  /** Header and body: what the attestation key signs. */
  signedPart: Uint8Array;
  report: TdReport;
  /** r || s, big-endian, by `attestationKey`. */
  signature: Uint8Array;
  /** x || y of the P-256 key made by the quoting enclave. */
  attestationKey: Uint8Array;
  /** The quoting enclave's report, 384 bytes: see `readEnclaveReport`. */
  qeReport: Uint8Array;
  /** r || s by the PCK leaf's key, over `qeReport`. */
  qeSignature: Uint8Array;
  authData: Uint8Array;
  /** Header through QE authentication data: what `EnclaveRegistry.register` takes as `quote`. */
  core: Uint8Array;
  /** What follows: the certificate chain and padding, or nothing. */
  tail: Uint8Array;
};

/** The three byte strings that `EnclaveRegistry.register` takes. */
export type SplitQuote = { quote: Hex; pckLeaf: Hex; pckIssuer: Hex };

/**
 * Reads a TDX quote, whole or cut after the QE authentication data.
 *
 * @param bytes - at most {@link maxQuoteSize}.
 * @returns views into `bytes`, not copies.
 * @throws {@link UnsupportedQuoteError} for another version, key type, TEE or vendor, {@link MalformedQuoteError}.
 * @example
 * const { report } = parseQuote(bytes)
 */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > maxQuoteSize)
    throw new MalformedQuoteError("size", `${bytes.length} bytes, limit ${maxQuoteSize}`);
  // The header is looked at first: a quote of another version gets that answer, not one about its size.
  if (bytes.length < at.body)
    throw new MalformedQuoteError("size", `${bytes.length} bytes, at least ${at.body} expected`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  requireHeader(bytes, view);
  if (bytes.length < at.authData)
    throw new MalformedQuoteError("size", `${bytes.length} bytes, at least ${at.authData} expected`);
  const certification = view.getUint16(at.certificationType, true);
  if (certification !== qeReportCertification)
    throw new UnsupportedQuoteError("certification data type", certification);
  const authDataSize = view.getUint16(at.authDataSize, true);
  if (authDataSize > maxAuthDataSize)
    throw new MalformedQuoteError("authentication data", `${authDataSize} bytes, limit ${maxAuthDataSize}`);
  const coreSize = at.authData + authDataSize;
  requireSizes(view, coreSize);
  if (coreSize > bytes.length)
    throw new MalformedQuoteError("authentication data", `${coreSize - bytes.length} bytes beyond the end`);
  return {
    signedPart: bytes.subarray(0, at.signatureDataSize),
    report: readTdReport(bytes.subarray(at.body, at.signatureDataSize)),
    signature: bytes.subarray(at.signature, at.attestationKey),
    attestationKey: bytes.subarray(at.attestationKey, at.certificationType),
    qeReport: bytes.subarray(at.qeReport, at.qeSignature),
    qeSignature: bytes.subarray(at.qeSignature, at.authDataSize),
    authData: bytes.subarray(at.authData, coreSize),
    core: bytes.subarray(0, coreSize),
    tail: bytes.subarray(coreSize),
  };
}

/**
 * Cuts a whole quote, as a platform hands it out, into what the chain takes.
 *
 * @param bytes - header through certificate chain, then only zero bytes.
 * @throws what {@link parseQuote} throws; `MalformedChainError` if the chain is not three PEM certificates.
 * @example
 * const { quote, pckLeaf, pckIssuer } = splitQuote(bytes)
 */
export function splitQuote(bytes: Uint8Array): SplitQuote {
  const { core, tail } = parseQuote(bytes);
  const [leaf, issuer] = decodePemChain(readChain(core, tail));
  return { quote: bytesToHex(core), pckLeaf: bytesToHex(leaf), pckIssuer: bytesToHex(issuer) };
}

function requireHeader(bytes: Uint8Array, view: DataView): void {
  const version = view.getUint16(at.version, true);
  if (version !== 4) throw new UnsupportedQuoteError("version", version);
  const keyType = view.getUint16(at.attestationKeyType, true);
  if (keyType !== ecdsaP256) throw new UnsupportedQuoteError("attestation key type", keyType);
  const teeType = view.getUint32(at.teeType, true);
  if (teeType !== tdx) throw new UnsupportedQuoteError("TEE type", teeType);
  const vendor = bytesToHex(bytes.subarray(at.qeVendorId, at.userData));
  if (vendor !== intelQeVendorId) throw new UnsupportedQuoteError("QE vendor", vendor);
}

/** The PEM bytes of the chain, with every length around them equal to what really follows. */
function readChain(core: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length < chainHeaderSize) throw new MalformedQuoteError("certificate chain", "missing");
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const type = view.getUint16(0, true);
  if (type !== pemChainCertification) throw new UnsupportedQuoteError("chain type", type);
  const end = chainHeaderSize + view.getUint32(2, true);
  if (end > tail.length)
    throw new MalformedQuoteError("certificate chain", `${end - tail.length} bytes beyond the end`);
  const stated = new DataView(core.buffer, core.byteOffset, core.length).getUint32(at.certificationSize, true);
  const actual = core.length + end - at.qeReport;
  if (stated !== actual)
    throw new MalformedQuoteError("certification data", `said to be ${stated} bytes, is ${actual}`);
  if (tail.subarray(end).some((byte) => byte !== 0)) throw new MalformedQuoteError("padding", "not zero");
  return tail.subarray(chainHeaderSize, end);
}

/** The stated sizes count the chain too, which may be cut off: they are compared with each other and with the core. */
function requireSizes(view: DataView, coreSize: number): void {
  const signatureData = view.getUint32(at.signatureDataSize, true);
  const certificationData = view.getUint32(at.certificationSize, true);
  if (signatureData !== certificationData + at.qeReport - at.signature || certificationData < coreSize - at.qeReport)
    throw new MalformedQuoteError("sizes", `${signatureData} and ${certificationData} contradict each other`);
}

/**
 * Bytes of hex that a stranger wrote.
 *
 * @param maxBytes - limit, in bytes.
 * @throws {@link MalformedQuoteError} if it is not whole bytes of hex, or longer.
 * @example
 * const bytes = quoteBytes("0x0400...")
 */
export function quoteBytes(hex: string, maxBytes: number = maxQuoteSize): Uint8Array {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  if (digits.length > maxBytes * 2) throw new MalformedQuoteError("hex", `more than ${maxBytes} bytes`);
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new MalformedQuoteError("hex", "not whole bytes of hex");
  return hexToBytes(`0x${digits}`);
}

/** The quote is of a kind that is not read here. */
export class UnsupportedQuoteError extends BaseError {
  override readonly name = "Quote.UnsupportedQuoteError";
  constructor(field: string, value: number | string) {
    super(`Quote of ${field} ${value} is not supported.`, {
      hint: "Use a TDX quote of version 4 with a TDX 1.0 report, as dstack 0.5 makes.",
    });
  }
}

/** The bytes are not a whole, well-formed quote. */
export class MalformedQuoteError extends BaseError {
  override readonly name = "Quote.MalformedQuoteError";
  constructor(part: string, fact: string) {
    super(`Quote is malformed: ${part}: ${fact}.`, {
      hint: "Fetch the quote again; it was cut or altered on the way.",
    });
  }
}
