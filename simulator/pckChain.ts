/**
 * Room: simulator/pckChain. The PCK certificate of a simulated platform, and the chain above it. Pure.
 * Source: Intel "SGX PCK Certificate and CRL Profile Specification", revision 1.5; compared with real leaves in tests.
 */
import { type Authorities, type CertificateChanges, commonNames, issueChanged, validity } from "./authorities.ts";
import {
  authorityKey,
  basicConstraints,
  type CertificateTerms,
  crlDistribution,
  extension,
  intelName,
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
  /** Certificates between `leaf` and `issuer`: none, but in forgeries. */
  between?: readonly Uint8Array[];
  pckKeys: P256KeyPair;
  /** Platform id, 16 bytes. */
  ppid: Uint8Array;
  /** Serial number of `leaf`, 20 bytes. */
  serial: Uint8Array;
};

/** What a platform runs. */
export type PlatformTcb = {
  /** SGX components, 16. */
  componentSvns: readonly number[];
  pceSvn: number;
  /** 2 bytes. */
  pceId: Uint8Array;
  /** 6 bytes. */
  fmspc: Uint8Array;
};

/** What the simulated platform runs: as a real one (FMSPC B0C06F000000) in 2026. */
export const platformTcb: PlatformTcb = {
  componentSvns: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 11,
  pceId: Uint8Array.of(0, 0),
  fmspc: Uint8Array.of(0xb0, 0xc0, 0x6f, 0, 0, 0),
};

/** The object identifier of the SGX extension. */
export const sgxOid = "1.2.840.113741.1.13.1";

/**
 * Issues the PCK certificate of the platform that the secrets belong to.
 *
 * @param changes - of the certificate, and of the TCB in it: for tests of what a verifier must refuse.
 * @example
 * const { root, issuer, leaf } = issuePckChain(secrets, createAuthorities(secrets))
 */
export function issuePckChain(
  secrets: Secrets,
  authorities: Authorities,
  changes: { leaf?: CertificateChanges; tcb?: Partial<PlatformTcb> } = {},
): PckChain {
  const pckKeys = p256KeyPair(secrets, "PCK");
  const ppid = secrets("PPID", 16);
  const serial = secrets("PCK serial", 20);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // positive, and 20 bytes long
  const terms: CertificateTerms = {
    issuer: intelName(commonNames.pckCa),
    subject: intelName("Intel SGX PCK Certificate"),
    subjectKey: pckKeys.publicKey,
    serial,
    ...validity,
    extensions: [
      authorityKey(authorities.keys.pckCa.publicKey),
      crlDistribution("https://simulated.invalid/sgx/certification/v4/pckcrl?ca=platform&encoding=der"),
      subjectKey(pckKeys.publicKey),
      keyUsage("leaf"),
      basicConstraints(undefined),
      sgxExtension(ppid, secrets("platform instance id", 16), { ...platformTcb, ...changes.tcb }),
    ],
  };
  const { root, pckCa: issuer } = authorities.certificates;
  return { root, issuer, leaf: issueChanged(terms, authorities.keys.pckCa, changes.leaf), pckKeys, ppid, serial };
}

/** The "SGX Extensions" of a PCK leaf: who the platform is and which SVNs it runs. */
function sgxExtension(ppid: Uint8Array, platformInstanceId: Uint8Array, platform: PlatformTcb): Uint8Array {
  const entry = (id: string, value: Uint8Array) => asn1.sequence(asn1.oid(`${sgxOid}.${id}`), value);
  const svn = (value: number) => asn1.unsignedInteger(Uint8Array.of(value));
  const tcb = asn1.sequence(
    ...platform.componentSvns.map((value, index) => entry(`2.${index + 1}`, svn(value))),
    entry("2.17", svn(platform.pceSvn)),
    entry("2.18", asn1.octetString(Uint8Array.from(platform.componentSvns))),
  );
  const configuration = asn1.sequence(
    entry("7.1", asn1.derTrue), // dynamic platform
    entry("7.2", asn1.derTrue), // cached keys
    entry("7.3", asn1.derTrue), // SMT enabled
  );
  return extension(
    sgxOid,
    asn1.sequence(
      entry("1", asn1.octetString(ppid)),
      entry("2", tcb),
      entry("3", asn1.octetString(platform.pceId)),
      entry("4", asn1.octetString(platform.fmspc)),
      entry("5", asn1.enumerated(1)), // SGX type: scalable
      entry("6", asn1.octetString(platformInstanceId)),
      entry("7", configuration),
    ),
  );
}
