/**
 * Room: scripts/image. The image's bill of materials: npm's own (CycloneDX 1.5), cut to what the image holds, with
 * Debian's packages beside it, and without what changes from run to run.
 */
import { z } from "zod";
import base from "./base.json" with { type: "json" };
import type { Image } from "./buildImage.ts";
import { run } from "./command.ts";
import { compare, sha256 } from "./entries.ts";
import { LockError } from "./packages.ts";
import { nodePackage } from "./worker.ts";

const npmBill = z.object({
  $schema: z.string(),
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.string(),
  components: z.array(z.looseObject({ "bom-ref": z.string() })),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

/**
 * Makes the bill: same image, same text. Its serial number is a hash of what it says.
 *
 * @throws `CommandError` if npm fails, `LockError` if something that the image holds is not in npm's bill.
 * @example
 * await writeFile("sbom.cdx.json", await billOfMaterials(root, image))
 */
export async function billOfMaterials(root: string, { layout, manifest, version }: Image): Promise<string> {
  // Of the whole lock file: with `--omit dev` npm leaves out what a tool of development needs, too.
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const bill = npmBill.parse(JSON.parse((await run("npm", args, { folder: root })).toString("utf8")));
  const npm = manifest.npm.map(
    ({ path, version }) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`,
  );
  const held = new Set([...npm, `${nodePackage}@${manifest.node.version}`]);
  const known = new Set(bill.components.map((component) => component["bom-ref"]));
  for (const one of held) if (!known.has(one)) throw new LockError(one, "is not in npm's bill of materials");
  const debian = base.packages.map(({ name, version, sha256 }) => ({
    "bom-ref": `debian:${name}@${version}`,
    type: "library",
    name,
    version,
    purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${base.architecture}&distro=${base.suite}`,
    hashes: [{ alg: "SHA-256", content: sha256 }],
  }));
  const body = {
    version: 1,
    metadata: {
      component: {
        "bom-ref": `data-collab-market@${version}`,
        type: "container",
        name: "data-collab-market",
        version,
        hashes: [{ alg: "SHA-256", content: layout.digest }],
      },
    },
    components: [
      ...debian,
      ...bill.components
        .filter((component) => held.has(component["bom-ref"]))
        .map(({ scope: _, properties: __, ...component }) => component) // what it is to the whole project, not to the image
        .sort((a, b) => compare(a["bom-ref"], b["bom-ref"])),
    ],
    dependencies: bill.dependencies
      .filter(({ ref }) => held.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => held.has(on)).sort(compare) }))
      .sort((a, b) => compare(a.ref, b.ref)),
  };
  const { $schema, bomFormat, specVersion } = bill;
  const serialNumber = `urn:uuid:${uuidOf(sha256(JSON.stringify(body)))}`;
  return `${JSON.stringify({ $schema, bomFormat, specVersion, serialNumber, ...body }, null, 2)}\n`;
}

/** Version 8: a UUID of one's own making. Source: RFC 9562, 5.8. */
function uuidOf(hash: string): string {
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`];
  return [...parts, hash.slice(20, 32)].join("-");
}
