/**
 * Where contracts keep what: asked of the compiler, for the very sources of the last build. No code is made for it, so it
 * takes a second, and no setting of the build is touched.
 */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** One variable, or one member of a struct: its place is the slot, then the byte in it from the right. */
export type Place = { slot: string; offset: number; label: string; type: string };

/** Variables in order, and the structs that are stored, by type. */
export type StorageLayout = { variables: Place[]; structs: Record<string, Place[]> };

type Variable = { slot: string; offset: number; label: string; type: string };
type Answer = {
  errors?: { severity: string; formattedMessage: string }[];
  contracts: Record<
    string,
    Record<string, { storageLayout: { storage: Variable[]; types: Record<string, { members?: Variable[] }> | null } }>
  >;
};
type Sources = { input: { sources: Record<string, unknown>; settings: { remappings?: string[] } } };

const buildInfo = new URL("../artifacts/build-info/", import.meta.url);
const { compile } = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };

/**
 * The layouts of contracts.
 *
 * @param paths - below `contracts`, without the ending: "market/JobMarket".
 * @example
 * const { JobMarket, MarketExtension } = await storageLayouts(["market/JobMarket", "market/MarketExtension"])
 */
export async function storageLayouts(paths: readonly string[]): Promise<Record<string, StorageLayout>> {
  const sources: Record<string, unknown> = {};
  const remappings = new Set<string>();
  for (const name of await readdir(buildInfo)) {
    if (!name.endsWith(".json") || name.endsWith(".output.json")) continue;
    const { input } = JSON.parse(await readFile(new URL(name, buildInfo), "utf8")) as Sources;
    Object.assign(sources, input.sources);
    for (const remapping of input.settings.remappings ?? []) remappings.add(remapping);
  }
  const outputSelection = { "*": { "*": ["storageLayout"] } };
  const settings = { evmVersion: "osaka", remappings: [...remappings], outputSelection };
  const answer = JSON.parse(compile(JSON.stringify({ language: "Solidity", sources, settings }))) as Answer;
  const error = answer.errors?.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(`build anew: ${error.formattedMessage}`);
  const layouts = paths.map((path) => {
    const name = path.slice(path.indexOf("/") + 1);
    const found = answer.contracts[`project/contracts/${path}.sol`]?.[name]?.storageLayout;
    if (found === undefined) throw new Error(`build anew: there is no ${path}`);
    const structs = Object.entries(found.types ?? {}).flatMap(([type, { members }]) =>
      members === undefined ? [] : [[nameOf(type), members.map(placeOf)] as const],
    );
    return [name, { variables: found.storage.map(placeOf), structs: Object.fromEntries(structs.sort()) }] as const;
  });
  return Object.fromEntries(layouts);
}

function placeOf({ slot, offset, label, type }: Variable): Place {
  return { slot, offset, label, type: nameOf(type) };
}

/** Numbers of the syntax tree change with any edit. */
function nameOf(type: string): string {
  return type.replace(/\)[0-9]+/g, ")");
}
