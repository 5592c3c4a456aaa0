import { createHash, randomBytes } from "node:crypto";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import {
  type CiphertextSource,
  DatasetDecryptionError,
  maxHeaderBytes,
  type OpenDataset,
  openDataset,
} from "../../../enclave/vault/openDataset.ts";
import { chunkBytes, chunkNonce, payloadNonceBytes, plaintextBytesOf, tagBytes } from "../../../protocol/agePayload.ts";
import { datasetKeyBytes } from "../../../sdk/encryption.ts";
import { encryptStream } from "../../../sdk/node/encryptStream.ts";
import { failureOf } from "../../support/failureOf.ts";

const sealedChunkBytes = chunkBytes + tagBytes;
const sizes = [0, 1, 15, 16, 17, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 3 * chunkBytes - 7];

/** The same bytes on every run. */
function bytesOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** In pieces of the given sizes, over and over. */
function sourceOf(bytes: Uint8Array, ...pieces: number[]): CiphertextSource {
  return {
    sizeBytes: bytes.length,
    async *read() {
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = pieces[i % pieces.length] ?? bytes.length;
        yield bytes.subarray(at, at + size);
        at += size;
      }
    },
  };
}

async function collect(dataset: OpenDataset): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of dataset.chunks) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe("openDataset", () => {
  let identity: string;
  let key: Uint8Array;
  before(async () => {
    identity = await generateX25519Identity();
    key = datasetKeyBytes(identity);
  });

  async function encrypt(plaintext: Uint8Array, ...more: string[]): Promise<Uint8Array> {
    const encrypter = new Encrypter();
    for (const recipient of [...more, await identityToRecipient(identity)]) encrypter.addRecipient(recipient);
    return encrypter.encrypt(plaintext);
  }

  const open = async (source: CiphertextSource, withKey = key) => collect(await openDataset(withKey, source));
  const refused = async (bytes: Uint8Array, withKey = key) =>
    expect(await failureOf(open(sourceOf(bytes), withKey))).to.deep.equal(new DatasetDecryptionError());
  const headerBytesOf = (ciphertext: Uint8Array, plaintextBytes: number) =>
    ciphertext.length -
    plaintextBytes -
    tagBytes * Math.max(1, Math.ceil(plaintextBytes / chunkBytes)) -
    payloadNonceBytes;

  it("opens what age-encryption made, of sizes around the borders of chunks, however it comes in", async () => {
    for (const size of sizes) {
      const plaintext = bytesOf(size);
      const ciphertext = await encrypt(plaintext);
      for (const pieces of [[], [1, 3, 70_000], [sealedChunkBytes], [0, 4096]]) {
        const dataset = await openDataset(key, sourceOf(ciphertext, ...pieces));
        expect(dataset.sizeBytes).to.equal(size);
        expect((await collect(dataset)).equals(plaintext)).to.equal(true);
      }
    }
  });

  it("makes with encryptStream what age-encryption opens, and what it opens itself", async () => {
    for (const size of sizes) {
      const plaintext = bytesOf(size);
      const { key: made, ciphertext } = await encryptStream(sourceOf(plaintext, 5, 65_531, 200_000).read());
      const pieces: Uint8Array[] = [];
      for await (const piece of ciphertext) pieces.push(piece);
      const bytes = Buffer.concat(pieces);
      const decrypter = new Decrypter();
      decrypter.addIdentity(made);
      expect(Buffer.compare(await decrypter.decrypt(bytes), plaintext)).to.equal(0);
      expect(Buffer.compare(await open(sourceOf(bytes), datasetKeyBytes(made)), plaintext)).to.equal(0);
    }
  });

  it("opens a file that has other recipients before and a stanza of a kind it does not know", async () => {
    const others = await Promise.all([1, 2, 3].map(async () => identityToRecipient(await generateX25519Identity())));
    const plaintext = bytesOf(70_000);
    const encrypter = new Encrypter();
    for (const other of others) encrypter.addRecipient(other);
    encrypter.addRecipient({ wrapFileKey: () => [{ args: ["example.org/odd", "x"], body: randomBytes(90) }] });
    encrypter.addRecipient(await identityToRecipient(identity));
    expect(Buffer.compare(await open(sourceOf(await encrypter.encrypt(plaintext), 1000)), plaintext)).to.equal(0);
  });

  it("throws DatasetDecryptionError on any byte of the header, nonce, or a chunk that is changed", async () => {
    const size = chunkBytes + 100;
    const ciphertext = await encrypt(bytesOf(size));
    const headerBytes = headerBytesOf(ciphertext, size);
    const first = headerBytes + payloadNonceBytes;
    const places = [...Array(first).keys()]; // all of header and nonce
    for (const at of [0, 1, 500, chunkBytes - 1]) places.push(first + at);
    for (let at = 0; at < tagBytes; at++) places.push(first + chunkBytes + at, ciphertext.length - 1 - at);
    for (const at of places) {
      const changed = Uint8Array.from(ciphertext);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await refused(changed);
    }
  });

  it("throws DatasetDecryptionError on chunks cut off, left out, swapped, repeated or added", async () => {
    const size = 3 * chunkBytes + 5;
    const ciphertext = await encrypt(bytesOf(size));
    const first = headerBytesOf(ciphertext, size) + payloadNonceBytes;
    const head = ciphertext.subarray(0, first);
    const chunks = [0, 1, 2, 3].map((i) =>
      ciphertext.subarray(first + i * sealedChunkBytes, first + (i + 1) * sealedChunkBytes),
    );
    const of = (...order: number[]) => Buffer.concat([head, ...order.map((i) => chunks[i] ?? new Uint8Array())]);
    for (const order of [[], [0], [0, 1], [0, 1, 2], [0, 2, 3], [3], [1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3]]) {
      await refused(of(...order));
    }
    for (const cut of [1, tagBytes, tagBytes + 4, tagBytes + 5, tagBytes + 6]) await refused(ciphertext.slice(0, -cut));
    for (const more of [1, tagBytes, sealedChunkBytes])
      await refused(Buffer.concat([ciphertext, new Uint8Array(more)]));
    for (const length of [0, 1, 21, first - 17, first - 16, first - 1, first])
      await refused(ciphertext.slice(0, length));
  });

  it("throws DatasetDecryptionError on an empty last chunk, though its tag is right", async () => {
    // Two files of one header: the age format makes the second chunk's tag depend on nothing but key and position.
    const { createCipheriv, hkdfSync } = await import("node:crypto");
    const ciphertext = await encrypt(bytesOf(chunkBytes));
    const headerBytes = headerBytesOf(ciphertext, chunkBytes);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const fileKey = await decrypter.decryptHeader(ciphertext.slice(0, headerBytes));
    const nonce = ciphertext.subarray(headerBytes, headerBytes + payloadNonceBytes);
    const payloadKey = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
    const sealed = (position: number, isLast: boolean, bytes: Uint8Array) => {
      const cipher = createCipheriv("chacha20-poly1305", payloadKey, chunkNonce(position, isLast), {
        authTagLength: tagBytes,
      });
      return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    };
    const head = ciphertext.subarray(0, headerBytes + payloadNonceBytes);
    const full = sealed(0, false, bytesOf(chunkBytes));
    expect((await open(sourceOf(Buffer.concat([head, full, sealed(1, true, bytesOf(1))])))).length).to.equal(
      chunkBytes + 1,
    );
    await refused(Buffer.concat([head, full, sealed(1, true, new Uint8Array())]));
    await refused(Buffer.concat([head, full])); // the last one is not marked so
    await refused(Buffer.concat([head, sealed(0, true, bytesOf(10)), sealed(1, true, bytesOf(10))]));
  });

  it("throws DatasetDecryptionError on a header that is too long or never ends, and on another key", async () => {
    const recipient = await identityToRecipient(identity);
    const long = await encrypt(bytesOf(10), ...Array<string>(200).fill(recipient));
    expect(headerBytesOf(long, 10)).to.be.greaterThan(maxHeaderBytes);
    await refused(long);
    await refused(Buffer.concat([Buffer.from("age-encryption.org/v1\n"), Buffer.alloc(100_000, "-> a b\n")]));
    await refused(Buffer.alloc(100_000));
    const ciphertext = await encrypt(bytesOf(10));
    await refused(ciphertext, datasetKeyBytes(await generateX25519Identity()));
    await refused(ciphertext, datasetKeyBytes(`${identity}\n`));
    await refused(ciphertext, new Uint8Array(74));
  });

  it("carries nothing of key or data in its error", async () => {
    const ciphertext = await encrypt(bytesOf(chunkBytes));
    ciphertext[ciphertext.length - 1] = (ciphertext.at(-1) ?? 0) ^ 1;
    const error = (await failureOf(open(sourceOf(ciphertext)))) as DatasetDecryptionError;
    expect(error.cause).to.equal(undefined);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).to.not.contain(identity);
  });

  it("overwrites each piece when the next is asked for, and the key in the end", async () => {
    const plaintext = bytesOf(2 * chunkBytes + 9);
    const dataset = await openDataset(key, sourceOf(await encrypt(plaintext)));
    const kept: Uint8Array[] = [];
    for await (const piece of dataset.chunks) {
      for (const before of kept) expect(before.every((byte) => byte === 0)).to.equal(true);
      expect(piece.every((byte) => byte === 0)).to.equal(false);
      kept.push(piece);
    }
    expect(kept.map((piece) => piece.every((byte) => byte === 0))).to.deep.equal([true, true, true]);
    await dataset.close();
  });

  it("overwrites what is open when the reader stops early, and closes the source", async () => {
    const ciphertext = await encrypt(bytesOf(3 * chunkBytes));
    let closed = false;
    const source = sourceOf(ciphertext, 1000);
    const watched = {
      sizeBytes: ciphertext.length,
      async *read() {
        try {
          yield* source.read();
        } finally {
          closed = true;
        }
      },
    };
    let kept: Uint8Array = new Uint8Array();
    for await (const piece of (await openDataset(key, watched)).chunks) {
      kept = piece;
      break;
    }
    expect([kept.length > 0, kept.every((byte) => byte === 0), closed]).to.deep.equal([true, true, true]);
    closed = false;
    const unread = await openDataset(key, watched);
    await unread.close();
    expect(closed).to.equal(true);
  });

  it("releases nothing of a chunk that is not authentic, nor the last one before the source has ended well", async () => {
    const plaintext = bytesOf(2 * chunkBytes);
    const ciphertext = await encrypt(plaintext);
    const changed = Uint8Array.from(ciphertext);
    changed[changed.length - tagBytes - 1] = (changed.at(-tagBytes - 1) ?? 0) ^ 1;
    const failing = (bytes: Uint8Array) => ({
      sizeBytes: bytes.length,
      async *read() {
        yield bytes;
        throw new RangeError("the hash is wrong");
      },
    });
    for (const [source, failure] of [
      [sourceOf(changed), new DatasetDecryptionError()],
      [failing(ciphertext), new RangeError("the hash is wrong")],
      [failing(changed), new RangeError("the hash is wrong")], // the source has the first word about why
    ] as const) {
      const digest = createHash("sha256");
      const reading = (async () => {
        for await (const piece of (await openDataset(key, source)).chunks) digest.update(piece);
      })();
      expect(await failureOf(reading)).to.deep.equal(failure);
      const first = createHash("sha256").update(plaintext.subarray(0, chunkBytes)).digest("hex");
      expect(digest.digest("hex")).to.equal(first);
    }
  });

  it("passes an error of the source on from the header as well", async () => {
    const source = {
      sizeBytes: 1000,
      async *read() {
        yield Buffer.from("age-encryption.org/v1\n");
        throw new RangeError("cut off");
      },
    };
    expect(await failureOf(openDataset(key, source))).to.deep.equal(new RangeError("cut off"));
  });
});

describe("plaintextBytesOf", () => {
  it("is undefined for sizes that no chunks have", () => {
    const of = (size: number) => plaintextBytesOf(size);
    expect([-5, 0, 15, 16, 17, 20].map(of)).to.deep.equal([undefined, undefined, undefined, 0, 1, 4]);
    const borders = [0, 1, 16, 17].map((more) => of(sealedChunkBytes + more));
    expect(borders).to.deep.equal([chunkBytes, undefined, undefined, chunkBytes + 1]);
  });
});

describe("chunkNonce", () => {
  it("counts in 11 bytes, big-endian, and marks the last", () => {
    expect(Buffer.from(chunkNonce(0x01_0203_0405, true)).toString("hex")).to.equal("000000000000010203040501");
    expect(Buffer.from(chunkNonce(2 ** 48 - 1, false)).toString("hex")).to.equal("0000000000ffffffffffff00");
  });
});
