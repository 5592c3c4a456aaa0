/**
 * Room: sdk/encryption. Encrypts data sets and opens results: age v1 files, X25519. Runs in browsers too.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { bytesToHex, type Hex } from "viem";
import { recipientKeyOf } from "../protocol/ageKey.ts";
import type { Receipt } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { maxCiphertextBytes } from "../protocol/limits.ts";
import { decodeResult, outputCommitmentOf, type ResultEnvelope } from "../protocol/result.ts";

/** Largest data set, in bytes: what age adds (16 bytes per 64 KiB and a header) still fits a worker. */
export const maxDatasetBytes = maxCiphertextBytes - 1024 * 1024;
/** Largest one that is encrypted in memory, in bytes: three times as much is needed. See sdk/node/encryptFile for others. */
export const maxInMemoryBytes = 64 * 1024 * 1024;

/** An encrypted data set. `key` is the secret: the `AGE-SECRET-KEY-1...` line, also readable by `age -d -i`. */
export type EncryptedDataset = { ciphertext: Uint8Array; contentHash: Hex; key: string };

/** An age identity for one job's result: `identity` stays secret, `resultKey` goes into the order. */
export type ResultIdentity = { identity: string; resultKey: Hex };

/**
 * Encrypts a data set to a fresh key, in memory.
 *
 * @param plaintext - 1 to {@link maxInMemoryBytes} bytes.
 * @throws {@link BadDatasetSizeError}
 * @example
 * const { ciphertext, contentHash, key } = await encryptDataset(bytes)
 */
export async function encryptDataset(plaintext: Uint8Array): Promise<EncryptedDataset> {
  const { length } = plaintext;
  if (length === 0 || length > maxInMemoryBytes) throw new BadDatasetSizeError(length, maxInMemoryBytes);
  const key = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(key));
  const ciphertext = await encrypter.encrypt(plaintext);
  return { ciphertext, contentHash: bytesToHex(sha256(ciphertext)), key };
}

/**
 * The bytes of a data set key that are sealed to enclaves.
 *
 * @param key - the `AGE-SECRET-KEY-1...` line.
 * @example
 * const sealed = await sealKey(vaultKey, grantHash, datasetKeyBytes(key))
 */
export function datasetKeyBytes(key: string): Uint8Array {
  return new TextEncoder().encode(key);
}

/**
 * A fresh identity for the result of one job.
 *
 * @example
 * const { identity, resultKey } = await newResultIdentity()
 */
export async function newResultIdentity(): Promise<ResultIdentity> {
  const identity = await generateX25519Identity();
  return { identity, resultKey: recipientKeyOf(await identityToRecipient(identity)) };
}

/**
 * Opens a sealed result and checks that it is the one the receipt speaks of.
 *
 * @param identity - the reader's `AGE-SECRET-KEY-1...` line.
 * @param receipt - the settled job's, from the chain.
 * @throws {@link ResultMismatchError} | {@link ResultUnreadableError} | BadResultError
 * @example
 * const { output } = await decryptResult(identity, ciphertext, receipt)
 */
export async function decryptResult(
  identity: string,
  ciphertext: Uint8Array,
  receipt: Pick<Receipt, "jobId" | "resultHash" | "outputCommitment">,
): Promise<ResultEnvelope> {
  if (bytesToHex(sha256(ciphertext)) !== receipt.resultHash) throw new ResultMismatchError("sealed result");
  let plaintext: Uint8Array;
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    plaintext = await decrypter.decrypt(ciphertext);
  } catch {
    throw new ResultUnreadableError(); // no cause: a library's message might repeat the identity
  }
  const envelope = decodeResult(plaintext, receipt.jobId);
  if (outputCommitmentOf(envelope) !== receipt.outputCommitment) throw new ResultMismatchError("output");
  return envelope;
}

/** The data set is empty or too large. */
export class BadDatasetSizeError extends BaseError {
  override readonly name = "Encryption.BadDatasetSizeError";
  constructor(sizeBytes: number, limitBytes: number) {
    super(`The data set has ${sizeBytes} bytes; 1 to ${limitBytes} can be encrypted.`, {
      hint: "`dcm dataset add` takes up to 1 GiB. Split a larger file into several data sets.",
    });
  }
}

/** What was fetched is not what the enclave's receipt commits to. */
export class ResultMismatchError extends BaseError {
  override readonly name = "Encryption.ResultMismatchError";
  constructor(what: "sealed result" | "output") {
    super(`The ${what} is not the one in the receipt.`, {
      hint: "Do not use it. Fetch it from another place, and run `dcm audit` on the job.",
    });
  }
}

/** The result is not sealed to this identity, or the identity is malformed. */
export class ResultUnreadableError extends BaseError {
  override readonly name = "Encryption.ResultUnreadableError";
  constructor() {
    super("The result cannot be opened with this identity.", {
      hint: "Use the wallet and home that created the job, or the identity of a reader named in a grant.",
    });
  }
}
