/**
 * Room: protocol/quote. Reads a TDX quote of version 4 or 5 and cuts it into what the chain verifies. Checks no signature.
 * Pure: no clock, no disk, no network, no node:*. Mirrors `contracts/attestation/TdxVerifier.sol`.
 */
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { BaseError } from "../errors.ts";
import { decodePemChain, type PckChain } from "./pemChain.ts";
import { enclaveReportSize, readTdReport, type TdReport, td15ReportSize, tdReportSize } from "./tdReport.ts";

/** Byte offsets. Source: Intel TDX DCAP Quoting Library API, A.3 "Version 4 Quote Format", all integers little-endian. */
const at = { version: 0, attestationKeyType: 2, teeType: 4, qeVendorId: 12, userData: 28, end: 48 } as const;

/** Where version 5 says what its body is, after the header. Source: the same, A.4 "Version 5 Quote Format". */
const descriptor = { type: 48, size: 50, end: 54 } as const;
const bodySizes: Readonly<Record<number, number>> = { 2: tdReportSize, 3: td15ReportSize };

/** Byte offsets after the body: the same in both versions. */
const after = {
  signatureDataSize: 0,
  signature: 4,
  attestationKey: 68,
  certificationType: 132,
  certificationSize: 134,
  qeReport: 138,
  qeSignature: 138 + enclaveReportSize,
  authDataSize: 586,
  authData: 588,
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
const maxAuthDataSize = 1024;

/** A quote's parts. Byte arrays are views into it. */
export type Quote = {
  version: 4 | 5;
  /** The first 48 bytes. */
  header: Uint8Array;
  /** Header, descriptor (version 5) and body: what the attestation key signs. */
  signedPart: Uint8Array;
  report: TdReport;
  /** r || s, big-endian, by `attestationKey`. */
  signature: Uint8Array;
  /** x || y of the P-256 key made by the quoting enclave. */
  attestationKey: Uint8Array;
  /** Stated bytes from `qeReport` to the end of the certificate chain. */
  certificationSize: number;
  /** The quoting enclave's report, 384 bytes: see `readEnclaveReport`. */
  qeReport: Uint8Array;
  /** r || s by the PCK leaf's key, over `qeReport`. */
  qeSignature: Uint8Array;
  authData: Uint8Array;
  /** The first byte through QE authentication data: what `EnclaveRegistry.register` takes as `quote`. */
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
 * @throws {@link UnsupportedQuoteError} for another version, body, key type, TEE or vendor, {@link MalformedQuoteError}.
 * @example
 * const { report } = parseQuote(bytes)
 */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > maxQuoteSize)
    throw new MalformedQuoteError("size", `${bytes.length} bytes, limit ${maxQuoteSize}`);
  // The header is looked at first: a quote of another version gets that answer, not one about its size.
  requireLength(bytes, at.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = readHeader(bytes, view);
  const [bodyStart, bodyEnd] = locateBody(bytes, view, version);
  requireLength(bytes, bodyEnd + after.authData);
  const rest = new DataView(bytes.buffer, bytes.byteOffset + bodyEnd, bytes.length - bodyEnd);
  const certification = rest.getUint16(after.certificationType, true);
  if (certification !== qeReportCertification)
    throw new UnsupportedQuoteError("certification data type", certification);
  const authDataSize = rest.getUint16(after.authDataSize, true);
  if (authDataSize > maxAuthDataSize)
    throw new MalformedQuoteError("authentication data", `${authDataSize} bytes, limit ${maxAuthDataSize}`);
  const coreSize = bodyEnd + after.authData + authDataSize;
  const certificationSize = requireSizes(rest, authDataSize);
  if (coreSize > bytes.length)
    throw new MalformedQuoteError("authentication data", `${coreSize - bytes.length} bytes beyond the end`);
  const part = (from: number, to: number) => bytes.subarray(bodyEnd + from, bodyEnd + to);
  return {
    version,
    header: bytes.subarray(0, at.end),
    signedPart: bytes.subarray(0, bodyEnd),
    report: readTdReport(bytes.subarray(bodyStart, bodyEnd)),
    signature: part(after.signature, after.attestationKey),
    attestationKey: part(after.attestationKey, after.certificationType),
    certificationSize,
    qeReport: part(after.qeReport, after.qeSignature),
    qeSignature: part(after.qeSignature, after.authDataSize),
    authData: part(after.authData, after.authData + authDataSize),
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
  const quote = parseQuote(bytes);
  const [leaf, issuer] = chainOf(quote);
  return { quote: bytesToHex(quote.core), pckLeaf: bytesToHex(leaf), pckIssuer: bytesToHex(issuer) };
}

/**
 * The certificates in a whole quote.
 *
 * @throws as {@link splitQuote}
 * @example
 * const [leaf, issuer, root] = chainOf(parseQuote(bytes))
 */
export function chainOf(quote: Quote): PckChain {
  return decodePemChain(readChain(quote));
}

/**
 * The root CA's certificate in a whole quote. It proves nothing by being there: compare its key with the one believed.
 *
 * @param bytes - header through certificate chain, then only zero bytes.
 * @returns DER.
 * @throws as {@link splitQuote}
 * @example
 * const rootCa = rootCaOf(bytes)
 */
export function rootCaOf(bytes: Uint8Array): Uint8Array {
  const [, , root] = decodePemChain(readChain(parseQuote(bytes)));
  return root;
}

function requireLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length < expected)
    throw new MalformedQuoteError("size", `${bytes.length} bytes, at least ${expected} expected`);
}

function readHeader(bytes: Uint8Array, view: DataView): 4 | 5 {
  const version = view.getUint16(at.version, true);
  if (version !== 4 && version !== 5) throw new UnsupportedQuoteError("version", version);
  const keyType = view.getUint16(at.attestationKeyType, true);
  if (keyType !== ecdsaP256) throw new UnsupportedQuoteError("attestation key type", keyType);
  const teeType = view.getUint32(at.teeType, true);
  if (teeType !== tdx) throw new UnsupportedQuoteError("TEE type", teeType);
  const vendor = bytesToHex(bytes.subarray(at.qeVendorId, at.userData));
  if (vendor !== intelQeVendorId) throw new UnsupportedQuoteError("QE vendor", vendor);
  return version;
}

/** First byte of the body, and the first after it. */
function locateBody(bytes: Uint8Array, view: DataView, version: 4 | 5): [start: number, end: number] {
  if (version === 4) return [at.end, at.end + tdReportSize];
  requireLength(bytes, descriptor.end);
  const type = view.getUint16(descriptor.type, true);
  const size = bodySizes[type];
  if (size === undefined) throw new UnsupportedQuoteError("body type", type);
  const stated = view.getUint32(descriptor.size, true);
  if (stated !== size) throw new MalformedQuoteError("body", `of type ${type} and ${stated} bytes, not ${size}`);
  return [descriptor.end, descriptor.end + size];
}

/** The PEM bytes of the chain, with every length around them equal to what really follows. */
function readChain({ authData, certificationSize, tail }: Quote): Uint8Array {
  if (tail.length < chainHeaderSize) throw new MalformedQuoteError("certificate chain", "missing");
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const type = view.getUint16(0, true);
  if (type !== pemChainCertification) throw new UnsupportedQuoteError("chain type", type);
  const end = chainHeaderSize + view.getUint32(2, true);
  if (end > tail.length)
    throw new MalformedQuoteError("certificate chain", `${end - tail.length} bytes beyond the end`);
  const actual = after.authData - after.qeReport + authData.length + end;
  if (certificationSize !== actual)
    throw new MalformedQuoteError("certification data", `said to be ${certificationSize} bytes, is ${actual}`);
  if (tail.subarray(end).some((byte) => byte !== 0)) throw new MalformedQuoteError("padding", "not zero");
  return tail.subarray(chainHeaderSize, end);
}

/** The stated sizes count the chain too, which may be cut off: they are compared with each other and with the core. */
function requireSizes(rest: DataView, authDataSize: number): number {
  const signatureData = rest.getUint32(after.signatureDataSize, true);
  const certificationData = rest.getUint32(after.certificationSize, true);
  const least = after.authData + authDataSize - after.qeReport;
  if (signatureData !== certificationData + after.qeReport - after.signature || certificationData < least)
    throw new MalformedQuoteError("sizes", `${signatureData} and ${certificationData} contradict each other`);
  return certificationData;
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
      hint: "Use a TDX quote of version 4 or 5 by Intel's quoting enclave, as dstack makes.",
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
