/**
 * Jobs and grants as somebody would make them who does not use the sdk, or means harm; and what must come of them.
 * The client-side checks are left out on purpose: what is tested is what the worker and the contracts do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { erc20Abi, type Hex, zeroAddress } from "viem";
import type { JobStep } from "../../enclave/jobs/ports.ts";
import { costOf } from "../../protocol/charges.ts";
import {
  type FailureCode,
  type Grant,
  grantTypes,
  hashGrant,
  hashOrder,
  type JobOrder,
  type SignedGrant,
} from "../../protocol/eip712.ts";
import { encodeParams, type Program, packProgram } from "../../protocol/program.ts";
import { sealKey } from "../../protocol/sealing.ts";
import { testAccount } from "../../scripts/localChain.ts";
import { addressOf, type Client, walletOf } from "../../sdk/client.ts";
import { creditOf, withdraw } from "../../sdk/credit.ts";
import { getDataset } from "../../sdk/datasets.ts";
import { datasetKeyBytes, decryptResult, newResultIdentity } from "../../sdk/encryption.ts";
import { chainTime, signSealedKey } from "../../sdk/grants.ts";
import { type OpenedJob, openJob } from "../../sdk/jobs.ts";
import type { PreparedJob } from "../../sdk/prepareJob.ts";
import { randomUint256 } from "../../sdk/random.ts";
import { postGrant, uploadBlob } from "../../sdk/worker.ts";
import { failureOf, releasedResult, settlement } from "./outcomes.ts";
import { plainTerms } from "./plainTerms.ts";
import { programOf } from "./programs.ts";
import type { Provider, Scenario } from "./scenario.ts";

/** Fees and price of every job here, in base units of the token. */
export const fees = { operatorFee: 1_000_000n, failureFee: 100_000n, price: 2_500_000n } as const;

/** A program of one text input `data` that returns whatever `source` makes of it. */
export function oneInputProgram(s: Scenario, source: string, changes: Parameters<typeof programOf>[2] = {}): Program {
  const output = { format: "json", schema: {}, maxBytes: 256 } as const;
  return programOf(s.program, source, { inputs: [{ name: "data", format: "text" }], output, ...changes });
}

/** A program whose result shows that it read its one input to the end. */
export const countingProgram = (s: Scenario) =>
  oneInputProgram(s, "export default ({ data }) => ({ n: data.length });");

/** Signs a grant as it is, whoever it is for. */
export async function signAs(client: Client, grant: Grant, domain = client.marketDomain): Promise<SignedGrant> {
  const wallet = walletOf(client);
  const typed = { domain, types: grantTypes, primaryType: "Grant", message: grant } as const;
  return { grant, signature: await wallet.signTypedData({ ...typed, account: wallet.account }) };
}

/** A provider's grant for one program, changed before it is signed. */
export async function grantOf(
  s: Scenario,
  provider: Provider,
  program: Program,
  changes: Partial<Grant> = {},
  domain = provider.client.marketDomain,
): Promise<SignedGrant> {
  const grant: Grant = {
    datasetId: provider.datasetId,
    programId: program.id,
    workloadId: s.workloadId,
    requester: zeroAddress,
    operator: zeroAddress,
    token: s.market.token,
    priceUnit: 0,
    price: fees.price,
    maxUses: 0n,
    notBefore: 0n,
    notAfter: (await chainTime(provider.client)) + 3600n,
    resultReaders: [],
    epoch: 0,
    ownerEpoch: 0,
    nonce: randomUint256(),
    ...changes,
  };
  return signAs(provider.client, grant, domain);
}

/** What a broker posts, but with any key, sealed under any grant's hash, to any vault key. */
export async function bring(
  s: Scenario,
  signed: SignedGrant,
  sealed: { key: string | Uint8Array; under?: Hex; vaultKey?: Hex; by?: Client },
): Promise<{ grantHash: Hex }> {
  const { url } = s.worker();
  const { vaultKey } = (await (await fetch(`${url}/enclave`)).json()) as { vaultKey: Hex };
  const key = typeof sealed.key === "string" ? datasetKeyBytes(sealed.key) : sealed.key;
  const grantHash = sealed.under ?? hashGrant(s.requester.marketDomain, signed.grant);
  const sealedKey = await sealKey(sealed.vaultKey ?? vaultKey, grantHash, key);
  // Its owner signs it, where the data set has one and nobody else is told to.
  const dataset = await getDataset(s.requester, signed.grant.datasetId).catch(() => undefined);
  const provider = s.providers.find(({ client }) => addressOf(client) === dataset?.owner) ?? s.providers[0];
  const signedHash = hashGrant(s.requester.marketDomain, signed.grant);
  const sealedKeySignature = await signSealedKey(sealed.by ?? provider.client, signedHash, sealedKey);
  return postGrant(url, { ...signed, sealedKey, sealedKeySignature });
}

/** A grant that is in order and delivered. */
export async function consent(s: Scenario, provider: Provider, program: Program, changes: Partial<Grant> = {}) {
  const signed = await grantOf(s, provider, program, changes);
  await bring(s, signed, { key: provider.datasetKey });
  return signed;
}

/** What a job is made of here. */
export type RawTerms = {
  program: Program;
  grants: readonly SignedGrant[];
  /** Default: the program's bundle, uploaded to the worker. */
  programUri?: string;
  /** The bytes as they go on chain; default `{}`. */
  params?: Uint8Array;
  changes?: Partial<JobOrder>;
};

/** An opened job with the secret that opens its result. */
export type RawJob = OpenedJob & Pick<PreparedJob, "order" | "cost"> & { identity: string };

/** An order that nobody checked. */
export async function rawJob(s: Scenario, terms: RawTerms): Promise<PreparedJob & { identity: string }> {
  const { identity, resultKey } = await newResultIdentity();
  const encoded = encodeParams({});
  const params = terms.params ?? encoded.bytes;
  const order: JobOrder = {
    requester: addressOf(s.requester),
    payer: addressOf(s.requester),
    programId: terms.program.id,
    workloadId: s.workloadId,
    paramsHash: encoded.hash,
    datasets: terms.grants.map(({ grant }) => ({
      datasetId: grant.datasetId,
      grantHash: hashGrant(s.requester.marketDomain, grant),
      maxPrice: grant.price,
    })),
    resultKey,
    token: s.market.token,
    operatorFee: fees.operatorFee,
    failureFee: fees.failureFee,
    operator: zeroAddress,
    ...plainTerms,
    deadline: (await chainTime(s.requester)) + 3600n,
    nonce: randomUint256(),
    ...terms.changes,
  };
  const programUri = terms.programUri ?? (await uploadOnce(s, terms.program));
  const jobId = hashOrder(s.requester.marketDomain, order);
  return { order, jobId, programUri, params, cost: costOf(order), identity };
}

const uploaded = new WeakMap<Scenario, Map<Hex, string>>();

/** The worker takes only so many uploads a minute. */
async function uploadOnce(s: Scenario, program: Program): Promise<string> {
  const uris = uploaded.get(s) ?? new Map<Hex, string>();
  uploaded.set(s, uris);
  const uri = uris.get(program.id) ?? (await uploadBlob(s.worker().url, packProgram(program))).uri;
  uris.set(program.id, uri);
  return uri;
}

/** Opens such an order. */
export async function openRaw(s: Scenario, terms: RawTerms): Promise<RawJob> {
  const { identity, ...prepared } = await rawJob(s, terms);
  return { ...(await openJob(s.requester, prepared)), order: prepared.order, cost: prepared.cost, identity };
}

/** Sends one transaction into a block of its own and leaves the node without mining: what comes then waits in its pool. */
export async function withoutMining<T>(s: Scenario, act: () => Promise<T>): Promise<T> {
  const { control } = s.market.chain;
  await control.setAutomine(false);
  const acting = act();
  await transactionPending(s);
  await control.mine({ blocks: 1 });
  return acting;
}

/** Resolves when a transaction waits in the node's pool. */
export async function transactionPending(s: Scenario): Promise<void> {
  const { control } = s.market.chain;
  while ((await control.getBlock({ blockTag: "pending" })).transactions.length === 0) await sleep(10);
}

/** Lets the node mine what waits, and whatever comes after. */
export async function mineAgain(s: Scenario): Promise<void> {
  await s.market.chain.control.setAutomine(true);
  await s.market.chain.control.mine({ blocks: 1 });
}

/** Resolves when the worker has said that a step of a job happened. */
export async function stepSeen(s: Scenario, step: JobStep, jobId: Hex): Promise<void> {
  await s.worker().child.waitForLine((line) => (isStep(line, step, jobId) ? true : undefined), 20_000);
}

/** How often the worker has said so. */
export function timesSeen(s: Scenario, step: JobStep, jobId: Hex): number {
  return s.worker().child.lines.stdout.filter((line) => isStep(line, step, jobId)).length;
}

/** As {@link timesSeen}, but waits for the first line: it comes by a pipe, maybe after what it tells of is on chain. */
export async function timesSeenSoon(s: Scenario, step: JobStep, jobId: Hex): Promise<number> {
  for (let look = 0; look < 100 && timesSeen(s, step, jobId) === 0; look++) await sleep(20);
  return timesSeen(s, step, jobId);
}

function isStep(line: string, step: JobStep, jobId: Hex): boolean {
  return line.includes(`"job.${step}"`) && line.includes(jobId);
}

/** Credits in the token of the operator, the two providers and the requester. */
export function credits(s: Scenario): Promise<bigint[]> {
  return Promise.all([1, 2, 3, 4].map((i) => creditOf(s.requester, testAccount(i).address, s.market.token)));
}

/** The market spends a requester's credit first: without any, a job is paid from its wallet, and credit is what it gets. */
export async function withoutCredit(s: Scenario): Promise<void> {
  const { token } = s.market;
  const credit = await creditOf(s.requester, addressOf(s.requester), token);
  if (credit > 0n) await withdraw(s.requester, { token });
}

/** What the same four gain while something is done. */
export async function gainsOf<T>(s: Scenario, act: () => Promise<T>): Promise<{ gained: bigint[]; value: T }> {
  await withoutCredit(s);
  const before = await credits(s);
  const value = await act();
  return { gained: (await credits(s)).map((credit, i) => credit - (before[i] ?? 0n)), value };
}

/**
 * Opens a job that must fail with one FAILED receipt of this code: the operator gets the failure fee, the requester
 * all else, and there is no result.
 */
export async function expectFailure(s: Scenario, failure: FailureCode, open: () => Promise<RawJob>): Promise<RawJob> {
  const { gained, value: job } = await gainsOf(s, async () => {
    const opened = await open();
    expect(await failureOf(s, opened.jobId)).to.equal(failure);
    return opened;
  });
  const { failureFee } = job.order;
  expect(gained).to.deep.equal([failureFee, 0n, 0n, job.cost - failureFee]);
  const { resultHash, outputCommitment } = await settlement(s, job.jobId);
  expect([resultHash, outputCommitment]).to.deep.equal([`0x${"00".repeat(32)}`, `0x${"00".repeat(32)}`]);
  expect(await problemOf(`${s.worker().url}/results/${job.jobId}`)).to.equal("404 Http.UnknownJobError");
  return job;
}

/** Status and name of the problem that a GET answers with; only the status if it is none. */
export async function problemOf(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  return response.ok ? String(response.status) : `${response.status} ${(JSON.parse(text) as { name: string }).name}`;
}

/** A job in order, for provider 0: the worker still does its work and everybody is paid what was agreed. */
export async function expectHonestJob(s: Scenario, changes: Partial<Grant> = {}): Promise<void> {
  const program = countingProgram(s);
  const provider = s.providers[0];
  const { gained, value: job } = await gainsOf(s, async () => {
    const opened = await openRaw(s, { program, grants: [await consent(s, provider, program, changes)] });
    expect(await failureOf(s, opened.jobId)).to.equal("None");
    return opened;
  });
  expect(gained).to.deep.equal([fees.operatorFee, fees.price, 0n, 0n]);
  const sealed = await releasedResult(s, job.jobId);
  const { output } = await decryptResult(job.identity, sealed, await settlement(s, job.jobId));
  expect(output).to.have.property("n").that.is.greaterThan(10_000);
}

/** Every token that the market holds is somebody's credit: nothing was made, lost or left in escrow. */
export async function expectNoEscrowLeft(s: Scenario): Promise<void> {
  const { jobMarket } = s.market.deployment.contracts;
  const call = { address: s.market.token, abi: erc20Abi, functionName: "balanceOf", args: [jobMarket] } as const;
  const owed = (await credits(s)).reduce((sum, credit) => sum + credit, 0n);
  expect(await s.requester.chain.readContract(call)).to.equal(owed);
}
