/**
 * Room: sdk/proofs. Merkle Patricia tries by @ethereumjs/mpt: looking up under a root, among nodes of hostile origin, and
 * building a block's own. A node is decoded only if its hash was asked for, and refused unless it has a node's exact form:
 * the library is lax about that, and takes a walk that leads nowhere for a proof of absence.
 * Source: Ethereum Yellow Paper, appendix D.
 */
import { createMPT, type MPTOpts } from "@ethereumjs/mpt";
import { bytesToHex, type Hex, hexToBytes, keccak256 } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { BadRlpError, decodeList, encodeItem, type Item, isList } from "./rlp.ts";

/** Gives a node's RLP by its hash. Throws typed errors. */
export type NodeSource = (hash: Hex) => Hex;

type Database = NonNullable<MPTOpts["db"]>;

/** Root of a trie without a node: keccak256 of the RLP of nothing. */
const emptyRoot = keccak256("0x80");

/**
 * Looks a key up.
 *
 * @param root - of the trie, known to be right.
 * @returns undefined if it is proven that the key has no value.
 * @throws {@link BadRlpError}, what the source throws.
 * @example
 * const account = await findValue(node, stateRoot, keccak256(address, "bytes"))
 */
export async function findValue(node: NodeSource, root: Hex, key: Uint8Array): Promise<Uint8Array | undefined> {
  if (root === emptyRoot) return undefined;
  const get = async (hash: string) => {
    const found = node(`0x${hash}`);
    requireNode(hexToBytes(found));
    return found.slice(2);
  };
  const trie = await createMPT({ db: database(get, noWrites), root: hexToBytes(root) });
  return (await trie.get(key, true)) ?? undefined;
}

/**
 * Builds the trie of a block's transactions or receipts, and keeps its nodes.
 *
 * @param values - by index.
 * @param nodes - gets all nodes, by hash.
 * @returns its root.
 * @example
 * const root = await buildTrie(receipts.map(encodeReceipt), nodes)
 */
export async function buildTrie(values: readonly Hex[], nodes: Map<Hex, Hex>): Promise<Hex> {
  const own = new Map<string, string>();
  const write = (hash: string, value: string) => void own.set(hash, value);
  const trie = await createMPT({ db: database(async (hash) => own.get(hash), write) });
  for (const [index, value] of values.entries()) await trie.put(indexKey(index), hexToBytes(value));
  for (const [hash, value] of own) nodes.set(`0x${hash}`, `0x${value}`);
  return bytesToHex(trie.root());
}

/** Key of a transaction or receipt in its trie. */
export function indexKey(index: number): Uint8Array {
  return encodeItem(index === 0 ? new Uint8Array() : hexToBytes(evenHex(index)));
}

function evenHex(value: number): Hex {
  const digits = value.toString(16);
  return `0x${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

/** What the library wants of a database: hashes and nodes as hex without 0x. */
function database(get: (hash: string) => Promise<string | undefined>, put: (hash: string, node: string) => void) {
  const self: Database = {
    get,
    put: async (hash, node) => put(hash, node as string),
    del: async () => undefined, // nodes of earlier states of the trie do no harm
    batch: async (operations) => {
      for (const operation of operations) if (operation.type === "put") put(operation.key, operation.value as string);
    },
    shallowCopy: () => self,
    open: async () => undefined,
  };
  return self;
}

function noWrites(hash: string): never {
  throw new MissingNodeError(`0x${hash}`); // reading never gets here
}

function requireNode(bytes: Uint8Array): void {
  requireForm(decodeList(bytes, "a trie's node"));
}

/** Branch: 16 children and a value. Extension: path and child. Leaf: path and value. */
function requireForm(node: readonly Item[]): void {
  if (node.length === 17) {
    for (const child of node.slice(0, 16)) if (isList(child) || child.length > 0) requireChild(child);
    if (isList(node[16])) throw new BadRlpError("a trie's node", "a branch's value is a list");
    return;
  }
  const [path, rest] = node;
  if (node.length !== 2 || path === undefined || rest === undefined || isList(path))
    throw new BadRlpError("a trie's node", "it is no branch, extension or leaf");
  const flag = (path as Uint8Array)[0] ?? 0xff;
  const isOdd = (flag & 0x10) !== 0;
  if (flag >= 0x40 || (!isOdd && (flag & 0x0f) !== 0))
    throw new BadRlpError("a trie's node", "its path has a bad flag");
  if (flag >= 0x20) {
    if (isList(rest) || (rest as Uint8Array).length === 0)
      throw new BadRlpError("a trie's node", "a leaf has no value");
    return;
  }
  if (!isOdd && path.length === 1) throw new BadRlpError("a trie's node", "an extension has no path");
  requireChild(rest);
}

/** A hash; or the child itself, if its RLP is shorter than a hash. */
function requireChild(child: Item): void {
  if (!isList(child)) {
    if (child.length !== 32) throw new BadRlpError("a trie's node", "a child is neither hash nor node");
    return;
  }
  if (encodeItem(child).length >= 32) throw new BadRlpError("a trie's node", "a node lies in another and is too long");
  requireForm(child);
}

/** A node that a proof leads over is not there. */
export class MissingNodeError extends BaseError {
  override readonly name = "Proofs.MissingNodeError";
  readonly hash: Hex;
  constructor(hash: Hex) {
    super(`The proofs do not have the node ${hash} next, which they lead over.`, {
      hint: "They were changed, cut, or made for something else. Collect them anew.",
    });
    this.hash = hash;
  }
}
