/**
 * Room: enclave/policy. Changes the values of an output that a path of the policy leads to. Pure but for its argument.
 * Each path sees each value once at most, so the work is bounded by the output's size, however many `*` a path has.
 */
import type { JsonValue } from "../../protocol/jsonSchema.ts";

/**
 * Replaces, in place, every value that a path leads to.
 *
 * @param path - as in protocol/policy.ts: `/rows/*` + `/mean`; "" is the value itself.
 * @param change - the new value; undefined: the output is refused.
 * @returns the new output; undefined if the path leads nowhere in any of its elements, or `change` refused. The value may
 * then be changed in part, and must not be used.
 * @example
 * changeAt({ rows: [{ n: 1 }] }, "/rows/*" + "/n", () => 2) // { rows: [{ n: 2 }] }
 */
export function changeAt(
  value: JsonValue,
  path: string,
  change: (found: JsonValue) => JsonValue | undefined,
): JsonValue | undefined {
  return changeFrom(value, path.split("/").slice(1), 0, change);
}

function changeFrom(
  value: JsonValue,
  steps: readonly string[],
  depth: number,
  change: (found: JsonValue) => JsonValue | undefined,
): JsonValue | undefined {
  const step = steps[depth];
  if (step === undefined) return change(value);
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    if (step !== "*") return undefined;
    for (const [i, element] of value.entries()) {
      const changed = changeFrom(element, steps, depth + 1, change);
      if (changed === undefined) return undefined;
      value[i] = changed;
    }
    return value;
  }
  // Own names only: every object has a `constructor`.
  const inner = Object.hasOwn(value, step) ? value[step] : undefined;
  const changed = inner === undefined ? undefined : changeFrom(inner, steps, depth + 1, change);
  if (changed === undefined) return undefined;
  value[step] = changed;
  return value;
}
