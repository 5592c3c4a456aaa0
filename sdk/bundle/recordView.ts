/**
 * Room: sdk/bundle/recordView. Notes what a gathering of evidence looks at, so that just that is proven. May import: protocol,
 * sdk/audit, types of sdk/proofs.
 */
import type { Address, Hex } from "viem";
import type { Position } from "../audit/evidence.ts";
import type { ChainView } from "../audit/gather/chainView.ts";
import type { ProofWants } from "../proofs/chainProofs.ts";
import { constantOf } from "./constants.ts";
import type { CodeParameters } from "./expectedCode.ts";
import { notShown } from "./provenView.ts";
import { storedRead } from "./storedReads.ts";

/** A view, what was looked at through it, and how to look at more. */
export type Recorder = {
  view: ChainView;
  /** Adds words of storage after a block. */
  want(block: bigint, address: Address, slots: readonly Hex[]): void;
  /** Renewals that were seen: only two of them count for an audit. */
  renewals: readonly (Position & { transactionHash: Hex })[];
  /** Adds a transaction, with its receipt. */
  wantTransaction(hash: Hex): void;
  wants(): Required<Pick<ProofWants, "blocks" | "transactions" | "accounts">>;
};

/** Events that are looked through for calldata: those count of which the transaction is looked at. */
const searched: readonly string[] = ["AuthorityRecorded", "CollateralRecorded", "PlatformRecorded"];

/**
 * Records what is looked at.
 *
 * @param parameters - see `provenView`: constants of the code are taken from there, as they will be offline.
 * @example
 * const recorder = recordView(view, parameters)
 * const evidence = await gatherOnChain(recorder.view, jobId, shown)
 * const proofs = await collectProofs(client, recorder.wants(), anchor)
 */
export function recordView(view: ChainView, parameters: CodeParameters): Recorder {
  const blocks = new Set<bigint>();
  const transactions = new Set<Hex>();
  const accounts = new Map<string, { block: bigint; address: Address; slots: Set<Hex> }>();
  const renewals: (Position & { transactionHash: Hex })[] = [];
  const want = (block: bigint, address: Address, slots: readonly Hex[]): void => {
    const key = `${block} ${address.toLowerCase()}`;
    const known = accounts.get(key) ?? { block, address, slots: new Set() };
    accounts.set(key, known);
    for (const slot of slots) known.slots.add(slot);
  };
  const recording: ChainView = {
    ...view,
    async block(number) {
      blocks.add(number);
      return await view.block(number);
    },
    async events(wanted) {
      const seen = await view.events(wanted);
      if (wanted.event.name === "EnclaveRenewed") renewals.push(...seen);
      else if (!searched.includes(wanted.event.name))
        for (const { transactionHash } of seen) transactions.add(transactionHash);
      return seen;
    },
    async read(call, at = view.anchor.number) {
      const constant = constantOf(call.functionName, view.deployment, parameters);
      if (constant !== undefined) return constant as never;
      const stored = storedRead(call.functionName, call.args as readonly unknown[]);
      if (stored === undefined) throw notShown(call.functionName);
      want(at, call.address, stored.slots);
      return await view.read(call, at);
    },
    async transaction(hash) {
      transactions.add(hash);
      return await view.transaction(hash);
    },
    async receipt(hash) {
      transactions.add(hash);
      return await view.receipt(hash);
    },
    async hasCode(address) {
      want(view.anchor.number, address, []);
      return await view.hasCode(address);
    },
  };
  return {
    view: recording,
    want,
    renewals,
    wantTransaction: (hash) => void transactions.add(hash),
    wants: () => ({
      blocks: [...blocks],
      transactions: [...transactions],
      accounts: [...accounts.values()].map(({ slots, ...rest }) => ({ ...rest, slots: [...slots] })),
    }),
  };
}
