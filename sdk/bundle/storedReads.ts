/**
 * Room: sdk/bundle/storedReads. What a call of a contract's view returns, from the words of storage it reads: such words can
 * be proven, a call cannot. Pure. Mirrors MarketViews.sol, Treasury.sol, Sessions.sol, EnclaveRegistry.enclave.
 */
import type { Address, Hex } from "viem";
import { jobStates, sessionStates } from "../../protocol/eip712.ts";
import { credit, enclaveRecord, jobState, type Stored, session, sessionLeaf } from "../proofs/layout.ts";

/** By function; arguments as viem takes them, and what is read as viem returns it; undefined: the contract reverts. */
const reads: Readonly<Record<string, (...args: never[]) => Stored<unknown>>> = {
  jobState: (index: bigint, jobId: Hex) => mapped(jobState(index, jobId), (state) => jobStates.indexOf(state)),
  creditOf: (account: Address, token: Address) => credit(account, token),
  enclave: (signingKey: Address) =>
    mapped(enclaveRecord(signingKey), (record) => (record.state === 0 ? undefined : record)),
  session: (sessionId: Hex) =>
    mapped(session(sessionId), ({ root, state, ...rest }) => [{ ...rest, state: sessionStates.indexOf(state) }, root]),
  leafState: (sessionId: Hex, leaf: bigint) =>
    mapped(sessionLeaf(sessionId, Number(leaf)), ({ disputed, settled }) => [disputed, settled]),
};

/**
 * What a call reads from storage.
 *
 * @returns undefined if the call reads anything else.
 * @example
 * const { slots } = storedRead("creditOf", [account, token]) ?? throwNotShown()
 */
export function storedRead(functionName: string, args: readonly unknown[]): Stored<unknown> | undefined {
  const read = Object.hasOwn(reads, functionName) ? reads[functionName] : undefined;
  return read?.(...(args as never[])); // as the function's ABI has them: `ChainView.read` is typed by it
}

function mapped<From, To>({ slots, read }: Stored<From>, map: (value: From) => To): Stored<To> {
  return { slots, read: (words) => map(read(words)) };
}
