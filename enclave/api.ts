/**
 * Room: enclave/api. Answers what the HTTP face asks: implements `WorkerApi` over the worker's rooms.
 */
import type { Address, Hex } from "viem";
import { challengeReportData } from "../protocol/attestationBinding.ts";
import { isSimulated } from "../protocol/deployment.ts";
import { domainOf, hashReceipt, receiptStatus } from "../protocol/eip712.ts";
import { recordedStatuses } from "../protocol/enclaveRecord.ts";
import type { Runtime } from "../protocol/engines.ts";
import { signedOfferToJson } from "../protocol/offerJson.ts";
import { receiptToJson } from "../protocol/receiptJson.ts";
import type { SignedOrder } from "../protocol/signedOrder.ts";
import { imagesIn } from "./attestation/builtFrom.ts";
import type { EnclaveIdentity } from "./attestation/identity.ts";
import type { TdxPlatform } from "./attestation/platform.ts";
import { bindingOf, type Registration } from "./attestation/registration.ts";
import type { BlobStore } from "./blobs/blobStore.ts";
import type { Config } from "./config.ts";
import { HttpError } from "./http/problem.ts";
import type { JobView, Readiness, ResultRelease, WorkerApi } from "./http/workerApi.ts";
import { logApi } from "./receipts/logApi.ts";
import type { LogBook } from "./receipts/logBook.ts";
import { releasedResult } from "./releasedResult.ts";
import type { SessionApi } from "./sessions/sessionApi.ts";
import type { ClosedAs } from "./store/jobEnds.ts";
import type { Job } from "./store/jobRow.ts";
import type { Store } from "./store/store.ts";
import type { GrantBook } from "./vault/grantBook.ts";

/** What the answers are made from. */
export type ApiPorts = {
  config: Config;
  platform: TdxPlatform;
  identity: EnclaveIdentity;
  workloadId: Hex;
  gasWallet: Address;
  /** See `readBuildManifestHash`. */
  buildManifest: Hex | null;
  /** See `runnableEngines`. */
  engines: readonly Runtime[];
  registration(): Registration | undefined;
  /** Unix seconds: until when the chain's collateral judges this platform. */
  collateralUntil(): bigint | undefined;
  /** Why the worker is not registered yet: what the last try came to. */
  waitsFor(): string | undefined;
  caughtUp(): boolean;
  /** Whether programs can be run at this moment. */
  sandboxIsUp(): Promise<boolean>;
  /** Unix seconds of the newest block. */
  now(): Promise<bigint>;
  store: Store;
  blobs: BlobStore;
  grants: GrantBook;
  /** What became of the last try of an open job. */
  waitingFor(jobId: Hex): string | undefined;
  /** See `createTakeOrder`. */
  takeOrder(signed: SignedOrder): Promise<{ jobId: Hex }>;
  sessions: SessionApi;
  logs: LogBook;
  /** Told of each result that is handed out. */
  released(jobId: Hex, ciphertext: Uint8Array): void;
};

/**
 * Makes the API.
 *
 * @example
 * const app = createApp({ api: createApi(ports), log })
 */
export function createApi(ports: ApiPorts): WorkerApi {
  const { config, identity, store, sessions } = ports;
  const { deployment, operator, endpoint } = config;
  const simulated = isSimulated(deployment);
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  /** What a job has paid for or was settled with, else the newest that was signed of it. */
  const outcomeOf = (job: Job) =>
    job.receiptHash === null
      ? store.signedOutcome(job.jobId)
      : (store.paidOutcome(job) ?? store.signedOutcome(job.jobId, job.receiptHash));

  async function resultOf(jobId: Hex): Promise<ResultRelease | undefined> {
    const job = store.job(jobId);
    if (job === undefined) return sessions.result(jobId);
    // A failed run has no result: nothing is held back.
    if (job.closedAs === null) {
      const isOk = store.signedOutcome(jobId)?.receipt.status === receiptStatus.ok;
      return isOk ? { released: false } : undefined;
    }
    const paid = job.closedAs === "SettledOk" ? store.paidOutcome(job) : undefined;
    return paid && releasedResult(store, jobId, hashReceipt(domain, paid.receipt));
  }

  return {
    async attestation(nonce) {
      const registration = ports.registration();
      if (nonce === undefined && registration === undefined) throw new NotRegisteredError();
      const { chainId, ...binding } = bindingOf(deployment, operator, identity);
      const quote =
        nonce === undefined
          ? registration?.quote
          : await ports.platform.quote(challengeReportData({ chainId, ...binding }, nonce));
      if (quote === undefined) throw new NotRegisteredError();
      const { appCompose, ...info } = await ports.platform.info();
      return {
        quote: quote.quote,
        eventLog: quote.eventLog,
        appCompose,
        info,
        binding: { chainId: deployment.chainId, ...binding },
        images: imagesIn(appCompose),
        buildManifest: ports.buildManifest,
        reportDataKind: nonce === undefined ? "registration" : "challenge",
        ...(registration?.transactionHash && { registrationTx: registration.transactionHash }),
        registration:
          registration === undefined
            ? null
            : {
                registry: deployment.contracts.enclaveRegistry,
                platformId: registration.platformId,
                tcbStatus: recordedStatuses[registration.tcbStatus] ?? "Unsupported",
                expiresAt: registration.expiresAt.toString(),
              },
        simulated,
      };
    },

    async enclave() {
      const registration = ports.registration();
      const collateralUntil = ports.collateralUntil();
      return {
        signingKey: identity.signingKey,
        vaultKey: identity.vaultKey,
        operator,
        gasWallet: ports.gasWallet,
        workloadId: ports.workloadId,
        engines: ports.engines,
        endpoint,
        chainId: deployment.chainId,
        registry: deployment.contracts.enclaveRegistry,
        registered: registration !== undefined,
        ...(registration && {
          expiresAt: registration.expiresAt.toString(),
          tcbStatus: recordedStatuses[registration.tcbStatus] ?? "Unsupported",
          platformId: registration.platformId,
        }),
        ...(collateralUntil !== undefined && { collateralExpiresAt: collateralUntil.toString() }),
        ...(registration?.transactionHash && { registrationTx: registration.transactionHash }),
        simulated,
      };
    },

    async ready(): Promise<Readiness> {
      const registration = ports.registration();
      const now = await ports.now().catch(() => undefined);
      const collateralUntil = ports.collateralUntil();
      const because = ports.waitsFor();
      const notRegistered = `not registered yet; ${ports.gasWallet} pays for it${because ? ` (${because})` : ""}`;
      const checks: Readiness["checks"] = [
        check("chain", now !== undefined, "the RPC provider does not answer"),
        check(
          "collateral",
          collateralUntil !== undefined && now !== undefined && now < collateralUntil,
          "the chain's collateral of this platform is missing or out of date: set COLLATERAL_URL, or push it",
        ),
        check("registered", registration !== undefined, notRegistered),
        check(
          "registration in force",
          registration !== undefined && now !== undefined && now < registration.expiresAt,
          "not registered, or expired; it is tried again",
        ),
        check("caught up", ports.caughtUp(), "still reading the chain"),
        check("sandbox", await ports.sandboxIsUp(), "the sandbox service does not answer; jobs wait for it"),
      ];
      return { ready: checks.every(({ ok }) => ok), checks };
    },

    async job(jobId): Promise<JobView | undefined> {
      const job = store.job(jobId);
      if (job === undefined) return sessions.job(jobId);
      const outcome = outcomeOf(job);
      const waiting = job.closedAs === null ? ports.waitingFor(jobId) : undefined;
      return {
        jobId: job.jobId,
        phase: job.closedAs === null ? (outcome === undefined ? "open" : "finished") : phases[job.closedAs],
        ...(job.openedBlock !== null && { openedBlock: job.openedBlock.toString() }),
        ...(outcome !== undefined && { failureCode: outcome.receipt.failureCode }),
        ...(job.settleTx !== null && { settleTx: job.settleTx }),
        ...(waiting !== undefined && { waiting }),
      };
    },

    async receipt(jobId) {
      const job = store.job(jobId);
      const outcome = job === undefined ? (sessions.receipt(jobId) ?? store.signedOutcome(jobId)) : outcomeOf(job);
      if (outcome === undefined) return undefined;
      const { receipt, signature, signer } = outcome;
      return { receipt: receiptToJson(receipt), signature, signer };
    },

    async resultCiphertext(jobId) {
      const result = await resultOf(jobId);
      if (!result?.released) return result;
      return {
        ...result,
        read() {
          const ciphertext = result.read();
          ports.released(jobId, ciphertext);
          return ciphertext;
        },
      };
    },

    async sealedPrints(jobId) {
      const job = store.job(jobId);
      if (job === undefined) return sessions.prints(jobId);
      const signed = outcomeOf(job);
      const sealed = signed && store.prints(jobId, hashReceipt(domain, signed.receipt));
      if (sealed === undefined) return undefined;
      if (job.closedAs === null) return { released: false };
      // Of what was not settled nothing is given out: neither of what it printed.
      return job.closedAs === "SettledOk" || job.closedAs === "SettledFailed" ? { released: true, sealed } : undefined;
    },

    takeOrder: ports.takeOrder,
    session: sessions.view,
    leaves: sessions.leaves,
    requestClaim: sessions.requestClaim,
    offer: () => (config.offer === undefined ? undefined : signedOfferToJson(config.offer)),
    acceptGrant: (pkg) => ports.grants.accept(pkg),
    logs: logApi(ports.logs),
    blobs: ports.blobs,
  };
}

const phases = {
  SettledOk: "settled",
  SettledFailed: "failed",
  Cancelled: "cancelled",
  Expired: "expired",
  Disagreed: "disagreed",
  Unsettled: "failed",
} as const satisfies Record<ClosedAs, JobView["phase"]>;

function check(name: string, ok: boolean, reason: string) {
  return ok ? { name, ok } : { name, ok, reason };
}

/** The registration's quote is asked for before there is one. */
export class NotRegisteredError extends HttpError {
  override readonly name = "Api.NotRegisteredError";
  override readonly status = 503;
  constructor() {
    super("The enclave is not registered yet.", {
      hint: "Ask again when GET /readyz says ready, or give a nonce.",
      retryable: true,
    });
  }
}
