/**
 * Room: simulator/tlsCertificate. TLS keys and certificates under the app's own CA. RA-TLS (a quote in the
 * certificate) is not simulated.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import {
  authorityKey,
  basicConstraints,
  type CertificateTerms,
  distinguishedName,
  extension,
  issueCertificate,
  keyUsage,
  subjectKey,
  toPem,
} from "./certificate.ts";
import * as asn1 from "./der.ts";
import type { P256KeyPair } from "./secrets.ts";

/** What a TLS certificate is for. */
export type TlsTerms = {
  subject: string;
  /** DNS names, ASCII. */
  altNames: readonly string[];
  serverAuth: boolean;
  clientAuth: boolean;
  notBefore?: Date | undefined;
  notAfter?: Date | undefined;
};

/** A private key (PKCS#8 PEM) and its certificates (PEM), leaf first. */
export type TlsKey = { key: string; certificateChain: string[] };

const defaultNotBefore = new Date("1975-01-01T00:00:00Z"); // as dstack does: an app may boot without a clock
const defaultNotAfter = new Date("2044-01-01T00:00:00Z");
const caName = distinguishedName([
  ["O", "SIMULATED"],
  ["CN", "dstack App CA"],
]);

/**
 * Makes a fresh P-256 key and certifies it.
 *
 * @example
 * const { key, certificateChain } = issueTlsKey(platform.appCaKeys, terms)
 */
export function issueTlsKey(ca: P256KeyPair, terms: TlsTerms): TlsKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const leafKey = rawPoint(publicKey);
  const usages = [
    ...(terms.serverAuth ? [asn1.oid("1.3.6.1.5.5.7.3.1")] : []),
    ...(terms.clientAuth ? [asn1.oid("1.3.6.1.5.5.7.3.2")] : []),
  ];
  const names = terms.altNames.map((name) => asn1.der(0x82, utf8ToBytes(name)));
  const validity = {
    notBefore: terms.notBefore ?? defaultNotBefore,
    notAfter: terms.notAfter ?? defaultNotAfter,
  };
  const leaf: CertificateTerms = {
    ...validity,
    issuer: caName,
    subject: distinguishedName(terms.subject === "" ? [] : [["CN", terms.subject]]),
    subjectKey: leafKey,
    serial: concatBytes(Uint8Array.of(0x40), randomBytes(15)),
    extensions: [
      authorityKey(ca.publicKey),
      subjectKey(leafKey),
      keyUsage("leaf"),
      basicConstraints(undefined),
      ...(usages.length > 0 ? [extension("2.5.29.37", asn1.sequence(...usages))] : []),
      ...(names.length > 0 ? [extension("2.5.29.17", asn1.sequence(...names))] : []),
    ],
  };
  const caCertificate: CertificateTerms = {
    notBefore: defaultNotBefore,
    notAfter: defaultNotAfter,
    issuer: caName,
    subject: caName,
    subjectKey: ca.publicKey,
    serial: sha256(ca.publicKey).subarray(0, 16),
    extensions: [authorityKey(ca.publicKey), subjectKey(ca.publicKey), keyUsage("authority"), basicConstraints(0)],
  };
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificateChain: [toPem(issueCertificate(leaf, ca)), toPem(issueCertificate(caCertificate, ca))],
  };
}

/** 65-byte uncompressed point: the end of the key's SPKI. */
function rawPoint(publicKey: KeyObject): Uint8Array {
  return Uint8Array.from(publicKey.export({ type: "spki", format: "der" }).subarray(-65));
}
