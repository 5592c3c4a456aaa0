/**
 * Room: sdk/node/keystore. A wallet's private key in a standard web3 V3 keystore file (scrypt, AES-128-CTR): the same
 * that geth, MetaMask and ethers read.
 */
import { scrypt as nodeScrypt } from "node:crypto";
import { promisify } from "node:util";
import { scrypt as ethersScrypt } from "ethers/crypto";
import { decryptKeystoreJson, encryptKeystoreJson } from "ethers/wallet";
import type { Address, Hex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { readText, writeAtomic } from "./files.ts";

/** Shortest password of a new keystore, in characters. */
export const minPasswordLength = 8;

const maxKeystoreBytes = 16 * 1024;
/** scrypt takes 128 * n * r bytes of memory: at most 1 GiB for a file somebody else made. */
const maxScryptMemory = 1024 ** 3;

// Node's own scrypt is four times as fast as the one in JavaScript, and gives the same.
const native = promisify(nodeScrypt) as (
  password: Uint8Array,
  salt: Uint8Array,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Uint8Array>;
ethersScrypt.register((password, salt, N, r, p, length) =>
  native(password, salt, length, { N, r, p, maxmem: 2 * maxScryptMemory }),
);

const scrypt = z.object({ n: z.int().positive(), r: z.int().positive(), p: z.int().min(1).max(16) });
const pbkdf2 = z.object({ c: z.int().positive().max(10_000_000) });
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    kdfparams: z.union([scrypt.refine(({ n, r }) => 128 * n * r <= maxScryptMemory), pbkdf2]),
  }),
});

/**
 * Writes a new keystore. An existing file is never replaced.
 *
 * @param privateKey - default: a fresh one.
 * @throws {@link WeakPasswordError} | FileUnwritableError
 * @example
 * const address = await createKeystore("wallet.json", password)
 */
export async function createKeystore(path: string, password: string, privateKey?: Hex): Promise<Address> {
  if (password.length < minPasswordLength) throw new WeakPasswordError();
  const key = privateKey ?? generatePrivateKey();
  const address = privateKeyToAddress(key);
  const json = await encryptKeystoreJson({ address, privateKey: key }, password);
  await writeAtomic(path, `${json}\n`, { mode: 0o600, overwrite: false });
  return address;
}

/**
 * Opens a keystore.
 *
 * @returns the private key: keep it in memory only.
 * @throws {@link BadKeystoreError} | {@link WrongPasswordError} | FileUnreadableError
 * @example
 * const account = privateKeyToAccount(await openKeystore("wallet.json", password))
 */
export async function openKeystore(path: string, password: string): Promise<Hex> {
  const text = await readText(path, maxKeystoreBytes);
  requireKeystore(path, text);
  try {
    return (await decryptKeystoreJson(text, password)).privateKey as Hex;
  } catch {
    throw new WrongPasswordError(path); // no cause: nothing of a failed decryption is to be shown
  }
}

function requireKeystore(path: string, text: string): void {
  try {
    // Some writers capitalise keys ("Crypto"); ethers reads them in any case.
    const lower = JSON.parse(text, (_, value: unknown) => {
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      return isObject ? Object.fromEntries(Object.entries(value).map(([key, v]) => [key.toLowerCase(), v])) : value;
    });
    keystoreSchema.parse(lower);
  } catch {
    throw new BadKeystoreError(path);
  }
}

/** The file is not a keystore, or asks for more work than a real one does. */
export class BadKeystoreError extends BaseError {
  override readonly name = "Keystore.BadKeystoreError";
  constructor(path: string) {
    super(`${path} is not a web3 V3 keystore.`, { hint: "Make one with `dcm keys new` or `dcm keys import`." });
  }
}

/** The password does not open the keystore. */
export class WrongPasswordError extends BaseError {
  override readonly name = "Keystore.WrongPasswordError";
  constructor(path: string) {
    super(`The password does not open ${path}.`, { hint: "Check DCM_PASSWORD, the password file or your typing." });
  }
}

/** The password is too short to protect a key. */
export class WeakPasswordError extends BaseError {
  override readonly name = "Keystore.WeakPasswordError";
  constructor() {
    super(`The password has fewer than ${minPasswordLength} characters.`, { hint: "Use a longer one." });
  }
}
