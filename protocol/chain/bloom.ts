/**
 * Room: protocol/chain. Reads the bloom filter of a block header. Pure.
 * Source: Ethereum Yellow Paper, section 4.4.1, function M3:2048.
 */
import { type Hex, hexToBytes, keccak256 } from "viem";

/** Bytes of a bloom filter. */
export const bloomSizeBytes = 256;

/**
 * Whether a filter may hold a value: false is certain, true is not.
 *
 * @param bloom - 256 bytes.
 * @param value - an address or a topic.
 * @example
 * mayContain(header.logsBloom, market)
 */
export function mayContain(bloom: Hex, value: Hex): boolean {
  const filter = hexToBytes(bloom);
  const hash = hexToBytes(keccak256(value));
  return [0, 2, 4].every((i) => {
    const bit = (((hash[i] ?? 0) << 8) | (hash[i + 1] ?? 0)) & 2047;
    return ((filter[bloomSizeBytes - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0;
  });
}
