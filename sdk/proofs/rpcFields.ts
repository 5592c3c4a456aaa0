/** Room: sdk/proofs. Fields of JSON-RPC answers as RLP wants them. Pure. Source: Ethereum JSON-RPC, "Hex value encoding". */
import { type Hex, hexToBytes } from "viem";
import { z } from "zod";

/** A number of at most 256 bits. Zeros in front are let pass: nodes put them before r and s. */
export const rpcQuantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, "must be 0x and up to 64 digits of hex")
  .transform((value) => value.toLowerCase() as Hex);

/** Type of a transaction, one byte. */
export const rpcType = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,2}$/, "must be 0x and one byte of hex")
  .default("0x0")
  .transform(Number);

/**
 * A number as RLP has it: big-endian, as short as possible.
 *
 * @example
 * quantity("0x0400") // Uint8Array [4, 0]
 */
export function quantity(value: Hex): Uint8Array {
  const digits = value.slice(2).replace(/^0+/, "");
  return hexToBytes(`0x${digits.length % 2 === 0 ? "" : "0"}${digits}`);
}

/** Bytes of up to two megabytes: one regular expression over so many repeated pairs would run out of stack. */
export const rpcBytes = z
  .string()
  .max(2 + 2 ** 22)
  .refine((value) => value.length % 2 === 0 && /^0x[0-9a-fA-F]*$/.test(value), "must be 0x and whole bytes of hex")
  .transform((value) => value.toLowerCase() as Hex);
