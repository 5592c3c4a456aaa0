/**
 * Room: enclave/worker. The composition root: the one place where the worker's rooms meet. Reads no environment and
 * handles no signals (that is main.ts), so that a test can run the same worker with an observer of its own.
 */
import { join } from "node:path";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { jobMarketAbi } from "../protocol/abi.ts";
import { startCursor } from "../protocol/chain/cursor.ts";
import { follow } from "../protocol/chain/follow.ts";
import { decodeMarketEvents } from "../protocol/chain/marketEvents.ts";
import { pause } from "../protocol/chain/pause.ts";
import { answered } from "../protocol/chain/rpc.ts";
import { viemSource } from "../protocol/chain/viemSource.ts";
import { domainOf, failureCodes } from "../protocol/eip712.ts";
import { recordedStatuses } from "../protocol/enclaveRecord.ts";
import { BaseError } from "../protocol/errors.ts";
import { maxCiphertextBytes } from "../protocol/limits.ts";
import { createApi } from "./api.ts";
import { createIdentity } from "./attestation/identity.ts";
import { measure } from "./attestation/measure.ts";
import { connectPlatform } from "./attestation/platform.ts";
import type { Registration } from "./attestation/registration.ts";
import { openBlobStore } from "./blobs/blobStore.ts";
import { connectChain } from "./chain/connect.ts";
import { openReader } from "./chain/reader.ts";
import { openSender } from "./chain/sender.ts";
import { type Config, paysEnough } from "./config.ts";
import { createFetchBlob } from "./fetch/fetchBlob.ts";
import { createApp } from "./http/app.ts";
import { startServer } from "./http/server.ts";
import { fetchForJobs } from "./jobs/fetchForJob.ts";
import { createJobChain, headBlock, requireOneDeployment } from "./jobs/jobChain.ts";
import { JobStop } from "./jobs/jobStop.ts";
import type { JobStep } from "./jobs/ports.ts";
import { createRunner } from "./jobs/runner.ts";
import { settleJob } from "./jobs/settleJob.ts";
import type { Logger } from "./log/logger.ts";
import { createLog } from "./receipts/enclaveLog.ts";
import { createRegistrar } from "./registrar.ts";
import { SandboxStoppedError } from "./sandbox/childProcess.ts";
import { runProgram } from "./sandbox/runProgram.ts";
import { openStore } from "./store/store.ts";
import { createGrantBook } from "./vault/grantBook.ts";
import { isSignedByOwner } from "./vault/ownerSignature.ts";

/** Limits of the blob store, in bytes. */
const blobLimits = { maxBlobBytes: maxCiphertextBytes, maxTotalBytes: 4 * 1024 * 1024 * 1024 };
/** How long answers under way may take to finish when the worker stops, in ms. */
const graceMs = 10_000;
/** dstack derives the gas wallet from this path: it survives restarts and authorised upgrades. */
export const gasWalletPath = "data-collab-market/gas-wallet/v1";

/** What a worker is started with. */
export type WorkerOptions = {
  config: Config;
  log: Logger;
  /** Aborting stops the worker. */
  signal: AbortSignal;
  /** Told of each step of each job when it has happened. */
  observe?: (step: JobStep, jobId: Hex) => void;
};

/**
 * Runs a worker until the signal aborts.
 *
 * @throws whatever no waiting can cure: a wrong chain, a locked store, a platform without a guest agent.
 * @example
 * await runWorker({ config: readConfig(process.env), log: createLogger(), signal })
 */
export async function runWorker({ config, log, signal, observe }: WorkerOptions): Promise<void> {
  const { deployment, operator } = config;
  const { contracts, chainId } = deployment;
  const note = (step: JobStep, jobId: Hex) => {
    log.info(`job.${step}`, { jobId });
    observe?.(step, jobId);
  };

  const store = openStore(config.dataDir, { chainId, jobMarket: contracts.jobMarket });
  try {
    const blobs = await openBlobStore({ dir: join(config.dataDir, "blobs"), ...blobLimits });
    const client = await retrying(log, signal, "chain.connect", () => connectChain({ rpcUrl: config.rpcUrl, chainId }));
    const reader = openReader(client, deployment);
    const read = (functionName: "enclaves" | "datasets") =>
      answered("eth_call", client.readContract({ address: contracts.jobMarket, abi: jobMarketAbi, functionName }));
    await retrying(log, signal, "chain.contracts", () => requireOneDeployment(read, contracts));

    const platform = connectPlatform();
    const identity = await createIdentity();
    const { workloadId, appConfig } = await retrying(log, signal, "platform.quote", () => measure(platform));
    const gasKey = await retrying(log, signal, "platform.key", () => platform.deriveKey(gasWalletPath));
    const account = privateKeyToAccount(bytesToHex(gasKey));
    const sender = await retrying(log, signal, "chain.sender", () =>
      openSender({
        client,
        account,
        chainId,
        confirmations: 1,
        maxFeePerGas: config.maxFeePerGas,
        pollMs: Math.min(config.pollMs, 1_000),
        signal,
      }),
    );

    const domain = domainOf(chainId, contracts.jobMarket);
    const enclaveLog = createLog(identity.signingKey, store);
    enclaveLog.append({ type: "boot", signingKey: identity.signingKey, vaultKey: identity.vaultKey, workloadId });
    const jobChain = createJobChain(client, reader, deployment, config.headPolicy);
    const head = () => headBlock(client, config.headPolicy);
    const newestTimestamp = async () => (await headBlock(client, "latest")).timestamp;
    let woken = new AbortController();
    const wake = () => woken.abort();
    const grants = createGrantBook({
      domain,
      workloadId,
      identity,
      reader: {
        datasetOwner: async (id) => (await reader.dataset(id, { blockHash: (await head()).hash })).owner,
        isSignedBy: (owner, digest, signature) => isSignedByOwner(client, owner, digest, signature),
        timestamp: async () => (await head()).timestamp,
      },
      onAccepted: wake,
    });
    const newestChain = createJobChain(client, reader, deployment, "latest");
    const fetchBlob = createFetchBlob({
      blobs,
      allowHttp: config.fetchPrivateAddresses,
      allowPrivateAddresses: config.fetchPrivateAddresses,
    });

    const state: { registration: Registration | undefined; waitsFor: string | undefined; caughtUp: boolean } = {
      registration: undefined,
      waitsFor: undefined,
      caughtUp: false,
    };
    const runner = createRunner({
      domain,
      workloadId,
      operator,
      identity,
      log: enclaveLog,
      grants,
      chain: jobChain,
      fetch: fetchForJobs(fetchBlob, config.fetchTimeoutSeconds * 1000, signal),
      run: (request) => runProgram(request, undefined, signal),
      alone: oneAtATime(signal),
      observe: note,
      openJobs: () =>
        (state.caughtUp ? store.openJobs({ workloadId }) : [])
          .filter(({ order }) => BigInt(order.operator) === 0n || BigInt(order.operator) === BigInt(operator))
          .filter(({ order }) => paysEnough(config.minFees, order))
          .map((job) => ({ ...job, params: hexToBytes(job.params) })),
      savedOutcome: (jobId) => store.outcome(jobId),
      saveOutcome: (jobId, outcome) =>
        store.saveOutcome({ ...outcome, jobId, signer: identity.signingKey, createdAt: Math.floor(Date.now() / 1000) }),
      settle: (job, outcome) =>
        settleJob(
          {
            market: contracts.jobMarket,
            sender,
            observe: note,
            isOpenNow: newestChain.isOpen,
          },
          job,
          outcome,
        ),
      isRegistered: async () =>
        reader.isLive(identity.signingKey, { blockHash: (await headBlock(client, "latest")).hash }),
      newestTimestamp,
      problem: (jobId, error) => logProblem(log, jobId, error),
      waitMs: config.grantWaitSeconds * 1000,
      now: () => performance.now(),
    });

    const registrar = await retrying(log, signal, "chain.contracts", () =>
      createRegistrar({ client, config, log, signal, platform, identity, appConfig, sender, reader }),
    );
    const api = createApi({
      config,
      platform,
      identity,
      workloadId,
      gasWallet: account.address,
      registration: () => state.registration,
      collateralUntil: registrar.collateralUntil,
      waitsFor: () => state.waitsFor,
      caughtUp: () => state.caughtUp,
      now: newestTimestamp,
      store,
      blobs,
      grants,
      waitingFor: runner.waitingFor,
    });
    const server = await startServer(createApp({ api, log }), { host: config.host, port: config.port, log });
    log.info("worker.listening", {
      port: server.port,
      signingKey: identity.signingKey,
      gasWallet: account.address,
      workloadId,
    });

    try {
      const waits = (error: BaseError) => {
        state.waitsFor = error.name;
      };
      const first = await retrying(log, signal, "enclave.register", () => registrar.register(), waits);
      nowRegistered(first);
      const stayRegistered = (stopped: AbortSignal) => registrar.keep(first, nowRegistered, stopped);
      await together(signal, followChain, runJobs, stayRegistered);
    } finally {
      await server.stop(graceMs);
    }

    function nowRegistered(registration: Registration | undefined): void {
      const before = state.registration;
      if (registration === before) return;
      state.registration = registration;
      state.waitsFor = undefined;
      if (registration === undefined) log.warn("enclave.registration-lost", { signingKey: identity.signingKey });
      else {
        const { transactionHash: transaction, expiresAt, tcbStatus } = registration;
        const known = before !== undefined && before.transactionHash === transaction;
        log.info(known ? "enclave.renewed" : "enclave.registered", {
          signingKey: identity.signingKey,
          transaction,
          expiresAt: expiresAt.toString(),
          tcbStatus: recordedStatuses[tcbStatus],
        });
      }
    }

    async function followChain(stopped: AbortSignal): Promise<void> {
      const addresses = [contracts.jobMarket, contracts.datasetRegistry, contracts.enclaveRegistry];
      const source = viemSource({ client, addresses, head: config.headPolicy });
      const start = store.loadCursor() ?? startCursor(BigInt(deployment.fromBlock));
      const onFailure = (error: unknown) => log.warn("chain.follow", { error: toError(error) });
      for await (const step of follow(source, start, { signal: stopped, pollMs: config.pollMs, onFailure })) {
        const { events, skipped } = decodeMarketEvents(deployment, step.events);
        store.applyStep(step.cursor, events);
        if (skipped > 0) log.warn("chain.skipped", { count: skipped });
        for (const event of events) if (event.type === "reorg") log.warn("chain.reorg", { ancestor: event.ancestor });
        state.caughtUp ||= step.cursor.next > (step.head ?? step.cursor.next);
        wake();
      }
    }

    async function runJobs(stopped: AbortSignal): Promise<void> {
      try {
        while (!stopped.aborted) {
          woken = new AbortController(); // before the tick: what happens while it works is not missed
          runner.tick();
          await pause(config.pollMs, AbortSignal.any([stopped, woken.signal]));
        }
      } finally {
        await runner.idle();
      }
    }
  } finally {
    store.close();
  }
}

/** Queues work up: each piece starts when the one before has ended, however it ended; none once the signal aborts. */
function oneAtATime(signal: AbortSignal) {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(() => {
      if (signal.aborted) throw new SandboxStoppedError();
      return work();
    });
    last = done.catch(() => undefined);
    return done;
  };
}

/** Runs loops until the signal aborts or one of them fails: then the others end too. */
async function together(signal: AbortSignal, ...loops: ((stopped: AbortSignal) => Promise<void>)[]): Promise<void> {
  const failed = new AbortController();
  const stopped = AbortSignal.any([signal, failed.signal]);
  const ends = loops.map((loop) => loop(stopped).finally(() => failed.abort()));
  await Promise.allSettled(ends);
  await Promise.all(ends);
}

/** Tries again, ever more slowly, what may succeed without anything being changed here. */
async function retrying<T>(
  log: Logger,
  signal: AbortSignal,
  what: string,
  work: () => Promise<T>,
  waits: (error: BaseError) => void = () => {},
): Promise<T> {
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      return await work();
    } catch (error) {
      const again = error instanceof BaseError && error.retryable && !signal.aborted;
      if (!again) throw error;
      log.warn(what, { error, hint: error.hint });
      waits(error);
      await pause(pauseMs, signal);
    }
  }
}

function logProblem(log: Logger, jobId: Hex, error: unknown): void {
  if (error instanceof JobStop) log.info("job.waiting", { jobId, failureCode: failureCodes.indexOf(error.code) });
  else log.warn("job.problem", { jobId, error: toError(error) });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("not an error");
}
