/**
 * Room: sdk/permits. Signatures that let the market take tokens: ERC-2612, Permit2, EIP-3009. All name the market as
 * spender or receiver, and the exact amount. Nothing is sent here.
 * Source: ERC-2612; Uniswap Permit2, SignatureTransfer; EIP-3009, receiveWithAuthorization.
 */
import { type Address, bytesToHex, type Hex, parseSignature, size } from "viem";
import { BaseError } from "../protocol/errors.ts";
import { addressOf, type Client } from "./client.ts";
import { chainTime } from "./grants.ts";
import { randomUint256 } from "./random.ts";
import { signTyped } from "./signatures.ts";
import { permitNonceOf, tokenDomainOf } from "./tokens.ts";

/** Where Permit2 is, on all chains. Source: Uniswap's deployment addresses of Permit2. */
export const permit2Address: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3";

/** How long a signature is valid unless told otherwise, in seconds: long enough to be mined. */
export const permitLifeSeconds = 3600n;

/** What `depositWithPermit` takes after token and amount. */
export type PermitArgs = readonly [deadline: bigint, v: number, r: Hex, s: Hex];

/** A deposit that anyone may submit for the account that signed it. */
export type SignedDeposit = { token: Address; account: Address; amount: bigint; signature: Hex } & (
  | { kind: "permit2"; nonce: bigint; deadline: bigint }
  | { kind: "authorization"; nonce: Hex; validAfter: bigint; validBefore: bigint }
);

const permitTypes = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

const permit2Types = {
  PermitTransferFrom: [
    { name: "permitted", type: "TokenPermissions" },
    { name: "spender", type: "address" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
  TokenPermissions: [
    { name: "token", type: "address" },
    { name: "amount", type: "uint256" },
  ],
} as const;

const authorizationTypes = {
  ReceiveWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

/**
 * An ERC-2612 permit for the market over exactly `value`.
 *
 * @returns undefined if the token takes none, or the wallet is a contract, whose signature has no v, r, s.
 * @throws RejectedByWalletError | RpcError
 * @example
 * const permit = await signPermit(client, token, 1_000_000n)
 */
export async function signPermit(client: Client, token: Address, value: bigint): Promise<PermitArgs | undefined> {
  const owner = addressOf(client);
  const domain = await tokenDomainOf(client, token);
  const nonce = domain === undefined ? undefined : await permitNonceOf(client, token, owner);
  if (domain === undefined || nonce === undefined) return undefined;
  const deadline = (await chainTime(client)) + permitLifeSeconds;
  const message = { owner, spender: client.deployment.contracts.jobMarket, value, nonce, deadline };
  const signature = await signTyped(client, { domain, types: permitTypes, primaryType: "Permit", message });
  if (size(signature) !== 65) return undefined;
  const { r, s, yParity } = parseSignature(signature);
  return [deadline, yParity + 27, r, s];
}

/**
 * A deposit by Permit2. The account must have approved the token to Permit2 once; whoever submits this pays the gas.
 *
 * @throws RejectedByWalletError | RpcError
 * @example
 * const signed = await signPermit2Deposit(client, token, 1_000_000n)
 */
export async function signPermit2Deposit(client: Client, token: Address, amount: bigint): Promise<SignedDeposit> {
  const deadline = (await chainTime(client)) + permitLifeSeconds;
  const nonce = randomUint256();
  const spender = client.deployment.contracts.jobMarket;
  const domain = { name: "Permit2", chainId: client.deployment.chainId, verifyingContract: permit2Address };
  const message = { permitted: { token, amount }, spender, nonce, deadline };
  const typed = { domain, types: permit2Types, primaryType: "PermitTransferFrom", message };
  const signature = await signTyped(client, typed);
  return { kind: "permit2", token, account: addressOf(client), amount, nonce, deadline, signature };
}

/**
 * A deposit by EIP-3009, as USDC takes it. Whoever submits it pays the gas.
 *
 * @throws {@link NoAuthorizationsError} | RejectedByWalletError | RpcError
 * @example
 * const signed = await signAuthorizedDeposit(client, token, 1_000_000n)
 */
export async function signAuthorizedDeposit(client: Client, token: Address, amount: bigint): Promise<SignedDeposit> {
  const domain = await tokenDomainOf(client, token);
  if (domain === undefined) throw new NoAuthorizationsError(token);
  const account = addressOf(client);
  const [validAfter, validBefore] = [0n, (await chainTime(client)) + permitLifeSeconds];
  const nonce = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  const to = client.deployment.contracts.jobMarket;
  const message = { from: account, to, value: amount, validAfter, validBefore, nonce };
  const typed = { domain, types: authorizationTypes, primaryType: "ReceiveWithAuthorization", message };
  const signature = await signTyped(client, typed);
  return { kind: "authorization", token, account, amount, nonce, validAfter, validBefore, signature };
}

/** The token takes no signatures, or under a domain that cannot be guessed. */
export class NoAuthorizationsError extends BaseError {
  override readonly name = "Permits.NoAuthorizationsError";
  constructor(token: Address) {
    super(`Token ${token} takes no EIP-3009 authorizations.`, { hint: "Pay in by approval or by Permit2." });
  }
}
