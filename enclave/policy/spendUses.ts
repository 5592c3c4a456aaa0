/**
 * Room: enclave/policy. What an enclave has itself computed under grants with a budget. The market counts settled jobs, by
 * the node's word; here every job counts whose keys are about to be opened, also one that then fails or is cancelled: what it
 * ends with tells something too. Kept in memory with the enclave's keys: when they are gone, providers seal anew or do not.
 */
import type { Hex } from "viem";
import type { SignedGrant } from "../../protocol/eip712.ts";
import { mostUses, type Policy } from "../../protocol/policy.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";

/** By identity and grant: the inputs of jobs that used it. Each has cost a run, and there are no more than the grant allows. */
const spentBy = new WeakMap<EnclaveIdentity, Map<Hex, Set<string>>>();

/**
 * Counts a job as a use of each of its grants, if the program's policy limits uses. The same job counts once.
 *
 * @param inputs - of the job, in its order; a grant that is named twice is used twice.
 * @returns the first grant that is used up here; then nothing was counted. undefined: go on.
 * @example
 * if (spendUses(identity, policy, { jobId, inputs }) !== undefined) fail("GrantRefused")
 */
export function spendUses(
  identity: EnclaveIdentity,
  policy: Policy | undefined,
  { jobId, inputs }: { jobId: Hex; inputs: readonly { grantHash: Hex; signedGrant: Pick<SignedGrant, "grant"> }[] },
): Hex | undefined {
  if (mostUses(policy) === undefined) return undefined;
  const spent = spentBy.get(identity) ?? new Map<Hex, Set<string>>();
  spentBy.set(identity, spent);
  const added = new Map<Hex, string[]>();
  for (const [position, { grantHash, signedGrant }] of inputs.entries()) {
    const uses = spent.get(grantHash);
    const more = added.get(grantHash) ?? [];
    const use = `${jobId}:${position}`;
    if (uses?.has(use) !== true) more.push(use);
    if (BigInt((uses?.size ?? 0) + more.length) > signedGrant.grant.maxUses) return grantHash;
    added.set(grantHash, more);
  }
  for (const [grantHash, more] of added) {
    const uses = spent.get(grantHash) ?? new Set();
    for (const use of more) uses.add(use);
    spent.set(grantHash, uses);
  }
  return undefined;
}
