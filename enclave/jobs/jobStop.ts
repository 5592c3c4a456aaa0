/**
 * Room: enclave/jobs/jobStop. How a job stops without a result: for good, or until something arrives.
 */

import type { FailureCode } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";

/**
 * The job cannot go on. `final`: a FAILED receipt is due at once; otherwise it waits for what is missing, and fails
 * with `code` when the waiting time is over. `fact` names ids and fields only, never data.
 */
export class JobStop extends BaseError {
  override readonly name = "Jobs.JobStop";
  readonly code: FailureCode;
  readonly final: boolean;
  constructor(code: FailureCode, fact: string, when: "now" | "later" = "now") {
    super(`${code}: ${fact}.`, {
      hint: when === "now" ? "The requester is refunded by a signed FAILED receipt." : "The job waits for it.",
      retryable: when === "later",
    });
    this.code = code;
    this.final = when === "now";
  }
}
