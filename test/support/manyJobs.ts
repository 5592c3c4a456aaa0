/**
 * Many jobs that must all fail: registered, consented to and opened by transactions that nobody waits for, worked on by
 * the worker as it comes to them, and then looked at one by one.
 */
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { bytesToHex, type Hex, parseGwei, sha256, zeroHash } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../../protocol/abi.ts";
import { settlementIn } from "../../protocol/chain/settlingTransaction.ts";
import { type FailureCode, failureCodes, hashReceipt, type Receipt, receiptStatus } from "../../protocol/eip712.ts";
import { type Metadata, metadataToText } from "../../protocol/metadata.ts";
import { type Client, walletOf } from "../../sdk/client.ts";
import { newDatasetId } from "../../sdk/datasets.ts";
import { deposit } from "../../sdk/deposits.ts";
import { encryptStream } from "../../sdk/node/encryptStream.ts";
import { credits, problemOf, type RawTerms, rawJob, withoutCredit } from "./hostile.ts";
import type { Provider, Scenario } from "./scenario.ts";

/** A job, and the failure that it must end with. */
export type FailingJob = { what: string; failure: FailureCode; terms: RawTerms };

type Calls = Parameters<ReturnType<typeof walletOf>["writeContract"]>[0][];

/** Sends calls one after the other into blocks of their own; fails unless all succeed. */
async function sendAll(
  client: Client,
  calls: readonly { address: Hex; abi: unknown; functionName: string; args: unknown }[],
) {
  const wallet = walletOf(client);
  const { account } = wallet;
  let nonce = await client.chain.getTransactionCount({ address: account.address, blockTag: "pending" });
  const fixed = { account, chain: null, gas: 3_000_000n, maxFeePerGas: parseGwei("50"), maxPriorityFeePerGas: 1n };
  const hashes: Hex[] = [];
  for (const call of calls) hashes.push(await wallet.writeContract({ ...call, ...fixed, nonce: nonce++ } as Calls[0]));
  for (const hash of hashes) expect((await client.chain.getTransactionReceipt({ hash })).status).to.equal("success");
}

/**
 * Registers a data set for each file, of provider 0's wallet.
 *
 * @param place - where a ciphertext will be found.
 * @returns the owners of the data sets, in the order of the files.
 */
export async function registerAll(
  s: Scenario,
  files: readonly { bytes: Uint8Array; format: string }[],
  place: (ciphertext: Uint8Array) => string,
): Promise<Provider[]> {
  const [owner] = s.providers;
  const { client } = owner;
  const address = client.deployment.contracts.datasetRegistry;
  const calls = [];
  const providers: Provider[] = [];
  for (const { bytes, format } of files) {
    const { ciphertext: pieces, key } = await encryptStream(Readable.from([bytes]));
    const ciphertext = Buffer.concat(await Array.fromAsync(pieces));
    const contentHash = sha256(ciphertext);
    const { salt, datasetId } = newDatasetId(client, contentHash);
    const metadata = metadataToText({ v: 1, title: "bad", format } as Metadata);
    const args = [contentHash, salt, ciphertext.length, place(ciphertext), metadata, []];
    calls.push({ address, abi: datasetRegistryAbi, functionName: "register", args });
    providers.push({ ...owner, datasetId, contentHash, datasetKey: key });
  }
  await sendAll(client, calls);
  return providers;
}

/**
 * Opens jobs, paid from credit, and waits for their ends. Each must be settled once, by a FAILED receipt of its code that
 * has no result; the operator must get the failure fees and nobody else anything; the worker must live on without a word on
 * stderr.
 *
 * @returns the receipts, in the order of the jobs.
 */
export async function expectAllFail(s: Scenario, jobs: readonly FailingJob[], timeoutMs = 240_000): Promise<Receipt[]> {
  const { token, deployment } = s.market;
  const { process: worker, lines } = s.worker().child;
  const saidBefore = lines.stderr.length;
  const address = deployment.contracts.jobMarket;
  const raw = await Promise.all(jobs.map(({ terms }) => rawJob(s, terms)));
  await withoutCredit(s);
  await deposit(s.requester, { token, amount: raw.reduce((sum, { cost }) => sum + cost, 0n) });
  const before = await credits(s);
  const fromBlock = await s.requester.chain.getBlockNumber();
  const calls = raw.map(({ order, programUri, params }) => {
    const args = [order, programUri, bytesToHex(params), "0x", "0x"];
    return { address, abi: jobMarketAbi, functionName: "open", args };
  });
  await sendAll(s.requester, calls);

  const wanted = new Map(raw.map(({ jobId }, i) => [jobId, jobs[i]?.what ?? ""]));
  const receipts = await receiptsOf(s, wanted, fromBlock, timeoutMs);
  const ends = raw.map(({ jobId }, i) => [jobs[i]?.what, failureCodes[receipts.get(jobId)?.failureCode ?? 0]]);
  expect(ends).to.deep.equal(jobs.map(({ what, failure }) => [what, failure]));
  for (const [jobId, { status, resultHash, outputCommitment }] of receipts) {
    expect([status, resultHash, outputCommitment]).to.deep.equal([receiptStatus.failed, zeroHash, zeroHash]);
    expect(await problemOf(`${s.worker().url}/results/${jobId}`)).to.equal("404 Http.UnknownJobError");
  }
  const fees = raw.reduce((sum, { order }) => sum + order.failureFee, 0n);
  const gained = (await credits(s)).map((credit, i) => credit - (before[i] ?? 0n));
  expect(gained).to.deep.equal([fees, 0n, 0n, -fees]);
  expect([worker.exitCode, worker.signalCode, lines.stderr.slice(saidBefore)]).to.deep.equal([null, null, []]);
  return raw.flatMap(({ jobId }) => receipts.get(jobId) ?? []);
}

/** The one receipt of each job. */
async function receiptsOf(s: Scenario, wanted: ReadonlyMap<Hex, string>, fromBlock: bigint, timeoutMs: number) {
  const { chain, marketDomain } = s.requester;
  const filter = { address: marketDomain.verifyingContract, abi: jobMarketAbi, eventName: "JobSettled" } as const;
  const settled = () => chain.getContractEvents({ ...filter, fromBlock, strict: true });
  const end = performance.now() + timeoutMs;
  for (let events = await settled(); ; events = await settled()) {
    const own = events.filter(({ args }) => wanted.has(args.jobId));
    if (own.length >= wanted.size) return readReceipts(s, own);
    if (performance.now() > end) {
      const ids = new Set(own.map(({ args }) => args.jobId));
      const open = [...wanted].filter(([jobId]) => !ids.has(jobId)).map(([jobId, what]) => `${what} (${jobId})`);
      throw new Error(`still open:\n${open.join("\n")}\n${s.worker().child.lines.stdout.slice(-12).join("\n")}`);
    }
    await sleep(100);
  }
}

async function readReceipts(
  { requester: { chain, marketDomain } }: Scenario,
  events: readonly { transactionHash: Hex; args: { jobId: Hex; receiptHash: Hex } }[],
): Promise<Map<Hex, Receipt>> {
  const receipts = new Map<Hex, Receipt>();
  for (const { transactionHash, args } of events) {
    const { input } = await chain.getTransaction({ hash: transactionHash });
    const receipt = settlementIn(input, marketDomain, args.jobId)?.receipt;
    if (receipt === undefined) throw new Error(`${transactionHash} does not hold the receipt of job ${args.jobId}`);
    expect(hashReceipt(marketDomain, receipt)).to.equal(args.receiptHash);
    expect(receipts.has(args.jobId), "settled twice").to.equal(false);
    receipts.set(args.jobId, receipt);
  }
  return receipts;
}
