/**
 * Room: scripts/deploy. What a VM of a certain OS image and shape measures, before or beside the app: read from what
 * dstack's tools print, or from the quote of any VM like it.
 */
import { bytesToHex, type Hex } from "viem";
import { z } from "zod";
import type { WorkloadMeasurements } from "../../protocol/attestationBinding.ts";
import { BaseError } from "../../protocol/errors.ts";
import { parseQuote, quoteBytes } from "../../protocol/quote/parseQuote.ts";

/** All of a workload but its app. */
export type SystemMeasurements = Omit<WorkloadMeasurements, "composeHash">;

const hexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`), `must be ${bytes} bytes of hex`)
    .transform((text): Hex => `0x${text.replace(/^0x/, "").toLowerCase()}`);
const register = hexOf(48);
const registers = z.object({ mrtd: register, rtmr0: register, rtmr1: register, rtmr2: register });
/** GetQuote of a guest agent, GET /attestation of a worker. */
const quoted = z.object({ quote: z.string().max(65_536) });
const vmFields = { attributes: hexOf(8), xfam: hexOf(8) } as const;

/**
 * Reads measurements.
 *
 * @param text - JSON with `quote` (hex), or with `mrtd`, `rtmr0`, `rtmr1`, `rtmr2` (`dstack-mr measure --json`).
 * @param vm - attributes and XFAM of the TD, 8 bytes of hex each: a quote has them, a measurement of the image has not.
 * @throws {@link BadMeasurementsError}
 * @example
 * readMeasurements(text, { attributes: "0000001000000000", xfam: "e702060000000000" })
 */
export function readMeasurements(
  text: string,
  vm: { attributes?: string | undefined; xfam?: string | undefined },
): SystemMeasurements {
  const json = parsed(text);
  const quote = quoted.safeParse(json);
  if (quote.success) {
    if (vm.attributes !== undefined || vm.xfam !== undefined)
      throw new BadMeasurementsError("a quote has attributes and XFAM in it: give either");
    return ofQuote(quote.data.quote);
  }
  const read = registers.safeParse(json);
  if (!read.success)
    throw new BadMeasurementsError(`it has neither a quote nor the registers: ${z.prettifyError(read.error)}`);
  const tdAttributes = vmFields.attributes.safeParse(vm.attributes);
  const xfam = vmFields.xfam.safeParse(vm.xfam);
  if (!tdAttributes.success || !xfam.success)
    throw new BadMeasurementsError("beside registers, --td-attributes and --xfam are needed, 8 bytes of hex each");
  const { mrtd, rtmr0, rtmr1, rtmr2 } = read.data;
  return { mrTd: mrtd, rtMr0: rtmr0, rtMr1: rtmr1, rtMr2: rtmr2, tdAttributes: tdAttributes.data, xfam: xfam.data };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadMeasurementsError("it is not JSON", cause);
  }
}

function ofQuote(hex: string): SystemMeasurements {
  try {
    const { report } = parseQuote(quoteBytes(hex));
    return {
      mrTd: bytesToHex(report.mrTd),
      rtMr0: bytesToHex(report.rtMr0),
      rtMr1: bytesToHex(report.rtMr1),
      rtMr2: bytesToHex(report.rtMr2),
      tdAttributes: bytesToHex(report.tdAttributes),
      xfam: bytesToHex(report.xfam),
    };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw new BadMeasurementsError(`its quote cannot be read: ${cause.message}`, cause);
  }
}

/** A file does not say what a VM measures. */
export class BadMeasurementsError extends BaseError {
  override readonly name = "Deploy.BadMeasurementsError";
  constructor(problem: string, cause?: unknown) {
    super(`The measurements of the OS image cannot be read: ${problem}.`, {
      hint: "Give what `dstack-mr measure --json` prints for the image's metadata.json, or a quote of a VM like it.",
      cause,
    });
  }
}
