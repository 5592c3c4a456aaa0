/**
 * A whole marketplace on this machine: chain, contracts, simulated TDX platform, worker. Used by `npm start`,
 * `npm run dev` and the integration tests; what runs in each process is the product itself.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, type Hex, parseEther } from "viem";
import { deployContract, deployContracts } from "../deploy/deployContracts.ts";
import type { Deployment } from "../protocol/deployment.ts";
import { type Child, startNode } from "./children.ts";
import { startChain, type TestChain, testAccount } from "./localChain.ts";

/** Index of the funded account that deploys; it keeps no rights. */
const deployer = 0;
/** Longest life of an enclave's registration here, in seconds. */
const maxLifeSeconds = 7n * 24n * 3600n;

/** A running marketplace. */
export type LocalMarket = {
  chain: TestChain;
  deployment: Deployment;
  deploymentFile: string;
  /** An ERC-20 with permit and six decimals that anyone may mint. */
  token: Address;
  simulator: { child: Child; endpoint: string; rootKey: Hex };
  /** Starts a worker on the simulated platform and funds its gas wallet; `env` overrides its settings. */
  startWorker(options?: WorkerOptions): Promise<LocalWorker>;
  stop(): Promise<void>;
};

/** How a worker is started. */
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
export async function startLocalMarket(dir: string): Promise<LocalMarket> {
  const chain = await startChain();
  const simulator = await startSimulatorProcess();
  const clients = { wallet: chain.wallet(deployer), chain: chain.public };
  const deployment = await deployContracts(clients, { rootKey: simulator.rootKey, maxLifeSeconds });
  const token = await deployContract(clients, "mocks/TestToken.sol/TestToken", []);
  const deploymentFile = join(dir, "deployment.json");
  await writeFile(deploymentFile, `${JSON.stringify(deployment, null, 2)}\n`);

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
      const operator = testAccount(1).address;
      const child = startNode(options.script ?? "enclave/main.ts", [], {
        RPC_URL: chain.rpcUrl,
        DEPLOYMENT_FILE: deploymentFile,
        OPERATOR_ADDRESS: operator,
        ENDPOINT: url,
        LISTEN: `127.0.0.1:${port}`,
        DATA_DIR: dataDir,
        DSTACK_SIMULATOR_ENDPOINT: simulator.endpoint,
        HEAD_POLICY: "latest",
        POLL_MS: "100",
        GRANT_WAIT_SECONDS: "60",
        FETCH_PRIVATE_ADDRESSES: "allow",
        ...options.env,
      });
      workers.push(child);
      const gasWallet = await whenAnswering<{ gasWallet: Address }>(child, `${url}/enclave`);
      await chain.control.setBalance({ address: gasWallet.gasWallet, value: parseEther("10") });
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

async function startSimulatorProcess(): Promise<LocalMarket["simulator"]> {
  const child = startNode("simulator/main.ts", ["--app-compose", "deploy/app-compose.json", "--port", "0"], {});
  const { rootKey, endpoint } = await child.waitForLine(
    (line) => (line.startsWith("{") ? (JSON.parse(line) as { rootKey: Hex; endpoint: string }) : undefined),
    20_000,
  );
  return { child, rootKey, endpoint };
}

async function whenAnswering<T>(child: Child, url: string): Promise<T> {
  for (let tries = 0; tries < 400 && child.process.exitCode === null; tries++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return (await response.json()) as T;
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
