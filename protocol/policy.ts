/**
 * Room: protocol/policy. The output policy of a program: what may leave, beside schema and size. It stands in the manifest,
 * so that whoever consents to the program consents to it; the worker enforces it outside of the sandbox (enclave/policy).
 * What each part stops, and what it does not: docs/PRIVACY.md. Pure.
 */
import { z } from "zod";

/** Names an input of the manifest. */
export const inputName = z.string().regex(/^[a-z][a-zA-Z0-9]{0,31}$/);

const columnName = z.string().min(1).max(128);

/**
 * Where values stand in an output: names and `*` (each element of an array), for instance `/rows/*` + `/mean`; "" is all of
 * it. It must lead somewhere in every run and in every element: otherwise the output is refused.
 */
const outputPath = z
  .string()
  .max(256)
  .regex(/^(\/(\*|[A-Za-z_][A-Za-z0-9_]{0,63}))*$/, "must be names and * after slashes");

/**
 * What a column of an input may be used for. `aggregate`: inside aggregate functions only. `join`: in join conditions and
 * counts of distinct values only. `hidden`: not at all. Columns that are not named may be used freely.
 */
export const columnRoles = ["aggregate", "join", "hidden"] as const;
/** See {@link columnRoles}. */
export type ColumnRole = (typeof columnRoles)[number];

const group = z.strictObject({
  /** Fewest distinct units behind each released row. */
  k: z.int().min(2).max(1_000_000),
  /** The rows: an array of objects in the output. */
  rows: outputPath,
  /** Field of each row that holds how many distinct units are behind it: a whole number, or the run fails. */
  count: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/),
  /** By input: the column that tells units (people, households, sites) apart. SQL counts them itself. */
  units: z.record(inputName, columnName).refine((units) => Object.keys(units).length >= 1, "name an input's column"),
  /** What becomes of rows behind which there are fewer: left out, or the run fails. */
  otherwise: z.enum(["omit", "fail"]),
});

const differ = (places: readonly { path: string }[]) => new Set(places.map(({ path }) => path)).size === places.length;

const noiseParts = z.strictObject({
  /** Privacy loss of one run, in millionths: 1,000,000 is epsilon = 1. The noise is discrete Laplace. */
  epsilonMicros: z.int().min(1_000).max(10_000_000),
  /** Privacy loss of all uses of one grant together: its maximum of uses times `epsilonMicros` must not be more. */
  budgetMicros: z.int().min(1_000).max(100_000_000),
  /**
   * Integers of the output that noise is added to. `sensitivity`: how much one unit, there or not, can change all the values
   * of the path **together** (the sum of the changes), so that a path with `*` costs what a path without it does. A unit
   * that can be behind three rows with 5 in each changes `/rows/*` + `/sum` by 15. The loss is split evenly over the paths.
   */
  fields: z
    .array(z.strictObject({ path: outputPath, sensitivity: z.int().min(1).max(1_000_000_000) }))
    .min(1)
    .max(32)
    .refine(differ, "paths must differ"),
  /** What one unit may contribute; SQL sees the inputs cut to that. */
  bounds: z
    .record(
      inputName,
      z.strictObject({
        unit: columnName,
        /** Most rows of one unit; the others are left out, always the same ones. */
        rows: z.int().min(1).max(1_000_000),
        /** By column: values are moved into this range. */
        clamp: z
          .record(
            columnName,
            z.tuple([z.int(), z.int()]).refine(([low, high]) => low <= high, "must ascend"),
          )
          .optional(),
      }),
    )
    .optional(),
});

const noise = noiseParts.refine((it) => it.budgetMicros >= it.epsilonMicros, {
  error: "the budget must hold one use",
  path: ["budgetMicros"],
});

/** An output policy; every part is optional. */
export const policySchema = z.strictObject({
  group: group.optional(),
  /** By input and column. */
  columns: z.record(inputName, z.record(columnName, z.enum(columnRoles))).optional(),
  /**
   * Numbers are rounded to so many decimal places, half to even: the decimal number that canonical JSON shows, so that 0.125
   * becomes 0.12 and 2.675 becomes 2.68. `null` stays.
   */
  round: z
    .array(z.strictObject({ path: outputPath, decimals: z.int().min(0).max(15) }))
    .min(1)
    .max(32)
    .refine(differ, "paths must differ")
    .optional(),
  /**
   * Sizes in bytes, ascending: the result is padded to the first that holds it before it is sealed, with what stands around
   * the output (protocol/result.ts). The last is a byte cap.
   */
  pad: z
    .array(
      z
        .int()
        .min(256)
        .max(64 * 1024 * 1024),
    )
    .min(1)
    .max(16)
    .refine((sizes) => sizes.every((size, i) => i === 0 || size > (sizes[i - 1] ?? 0)), "must ascend")
    .optional(),
  /** Query budget: grants must be limited to at most so many uses. The market counts those that gave a result. */
  maxUses: z.int().min(1).max(1_000_000).optional(),
  noise: noise.optional(),
  /**
   * What becomes of what the program prints and throws, which passes by all rules above. `readers`: it is sealed to the keys
   * that every grant of the job names as result readers, if all its data sets are of one owner. Not given: nobody sees it.
   */
  prints: z.literal("readers").optional(),
});

/** See {@link policySchema}. */
export type Policy = z.output<typeof policySchema>;

/**
 * How many uses a grant for a program may have at most; undefined: it need not be limited. A limit must be at least 1.
 *
 * @example
 * mostUses({ maxUses: 20, noise: { epsilonMicros: 100_000, budgetMicros: 1_000_000, fields } }) // 10
 */
export function mostUses(policy: Policy | undefined): number | undefined {
  const limits = [
    ...(policy?.maxUses === undefined ? [] : [policy.maxUses]),
    ...(policy?.noise === undefined ? [] : [Math.floor(policy.noise.budgetMicros / policy.noise.epsilonMicros)]),
  ];
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/**
 * Whether a grant is limited as a policy wants it.
 *
 * @param maxUses - the grant's; 0 is no limit.
 * @example
 * if (!isWithinBudget(manifest.output.policy, grant.maxUses)) refuse("BudgetExceeded")
 */
export function isWithinBudget(policy: Policy | undefined, maxUses: bigint): boolean {
  const most = mostUses(policy);
  return most === undefined || (maxUses >= 1n && maxUses <= BigInt(most));
}
