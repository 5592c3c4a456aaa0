/**
 * Room: enclave/worker. The composition root: the one place where the worker's rooms meet. Reads no environment and
 * handles no signals (that is main.ts), so that a test can run the same worker with an observer of its own.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bytesToHex, type Hex, hexToBytes, zeroHash } from "viem";
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
import type { BaseError } from "../protocol/errors.ts";
import { maxCiphertextBytes } from "../protocol/limits.ts";
import { createApi } from "./api.ts";
import { readBuildManifestHash } from "./attestation/builtFrom.ts";
import { createIdentity } from "./attestation/identity.ts";
import { measure } from "./attestation/measure.ts";
import { connectPlatform } from "./attestation/platform.ts";
import type { Registration } from "./attestation/registration.ts";
import { openBlobStore } from "./blobs/blobStore.ts";
import { openSpool } from "./blobs/spool.ts";
import { rememberReads, sharing } from "./chain/blockReads.ts";
import { connectChain } from "./chain/connect.ts";
import { openReader } from "./chain/reader.ts";
import { openSender } from "./chain/sender.ts";
import type { Config } from "./config.ts";
import { forbidCoreDumps } from "./coreDumps.ts";
import { createFetchBlob, createFetchCiphertext } from "./fetch/fetchBlob.ts";
import { createApp } from "./http/app.ts";
import { startServer } from "./http/server.ts";
import { acceptJob } from "./jobs/acceptJob.ts";
import { refuseConsent } from "./jobs/carryOut.ts";
import { fetchForJobs } from "./jobs/fetchForJob.ts";
import { maxJobBytes } from "./jobs/gather.ts";
import { createJobChain, hashOfBlock, headBlock, requireOneDeployment } from "./jobs/jobChain.ts";
import { JobStop } from "./jobs/jobStop.ts";
import type { JobPorts, JobStep, Outcome, RunnableJob } from "./jobs/ports.ts";
import { createRunner, maxUnderWay } from "./jobs/runner.ts";
import { type Service, whyNoSession, whyNotServed } from "./jobs/serves.ts";
import { createSettleBatch } from "./jobs/settleBatch.ts";
import { settleJob } from "./jobs/settleJob.ts";
import { createTakeOrder } from "./jobs/takeOrder.ts";
import { createTurns } from "./jobs/turns.ts";
import type { Logger } from "./log/logger.ts";
import { checkOffer } from "./offer.ts";
import { openLogBook } from "./receipts/logBook.ts";
import { logReceivedKeys, logReleases, logSignatures } from "./receipts/logUses.ts";
import { createRegistrar } from "./registrar.ts";
import { retrying, together } from "./running.ts";
import { openPlace } from "./sandbox/place.ts";
import { lacksWallFor, openSandbox, runnableEngines } from "./sandbox/runProgram.ts";
import type { SessionStep } from "./sessions/keeper.ts";
import { openSessions } from "./sessions/openSessions.ts";
import { openStore } from "./store/store.ts";
import { createGrantBook, type GrantBook } from "./vault/grantBook.ts";

/** Limits of the blob store, in bytes: about 16 of the largest. */
const blobLimits = { maxBlobBytes: maxCiphertextBytes, maxTotalBytes: 16 * 1024 * 1024 * 1024 };
/** Limits of what jobs under way have fetched, in bytes: on disk all that they may need, in memory what is small. */
const spoolLimits = { maxTotalBytes: maxUnderWay * maxJobBytes, maxMemoryBytes: 1024 * 1024 };
/** How long answers under way may take to finish when the worker stops, in ms. */
const graceMs = 10_000;
/** How old the header may be that jobs share, in ms: of the newest block that counts, far less than blocks take to come. */
const headAgeMs = 200;
/** Of the newest block: by it registrations and deadlines end. About as long as it takes to come. */
const newestAgeMs = 50;
/** Between two looks at what is to do, in ms: each reads all open jobs. */
const restMs = 50;
/** Steps of a job that are logged as a rule: there are many jobs, and every line costs a write. */
const milestones: readonly JobStep[] = ["accepted", "seen", "ran", "signed", "settled"];
/** Sandbox processes that wait for small jobs. */
const warmProcesses = 4;
/** dstack derives the gas wallet from this path: it survives restarts and authorised upgrades. */
export const gasWalletPath = "data-collab-market/gas-wallet/v1";

/** What a worker is started with. */
export type WorkerOptions = {
  config: Config;
  log: Logger;
  /** Aborting stops the worker. */
  signal: AbortSignal;
  /** Told of each step of each job when it has happened. */
  observe?: (step: JobStep | SessionStep, id: Hex) => void;
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
    log[milestones.includes(step) ? "info" : "debug"](`job.${step}`, { jobId });
    observe?.(step, jobId);
  };

  const store = openStore(config.dataDir, { chainId, jobMarket: contracts.jobMarket });
  let closeSandbox: (() => Promise<void>) | undefined;
  try {
    const blobs = await openBlobStore({ dir: join(config.dataDir, "blobs"), ...blobLimits });
    const spool = await openSpool({ dir: join(config.dataDir, "spool"), ...spoolLimits });
    const client = await retrying(log, signal, "chain.connect", () => connectChain({ rpcUrl: config.rpcUrl, chainId }));
    const reader = openReader(rememberReads(client), deployment);
    const read = (functionName: "enclaves" | "datasets") =>
      answered("eth_call", client.readContract({ address: contracts.jobMarket, abi: jobMarketAbi, functionName }));
    await retrying(log, signal, "chain.contracts", () => requireOneDeployment(read, contracts));

    const platform = connectPlatform();
    // Before there is a secret in this process.
    if (!(await forbidCoreDumps()))
      log.warn("memory.core-dumps", { hint: "Install util-linux: a crash may write memory." });
    const ownIdentity = await createIdentity();
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
    const logs = openLogBook({
      domain,
      identity: ownIdentity,
      workloadId,
      storage: store,
      anchor: () => jobChain.anchor(),
      damaged: (logId) => log.warn("log.damaged", { logId }),
    });
    const enclaveLog = logs.log;
    const identity = logSignatures(ownIdentity, enclaveLog);
    const hashAt = (number: bigint) => hashOfBlock(client, number);
    const chainParts = { client, reader, deployment, signingKey: identity.signingKey, hashAt };
    const head = () => headBlock(client, config.headPolicy);
    const newestHead = () => headBlock(client, "latest");
    // Jobs share blocks. Whoever asks over HTTP has just sent something, and is answered by what the chain says now.
    const sharedHead = sharing(headAgeMs, head);
    const sharedNewest = sharing(newestAgeMs, newestHead);
    const jobChain = createJobChain({ ...chainParts, head: sharedHead, hashAt: sharing(headAgeMs, hashAt) });
    const newestChain = createJobChain({ ...chainParts, head: sharedNewest });
    const askedChain = createJobChain({ ...chainParts, head });
    const newest = async () => ({ blockHash: (await newestHead()).hash });
    const newestTimestamp = async () => (await newestHead()).timestamp;
    let woken = new AbortController();
    const wake = () => woken.abort();
    const grants: GrantBook = createGrantBook({
      domain,
      workloadId,
      identity: logReceivedKeys(identity, enclaveLog, (grantHash) => grants.find(grantHash) !== undefined),
      reader: {
        async consent(id) {
          const at = await newest();
          const { epoch, ownerEpoch } = await reader.consentOf(id, 0n, at);
          return { owner: (await reader.dataset(id, at)).owner, epoch, ownerEpoch };
        },
        isSignedBy: jobChain.isSignedBy,
        timestamp: newestTimestamp,
      },
      onAccepted: wake,
    });
    const offer = await retrying(log, signal, "chain.offer", () =>
      checkOffer({ domain, operator, workloadId, isSignedBy: jobChain.isSignedBy }, config.offer),
    );
    const service: Service = {
      workloadId,
      operator,
      minFees: config.minFees,
      maxBonds: config.maxBonds,
      minDisputeBonds: config.minDisputeBonds,
      offer,
    };
    const fetchPolicy = {
      blobs,
      spool,
      allowHttp: config.fetchPrivateAddresses,
      allowPrivateAddresses: config.fetchPrivateAddresses,
    };
    const fetchTimeoutMs = config.fetchTimeoutSeconds * 1000;

    const state: { registration: Registration | undefined; waitsFor: string | undefined; caughtUp: boolean } = {
      registration: undefined,
      waitsFor: undefined,
      caughtUp: false,
    };
    const sending = {
      market: contracts.jobMarket,
      sender,
      observe: note,
      standingNow: (job: RunnableJob) => newestChain.standing(job),
    };
    const settling = { ...sending, offer: config.offer };
    const settleOrder = createSettleBatch(settling);
    const { place, close: closePlace } = await retrying(log, signal, "sandbox.connect", () =>
      openPlace(config.sandboxSocket, (error) => log.warn("sandbox.problem", { error })),
    );
    closeSandbox = closePlace;
    const engines = runnableEngines(place.wall);
    log.info("sandbox.opened", { wall: place.wall.name, engines: engines.map(({ engine }) => engine).join(" ") });
    const sandbox = await openSandbox({ place, warm: warmProcesses });
    closeSandbox = () => sandbox.close().finally(closePlace);
    const jobPorts: JobPorts = {
      domain,
      workloadId,
      operator,
      // What it signs for jobs is committed to the store, and the log with it, before it leaves.
      identity: logSignatures(ownIdentity, { ...enclaveLog, sync: () => undefined }),
      log: enclaveLog,
      grants,
      chain: {
        ...jobChain,
        // Uses that sessions' claims are still to count.
        grantUses: async (grantHash, anchor) =>
          (await jobChain.grantUses(grantHash, anchor)) + sessions.promisedUses(grantHash),
      },
      fetch: fetchForJobs(createFetchBlob(fetchPolicy), fetchTimeoutMs, signal),
      fetchCiphertext: fetchForJobs(createFetchCiphertext(fetchPolicy), fetchTimeoutMs, signal),
      lacksWallFor: (program) => lacksWallFor(program, place.wall),
      run: (request) => sandbox.run(request, signal),
      inTurn: createTurns(Math.min(maxUnderWay, availableParallelism()), signal),
      observe: note,
      now: () => performance.now(),
    };
    const saveOutcome = (jobId: Hex, outcome: Outcome) => {
      store.saveOutcome({ ...outcome, jobId, signer: identity.signingKey, createdAt: Math.floor(Date.now() / 1000) });
      sessions.ran(outcome.receipt);
    };
    const isRegistered = async () => reader.isLive(identity.signingKey, { blockHash: (await sharedNewest()).hash });
    const runner = createRunner({
      ...jobPorts,
      openJobs: () =>
        (state.caughtUp ? [...openJobs(), ...sessions.toRun()] : []).filter(
          ({ order, origin }) => whyNotServed(service, order, origin.by) === undefined,
        ),
      savedOutcome: (jobId) => store.outcome(jobId),
      saveOutcome,
      settle(job, outcome) {
        const { origin } = job;
        return origin.by === "signature"
          ? settleOrder({ job: { ...job, origin }, outcome })
          : settleJob(settling, job, outcome);
      },
      accept: (job) =>
        acceptJob(
          {
            ...sending,
            domain,
            identity,
            grants,
            chain: jobChain,
            credit: async (token) => reader.creditOf(account.address, token, await newest()),
            timestamps: async () => ({ newest: await newestTimestamp(), final: (await head()).timestamp }),
          },
          job,
        ),
      giveUp: ({ jobId }, why) => store.lapse(jobId, why === "tooLate" ? "Expired" : "Unsettled"),
      isRegistered,
      newestTimestamp: async () => (await sharedNewest()).timestamp,
      problem: (jobId, error) => logProblem(log, jobId, error),
      waitMs: config.grantWaitSeconds * 1000,
    });
    const sessions = openSessions({
      domain,
      market: contracts.jobMarket,
      identity,
      sender,
      reader,
      chain: askedChain,
      store,
      head,
      newest: newestHead,
      whyNotServed: (order, session) => whyNotServed(service, order, "session") ?? whyNoSession(service, session),
      isRegistered,
      refuse: async (job) => saveOutcome(job.jobId, await refuseConsent(jobPorts, job)),
      waitingFor: runner.waitingFor,
      observe: (step, sessionId) => {
        if (step === "claimed") enclaveLog.append({ type: "session.claimed", sessionId });
        log.info(`session.${step}`, { sessionId });
        observe?.(step, sessionId);
      },
      taken: (jobId) => log.info("order.taken", { jobId }),
      problem: (sessionId, error) => log.warn("session.problem", { sessionId, error: toError(error) }),
      wake,
      now: () => performance.now(),
    });
    const openJobs = () => store.openJobs({ workloadId }).map((job) => ({ ...job, params: hexToBytes(job.params) }));

    const registrar = await retrying(log, signal, "chain.contracts", () =>
      createRegistrar({ client, config, log, signal, platform, identity, appConfig, sender, reader }),
    );
    const takeOrder = createTakeOrder({
      domain,
      reader,
      chain: askedChain,
      async look() {
        const newest = await newestHead();
        const { hash } = config.headPolicy === "latest" ? newest : await head();
        return { now: newest.timestamp, at: { blockHash: hash } };
      },
      whyNotServed: (order) => whyNotServed(service, order, "signature"),
      isKnown: (jobId) => store.job(jobId) !== undefined,
      waiting: store.countOrders,
      waitingOf: store.openOrdersOf,
      keep: (jobId, signed) => {
        store.addOrder(jobId, signed);
        log.info("order.taken", { jobId });
        wake();
      },
    });
    const api = createApi({
      config,
      platform,
      identity,
      workloadId,
      gasWallet: account.address,
      buildManifest: await readBuildManifestHash(),
      engines,
      registration: () => state.registration,
      collateralUntil: registrar.collateralUntil,
      waitsFor: () => state.waitsFor,
      caughtUp: () => state.caughtUp,
      sandboxIsUp: place.isUp,
      now: newestTimestamp,
      store,
      blobs,
      grants,
      waitingFor: runner.waitingFor,
      sessions: sessions.api,
      logs,
      released: logReleases(enclaveLog),
      takeOrder: (signed) => (signed.order.session === zeroHash ? takeOrder(signed) : sessions.takeOrder(signed)),
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
      if (registration === undefined) {
        enclaveLog.append({ type: "enclave.lost" });
        log.warn("enclave.registration-lost", { signingKey: identity.signingKey });
      } else {
        const { transactionHash: transaction, expiresAt, tcbStatus } = registration;
        const entry = { transaction: transaction ?? null, expiresAt: expiresAt.toString() };
        enclaveLog.append({ type: "enclave.registered", ...entry });
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
          await pause(restMs, stopped);
          woken = new AbortController(); // before the tick: what happens while it works is not missed
          runner.tick();
          if (state.caughtUp) sessions.keeper.tick();
          await pause(config.pollMs, AbortSignal.any([stopped, woken.signal]));
        }
      } finally {
        await runner.idle();
        await sessions.keeper.idle();
      }
    }
  } finally {
    await closeSandbox?.();
    store.close();
  }
}

function logProblem(log: Logger, jobId: Hex, error: unknown): void {
  if (error instanceof JobStop) log.info("job.waiting", { jobId, failureCode: failureCodes.indexOf(error.code) });
  else log.warn("job.problem", { jobId, error: toError(error) });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("not an error");
}
