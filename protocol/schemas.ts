/**
 * Room: protocol/schemas. Small zod pieces that every wire format here is made of. Pure.
 * Unknown fields are always refused: use `z.strictObject`.
 */
import { type Address, type Hex, isAddress } from "viem";
import { z } from "zod";

/**
 * Lowercase-or-mixed hex with 0x of an exact byte length.
 *
 * @param length - in bytes.
 * @example
 * hexOf(32).parse("0x" + "00".repeat(32))
 */
export function hexOf(length: number) {
  return z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${length * 2}}$`), `must be 0x and ${length} bytes of hex`)
    .transform((value) => value.toLowerCase() as Hex);
}

/** Hex of any whole number of bytes up to a limit. */
export function hexUpTo(maxBytes: number) {
  return z
    .string()
    .max(2 + maxBytes * 2)
    .regex(/^0x([0-9a-fA-F]{2})*$/, "must be 0x and whole bytes of hex")
    .transform((value) => value.toLowerCase() as Hex);
}

/** 32 bytes of hex. */
export const bytes32 = hexOf(32);

/** An Ethereum address; a mixed-case one must have the right checksum. */
export const address = z
  .string()
  .refine((value) => isAddress(value), "must be an address with a right checksum")
  .transform((value) => value as Address);

/** A whole number of 32 bits. */
export const uint32 = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** A whole number that JSON cannot hold, as decimal digits; at most 2^256 - 1. */
export const uintString = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/, "must be decimal digits")
  .transform((value) => BigInt(value))
  .refine((value) => value < 2n ** 256n, "must be below 2^256");

/** As {@link uintString}, at most 2^64 - 1. */
export const uint64String = uintString.refine((value) => value < 2n ** 64n, "must be below 2^64");
