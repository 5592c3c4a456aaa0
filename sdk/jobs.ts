/**
 * Room: sdk/jobs. Opening, cancelling and expiring jobs. Money leaves the wallet only in `openJob`.
 */
import { type Address, bytesToHex, type Hex, parseAbi, parseSignature, zeroAddress } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { ContractRefusedError, toTypedError } from "./chainErrors.ts";
import { addressOf, type Client, walletOf } from "./client.ts";
import { findJob } from "./findJob.ts";
import { chainTime } from "./grants.ts";
import type { PreparedJob } from "./prepareJob.ts";
import { read, type Sent, send, simulate } from "./send.ts";
import { permitTermsOf, tokenErrorsAbi } from "./tokens.ts";

/** How a job was paid for. */
export type Payment = "native" | "allowance" | "permit" | "approve";

/** An opened job; `approveHashes` are the token's transactions sent before. */
export type OpenedJob = Sent & { jobId: Hex; index: bigint; payment: Payment; approveHashes: readonly Hex[] };

/** With it, the errors of the token are decoded too. */
const abi = [...jobMarketAbi, ...tokenErrorsAbi] as const;

// Without a return value: some tokens return nothing from `approve`.
const allowanceAbi = parseAbi([
  "function approve(address spender, uint256 amount)",
  "function allowance(address owner, address spender) view returns (uint256)",
]);

/** How long a permit is valid, in seconds: long enough to be mined. */
const permitLifeSeconds = 3600n;

/**
 * Opens a job and escrows its cost: the native coin by value, an ERC-20 by an allowance there is, else by permit where
 * the token takes one, else by approving the exact cost.
 *
 * @throws any error of `send`
 * @example
 * const { jobId, index } = await openJob(client, await prepareJob(client, terms))
 */
export async function openJob(client: Client, job: PreparedJob): Promise<OpenedJob> {
  const { order, programUri, cost } = job;
  const address = client.deployment.contracts.jobMarket;
  const args = [order, programUri, bytesToHex(job.params)] as const;
  const open = { address, abi, functionName: "open", args } as const;
  const done = (sent: Sent & { result: readonly [Hex, bigint] }, payment: Payment, approveHashes: Hex[] = []) => {
    const { hash, gasUsed, blockNumber, result } = sent;
    return { hash, gasUsed, blockNumber, jobId: result[0], index: result[1], payment, approveHashes };
  };
  if (order.token === zeroAddress) return done(await send(client, { ...open, value: cost }), "native");

  const erc20 = { address: order.token, abi: allowanceAbi } as const;
  const pair = [addressOf(client), address] as const;
  const allowance = await read(client, { ...erc20, functionName: "allowance", args: pair });
  if (allowance >= cost) return done(await send(client, open), "allowance");

  const permit = await signPermit(client, order.token, cost);
  if (permit !== undefined) {
    const call = { address, abi, functionName: "openWithPermit", args: [...args, ...permit] } as const;
    if (await passesWithAllowance(simulate(client, call))) return done(await send(client, call), "permit");
  }
  // What the market refuses, it refuses before the token is asked: then nothing is approved either.
  await passesWithAllowance(simulate(client, open));

  const approveHashes: Hex[] = [];
  const approve = { ...erc20, functionName: "approve" } as const;
  // Some tokens refuse to change an allowance that is not zero.
  for (const amount of allowance === 0n ? [cost] : [0n, cost])
    approveHashes.push((await send(client, { ...approve, args: [address, amount] })).hash);
  return done(await send(client, open), "approve", approveHashes);
}

/** Whether a simulation passes; false if it fails in the token for want of an allowance. Other refusals are thrown. */
async function passesWithAllowance(simulation: Promise<unknown>): Promise<boolean> {
  try {
    await simulation;
    return true;
  } catch (error) {
    const refusal = error instanceof ContractRefusedError ? error.contractError : undefined;
    if (refusal === undefined || refusal.startsWith("JobMarket_") || refusal === "ERC20InsufficientBalance")
      throw error;
    return false; // the allowance, or an error of a token that is not known here: `open` after approving says which
  }
}

/**
 * Takes an open job of the client's wallet back; its whole cost becomes credit.
 *
 * @throws any error of `findJob` and `send`
 * @example
 * await cancelJob(client, jobId)
 */
export async function cancelJob(client: Client, job: Hex | bigint): Promise<Sent> {
  return await end(client, "cancel", job);
}

/**
 * Ends an open job whose deadline has passed; its whole cost becomes the requester's credit. Anyone may do it.
 *
 * @throws any error of `findJob` and `send`
 * @example
 * await expireJob(client, jobId)
 */
export async function expireJob(client: Client, job: Hex | bigint): Promise<Sent> {
  return await end(client, "expire", job);
}

async function end(client: Client, functionName: "cancel" | "expire", job: Hex | bigint): Promise<Sent> {
  const { index, order } = await findJob(client, job);
  const address = client.deployment.contracts.jobMarket;
  const sent = await send(client, { address, abi: jobMarketAbi, functionName, args: [index, order] });
  return { hash: sent.hash, gasUsed: sent.gasUsed, blockNumber: sent.blockNumber };
}

const permitTypes = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;

type PermitArgs = readonly [deadline: bigint, v: number, r: Hex, s: Hex];

/** A permit for the market over exactly `value`, or undefined if the token or the wallet cannot give one. */
async function signPermit(client: Client, token: Address, value: bigint): Promise<PermitArgs | undefined> {
  const terms = await permitTermsOf(client, token);
  if (terms === undefined) return undefined;
  const { name, version, nonce } = terms;
  const wallet = walletOf(client);
  const owner = wallet.account.address;
  const deadline = (await chainTime(client)) + permitLifeSeconds;
  const { chainId, contracts } = client.deployment;
  const signature = await wallet
    .signTypedData({
      account: wallet.account,
      domain: { name, version, chainId, verifyingContract: token },
      types: permitTypes,
      primaryType: "Permit",
      message: { owner, spender: contracts.jobMarket, value, nonce, deadline },
    })
    .catch((cause) => {
      throw toTypedError(cause);
    });
  if (signature.length !== 132) return undefined; // a contract wallet's: no v, r, s in it
  const { r, s, yParity } = parseSignature(signature);
  return [deadline, yParity + 27, r, s];
}
