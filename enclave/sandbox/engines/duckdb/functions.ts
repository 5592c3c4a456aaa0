/**
 * Room: enclave/sandbox/engines/duckdb. The functions that a statement may call: each is a function of its arguments
 * alone, in every run the same. What reads settings, clocks, files or catalogs, draws numbers, waits, raises errors at
 * will, or makes much out of little (repeat, range, lists) is not here. Pure tables.
 */

/** What an expression is, as far as it is known here; comparing different ones can fail on some rows. */
export type Kind = "string" | "number" | "boolean" | "date" | "timestamp" | "interval" | "unknown";

/** `fails`: there are arguments on which it raises an error. */
type Scalar = { kind: Kind; fails: boolean };

const scalarsOf = (kind: Kind, fails: boolean, names: string) =>
  names.split(" ").map((name) => [name, { kind, fails }] as const);

/** Functions and operators of one row. */
export const scalars: ReadonlyMap<string, Scalar> = new Map([
  ...scalarsOf("string", false, "lower upper trim ltrim rtrim replace concat || strip_accents monthname dayname"),
  ...scalarsOf("string", true, "substring substr left right split_part strftime"),
  ...scalarsOf("boolean", false, "~~ !~~ ~~* !~~* starts_with prefix suffix ends_with isnan isinf isfinite"),
  ...scalarsOf("boolean", true, "regexp_matches regexp_full_match contains list_contains"),
  ...scalarsOf("number", false, "length strlen strpos instr position sign floor ceil ceiling trunc"),
  ...scalarsOf(
    "number",
    false,
    "year month day hour minute second quarter week isoyear dayofweek isodow dayofyear epoch",
  ),
  ...scalarsOf("number", true, "* / // % ^ ** abs round sqrt ln log log2 log10 exp pow power date_part datepart"),
  ...scalarsOf("number", true, "date_diff datediff"),
  ...scalarsOf("unknown", true, "+ - greatest least nullif date_trunc make_date last_day"),
  ...scalarsOf("interval", true, "to_years to_months to_weeks to_days to_hours to_minutes to_seconds"),
]);

/** Operators, written between their arguments. */
export const operators = new Set(["+", "-", "*", "/", "//", "%", "^", "**", "||", "~~", "!~~", "~~*", "!~~*"]);

/**
 * Aggregates that blend the values of a group: no value of one row comes out as it was. The only ones over guarded
 * data.
 */
export const blending = new Set([
  ...["count", "sum", "avg", "mean", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"],
  ...["corr", "covar_samp", "covar_pop", "regr_slope", "regr_intercept", "regr_r2"],
]);

/** All aggregates. */
export const aggregates = new Set([
  ...blending,
  ...[
    "count_star",
    "min",
    "max",
    "median",
    "mode",
    "quantile_cont",
    "quantile_disc",
    "count_if",
    "bool_and",
    "bool_or",
  ],
  ...["arg_min", "arg_max", "skewness", "kurtosis"],
]);

/** Functions with OVER, beside aggregates. */
export const windows = new Set([
  ...["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"],
  ...["lag", "lead", "first_value", "last_value", "nth_value"],
]);

/** Types that a cast may name, beside DECIMAL. */
export const castKinds: ReadonlyMap<string, Kind> = new Map([
  ["BOOLEAN", "boolean"],
  ...["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"].map(
    (name) => [name, "number"] as const,
  ),
  ["FLOAT", "number"],
  ["DOUBLE", "number"],
  ["VARCHAR", "string"],
  ["DATE", "date"],
  ["TIMESTAMP", "timestamp"],
  ["INTERVAL", "interval"],
]);

/** SQL types by column type of a manifest. */
export const sqlTypes = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
} as const;

/** Kinds by column type of a manifest. */
export const columnKinds = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  date: "date",
  timestamp: "timestamp",
} as const satisfies Record<keyof typeof sqlTypes, Kind>;
