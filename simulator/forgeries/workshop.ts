/**
 * Room: simulator/forgeries. Where wrong quotes and collateral are made, truly signed with a platform's own keys. Pure.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { type Authorities, type Authority, type CertificateChanges, createAuthorities } from "../authorities.ts";
import { type CollateralOptions, simulatedCollateral } from "../collateral.ts";
import { signP256 } from "../ecdsa.ts";
import { issuePckChain, type PckChain, type PlatformTcb } from "../pckChain.ts";
import type { Platform } from "../platform.ts";
import { createQuotingEnclave, type QuoteForm } from "../quotingEnclave.ts";
import { type P256KeyPair, p256KeyPair, type Secrets, secretsOf, seedSize } from "../secrets.ts";
import type { TdReport } from "../tdReport.ts";

/** A quote and collateral of which one thing is wrong, and everything else genuine. */
export type Forgery = {
  /** In kebab-case. */
  name: string;
  /** The rule that refuses it. */
  check: string;
  /** Where the wrong thing lies. Certificates other than the PCK leaf are collateral. */
  part: "quote" | "collateral";
  quote: Uint8Array;
  collateral: Collateral;
  /** Unix seconds: when it is judged. */
  at: number;
  /** Collateral that was there before: what is wrong of `collateral` is that it goes behind it. */
  before?: Collateral;
};

/** Where parts of a quote of version 4 start, in bytes. Source: Intel TDX DCAP Quoting Library API, A.3. */
export const offset = {
  version: 0,
  attestationKeyType: 2,
  teeType: 4,
  qeVendorId: 12,
  signatureDataSize: 632,
  signature: 636,
  attestationKey: 700,
  certificationType: 764,
  certificationSize: 766,
  qeReport: 770,
  qeSignature: 1154,
  authDataSize: 1218,
  authData: 1220,
  chainType: 1252,
  chainSize: 1254,
  chain: 1258,
} as const;

/** How much later all that lies behind the body is in other forms. */
const bodyGrowth = { v4: 0, "v5-td10": 6, "v5-td15": 70 } as const satisfies Record<QuoteForm, number>;

/** Changes bytes in place. */
export type Edit = (bytes: Uint8Array) => void;

/** What to do otherwise in a quote; in the order in which it is done. */
export type QuoteEdits = {
  form?: QuoteForm;
  chain?: PckChain;
  report?: Partial<TdReport>;
  /** Header and body; the attestation key signs them afterwards. */
  signed?: Edit;
  /** The quoting enclave's report; the PCK signs it afterwards. */
  qeReport?: Edit;
  /** The whole, unsigned. */
  raw?: Edit;
};

/** Keys, certificates and tools of a platform. */
export type Workshop = {
  at: number;
  /** When genuine collateral was issued: a day ago. */
  issuedAt: number;
  secrets: Secrets;
  authorities: Authorities;
  chain: PckChain;
  attestationKeys: P256KeyPair;
  report(changes?: Partial<TdReport>): TdReport;
  quote(edits?: QuoteEdits): Uint8Array;
  collateral(options?: Partial<CollateralOptions>, authorities?: Authorities): Collateral;
  /** The authorities with other certificates, signed anew. */
  authoritiesWith(changes: Partial<Record<Authority, CertificateChanges>>): Authorities;
  /** The chain with another leaf, under these authorities. */
  chainWith(changes: { leaf?: CertificateChanges; tcb?: Partial<PlatformTcb> }, authorities?: Authorities): PckChain;
  /** Collateral with other JSON, signed by the TCB signing key. */
  json(item: "tcbInfo" | "qeIdentity", edit: (text: string) => string): Collateral;
  forge(part: Forgery["part"], name: string, check: string, changed: Partial<Forgery>): Forgery;
};

/**
 * Opens the workshop of a platform.
 *
 * @param at - Unix seconds.
 * @param reportData - of every quote, 64 bytes.
 * @example
 * const workshop = openWorkshop(platform, 1_787_184_000, new Uint8Array(64));
 */
export function openWorkshop(platform: Platform, at: number, reportData: Uint8Array): Workshop {
  const { secrets } = platform;
  const issuedAt = at - 86_400;
  const authorities = createAuthorities(secrets);
  const chain = issuePckChain(secrets, authorities);
  const attestationKeys = p256KeyPair(secrets, "attestation key");

  const report = (changes?: Partial<TdReport>) => platform.report(reportData, changes);

  function quote(edits: QuoteEdits = {}): Uint8Array {
    const { form = "v4", chain: under = chain } = edits;
    const bytes = createQuotingEnclave(secrets, under, form)(report(edits.report));
    const shift = bodyGrowth[form];
    const signed = bytes.subarray(0, offset.signatureDataSize + shift);
    if (edits.signed !== undefined) {
      edits.signed(signed);
      bytes.set(signP256(signed, attestationKeys, "compact"), offset.signature + shift);
    }
    const qeReport = bytes.subarray(offset.qeReport + shift, offset.qeSignature + shift);
    if (edits.qeReport !== undefined) {
      edits.qeReport(qeReport);
      bytes.set(signP256(qeReport, under.pckKeys, "compact"), offset.qeSignature + shift);
    }
    edits.raw?.(bytes);
    return bytes;
  }

  const collateral = (options: Partial<CollateralOptions> = {}, by = authorities) =>
    simulatedCollateral(by, { now: issuedAt, ...options });
  const genuine = { quote: quote(), collateral: collateral() };

  return {
    at,
    issuedAt,
    secrets,
    authorities,
    chain,
    attestationKeys,
    report,
    quote,
    collateral,
    authoritiesWith: (changes) => createAuthorities(secrets, changes),
    chainWith: (changes, by = authorities) => issuePckChain(secrets, by, changes),
    json(item, edit) {
      const bytes = utf8ToBytes(edit(new TextDecoder().decode(genuine.collateral[item])));
      const signature = signP256(bytes, authorities.keys.tcbSigning, "compact");
      return { ...genuine.collateral, [item]: bytes, [`${item}Signature`]: signature };
    },
    forge: (part, name, check, changed) => ({ name, check, part, at, ...genuine, ...changed }),
  };
}

/**
 * Secrets of a stranger: another platform, or another who plays Intel.
 *
 * @example
 * createAuthorities(strangerTo(workshop.secrets))
 */
export function strangerTo(secrets: Secrets): Secrets {
  return secretsOf(secrets("stranger", seedSize));
}

/**
 * What a quoting enclave binds an attestation key with: the head of its report data.
 *
 * @param attestationKey - x || y, 64 bytes.
 * @example
 * report.set(bindingOf(key, authData), 320)
 */
export function bindingOf(attestationKey: Uint8Array, authData: Uint8Array): Uint8Array {
  return sha256(concatBytes(attestationKey, authData));
}

/** Writes bytes at a place. */
export const put =
  (at: number, ...bytes: readonly number[]): Edit =>
  (target) =>
    target.set(bytes, at);

/** Adds to a little-endian number of two bytes or more; it must not carry. */
export const add =
  (at: number, difference: number): Edit =>
  (target) => {
    const view = new DataView(target.buffer, target.byteOffset, target.length);
    view.setUint16(at, view.getUint16(at, true) + difference, true);
  };
