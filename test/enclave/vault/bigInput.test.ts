import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "chai";
import { openSpool } from "../../../enclave/blobs/spool.ts";
import { JobStop } from "../../../enclave/jobs/jobStop.ts";
import { openInput } from "../../../enclave/jobs/openInput.ts";
import { datasetKeyBytes } from "../../../sdk/encryption.ts";
import { type EncryptedFile, encryptFile } from "../../../sdk/node/encryptFile.ts";
import { leaksIn, leaksInFiles, tracesOf } from "../../support/leaks.ts";
import { rejection } from "../../support/rejection.ts";

const mebibyte = 2 ** 20;
const canary = "CANARY-9c1e47-stream";
const datasetId = `0x${"12".repeat(32)}` as const;

describe("a data set that is larger than what is kept in memory", () => {
  let directory: string;
  let path: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-stream-"));
    path = join(directory, "plain.csv");
    const lines = Array.from({ length: 40 }, (_, i) => `${i},${canary}\n`.repeat(4000));
    await pipeline(Readable.from(lines), createWriteStream(path)); // about 4 MiB
  });
  after(() => rm(directory, { recursive: true }));

  /** Encrypts to `workplace`, where nothing but the ciphertext may ever be. */
  async function withEncrypted<T>(use: (file: EncryptedFile, workplace: string) => Promise<T>): Promise<T> {
    const workplace = join(directory, "workplace");
    await mkdir(workplace);
    try {
      return await encryptFile(path, { directory: workplace, describe: false }, (file) => use(file, workplace));
    } finally {
      await rm(workplace, { recursive: true });
    }
  }

  it("is nowhere on the disk in the clear while it is encrypted, spooled and opened, nor its key", async () => {
    await withEncrypted(async ({ key, blob }, workplace) => {
      const traces = tracesOf({ canary, key });
      const dir = join(workplace, "spool");
      const spool = await openSpool({ dir, maxTotalBytes: 16 * mebibyte, maxMemoryBytes: mebibyte });
      const ciphertext = await spool.take(blob.stream(), 8 * mebibyte, () => new RangeError("too large"));
      let readBytes = -1;
      const onRead = (plainBytes: number) => {
        readBytes = plainBytes;
      };
      const input = await openInput(datasetKeyBytes(key), ciphertext, { datasetId, onRead });
      let looks = 0;
      let length = 0;
      let held: Uint8Array = new Uint8Array();
      for await (const chunk of input.chunks) {
        if (length === 0) expect(leaksIn(traces, "plaintext", chunk)).to.not.deep.equal([]); // the traces work
        length += chunk.length;
        if (looks++ % 16 > 0) continue;
        const { leaks, files } = await leaksInFiles(traces, workplace);
        expect([leaks, files]).to.deep.equal([[], 1]);
        held = await spooledBytes(dir);
        expect(leaksIn(traces, "spool", held)).to.deep.equal([]);
      }
      expect(held.length).to.equal(ciphertext.sizeBytes);
      expect([length, readBytes]).to.deep.equal([input.sizeBytes, input.sizeBytes]);
      await input.close();
      await ciphertext.release();
    });
  });

  it("stops a job with DecryptionFailed if it does not open, and for later if the worker's disk changed it", async () => {
    await withEncrypted(async ({ key, blob }, workplace) => {
      const dir = join(workplace, "spool");
      const spool = await openSpool({ dir, maxTotalBytes: 16 * mebibyte, maxMemoryBytes: mebibyte });
      const bytes = await blob.bytes();
      const at = bytes.length - 1000;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const take = (from: Uint8Array) =>
        spool.take(Readable.from([from]), 8 * mebibyte, () => new RangeError("too large"));
      const drain = async (ciphertext: Awaited<ReturnType<typeof take>>) => {
        const onRead = () => expect.fail("was read to a good end");
        const { chunks } = await openInput(datasetKeyBytes(key), ciphertext, { datasetId, onRead });
        for await (const _ of chunks);
      };
      const wrong = await take(bytes);
      const refused = await rejection(drain(wrong), JobStop);
      expect([refused.code, refused.final]).to.deep.equal(["DecryptionFailed", true]);
      await wrong.release();

      const good = await take(await blob.bytes());
      const file = await open(await spooledPath(dir), "r+");
      await file.write(bytes, at, 1, at);
      await file.close();
      const damaged = await rejection(drain(good), JobStop);
      expect([damaged.code, damaged.final]).to.deep.equal(["InputUnavailable", false]);
      await good.release();
    });
  });

  it("takes memory that does not grow with it: 128 MiB, from the provider's file to the worker's plaintext", () => {
    const script = new URL("../../../bench/compute/bigInput.ts", import.meta.url).pathname;
    const said = execFileSync(process.execPath, [script, "128"], { encoding: "utf8" });
    const [, size, memory] = /^(\d+) bytes: .* at most (\d+) MiB/s.exec(said) ?? [];
    expect(Number(size)).to.equal(128 * mebibyte);
    expect(Number(memory)).to.be.lessThan(120);
  });
});

/** The spool's only file, which has no name, by way of this process's descriptor. */
async function spooledPath(dir: string): Promise<string> {
  for (const fd of await readdir("/proc/self/fd")) {
    const link = await readlink(`/proc/self/fd/${fd}`).catch(() => "");
    if (link.startsWith(dir)) return `/proc/self/fd/${fd}`;
  }
  return expect.fail("the spool has no file open");
}

async function spooledBytes(dir: string): Promise<Buffer> {
  const file = await open(await spooledPath(dir), "r");
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
