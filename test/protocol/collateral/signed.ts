/**
 * Collateral that is truly signed under the simulated platform's root, honest or with one thing wrong.
 * Written apart from the simulator's own: that one is honest, and what is refused must not rest on it.
 */
import { hexToBytes } from "viem";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { parseQuote } from "../../../protocol/quote/parseQuote.ts";
import { basicConstraints, extension, intelName, issueCertificate, keyUsage } from "../../../simulator/certificate.ts";
import * as asn1 from "../../../simulator/der.ts";
import { type P256KeyPair, p256KeyPair } from "../../../simulator/secrets.ts";
import { jsonVector, platform, secrets, signP256, simulatedTime } from "../quote/vectors.ts";

/** Keys of the simulated platform, and of its TCB signing certificate. */
export const keys = {
  root: p256KeyPair(secrets, "root CA"),
  pckCa: p256KeyPair(secrets, "PCK Platform CA"),
  pck: p256KeyPair(secrets, "PCK"),
  attestation: p256KeyPair(secrets, "attestation key"),
  signing: p256KeyPair(secrets, "TCB signing"),
};
const issuerRead = readCertificate(platform.certificates.pckIssuer);
/** Names on the simulated certificates. */
export const names = {
  root: issuerRead.issuer,
  pckCa: issuerRead.subject,
  signing: intelName("Intel SGX TCB Signing"),
};

/** When everything here is valid: the dates of items run from an hour before to an hour after. */
export const now = simulatedTime;
const from = now - 3600;
const until = now + 3600;

/** A name of one part. */
export function nameOf(commonName: string): Uint8Array {
  return asn1.sequence(asn1.setOf(asn1.sequence(asn1.oid("2.5.4.3"), asn1.utf8String(commonName))));
}

/** Certificate terms of the root CA, and changes to them; signed by the root key. */
export function certificate(changes: Partial<Parameters<typeof issueCertificate>[0]>, by: P256KeyPair = keys.root) {
  const terms = {
    issuer: names.root,
    subject: names.root,
    subjectKey: keys.root.publicKey,
    serial: Uint8Array.of(1),
    notBefore: new Date(0),
    notAfter: new Date(until * 1000),
    extensions: [keyUsage("authority"), basicConstraints(1)],
  };
  return issueCertificate({ ...terms, ...changes }, by);
}

/** A TCB signing certificate, of serial 2. */
export function signingCertificate(changes: Partial<Parameters<typeof issueCertificate>[0]> = {}): Uint8Array {
  return certificate({
    subject: names.signing,
    subjectKey: keys.signing.publicKey,
    serial: Uint8Array.of(2),
    extensions: [keyUsage("leaf"), basicConstraints(undefined)],
    ...changes,
  });
}

/** What a revocation list says. */
export type CrlTerms = {
  version: number;
  issuer: Uint8Array;
  thisUpdate: number;
  nextUpdate: number;
  revoked: readonly bigint[];
  entryExtensions: readonly Uint8Array[];
  extensions: readonly Uint8Array[];
};

const crlNumber = extension("2.5.29.20", asn1.unsignedInteger(Uint8Array.of(7)));
const ecdsa = asn1.sequence(asn1.oid("1.2.840.10045.4.3.2"));

/** A revocation list. */
export function crl(by: P256KeyPair, changes: Partial<CrlTerms>): Uint8Array {
  const terms: CrlTerms = {
    version: 1,
    issuer: names.root,
    thisUpdate: from,
    nextUpdate: until,
    revoked: [],
    entryExtensions: [extension("2.5.29.21", asn1.enumerated(1))],
    extensions: [crlNumber],
    ...changes,
  };
  const time = (unixSeconds: number) => asn1.time(new Date(unixSeconds * 1000));
  const entries = terms.revoked.map((serial) => {
    const hex = serial.toString(16);
    const bytes = hexToBytes(`0x${hex.padStart(hex.length + (hex.length % 2), "0")}`);
    return asn1.sequence(asn1.unsignedInteger(bytes), time(from), asn1.sequence(...terms.entryExtensions));
  });
  const tbs = asn1.sequence(
    asn1.unsignedInteger(Uint8Array.of(terms.version)),
    ecdsa,
    terms.issuer,
    time(terms.thisUpdate),
    time(terms.nextUpdate),
    ...(entries.length === 0 ? [] : [asn1.sequence(...entries)]),
    asn1.der(0xa0, asn1.sequence(...terms.extensions)),
  );
  const [r, s] = [signP256(tbs, by.privateKey).subarray(0, 32), signP256(tbs, by.privateKey).subarray(32)];
  const signature = asn1.sequence(asn1.unsignedInteger(r), asn1.unsignedInteger(s));
  return asn1.sequence(tbs, ecdsa, asn1.bitString(signature));
}

const iso = (unixSeconds: number) => new Date(unixSeconds * 1000).toISOString().replace(".000", "");
const vectorDir = "tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20";

/** Intel's TCB info of this kind of platform, valid now, as an object to change. */
export function tcbInfoJson() {
  return { ...jsonVector(`${vectorDir}/tcb_info.json`), issueDate: iso(from), nextUpdate: iso(until) };
}

/** Intel's QE identity, valid now, as an object to change. */
export function qeIdentityJson() {
  return { ...jsonVector(`${vectorDir}/qe_identity.json`), issueDate: iso(from), nextUpdate: iso(until) };
}

/** Bytes of JSON as Intel writes it. */
export const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** TCB info and its signature. */
export function signedTcbInfo(tcbInfo: Uint8Array): Partial<Collateral> {
  return { tcbInfo, tcbInfoSignature: signP256(tcbInfo, keys.signing.privateKey) };
}

/** QE identity and its signature. */
export function signedQeIdentity(qeIdentity: Uint8Array): Partial<Collateral> {
  return { qeIdentity, qeIdentitySignature: signP256(qeIdentity, keys.signing.privateKey) };
}

/** Honest collateral of the simulated platform, with changes. */
export function signedCollateral(changes: Partial<Collateral> = {}): Collateral {
  return { ...honest, ...changes };
}

const honest = {
  ...signedTcbInfo(jsonBytes(tcbInfoJson())),
  ...signedQeIdentity(jsonBytes(qeIdentityJson())),
  tcbSigning: signingCertificate(),
  pckCa: platform.certificates.pckIssuer,
  rootCa: certificate({}),
  rootCaCrl: crl(keys.root, {}),
  pckCrl: crl(keys.pckCa, { issuer: names.pckCa }),
} as Collateral;

/** A TDX 1.5 quote (version 5) of what a version 4 quote says. */
export function asTdx15(quote: Uint8Array, teeTcbSvn2: Uint8Array, mrServiceTd = new Uint8Array(48)): Uint8Array {
  const { header, signedPart } = parseQuote(quote);
  const body = signedPart.subarray(48);
  const rest = quote.subarray(signedPart.length);
  const signed = new Uint8Array(54 + 648);
  signed.set(header);
  signed.set([5, 0], 0);
  signed.set([3, 0, 648 & 0xff, 648 >> 8, 0, 0], 48);
  signed.set(body, 54);
  signed.set(teeTcbSvn2, 54 + 584);
  signed.set(mrServiceTd, 54 + 600);
  const whole = new Uint8Array(signed.length + rest.length);
  whole.set(signed);
  whole.set(rest, signed.length);
  whole.set(signP256(signed, keys.attestation.privateKey), signed.length + 4);
  return whole;
}
