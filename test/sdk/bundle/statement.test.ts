/** DSSE envelopes, as their specification has them and as Node's own verifier takes them. */
import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { BadSigningKeyError, isEnvelopeBy, preAuthEncoding, signEnvelope } from "../../../sdk/node/dsse.ts";

const utf8 = new TextEncoder();
const payload = utf8.encode('{"_type":"https://in-toto.io/Statement/v1"}');
const type = "application/vnd.in-toto+json";
const format = {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
} as const;

describe("DSSE envelopes", () => {
  it("sign type and payload, as the specification's example has it", () => {
    const signed = preAuthEncoding("http://example.com/HelloWorld", utf8.encode("hello world"));
    expect(new TextDecoder().decode(signed)).to.equal("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  for (const [name, keys, other] of [
    ["Ed25519", generateKeyPairSync("ed25519", format), generateKeyPairSync("ed25519", format)],
    [
      "P-256",
      generateKeyPairSync("ec", { namedCurve: "P-256", ...format }),
      generateKeyPairSync("ec", { namedCurve: "P-256", ...format }),
    ],
  ] as const) {
    it(`are verified by the ${name} key that signed them, unaltered, and by no other`, () => {
      const envelope = signEnvelope(type, payload, keys.privateKey);
      expect(envelope.signatures[0]?.keyid).to.match(/^[0-9a-f]{64}$/);
      expect(Buffer.from(envelope.payload, "base64").equals(payload)).to.equal(true);
      expect(isEnvelopeBy(envelope, keys.publicKey)).to.equal(true);
      expect(isEnvelopeBy(envelope, other.publicKey)).to.equal(false);
      expect(isEnvelopeBy({ ...envelope, payloadType: "text/plain" }, keys.publicKey)).to.equal(false);
      expect(isEnvelopeBy({ ...envelope, payload: utf8.encode("{}").toBase64() }, keys.publicKey)).to.equal(false);
    });
  }

  it("are not signed with other keys, and repeat none", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1024, ...format }).privateKey;
    const k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1", ...format }).privateKey;
    for (const pem of [rsa, k1, "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n", ""]) {
      expect(() => signEnvelope(type, payload, pem))
        .to.throw(BadSigningKeyError, "This is not a private key that envelopes are signed with.")
        .and.not.have.property("cause");
    }
  });
});
