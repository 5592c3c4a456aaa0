/**
 * What a job costs on each of its paths, and every other way it ends. Whole transactions, all checks on. Grants are paid;
 * those of ".limited" are limited in uses too, which the market counts. But for ".cold", payees have had credit and grants
 * have been seen before.
 */
import { type Address, type Hex, keccak256, numberToHex, zeroAddress, zeroHash } from "viem";
import { jobMarketAbi } from "../protocol/abi.ts";
import { hashOrder, hashReceipt, hashSession, type JobOrder, sessionClaimTypes } from "../protocol/eip712.ts";
import { sessionRoot } from "../protocol/sessionTree.ts";
import type { Measured } from "./benchChain.ts";
import { type Conditions, type MarketWorld, operatorFee, price, startMarketWorld, type Terms } from "./marketWorld.ts";

const batchSize = 50;
const sessionSize = 100;
const crowdSize = 1_000;
const limited = { maxUses: 10_000n };

/** Every transaction of the market, then the lives of jobs, each the sum of its transactions. */
export async function marketGas(): Promise<Measured[]> {
  const world = await startMarketWorld();
  const lives = [
    ...(await openedLives(world)),
    ...(await nativeLives(world)),
    ...(await oneTransactionLives(world)),
    await sessionLife(world),
    await crowdedLife(world),
  ];
  await otherEnds(world);
  return [...world.bench.measured, ...lives];
}

/* OPEN, THEN SETTLE */

/** One provider and the operator are paid; from credit, then by allowance. */
async function openedLives(world: MarketWorld): Promise<Measured[]> {
  const { send, requester, token } = world;
  const cold = await life(world, "job.openSettle.2.cold", await world.makeTerms(1), { first: true });
  const warm = await life(world, "job.openSettle.2", await world.makeTerms(1));
  // With no credit left, the cost is pulled.
  const credit = await creditOf(world, requester.address);
  await send(requester, "withdraw", [token, requester.address, credit - 1n]);
  const pulled = await life(world, "job.openSettle.2.pull", await world.makeTerms(1));
  await send(requester, "deposit", [token, requester.address, credit]);
  await life(world, "job.openSettle.2.limited.cold", await world.makeTerms(1, limited), { first: true });
  const counted = await life(world, "job.openSettle.2.limited", await world.makeTerms(1, limited));
  return [cold, warm, pulled, counted];
}

async function nativeLives(world: MarketWorld): Promise<Measured[]> {
  const terms = () => world.makeTerms(1, { payIn: zeroAddress });
  const value = price + operatorFee;
  const cold = await life(world, "job.openSettle.2.native.cold", await terms(), { first: true, value });
  return [cold, await life(world, "job.openSettle.2.native", await terms(), { value })];
}

async function life(
  world: MarketWorld,
  id: string,
  terms: Terms,
  { first = false, value = 0n }: { first?: boolean; value?: bigint } = {},
): Promise<Measured> {
  const opened = await world.open(terms, { id: `${id}.open`, value });
  const grants = first ? terms.grantsFirst : terms.grantsAgain;
  const settling = () => world.settle(opened.index, terms, grants, { id: `${id}.settle` });
  return { id, gas: opened.gas + (await paying(world, 1, settling, terms.order.token)) };
}

/** Takes the step, after which the first provider must have been paid for so many jobs: else it was another step. */
async function paying(world: MarketWorld, jobs: number, step: () => Promise<number>, payIn?: Address): Promise<number> {
  const provider = world.owners[0].address;
  const before = await creditOf(world, provider, payIn);
  const gas = await step();
  const paid = (await creditOf(world, provider, payIn)) - before;
  if (paid !== BigInt(jobs) * price) throw new Error(`${paid} was paid for ${jobs} jobs of ${price} each`);
  return gas;
}

function creditOf({ bench, market, token }: MarketWorld, account: Address, payIn = token): Promise<bigint> {
  const args = [account, payIn] as const;
  return bench.chain.readContract({ address: market, abi: jobMarketAbi, functionName: "creditOf", args });
}

/* ONE TRANSACTION */

async function oneTransactionLives(world: MarketWorld): Promise<Measured[]> {
  const alone = async (id: string, count: number, conditions: Partial<Conditions> = {}) => {
    const { order, grantsAgain } = await world.makeTerms(count, conditions);
    return { id, gas: await paying(world, 1, () => world.settleOrders([order], grantsAgain)) };
  };
  const first = async (id: string, conditions: Partial<Conditions> = {}) => {
    const { order, grantsFirst } = await world.makeTerms(3, conditions);
    return { id, gas: await paying(world, 1, () => world.settleOrders([order], grantsFirst)) };
  };
  const lives = [
    await alone("job.oneTx.2", 1),
    await first("job.oneTx.4.cold"),
    await alone("job.oneTx.4", 3),
    await first("job.oneTx.4.limited.cold", limited),
    await alone("job.oneTx.2.limited", 1, limited),
    await alone("job.oneTx.4.limited", 3, limited),
  ];

  const orders = await distinctOrders(world, batchSize);
  const { grantsAgain } = await world.makeTerms(1);
  const settling = () => world.settleOrders(orders, grantsAgain, { id: "settleOrders.50" });
  const gas = await paying(world, batchSize, settling);
  return [...lives, { id: "job.batch50", gas: each(gas, batchSize) }];
}

/** Orders that differ in what a group lets differ. */
async function distinctOrders(world: MarketWorld, count: number): Promise<JobOrder[]> {
  const orders: JobOrder[] = [];
  for (let i = 0; i < count; i++) {
    const { order } = await world.makeTerms(1);
    orders.push({ ...order, paramsHash: keccak256(numberToHex(i, { size: 32 })) });
  }
  return orders;
}

/* SESSION */

/** Nobody doubts a leaf. The deposit before is not counted: it is `deposit.erc20`. */
async function sessionLife(world: MarketWorld): Promise<Measured> {
  const { bench, send, requester, operator, enclave, domain } = world;
  const { order: common, grantsAgain } = await world.makeTerms(1);
  const order = { ...common, paramsHash: zeroHash };
  const terms = { maxJobs: sessionSize, challengeSeconds: 600, disputeBond: 0n };
  const sessionId = hashSession(domain, order, terms);
  const opening = await send(requester, "openSession", [order, terms, "https://example.org/p.json", "0x", "0x"], {
    id: "session.open",
  });

  const receiptHashes: Hex[] = [];
  for (const job of await distinctOrders(world, sessionSize)) {
    const inSession = { ...job, session: sessionId };
    const receipt = await world.makeReceipt(inSession, true);
    receiptHashes.push(hashReceipt(domain, { ...receipt, jobId: hashOrder(domain, inSession) }));
  }
  const anchor = await bench.chain.getBlock();
  const claim = {
    sessionId,
    root: sessionRoot(receiptHashes),
    okCount: sessionSize,
    failedCount: 0,
    countedGrants: 1,
    anchorBlock: anchor.number,
    anchorHash: anchor.hash,
  };
  const signature = await enclave.signTypedData({
    domain,
    types: sessionClaimTypes,
    primaryType: "SessionClaim",
    message: claim,
  });
  const claiming = await send(operator, "claimSession", [order, terms, claim, signature, grantsAgain], {
    id: "session.claim",
  });
  bench.increaseTime(terms.challengeSeconds + 1);
  const close = () => send(operator, "closeSession", [order, terms], { id: "session.close" });
  const closing = await paying(world, sessionSize, close);
  return { id: "job.session100", gas: each(opening + claiming + closing, sessionSize) };
}

/* MANY OPEN JOBS */

async function crowdedLife(world: MarketWorld): Promise<Measured> {
  const crowd: JobOrder[] = [];
  for (let i = 0; i < crowdSize; i++) crowd.push((await world.makeTerms(1)).order);
  await world.openMany(crowd);
  return life(world, "job.openSettle.2.crowded", await world.makeTerms(1));
}

/* OTHER ENDS */

async function otherEnds(world: MarketWorld): Promise<void> {
  const { bench, send, requester, operator, owners, token } = world;
  const failed = await world.makeTerms(1);
  await world.settle((await world.open(failed)).index, failed, [], { id: "settle.failed" });

  const cancelled = await world.makeTerms(1);
  const { index } = await world.open(cancelled);
  await send(requester, "cancel", [index, cancelled.order], { id: "cancel" });

  const expired = await world.makeTerms(1);
  const last = await world.open(expired);
  bench.increaseTime(86_401); // past every deadline
  await send(operator, "expire", [last.index, expired.order], { id: "expire" });

  const [owner] = owners;
  await send(owner, "withdraw", [zeroAddress, owner.address, price], { id: "withdraw.native.part" });
  const all = await creditOf(world, owner.address);
  await send(owner, "withdraw", [token, owner.address, all], { id: "withdraw.erc20.all" });
}

const each = (gas: number, count: number) => Math.ceil(gas / count);
