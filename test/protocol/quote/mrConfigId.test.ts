import { expect } from "chai";
import { concatBytes, hexToBytes, keccak256, sha256, stringToBytes } from "viem";
import { composeHashOf } from "../../../protocol/quote/mrConfigId.ts";
import { expectError } from "./vectors.ts";

const composeHash = `0x${"c0".repeat(32)}` as const;
const configId = (version: number, commitment: `0x${string}`) =>
  concatBytes([Uint8Array.of(version), hexToBytes(commitment), new Uint8Array(15)]);
const kindAt = 52;
const preimage = (keyProviderId = 91, kind = 2) =>
  concatBytes([
    hexToBytes(composeHash),
    new Uint8Array(20).fill(0xa0),
    Uint8Array.of(kind),
    new Uint8Array(keyProviderId),
  ]);
const committed = (document: string) =>
  configId(3, sha256(concatBytes([stringToBytes("dstack-mr-config-v3:"), Uint8Array.of(0), stringToBytes(document)])));
const ofDocument = (document: string) => composeHashOf(committed(document), stringToBytes(document));

const hash = composeHash.slice(2);
const document = `{"app_id":"${"a0".repeat(20)}","compose_hash":"${hash}","key_provider":"kms","version":3}`;

describe("composeHashOf", () => {
  it("reads version 1, which takes no evidence", () => {
    expect(composeHashOf(configId(1, composeHash))).to.equal(composeHash);
    expectError(
      () => composeHashOf(configId(1, composeHash), new Uint8Array(1)),
      "Quote.ConfigEvidenceSizeError",
      "Evidence for MRCONFIGID of version 1 is 1 bytes, expected 0 to 0.",
    );
  });

  it("reads version 2 with its preimage, of every size that a key provider id can have", () => {
    for (const size of [0, 91, 256])
      expect(composeHashOf(configId(2, keccak256(preimage(size))), preimage(size))).to.equal(composeHash);
  });

  it("refuses a preimage that is too short, too long, missing or of another VM", () => {
    const id = configId(2, keccak256(preimage()));
    for (const size of [0, 52, 310])
      expectError(
        () => composeHashOf(id, new Uint8Array(size)),
        "Quote.ConfigEvidenceSizeError",
        `Evidence for MRCONFIGID of version 2 is ${size} bytes, expected 53 to 309.`,
      );
    for (let at = 0; at < preimage().length; at++) {
      if (at === kindAt) continue;
      const other = preimage();
      other[at] = (other[at] ?? 0) ^ 1;
      expectError(
        () => composeHashOf(id, other),
        "Quote.ConfigEvidenceMismatchError",
        `Evidence for MRCONFIGID of version 2 hashes to ${keccak256(other)}, the quote commits to ${keccak256(preimage())}.`,
      );
    }
  });

  it("takes the kinds of key provider that the contract takes, and looks at them before the hash", () => {
    for (let kind = 0; kind < 256; kind++) {
      const given = preimage(91, kind);
      if (kind <= 4) expect(composeHashOf(configId(2, keccak256(given)), given)).to.equal(composeHash);
      else
        for (const id of [configId(2, keccak256(given)), configId(2, keccak256(preimage()))])
          expectError(
            () => composeHashOf(id, given),
            "Quote.UnknownKeyProviderError",
            `The preimage of MRCONFIGID names a key provider of kind ${kind}, expected 0 to 4.`,
          );
    }
  });

  it("takes an app id of whole bytes, at most 32", () => {
    for (let digits = 0; digits <= 70; digits++) {
      const given = `{"app_id":"${"a".repeat(digits)}","compose_hash":"${hash}","version":3}`;
      if (digits % 2 === 0 && digits <= 64) expect(ofDocument(given)).to.equal(composeHash);
      else
        expectError(
          () => ofDocument(given),
          "Quote.ConfigDocumentError",
          "The configuration document is not canonical: it does not start with app_id and compose_hash.",
        );
    }
  });

  it("reads version 3 with its document, with and without an app id, of up to 4,096 bytes", () => {
    expect(ofDocument(document)).to.equal(composeHash);
    expect(ofDocument(`{"compose_hash":"${hash}"}`)).to.equal(composeHash);
    const start = `{"compose_hash":"${hash}","pad":"`;
    expect(ofDocument(`${start}${"x".repeat(4094 - start.length)}"}`)).to.equal(composeHash);
  });

  it("refuses a document that is too long, missing or of another VM", () => {
    const size = "Quote.ConfigEvidenceSizeError";
    const long = "Evidence for MRCONFIGID of version 3 is 4097 bytes, expected 0 to 4096.";
    expectError(() => ofDocument(" ".repeat(4097)), size, long);
    const mismatch = "Quote.ConfigEvidenceMismatchError";
    expectError(
      () => composeHashOf(committed(document)),
      mismatch,
      /^Evidence for MRCONFIGID of version 3 hashes to 0x/,
    );
    expectError(() => composeHashOf(committed(document), stringToBytes(`${document} `)), mismatch, /version 3/);
    // The domain keeps a document from being hashed as anything else.
    const bare = configId(3, sha256(stringToBytes(document)));
    expectError(() => composeHashOf(bare, stringToBytes(document)), mismatch, /version 3/);
  });

  it("refuses a document that names its compose hash elsewhere, otherwise or twice", () => {
    const refuse = (text: string, fact = "it does not start with app_id and compose_hash") =>
      expectError(
        () => ofDocument(text),
        "Quote.ConfigDocumentError",
        `The configuration document is not canonical: ${fact}.`,
      );
    refuse("");
    refuse(` ${document}`);
    refuse(`{"version":3,"compose_hash":"${hash}"}`);
    refuse(`{"app_id":"A0","compose_hash":"${hash}"}`);
    refuse(`{"app_id":"\\u0061","compose_hash":"${hash}"}`);
    refuse(`{"app_id" :"a0","compose_hash":"${hash}"}`);
    refuse(`{"app_id":"a0","app_id":"a0","compose_hash":"${hash}"}`);
    refuse(`{"compose_hash":"${hash.toUpperCase()}"}`);
    refuse(`{"compose_hash":"${hash}00"}`);
    refuse(`{"compose_hash":"${hash.slice(2)}"}`);
    refuse(`{"compose_hash":"${hash}" }`);
    refuse(`{"compose_hash":"${hash}"`);
    refuse(`{"x":{"compose_hash":"${hash}"}}`);
    const twice = "compose_hash stands in it more than once";
    refuse(`{"compose_hash":"${hash}","compose_hash":"${"00".repeat(32)}"}`, twice);
    refuse(`{"compose_hash":"${hash}","x":{"compose_hash":1}}`, twice);
  });

  it("refuses padding that is not zero in every version", () => {
    for (const id of [configId(1, composeHash), configId(2, keccak256(preimage())), committed(document)])
      for (let at = 33; at < 48; at++) {
        const padded = Uint8Array.from(id);
        padded[at] = 1;
        const message = "MRCONFIGID is malformed: its padding is not zero.";
        expectError(() => composeHashOf(padded, stringToBytes(document)), "Quote.MalformedMrConfigIdError", message);
      }
  });
});
