import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  openSpool,
  type Spool,
  SpoolDamagedError,
  type Spooled,
  SpoolFullError,
} from "../../../enclave/blobs/spool.ts";
import { failureOf } from "../../support/failureOf.ts";

const mebibyte = 2 ** 20;
const maxMemoryBytes = 1000;
const maxTotalBytes = 5 * mebibyte;
const tooLarge = () => new RangeError("too large");

async function* source(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect({ read }: Spooled): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe("openSpool", () => {
  let root: string;
  let dir: string;
  let spool: Spool;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "dcm-spool-"));
    dir = join(root, "spool");
    spool = await openSpool({ dir, maxTotalBytes, maxMemoryBytes });
  });
  afterEach(() => rm(root, { recursive: true }));

  for (const [where, size] of [
    ["in memory", 999],
    ["on disk", 2 * mebibyte + 77],
  ] as const) {
    it(`gives back what it took, as often as asked, ${where}`, async () => {
      const bytes = Buffer.alloc(size, "ciphertext ");
      const spooled = await spool.take(source(bytes.subarray(0, 300), bytes.subarray(300)), size, tooLarge);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect([spooled.sizeBytes, spooled.sha256]).to.deep.equal([size, sha256]);
      for (let count = 0; count < 2; count++) expect((await collect(spooled)).equals(bytes)).to.equal(true);
      await spooled.release();
      await spooled.release();
      expect(spool.usedBytes()).to.equal(0);
    });
  }

  it("takes an empty source", async () => {
    for (const maxBytes of [0, mebibyte]) {
      const spooled = await spool.take(source(), maxBytes, tooLarge);
      expect([spooled.sizeBytes, (await collect(spooled)).length]).to.deep.equal([0, 0]);
      await spooled.release();
    }
  });

  it("leaves no file with a name, and none open after release", async () => {
    const openHere = async () => {
      const links = await Promise.all(
        (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
      );
      return links.filter((link) => link.startsWith(dir)).length;
    };
    const spooled = await spool.take(source(Buffer.alloc(mebibyte)), mebibyte, tooLarge);
    expect([await readdir(dir), await openHere()]).to.deep.equal([[], 1]);
    await spooled.release();
    expect(await openHere()).to.equal(0);
  });

  it("removes at its start what a crash left", async () => {
    await mkdir(join(dir, "odd"));
    await writeFile(join(dir, "left"), "bytes");
    await openSpool({ dir, maxTotalBytes, maxMemoryBytes });
    expect(await readdir(dir)).to.deep.equal([]);
  });

  it("throws the caller's error on a byte too many, and leaves nothing", async () => {
    for (const maxBytes of [10, 2000]) {
      const more = source(Buffer.alloc(maxBytes), Buffer.alloc(1));
      expect(await failureOf(spool.take(more, maxBytes, tooLarge))).to.deep.equal(tooLarge());
    }
    expect([spool.usedBytes(), await readdir(dir)]).to.deep.equal([0, []]);
  });

  it("passes the source's error on, and leaves nothing", async () => {
    async function* broken() {
      yield Buffer.alloc(5000);
      throw new TypeError("cut off");
    }
    expect(await failureOf(spool.take(broken(), mebibyte, tooLarge))).to.deep.equal(new TypeError("cut off"));
    expect(spool.usedBytes()).to.equal(0);
  });

  it("throws SpoolFullError when all room is set aside, and takes more when some is given back", async () => {
    const first = await spool.take(source(Buffer.alloc(10)), 3 * mebibyte, tooLarge);
    expect(spool.usedBytes()).to.equal(3 * mebibyte);
    const take = () => spool.take(source(Buffer.alloc(10)), 3 * mebibyte, tooLarge);
    expect(await failureOf(take())).to.deep.equal(new SpoolFullError(maxTotalBytes));
    await spool.take(source(Buffer.alloc(10)), 500, tooLarge); // what is small needs none
    await first.release();
    await (await take()).release();
  });

  it("throws SpoolFullError, which is retryable, when the disk is full", async () => {
    async function* full() {
      yield Buffer.alloc(1);
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    }
    const failure = (await failureOf(spool.take(full(), mebibyte, tooLarge))) as SpoolFullError;
    expect([failure.name, failure.retryable]).to.deep.equal(["Blobs.SpoolFullError", true]);
    await rm(dir, { recursive: true });
    expect((await failureOf(spool.take(source(), mebibyte, tooLarge))).message).to.contain("ENOENT");
    expect(spool.usedBytes()).to.equal(0);
  });

  it("throws SpoolDamagedError instead of the last piece if the disk gives back other bytes, or fewer", async () => {
    const bytes = Buffer.alloc(mebibyte + 10, 1);
    const spooled = await spool.take(source(bytes), bytes.length, tooLarge);
    const [fd] = (
      await Promise.all(
        (
          await readdir("/proc/self/fd")
        ).map(async (fd) => ({
          fd,
          link: await readlink(`/proc/self/fd/${fd}`).catch(() => ""),
        })),
      )
    ).filter(({ link }) => link.startsWith(dir));
    const { open } = await import("node:fs/promises");
    const file = await open(`/proc/self/fd/${fd?.fd}`, "r+");
    try {
      await file.write(Buffer.of(2), 0, 1, 5);
      let length = 0;
      const reading = (async () => {
        for await (const piece of spooled.read()) length += piece.length;
      })();
      expect([await failureOf(reading), length]).to.deep.equal([new SpoolDamagedError(), mebibyte]);
      await file.truncate(100);
      expect(await failureOf(collect(spooled))).to.deep.equal(new SpoolDamagedError());
    } finally {
      await file.close();
      await spooled.release();
    }
  });
});
