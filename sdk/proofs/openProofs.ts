/**
 * Room: sdk/proofs. Opens proofs without a network. The file is hostile: it may be of any size and shape, and its anchor may
 * be made up, which only whoever knows the chain's hashes can say. Pure.
 */
import { type Hex, keccak256 } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { plainText } from "../plainText.ts";
import { type ChainProofs, chainProofsSchema, limits, type ProvenChain } from "./chainProofs.ts";
import { prove } from "./prove.ts";
import { MissingNodeError } from "./trie.ts";

/**
 * Verifies proofs, all of them.
 *
 * @param proofs - JSON of any origin.
 * @returns what is true if `anchor` of it is a block of the chain that is meant. Compare that, before anything else.
 * @throws {@link MalformedProofsError} | {@link UnusedNodesError} | MissingNodeError | what `prove` throws.
 * @example
 * const chain = await openProofs(JSON.parse(text))
 * if (chain.anchor.hash !== trusted.hash) throw new UntrustedAnchorError(chain.anchor)
 * const { status, logs } = chain.receipt(transactionHash)
 */
export async function openProofs(proofs: unknown): Promise<ProvenChain> {
  const parsed = chainProofsSchema.safeParse(proofs);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new MalformedProofsError(issue?.path.join(".") || "the proofs", issue?.message ?? "bad form");
  }
  const { nodes, ...claims } = parsed.data;
  requireBounded(parsed.data);
  const stream = nodeStream(nodes);
  const chain = await prove(claims, stream.take);
  if (stream.left() > 0) throw new UnusedNodesError(stream.left());
  return chain;
}

function requireBounded({ headers, nodes, accounts }: ChainProofs): void {
  const bytes = [...headers, ...nodes].reduce((sum, item) => sum + (item.length - 2) / 2, 0);
  if (bytes > limits.totalBytes) throw new MalformedProofsError("nodes", `over ${limits.totalBytes} bytes in all`);
  const slots = accounts.reduce((sum, account) => sum + account.slots.length, 0);
  if (slots > limits.slots) throw new MalformedProofsError("accounts", `over ${limits.slots} slots in all`);
}

/** Nodes in the order of their first use: the next one is what is asked for, or the file is not in order. */
function nodeStream(nodes: readonly Hex[]) {
  const used = new Map<Hex, Hex>();
  let readBytes = 0;
  const take = (hash: Hex): Hex => {
    const known = used.get(hash);
    if (known !== undefined) return known;
    const next = nodes[used.size];
    if (next === undefined || keccak256(next) !== hash) throw new MissingNodeError(hash);
    used.set(hash, next);
    return next;
  };
  return {
    left: () => nodes.length - used.size,
    /** Few nodes can be read often: their work is bounded too. */
    take(hash: Hex): Hex {
      const node = take(hash);
      readBytes += limits.leastReadBytes + (node.length - 2) / 2;
      if (readBytes > limits.readBytes) throw new MalformedProofsError("nodes", "they take too long to verify");
      return node;
    },
  };
}

/** The proofs do not have the form that they must have. */
export class MalformedProofsError extends BaseError {
  override readonly name = "Proofs.MalformedProofsError";
  readonly where: string;
  constructor(where: string, fact: string) {
    super(`The proofs are malformed at ${plainText(where, 100)}: ${plainText(fact, 200)}.`, {
      hint: "They were changed, cut, or made by another version. Collect them anew.",
    });
    this.where = where;
  }
}

/** Nodes are left over that nothing needs. */
export class UnusedNodesError extends BaseError {
  override readonly name = "Proofs.UnusedNodesError";
  readonly count: number;
  constructor(count: number) {
    super(`${count} nodes of the proofs prove nothing.`, {
      hint: "The proofs were changed or put together by hand. Collect them anew.",
    });
    this.count = count;
  }
}
