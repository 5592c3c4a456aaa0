/**
 * A whole market in one process, for tests of the sdk and the command line: a real node, the real contracts, enclaves
 * registered with truly signed quotes of the software platform, and the worker's real HTTP application over a real
 * blob store. What a worker would do with a job is done by the test, step by step: `settle`.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Encrypter } from "age-encryption";
import { type Address, bytesToHex, getAddress, type Hex, keccak256, sha256, zeroAddress, zeroHash } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { deployContract, deployContracts } from "../../../deploy/deployContracts.ts";
import { openBlobStore } from "../../../enclave/blobs/blobStore.ts";
import { createApp } from "../../../enclave/http/app.ts";
import { startServer } from "../../../enclave/http/server.ts";
import type { WorkerApi } from "../../../enclave/http/workerApi.ts";
import { createLogger } from "../../../enclave/log/logger.ts";
import { datasetRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import { recipientOf } from "../../../protocol/ageKey.ts";
import { workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { countedGrantsOf, isCounted } from "../../../protocol/charges.ts";
import {
  domainOf,
  hashGrant,
  hashOrder,
  hashReceipt,
  type Receipt,
  receiptStatus,
  type SignedGrant,
  shownGrantOf,
} from "../../../protocol/eip712.ts";
import type { GrantPackage } from "../../../protocol/grantPackage.ts";
import { outcomeOf } from "../../../protocol/outcome.ts";
import type { Policy } from "../../../protocol/policy.ts";
import { encodeResult, outputCommitmentOf } from "../../../protocol/result.ts";
import { generateVaultKey, openKey, type VaultKeyPair } from "../../../protocol/sealing.ts";
import type { SignedOrder } from "../../../protocol/signedOrder.ts";
import { type Client, createClient } from "../../../sdk/client.ts";
import type { Job } from "../../../sdk/findJob.ts";
import { createPlatform, type Platform } from "../../../simulator/platform.ts";
import { pushCollateralOf, registerAs } from "../../support/attestation.ts";
import { startChain, testAccount } from "../../support/chain.ts";

/** Who is who among the node's accounts. */
export const who = { deployer: 0, operator: 1, provider: 2, requester: 3, stranger: 4 } as const;

const testTokenAbi = [
  {
    type: "function",
    name: "mint",
    stateMutability: "nonpayable",
    inputs: [{ type: "address" }, { type: "uint256" }],
    outputs: [],
  },
] as const;

/** An enclave as its worker holds it. */
export type TestEnclave = { account: PrivateKeyAccount; vault: VaultKeyPair; endpoint: string };

/** See {@link startWorld}. */
export type World = Awaited<ReturnType<typeof startWorld>>;

/**
 * Starts a world; `close` ends all of it.
 *
 * @example
 * const world = await startWorld();
 * after(() => world.close());
 */
export async function startWorld() {
  const chain = await startChain();
  const directory = await mkdtemp(join(tmpdir(), "dcm-test-"));
  const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
  const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(7) });
  const deployer = { wallet: chain.wallet(who.deployer), chain: chain.public };
  const parameters = { rootKey: platform.rootKey, maxLifeSeconds: 86_400n };
  const deployment = await deployContracts(deployer, parameters);
  const token = getAddress(await deployContract(deployer, "mocks/TestToken.sol/TestToken", []));
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  const worker = await startWorker(
    directory,
    ({ grant }) => hashGrant(domain, grant),
    ({ order }) => hashOrder(domain, order),
  );
  const deploymentFile = join(directory, "deployment.json");
  await writeFile(deploymentFile, JSON.stringify(deployment));

  const clientOf = (index?: number): Promise<Client> =>
    createClient({
      rpcUrl: chain.rpcUrl,
      deployment,
      pollingIntervalMs: 20,
      ...(index === undefined ? {} : { account: testAccount(index) }),
    });

  async function mint(to: Address, amount: bigint): Promise<void> {
    const hash = await chain.wallet(who.deployer).writeContract({
      address: token,
      abi: testTokenAbi,
      functionName: "mint",
      args: [to, amount],
    });
    await chain.public.waitForTransactionReceipt({ hash });
  }

  async function registerEnclave(options: { endpoint?: string; platform?: Platform } = {}): Promise<TestEnclave> {
    const account = privateKeyToAccount(generatePrivateKey());
    const vault = await generateVaultKey();
    const endpoint = options.endpoint ?? worker.url;
    const operator = await clientOf(who.operator);
    const on = options.platform ?? platform;
    await pushCollateralOf(operator, on);
    await registerAs(operator, on, { account, vaultKey: vault.publicKey, endpoint });
    return { account, vault, endpoint };
  }

  /** Seals `output` as a worker would, serves it, and settles the job with a signed receipt. */
  async function settle(
    job: Job,
    enclave: TestEnclave,
    grants: readonly SignedGrant[],
    output: unknown,
  ): Promise<Receipt> {
    const { number, hash: anchorHash } = await chain.public.getBlock();
    const envelope = { v: 1 as const, jobId: job.jobId, salt: keccak256(job.jobId), output: output as never };
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipientOf(job.order.resultKey));
    const ciphertext = await encrypter.encrypt(encodeResult(envelope));
    const failed = output === undefined;
    const receipt: Receipt = {
      jobId: job.jobId,
      status: failed ? receiptStatus.failed : receiptStatus.ok,
      programId: job.order.programId,
      workloadId: job.order.workloadId,
      inputsRoot: zeroHash,
      grantsRoot: zeroHash,
      paramsHash: job.order.paramsHash,
      resultHash: failed ? zeroHash : sha256(ciphertext),
      outputCommitment: failed ? zeroHash : outputCommitmentOf(envelope),
      policyHash: zeroHash,
      fuelUsed: 1024n,
      outputRows: 0n,
      runSeconds: 0,
      countedGrants: failed ? 0 : countedGrantsOf(grants.map(({ grant }) => grant)),
      logRoot: zeroHash,
      logSize: 1n,
      anchorBlock: number,
      anchorHash,
      failureCode: failed ? 10 : 0,
    };
    const signature = await enclave.account.sign({ hash: hashReceipt(domain, receipt) });
    await chain.control.mine({ blocks: 1 });
    const hash = await chain.wallet(who.operator).writeContract({
      address: deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "settle",
      args: [
        job.index,
        job.order,
        outcomeOf(receipt),
        signature,
        failed ? [] : grants.filter(({ grant }) => isCounted(grant)).map(shownGrantOf),
        [],
      ],
    });
    await chain.public.waitForTransactionReceipt({ hash });
    if (!failed) worker.results.set(job.jobId, ciphertext);
    return receipt;
  }

  /** Registers metadata that the sdk itself would not send. */
  async function registerRaw(contentHash: Hex, uri: string, metadata: string): Promise<void> {
    const hash = await chain.wallet(who.stranger).writeContract({
      address: deployment.contracts.datasetRegistry,
      abi: datasetRegistryAbi,
      functionName: "register",
      args: [contentHash, zeroHash, 1, uri, metadata, []],
    });
    await chain.public.waitForTransactionReceipt({ hash });
  }

  async function close(): Promise<void> {
    await worker.stop();
    await chain.close();
    await rm(directory, { recursive: true, force: true });
  }

  const workloadId = workloadIdOf(platform.workload);
  return {
    chain,
    directory,
    platform,
    deployment,
    deploymentFile,
    token,
    worker,
    workloadId,
    clientOf,
    mint,
    registerEnclave,
    settle,
    registerRaw,
    close,
  };
}

/** The worker's real HTTP application; grants posted to it are collected, results are what the test puts there. */
async function startWorker(
  directory: string,
  hashOf: (grant: GrantPackage) => Hex,
  orderHash: (signed: SignedOrder) => Hex,
) {
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line: string) => void lines.push(line) } });
  const blobs = await openBlobStore({ dir: join(directory, "blobs"), maxBlobBytes: 2 ** 20, maxTotalBytes: 2 ** 24 });
  const grants: GrantPackage[] = [];
  const orders: SignedOrder[] = [];
  const results = new Map<Hex, Uint8Array>();
  const api: WorkerApi = {
    attestation: async () => ({
      quote: "0x00",
      eventLog: "[]",
      appCompose: "{}",
      info: {},
      binding: {
        chainId: 31337,
        registry: zeroAddress,
        operator: zeroAddress,
        signingKey: zeroAddress,
        vaultKey: "0x",
      },
      images: [],
      buildManifest: null,
      reportDataKind: "registration",
      registration: null,
      simulated: true,
    }),
    enclave: () => Promise.reject(new Error("not used here")),
    ready: async () => ({ ready: true, checks: [] }),
    job: async () => undefined,
    receipt: async () => undefined,
    async resultCiphertext(jobId) {
      const ciphertext = results.get(jobId);
      return ciphertext && { released: true, sizeBytes: ciphertext.length, read: () => ciphertext };
    },
    sealedPrints: async () => undefined,
    session: () => undefined,
    leaves: () => undefined,
    requestClaim: async () => undefined,
    async takeOrder(signed) {
      orders.push(signed);
      return { jobId: orderHash(signed) };
    },
    offer: () => undefined,
    logs: { list: () => [], view: async () => undefined, find: () => undefined },
    async acceptGrant(grant) {
      grants.push(grant);
      return { grantHash: hashOf(grant) };
    },
    blobs,
  };
  const limits = { requests: 100_000, quotes: 100_000, uploads: 100_000 };
  const server = await startServer(createApp({ api, log, limits }), { host: "127.0.0.1", port: 0, log });
  return {
    url: `http://127.0.0.1:${server.port}`,
    blobs,
    grants,
    orders,
    results,
    lines,
    stop: () => server.stop(1000),
  };
}

/** What an enclave reads from a posted grant. */
export async function openGrant(enclave: TestEnclave, grantHash: Hex, posted: GrantPackage): Promise<string> {
  return new TextDecoder().decode(await openKey(enclave.vault.privateKey, grantHash, posted.sealedKey));
}

/** A small program on disk, one CSV input. */
export async function writeTestProgram(directory: string, output: { policy?: Policy } = {}): Promise<void> {
  const code = "export default function ({ table }) { return { rows: table.split('\\n').length }; }\n";
  const bytes = new TextEncoder().encode(code);
  await writeFile(join(directory, "main.js"), bytes);
  const manifest = {
    v: 1,
    name: "count",
    runtime: { engine: "quickjs", version: "3.6.2", artifactSha256: `0x${"11".repeat(32)}` },
    entry: "main.js",
    files: [{ path: "main.js", sha256: sha256(bytesToHex(bytes)), size: bytes.length }],
    params: { type: "object", additionalProperties: false },
    inputs: [{ name: "table", format: "csv" }],
    output: { format: "json", schema: { type: "object" }, maxBytes: 1024, ...output },
    limits: { fuel: 1_000_000, memoryBytes: 16 * 1024 * 1024, wallMs: 1000 },
  };
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
}
