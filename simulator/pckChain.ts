/**
 * Room: simulator/pckChain. The certificates of a simulated platform: root CA, PCK Platform CA, PCK leaf. Pure.
 * Mirrors Intel's chain field by field, but for the organisation, which says SIMULATED, and the validity.
 * Source: Intel "SGX PCK Certificate and CRL Profile Specification", revision 1.5; compared with real leaves in tests.
 */
import {
  authorityKey,
  basicConstraints,
  crlDistribution,
  distinguishedName,
  extension,
  issueCertificate,
  keyIdentifier,
  keyUsage,
  subjectKey,
} from "./certificate.ts";
import * as asn1 from "./der.ts";
import { type P256KeyPair, p256KeyPair, type Secrets } from "./secrets.ts";

/** A simulated platform's certificates, DER, and the key its quoting enclave is certified with. */
export type PckChain = {
  root: Uint8Array;
  /** PCK Platform CA. */
  issuer: Uint8Array;
  leaf: Uint8Array;
  /** 65-byte uncompressed point of the root. */
  rootPublicKey: Uint8Array;
  pckKeys: P256KeyPair;
  /** Platform id, 16 bytes. */
  ppid: Uint8Array;
};

/** SVNs of the simulated platform: those of a real one (FMSPC B0C06F000000) in 2025. */
export const platformTcb = {
  componentSvns: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 11,
  pceId: Uint8Array.of(0, 0),
  fmspc: Uint8Array.of(0xb0, 0xc0, 0x6f, 0, 0, 0),
} as const;

// Fixed, so that a seed always gives the same certificates. Intel's: leaf 7 years, CA 15, root until the same second.
const notBefore = new Date("2024-01-01T00:00:00Z");
const notAfter = new Date("2044-01-01T00:00:00Z");
const rootNotAfter = new Date("2049-12-31T23:59:59Z");

/**
 * Issues the chain of the platform that the secrets belong to.
 *
 * @example
 * const { root, issuer, leaf } = issuePckChain(secretsOf(seed))
 */
export function issuePckChain(secrets: Secrets): PckChain {
  const rootKeys = p256KeyPair(secrets, "root CA");
  const issuerKeys = p256KeyPair(secrets, "PCK Platform CA");
  const pckKeys = p256KeyPair(secrets, "PCK");
  const ppid = secrets("PPID", 16);

  const rootName = nameOf("Intel SGX Root CA");
  const issuerName = nameOf("Intel SGX PCK Platform CA");
  const rootCrl = crlDistribution("https://simulated.invalid/IntelSGXRootCA.der");
  const leafSerial = secrets("PCK serial", 20);
  leafSerial[0] = ((leafSerial[0] ?? 0) & 0x3f) | 0x40; // positive, and 20 bytes long

  const root = issueCertificate(
    {
      issuer: rootName,
      subject: rootName,
      subjectKey: rootKeys.publicKey,
      serial: keyIdentifier(rootKeys.publicKey),
      notBefore,
      notAfter: rootNotAfter,
      extensions: [
        authorityKey(rootKeys.publicKey),
        rootCrl,
        subjectKey(rootKeys.publicKey),
        keyUsage("authority"),
        basicConstraints(1),
      ],
    },
    rootKeys,
  );
  const issuer = issueCertificate(
    {
      issuer: rootName,
      subject: issuerName,
      subjectKey: issuerKeys.publicKey,
      serial: keyIdentifier(issuerKeys.publicKey),
      notBefore,
      notAfter,
      extensions: [
        authorityKey(rootKeys.publicKey),
        rootCrl,
        subjectKey(issuerKeys.publicKey),
        keyUsage("authority"),
        basicConstraints(0),
      ],
    },
    rootKeys,
  );
  const leaf = issueCertificate(
    {
      issuer: issuerName,
      subject: nameOf("Intel SGX PCK Certificate"),
      subjectKey: pckKeys.publicKey,
      serial: leafSerial,
      notBefore,
      notAfter,
      extensions: [
        authorityKey(issuerKeys.publicKey),
        crlDistribution("https://simulated.invalid/sgx/certification/v4/pckcrl?ca=platform&encoding=der"),
        subjectKey(pckKeys.publicKey),
        keyUsage("leaf"),
        basicConstraints(undefined),
        sgxExtension(ppid, secrets("platform instance id", 16)),
      ],
    },
    issuerKeys,
  );
  return { root, issuer, leaf, rootPublicKey: rootKeys.publicKey, pckKeys, ppid };
}

function nameOf(commonName: string): Uint8Array {
  return distinguishedName([
    ["CN", commonName],
    ["O", "SIMULATED (not Intel Corporation)"],
    ["L", "Simulated"],
    ["ST", "NA"],
    ["C", "ZZ"], // ISO 3166: user-assigned, no country
  ]);
}

const sgx = "1.2.840.113741.1.13.1";

/** The "SGX Extensions" of a PCK leaf: who the platform is and which SVNs it runs. */
function sgxExtension(ppid: Uint8Array, platformInstanceId: Uint8Array): Uint8Array {
  const entry = (id: string, value: Uint8Array) => asn1.sequence(asn1.oid(`${sgx}.${id}`), value);
  const svn = (value: number) => asn1.unsignedInteger(Uint8Array.of(value));
  const tcb = asn1.sequence(
    ...platformTcb.componentSvns.map((value, index) => entry(`2.${index + 1}`, svn(value))),
    entry("2.17", svn(platformTcb.pceSvn)),
    entry("2.18", asn1.octetString(Uint8Array.from(platformTcb.componentSvns))),
  );
  const configuration = asn1.sequence(
    entry("7.1", asn1.derTrue), // dynamic platform
    entry("7.2", asn1.derTrue), // cached keys
    entry("7.3", asn1.derTrue), // SMT enabled
  );
  return extension(
    sgx,
    asn1.sequence(
      entry("1", asn1.octetString(ppid)),
      entry("2", tcb),
      entry("3", asn1.octetString(platformTcb.pceId)),
      entry("4", asn1.octetString(platformTcb.fmspc)),
      entry("5", asn1.enumerated(1)), // SGX type: scalable
      entry("6", asn1.octetString(platformInstanceId)),
      entry("7", configuration),
    ),
  );
}
