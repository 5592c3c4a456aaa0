/**
 * Room: sdk/councils. Data sets that several own: N of M members consent, each alone takes consent back.
 * Members sign here, one by one; whoever collects N signatures joins them with `joinApprovals` of protocol/council.
 */
import { type Address, type Hex, isAddressEqual } from "viem";
import { datasetCouncilAbi, datasetRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import { type CouncilCall, councilApprovalTypes, councilCallTypes, type MemberSignature } from "../protocol/council.ts";
import { domainOf, type Grant, hashGrant } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { hashSealerAppointment, type SealerAppointment } from "../protocol/sealerAppointment.ts";
import { addressOf, type Client } from "./client.ts";
import { getDataset } from "./datasets.ts";
import { requireStanding } from "./sealers.ts";
import { read, type Sent, send } from "./send.ts";
import { signTyped } from "./signatures.ts";

/** A council, as deployed. */
export type Council = {
  address: Address;
  /** By ascending address. */
  members: readonly Address[];
  /** How many must sign. */
  threshold: number;
  /** Number of the next call. */
  nonce: bigint;
};

/** What a member alone may take back: all grants of a data set, all that the council gave, or those with a nonce. */
export type Revocation = { datasetId: Hex } | { nonce: bigint } | "all";

/** With the errors of what councils mostly call: theirs come through as they are. */
const councilAbi = [
  ...datasetCouncilAbi,
  ...datasetRegistryAbi.filter((item) => item.type === "error"),
  ...jobMarketAbi.filter((item) => item.type === "error"),
] as const;

/**
 * Reads a council. Its code is not looked at: take its address from somebody you trust.
 *
 * @throws {@link OtherRegistryError} | any error of `read`
 * @example
 * const { members, threshold, nonce } = await getCouncil(client, address)
 */
export async function getCouncil(client: Client, address: Address): Promise<Council> {
  const call = { address, abi: datasetCouncilAbi, args: [] } as const;
  const [registry, members, threshold, nonce] = await Promise.all([
    read(client, { ...call, functionName: "datasets" }),
    read(client, { ...call, functionName: "members" }),
    read(client, { ...call, functionName: "threshold" }),
    read(client, { ...call, functionName: "nonce" }),
  ]);
  if (!isAddressEqual(registry, client.deployment.contracts.datasetRegistry))
    throw new OtherRegistryError(address, registry);
  return { address, members, threshold, nonce };
}

/**
 * Signs the wallet's consent, as a member, to a grant of a data set of the council's. N such signatures, joined, are the
 * grant's signature.
 *
 * @throws {@link NotAMemberError} | {@link NotTheCouncilsError} | {@link PastGrantError} | any error of `getDataset`
 * and `signTyped`
 * @example
 * const mine = await approveGrant(client, council, grant)
 */
export async function approveGrant(client: Client, council: Address, grant: Grant): Promise<MemberSignature> {
  const { owner, epoch, ownerEpoch } = await getDataset(client, grant.datasetId);
  if (!isAddressEqual(owner, council)) throw new NotTheCouncilsError(grant.datasetId, owner);
  if (grant.epoch !== epoch || grant.ownerEpoch !== ownerEpoch) throw new PastGrantError(epoch, ownerEpoch);
  return await approveHash(client, council, hashGrant(client.marketDomain, grant));
}

/**
 * Signs, as a member, that an account may sign sealed keys of a data set of the council's. N such signatures, joined, are
 * the appointment's signature; from then on no new enclave needs the members again.
 *
 * @throws {@link NotAMemberError} | {@link NotTheCouncilsError} | AppointmentEndedError | any error of `read` and
 * `signTyped`
 * @example
 * const mine = await approveAppointment(client, council, appointment)
 */
export async function approveAppointment(
  client: Client,
  council: Address,
  appointment: SealerAppointment,
): Promise<MemberSignature> {
  const owner = await requireStanding(client, appointment);
  if (!isAddressEqual(owner, council)) throw new NotTheCouncilsError(appointment.datasetId, owner);
  return await approveHash(client, council, hashSealerAppointment(client.marketDomain, appointment));
}

/**
 * Signs the wallet's consent, as a member, to any hash that the council is asked about (ERC-1271). What it stands for
 * cannot be seen from it: for grants use {@link approveGrant}.
 *
 * @throws {@link NotAMemberError} | any error of `read` and `signTyped`
 * @example
 * const mine = await approveHash(client, council, hashWithdrawal)
 */
export async function approveHash(client: Client, council: Address, hash: Hex): Promise<MemberSignature> {
  return await sign(client, council, {
    types: councilApprovalTypes,
    primaryType: "CouncilApproval",
    message: { hash },
  });
}

/**
 * Signs, as a member, that the council shall make a call.
 *
 * @param call - its nonce is the council's next, or later if calls before it are signed too.
 * @throws {@link NotAMemberError} | any error of `read` and `signTyped`
 * @example
 * const mine = await approveCall(client, council, { target, value: 0n, data, nonce, deadline })
 */
export async function approveCall(client: Client, council: Address, call: CouncilCall): Promise<MemberSignature> {
  return await sign(client, council, { types: councilCallTypes, primaryType: "CouncilCall", message: call });
}

/**
 * Makes a call that members have signed. Any wallet may send it.
 *
 * @param signatures - as `joinApprovals` gives them.
 * @returns with it what the target returned, as bytes.
 * @throws any error of `send`: DatasetCouncil_NotApproved, DatasetCouncil_TooLate, the target's own
 * @example
 * await executeCall(client, council, call, joinApprovals([mine, hers]))
 */
export async function executeCall(
  client: Client,
  council: Address,
  { target, value, data, deadline }: CouncilCall,
  signatures: Hex,
): Promise<Sent & { answer: Hex }> {
  const { hash, gasUsed, blockNumber, result } = await send(client, {
    address: council,
    abi: councilAbi,
    functionName: "execute",
    args: [target, value, data, deadline, signatures],
  });
  return { hash, gasUsed, blockNumber, answer: result };
}

/**
 * Takes consent back in the council's name; the wallet is a member and needs no other.
 *
 * @throws any error of `send`: DatasetCouncil_NotMember, the registry's own
 * @example
 * await revokeAsMember(client, council, { datasetId })
 */
export async function revokeAsMember(client: Client, council: Address, what: Revocation): Promise<Sent> {
  const call = { address: council, abi: councilAbi } as const;
  const sent =
    what === "all"
      ? await send(client, { ...call, functionName: "revokeAllOwnGrants", args: [] })
      : "datasetId" in what
        ? await send(client, { ...call, functionName: "revokeAllGrants", args: [what.datasetId] })
        : await send(client, { ...call, functionName: "revokeGrantNonce", args: [what.nonce] });
  const { hash, gasUsed, blockNumber } = sent;
  return { hash, gasUsed, blockNumber };
}

async function sign(
  client: Client,
  council: Address,
  typed: Omit<Parameters<typeof signTyped>[1], "domain">,
): Promise<MemberSignature> {
  const member = addressOf(client);
  const call = { address: council, abi: datasetCouncilAbi, functionName: "isMember", args: [member] } as const;
  if (!(await read(client, call))) throw new NotAMemberError(council, member);
  const domain = domainOf(client.deployment.chainId, council);
  return { member, signature: await signTyped(client, { ...typed, domain }) };
}

/** The wallet is no member of the council. */
export class NotAMemberError extends BaseError {
  override readonly name = "Councils.NotAMemberError";
  constructor(council: Address, account: Address) {
    super(`${account} is no member of the council ${council}.`, { hint: "Use a member's wallet." });
  }
}

/** The data set belongs to another account than the council. */
export class NotTheCouncilsError extends BaseError {
  override readonly name = "Councils.NotTheCouncilsError";
  constructor(datasetId: Hex, owner: Address) {
    super(`Data set ${datasetId} belongs to ${owner}, not to the council.`, {
      hint: "Check the data set's id and the council's address.",
    });
  }
}

/** The grant is of other consent epochs than now: it would not hold. */
export class PastGrantError extends BaseError {
  override readonly name = "Councils.PastGrantError";
  constructor(epoch: number, ownerEpoch: number) {
    super(`The grant would not hold: the data set's epoch is ${epoch} and the council's ${ownerEpoch}.`, {
      hint: "Somebody took consent back. If you still agree, make the grant anew with these epochs.",
    });
  }
}

/** The council revokes in another registry than the deployment's: its members could not take consent back alone. */
export class OtherRegistryError extends BaseError {
  override readonly name = "Councils.OtherRegistryError";
  constructor(council: Address, registry: Address) {
    super(`The council ${council} is for the data set registry ${registry}.`, {
      hint: "Use the council of this deployment, or the deployment of this council.",
    });
  }
}
