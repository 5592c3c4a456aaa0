/**
 * Room: protocol/publicReader. The reader that everybody is: an age identity whose secret is public. A result that is
 * sealed to it alone is public, without the enclave, the contracts or the worker knowing of it. Pure.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bech32 } from "@scure/base";
import type { Hex } from "viem";

/** What the secret is the SHA-256 of; X25519 clamps it (RFC 7748, section 5). */
const label = "data-collab-market/public-reader/v1";

/** The `AGE-SECRET-KEY-1...` line. It is no secret: it keeps nothing from anybody. */
export const publicIdentity: string = bech32
  .encodeFromBytes("AGE-SECRET-KEY-", sha256(new TextEncoder().encode(label)))
  .toUpperCase();

/** Its X25519 public key: an order with this `resultKey` asks for a public result. A test derives it from the label. */
export const publicResultKey: Hex = "0x61f13131e4708cb42e7c0d385a4722ded0907cd3eb2974e4685475f35d01a82b";
