import { expect } from "chai";
import type { Hex } from "viem";
import { generateVaultKey, openKey, type SealedKey, sealKey, type VaultKeyPair } from "../../protocol/sealing.ts";

const grantHash: Hex = `0x${"ab".repeat(32)}`;
const key = new TextEncoder().encode("AGE-SECRET-KEY-1CANARY");

/** Name, message and everything else that an error would show. */
async function refusal(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing was thrown";
}

const notOpened = "Sealing.SealingError: The data set key could not be opened.";
const notSealed = "Sealing.SealingError: The data set key could not be sealed.";

/** Hex with one byte changed. */
function altered(hex: Hex, byte: number): Hex {
  const at = 2 + byte * 2;
  const value = (Number.parseInt(hex.slice(at, at + 2), 16) ^ 0x01).toString(16).padStart(2, "0");
  return `${hex.slice(0, at)}${value}${hex.slice(at + 2)}` as Hex;
}

describe("sealKey and openKey", () => {
  let vault: VaultKeyPair;
  let sealed: SealedKey;
  before(async () => {
    vault = await generateVaultKey();
    sealed = await sealKey(vault.publicKey, grantHash, key);
  });

  it("give the key back to the vault key, under the grant", async () => {
    expect(await openKey(vault.privateKey, grantHash, sealed)).to.deep.equal(key);
    expect(sealed.vaultKey).to.equal(vault.publicKey);
    expect(sealed.enc.length).to.equal(2 + 64);
    expect(sealed.ciphertext.length).to.equal(2 + 2 * (key.length + 16));
  });

  it("never seal twice alike", async () => {
    const again = await sealKey(vault.publicKey, grantHash, key);
    expect(again.enc).to.not.equal(sealed.enc);
    expect(again.ciphertext).to.not.equal(sealed.ciphertext);
  });

  it("open under no other grant and for no other vault key", async () => {
    expect(await refusal(openKey(vault.privateKey, altered(grantHash, 0), sealed))).to.equal(notOpened);
    expect(await refusal(openKey(vault.privateKey, "0x", sealed))).to.equal(notOpened);
    const stranger = await generateVaultKey();
    expect(await refusal(openKey(stranger.privateKey, grantHash, sealed))).to.equal(notOpened);
  });

  it("open nothing with an altered byte, at any place", async () => {
    for (let byte = 0; byte < 32; byte++) {
      // X25519 ignores the highest bit of a key (RFC 7748), HPKE does not: it is hashed into the key schedule.
      const enc = { ...sealed, enc: altered(sealed.enc, byte) };
      expect(await refusal(openKey(vault.privateKey, grantHash, enc)), `enc ${byte}`).to.equal(notOpened);
    }
    for (let byte = 0; byte < (sealed.ciphertext.length - 2) / 2; byte++) {
      const ciphertext = { ...sealed, ciphertext: altered(sealed.ciphertext, byte) };
      expect(await refusal(openKey(vault.privateKey, grantHash, ciphertext)), `byte ${byte}`).to.equal(notOpened);
    }
  });

  it("open nothing that names another vault key", async () => {
    const stranger = await generateVaultKey();
    const claimed = { ...sealed, vaultKey: stranger.publicKey };
    expect(await refusal(openKey(vault.privateKey, grantHash, claimed))).to.equal(notOpened);
  });

  it("refuse parts that are cut or malformed", async () => {
    const cases = [
      { ciphertext: "0x" },
      { ciphertext: "0x1234" },
      { vaultKey: "0x" },
      { enc: "0x" },
      { enc: "0x12" },
      { enc: `${sealed.enc}00` },
    ];
    for (const change of cases)
      expect(await refusal(openKey(vault.privateKey, grantHash, { ...sealed, ...change } as SealedKey))).to.equal(
        notOpened,
      );
  });

  it("seal to no key that is none", async () => {
    const zero = `0x${"00".repeat(32)}`;
    for (const vaultKey of ["0x", "0x12", `${vault.publicKey}00`, zero] as Hex[])
      expect(await refusal(sealKey(vaultKey, grantHash, key))).to.equal(notSealed);
  });

  it("keep the private half inside", async () => {
    for (const format of ["jwk", "pkcs8"] as const)
      expect(await refusal(crypto.subtle.exportKey(format, vault.privateKey))).to.match(/^InvalidAccessError/);
  });
});
