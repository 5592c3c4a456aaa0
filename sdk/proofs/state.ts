/**
 * Room: sdk/proofs. Accounts and their storage under a state root. Pure. Source: Ethereum Yellow Paper, 4.1; EIP-1186.
 */
import { type Hex, hexToBytes, keccak256, pad } from "viem";
import type { ProvenAccount } from "./chainProofs.ts";
import { BadRlpError, decodeItem, decodeList, hexItem, numberItem } from "./rlp.ts";
import { findValue, type NodeSource } from "./trie.ts";

/** An account that is not there. */
const noAccount: ProvenAccount = {
  exists: false,
  nonce: 0n,
  balance: 0n,
  codeHash: keccak256("0x"),
  storageRoot: keccak256("0x80"), // of a trie without a node
};

/**
 * Looks an account up; also one that does not exist.
 *
 * @param address - lowercase or not.
 * @throws {@link BadRlpError}, what the source throws.
 * @example
 * const { codeHash, storageRoot } = await findAccount(node, block.stateRoot, market)
 */
export async function findAccount(node: NodeSource, stateRoot: Hex, address: Hex): Promise<ProvenAccount> {
  const found = await findValue(node, stateRoot, keccak256(hexToBytes(address), "bytes"));
  if (found === undefined) return noAccount;
  const what = "an account";
  const fields = decodeList(found, what);
  if (fields.length !== 4) throw new BadRlpError(what, `it has ${fields.length} fields of 4`);
  return {
    exists: true,
    nonce: numberItem(fields[0], what, 8),
    balance: numberItem(fields[1], what),
    storageRoot: hexItem(fields[2], what, 32),
    codeHash: hexItem(fields[3], what, 32),
  };
}

/**
 * Looks a word of an account's storage up; zero if nothing is there.
 *
 * @param slot - 32 bytes.
 * @throws {@link BadRlpError}, what the source throws.
 * @example
 * const word = await findWord(node, account.storageRoot, slot)
 */
export async function findWord(node: NodeSource, storageRoot: Hex, slot: Hex): Promise<Hex> {
  const found = await findValue(node, storageRoot, keccak256(hexToBytes(slot), "bytes"));
  if (found === undefined) return pad("0x", { size: 32 });
  const what = "a word of storage";
  const word = numberItem(decodeItem(found, what), what);
  if (word === 0n) throw new BadRlpError(what, "zero is stored");
  return `0x${word.toString(16).padStart(64, "0")}`;
}
