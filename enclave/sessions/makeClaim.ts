/**
 * Room: enclave/sessions/makeClaim. The claim of a session over the receipts that this enclave signed, and how the market is
 * shown it and its leaves. Source: ISessions.sol.
 */
import { encodeFunctionData, type Hex } from "viem";
import { jobMarketAbi } from "../../protocol/abi.ts";
import {
  type Domain,
  hashSessionClaim,
  type JobOrder,
  type Receipt,
  type SessionClaim,
  type SessionTerms,
  type SignedGrant,
  shownGrantOf,
} from "../../protocol/eip712.ts";
import { outcomeOf } from "../../protocol/outcome.ts";
import { type SessionTree, sessionRoot, sessionTree } from "../../protocol/sessionTree.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { Anchor } from "../jobs/ports.ts";
import type { KeptClaim } from "../store/claimsTable.ts";
import type { SessionJob } from "../store/sessionJobsTable.ts";
import type { Run } from "./runLedger.ts";

/** What every call of a session takes. */
type SessionRef = { sessionId: Hex; order: JobOrder; terms: SessionTerms };

/**
 * Signs the claim of a session.
 *
 * @param runs - at least one; each job once.
 * @param anchor - the block that the signature is bound to.
 * @throws BadLeafCountError if there are none, or more than a session can have.
 * @example
 * store.claims.save(makeClaim(parts, sessionId, ledger.of(sessionId), await chain.anchor()))
 */
export function makeClaim(
  { domain, identity }: { domain: Domain; identity: Pick<EnclaveIdentity, "signingKey" | "signDigest"> },
  sessionId: Hex,
  runs: readonly Run[],
  { number: anchorBlock, hash: anchorHash }: Anchor,
): KeptClaim {
  const ok = runs.filter((run) => run.ok);
  const failed = runs.filter((run) => !run.ok);
  const leaves = [...ok, ...failed].map(({ jobId, receiptHash }) => ({ jobId, receiptHash }));
  const claim: SessionClaim = {
    sessionId,
    root: sessionRoot(leaves.map(({ receiptHash }) => receiptHash)),
    okCount: ok.length,
    failedCount: failed.length,
    countedGrants: ok[0]?.countedGrants ?? 0, // the session's grants are the same for all its jobs
    anchorBlock,
    anchorHash,
  };
  const signature = identity.signDigest(hashSessionClaim(domain, claim));
  return { claim, signer: identity.signingKey, signature, leaves };
}

/** Calldata that claims a session. */
export function claimCall(
  { order, terms }: SessionRef,
  { claim, signature }: KeptClaim,
  grants: readonly SignedGrant[],
): Hex {
  const args = [order, terms, claim, signature, grants.map(shownGrantOf)] as const;
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "claimSession", args });
}

/** Siblings of a leaf of a claim. The store gives the same object for the same claim: its tree is hashed once. */
export function proofOf(kept: KeptClaim, leaf: number): Hex[] {
  const tree = trees.get(kept) ?? sessionTree(kept.leaves.map(({ receiptHash }) => receiptHash));
  trees.set(kept, tree);
  return tree.proof(leaf);
}

const trees = new WeakMap<KeptClaim, SessionTree>();

/** Calldata that shows leaves of a claim, all or none. */
export function showCall(
  { order, terms }: SessionRef,
  kept: KeptClaim,
  shown: readonly { leaf: number; job: SessionJob; receipt: Receipt }[],
): Hex {
  const calls = shown.map(({ leaf, job, receipt }) => {
    const { paramsHash, deadline, nonce } = job.order;
    const { requesterSignature, payerSignature } = job;
    const signatures = { requesterSignature, payerSignature, receiptSignature: "0x" } as const; // the claim's covers it
    const item = { paramsHash, deadline, nonce, ...signatures, outcome: outcomeOf(receipt) };
    const args = [order, terms, BigInt(leaf), item, proofOf(kept, leaf)] as const;
    return encodeFunctionData({ abi: jobMarketAbi, functionName: "settleLeaf", args });
  });
  const [only, ...more] = calls;
  if (only !== undefined && more.length === 0) return only;
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "multicall", args: [calls] });
}

/** Calldata that closes a session. */
export function closeCall({ order, terms }: SessionRef): Hex {
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "closeSession", args: [order, terms] });
}
