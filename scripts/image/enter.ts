/**
 * Room: scripts/image. Runs the worker in an unpacked image instead of in this checkout: same environment, but the image's
 * Node, libraries and files, read-only, as the image's user, in namespaces of its own. Bubblewrap is the image's own, too.
 * What a container engine does beside that (network, cgroups, seccomp) it does not. Used by boot.ts.
 *
 *   IMAGE_ROOT  folder with the unpacked root file system
 *   DATA_DIR, DEPLOYMENT_FILE  paths outside: given to the worker under paths inside
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";

const { IMAGE_ROOT: root = "", DATA_DIR: dataDir = "", DEPLOYMENT_FILE: deploymentFile = "", ...env } = process.env;
const inside = {
  ...env,
  PATH: "/usr/local/bin:/usr/bin",
  HOME: "/nonexistent",
  DATA_DIR: "/var/lib/worker",
  DEPLOYMENT: readFileSync(deploymentFile, "utf8"),
};
const libraries = ["lib", "usr/lib"].map((folder) => `${root}/${folder}/x86_64-linux-gnu`);
const worker = spawn(
  `${libraries[0]}/ld-linux-x86-64.so.2`,
  [
    ...["--library-path", libraries.join(":"), `${root}/usr/bin/bwrap`],
    ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--uid", "10001", "--gid", "10001"],
    ...["--cap-drop", "ALL", "--die-with-parent", "--as-pid-1", "--new-session", "--info-fd", "3"],
    ...[
      "--ro-bind",
      root,
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      "--bind",
      dataDir,
      "/var/lib/worker",
    ],
    ...["--clearenv", ...Object.entries(inside).flatMap(([name, value]) => ["--setenv", name, value ?? ""])],
    ...["--chdir", "/app", "--", "/usr/local/bin/node", "--disable-sigusr1", "enclave/main.ts"],
  ],
  { stdio: ["ignore", "inherit", "inherit", "pipe"], env: {} },
);
let info = "";
(worker.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => {
  info += text;
});
// Bubblewrap does not pass signals on.
process.on("SIGTERM", () => process.kill((JSON.parse(info) as { "child-pid": number })["child-pid"], "SIGTERM"));
worker.on("exit", (code) => process.exit(code ?? 1));
