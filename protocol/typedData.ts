/**
 * Room: protocol/typedData. The hash of typed data, as viem's `hashTypedData` has it, with the part of the domain
 * remembered: a worker hashes orders and receipts of one market all day. Pure. Source: EIP-712.
 */
import { concatHex, domainSeparator, type Hex, hashStruct, keccak256 } from "viem";
import type { Domain } from "./eip712.ts";

type Types = Readonly<Record<string, readonly { name: string; type: string }[]>>;

const separators = new Map<string, Hex>();
/** Of how many domains: of two contracts on one chain, as a rule. */
const maxDomains = 64;

/**
 * EIP-712 hash of a message.
 *
 * @throws viem's errors for values that are not of their types.
 * @example
 * hashTypedData({ domain, types: receiptTypes, primaryType: "Receipt", message: receipt })
 */
export function hashTypedData(typed: { domain: Domain; types: Types; primaryType: string; message: object }): Hex {
  const { domain, types, primaryType, message } = typed;
  const data = message as Record<string, unknown>;
  return keccak256(concatHex(["0x1901", separatorOf(domain), hashStruct({ data, primaryType, types } as never)]));
}

function separatorOf({ name, version, chainId, verifyingContract }: Domain): Hex {
  const key = JSON.stringify([name, version, chainId, verifyingContract]);
  const known = separators.get(key);
  if (known !== undefined) return known;
  const separator = domainSeparator({ domain: { name, version, chainId, verifyingContract } });
  if (separators.size >= maxDomains) separators.clear();
  separators.set(key, separator);
  return separator;
}
