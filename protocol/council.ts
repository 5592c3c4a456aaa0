/**
 * Room: protocol/council. What the members of a data set council sign, and how their signatures are joined. Pure.
 * Mirrors `contracts/interfaces/IDatasetCouncil.sol`; tests compare every hash with the chain's.
 */
import { type Address, concatHex, getAddress, type Hex, hashTypedData, isHex, numberToHex, size } from "viem";
import type { Domain } from "./eip712.ts";
import { BaseError } from "./errors.ts";

/** Most members of a council. Source: `MAX_MEMBERS` in DatasetCouncil.sol. */
export const maxCouncilMembers = 16;

/** A call that a council is to make. */
export type CouncilCall = {
  target: Address;
  /** Wei. */
  value: bigint;
  data: Hex;
  nonce: bigint;
  /** Unix seconds, the last second in which it may be made. */
  deadline: bigint;
};

/** One member's signature: ECDSA, or whatever the member takes as its own if it is a contract. */
export type MemberSignature = { member: Address; signature: Hex };

/** EIP-712 types of a member's consent; primary type `CouncilApproval`. */
export const councilApprovalTypes = { CouncilApproval: [{ name: "hash", type: "bytes32" }] } as const;

/** EIP-712 types of a council's call; primary type `CouncilCall`. */
export const councilCallTypes = {
  CouncilCall: [
    { name: "target", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/**
 * EIP-712 hash of a member's consent to `hash`, e.g. a grant's.
 *
 * @param domain - of the council.
 * @example
 * const digest = hashCouncilApproval(domainOf(chainId, council), hashGrant(marketDomain, grant))
 */
export function hashCouncilApproval(domain: Domain, hash: Hex): Hex {
  return hashTypedData({ domain, types: councilApprovalTypes, primaryType: "CouncilApproval", message: { hash } });
}

/**
 * EIP-712 hash of a council's call: what members sign for it.
 *
 * @param domain - of the council.
 * @example
 * const digest = hashCouncilCall(domainOf(chainId, council), { target, value: 0n, data, nonce, deadline })
 */
export function hashCouncilCall(domain: Domain, call: CouncilCall): Hex {
  return hashTypedData({ domain, types: councilCallTypes, primaryType: "CouncilCall", message: call });
}

/**
 * Joins members' signatures into the one that the council takes: as the signature of a grant, or for `execute`.
 *
 * @param signatures - in any order, each member once.
 * @throws {@link BadApprovalsError}
 * @example
 * const signature = joinApprovals([{ member: alice, signature: a }, { member: bob, signature: b }])
 */
export function joinApprovals(signatures: readonly MemberSignature[]): Hex {
  if (signatures.length === 0 || signatures.length > maxCouncilMembers)
    throw new BadApprovalsError(`there are ${signatures.length}, not 1 to ${maxCouncilMembers}`);
  const sorted = signatures
    .map(({ member, signature }) => ({ member: member.toLowerCase() as Address, signature }))
    .sort((a, b) => (a.member < b.member ? -1 : 1));
  let joined: Hex = "0x";
  let previous = "";
  for (const { member, signature } of sorted) {
    if (!/^0x[0-9a-f]{40}$/.test(member)) throw new BadApprovalsError(`${member.slice(0, 60)} is no address`);
    if (member === previous) throw new BadApprovalsError(`${member} signed twice`);
    if (!isHex(signature) || signature.length % 2 === 1 || size(signature) > 0xffff)
      throw new BadApprovalsError(`the signature of ${member} is not up to 65,535 bytes of hex`);
    joined = concatHex([joined, member, numberToHex(size(signature), { size: 2 }), signature]);
    previous = member;
  }
  return joined;
}

/**
 * Takes apart what {@link joinApprovals} has joined, so that a member's can be added.
 *
 * @throws {@link BadApprovalsError} if it is nothing that members have signed together.
 * @example
 * const signature = joinApprovals([...splitApprovals(joined), mine])
 */
export function splitApprovals(joined: Hex): MemberSignature[] {
  const approvals: MemberSignature[] = [];
  for (let at = 2; at < joined.length; ) {
    const end = at + 44 + 2 * Number(`0x${joined.slice(at + 40, at + 44)}`);
    // A length that is cut off is NaN, and ends nowhere.
    if (!(end <= joined.length)) throw new BadApprovalsError("they end in the middle of one");
    const signature: Hex = `0x${joined.slice(at + 44, end)}`;
    approvals.push({ member: getAddress(`0x${joined.slice(at, at + 40)}`), signature });
    at = end;
  }
  return approvals;
}

/** The signatures cannot be joined. */
export class BadApprovalsError extends BaseError {
  override readonly name = "Council.BadApprovalsError";
  constructor(fact: string) {
    super(`The members' signatures cannot be joined: ${fact}.`, {
      hint: "Give each member's signature once, with the member's address.",
    });
  }
}
