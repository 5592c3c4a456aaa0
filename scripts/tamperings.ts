/**
 * Every way to change one thing of a bundle: each value, and each item removed, doubled, swapped with the next, or added. What
 * is changed is written out as canonical JSON again, so that no change shows in the spelling.
 */

/** JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** One change; `path` as in `chain.nodes.3`. */
export type Tampering = { path: string; how: string; apply(bundle: Json): Json };

type Path = readonly (string | number)[];

/**
 * All changes of one thing.
 *
 * @param random - from 0 to below 1: where in a long text a digit is changed.
 * @example
 * for (const { path, how, apply } of tamperings(bundle, Math.random)) console.log(path, how, apply(bundle))
 */
export function* tamperings(bundle: Json, random: () => number): Generator<Tampering> {
  for (const { path, value } of walk(bundle, [])) {
    const at = path.join(".");
    for (const other of othersOf(value, random))
      yield { path: at, how: "changed", apply: (root) => edited(root, path, () => other) };
    if (path.length > 0) yield { path: at, how: "removed", apply: (root) => edited(root, path, () => undefined) };
    if (Array.isArray(value)) yield* ofList(value, path);
    else if (typeof value === "object" && value !== null)
      yield {
        path: at,
        how: "field added",
        apply: (root) => edited(root, path, (it) => ({ ...(it as object), more: 0 })),
      };
  }
}

function* ofList(list: readonly Json[], path: Path): Generator<Tampering> {
  const at = path.join(".");
  for (const i of list.keys()) {
    const double = (it: Json) => (it as Json[]).toSpliced(i, 0, list[i] as Json);
    yield { path: `${at}.${i}`, how: "doubled", apply: (root) => edited(root, path, double) };
    if (i + 1 >= list.length || JSON.stringify(list[i]) === JSON.stringify(list[i + 1])) continue;
    const swap = (it: Json) => (it as Json[]).toSpliced(i, 2, list[i + 1] as Json, list[i] as Json);
    yield { path: `${at}.${i}`, how: "swapped", apply: (root) => edited(root, path, swap) };
  }
}

function* walk(value: Json, path: Path): Generator<{ path: Path; value: Json }> {
  yield { path, value };
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value))
    yield* walk(item, [...path, Array.isArray(value) ? Number(key) : key]);
}

/** Values like this one. */
function othersOf(value: Json, random: () => number): Json[] {
  if (typeof value === "number") return [value + 1, -value - 1];
  if (typeof value === "boolean") return [!value];
  if (typeof value !== "string") return [];
  if (value.length === 0) return ["00", "0x"];
  const skip = value.startsWith("0x") ? 2 : 0;
  if (value.length === skip) return [`${value}00`];
  const place = skip + Math.floor(random() * (value.length - skip));
  const last = value.length - 1;
  return [...new Set([place, skip, last])].map(
    (i) => value.slice(0, i) + otherDigit(value[i] ?? "") + value.slice(i + 1),
  );
}

function otherDigit(digit: string): string {
  if (digit === "9") return "8";
  if (/[0-8]/.test(digit)) return String(Number(digit) + 1);
  if (/[a-e]/.test(digit)) return String.fromCharCode(digit.charCodeAt(0) + 1);
  return digit === "f" ? "e" : digit === "A" ? "B" : "A";
}

/** A copy with one value changed, or taken away. */
function edited(root: Json, [key, ...rest]: Path, change: (value: Json) => Json | undefined): Json {
  if (key === undefined) return change(root) as Json;
  const own = (root as Record<string | number, Json>)[key] as Json;
  const next = rest.length === 0 ? change(own) : edited(own, rest, change);
  if (Array.isArray(root)) return next === undefined ? root.toSpliced(Number(key), 1) : root.with(Number(key), next);
  const { [key as string]: _, ...others } = root as Record<string, Json>;
  return next === undefined ? others : { ...others, [key as string]: next };
}
