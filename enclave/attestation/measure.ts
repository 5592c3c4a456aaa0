/**
 * Room: enclave/attestation/measure. What this enclave is, as its own quote says it.
 */
import { type Hex, hexToBytes } from "viem";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { measurementsOf } from "../../protocol/quote/mrConfigId.ts";
import { parseQuote } from "../../protocol/quote/parseQuote.ts";
import type { TdxPlatform } from "./platform.ts";

/**
 * The workload id of the machine that this runs on, from a quote over nothing.
 *
 * @throws `PlatformError`, and what reading the quote throws.
 * @example
 * const workloadId = await measuredWorkloadId(platform)
 */
export async function measuredWorkloadId(platform: TdxPlatform): Promise<Hex> {
  const { quote } = await platform.quote(`0x${"00".repeat(64)}`);
  return workloadIdOf(measurementsOf(parseQuote(hexToBytes(quote)).report));
}
