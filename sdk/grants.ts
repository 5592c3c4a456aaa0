/**
 * Room: sdk/grants. Giving, checking and revoking consent. A grant is a public signed statement: who holds it can
 * check it, nobody but the named program in the named workload can use it.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import { type Grant, grantTypes, hashGrant, priceUnits, type SignedGrant, sealedKeyTypes } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { isWithinBudget, mostUses } from "../protocol/policy.ts";
import { type Manifest, programIdOf } from "../protocol/program.ts";
import type { SealedKey } from "../protocol/sealing.ts";
import { toTypedError } from "./chainErrors.ts";
import { addressOf, type Client } from "./client.ts";
import { randomUint256 } from "./random.ts";
import { read, type Sent, send } from "./send.ts";
import { isSignedBy, signTyped } from "./signatures.ts";

/** What a provider consents to; left out: anyone may ask, any operator, no limit of uses, no further readers. */
export type GrantTerms = Pick<Grant, "datasetId" | "programId" | "workloadId" | "token" | "price" | "notAfter"> &
  Partial<Pick<Grant, "requester" | "operator" | "priceUnit" | "maxUses" | "notBefore" | "resultReaders" | "nonce">>;

/** Where a grant stands now. */
export type GrantState = "in force" | "not yet valid" | "expired" | "revoked" | "used up";

/**
 * Refuses a grant that an enclave would refuse for its program's output policy.
 *
 * @throws {@link OtherProgramError} | {@link OverBudgetError}
 * @example
 * requireWithinPolicy({ programId: program.id, maxUses: 10n }, program.manifest)
 */
export function requireWithinPolicy(
  { programId, maxUses = 0n }: Pick<GrantTerms, "programId" | "maxUses">,
  manifest: Manifest,
): void {
  const id = programIdOf(manifest);
  if (id !== programId.toLowerCase()) throw new OtherProgramError(programId, id);
  const { policy } = manifest.output;
  if (!isWithinBudget(policy, maxUses)) throw new OverBudgetError(maxUses, mostUses(policy) ?? 0);
}

/**
 * Signs a grant for a data set of the client's wallet.
 *
 * @param manifest - of the program; without it, nothing can be said about its output policy here.
 * @throws {@link NotYoursError} | {@link RevokedBeforeError} | any error of {@link requireWithinPolicy} | any error of
 * `read` | RejectedByWalletError
 * @example
 * const { grant, signature, grantHash } = await signGrant(client, terms, program.manifest)
 */
export async function signGrant(
  client: Client,
  terms: GrantTerms,
  manifest?: Manifest,
): Promise<SignedGrant & { grantHash: Hex }> {
  if (manifest !== undefined) requireWithinPolicy(terms, manifest);
  const nonce = terms.nonce ?? randomUint256();
  const { owner, epoch, ownerEpoch, revoked } = await consentOf(client, terms.datasetId, nonce);
  if (!isAddressEqual(owner, addressOf(client))) throw new NotYoursError(terms.datasetId, owner);
  if (revoked) throw new RevokedBeforeError(terms.datasetId, nonce);
  const grant: Grant = {
    datasetId: terms.datasetId,
    programId: terms.programId,
    workloadId: terms.workloadId,
    requester: terms.requester ?? zeroAddress,
    operator: terms.operator ?? zeroAddress,
    token: terms.token,
    priceUnit: terms.priceUnit ?? priceUnits.use,
    price: terms.price,
    maxUses: terms.maxUses ?? 0n,
    notBefore: terms.notBefore ?? 0n,
    notAfter: terms.notAfter,
    resultReaders: terms.resultReaders ?? [],
    epoch,
    ownerEpoch,
    nonce,
  };
  const domain = client.marketDomain;
  const signature = await signTyped(client, { domain, types: grantTypes, primaryType: "Grant", message: grant });
  return { grant, signature, grantHash: hashGrant(domain, grant) };
}

/**
 * Signs a sealed data set key, as the owner who hands it to an enclave under a grant.
 *
 * @throws errors of the wallet, typed
 * @example
 * const sealedKeySignature = await signSealedKey(client, grantHash, sealedKey)
 */
export async function signSealedKey(client: Client, grantHash: Hex, sealedKey: SealedKey): Promise<Hex> {
  const message = { grantHash, ...sealedKey };
  const typed = { domain: client.marketDomain, types: sealedKeyTypes, primaryType: "SealedKey", message };
  return await signTyped(client, typed);
}

/**
 * Where a grant stands at the chain's time, and how often it was used.
 *
 * @throws any error of `read`
 * @example
 * const { state, uses } = await grantStateOf(client, grant)
 */
export async function grantStateOf(client: Client, grant: Grant): Promise<{ state: GrantState; uses: bigint }> {
  const { jobMarket } = client.deployment.contracts;
  const { epoch, ownerEpoch, revoked } = await consentOf(client, grant.datasetId, grant.nonce);
  const uses = await read(client, {
    address: jobMarket,
    abi: jobMarketAbi,
    functionName: "grantUses",
    args: [hashGrant(client.marketDomain, grant)],
  });
  const now = await chainTime(client);
  if (revoked || epoch !== grant.epoch || ownerEpoch !== grant.ownerEpoch) return { state: "revoked", uses };
  if (now > grant.notAfter) return { state: "expired", uses };
  if (now < grant.notBefore) return { state: "not yet valid", uses };
  return { state: grant.maxUses !== 0n && uses >= grant.maxUses ? "used up" : "in force", uses };
}

/**
 * Checks that a grant is its data set's owner's and is in force.
 *
 * @returns the registered size of the data set's ciphertext, which a price by bytes goes by.
 * @throws {@link GrantNotInForceError} | {@link GrantBadSignatureError} | any error of `read`
 * @example
 * await checkGrant(client, signedGrant)
 */
export async function checkGrant(client: Client, signed: SignedGrant): Promise<{ sizeBytes: number }> {
  const { owner, sizeBytes } = await consentOf(client, signed.grant.datasetId, signed.grant.nonce);
  const grantHash = hashGrant(client.marketDomain, signed.grant);
  if (!(await isSignedBy(client, owner, grantHash, signed.signature)))
    throw new GrantBadSignatureError(grantHash, owner);
  const { state } = await grantStateOf(client, signed.grant);
  if (state !== "in force") throw new GrantNotInForceError(grantHash, state);
  return { sizeBytes };
}

/**
 * Voids every grant given so far for a data set of the client's wallet.
 *
 * @returns with it the epoch that new grants carry.
 * @throws any error of `send`
 * @example
 * const { newEpoch } = await revokeAllGrants(client, datasetId)
 */
export async function revokeAllGrants(client: Client, datasetId: Hex): Promise<Sent & { newEpoch: number }> {
  const { hash, gasUsed, blockNumber, result } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "revokeAllGrants",
    args: [datasetId],
  });
  return { hash, gasUsed, blockNumber, newEpoch: result };
}

/**
 * Voids the grants of the client's wallet that carry a nonce.
 *
 * @throws any error of `send`
 * @example
 * await revokeGrantNonce(client, grant.nonce)
 */
export async function revokeGrantNonce(client: Client, nonce: bigint): Promise<Sent> {
  const { hash, gasUsed, blockNumber } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "revokeGrantNonce",
    args: [nonce],
  });
  return { hash, gasUsed, blockNumber };
}

/**
 * Voids every grant that the client's wallet has given so far, for all its data sets.
 *
 * @returns with it the owner's epoch that new grants carry.
 * @throws any error of `send`
 * @example
 * const { newOwnerEpoch } = await revokeAllOwnGrants(client)
 */
export async function revokeAllOwnGrants(client: Client): Promise<Sent & { newOwnerEpoch: number }> {
  const { hash, gasUsed, blockNumber, result } = await send(client, {
    address: client.deployment.contracts.datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "revokeAllOwnGrants",
    args: [],
  });
  return { hash, gasUsed, blockNumber, newOwnerEpoch: result };
}

/**
 * Time of the newest block in Unix seconds: what the contracts go by.
 *
 * @throws RpcError
 * @example
 * const deadline = (await chainTime(client)) + 3600n
 */
export async function chainTime(client: Client): Promise<bigint> {
  const block = await client.chain.getBlock({ blockTag: "latest" }).catch((cause) => {
    throw toTypedError(cause);
  });
  return block.timestamp;
}

/** Owner, epochs and revocation, as the market reads them. */
async function consentOf(client: Client, datasetId: Hex, nonce: bigint) {
  const address = client.deployment.contracts.datasetRegistry;
  return await read(client, { address, abi: datasetRegistryAbi, functionName: "consentOf", args: [datasetId, nonce] });
}

/** The manifest is another program's than the grant's. */
export class OtherProgramError extends BaseError {
  override readonly name = "Grants.OtherProgramError";
  constructor(granted: Hex, given: Hex) {
    super(`The grant is for program ${granted}, the manifest is of ${given}.`, {
      hint: "Consent to the program that you have read.",
    });
  }
}

/** The grant allows more uses than its program's output policy. */
export class OverBudgetError extends BaseError {
  override readonly name = "Grants.OverBudgetError";
  constructor(maxUses: bigint, most: number) {
    super(`The grant is for ${maxUses === 0n ? "any number of" : maxUses} uses; the program's policy allows ${most}.`, {
      hint: `Enclaves refuse it with BudgetExceeded: limit it to 1 to ${most} (\`--max-uses\`).`,
    });
  }
}

/** The data set belongs to another wallet. */
export class NotYoursError extends BaseError {
  override readonly name = "Grants.NotYoursError";
  constructor(datasetId: Hex, owner: Address) {
    super(`Data set ${datasetId} belongs to ${owner}.`, { hint: "Use its owner's wallet." });
  }
}

/** The grant would be void as soon as it is signed. */
export class RevokedBeforeError extends BaseError {
  override readonly name = "Grants.RevokedBeforeError";
  constructor(datasetId: Hex, nonce: bigint) {
    super(`Nonce ${nonce} is revoked, or data set ${datasetId} is retired: the grant would not hold.`, {
      hint: "Choose another nonce, or none; for a retired data set (see `dcm dataset show`) no grant holds any more.",
    });
  }
}

/** The grant is not signed by the data set's owner for this deployment. */
export class GrantBadSignatureError extends BaseError {
  override readonly name = "Grants.GrantBadSignatureError";
  constructor(grantHash: Hex, owner: Address) {
    super(`Grant ${grantHash} is not signed by ${owner}, the data set's owner.`, {
      hint: "Ask the provider for a grant made with `dcm grant create` on this deployment.",
    });
  }
}

/** The grant cannot be used now. */
export class GrantNotInForceError extends BaseError {
  override readonly name = "Grants.GrantNotInForceError";
  constructor(grantHash: Hex, state: GrantState) {
    super(`Grant ${grantHash} is ${state}.`, { hint: "Ask the provider for a new one." });
  }
}
