import { hkdfSync } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { expect } from "chai";
import { concatHex, type Hex, hexToBytes, keccak256, recoverPublicKey, stringToHex, toHex } from "viem";
import { createAppKeys, deriveKey } from "../../simulator/appKeys.ts";
import { secretsOf } from "../../simulator/secrets.ts";
import { keyChains, seed } from "./vectors.ts";

const appId = new Uint8Array(20).fill(3);

/** Who signed a link of a key chain, as a compressed public key. */
async function signerOf(message: Hex, signature: Hex): Promise<Hex> {
  const point = await recoverPublicKey({ hash: keccak256(message), signature });
  return toHex(secp256k1.Point.fromHex(point.slice(2)).toBytes(true));
}

/** The app key and the KMS root that a chain leads to. */
async function readChain(purpose: string, publicKey: Hex, app: Hex, chain: readonly Hex[]) {
  const [purposed = "0x", issued = "0x"] = chain;
  const appKey = await signerOf(stringToHex(`${purpose}:${publicKey.slice(2)}`), purposed);
  const root = await signerOf(concatHex([stringToHex("dstack-kms-issued:"), app, appKey]), issued);
  return { appKey, root };
}

describe("createAppKeys", () => {
  const keyOf = createAppKeys(secretsOf(seed), appId);

  it("proves keys in the way dstack's own keys are proven", async () => {
    for (const set of keyChains.sets) {
      for (const { purpose, pubkey, signature_chain } of set.keys) {
        const chain = signature_chain.map((signature) => `0x${signature}` as const);
        const { appKey, root } = await readChain(purpose, `0x${pubkey}`, `0x${set.app_id}`, chain);
        expect([appKey, root]).to.deep.equal([`0x${set.app_pubkey}`, `0x${set.kms_root_pubkey}`]);
      }
    }
    const first = keyOf("worker/store", "storage", "secp256k1");
    const second = keyOf("", "", "ed25519");
    const chains = await Promise.all([
      readChain(
        "storage",
        toHex(first.publicKey),
        toHex(appId),
        first.signatureChain.map((s) => toHex(s)),
      ),
      readChain(
        "",
        toHex(second.publicKey),
        toHex(appId),
        second.signatureChain.map((s) => toHex(s)),
      ),
    ]);
    expect(chains[0]).to.deep.equal(chains[1]);
    const kmsRoot = secretsOf(seed)("KMS root", 32);
    expect(chains[0].root).to.equal(toHex(secp256k1.getPublicKey(kmsRoot, true)));
    expect(first.signatureChain.map((signature) => signature.length)).to.deep.equal([65, 65]);
    expect([first.signatureChain[0][64], first.signatureChain[1][64]].every((id) => id === 0 || id === 1)).to.equal(
      true,
    );
  });

  it("gives a key for a path: the same for any purpose and algorithm, another for another path or app", () => {
    const { key, publicKey } = keyOf("worker/store", "storage", "secp256k1");
    expect(hexToBytes(toHex(secp256k1.getPublicKey(key, true)))).to.deep.equal(publicKey);
    expect(keyOf("worker/store", "other", "ed25519").key).to.deep.equal(key);
    expect(keyOf("worker/stor", "storage", "secp256k1").key).not.to.deep.equal(key);
    expect(
      createAppKeys(secretsOf(seed), new Uint8Array(20))("worker/store", "storage", "secp256k1").key,
    ).not.to.deep.equal(key);
  });

  it("derives with HKDF-SHA256, salt RATLS, the context as info", () => {
    const from = new Uint8Array(32).fill(1);
    const expected = hkdfSync("sha256", from, "RATLS", "onetwo", 32);
    expect(deriveKey(from, [Buffer.from("one"), Buffer.from("two")])).to.deep.equal(new Uint8Array(expected));
  });
});
