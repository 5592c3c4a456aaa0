/**
 * Room: protocol/quote. Subject names of Intel's certificates, whole: a common name alone does not say whose it is. Pure.
 * Mirrors `contracts/attestation/IntelNames.sol`.
 * Source: Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.2 and 1.3.
 */
import { concatBytes, hexToBytes, stringToBytes } from "viem";

/** Common names of Intel's certificates. */
export const intelCommonNames = [
  "Intel SGX Root CA",
  "Intel SGX PCK Platform CA",
  "Intel SGX PCK Processor CA",
  "Intel SGX PCK Certificate",
  "Intel SGX TCB Signing",
] as const;

/** `O=Intel Corporation, L=Santa Clara, ST=CA, C=US`: the country a PrintableString, the rest UTF8Strings. */
const organization = hexToBytes(
  "0x311a3018060355040a0c11496e74656c20436f72706f726174696f6e3114301206035504070c0b53616e746120436c617261310b300906035504080c024341310b3009060355040613025553",
);
const commonNameTag = hexToBytes("0x06035504030c");

/**
 * A subject name as Intel writes it.
 *
 * @returns DER.
 * @example
 * const isPck = sameBytes(leaf.subject, intelName("Intel SGX PCK Certificate"))
 */
export function intelName(commonName: (typeof intelCommonNames)[number]): Uint8Array {
  const text = stringToBytes(commonName);
  // All lengths are below 128 bytes: one byte each.
  const attribute = concatBytes([commonNameTag, Uint8Array.of(text.length), text]);
  const set = concatBytes([Uint8Array.of(0x31, attribute.length + 2, 0x30, attribute.length), attribute]);
  return concatBytes([Uint8Array.of(0x30, set.length + organization.length), set, organization]);
}
