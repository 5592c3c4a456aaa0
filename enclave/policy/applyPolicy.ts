/**
 * Room: enclave/policy. Enforces the output policy of a program on what it returned: the trusted side, after the run. Pure.
 * What is refused is released in no part; the receipt names the rule. What the rules do not stop: docs/PRIVACY.md.
 */
import type { Hex } from "viem";
import type { FailureCode } from "../../protocol/eip712.ts";
import type { JsonValue } from "../../protocol/jsonSchema.ts";
import type { Policy } from "../../protocol/policy.ts";
import type { Manifest } from "../../protocol/program.ts";
import { noiseSeed, resultSize } from "../../protocol/result.ts";
import { encodeChecked } from "../sandbox/outcome.ts";
import { changeAt } from "./changeAt.ts";
import { discreteLaplace } from "./discreteLaplace.ts";
import { randomInts } from "./randomInts.ts";
import { roundHalfEven } from "./roundHalfEven.ts";

/** What may leave, or which rule it breaks. */
export type Released = { ok: true; output: JsonValue } | { ok: false; failure: FailureCode };

/** What the noise of a job is drawn from. */
export type NoiseSecrets = { datasetKeys: readonly Uint8Array[]; jobId: Hex };

/** Most values of one output that noise is added to: each takes a few microseconds, in which the worker does nothing else. */
export const maxNoisedValues = 50_000;

/**
 * Checks an output, and changes it, as the manifest says, in this order: schema and size; groups; noise; rounding; schema,
 * size and size class of what came out.
 *
 * @param output - as the sandbox gave it; is not changed.
 * @returns a changed copy; or OutputRefused (schema, or what noise or rounding is for is not there or no number),
 * OutputTooLarge, GroupTooSmall.
 * @example
 * const released = applyPolicy(program.manifest, outcome.output, { datasetKeys, jobId })
 */
export function applyPolicy(manifest: Manifest, output: JsonValue, secrets: NoiseSecrets): Released {
  const { schema, maxBytes, policy = {} } = manifest.output;
  const raw = encodeChecked(schema, output);
  if (raw === undefined) return refused("OutputRefused");
  if (raw.bytes.length > maxBytes) return refused("OutputTooLarge");

  const { group, noise, round } = policy;
  const grouped = group === undefined ? raw.value : keepGroups(raw.value, group);
  if (grouped === undefined) return refused("GroupTooSmall");
  if (noise !== undefined && countAt(grouped, noise) > maxNoisedValues) return refused("OutputTooLarge");
  const noised = noise === undefined ? grouped : addNoise(grouped, noise, secrets);
  const rounded = noised === undefined || round === undefined ? noised : roundAt(noised, round);
  if (rounded === undefined) return refused("OutputRefused");

  const isUnchanged = group === undefined && noise === undefined && round === undefined;
  const released = isUnchanged ? raw : encodeChecked(schema, rounded);
  if (released === undefined) return refused("OutputRefused");
  const fits = released.bytes.length <= maxBytes && resultSize(released.bytes.length, policy.pad) !== undefined;
  return fits ? { ok: true, output: released.value } : refused("OutputTooLarge");
}

/** Rows with fewer units are left out, or all is refused; a row that does not say how many refuses all. */
function keepGroups(output: JsonValue, { k, rows, count, otherwise }: NonNullable<Policy["group"]>) {
  return changeAt(output, rows, (found) => {
    if (!Array.isArray(found)) return undefined;
    const units = found.map((row) => countOf(row, count));
    if (units.includes(undefined)) return undefined;
    const kept = found.filter((_, i) => (units[i] ?? 0) >= k);
    return otherwise === "fail" && kept.length < found.length ? undefined : kept;
  });
}

function countOf(row: JsonValue, name: string): number | undefined {
  if (typeof row !== "object" || row === null || Array.isArray(row) || !Object.hasOwn(row, name)) return undefined;
  const count = row[name];
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

type Noise = NonNullable<Policy["noise"]>;

function countAt(output: JsonValue, { fields }: Noise): number {
  let count = 0;
  for (const { path } of fields)
    changeAt(output, path, (value) => {
      count++;
      return value;
    });
  return count;
}

/** The loss is split evenly over the fields; within one, `sensitivity` is of all its values together (protocol/policy.ts). */
function addNoise(output: JsonValue, { epsilonMicros, fields }: Noise, secrets: NoiseSecrets): JsonValue | undefined {
  const seed = noiseSeed(secrets.datasetKeys, secrets.jobId);
  const random = randomInts(seed);
  seed.fill(0);
  let noised: JsonValue | undefined = output;
  for (const { path, sensitivity } of fields) {
    const numerator = BigInt(sensitivity) * BigInt(fields.length) * 1_000_000n;
    const scale = { numerator, denominator: BigInt(epsilonMicros) };
    noised = changeAt(noised, path, (value) => {
      if (!Number.isSafeInteger(value)) return undefined;
      const sum = Number(BigInt(value as number) + discreteLaplace(random, scale));
      return Number.isSafeInteger(sum) ? sum : undefined;
    });
    if (noised === undefined) return undefined;
  }
  return noised;
}

function roundAt(output: JsonValue, places: NonNullable<Policy["round"]>): JsonValue | undefined {
  let rounded: JsonValue | undefined = output;
  for (const { path, decimals } of places) {
    rounded = changeAt(rounded, path, (value) => {
      if (value === null) return null;
      return typeof value === "number" ? roundHalfEven(value, decimals) : undefined;
    });
    if (rounded === undefined) return undefined;
  }
  return rounded;
}

function refused(failure: FailureCode): Released {
  return { ok: false, failure };
}
