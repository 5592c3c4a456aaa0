/**
 * Room: cli/parse. Readers of option values; commander names the option in the error.
 */
import { InvalidArgumentError } from "commander";

/**
 * An id: 0x and 32 bytes of hex.
 *
 * @example
 * new Option("--dataset <id>").argParser(id)
 */
export function id(text: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError("It must be 0x and 32 bytes of hex.");
  return text.toLowerCase() as `0x${string}`;
}

/**
 * As {@link id}, collected over repeated options.
 *
 * @example
 * new Option("--dataset <id>").argParser(ids)
 */
export function ids(text: string, previous: readonly `0x${string}`[] = []): `0x${string}`[] {
  return [...previous, id(text)];
}

/**
 * Text, collected over repeated options.
 *
 * @example
 * new Option("--reader <age1...>").argParser(texts)
 */
export function texts(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text];
}

/**
 * A whole number within bounds.
 *
 * @example
 * new Option("--limit <n>").argParser(integer(1, 1000))
 */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

/**
 * A whole number that fits 256 bits.
 *
 * @example
 * new Option("--nonce <n>").argParser(uint)
 */
export function uint(text: string): bigint {
  const value = /^[0-9]{1,78}$/.test(text) ? BigInt(text) : -1n;
  if (value < 0n || value >= 2n ** 256n) throw new InvalidArgumentError("It must be a whole number below 2^256.");
  return value;
}

/**
 * A JSON value.
 *
 * @example
 * new Option("--params <json>").argParser(json)
 */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("It must be JSON.");
  }
}
