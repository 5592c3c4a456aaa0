/**
 * A marketplace with people in it, for integration tests: two providers with real data sets, brokers, one requester.
 * Everything runs as in production, over HTTP and JSON-RPC, with the sdk.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, type Hex, parseAbi } from "viem";
import type { SignedGrant } from "../../protocol/eip712.ts";
import { type Program, packProgram } from "../../protocol/program.ts";
import { testAccount } from "../../scripts/localChain.ts";
import {
  type LocalMarket,
  type LocalWorker,
  type MarketOptions,
  startLocalMarket,
  type WorkerOptions,
  whenReady,
} from "../../scripts/localMarket.ts";
import { type Broker, createBroker } from "../../sdk/broker.ts";
import { type Client, createClient } from "../../sdk/client.ts";
import { datasetKeyBytes, newResultIdentity } from "../../sdk/encryption.ts";
import { chainTime, type GrantTerms, signGrant } from "../../sdk/grants.ts";
import { type OpenedJob, openJob } from "../../sdk/jobs.ts";
import { readProgram } from "../../sdk/node/programDir.ts";
import { type JobTerms, type PreparedJob, prepareJob } from "../../sdk/prepareJob.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import { uploadBlob } from "../../sdk/worker.ts";

const dataDir = fileURLToPath(new URL("../../node_modules/vega-datasets/data/", import.meta.url));
const programDir = fileURLToPath(new URL("../../programs/yearly-correlation", import.meta.url));
const tokenAbi = parseAbi([
  "function mint(address to, uint256 amount)",
  "function balanceOf(address) view returns (uint256)",
]);

/** A provider with one data set. */
export type Provider = {
  client: Client;
  datasetId: Hex;
  datasetKey: string;
  contentHash: Hex;
  grants: SignedGrant[];
  broker: Broker;
};

/** A job that was asked for, with what opens its result. */
export type AskedJob = OpenedJob & { identity: string; prepared: PreparedJob };

/** The scenario; see {@link startScenario}. */
export type Scenario = Awaited<ReturnType<typeof startScenario>>;

/**
 * Starts a marketplace with a ready worker and people.
 *
 * @example
 * const s = await startScenario();
 * after(() => s.stop());
 */
export async function startScenario(options: WorkerOptions & MarketOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), "dcm-scenario-"));
  const market: LocalMarket = await startLocalMarket(dir, options);
  let worker: LocalWorker = await market.startWorker(options);
  await whenReady(worker, 20_000);
  const program = await readProgram(programDir);
  const connect = (index: number) =>
    createClient({
      rpcUrl: market.chain.rpcUrl,
      deployment: market.deployment,
      account: testAccount(index),
      pollingIntervalMs: 50,
    });
  const requester = await connect(4);
  const { workloadId } = (await (await fetch(`${worker.url}/enclave`)).json()) as { workloadId: Hex };
  await market.chain.wallet(0).writeContract({
    address: market.token,
    abi: tokenAbi,
    functionName: "mint",
    args: [requester.wallet?.account.address as Address, 1_000_000_000n],
  });

  async function addProvider(index: number, bytes: Uint8Array, place?: (ciphertext: Uint8Array) => Promise<string>) {
    const client = await connect(index);
    let datasetKey = "";
    const published = await publishDataset(client, {
      bytes,
      metadata: { title: `data of ${index}`, format: "csv" },
      describe: false,
      keepKey: async (_, key) => {
        datasetKey = key;
      },
      place: place ?? (async (ciphertext) => (await uploadBlob(worker.url, ciphertext)).uri),
    });
    const grants: SignedGrant[] = [];
    const broker = await createBroker(client, {
      grants: async () => grants,
      datasetKey: async () => datasetKeyBytes(datasetKey),
      loadState: async () => undefined,
      saveState: async () => undefined,
    });
    const { datasetId, contentHash } = published;
    return { client, datasetId, datasetKey, contentHash, grants, broker } satisfies Provider;
  }

  async function grant(provider: Provider, terms: Partial<GrantTerms> = {}): Promise<SignedGrant> {
    const { grant, signature } = await signGrant(provider.client, {
      datasetId: provider.datasetId,
      programId: program.id,
      workloadId,
      token: market.token,
      price: 2_500_000n,
      notAfter: (await chainTime(provider.client)) + 3600n,
      ...terms,
    });
    provider.grants.push({ grant, signature });
    return { grant, signature };
  }

  async function ask(
    grants: readonly SignedGrant[],
    terms: Partial<JobTerms> & { run?: Program } = {},
  ): Promise<AskedJob> {
    const { run = program, ...rest } = terms;
    const { identity, resultKey } = await newResultIdentity();
    const programUri = rest.programUri ?? (await uploadBlob(worker.url, packProgram(run))).uri;
    const prepared = await prepareJob(requester, {
      program: run,
      params: {},
      workloadId,
      grants,
      resultKey,
      operatorFee: 1_000_000n,
      failureFee: 100_000n,
      token: market.token,
      deadline: (await chainTime(requester)) + 3600n,
      ...rest,
      programUri,
    });
    return { ...(await openJob(requester, prepared)), identity, prepared };
  }

  const [co2, temperature] = await Promise.all(
    ["co2-concentration.csv", "global-temp.csv"].map((name) => readFile(join(dataDir, name))),
  );
  const a = await addProvider(2, co2 as Uint8Array);
  const b = await addProvider(3, temperature as Uint8Array);

  return {
    dir,
    market,
    program,
    workloadId,
    requester,
    providers: [a, b] as const,
    worker: () => worker,
    addProvider,
    grant,
    ask,
    /** One round of every broker; throws what the running worker answered if it refused. */
    deliver: async (...providers: Provider[]) => {
      const { signingKey } = (await (await fetch(`${worker.url}/enclave`)).json()) as { signingKey: Address };
      for (const provider of providers.length === 0 ? [a, b] : providers) {
        // Earlier lives of the worker are registered still; their keys are gone, so they take nothing.
        for (const event of await provider.broker.step()) {
          if (event.type === "failed" && event.signingKey === signingKey) throw event.error;
        }
      }
    },
    /** Starts the worker anew on the same data and port. */
    async restartWorker(again: WorkerOptions = {}) {
      const port = Number(new URL(worker.url).port);
      worker = await market.startWorker({ dataDir: worker.dataDir, port, ...again });
      await whenReady(worker, 20_000);
      return worker;
    },
    async stop() {
      await market.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
