/**
 * Room: enclave/jobs/settlement. What the contract's refusal of a receipt means for the job.
 */

/** What to do after a settlement was tried. */
export type SettlementVerdict =
  /** Mined, or ended by someone else: nothing left to do but to see it in the events. */
  | "ended"
  /** The receipt rests on a block or a key that is gone: make a new one. */
  | "rerun"
  /** A consent ended between run and settlement: sign a FAILED receipt instead. */
  | "consentEnded"
  /** The deadline has passed: whoever likes may expire the job. */
  | "tooLate"
  /** Something else: try the same again later. */
  | "retry";

/**
 * Reads a contract error of `JobMarket.settle`.
 *
 * @param errorName - as declared in IJobMarket.sol.
 * @example
 * verdictOf("JobMarket_BadAnchor") // "rerun"
 */
export function verdictOf(errorName: string): SettlementVerdict {
  switch (errorName) {
    case "JobMarket_NotOpen":
    case "JobMarket_UnknownJob":
      return "ended";
    case "JobMarket_BadAnchor":
    case "JobMarket_EnclaveNotLive":
      return "rerun";
    case "JobMarket_GrantRevoked":
    case "JobMarket_GrantUsedUp":
    case "JobMarket_GrantNotInForce":
    case "JobMarket_GrantBadSignature":
      return "consentEnded";
    case "JobMarket_DeadlinePassed":
      return "tooLate";
    default:
      return "retry";
  }
}
