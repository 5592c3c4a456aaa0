/**
 * A whole marketplace on this machine: chain, contracts, simulated TDX platform, worker. Used by `npm start`,
 * `npm run dev` and the integration tests; what runs in each process is the product itself.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, bytesToHex, type Hex, parseEther } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { deployContract, deployContracts } from "../deploy/deployContracts.ts";
import { connectPlatform } from "../enclave/attestation/platform.ts";
import { gasWalletPath } from "../enclave/worker.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { createClient } from "../sdk/client.ts";
import { authorizeAgent, maxConsentDays } from "../sdk/operators.ts";
import { type Child, startNode } from "./children.ts";
import { startChain, type TestChain, testAccount } from "./localChain.ts";

/** Index of the funded account that deploys; it keeps no rights. */
const deployer = 0;
/** Index of the funded account that is the operator: paid by the market, never needed by the worker. */
const operatorIndex = 1;
/** Longest life of an enclave's registration here, in seconds. */
const maxLifeSeconds = 7n * 24n * 3600n;

/** A running marketplace. */
export type LocalMarket = {
  chain: TestChain;
  deployment: Deployment;
  deploymentFile: string;
  /** An ERC-20 with permit and six decimals that anyone may mint. */
  token: Address;
  /** `endpoint`: its guest agent; `pcsUrl`: where it publishes the collateral of its platform. */
  simulator: { child: Child; endpoint: string; pcsUrl: string; rootKey: Hex };
  /** Starts a worker on the simulated platform, authorized by the operator, and funds its gas wallet. */
  startWorker(options?: WorkerOptions): Promise<LocalWorker>;
  stop(): Promise<void>;
};

/** `seed`: 32 bytes that fix the simulated platform, so that a test can be its Intel, too. */
export type MarketOptions = { seed?: Hex };

/** How a worker is started; `env` overrides its settings, empty text takes one away. */
export type WorkerOptions = { script?: string; dataDir?: string; port?: number; env?: Record<string, string> };

/** A worker process. */
export type LocalWorker = { child: Child; url: string; dataDir: string; operator: Address };

/**
 * Starts chain, simulator and contracts.
 *
 * @param dir - folder for deployment file, sockets and the worker's data; must exist.
 * @example
 * const market = await startLocalMarket("out/demo");
 * const worker = await market.startWorker();
 */
export async function startLocalMarket(dir: string, options: MarketOptions = {}): Promise<LocalMarket> {
  const chain = await startChain();
  const simulator = await startSimulatorProcess(options.seed);
  const clients = { wallet: chain.wallet(deployer), chain: chain.public };
  const deployment = await deployContracts(clients, { rootKey: simulator.rootKey, maxLifeSeconds });
  const token = await deployContract(clients, "mocks/TestToken.sol/TestToken", []);
  const deploymentFile = join(dir, "deployment.json");
  await writeFile(deploymentFile, `${JSON.stringify(deployment, null, 2)}\n`);

  const gasWallet = await gasWalletOf(simulator.endpoint);
  const operatorAccount = testAccount(operatorIndex);
  const authorization = async () => {
    const client = await createClient({ rpcUrl: chain.rpcUrl, deployment, account: operatorAccount });
    const { validUntil, signature } = await authorizeAgent(client, gasWallet, maxConsentDays);
    return JSON.stringify({ validUntil: Number(validUntil), signature });
  };

  const workers: Child[] = [];
  return {
    chain,
    deployment,
    deploymentFile,
    token,
    simulator,
    async startWorker(options = {}) {
      const dataDir = options.dataDir ?? join(dir, "worker");
      await mkdir(dataDir, { recursive: true });
      const port = options.port ?? (await freePort());
      const url = `http://127.0.0.1:${port}`;
      const operator = operatorAccount.address;
      const child = startNode(options.script ?? "enclave/main.ts", [], {
        RPC_URL: chain.rpcUrl,
        DEPLOYMENT_FILE: deploymentFile,
        OPERATOR_ADDRESS: operator,
        OPERATOR_AUTHORIZATION: await authorization(),
        COLLATERAL_URL: simulator.pcsUrl,
        ENDPOINT: url,
        LISTEN: `127.0.0.1:${port}`,
        DATA_DIR: dataDir,
        DSTACK_SIMULATOR_ENDPOINT: simulator.endpoint,
        HEAD_POLICY: "latest",
        POLL_MS: "100",
        GRANT_WAIT_SECONDS: "60",
        LOG_LEVEL: "debug",
        FETCH_PRIVATE_ADDRESSES: "allow",
        ...options.env,
      });
      workers.push(child);
      await whenAnswering(child, `${url}/enclave`);
      await chain.control.setBalance({ address: gasWallet, value: parseEther("10") });
      return { child, url, dataDir, operator };
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await simulator.child.stop();
      await chain.close();
    },
  };
}

/**
 * Waits until a worker says it is ready.
 *
 * @throws Error with the worker's last lines if it ends or takes longer than `timeoutMs`.
 * @example
 * await whenReady(worker, 30_000)
 */
export async function whenReady(worker: LocalWorker, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    if (worker.child.process.exitCode !== null) break;
    const response = await fetch(`${worker.url}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await response?.body?.cancel();
    await sleep(50);
  }
  throw new Error(`the worker is not ready:\n${lastLines(worker.child)}`);
}

async function startSimulatorProcess(seed: Hex | undefined): Promise<LocalMarket["simulator"]> {
  const args = ["--app-compose", "deploy/app-compose.json", "--port", "0", ...(seed ? ["--seed", seed] : [])];
  const child = startNode("simulator/main.ts", args, {});
  type Line = { rootKey: Hex; endpoint: string; pcsUrl: string };
  const started = await child.waitForLine(
    (line) => (line.startsWith("{") ? (JSON.parse(line) as Line) : undefined),
    20_000,
  );
  const { rootKey, endpoint, pcsUrl } = started;
  return { child, rootKey, endpoint, pcsUrl };
}

/** The account that pays for a worker on this platform: the platform derives its key, in every life of the worker. */
async function gasWalletOf(endpoint: string): Promise<Address> {
  return privateKeyToAddress(bytesToHex(await connectPlatform(endpoint).deriveKey(gasWalletPath)));
}

async function whenAnswering(child: Child, url: string): Promise<void> {
  for (let tries = 0; tries < 400 && child.process.exitCode === null; tries++) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(50);
  }
  throw new Error(`no answer from ${url}:\n${lastLines(child)}`);
}

function lastLines(child: Child): string {
  return [...child.lines.stdout.slice(-15), ...child.lines.stderr.slice(-15)].join("\n");
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
