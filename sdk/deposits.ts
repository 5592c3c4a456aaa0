/**
 * Room: sdk/deposits. Paying in: credit for orders that are settled without being opened, and for bonds. Base units.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import { BaseError } from "../protocol/errors.ts";
import { addressOf, type Client } from "./client.ts";
import { allowanceOf, approve, marketAbi, passesWithAllowance } from "./payment.ts";
import {
  permit2Address,
  type SignedDeposit,
  signAuthorizedDeposit,
  signPermit,
  signPermit2Deposit,
} from "./permits.ts";
import { type Sent, send, simulate } from "./send.ts";

/** How a deposit is paid. */
export type DepositWay = "native" | "allowance" | "approve" | "permit" | "permit2" | "authorization";

/** A deposit. */
export type DepositTerms = {
  /** Zero for the native coin. */
  token: Address;
  amount: bigint;
  /** Who is credited; default: the wallet. */
  account?: Address;
  /** Default: what the token takes and costs least: an allowance there is, a permit, an approval. */
  way?: DepositWay;
};

/** A deposit that was made; `approveHashes` are the token's transactions sent before. */
export type Deposited = Sent & { amount: bigint; account: Address; way: DepositWay; approveHashes: readonly Hex[] };

/**
 * Pays in from the client's wallet.
 *
 * @throws {@link WrongWayError} | NoAuthorizationsError | any error of `send`
 * @example
 * const { way } = await deposit(client, { token, amount: 5_000_000n })
 */
export async function deposit(client: Client, terms: DepositTerms): Promise<Deposited> {
  const { token, amount, way } = terms;
  const me = addressOf(client);
  const account = terms.account ?? me;
  const signing = way === "permit" || way === "permit2" || way === "authorization";
  if (way !== undefined && (way === "native") !== (token === zeroAddress)) throw new WrongWayError(token, way);
  if (signing && !isAddressEqual(account, me)) throw new WrongWayError(token, way);
  const done = (sent: Sent, by: DepositWay, approveHashes: readonly Hex[] = []) => {
    const { hash, gasUsed, blockNumber } = sent;
    return { hash, gasUsed, blockNumber, amount, account, way: by, approveHashes };
  };
  const address = client.deployment.contracts.jobMarket;
  const plain = { address, abi: marketAbi, functionName: "deposit", args: [token, account, amount] } as const;
  if (token === zeroAddress) return done(await send(client, { ...plain, value: amount }), "native");
  if (way === "permit2") {
    const approved = await allowanceOf(client, token, permit2Address);
    const hashes = approved >= amount ? [] : await approve(client, token, permit2Address, amount, approved);
    return done(await submitDeposit(client, await signPermit2Deposit(client, token, amount)), way, hashes);
  }
  if (way === "authorization")
    return done(await submitDeposit(client, await signAuthorizedDeposit(client, token, amount)), way);

  const allowance = await allowanceOf(client, token, address);
  if (way === "allowance" || (way === undefined && allowance >= amount))
    return done(await send(client, plain), "allowance");
  if (way === "permit" || (way === undefined && isAddressEqual(account, me))) {
    const permit = await signPermit(client, token, amount);
    if (permit === undefined && way === "permit") throw new WrongWayError(token, way);
    if (permit !== undefined) {
      const args = [token, amount, ...permit] as const;
      const call = { address, abi: marketAbi, functionName: "depositWithPermit", args } as const;
      if (way === "permit" || (await passesWithAllowance(simulate(client, call))))
        return done(await send(client, call), "permit");
    }
  }
  await passesWithAllowance(simulate(client, plain));
  const hashes = allowance >= amount ? [] : await approve(client, token, address, amount, allowance);
  return done(await send(client, plain), "approve", hashes);
}

/**
 * Submits a deposit that its account signed: by Permit2 or EIP-3009. Anyone may; only that account is credited.
 *
 * @throws any error of `send`
 * @example
 * await submitDeposit(client, signed)
 */
export async function submitDeposit(client: Client, signed: SignedDeposit): Promise<Sent> {
  const { token, account, amount, signature } = signed;
  const market = { address: client.deployment.contracts.jobMarket, abi: marketAbi } as const;
  const { hash, gasUsed, blockNumber } =
    signed.kind === "permit2"
      ? await send(client, {
          ...market,
          functionName: "depositWithPermit2",
          args: [token, account, amount, signed.nonce, signed.deadline, signature],
        })
      : await send(client, {
          ...market,
          functionName: "depositWithAuthorization",
          args: [token, account, amount, signed.validAfter, signed.validBefore, signed.nonce, signature],
        });
  return { hash, gasUsed, blockNumber };
}

/** The token, or the account to be credited, does not go with this way of paying. */
export class WrongWayError extends BaseError {
  override readonly name = "Deposits.WrongWayError";
  constructor(token: Address, way: DepositWay) {
    super(`${token === zeroAddress ? "The native coin" : `Token ${token}`} cannot be paid in by ${way}.`, {
      hint: "Leave the way out, or use approve. A signature pays in for the account that gives it only.",
    });
  }
}
