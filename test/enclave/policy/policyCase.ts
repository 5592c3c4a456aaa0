/** What the tests of the output policy have in common. */
import type { Hex } from "viem";
import { applyPolicy, type Released } from "../../../enclave/policy/applyPolicy.ts";
import type { JsonSchema, JsonValue } from "../../../protocol/jsonSchema.ts";
import { type Policy, policySchema } from "../../../protocol/policy.ts";
import type { Manifest } from "../../../protocol/program.ts";

/** One data set's key, and a job. */
export const secrets = { datasetKeys: [new Uint8Array(74).fill(7)], jobId: `0x${"ab".repeat(32)}` as Hex };

/** A manifest with nothing in it but what is read here; the policy is checked as a manifest's is. */
export function manifestOf(
  policy: Policy | undefined,
  more: { schema?: JsonSchema; maxBytes?: number } = {},
): Manifest {
  const checked = policy === undefined ? {} : { policy: policySchema.parse(policy) };
  return { output: { format: "json", schema: {}, maxBytes: 4096, ...more, ...checked } } as Manifest;
}

/** What is released, or the failure's name. */
export function release(policy: Policy | undefined, output: JsonValue, more: { schema?: JsonSchema } = {}): unknown {
  return shown(applyPolicy(manifestOf(policy, more), output, secrets));
}

/** See {@link release}. */
export function shown(released: Released): unknown {
  return released.ok ? released.output : released.failure;
}

/** A generator for tests that shall be the same each time: mulberry32, 0 to below 1. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
