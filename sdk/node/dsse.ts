/**
 * Room: sdk/node/dsse. DSSE envelopes: a payload with a signature over it and its type. Signed with a key of the auditor's own,
 * Ed25519 or ECDSA P-256, as other tools verify them. Source: secure-systems-lab/dsse, protocol.md, v1.0.2.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { BaseError } from "../../protocol/errors.ts";

/** An envelope; `payload` and `sig` in base64. */
export type Envelope = { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] };

/**
 * What a DSSE signature is over.
 *
 * @example
 * preAuthEncoding("http://example.com/HelloWorld", utf8("hello world")) // DSSEv1 29 http://example.com/HelloWorld 11 hello world
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/**
 * Signs a payload.
 *
 * @param pem - private key, PKCS#8; Ed25519 or P-256. It is not repeated in errors.
 * @returns the envelope; its `keyid` is the SHA-256 of the public key (SPKI, DER) in hex.
 * @throws {@link BadSigningKeyError}
 * @example
 * const envelope = signEnvelope(statementMediaType, toJcsBytes(statement), await readText("auditor.pem", 4096))
 */
export function signEnvelope(payloadType: string, payload: Uint8Array, pem: string): Envelope {
  const key = privateKeyOf(pem);
  const publicKey = createPublicKey(key);
  const sig = sign(digestOf(publicKey), preAuthEncoding(payloadType, payload), key);
  const signatures = [{ keyid: keyIdOf(publicKey), sig: sig.toString("base64") }];
  return { payloadType, payload: payload.toBase64(), signatures };
}

/**
 * Whether one of an envelope's signatures is by a key.
 *
 * @param pem - public key, SPKI.
 * @example
 * if (!isEnvelopeBy(envelope, publicPem)) throw new NotByAuditorError()
 */
export function isEnvelopeBy({ payload, payloadType, signatures }: Envelope, pem: string): boolean {
  const key = createPublicKey(pem);
  const signed = preAuthEncoding(payloadType, Buffer.from(payload, "base64"));
  return signatures.some(({ sig }) => verify(digestOf(key), signed, key, Buffer.from(sig, "base64")));
}

function privateKeyOf(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new BadSigningKeyError(); // no cause: it might repeat the key
  }
  const isP256 = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  if (key.asymmetricKeyType !== "ed25519" && !isP256) throw new BadSigningKeyError();
  return key;
}

/** Ed25519 hashes by itself. */
function digestOf(key: KeyObject): string | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}

function keyIdOf(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** The key cannot sign envelopes. */
export class BadSigningKeyError extends BaseError {
  override readonly name = "Dsse.BadSigningKeyError";
  constructor() {
    super("This is not a private key that envelopes are signed with.", {
      hint: "Make one with `openssl genpkey -algorithm ed25519 -out auditor.pem`; P-256 is fine too, encrypted keys are not.",
    });
  }
}
