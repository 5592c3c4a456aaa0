/**
 * Room: sdk/describePolicy. The output policy of a program in words, for whoever is asked to consent to it. Pure.
 * Says only what the worker enforces, and where a rule rests on the program's own word.
 */
import { type ColumnRole, mostUses, type Policy } from "../protocol/policy.ts";
import type { Manifest } from "../protocol/program.ts";

/**
 * What may leave a run of a program, a rule a line. Names in it are the manifest's: a stranger's text.
 *
 * @example
 * describePolicy(program.manifest) // ["the output is JSON of its schema, at most 4,096 bytes", "rows of /rows with ..."]
 */
export function describePolicy({ output, runtime }: Manifest): string[] {
  const { policy } = output;
  const most = mostUses(policy);
  const rules = [
    ...(policy?.group === undefined ? [] : describeGroup(policy.group, runtime.engine === "duckdb")),
    ...Object.entries(policy?.columns ?? {}).flatMap(([input, columns]) => describeColumns(input, columns)),
    ...(policy?.noise === undefined ? [] : describeNoise(policy.noise)),
    ...(policy?.round ?? []).map(({ path, decimals }) => `${at(path)} is rounded to ${decimals} decimal places`),
  ];
  return [
    `the output is JSON of its schema, at most ${count(output.maxBytes)} bytes`,
    ...(rules.length === 0 ? ["whatever meets the schema leaves: nothing is left out, rounded or given noise"] : rules),
    ...(policy?.pad === undefined ? [] : [`the result is padded to ${policy.pad.map(count).join(" or ")} bytes`]),
    policy?.prints === undefined
      ? "nobody sees what the program prints or throws"
      : "what it prints and throws passes by all of that, to the keys that every grant of a job names as readers (--reader): if all its data are of one owner, also when it fails; so name there your own keys only",
    most === undefined
      ? "a grant may be without a limit of uses"
      : `a grant must be limited to at most ${count(most)} use${most === 1 ? "" : "s"}`,
  ];
}

function describeGroup({ k, rows, count: field, units, otherwise }: NonNullable<Policy["group"]>, isSql: boolean) {
  const by = Object.entries(units).map(([input, column]) => `${name(column)} of ${input}`);
  const few = `fewer than ${count(k)} distinct ${by.join(", ")}`;
  return [
    otherwise === "omit"
      ? `rows of ${at(rows)} with ${few} are left out`
      : `a row of ${at(rows)} with ${few} fails the run`,
    ...(isSql ? [] : [`the program itself counts them, as ${name(field)}: that it counts well is for you to read`]),
  ];
}

const roleWords: { readonly [role in ColumnRole]: string } = {
  aggregate: "only inside aggregates",
  join: "only to join and to count distinct values",
  hidden: "not at all",
};

function describeColumns(input: string, columns: { readonly [column: string]: ColumnRole }): string[] {
  const roles = Object.keys(roleWords) as ColumnRole[];
  return roles.flatMap((role) => {
    const named = Object.keys(columns).filter((column) => columns[column] === role);
    return named.length === 0 ? [] : [`of ${input}, ${named.map(name).join(", ")}: used ${roleWords[role]}`];
  });
}

function describeNoise({ epsilonMicros, budgetMicros, fields, bounds = {} }: NonNullable<Policy["noise"]>): string[] {
  const epsilon = epsilonMicros / 1_000_000;
  return [
    `noise is added: epsilon ${epsilon} a use, at most ${budgetMicros / 1_000_000} by all uses of a grant`,
    ...fields.map(({ path, sensitivity }) => {
      const typical = Math.round((sensitivity * fields.length) / epsilon);
      return `${at(path)} is off by about ${count(typical)}: enough if one unit changes all of it by ${count(sensitivity)} at most`;
    }),
    "what has no noise is exact, such as which rows there are and their order",
    ...Object.entries(bounds).flatMap(([input, { unit, rows, clamp = {} }]) => [
      `of ${input}, at most ${count(rows)} row${rows === 1 ? "" : "s"} of each ${name(unit)} are used`,
      ...Object.entries(clamp).map(
        ([column, [low, high]]) => `${name(column)} of ${input} is moved into ${low} to ${high}`,
      ),
    ]),
  ];
}

function at(path: string): string {
  return path === "" ? "the output" : path;
}

function name(column: string): string {
  return JSON.stringify(column);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
