/**
 * Room: enclave/vault/openDataset. Decrypts a data set as a stream: a few chunks of plaintext are in memory, whatever its
 * size. The header is opened at once (age-encryption), the payload chunk by chunk (node:crypto).
 * Source: C2SP age.md v1; sizes and nonces in protocol/agePayload.
 */
import { createDecipheriv, hkdfSync } from "node:crypto";
import { Decrypter } from "age-encryption";
import {
  chunkBytes,
  chunkNonce,
  chunksIn,
  payloadNonceBytes,
  plaintextBytesOf,
  tagBytes,
} from "../../protocol/agePayload.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type ByteReader, readerOf } from "./byteReader.ts";
import { parseDatasetKey } from "./datasetKey.ts";

/** A ciphertext of known size. Reading may fail with errors of its own, for instance when its hash is wrong at the end. */
export type CiphertextSource = { sizeBytes: number; read(): AsyncIterable<Uint8Array> };

/** A data set that is being opened. */
export type OpenDataset = {
  /** Of the plaintext. */
  sizeBytes: number;
  /**
   * The plaintext, once. Every piece was authenticated, and is overwritten when the next one is asked for: who needs it
   * longer copies it. The last chunk comes only when the source has ended well.
   *
   * @throws {@link DatasetDecryptionError} | any error of the source
   */
  chunks: AsyncIterable<Uint8Array>;
  /** Forgets the key and closes the source. To be called in any case; again does nothing. */
  close(): Promise<void>;
};

/** Longest header in bytes: about 150 recipients. */
export const maxHeaderBytes = 16 * 1024;

const macLineMark = Buffer.from("\n---");
const newline = 0x0a;

/**
 * Opens a data set: finds its file key and checks its header.
 *
 * @param key - the data set key; not needed any more when this returns.
 * @throws {@link DatasetDecryptionError} whatever is wrong with key or ciphertext: causes could carry data. The source is
 * read to its end first, so that one that finds itself damaged there can say so: its error is thrown then.
 * @example
 * const { sizeBytes, chunks, close } = await openDataset(key, ciphertext)
 */
export async function openDataset(key: Uint8Array, source: CiphertextSource): Promise<OpenDataset> {
  const reader = readerOf(source.read());
  return judged(reader, async () => {
    const payloadKey = await openHeader(key, reader);
    const payloadBytes = source.sizeBytes - reader.taken();
    const sizeBytes = plaintextBytesOf(payloadBytes);
    if (sizeBytes === undefined) {
      payloadKey.fill(0);
      throw new DatasetDecryptionError();
    }
    const close = async () => {
      payloadKey.fill(0);
      await reader.close();
    };
    return { sizeBytes, chunks: openChunks(payloadKey, payloadBytes, reader, close), close };
  });
}

/** The key of the payload, and the reader at its first chunk. */
async function openHeader(key: Uint8Array, reader: ByteReader): Promise<Uint8Array> {
  const identity = parseDatasetKey(key);
  if (identity === undefined) throw new DatasetDecryptionError();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const fileKey = await decrypter.decryptHeader(await readHeader(reader));
  try {
    const nonce = present(await reader.exactly(payloadNonceBytes));
    return new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
  } finally {
    fileKey.fill(0);
  }
}

/** All lines up to the one with the MAC: no other begins with three dashes. */
async function readHeader(reader: ByteReader): Promise<Uint8Array> {
  const header = Buffer.alloc(maxHeaderBytes);
  let inMacLine = false;
  for (let length = 0; length < maxHeaderBytes; ) {
    header.set(present(await reader.upTo(1)), length++);
    inMacLine ||= header.subarray(Math.max(0, length - macLineMark.length), length).equals(macLineMark);
    if (inMacLine && header[length - 1] === newline) return header.subarray(0, length);
  }
  throw new DatasetDecryptionError();
}

async function* openChunks(
  key: Uint8Array,
  payloadBytes: number,
  reader: ByteReader,
  close: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const count = chunksIn(payloadBytes);
  const nonce = chunkNonce(0, false);
  let opened: Uint8Array[] = [];
  const overwrite = () => {
    for (const piece of opened) piece.fill(0);
    opened = [];
  };
  try {
    for (let position = 0; position < count; position++) {
      const isLast = position === count - 1;
      const startsAt = position * (chunkBytes + tagBytes);
      const size = Math.min(chunkBytes, payloadBytes - tagBytes - startsAt);
      chunkNonce(position, isLast, nonce);
      const chunk = reader.held(size + tagBytes);
      if (chunk === undefined) await judged(reader, () => openPieces(key, nonce, size, reader, opened));
      else if (!openChunk(key, nonce, chunk, opened)) await judged(reader, async () => present(undefined));
      if (isLast) await judged(reader, () => requireEnd(reader));
      for (const piece of opened) yield piece;
      overwrite();
    }
  } finally {
    overwrite();
    await close();
  }
}

/** One chunk with its tag. @returns whether it is authentic. */
function openChunk(key: Uint8Array, nonce: Uint8Array, chunk: Uint8Array, opened: Uint8Array[]): boolean {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(chunk.subarray(-tagBytes));
  opened.push(decipher.update(chunk.subarray(0, -tagBytes)));
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

/** One chunk, in as many pieces as the source has it in: nothing is copied. */
async function openPieces(
  key: Uint8Array,
  nonce: Uint8Array,
  size: number,
  reader: ByteReader,
  opened: Uint8Array[],
): Promise<void> {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes });
  for (let left = size; left > 0; ) {
    const piece = present(await reader.upTo(left));
    left -= piece.length;
    opened.push(decipher.update(piece));
  }
  decipher.setAuthTag(present(await reader.exactly(tagBytes)));
  decipher.final(); // throws unless all of it is authentic
}

async function requireEnd(reader: ByteReader): Promise<void> {
  if ((await reader.upTo(1)) !== undefined) throw new DatasetDecryptionError();
}

/** Does a piece of work on the ciphertext. If it fails, the rest of the source has the first word about why. */
async function judged<T>(reader: ByteReader, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch {
    await reader.drain();
    throw new DatasetDecryptionError();
  }
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new DatasetDecryptionError();
  return bytes;
}

/** The ciphertext does not open with the data set key. */
export class DatasetDecryptionError extends BaseError {
  override readonly name = "Vault.DatasetDecryptionError";
  constructor() {
    super("The data set does not open with the key that was sealed for it.", {
      hint: "The provider must seal the key that the registered ciphertext was made with.",
    });
  }
}
