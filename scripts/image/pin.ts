/**
 * `node scripts/image/pin.ts`: pins the packages of base.json anew, to what this machine's apt (a Debian of `suite`, after
 * `apt-get update`) would install. apt checks Debian's signatures over the hashes that are written down. `npm run format`,
 * and look at the difference before you commit it: file names with a version in them (`libcap.so.2.66`) may have changed, too.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { run } from "./command.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const path = fileURLToPath(new URL("base.json", import.meta.url));
const baseSchema = z.object({
  suite: z.string(),
  architecture: z.string(),
  packages: z.array(z.looseObject({ name: z.string() })),
});
const fields = ["Version", "Filename", "Size", "SHA256"] as const;

async function pin(name: string) {
  const shown = (await run("apt-cache", ["show", "--no-all-versions", name], { folder })).toString("utf8");
  const [version, place, size, sha256] = fields.map((field) => shown.match(new RegExp(`^${field}: (.*)$`, "m"))?.[1]);
  if (version === undefined || place === undefined || !/^[0-9a-f]{64}$/.test(sha256 ?? ""))
    throw new UnknownPackageError(name);
  const archive = place.startsWith("pool/updates/") ? "debian-security" : "debian";
  return { version, archive, path: place, sizeBytes: Number(size), sha256 };
}

/** apt does not know a package. */
class UnknownPackageError extends BaseError {
  override readonly name = "Image.UnknownPackageError";
  constructor(name: string) {
    super(`apt says nothing usable of ${name}.`, {
      hint: "Run `apt-get update` on the Debian release that base.json names.",
    });
  }
}

const base = baseSchema.parse(JSON.parse(await readFile(path, "utf8")));
for (const pinned of base.packages) Object.assign(pinned, await pin(pinned.name));
await writeFile(path, `${JSON.stringify(base, null, 2)}\n`);
