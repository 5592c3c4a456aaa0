/**
 * Room: scripts/image. The npm packages that the worker runs with: `npm ci` from the lock file, which checks every
 * tarball's hash, and of that tree only what the worker imports and what that rests on.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { BaseError } from "../../protocol/errors.ts";
import { run } from "./command.ts";
import { compare, type Entry, readFolder } from "./entries.ts";

/** What of package-lock.json (version 3) is read. */
export type LockFile = { packages: Readonly<Record<string, LockEntry>> };

type LockEntry = {
  version?: string;
  integrity?: string;
  license?: string;
  dependencies?: Readonly<Record<string, string>>;
  optionalDependencies?: Readonly<Record<string, string>>;
  peerDependencies?: Readonly<Record<string, string>>;
  peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>;
  os?: OneOrMore;
  cpu?: OneOrMore;
  libc?: OneOrMore;
};

type OneOrMore = string | readonly string[];

/** A package of the image. */
export type NpmPackage = {
  /** In the tree, e.g. `node_modules/viem`. */
  path: string;
  name: string;
  version: string;
  /** Of the tarball, as in the lock file. */
  integrity: string;
};

const platform = { os: "linux", cpu: "x64", libc: "glibc" } as const;

/** Node runs no TypeScript under node_modules; the rest is for people, bundlers, browsers and `require`. */
const leftOut = /(\.([cm]?ts|map|flow|md|markdown|html|tsbuildinfo|yml)|(^|\/)(tsconfig[^/]*\.json|\.[^/]*))$/i;
const kept = /(^|\/)(licen[cs]e|notice|copying|authors|patents)[^/]*$/i;
const leftOutAnywhere = /^(\.[^/]*|__tests__|benchmarks?|bench|docs|examples?|tests?)\/$/;
const leftOutFolders: Readonly<Record<string, RegExp>> = {
  viem: /^(_cjs|_types)\/$/,
  ox: /^(_cjs|_types)\/$/,
  abitype: /^dist\/(cjs|types)\/$/,
};

/**
 * The packages that `roots` rest on, as the lock file has them for the image's platform: dependencies, peers that they
 * insist on, and optional dependencies that run there.
 *
 * @param roots - names, as the worker imports them.
 * @throws {@link LockError} if one is not locked, or is locked without a hash.
 * @example
 * packagesOf(lock, ["koa"]).map(({ path }) => path) // ["node_modules/accepts", ...]
 */
export function packagesOf({ packages }: LockFile, roots: readonly string[]): NpmPackage[] {
  const found = new Map<string, NpmPackage>();
  const visit = (from: string, name: string, isOptional: boolean): void => {
    const path = locate(packages, from, name);
    const entry = path === undefined ? undefined : packages[path];
    if (path === undefined || entry === undefined || !runsHere(entry)) {
      if (isOptional) return;
      throw new LockError(name, "is not in the lock file for this platform");
    }
    if (found.has(path)) return;
    const { version, integrity, dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = entry;
    if (version === undefined || integrity === undefined) throw new LockError(name, "is locked without a hash");
    found.set(path, { path, name, version, integrity });
    const peers = Object.keys(peerDependencies).filter((next) => !entry.peerDependenciesMeta?.[next]?.optional);
    for (const next of peers) visit(path, next, false);
    // npm lists an optional one in both.
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies }))
      visit(path, next, Object.hasOwn(optionalDependencies, next));
  };
  for (const root of roots) visit("", root, false);
  return [...found.values()].sort((a, b) => compare(a.path, b.path));
}

/** As Node looks for it: next to who asks, then one level up, and so on. */
function locate(packages: LockFile["packages"], from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, path)) return path;
    if (at === "") return undefined;
  }
}

function runsHere({ os, cpu, libc }: LockEntry): boolean {
  const allows = (named: OneOrMore | undefined, mine: string) => {
    const list = named === undefined ? [mine] : typeof named === "string" ? [named] : named;
    return !list.includes(`!${mine}`) && list.some((one) => one === mine || one.startsWith("!"));
  };
  return allows(os, platform.os) && allows(cpu, platform.cpu) && allows(libc, platform.libc);
}

/**
 * Installs the lock file's packages for the image's platform, without running anything of theirs.
 *
 * @param root - the project.
 * @param folder - empty, becomes the parent of node_modules.
 * @throws `CommandError`
 * @example
 * await install(root, await mkdtemp(join(tmpdir(), "image-")))
 */
export async function install(root: string, folder: string): Promise<void> {
  for (const name of ["package.json", "package-lock.json"]) await copyFile(join(root, name), join(folder, name));
  const { os, cpu, libc } = platform;
  const where = [`--os=${os}`, `--cpu=${cpu}`, `--libc=${libc}`];
  await run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", ...where], { folder });
}

/**
 * A package's files, under `app/`.
 *
 * @param folder - as given to {@link install}.
 * @throws {@link LockError} if nothing is there, `BadEntryError`
 * @example
 * const entries = await readNpmPackage(folder, viem)
 */
export async function readNpmPackage(folder: string, { path, name }: NpmPackage): Promise<Entry[]> {
  return readFolder(join(folder, path), `app/${path}`, (within) => {
    if (within.endsWith("/"))
      return (
        !/(^|\/)node_modules\/$/.test(within) && !leftOutAnywhere.test(within) && !leftOutFolders[name]?.test(within)
      );
    return kept.test(within) || !leftOut.test(within);
  }).catch((cause: unknown) => {
    if (cause instanceof BaseError) throw cause;
    throw new LockError(name, "is locked but not installed", cause);
  });
}

/** The lock file does not say what to install. */
export class LockError extends BaseError {
  override readonly name = "Image.LockError";
  constructor(name: string, problem: string, cause?: unknown) {
    super(`${name} ${problem}.`, {
      hint: "Run `npm install`, and name what the worker imports in scripts/image/worker.ts.",
      cause,
    });
  }
}
