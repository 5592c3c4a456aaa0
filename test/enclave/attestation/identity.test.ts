import { inspect } from "node:util";
import { expect } from "chai";
import { type Hex, keccak256 } from "viem";
import { createIdentity } from "../../../enclave/attestation/identity.ts";
import { SealingError, sealKey } from "../../../protocol/sealing.ts";
import { recoverSigner } from "../../../protocol/signature.ts";
import { rejection } from "../../support/rejection.ts";

const grantHash: Hex = `0x${"05".repeat(32)}`;

describe("createIdentity", () => {
  it("makes other keys every time, and shows only their public halves", async () => {
    const [one, other] = [await createIdentity(), await createIdentity()];
    expect(one.signingKey).to.not.equal(other.signingKey);
    expect(one.vaultKey).to.not.equal(other.vaultKey);
    expect(Object.keys(one)).to.deep.equal(["signingKey", "vaultKey", "signDigest", "openSealedKey"]);
    expect(inspect(one, { depth: 9, showHidden: true })).to.not.match(/secret|private/i);
  });

  it("signs digests as the contracts read them: 65 bytes, low s, v 27 or 28", async () => {
    const identity = await createIdentity();
    const seen = new Set<string>();
    for (let i = 0; i < 32; i++) {
      const digest = keccak256(`0x${i.toString(16).padStart(2, "0")}`);
      const signature = identity.signDigest(digest);
      expect(recoverSigner(digest, signature)).to.equal(identity.signingKey);
      seen.add(signature.slice(-2));
    }
    expect([...seen].sort()).to.deep.equal(["1b", "1c"]);
  });

  it("opens what was sealed to it under the same grant, and nothing else", async () => {
    const identity = await createIdentity();
    const sealed = await sealKey(identity.vaultKey, grantHash, Uint8Array.of(1, 2, 3));
    expect(await identity.openSealedKey(grantHash, sealed)).to.deep.equal(Uint8Array.of(1, 2, 3));
    await rejection(identity.openSealedKey(keccak256("0x"), sealed), SealingError);
    await rejection((await createIdentity()).openSealedKey(grantHash, sealed), SealingError);
  });
});
