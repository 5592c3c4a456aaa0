/**
 * Room: sdk/audit/believed. What an auditor believes beforehand: the inputs that no audit can check, listed at its top.
 * The deployment, with the root key that its quotes end in and its chain id, is believed too. Types and one default.
 */
import type { Address, Hex } from "viem";

/** What is believed. Nothing in here comes from the RPC, the worker or a bundle. */
export type Believed = {
  /** The workload that the auditor expects, for instance from its own build. */
  workloadId?: Hex | undefined;
  /** Digests of images that the auditor built anew and found equal: `sha256:` and 64 hex digits. */
  images: readonly string[];
  /** Whose endorsements of workloads count. */
  auditors: readonly Address[];
  /** Blocks that are the chain's, by a source of the auditor's own. */
  blocks: readonly { number: bigint; hash: Hex }[];
  /** Whether the RPC is the auditor's own, or believed like one. */
  rpc: boolean;
};

/** Beyond the deployment nothing is believed. */
export const nothingMore: Believed = { images: [], auditors: [], blocks: [], rpc: false };

/**
 * Whether the auditor named a block as the chain's.
 *
 * @example
 * isBelievedBlock(evidence.anchor, believed)
 */
export function isBelievedBlock({ number, hash }: { number: bigint; hash: Hex }, { blocks }: Believed): boolean {
  return blocks.some((block) => block.number === number && block.hash.toLowerCase() === hash.toLowerCase());
}
