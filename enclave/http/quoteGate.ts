/**
 * Room: enclave/http. Fresh quotes are slow and the quoting enclave is shared: one at a time, few waiting.
 */
import type { Hex } from "viem";
import { HttpError } from "./problem.ts";
import type { WorkerApi } from "./workerApi.ts";

const maxWaiting = 8;

/**
 * Guards {@link WorkerApi.attestation}: quotes are made one after the other, equal nonces share one, and when too many
 * wait the next is refused. Requests without a nonce pass: their quote exists.
 *
 * @returns a function that throws {@link QuoteBusyError}.
 * @example
 * const attestation = quoteGate(api.attestation)
 */
export function quoteGate(make: WorkerApi["attestation"]): WorkerApi["attestation"] {
  const pending = new Map<Hex, ReturnType<WorkerApi["attestation"]>>();
  let last: Promise<unknown> = Promise.resolve();

  return async function attestation(nonce) {
    if (nonce === undefined) return make();
    const shared = pending.get(nonce);
    if (shared) return shared;
    if (pending.size >= maxWaiting) throw new QuoteBusyError();
    const mine = last.then(() => make(nonce));
    last = mine.catch(() => undefined); // the next one is made whether or not this one succeeds
    pending.set(nonce, mine);
    try {
      return await mine;
    } finally {
      pending.delete(nonce);
    }
  };
}

/** Too many quotes are being waited for. */
export class QuoteBusyError extends HttpError {
  override readonly name = "Http.QuoteBusyError";
  override readonly status = 503;
  override readonly headers = { "Retry-After": "5" };
  constructor() {
    super(`${maxWaiting} fresh quotes are being waited for already.`, {
      hint: "Try again in a few seconds, or leave out the nonce to get the registration's quote.",
      retryable: true,
    });
  }
}
