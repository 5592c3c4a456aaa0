/**
 * Room: enclave/attestation/measure. What this enclave is, as its own quote says it.
 */
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { workloadIdOf } from "../../protocol/attestationBinding.ts";
import { BaseError } from "../../protocol/errors.ts";
import { verifyEventLog } from "../../protocol/quote/eventLog.ts";
import { readLaunchConfig } from "../../protocol/quote/launchConfig.ts";
import { measurementsOf } from "../../protocol/quote/mrConfigId.ts";
import { parseQuote } from "../../protocol/quote/parseQuote.ts";
import type { TdxPlatform } from "./platform.ts";

/** What this enclave is. */
export type Measured = {
  workloadId: Hex;
  /** What MRCONFIGID commits to, as the registry takes it: empty for version 1. */
  appConfig: Hex;
};

/**
 * What the machine is that this runs on, from a quote over nothing.
 *
 * @throws {@link UnknownLaunchConfigError}, `PlatformError`, and what reading quote and event log throws.
 * @example
 * const { workloadId, appConfig } = await measure(platform)
 */
export async function measure(platform: TdxPlatform): Promise<Measured> {
  const { quote, eventLog } = await platform.quote(`0x${"00".repeat(64)}`);
  const { report } = parseQuote(hexToBytes(quote));
  const config = readLaunchConfig(report.mrConfigId, verifyEventLog(eventLog, report.rtMr3), undefined);
  if (config === undefined) throw new UnknownLaunchConfigError();
  return {
    workloadId: workloadIdOf(measurementsOf(report, config.evidence)),
    appConfig: bytesToHex(config.evidence),
  };
}

/** MRCONFIGID commits to something that does not follow from the event log. */
export class UnknownLaunchConfigError extends BaseError {
  override readonly name = "Platform.UnknownLaunchConfigError";
  constructor() {
    super("What MRCONFIGID commits to does not follow from the machine's event log.", {
      hint: "Use a dstack release whose launch configuration is known here: 0.5 or 0.6.",
    });
  }
}
