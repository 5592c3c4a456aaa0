/**
 * A whole job on a real node, for audits: contracts, a simulated platform, two providers, a requester, and an enclave
 * whose keys the test holds, so that it can also sign what an honest one would not. The worker is a real HTTP server.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { sha256 } from "@noble/hashes/sha2.js";
import { Encrypter } from "age-encryption";
import { bytesToHex, type Hex, keccak256, parseAbi, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { deployContract, deployContracts } from "../../../deploy/deployContracts.ts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { recipientOf } from "../../../protocol/ageKey.ts";
import { workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { hashReceipt, type Receipt, type SignedGrant, shownGrantOf } from "../../../protocol/eip712.ts";
import type { NewLogEntry } from "../../../protocol/logEntry.ts";
import { outcomeOf } from "../../../protocol/outcome.ts";
import { checkProgram, packProgram, policyHashOf } from "../../../protocol/program.ts";
import { encodeResult, outputCommitmentOf } from "../../../protocol/result.ts";
import { grantsRootOf, inputsRootOf } from "../../../protocol/roots.ts";
import { addressOf, type Client, createClient } from "../../../sdk/client.ts";
import { registerDataset } from "../../../sdk/datasets.ts";
import { encryptDataset, newResultIdentity } from "../../../sdk/encryption.ts";
import { signGrant } from "../../../sdk/grants.ts";
import { openJob } from "../../../sdk/jobs.ts";
import { prepareJob } from "../../../sdk/prepareJob.ts";
import { send } from "../../../sdk/send.ts";
import { strippedLog } from "../../../simulator/eventLog.ts";
import { createPlatform } from "../../../simulator/platform.ts";
import { blockBelowHead, pushCollateralOf, registerAs } from "../../support/attestation.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { entriesOk, tellLog } from "./storyLog.ts";

const utf8 = new TextEncoder();
const tokenAbi = parseAbi([
  "function mint(address to, uint256 amount)",
  "function approve(address, uint256) returns (bool)",
]);

/** What the worker of a story answers; tests change it. */
export type WorkerAnswers = Map<string, Uint8Array>;

/** A story with an opened job. */
export type Story = Awaited<ReturnType<typeof startStory>>;

/** Starts everything up to an open job. */
export async function startStory() {
  const chain = await startChain();
  try {
    return await tell(chain);
  } catch (error) {
    await chain.close();
    throw error;
  }
}

async function tell(chain: TestChain) {
  const appCompose = await readFile(new URL("../../../deploy/app-compose.json", import.meta.url), "utf8");
  const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(7) });
  const deployment = await deployContracts(
    { wallet: chain.wallet(0), chain: chain.public },
    { rootKey: platform.rootKey, maxLifeSeconds: 604_800n },
  );
  const connect = (index: number): Promise<Client> =>
    createClient({ rpcUrl: chain.rpcUrl, deployment, account: testAccount(index), pollingIntervalMs: 50 });
  const [providerA, providerB, requester, operator] = await Promise.all([1, 2, 3, 4].map(connect));
  if (providerA === undefined || providerB === undefined || requester === undefined || operator === undefined)
    throw new Error("four clients");

  const [requesterClient, operatorClient] = [requester, operator]; // narrowed, for the closures below
  const answers: WorkerAnswers = new Map();
  const { server, workerUrl } = await serve(answers);
  const enclave = await registerEnclave(operator, platform, workerUrl);
  const shown = {
    quote: bytesToHex(platform.quote(new Uint8Array(64))),
    eventLog: JSON.stringify(strippedLog(platform.events())),
    appCompose,
    binding: { signingKey: enclave.signingKey.address },
  };
  answers.set("/attestation", utf8.encode(JSON.stringify(shown)));

  const program = makeProgram();
  const bundle = packProgram(program);
  const bundleHash = bytesToHex(sha256(bundle)).slice(2);
  answers.set(`/blobs/${bundleHash}`, bundle);

  const workloadId = workloadIdOf(platform.workload);
  const token = await deployContract(
    { wallet: chain.wallet(0), chain: chain.public },
    "mocks/TestToken.sol/TestToken",
    [],
  );
  const { timestamp } = await chain.public.getBlock();
  const grants: SignedGrant[] = [];
  const contents: { datasetId: Hex; contentHash: Hex }[] = [];
  const extraReader = (await newResultIdentity()).resultKey;
  for (const [position, provider] of [providerA, providerB].entries()) {
    const { ciphertext, contentHash } = await encryptDataset(utf8.encode(`year,value\n${position},1\n`));
    const registration = { contentHash, salt: keccak256(contentHash), sizeBytes: BigInt(ciphertext.length) };
    const metadata = { v: 1, title: `data set ${position}`, format: "csv" } as const;
    const { datasetId } = await registerDataset(provider, { ...registration, uri: "https://example.org/x", metadata });
    contents.push({ datasetId, contentHash });
    const terms = { datasetId, programId: program.id, workloadId, token, price: 1_000_000n + BigInt(position) };
    const resultReaders = position === 1 ? [extraReader] : [];
    grants.push(await signGrant(provider, { ...terms, notAfter: timestamp + 86_400n, resultReaders }));
  }
  const result = await newResultIdentity();
  const base = {
    program,
    programUri: `blob:${bundleHash}`,
    params: {},
    workloadId,
    grants,
    resultKey: result.resultKey,
  };
  const money = { operatorFee: 500_000n, failureFee: 100_000n, token, deadline: timestamp + 3_600n };
  const prepared = await prepareJob(requester, { ...base, ...money });
  const requesterAddress = prepared.order.requester;
  await send(requester, {
    address: token,
    abi: tokenAbi,
    functionName: "mint",
    args: [requesterAddress, 100_000_000n],
  });
  const { jobMarket } = deployment.contracts;
  await send(requester, { address: token, abi: tokenAbi, functionName: "approve", args: [jobMarket, 100_000_000n] });
  const opened = await openJob(requester, prepared);

  const output = { n: 2, r: 0.5 };
  const envelope = { v: 1 as const, jobId: opened.jobId, salt: keccak256("0x07"), output };
  const encrypter = new Encrypter();
  for (const reader of [result.resultKey, extraReader]) encrypter.addRecipient(recipientOf(reader));
  const sealed = await encrypter.encrypt(encodeResult(envelope));
  answers.set(`/results/${opened.jobId}`, sealed);

  /** Has the worker show a log with these entries, and gives what a receipt says of it. */
  async function logged(entries: readonly NewLogEntry[]): Promise<Pick<Receipt, "logRoot" | "logSize">> {
    const domain = requesterClient.marketDomain;
    const { logRoot, logSize, answers: shown } = await tellLog({ enclave, workloadId, domain, entries });
    for (const [path, answer] of shown) answers.set(path, utf8.encode(JSON.stringify(answer)));
    return { logRoot, logSize };
  }

  /** The receipt an honest enclave signs. */
  async function receiptOk(): Promise<Receipt> {
    const anchor = await blockBelowHead(requesterClient);
    const resultHash = bytesToHex(sha256(sealed));
    const { jobId } = opened;
    const run = { jobId, order: prepared.order, program, contents, anchorHash: anchor.hash, resultHash };
    return {
      jobId: opened.jobId,
      status: 1,
      programId: program.id,
      workloadId,
      inputsRoot: inputsRootOf(contents),
      grantsRoot: grantsRootOf(prepared.order.datasets.map((use) => use.grantHash)),
      paramsHash: prepared.order.paramsHash,
      resultHash,
      outputCommitment: outputCommitmentOf(envelope),
      policyHash: policyHashOf(program.manifest),
      fuelUsed: 1024n,
      outputRows: 0n,
      runSeconds: 0,
      countedGrants: 3, // both are paid
      ...(await logged(entriesOk(run))),
      anchorBlock: anchor.number,
      anchorHash: anchor.hash,
      failureCode: 0,
    };
  }

  /** The receipt of a run that was refused before it had anything. */
  async function receiptFailed(): Promise<Receipt> {
    const none = { inputsRoot: inputsRootOf([]), grantsRoot: grantsRootOf([]), policyHash: zeroHash };
    const result = { resultHash: zeroHash, outputCommitment: zeroHash, fuelUsed: 0n, countedGrants: 0 };
    const ok = await receiptOk();
    const log = await logged([{ type: "job.refused", jobId: opened.jobId, failureCode: "ProgramUnavailable" }]);
    return { ...ok, ...none, ...result, ...log, status: 2, failureCode: 1 };
  }

  async function settle(receipt: Receipt): Promise<void> {
    const signature = await enclave.signingKey.sign({ hash: hashReceipt(requesterClient.marketDomain, receipt) });
    const shown = receipt.status === 1 ? grants.map(shownGrantOf) : [];
    const args = [opened.index, prepared.order, outcomeOf(receipt), signature, shown, []] as const;
    await send(operatorClient, { address: jobMarket, abi: jobMarketAbi, functionName: "settle", args });
  }

  return {
    chain,
    deployment,
    platform,
    enclave,
    answers,
    workerUrl,
    providerA,
    providerB,
    requester,
    operator,
    program,
    order: prepared.order,
    jobId: opened.jobId,
    index: opened.index,
    resultIdentity: result.identity,
    shown,
    receiptOk,
    receiptFailed,
    settle,
    async close() {
      server.closeAllConnections();
      server.close();
      await chain.close();
    },
  };
}

async function serve(answers: WorkerAnswers): Promise<{ server: Server; workerUrl: string }> {
  const server = createServer((request, response) => {
    const answer = answers.get(request.url ?? "");
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("not a TCP server");
  return { server, workerUrl: `http://127.0.0.1:${bound.port}` };
}

/** Registers a key as the worker does. */
async function registerEnclave(operator: Client, platform: ReturnType<typeof createPlatform>, endpoint: string) {
  const signingKey = privateKeyToAccount(keccak256(utf8.encode("enclave signing key of a test")));
  const vaultKey = keccak256(utf8.encode("vault key of a test"));
  await pushCollateralOf(operator, platform);
  await registerAs(operator, platform, { account: signingKey, vaultKey, endpoint });
  return { signingKey, vaultKey, operator: addressOf(operator) };
}

function makeProgram() {
  const main = utf8.encode("export default () => ({ n: 2, r: 0.5 });\n");
  const input = (name: string) => ({ name, format: "csv" });
  const manifest = {
    v: 1,
    name: "a test program",
    runtime: { engine: "quickjs", version: "1", artifactSha256: zeroHash },
    entry: "main.js",
    files: [{ path: "main.js", sha256: bytesToHex(sha256(main)), size: main.length }],
    params: { type: "object" },
    inputs: [input("a"), input("b")],
    output: { format: "json", schema: { type: "object" }, maxBytes: 1024 },
    limits: { fuel: 1000, memoryBytes: 1024 * 1024, wallMs: 1000 },
  };
  return checkProgram(manifest, new Map([["main.js", main]]));
}
