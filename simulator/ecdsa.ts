/**
 * Room: simulator/ecdsa. Signs as Intel's keys do: ECDSA over P-256 and SHA-256. Pure.
 * Source: FIPS 186-5, section 6; RFC 6979 for the nonce, so that the same key and message give the same bytes.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { P256KeyPair } from "./secrets.ts";

/**
 * A signature. s is left as it falls, as Intel's code does: half of all signatures are "high s".
 *
 * @param form - "compact": r || s, 64 bytes, as in quotes and JSON collateral; "der": as in certificates and CRLs.
 * @example
 * signP256(report, keys, "compact").length // 64
 */
export function signP256(message: Uint8Array, keys: P256KeyPair, form: "compact" | "der"): Uint8Array {
  return p256.sign(sha256(message), keys.privateKey, { lowS: false }).toBytes(form);
}
