/**
 * Intel's own certificates and quote from test/vectors/tdx, with other keys in them and signed anew under another root:
 * the bytes, and so the gas, are those of the real thing. Written apart from `simulator/`, so that the contracts' tests
 * do not rest on it.
 */
import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concat, type Hex, hexToBytes } from "viem";

/** Private keys by role: fixed, and worth nothing. */
const keys = {
  root: new Uint8Array(32).fill(1),
  issuer: new Uint8Array(32).fill(2),
  pck: new Uint8Array(32).fill(3),
  attestation: new Uint8Array(32).fill(4),
};

/** Where parts of the vectors start, in bytes; see contracts/attestation/TdQuote.sol and `openssl asn1parse`. */
const places = {
  quote: { reportData: 568, signed: 632, signature: 636, key: 700, qeReport: 770, qeSignature: 1154, end: 1252 },
  leaf: { tbs: 4, key: 334, tbsEnd: 1182 },
  issuer: { tbs: 4, key: 327, tbsEnd: 581 },
  qeReportData: 320,
  authData: 1220,
} as const;

const ecdsaWithSha256: Hex = "0x300a06082a8648ce3d040302";

/** Root public key, x || y, 64 bytes. */
export const softwareRootKey = bytesToHex(publicKey(keys.root));

/** PCK leaf, DER, with the names, dates and PPID of the vector `nearmpc`. */
export const softwareLeaf = certificate("nearmpc.leaf.der", places.leaf, keys.pck, keys.issuer);

/** PCK Platform CA, DER. */
export const softwareIssuer = certificate("platform_ca.der", places.issuer, keys.issuer, keys.root);

/**
 * A quote with the measurements of the vector `nearmpc` and any report data.
 *
 * @param reportData - 64 bytes.
 * @example
 * const quote = softwareQuote(registrationReportData(binding, blockNumber, blockHash))
 */
export function softwareQuote(reportData: Hex): Hex {
  const { quote: at, qeReportData, authData } = places;
  const quote = vector("nearmpc.quote.bin").slice(0, at.end);
  quote.set(hexToBytes(reportData), at.reportData);
  quote.set(publicKey(keys.attestation), at.key);
  quote.set(
    sha256(new Uint8Array([...publicKey(keys.attestation), ...quote.subarray(authData)])),
    at.qeReport + qeReportData,
  );
  quote.set(sign(quote.subarray(at.qeReport, at.qeSignature), keys.pck).toBytes("compact"), at.qeSignature);
  quote.set(sign(quote.subarray(0, at.signed), keys.attestation).toBytes("compact"), at.signature);
  return bytesToHex(quote);
}

function certificate(
  name: string,
  at: { tbs: number; key: number; tbsEnd: number },
  subjectKey: Uint8Array,
  signedBy: Uint8Array,
): Hex {
  const tbs = vector(name).slice(at.tbs, at.tbsEnd);
  tbs.set(publicKey(subjectKey), at.key - at.tbs);
  const signature = sign(tbs, signedBy).toBytes("der");
  // BIT STRING without unused bits; the whole is above 255 bytes, the signature below 128.
  const content = concat([bytesToHex(tbs), ecdsaWithSha256, tlv(0x03, concat(["0x00", bytesToHex(signature)]))]);
  return tlv(0x30, content);
}

function tlv(tag: number, content: Hex): Hex {
  const size = (content.length - 2) / 2;
  const header = size < 128 ? [tag, size] : [tag, 0x82, size >> 8, size & 0xff];
  return concat([bytesToHex(new Uint8Array(header)), content]);
}

function sign(message: Uint8Array, privateKey: Uint8Array) {
  return p256.sign(sha256(message), privateKey, { prehash: false, lowS: false });
}

function publicKey(privateKey: Uint8Array): Uint8Array {
  return p256.getPublicKey(privateKey, false).subarray(1);
}

function vector(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../vectors/tdx/${name}`, import.meta.url)));
}
