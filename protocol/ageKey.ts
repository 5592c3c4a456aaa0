/**
 * Room: protocol/ageKey. age recipients as 32 raw bytes (on chain) and as text (`age1...`). Pure.
 */
import { bech32 } from "@scure/base";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { BaseError } from "./errors.ts";

/**
 * The age recipient text of a raw X25519 public key.
 *
 * @param key - 32 bytes.
 * @example
 * recipientOf(order.resultKey) // "age1..."
 */
export function recipientOf(key: Hex): string {
  return bech32.encodeFromBytes("age", hexToBytes(key, { size: 32 }));
}

/**
 * The raw X25519 public key of an age recipient text.
 *
 * @throws {@link BadRecipientError} if the text is not an `age1...` X25519 recipient.
 * @example
 * const resultKey = recipientKeyOf("age1...")
 */
export function recipientKeyOf(recipient: string): Hex {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(recipient);
    if (prefix === "age" && bytes.length === 32) return bytesToHex(bytes);
  } catch (cause) {
    throw new BadRecipientError(cause);
  }
  throw new BadRecipientError();
}

/** The text is not an age X25519 recipient. */
export class BadRecipientError extends BaseError {
  override readonly name = "AgeKey.BadRecipientError";
  constructor(cause?: unknown) {
    super("Not an age recipient.", {
      hint: "Give the `age1...` line that age-keygen prints as the public key.",
      cause,
    });
  }
}
