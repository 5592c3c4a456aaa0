/**
 * Room: enclave/jobs/settlement. What the contract's refusal of a receipt means for the job.
 */

/** What to do after a settlement was tried. */
export type SettlementVerdict =
  /** Mined, or ended by someone else: nothing left to do but to see it in the events. */
  | "ended"
  /** An enclave on this platform has said its word: the others' are awaited. */
  | "counted"
  /** Another enclave has accepted the job. */
  | "acceptedByOther"
  /** The receipt rests on a block or a key that is gone: make a new one. */
  | "rerun"
  /** The market takes no grant for it, for instance because it was revoked since: sign a FAILED receipt instead. */
  | "consentEnded"
  /** The deadline has passed: whoever likes may expire the job. */
  | "tooLate"
  /** Something else: try the same again later. */
  | "retry";

/**
 * Reads a contract error of `JobMarket.settle`, `settleOrders` and `claimSession`.
 *
 * @param errorName - as declared in IJobMarket.sol and ISessions.sol.
 * @example
 * verdictOf("JobMarket_BadAnchor") // "rerun"
 */
export function verdictOf(errorName: string): SettlementVerdict {
  switch (errorName) {
    case "JobMarket_NotOpen":
    case "JobMarket_UnknownJob":
    case "Sessions_WrongState":
    case "JobMarket_NonceUsed":
      return "ended";
    case "JobMarket_SamePlatform":
      return "counted";
    case "JobMarket_AcceptedByOther":
      return "acceptedByOther";
    case "JobMarket_BadAnchor":
    case "JobMarket_EnclaveNotLive":
      return "rerun";
    case "JobMarket_GrantRevoked":
    case "JobMarket_GrantUsedUp":
    case "JobMarket_GrantNotInForce":
    case "JobMarket_GrantBadSignature":
    // What follows the enclave has checked itself: if the market sees it otherwise, the job must end all the same.
    case "JobMarket_GrantMismatch":
    case "JobMarket_GrantCountMismatch":
    case "JobMarket_TooManyResultReaders":
    case "JobMarket_PriceTooHigh":
    case "Sessions_PriceMismatch":
    case "DatasetRegistry_UnknownDataset":
      return "consentEnded";
    case "JobMarket_DeadlinePassed":
    case "JobMarket_BadDeadline":
      return "tooLate";
    default:
      return "retry";
  }
}
