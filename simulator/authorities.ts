/**
 * Room: simulator/authorities. The certificates above a simulated platform: root CA, PCK Platform CA, TCB signing. Pure.
 * Equal to Intel's but for keys, serials, dates of issue, and URLs, which end in .invalid; compared with them in tests.
 * Source: Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.
 */
import {
  authorityKey,
  basicConstraints,
  type CertificateTerms,
  crlDistribution,
  intelName,
  issueCertificate,
  keyIdentifier,
  keyUsage,
  subjectKey,
} from "./certificate.ts";
import { type P256KeyPair, p256KeyPair, type Secrets } from "./secrets.ts";

/** Who signs what. */
export type Authority = "root" | "pckCa" | "tcbSigning";

/** The authorities of a platform. */
export type Authorities = {
  keys: Record<Authority, P256KeyPair>;
  /** DER. */
  certificates: Record<Authority, Uint8Array>;
};

/** What to say otherwise in a certificate, and who is to sign it. */
export type CertificateChanges = Partial<Omit<CertificateTerms, "extensions">> & {
  signedBy?: P256KeyPair;
  extensions?: (honest: readonly Uint8Array[]) => readonly Uint8Array[];
};

/** Common names. */
export const commonNames = {
  root: "Intel SGX Root CA",
  pckCa: "Intel SGX PCK Platform CA",
  tcbSigning: "Intel SGX TCB Signing",
} as const satisfies Record<Authority, string>;

/** Validity of all certificates but the root's: fixed, so that a seed always gives the same. */
export const validity = { notBefore: new Date("2024-01-01T00:00:00Z"), notAfter: new Date("2044-01-01T00:00:00Z") };
const rootNotAfter = new Date("2049-12-31T23:59:59Z");

/**
 * Issues the certificates of the authorities that the secrets belong to.
 *
 * @param changes - for tests of what a verifier must refuse.
 * @example
 * const { keys, certificates } = createAuthorities(secretsOf(seed))
 */
export function createAuthorities(
  secrets: Secrets,
  changes: Partial<Record<Authority, CertificateChanges>> = {},
): Authorities {
  const keys = {
    root: p256KeyPair(secrets, "root CA"),
    pckCa: p256KeyPair(secrets, "PCK Platform CA"),
    tcbSigning: p256KeyPair(secrets, "TCB signing"),
  };
  const issue = (authority: Authority, use: "authority" | "leaf", pathLength: number | undefined): Uint8Array => {
    const { publicKey } = keys[authority];
    const terms: CertificateTerms = {
      issuer: intelName(commonNames.root),
      subject: intelName(commonNames[authority]),
      subjectKey: publicKey,
      serial: keyIdentifier(publicKey),
      notBefore: validity.notBefore,
      notAfter: authority === "root" ? rootNotAfter : validity.notAfter,
      extensions: [
        authorityKey(keys.root.publicKey),
        crlDistribution("https://simulated.invalid/IntelSGXRootCA.der"),
        subjectKey(publicKey),
        keyUsage(use),
        basicConstraints(pathLength),
      ],
    };
    return issueChanged(terms, keys.root, changes[authority]);
  };
  const certificates = {
    root: issue("root", "authority", 1),
    pckCa: issue("pckCa", "authority", 0),
    tcbSigning: issue("tcbSigning", "leaf", undefined),
  };
  return { keys, certificates };
}

/**
 * Signs a certificate that says something else than it should.
 *
 * @param issuerKeys - who signs, unless the changes say otherwise.
 * @example
 * issueChanged(terms, keys.root, { notAfter: new Date(0) })
 */
export function issueChanged(
  terms: CertificateTerms,
  issuerKeys: P256KeyPair,
  changes: CertificateChanges = {},
): Uint8Array {
  const { signedBy = issuerKeys, extensions = (honest) => honest, ...said } = changes;
  return issueCertificate({ ...terms, ...said, extensions: extensions(terms.extensions) }, signedBy);
}
