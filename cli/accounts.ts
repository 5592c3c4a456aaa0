/**
 * Room: cli/accounts. Addresses as people paste them.
 */
import type { Address } from "viem";
import { UsageError } from "./failure.ts";

/**
 * An address; one in mixed case must have the right checksum, which catches typing errors.
 *
 * @param option - named in the error.
 * @throws {@link UsageError}
 * @example
 * const token = await accountOf("--token", options.token)
 */
export async function accountOf(option: string, text: string): Promise<Address> {
  const { getAddress, isAddress } = await import("viem");
  if (isAddress(text)) return getAddress(text);
  throw new UsageError(`${option}: ${JSON.stringify(text.slice(0, 60))} is not an address with a right checksum.`, {
    hint: "Copy it again; it is 0x and 40 hex digits.",
  });
}

/**
 * As {@link accountOf}; without an option, the zero address: the native coin, any requester, any operator.
 *
 * @throws {@link UsageError}
 * @example
 * const token = await accountOrZero("--token", options.token)
 */
export async function accountOrZero(option: string, text: string | undefined): Promise<Address> {
  return text === undefined ? "0x0000000000000000000000000000000000000000" : await accountOf(option, text);
}
