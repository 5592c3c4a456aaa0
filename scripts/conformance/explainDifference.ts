/**
 * Room: scripts/conformance. Why the contracts and @phala/dcap-qvl differ on a quote. This project's own verifier in
 * TypeScript decides: where it says the same as the contracts, what dcap-qvl does otherwise is the reason.
 */
import type { Comparison } from "../../sdk/quote/compareWithDcapQvl.ts";
import type { OnChainVerdict } from "./onChain.ts";

/** Why two verdicts differ. Not `explained`: nobody knows, and somebody ought to. */
export type Difference = { explained: boolean; reason: string };

/** How `compareWithDcapQvl` says that it does not know. */
const unknownReason = "not explained";
const sgxQuoteVersion = 3;
const anyIssuersRevocation = "Certificate is revoked";

/**
 * Explains a difference: in acceptance, or in the TCB status that a quote gets.
 *
 * @param compared - own verdict and dcap-qvl's, on the same quote.
 * @returns undefined if contracts and dcap-qvl say the same.
 * @example
 * const difference = explainDifference(onChain, compareWithDcapQvl(quote, collateral, at), quote)
 */
export function explainDifference(
  onChain: OnChainVerdict,
  { own, dcapQvl, differences }: Comparison,
  quote: Uint8Array,
): Difference | undefined {
  // No level fits: dcap-qvl calls that an error, the contracts a status.
  const status = onChain.status === "Unsupported" ? undefined : (onChain.status ?? undefined);
  if (onChain.accepted === dcapQvl.accepted && status === dcapQvl.status) return undefined;
  // Intel signs these documents in one order of fields and one spelling. The contracts read no other; here any order goes.
  if (own.accepted && /^(tcbInfo|qeIdentity): Json_Unexpected\(/.test(onChain.error ?? ""))
    return { explained: true, reason: "the contracts read TCB info and QE identity only as Intel spells them" };
  if (onChain.accepted !== own.accepted || status !== own.tcb?.status) {
    const [chain, ours] = [wordsFor(onChain.accepted, status, onChain.error), own.error?.message ?? ""];
    const rules = wordsFor(own.accepted, own.tcb?.status, ours);
    return {
      explained: false,
      reason: `the contracts say ${chain}; this project's verifier in TypeScript says ${rules}`,
    };
  }
  if (quote[0] === sgxQuoteVersion && dcapQvl.status !== undefined)
    return { explained: true, reason: "an SGX quote: the contracts take TDX only, dcap-qvl judges both" };
  if (own.accepted && dcapQvl.error === anyIssuersRevocation)
    return {
      explained: true,
      reason: "dcap-qvl takes a serial number on any list for the certificate's, whoever issued it",
    };
  if (/^PCK CA (signature|name|role|dates|revocation)$/.test(own.checks.find(({ passed }) => !passed)?.check ?? ""))
    return { explained: true, reason: "dcap-qvl does not look at the collateral's PCK CA, it takes the quote's" };
  return { explained: !differences.some((one) => one.includes(unknownReason)), reason: differences.join(" ") };
}

function wordsFor(accepted: boolean, status: string | undefined, error: string | null): string {
  if (accepted) return `accepted, ${status}`;
  return `refused, ${[status, error].filter(Boolean).join(", ")}`;
}
