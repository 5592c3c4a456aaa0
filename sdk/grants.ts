/**
 * Room: sdk/grants. Giving, checking and revoking consent. A grant is a public signed statement: who holds it can
 * check it, nobody but the named program in the named workload can use it.
 */
import {
  type Address,
  type Hex,
  hexToBigInt,
  isAddressEqual,
  parseAbi,
  recoverAddress,
  size,
  slice,
  zeroAddress,
} from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../protocol/abi.ts";
import { type Grant, grantTypes, hashGrant, type SignedGrant, sealedKeyTypes } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import type { SealedKey } from "../protocol/sealing.ts";
import { ContractRefusedError, NoContractError, toTypedError } from "./chainErrors.ts";
import { type Client, walletOf } from "./client.ts";
import { randomUint256 } from "./random.ts";
import { read, type Sent, send } from "./send.ts";

/** What a provider consents to; left out: anyone may ask, any operator, no limit of uses, no further readers. */
export type GrantTerms = Pick<Grant, "datasetId" | "programId" | "workloadId" | "token" | "pricePerUse" | "notAfter"> &
  Partial<Pick<Grant, "requester" | "operator" | "maxUses" | "notBefore" | "resultReaders">>;

/** Where a grant stands now. */
export type GrantState = "in force" | "not yet valid" | "expired" | "revoked" | "used up";

/**
 * Signs a grant for a data set of the client's wallet.
 *
 * @throws {@link NotYoursError} | any error of `read` | RejectedByWalletError
 * @example
 * const { grant, signature, grantHash } = await signGrant(client, terms)
 */
export async function signGrant(client: Client, terms: GrantTerms): Promise<SignedGrant & { grantHash: Hex }> {
  const wallet = walletOf(client);
  const [owner, epoch] = await consentOf(client, terms.datasetId);
  if (!isAddressEqual(owner, wallet.account.address)) throw new NotYoursError(terms.datasetId, owner);
  const grant: Grant = {
    datasetId: terms.datasetId,
    programId: terms.programId,
    workloadId: terms.workloadId,
    requester: terms.requester ?? zeroAddress,
    operator: terms.operator ?? zeroAddress,
    token: terms.token,
    pricePerUse: terms.pricePerUse,
    maxUses: terms.maxUses ?? 0n,
    notBefore: terms.notBefore ?? 0n,
    notAfter: terms.notAfter,
    resultReaders: terms.resultReaders ?? [],
    epoch,
    nonce: randomUint256(),
  };
  const domain = client.marketDomain;
  try {
    const typed = { domain, types: grantTypes, primaryType: "Grant", message: grant } as const;
    const signature = await wallet.signTypedData({ ...typed, account: wallet.account });
    return { grant, signature, grantHash: hashGrant(domain, grant) };
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/**
 * Signs a sealed data set key, as the owner who hands it to an enclave under a grant.
 *
 * @throws errors of the wallet, typed
 * @example
 * const sealedKeySignature = await signSealedKey(client, grantHash, sealedKey)
 */
export async function signSealedKey(client: Client, grantHash: Hex, sealedKey: SealedKey): Promise<Hex> {
  const wallet = walletOf(client);
  const message = { grantHash, ...sealedKey };
  const typed = { domain: client.marketDomain, types: sealedKeyTypes, primaryType: "SealedKey", message } as const;
  try {
    return await wallet.signTypedData({ ...typed, account: wallet.account });
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/**
 * Where a grant stands at the chain's time, and how often it was used.
 *
 * @throws any error of `read`
 * @example
 * const { state, uses } = await grantStateOf(client, grant)
 */
export async function grantStateOf(client: Client, grant: Grant): Promise<{ state: GrantState; uses: bigint }> {
  const { datasetRegistry, jobMarket } = client.deployment.contracts;
  const [owner, epoch] = await consentOf(client, grant.datasetId);
  const revoked = await read(client, {
    address: datasetRegistry,
    abi: datasetRegistryAbi,
    functionName: "isGrantNonceRevoked",
    args: [owner, grant.nonce],
  });
  const uses = await read(client, {
    address: jobMarket,
    abi: jobMarketAbi,
    functionName: "grantUses",
    args: [hashGrant(client.marketDomain, grant)],
  });
  const now = await chainTime(client);
  if (revoked || epoch !== grant.epoch) return { state: "revoked", uses };
  if (now > grant.notAfter) return { state: "expired", uses };
  if (now < grant.notBefore) return { state: "not yet valid", uses };
  return { state: grant.maxUses !== 0n && uses >= grant.maxUses ? "used up" : "in force", uses };
}

/**
 * Checks that a grant is its data set's owner's and is in force.
 *
 * @throws {@link GrantNotInForceError} | {@link GrantBadSignatureError} | any error of `read`
 * @example
 * await checkGrant(client, signedGrant)
 */
export async function checkGrant(client: Client, signed: SignedGrant): Promise<void> {
  const [owner] = await consentOf(client, signed.grant.datasetId);
  const grantHash = hashGrant(client.marketDomain, signed.grant);
  if (!(await isSignedBy(client, owner, grantHash, signed.signature)))
    throw new GrantBadSignatureError(grantHash, owner);
  const { state } = await grantStateOf(client, signed.grant);
  if (state !== "in force") throw new GrantNotInForceError(grantHash, state);
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

async function consentOf(client: Client, datasetId: Hex): Promise<readonly [owner: Address, epoch: number]> {
  const address = client.deployment.contracts.datasetRegistry;
  return await read(client, { address, abi: datasetRegistryAbi, functionName: "consentOf", args: [datasetId] });
}

const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);

/** Order of the curve; OpenZeppelin's ECDSA refuses signatures whose s is in the upper half. */
const secp256k1n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** ECDSA for wallets, ERC-1271 for contracts; as OpenZeppelin's SignatureChecker decides on chain. */
async function isSignedBy(client: Client, owner: Address, hash: Hex, signature: Hex): Promise<boolean> {
  const code = await client.chain.getCode({ address: owner }).catch((cause) => {
    throw toTypedError(cause);
  });
  if (code === undefined || code === "0x") {
    if (size(signature) !== 65 || hexToBigInt(slice(signature, 32, 64)) > secp256k1n / 2n) return false;
    const signer = await recoverAddress({ hash, signature }).catch(() => zeroAddress);
    return signer !== zeroAddress && isAddressEqual(signer, owner);
  }
  const call = { address: owner, abi: erc1271Abi, functionName: "isValidSignature", args: [hash, signature] } as const;
  const magic = await read(client, call).catch((error) => {
    if (error instanceof ContractRefusedError || error instanceof NoContractError) return "0x";
    throw error;
  });
  return magic === "0x1626ba7e";
}

/** The data set belongs to another wallet. */
export class NotYoursError extends BaseError {
  override readonly name = "Grants.NotYoursError";
  constructor(datasetId: Hex, owner: Address) {
    super(`Data set ${datasetId} belongs to ${owner}.`, { hint: "Use the wallet that registered it." });
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
