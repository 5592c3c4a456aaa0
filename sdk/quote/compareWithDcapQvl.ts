/**
 * Room: sdk/quote. Two verdicts on one quote, by our rules and by @phala/dcap-qvl, and why they differ where they do.
 */
import { bytesToHex } from "viem";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { type CheckOutcome, type Judgement, judgeQuote } from "../../protocol/collateral/judgeQuote.ts";
import { defaultPolicy, type TcbStatus } from "../../protocol/collateral/tcbStatus.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { UnsupportedQuoteError } from "../../protocol/quote/parseQuote.ts";
import { type DcapQvlVerdict, dcapQvlLacks, dcapQvlStricter, runDcapQvl } from "./dcapQvl.ts";

/** Both verdicts. */
export type Comparison = {
  /** Both accept. */
  accepted: boolean;
  own: Judgement;
  dcapQvl: DcapQvlVerdict;
  /** A sentence for each way in which the two differ. */
  differences: readonly string[];
  /** The root is not Intel's: nothing here is Intel's word. */
  simulated: boolean;
};

/**
 * Judges a quote twice.
 *
 * @param quote - a whole quote, with its certificate chain.
 * @param rootCa - DER of another root than Intel's.
 * @param policy - statuses that are accepted.
 * @throws what reading `rootCa` throws; what quote and collateral hold is judged.
 * @example
 * const { accepted, differences } = compareWithDcapQvl(quote, collateral, 1_786_621_538)
 */
export function compareWithDcapQvl(
  quote: Uint8Array,
  collateral: Collateral,
  atUnixSeconds: number,
  rootCa?: Uint8Array,
  policy: readonly TcbStatus[] = defaultPolicy,
): Comparison {
  const rootKey = rootCa === undefined ? intelRootKey : bytesToHex(readCertificate(rootCa).publicKey);
  const own = judgeQuote(quote, collateral, rootKey, atUnixSeconds, { policy });
  const dcapQvl = runDcapQvl(quote, collateral, atUnixSeconds, rootCa, policy);
  const accepted = own.accepted && dcapQvl.accepted;
  return { accepted, own, dcapQvl, differences: explain(own, dcapQvl), simulated: rootKey !== intelRootKey };
}

function explain(own: Judgement, dcapQvl: DcapQvlVerdict): string[] {
  const failed = own.checks.find(({ passed }) => !passed);
  const sameStatus = own.tcb?.status === dcapQvl.status;
  if (own.accepted === dcapQvl.accepted && (sameStatus || (own.tcb === undefined && dcapQvl.status === undefined)))
    return [];
  if (own.tcb !== undefined && dcapQvl.status !== undefined) return explainStatus(own.tcb, dcapQvl.status);
  if (own.tcb !== undefined) return [explainRefusal(dcapQvl.error)];
  if (own.error instanceof UnsupportedQuoteError)
    return [`${own.error.message} dcap-qvl reads it, and says ${dcapQvl.status}.`];
  return [explainMissing(failed, dcapQvl.status)];
}

function explainStatus(tcb: NonNullable<Judgement["tcb"]>, theirs: TcbStatus): string[] {
  const reasons: string[] = [];
  if (tcb.status.startsWith("TDRelaunchAdvised"))
    reasons.push("the TDX module has been updated since this TD was launched; dcap-qvl looks at the launch only");
  if (tcb.module !== undefined && tcb.module !== "UpToDate")
    reasons.push(`the TDX module is ${tcb.module} by tdxModuleIdentities, which dcap-qvl does not evaluate`);
  if (reasons.length === 0 && tcb.module !== undefined)
    reasons.push(dcapQvlStricter["No matching TCB level found"] ?? "");
  const why = reasons.join("; ") || "not explained: please report it";
  return [`TCB status is ${tcb.status}, dcap-qvl says ${theirs}: ${why}.`];
}

function explainRefusal(error: string | undefined): string {
  const why = dcapQvlStricter[error ?? ""] ?? "not explained: please report it";
  return `dcap-qvl refuses (${error ?? "no reason"}) what is evaluated here: ${why}.`;
}

function explainMissing(failed: CheckOutcome | undefined, theirs: TcbStatus | undefined): string {
  const check = failed?.check ?? "";
  const lack = dcapQvlLacks.find(({ checks }) =>
    checks.some((one) => (typeof one === "string" ? one === check : one.test(check))),
  );
  const why = lack === undefined ? "not explained: please report it" : `it does not check ${lack.what}`;
  return `dcap-qvl says ${theirs ?? "nothing"} though ${check} fails (${failed?.fact ?? "no reason"}): ${why}.`;
}
