import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import {
  BuildManifestUnreadableError,
  imagesIn,
  readBuildManifestHash,
} from "../../../enclave/attestation/builtFrom.ts";
import { rejection } from "../../support/rejection.ts";

const of = (compose: string) => imagesIn(JSON.stringify({ docker_compose_file: compose }));

describe("imagesIn", () => {
  it("names each image of a compose file once, in order", () => {
    const compose = 'services:\n  b:\n    image: "b/worker@sha256:12"\n  a:\n    image: a:1\n  c:\n    image: a:1\n';
    expect(of(compose)).to.deep.equal(["a:1", "b/worker@sha256:12"]);
    expect(of("services:\r\n  a:\r\n    image: 'a@sha256:00'\r\n")).to.deep.equal(["a@sha256:00"]);
  });

  it("names none where there is none, and no more than 64", () => {
    expect(of("services: {}")).to.deep.equal([]);
    expect(imagesIn("")).to.deep.equal([]);
    const many = Array.from({ length: 100 }, (_, i) => `  s${i}:\n    image: i${i}\n`).join("");
    expect(of(`services:\n${many}`)).to.have.length(64);
  });
});

describe("readBuildManifestHash", () => {
  it("is the file's SHA-256, null without one, and an error if it cannot be read", async () => {
    const dir = await mkdtemp(join(tmpdir(), "dcm-built-"));
    const file = join(dir, "build-manifest.json");
    expect(await readBuildManifestHash(pathToFileURL(file))).to.equal(null);
    await writeFile(file, "{}");
    const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
    expect(await readBuildManifestHash(pathToFileURL(file))).to.equal(`0x${hash}`);
    await rejection(readBuildManifestHash(pathToFileURL(dir)), BuildManifestUnreadableError);
    await rm(dir, { recursive: true });
  });
});
