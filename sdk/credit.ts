/**
 * Room: sdk/credit. What the market owes an account, and taking it out. Amounts in base units.
 */
import type { Address, Hex } from "viem";
import { z } from "zod";
import { jobMarketAbi } from "../protocol/abi.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { type Withdrawal, withdrawalTypes } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { maxSignatureBytes } from "../protocol/limits.ts";
import { address, hexUpTo, uint64String, uintString } from "../protocol/schemas.ts";
import { addressOf, type Client } from "./client.ts";
import { chainTime } from "./grants.ts";
import { randomUint256 } from "./random.ts";
import { read, type Sent, send } from "./send.ts";
import { signTyped } from "./signatures.ts";
import { readSignedFile, signedFileOf } from "./signedFile.ts";
import { tokenErrorsAbi } from "./tokens.ts";

/** A withdrawal that anyone may submit. */
export type SignedWithdrawal = { withdrawal: Withdrawal; signature: Hex };

/** What is taken out of a token. */
export type WithdrawalTerms = {
  /** Zero for the native coin. */
  token: Address;
  /** Default: the wallet. */
  to?: Address;
  /** Default: all there is. */
  amount?: bigint;
};

const abi = [...jobMarketAbi, ...tokenErrorsAbi] as const;

const contentSchema = z.strictObject({
  withdrawal: z.strictObject({
    account: address,
    token: address,
    to: address,
    amount: uintString,
    nonce: uintString,
    deadline: uint64String,
  }),
  signature: hexUpTo(maxSignatureBytes),
});

/**
 * What an account may withdraw of a token.
 *
 * @param token - zero for the native coin.
 * @throws any error of `read`
 * @example
 * const credit = await creditOf(client, me, token)
 */
export async function creditOf(client: Client, account: Address, token: Address): Promise<bigint> {
  const address = client.deployment.contracts.jobMarket;
  return await read(client, { address, abi: jobMarketAbi, functionName: "creditOf", args: [account, token] });
}

/**
 * Takes credit of the client's wallet out.
 *
 * @throws {@link NoCreditError} | any error of `send`
 * @example
 * const { amount } = await withdraw(client, { token })
 */
export async function withdraw(
  client: Client,
  terms: WithdrawalTerms,
): Promise<Sent & { amount: bigint; to: Address }> {
  const { token, to, amount } = await fill(client, terms);
  const address = client.deployment.contracts.jobMarket;
  const sent = await send(client, { address, abi, functionName: "withdraw", args: [token, to, amount] });
  return { hash: sent.hash, gasUsed: sent.gasUsed, blockNumber: sent.blockNumber, amount, to };
}

/**
 * Signs that anyone may take credit of the client's wallet out, to `to` and nowhere else. Sends nothing: for wallets
 * without gas. `cancelNonce` takes it back.
 *
 * @param validSeconds - from the chain's time.
 * @throws {@link NoCreditError} | any error of `signTyped`
 * @example
 * const { withdrawal, signature } = await signWithdrawal(client, { token, to: coldWallet }, 86_400n)
 */
export async function signWithdrawal(
  client: Client,
  terms: WithdrawalTerms,
  validSeconds: bigint,
): Promise<SignedWithdrawal> {
  const { token, to, amount } = await fill(client, terms);
  const deadline = (await chainTime(client)) + validSeconds;
  const withdrawal: Withdrawal = { account: addressOf(client), token, to, amount, nonce: randomUint256(), deadline };
  const typed = { types: withdrawalTypes, primaryType: "Withdrawal", message: withdrawal };
  return { withdrawal, signature: await signTyped(client, { domain: client.marketDomain, ...typed }) };
}

/**
 * Submits a signed withdrawal. Who signed is checked by the market.
 *
 * @throws any error of `send`: Ledger_SignatureExpired, Ledger_BadSignature, JobMarket_NonceUsed and others
 * @example
 * await submitWithdrawal(client, signed)
 */
export async function submitWithdrawal(client: Client, { withdrawal, signature }: SignedWithdrawal): Promise<Sent> {
  const { account, token, to, amount, nonce, deadline } = withdrawal;
  const { hash, gasUsed, blockNumber } = await send(client, {
    address: client.deployment.contracts.jobMarket,
    abi,
    functionName: "withdrawBySignature",
    args: [account, token, to, amount, nonce, deadline, signature],
  });
  return { hash, gasUsed, blockNumber };
}

/**
 * The JSON of a withdrawal file.
 *
 * @example
 * await writeFile("withdrawal.json", JSON.stringify(withdrawalFileOf(deployment, signed)))
 */
export function withdrawalFileOf(deployment: Deployment, { withdrawal, signature }: SignedWithdrawal) {
  const { amount, nonce, deadline, ...rest } = withdrawal;
  const numbers = { amount: amount.toString(), nonce: nonce.toString(), deadline: deadline.toString() };
  return signedFileOf("withdrawal", deployment, { withdrawal: { ...rest, ...numbers }, signature });
}

/**
 * Reads a withdrawal file.
 *
 * @throws BadSignedFileError
 * @example
 * await submitWithdrawal(client, readWithdrawalFile(text, deployment))
 */
export function readWithdrawalFile(text: string, deployment: Deployment): SignedWithdrawal {
  return readSignedFile("withdrawal", text, deployment, contentSchema);
}

async function fill(client: Client, terms: WithdrawalTerms): Promise<Required<WithdrawalTerms>> {
  const me = addressOf(client);
  const { token, to = me, amount = await creditOf(client, me, token) } = terms;
  if (amount === 0n) throw new NoCreditError(me, token);
  return { token, to, amount };
}

/** There is nothing to withdraw. */
export class NoCreditError extends BaseError {
  override readonly name = "Credit.NoCreditError";
  constructor(account: Address, token: Address) {
    super(`${account} has no credit in token ${token}.`, {
      hint: "See `dcm credit show`; name the token with --token.",
    });
  }
}
