import { hash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import {
  BadBlobNameError,
  BlobCorruptError,
  BlobMismatchError,
  BlobMissingError,
  BlobQuotaError,
  BlobTooLargeError,
  openBlobStore,
} from "../../../enclave/blobs/blobStore.ts";
import { failureOf } from "../../support/failureOf.ts";

const maxBlobBytes = 300_000;
const maxTotalBytes = 1_000_000;

function sha256(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

function bytesOf(sizeBytes: number, fill: number): Uint8Array {
  return new Uint8Array(sizeBytes).fill(fill);
}

async function* inChunks(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await nextTurn();
    yield bytes.subarray(at, at + chunkBytes);
  }
}

describe("openBlobStore", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-blobs-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const openStore = (limits = {}) => openBlobStore({ dir, maxBlobBytes, maxTotalBytes, ...limits });

  for (const sizeBytes of [0, 1, 65_535, 65_536, 65_537, 200_000, maxBlobBytes]) {
    it(`returns ${sizeBytes} stored bytes, whole and as a stream`, async () => {
      const store = await openStore();
      const bytes = bytesOf(sizeBytes, 7);
      const name = sha256(bytes);
      expect(await store.put(name, inChunks(bytes, 50_000))).to.deep.equal({ sizeBytes, created: true });
      expect(Buffer.compare(await store.get(name), bytes)).to.equal(0);
      const opened = await store.open(name);
      expect(opened.sizeBytes).to.equal(sizeBytes);
      expect(Buffer.concat(await opened.stream.toArray()).equals(bytes)).to.equal(true);
      expect(store.size(name)).to.equal(sizeBytes);
      expect(store.has(name)).to.equal(true);
      expect((await stat(join(dir, name))).mode & 0o777).to.equal(0o600);
    });
  }

  it("survives a restart and removes what interrupted uploads left", async () => {
    const bytes = bytesOf(10, 1);
    await (await openStore()).put(sha256(bytes), bytes);
    await writeFile(join(dir, ".upload-left"), "half");
    await writeFile(join(dir, "notes.txt"), "not ours");
    const store = await openStore();
    expect(Buffer.compare(await store.get(sha256(bytes)), bytes)).to.equal(0);
    expect((await readdir(dir)).sort()).to.deep.equal([sha256(bytes), "notes.txt"].sort());
    expect(store.usedBytes()).to.equal(4096);
  });

  it("says that a blob was there already, and still refuses a wrong body under its name", async () => {
    const store = await openStore({ maxTotalBytes: 4096 });
    const bytes = bytesOf(10, 1);
    await store.put(sha256(bytes), bytes);
    expect(await store.put(sha256(bytes), bytes, 10)).to.deep.equal({ sizeBytes: 10, created: false });
    const wrong = bytesOf(10, 2);
    expect(await failureOf(store.put(sha256(bytes), wrong))).to.deep.equal(
      new BlobMismatchError(sha256(bytes), sha256(wrong)),
    );
    expect(store.usedBytes()).to.equal(4096);
  });

  it("keeps one copy of concurrent uploads of the same bytes", async () => {
    const store = await openStore();
    const bytes = bytesOf(100_000, 3);
    const name = sha256(bytes);
    const results = await Promise.all([1, 2, 3, 4].map(() => store.put(name, inChunks(bytes, 9_000))));
    expect(results.map((result) => result.sizeBytes)).to.deep.equal([100_000, 100_000, 100_000, 100_000]);
    expect(await readdir(dir)).to.deep.equal([name]);
    expect(store.usedBytes()).to.equal(102_400);
  });

  for (const name of [
    "",
    "a",
    "A".repeat(64),
    `0x${"a".repeat(62)}`,
    "a".repeat(65),
    `../${"a".repeat(61)}`,
    `${"a".repeat(64)}\n`,
    `${"a".repeat(63)}/`,
  ]) {
    it(`throws BadBlobNameError for ${JSON.stringify(name.slice(0, 12))}`, async () => {
      const store = await openStore();
      for (const failure of [store.put(name, bytesOf(1, 1)), store.get(name), store.open(name)])
        expect(await failureOf(failure)).to.deep.equal(new BadBlobNameError());
      expect(() => store.has(name)).to.throw(BadBlobNameError);
      expect(await readdir(dir)).to.deep.equal([]);
    });
  }

  it("throws BlobMissingError for what is not there", async () => {
    const name = sha256(bytesOf(1, 9));
    const failure = await failureOf((await openStore()).get(name));
    expect(failure).to.be.instanceOf(BlobMissingError);
    expect(failure.message).to.equal(`There is no blob ${name} here.`);
  });

  it("throws BlobTooLargeError one byte past the limit, streamed or declared, and leaves nothing", async () => {
    const store = await openStore();
    const bytes = bytesOf(maxBlobBytes + 1, 1);
    const expected = new BlobTooLargeError(maxBlobBytes);
    expect(await failureOf(store.put(sha256(bytes), inChunks(bytes, 65_536)))).to.deep.equal(expected);
    expect(await failureOf(store.put(sha256(bytes), inChunks(bytes, 1), maxBlobBytes + 1))).to.deep.equal(expected);
    expect(await readdir(dir)).to.deep.equal([]);
    expect(store.usedBytes()).to.equal(0);
  });

  it("throws BlobMismatchError and leaves nothing", async () => {
    const store = await openStore();
    const [one, two] = [bytesOf(10, 1), bytesOf(10, 2)];
    expect(await failureOf(store.put(sha256(one), two))).to.deep.equal(new BlobMismatchError(sha256(one), sha256(two)));
    expect(await readdir(dir)).to.deep.equal([]);
    expect(store.usedBytes()).to.equal(0);
  });

  it("throws BlobQuotaError when full, counts uploads under way, and frees what failed", async () => {
    const store = await openStore();
    const blobs = [1, 2, 3, 4].map((fill) => bytesOf(maxBlobBytes, fill));
    const results = await Promise.allSettled(
      blobs.map((bytes) => store.put(sha256(bytes), inChunks(bytes, 65_536), maxBlobBytes)),
    );
    expect(results.filter((result) => result.status === "fulfilled")).to.have.length(3);
    const refused = results.find((result) => result.status === "rejected");
    expect(refused?.reason).to.deep.equal(new BlobQuotaError(maxTotalBytes));
    expect(await readdir(dir)).to.have.length(3);
    expect(store.usedBytes()).to.equal(3 * 303_104);
    const small = bytesOf(1, 9);
    expect(await store.put(sha256(small), small)).to.deep.equal({ sizeBytes: 1, created: true });
  });

  it("lets nobody take room by claiming it", async () => {
    const store = await openStore();
    const waiting = Promise.withResolvers<void>();
    async function* silent(): AsyncGenerator<Uint8Array> {
      await waiting.promise;
      yield new Uint8Array(0);
    }
    const claims = [1, 2, 3, 4].map((fill) =>
      failureOf(store.put(sha256(bytesOf(maxBlobBytes, fill)), silent(), maxBlobBytes)),
    );
    const bytes = bytesOf(maxBlobBytes, 5);
    expect(await store.put(sha256(bytes), bytes, maxBlobBytes)).to.deep.equal({
      sizeBytes: maxBlobBytes,
      created: true,
    });
    waiting.resolve();
    for (const failure of await Promise.all(claims)) expect(failure).to.be.instanceOf(BlobMismatchError);
  });

  it("bounds the number of tiny blobs", async () => {
    const store = await openStore({ maxTotalBytes: 2 * 4096 });
    for (const fill of [1, 2]) await store.put(sha256(bytesOf(1, fill)), bytesOf(1, fill));
    expect(await failureOf(store.put(sha256(bytesOf(0, 0)), bytesOf(0, 0)))).to.deep.equal(new BlobQuotaError(8192));
  });

  it("leaves nothing when the source breaks", async () => {
    const store = await openStore();
    const broken = new RangeError("connection lost");
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield bytesOf(100, 1);
      throw broken;
    }
    expect(await failureOf(store.put(sha256(bytesOf(200, 1)), breaking(), 200))).to.equal(broken);
    expect(await readdir(dir)).to.deep.equal([]);
    expect(store.usedBytes()).to.equal(0);
  });

  describe("given a hostile disk", () => {
    const bytes = bytesOf(200_000, 5);
    const name = sha256(bytes);
    const corrupt = new BlobCorruptError(name);

    const damages: Record<string, (path: string) => Promise<void>> = {
      "one bit flipped": async (path) => {
        const content = await readFile(path);
        content[150_000] = 4;
        await writeFile(path, content);
      },
      "cut short": (path) => truncate(path, 199_999),
      "one byte longer": (path) => truncate(path, 200_001),
      "longer than any blob": (path) => truncate(path, maxBlobBytes + 1),
      emptied: (path) => truncate(path, 0),
      "a directory in its place": async (path) => {
        await rm(path);
        await mkdir(path);
      },
    };
    for (const [damage, inflict] of Object.entries(damages)) {
      it(`refuses and removes a blob: ${damage}; a new upload repairs it`, async () => {
        const store = await openStore();
        await store.put(name, bytes);
        await inflict(join(dir, name));
        expect(await failureOf(store.get(name))).to.deep.equal(corrupt);
        expect(await readdir(dir)).to.deep.equal([]);
        expect(store.has(name)).to.equal(false);
        expect(store.usedBytes()).to.equal(0);
        expect(await store.put(name, bytes)).to.deep.equal({ sizeBytes: 200_000, created: true });
        expect(Buffer.compare(await store.get(name), bytes)).to.equal(0);
      });
    }

    it("never delivers all of a damaged blob's bytes in a stream", async () => {
      const store = await openStore();
      await store.put(name, bytes);
      await damages["one bit flipped"]?.(join(dir, name));
      const { stream } = await store.open(name);
      let received = 0;
      const failure = await failureOf(
        (async () => {
          for await (const chunk of stream) received += chunk.length;
        })(),
      );
      expect(failure).to.deep.equal(corrupt);
      expect(received).to.be.lessThan(200_000);
    });

    it("repairs a damaged blob when it is uploaded again unread", async () => {
      const store = await openStore();
      await store.put(name, bytes);
      await damages["one bit flipped"]?.(join(dir, name));
      expect(await store.put(name, bytes)).to.deep.equal({ sizeBytes: 200_000, created: true });
      expect(Buffer.compare(await store.get(name), bytes)).to.equal(0);
    });

    it("does not follow links", async () => {
      await writeFile(join(dir, "target"), bytes);
      await symlink(join(dir, "target"), join(dir, name));
      const store = await openStore();
      expect(store.has(name)).to.equal(false);
      expect(await failureOf(store.get(name))).to.be.instanceOf(BlobMissingError);
    });

    it("forgets a blob that somebody deleted", async () => {
      const store = await openStore();
      await store.put(name, bytes);
      await rm(join(dir, name));
      expect(await failureOf(store.get(name))).to.be.instanceOf(BlobMissingError);
      expect(store.usedBytes()).to.equal(0);
    });
  });
});
