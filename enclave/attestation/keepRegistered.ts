/**
 * Room: enclave/attestation/keepRegistered. Keeps the registration alive: renews it well before it ends, and after it
 * has ended; registers anew if a reorganisation dropped it; stops the worker if it was ended for good.
 */
import type { Address } from "viem";
import { pause } from "../../protocol/chain/pause.ts";
import { type EnclaveState, enclaveStates } from "../../protocol/enclaveRecord.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type Registration, type RegistrationPorts, recordOf, register, renew } from "./registration.ts";
import { renewAt, retryAfterMs } from "./renewal.ts";

/** Pause after a renewal was found not to be worth it, as after so many failures: about a quarter of an hour. */
const notWorthIt = 5;

/** How to watch, and whom to tell. */
export type Watch = {
  /** Pause between two looks, ms. */
  everyMs: number;
  signal: AbortSignal;
  /** Told of each change; undefined: not registered any more. */
  changed(registration: Registration | undefined): void;
  /** Told of each failure; all are retried. */
  problem(error: unknown): void;
  /** Refreshes collateral; whether a renewal would now prolong the registration enough to be worth its gas. */
  worthRenewing(registration: Registration): Promise<boolean>;
  /** From 0 to below 1. */
  random?(): number;
  /** Monotonic milliseconds. */
  now?(): number;
  /** Ends early when the signal aborts. */
  pause?(ms: number, signal: AbortSignal): Promise<void>;
};

/**
 * Watches the registration until the signal aborts. Time is the newest block's: the host's clock has no say.
 *
 * @param first - what `register` returned.
 * @throws {@link RegistrationEndedError} if it was demoted or retired: its keys are worth nothing any more.
 * @example
 * await keepRegistered(ports, registration, { everyMs: 40_000, signal, changed, problem, worthRenewing })
 */
export async function keepRegistered(ports: RegistrationPorts, first: Registration, watch: Watch): Promise<void> {
  const { everyMs, signal, random = Math.random, now = () => performance.now(), pause: wait = pause } = watch;
  let newest = first;
  let due: bigint | undefined;
  let failures = 0;
  let retryAt = 0;

  while (!signal.aborted) {
    try {
      await look();
    } catch (error) {
      if (error instanceof RegistrationEndedError) throw error;
      if (signal.aborted) return;
      failures += 1;
      retryAt = now() + retryAfterMs(failures, random());
      watch.problem(error);
    }
    await wait(everyMs, signal);
  }

  async function look(): Promise<void> {
    const { timestamp } = await ports.newestBlock();
    const record = await recordOf(ports);
    if (record === undefined) {
      watch.changed(undefined);
      if (now() >= retryAt) adopt(await register(ports), timestamp);
      return;
    }
    const state = enclaveStates[record.state] ?? "None";
    if (state === "Demoted" || state === "Retired") throw new RegistrationEndedError(ports.identity.signingKey, state);
    // A reorganisation may have undone a renewal, or somebody else's renewal may have come first.
    if (record.expiresAt !== newest.expiresAt) {
      newest = { ...newest, expiresAt: record.expiresAt, tcbStatus: record.tcbStatus };
      due = undefined;
    }
    watch.changed(newest);
    due ??= renewAt(timestamp, newest.expiresAt, random());
    if (timestamp < due || now() < retryAt) return;
    if (await watch.worthRenewing(newest)) adopt(await renew(ports, newest), timestamp);
    else retryAt = now() + retryAfterMs(notWorthIt, random());
    failures = 0;
  }

  function adopt(registration: Registration, timestamp: bigint): void {
    newest = registration;
    due = renewAt(timestamp, newest.expiresAt, random());
    failures = 0;
    watch.changed(registration);
  }
}

/** The registration was demoted or retired: it never comes back, and the market takes nothing from its key. */
export class RegistrationEndedError extends BaseError {
  override readonly name = "Registration.RegistrationEndedError";
  readonly state: EnclaveState;
  constructor(signingKey: Address, state: "Demoted" | "Retired") {
    super(`The registration of enclave ${signingKey} was ${state.toLowerCase()}.`, {
      hint:
        state === "Retired"
          ? "Its operator ended it. Start the worker again to register new keys."
          : "Intel's collateral no longer stands behind the platform: update the host, then start the worker again.",
    });
    this.state = state;
  }
}
