/**
 * `npm run image:boot`: starts the built image's root file system (out/image/rootfs.tar) against a local chain and the
 * simulated platform, and waits until the worker in it is registered. Exits 0 if it is, and it stops when told.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLocalMarket, whenReady } from "../localMarket.ts";
import { run } from "./command.ts";
import { sha256 } from "./entries.ts";

const archive = fileURLToPath(new URL("../../out/image/rootfs.tar", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "image-boot-"));
const root = join(folder, "root");
try {
  await mkdir(root);
  await run("tar", ["-xf", archive, "-C", root], { folder });
  const manifest = sha256(await readFile(join(root, "app/build-manifest.json")));
  const market = await startLocalMarket(folder);
  try {
    const worker = await market.startWorker({ script: "scripts/image/enter.ts", env: { IMAGE_ROOT: root } });
    await whenReady(worker, 60_000);
    const said = worker.child.lines.stdout.length;
    const enclave = (await (await fetch(`${worker.url}/enclave`)).json()) as object;
    await worker.child.stop();
    const code = await worker.child.exited;
    process.stdout.write(`${JSON.stringify({ buildManifest: manifest, said, stopped: code, enclave })}\n`);
    if (code !== 0) process.exitCode = 1;
  } finally {
    await market.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
