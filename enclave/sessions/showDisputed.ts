/**
 * Room: enclave/sessions/showDisputed. Shows leaves of a claim that its payer disputes: each is paid then, and its bond is
 * the operator's.
 */
import type { Address } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import type { At } from "../chain/call.ts";
import type { Reader } from "../chain/reader.ts";
import { type Sender, TransactionRefusedError, TransactionRevertedError } from "../chain/sender.ts";
import { leavesPerTransaction } from "../jobs/serves.ts";
import type { KeptClaim } from "../store/claimsTable.ts";
import { CorruptRowError } from "../store/rows.ts";
import type { KeptSession } from "../store/sessionsTable.ts";
import type { Store } from "../store/store.ts";
import { showCall } from "./makeClaim.ts";

/** What showing takes. */
export type ShowPorts = {
  market: Address;
  sender: Pick<Sender, "send">;
  reader: Pick<Reader, "leafCounts" | "leafState">;
  store: Pick<Store, "sessionJobs" | "signedOutcome">;
  newest(): Promise<At>;
  problem(sessionId: `0x${string}`, error: unknown): void;
};

/** Leaves whose state is asked for at once. */
const atOnce = 32;

/**
 * Shows the first of the leaves that are disputed and not shown, and can be; to be called again for the others.
 *
 * @returns whether any was shown.
 * @throws errors of the chain and the sender.
 * @example
 * while (await showDisputed(ports, session, claim));
 */
export async function showDisputed(ports: ShowPorts, session: KeptSession, kept: KeptClaim): Promise<boolean> {
  const most = leavesPerTransaction(session.order);
  let some: Shown[] = [];
  for await (const leaf of disputedLeaves(ports, session, kept)) {
    const shown = leafOf(ports, session, kept, leaf);
    if (shown !== undefined) some.push(shown);
    if (some.length < most) continue;
    // Those that the store has lost, or the market does not take, hold up no other.
    if (await showSome(ports, session, kept, some)) return true;
    some = [];
  }
  return some.length > 0 && showSome(ports, session, kept, some);
}

/** @returns whether any was shown. */
async function showSome(
  ports: ShowPorts,
  session: KeptSession,
  kept: KeptClaim,
  shown: readonly Shown[],
): Promise<boolean> {
  try {
    await send(ports, session, kept, shown);
    return true;
  } catch (error) {
    // All or none: one that somebody has shown meanwhile, or that cannot be shown, must not end the others.
    if (shown.length === 1) return skip(ports, session, error);
    if (!(error instanceof TransactionRefusedError || error instanceof TransactionRevertedError)) throw error;
  }
  let any = false;
  for (const one of shown) {
    const isShown = send(ports, session, kept, [one]).then(() => true);
    any = (await isShown.catch((cause) => skip(ports, session, cause))) || any;
  }
  return any;
}

type Shown = NonNullable<ReturnType<typeof leafOf>>;

async function send(ports: ShowPorts, session: KeptSession, kept: KeptClaim, shown: readonly Shown[]): Promise<void> {
  const isDone = async () => {
    const at = await ports.newest();
    const states = await Promise.all(shown.map(({ leaf }) => ports.reader.leafState(session.sessionId, leaf, at)));
    return states.every(({ settled }) => settled);
  };
  await ports.sender.send({ to: ports.market, data: showCall(session, kept, shown) }, isDone);
}

function skip(ports: ShowPorts, { sessionId }: KeptSession, error: unknown): false {
  if (!(error instanceof TransactionRefusedError)) throw error;
  ports.problem(sessionId, error);
  return false;
}

async function* disputedLeaves(
  ports: ShowPorts,
  { sessionId }: KeptSession,
  { leaves }: KeptClaim,
): AsyncGenerator<number> {
  const at = await ports.newest();
  const { disputedOk, disputedFailed } = await ports.reader.leafCounts(sessionId, at);
  let left = disputedOk + disputedFailed;
  for (let from = 0; from < leaves.length && left > 0; from += atOnce) {
    const numbers = leaves.slice(from, from + atOnce).map((_, i) => from + i);
    const states = await Promise.all(numbers.map((leaf) => ports.reader.leafState(sessionId, leaf, at)));
    for (const [i, leaf] of numbers.entries()) {
      if (!states[i]?.disputed || states[i].settled) continue;
      left -= 1;
      yield leaf;
    }
  }
}

/** What a leaf is shown by; undefined if the store has lost it. */
function leafOf({ store, problem }: ShowPorts, session: KeptSession, { leaves }: KeptClaim, leaf: number) {
  const { jobId, receiptHash } = leaves[leaf] ?? { jobId: "0x", receiptHash: "0x" };
  try {
    const job = store.sessionJobs.byId(jobId, session);
    const receipt = store.signedOutcome(jobId, receiptHash)?.receipt;
    if (job !== undefined && receipt !== undefined) return { leaf, job, receipt };
  } catch (error) {
    if (!(error instanceof CorruptRowError)) throw error;
  }
  problem(session.sessionId, new LeafLostError(session.sessionId, leaf));
  return undefined;
}

/** Order or receipt of a leaf is not in the store any more. */
export class LeafLostError extends BaseError {
  override readonly name = "Sessions.LeafLostError";
  constructor(sessionId: `0x${string}`, leaf: number) {
    super(`Leaf ${leaf} of session ${sessionId} cannot be shown: its order or receipt is not in the store.`, {
      hint: "Restore the data directory from a copy; whoever has fetched the leaf before can show it, too.",
    });
  }
}
