/**
 * Room: protocol/collateral. Judges a quote by collateral: all that Intel asks for, and whether a policy accepts the TCB
 * status. Pure: the time is an argument. Never throws for what quote and collateral hold: a judgement says what is wrong.
 * Source: Intel QVL, QuoteVerifier (4.1.2.4); the order of the checks is ours.
 */

import { type Hex, hexToBytes } from "viem";
import { BaseError } from "../errors.ts";
import { type Certificate, readCertificate } from "../quote/certificate.ts";
import { intelName } from "../quote/intelNames.ts";
import { isSignedP256 } from "../quote/p256Signature.ts";
import { chainOf, parseQuote, quoteBytes, type SplitQuote, splitQuote } from "../quote/parseQuote.ts";
import type { TdReport } from "../quote/tdReport.ts";
import { type CheckedQuote, checkQuote, type QuoteCheck, QuoteCheckError } from "../quote/verifyQuote.ts";
import { commonNameOf } from "../quote/x509.ts";
import { sameBytes } from "../sameBytes.ts";
import type { Collateral } from "./collateral.ts";
import { evaluateTcb, moduleIdentityOf, requirePlatform, type TcbEvaluation } from "./evaluateTcb.ts";
import type { ModuleSigner } from "./tcbInfo.ts";
import { defaultPolicy, type TcbStatus } from "./tcbStatus.ts";
import {
  type CollateralCheck,
  CollateralCheckError,
  type VerifiedCollateral,
  verifyCollateral,
} from "./verifyCollateral.ts";

/** Checks that need both, in order; those of the collateral and of the quote come before. */
export const jointChecks = [
  "quote format",
  "collateral format",
  "certificate format",
  "root CA of the quote",
  "PCK CA match",
  "PCK CA of the quote revocation",
  "leaf common name",
  "leaf revocation",
  "platform match",
  "TDX module",
  "TCB level",
  "TCB policy",
] as const;

/** Name of a check. */
export type JudgementCheck = CollateralCheck | QuoteCheck | (typeof jointChecks)[number];

/** A check that was made. */
export type CheckOutcome = { check: JudgementCheck; passed: boolean; fact: string };

/** What a quote is worth. */
export type Judgement = {
  /** Every check passed, and the policy allows the status. */
  accepted: boolean;
  /** Every check up to the first that failed. */
  checks: readonly CheckOutcome[];
  /** Why the first one that failed did. */
  error: BaseError | undefined;
  /** Of a quote that is genuine, whether the policy allows its status or not. */
  tcb: TcbEvaluation | undefined;
  /** Of a quote whose own checks passed. */
  quote: CheckedQuote | undefined;
  /** Unix seconds: the last second at which certificates and collateral are valid. */
  validUntil: number | undefined;
};

/** What may be chosen. */
export type JudgementOptions = {
  /** Statuses that are accepted; by default {@link defaultPolicy}. Revoked never is. */
  policy?: readonly TcbStatus[];
};

/**
 * Judges a quote.
 *
 * @param quote - a whole quote, or what `EnclaveRegistry.register` was given.
 * @param rootKey - x || y of the P-256 root key, 64 bytes.
 * @param atUnixSeconds - the time at which certificates and collateral must be valid.
 * @example
 * const { accepted, tcb } = judgeQuote(quote, collateral, intelRootKey, 1_786_621_538)
 */
export function judgeQuote(
  quote: Uint8Array | SplitQuote,
  collateral: Collateral,
  rootKey: Hex,
  atUnixSeconds: number,
  options: JudgementOptions = {},
): Judgement {
  const { policy = defaultPolicy } = options;
  const checks: CheckOutcome[] = [];
  const passed = (check: JudgementCheck, fact: string) => void checks.push({ check, passed: true, fact });
  let stage: JudgementCheck = "quote format";
  let checked: CheckedQuote | undefined;
  let tcb: TcbEvaluation | undefined;
  let validUntil: number | undefined;
  try {
    const split = quote instanceof Uint8Array ? splitQuote(quote) : quote;
    const { version, report: body } = parseQuote(quoteBytes(split.quote));
    passed(stage, `version ${version}, TDX ${body.teeTcbSvn2 === undefined ? "1.0" : "1.5"}`);
    stage = "collateral format";
    const verified = verifyCollateral(collateral, rootKey, atUnixSeconds, passed);
    const { tcbInfo, qeIdentity } = verified;
    passed(
      stage,
      `evaluation numbers ${tcbInfo.evaluationNumber} (TCB info), ${qeIdentity.evaluationNumber} (QE identity)`,
    );
    stage = "certificate format";
    checked = checkQuote(split, { rootKey, atUnixSeconds, identity: qeIdentity.enclave, passed });
    if (quote instanceof Uint8Array) checkRoot(quote, rootKey, passed);
    passed(stage, "X.509 of Intel's PCK profile");
    validUntil = Math.min(checked.validUntil, verified.validUntil);
    checkRevocation(checked, verified, passed);
    stage = "platform match";
    requirePlatform(tcbInfo, checked.platform);
    passed(stage, `FMSPC ${checked.platform.fmspc}, PCE id ${checked.platform.pceId}`);
    stage = "TDX module";
    const signer = moduleIdentityOf(tcbInfo, checked.report.teeTcbSvn) ?? tcbInfo.module;
    if (!isModuleOf(checked.report, signer)) throw new JudgementError(stage, "of another signer, or other attributes");
    passed(stage, "of the signer and attributes that Intel lists");
    stage = "TCB level";
    const { report, platform, enclave } = checked;
    tcb = evaluateTcb(tcbInfo, qeIdentity, platform, report.teeTcbSvn, report.teeTcbSvn2, enclave.isvSvn);
    passed(stage, `platform ${tcb.platform}, TDX module ${tcb.module ?? "in it"}, QE ${tcb.qe}`);
    stage = "TCB policy";
    const allowed: readonly TcbStatus[] = policy.filter((status) => status !== "Revoked");
    if (!allowed.includes(tcb.status))
      throw new JudgementError(stage, `${tcb.status}; allowed: ${allowed.join(", ") || "nothing"}`);
    passed(stage, `${tcb.status} is allowed`);
    return { accepted: true, checks, error: undefined, tcb, quote: checked, validUntil };
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    checks.push(failure(error, stage));
    return { accepted: false, checks, error, tcb, quote: checked, validUntil };
  }
}

/** A whole quote brings a root certificate too. It is believed for nothing, but a false one means that it was altered. */
function checkRoot(quote: Uint8Array, rootKey: Hex, passed: (check: JudgementCheck, fact: string) => void): void {
  const root = readCertificate(chainOf(parseQuote(quote))[2]);
  const check = "root CA of the quote";
  const isRoot =
    sameBytes(root.publicKey, hexToBytes(rootKey)) && isSignedP256(root.signature, root.signedPart, root.publicKey);
  if (!isRoot) throw new JudgementError(check, "not of the root key");
  passed(check, "of the root key");
}

/** The quote brings its own PCK CA certificate: the list must be of that CA, and the certificate not on the root's. */
function checkRevocation(
  { leaf, issuer }: CheckedQuote,
  { pckCa, pckCrl, rootCrl }: VerifiedCollateral,
  passed: (check: JudgementCheck, fact: string) => void,
): void {
  const need = (check: JudgementCheck, holds: boolean, wrong: string, right: string) => {
    if (!holds) throw new JudgementError(check, wrong);
    passed(check, right);
  };
  const isSame = sameBytes(issuer.publicKey, pckCa.publicKey) && sameBytes(issuer.subject, pckCa.subject);
  need("PCK CA match", isSame, "the collateral is of another PCK CA", commonNameOf(pckCa.subject));
  const revoked = ({ serial }: Certificate) => `serial 0x${serial.toString(16)} is revoked`;
  const isIssuerGood = !rootCrl.revoked.includes(issuer.serial);
  need("PCK CA of the quote revocation", isIssuerGood, revoked(issuer), "not revoked");
  const isPck = sameBytes(leaf.subject, intelName("Intel SGX PCK Certificate"));
  need("leaf common name", isPck, "no PCK certificate", "Intel SGX PCK Certificate");
  need("leaf revocation", !pckCrl.revoked.includes(leaf.serial), revoked(leaf), "not revoked");
}

function isModuleOf({ mrSignerSeam, seamAttributes }: TdReport, signer: ModuleSigner): boolean {
  const { mrSigner, attributes, attributesMask } = signer;
  const isMasked = attributes.every((byte, i) => byte === ((seamAttributes[i] ?? 0) & (attributesMask[i] ?? 0)));
  return sameBytes(mrSignerSeam, mrSigner) && isMasked;
}

function failure(error: BaseError, stage: JudgementCheck): CheckOutcome {
  const isNamed =
    error instanceof QuoteCheckError || error instanceof CollateralCheckError || error instanceof JudgementError;
  return isNamed
    ? { check: error.check, passed: false, fact: error.fact }
    : { check: stage, passed: false, fact: error.message };
}

/** The check, which needs quote and collateral, did not pass. */
export class JudgementError extends BaseError {
  override readonly name = "Collateral.JudgementError";
  readonly check: JudgementCheck;
  readonly fact: string;
  constructor(check: JudgementCheck, fact: string) {
    super(`Quote refused, ${check}: ${fact}.`, {
      hint: "Have the platform patched and make a fresh quote, or fetch the collateral of this quote's platform.",
    });
    this.check = check;
    this.fact = fact;
  }
}
