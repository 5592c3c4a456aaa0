/**
 * Takes a TDX quote (version 4) apart and checks its signatures with node:crypto alone: nothing of the simulator is
 * used, so that the same code can judge real quotes and simulated ones.
 */
import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";

/** Offsets. Source: Intel TDX DCAP Quoting Library API, A.3. */
const bodyAt = 48;
const bodySizes = {
  teeTcbSvn: 16,
  mrSeam: 48,
  mrSignerSeam: 48,
  seamAttributes: 8,
  tdAttributes: 8,
  xfam: 8,
  mrTd: 48,
  mrConfigId: 48,
  mrOwner: 48,
  mrOwnerConfig: 48,
  rtMr0: 48,
  rtMr1: 48,
  rtMr2: 48,
  rtMr3: 48,
  reportData: 64,
} as const;
const signatureAt = 632;
const qeReportSize = 384;

export type ReadQuote = ReturnType<typeof readQuote>;

/** Splits a quote into views, hex where a test reads it. */
export function readQuote(quote: Uint8Array) {
  const bytes = Buffer.from(quote);
  let at = bodyAt;
  const take = (size: number) => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const body = {} as Record<keyof typeof bodySizes, string>;
  for (const [field, size] of Object.entries(bodySizes)) {
    body[field as keyof typeof bodySizes] = take(size).toString("hex");
  }
  const u16 = () => take(2).readUInt16LE();
  const u32 = () => take(4).readUInt32LE();
  const signatureLength = u32();
  const end = at + signatureLength;
  const signature = take(64);
  const attestationKey = take(64);
  const certificationType = u16();
  const certificationLength = u32();
  const certificationEnd = at + certificationLength;
  const qeReport = take(qeReportSize);
  const qeSignature = take(64);
  const authData = take(u16());
  const chainType = u16();
  const chain = take(u32());
  const certificates = (chain.toString("latin1").match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
  const [leaf, issuer, root] = certificates;
  if (leaf === undefined || issuer === undefined || root === undefined || certificates.length !== 3) {
    throw new Error(`${certificates.length} certificates`);
  }
  return {
    header: bytes.subarray(0, bodyAt).toString("hex"),
    body,
    signed: bytes.subarray(0, signatureAt),
    signature,
    attestationKey,
    certificationType,
    qeReport,
    qeSignature,
    authData,
    chainType,
    chain,
    leaf,
    issuer,
    root,
    endsAgree: at === end && at === certificationEnd,
    padding: bytes.subarray(at),
  };
}

/** Names of the checks that a quote fails; none for an honest one. Dates and measurements are not judged. */
export function failedChecks(quote: Uint8Array): string[] {
  const q = readQuote(quote);
  const bound = createHash("sha256").update(q.attestationKey).update(q.authData).digest();
  const checks = {
    lengths: q.endsAgree && q.padding.every((byte) => byte === 0),
    "quote signature": verifyRaw(p256Key(q.attestationKey), q.signed, q.signature),
    "QE report signature": verifyRaw(q.leaf.publicKey, q.qeReport, q.qeSignature),
    "QE binding": q.qeReport.subarray(320, 352).equals(bound) && q.qeReport.subarray(352).every((byte) => byte === 0),
    "leaf issued": q.leaf.checkIssued(q.issuer) && q.leaf.verify(q.issuer.publicKey),
    "issuer issued": q.issuer.checkIssued(q.root) && q.issuer.verify(q.root.publicKey),
    "root self-issued": q.root.checkIssued(q.root) && q.root.verify(q.root.publicKey),
    roles: q.root.ca && q.issuer.ca && !q.leaf.ca,
  };
  return Object.entries(checks).flatMap(([name, passed]) => (passed ? [] : [name]));
}

/** x || y of a certificate's P-256 key, hex. */
export function keyCoordinates(certificate: X509Certificate): string {
  return certificate.publicKey.export({ type: "spki", format: "der" }).subarray(-64).toString("hex");
}

function verifyRaw(key: KeyObject, message: Buffer, signature: Buffer): boolean {
  return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}

function p256Key(coordinates: Buffer): KeyObject {
  const x = coordinates.subarray(0, 32).toString("base64url");
  const y = coordinates.subarray(32).toString("base64url");
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
}
