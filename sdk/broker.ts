/**
 * Room: sdk/broker. The provider's key broker: finds live enclaves of the workloads that were consented to, verifies
 * each one's registration itself, seals the data set key to its vault key under the grant, and posts it there. Its wallet is
 * the data set's owner, or the sealer that the owner has appointed.
 * Keys are in no event, error or state. Endpoints are strangers' URLs: see `boundedFetch`.
 */
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import { z } from "zod";
import { pause } from "../protocol/chain/pause.ts";
import { hashGrant, type SignedGrant } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { address, bytes32, uint64String } from "../protocol/schemas.ts";
import type { SignedAppointment } from "../protocol/sealerAppointment.ts";
import { sealKey } from "../protocol/sealing.ts";
import { ServerRefusedError } from "./boundedFetch.ts";
import type { Client } from "./client.ts";
import { type EnclaveListing, getEnclave, listEnclaves } from "./enclaves.ts";
import { type GrantState, grantStateOf } from "./grants.ts";
import { headOf } from "./scanEvents.ts";
import { signSealing } from "./sealers.ts";
import { verifyRegistration } from "./verifyRegistration.ts";
import { postGrant } from "./worker.ts";

/** What a broker remembers between runs; holds no secret. Everything in it is checked again before a key is sealed. */
export const brokerStateSchema = z.strictObject({
  v: z.literal(1),
  workloads: z.array(z.strictObject({ workloadId: bytes32, nextBlock: uint64String })).max(10_000),
  enclaves: z.array(z.strictObject({ workloadId: bytes32, signingKey: address })).max(100_000),
  delivered: z.array(z.strictObject({ grantHash: bytes32, signingKey: address })).max(1_000_000),
});

/** See {@link brokerStateSchema}. */
export type BrokerState = z.output<typeof brokerStateSchema>;

/** Where a broker's grants, keys and memory are. */
export type BrokerStore = {
  grants: () => Promise<readonly SignedGrant[]>;
  /** The data set key's bytes, or undefined if it is not here. */
  datasetKey: (datasetId: Hex) => Promise<Uint8Array | undefined>;
  /** Where the broker's wallet is not the data set's owner: why its signature of a sealed key is enough. */
  appointment?: (datasetId: Hex) => Promise<SignedAppointment | undefined>;
  loadState: () => Promise<BrokerState | undefined>;
  saveState: (state: BrokerState) => Promise<void>;
};

/** What happened to one grant at one enclave. */
export type BrokerEvent =
  | { type: "delivered"; grantHash: Hex; signingKey: Address; endpoint: string }
  | { type: "failed"; grantHash: Hex; signingKey: Address; error: BaseError; retryAfterMs: number }
  | { type: "void"; grantHash: Hex; state: GrantState };

/** A broker; call `step` as often as wanted, or give it to {@link runBroker}. */
export type Broker = { step: (signal?: AbortSignal) => Promise<BrokerEvent[]> };

/** Blocks that are read again in each step: a shallow reorg may have moved a registration. */
const overlapBlocks = 64n;
const parallelPosts = 8;
const postTimeoutMs = 15_000;
const firstRetryMs = 2_000;
const lastRetryMs = 300_000;
/** How a worker says that the key is sealed to an enclave that is not there, see enclave/vault/grantBook.ts. */
const otherVaultKey = "Vault.OtherVaultKeyError";
/** A worker that was started anew has other keys for good; its old registration lives on for days. */
const goneMs = 3_600_000;
/** So long after its registration has expired, an enclave is not expected back. */
const forgottenMs = 30 * 86_400_000;

type Pair = { signed: SignedGrant; grantHash: Hex; signingKey: Address };
type Attempts = { count: number; notBeforeMs: number };

/**
 * A broker for the grants in a store.
 *
 * @param nowMs - the clock, in milliseconds since 1970.
 * @example
 * const broker = await createBroker(client, store)
 * const events = await broker.step()
 */
export async function createBroker(
  client: Client,
  store: BrokerStore,
  nowMs: () => number = Date.now,
): Promise<Broker> {
  const state: BrokerState = (await store.loadState()) ?? { v: 1, workloads: [], enclaves: [], delivered: [] };
  const delivered = new Set(state.delivered.map((pair) => keyOf(pair.grantHash, pair.signingKey)));
  const attempts = new Map<string, Attempts>();
  const saidVoid = new Set<Hex>();
  /** Enclaves at whose endpoint another one answered, and when they are looked for again, in milliseconds. */
  const gone = new Map<Address, number>();

  async function step(signal?: AbortSignal): Promise<BrokerEvent[]> {
    const grants = await store.grants();
    await discover(grants);
    await store.saveState(state);
    const { pairs, events } = await pending(grants);
    for (let at = 0; at < pairs.length && signal?.aborted !== true; at += parallelPosts) {
      const batch = pairs.slice(at, at + parallelPosts).map((pair) => attempt(pair, signal));
      for (const event of await Promise.all(batch)) if (event !== undefined) events.push(event);
      await store.saveState(state);
    }
    return events;
  }

  /** Reads the registrations since the last step, per workload, and drops enclaves that are gone. */
  async function discover(grants: readonly SignedGrant[]): Promise<void> {
    for (const workloadId of new Set(grants.map(({ grant }) => grant.workloadId))) {
      const known = state.workloads.find((workload) => workload.workloadId === workloadId);
      const head = await headOf(client);
      const start = BigInt(client.deployment.fromBlock);
      const next = known === undefined ? start : known.nextBlock - overlapBlocks;
      // A head behind the memory is another chain, or one that was rolled back: read it from the start.
      const fromBlock = next < start || next > head ? start : next;
      for (const { signingKey, live } of await listEnclaves(client, { workloadId, fromBlock })) {
        const isKnown = state.enclaves.some((enclave) => isAddressEqual(enclave.signingKey, signingKey));
        if (live && !isKnown) state.enclaves.push({ workloadId, signingKey });
      }
      if (known === undefined) state.workloads.push({ workloadId, nextBlock: head + 1n });
      else known.nextBlock = head + 1n;
    }
  }

  /** Grants in force that an enclave they name has not got yet and that are due. */
  async function pending(grants: readonly SignedGrant[]): Promise<{ pairs: Pair[]; events: BrokerEvent[] }> {
    const pairs: Pair[] = [];
    const events: BrokerEvent[] = [];
    for (const signed of grants) {
      const grantHash = hashGrant(client.marketDomain, signed.grant);
      const due = state.enclaves.filter(
        ({ workloadId, signingKey }) =>
          workloadId === signed.grant.workloadId &&
          !delivered.has(keyOf(grantHash, signingKey)) &&
          (gone.get(signingKey) ?? 0) <= nowMs() &&
          (attempts.get(keyOf(grantHash, signingKey))?.notBeforeMs ?? 0) <= nowMs(),
      );
      if (due.length === 0) continue;
      const { state: grantState } = await grantStateOf(client, signed.grant);
      if (grantState !== "in force" && grantState !== "not yet valid") {
        if (!saidVoid.has(grantHash)) events.push({ type: "void", grantHash, state: grantState });
        saidVoid.add(grantHash);
      } else pairs.push(...due.map(({ signingKey }) => ({ signed, grantHash, signingKey })));
    }
    return { pairs, events };
  }

  /** Never throws: what one enclave does must not keep the others from their keys. */
  async function attempt(pair: Pair, signal?: AbortSignal): Promise<BrokerEvent | undefined> {
    const { signed, grantHash, signingKey } = pair;
    const key = keyOf(grantHash, signingKey);
    try {
      const enclave = await getEnclave(client, signingKey);
      if (!enclave.live) {
        // One that has merely expired may be renewed, with the same keys.
        if (enclave.state === "Active" || enclave.state === "Expired") {
          attempts.set(key, { count: 0, notBeforeMs: nowMs() + lastRetryMs });
          if (Number(enclave.expiresAt) * 1000 + forgottenMs > nowMs()) return undefined;
        }
        state.enclaves = state.enclaves.filter((known) => !isAddressEqual(known.signingKey, signingKey));
        state.delivered = state.delivered.filter((known) => !isAddressEqual(known.signingKey, signingKey));
        return undefined;
      }
      const { operator } = signed.grant;
      if (operator !== zeroAddress && !isAddressEqual(operator, enclave.operator)) {
        attempts.set(key, { count: 0, notBeforeMs: Number.POSITIVE_INFINITY }); // an enclave's operator never changes
        return undefined;
      }
      await deliver(signed, grantHash, enclave, signal);
      delivered.add(key);
      attempts.delete(key);
      state.delivered.push({ grantHash, signingKey });
      return { type: "delivered", grantHash, signingKey, endpoint: enclave.endpoint };
    } catch (cause) {
      const count = (attempts.get(key)?.count ?? 0) + 1;
      const retryAfterMs = Math.min(firstRetryMs * 2 ** (count - 1), lastRetryMs);
      attempts.set(key, { count, notBeforeMs: nowMs() + retryAfterMs });
      const error = cause instanceof BaseError ? cause : new DeliveryError(signingKey);
      if (isGone(error)) gone.set(signingKey, nowMs() + goneMs);
      return { type: "failed", grantHash, signingKey, error, retryAfterMs };
    }
  }

  async function deliver(signed: SignedGrant, grantHash: Hex, enclave: EnclaveListing, signal?: AbortSignal) {
    if (enclave.workloadId !== signed.grant.workloadId) throw new DeliveryError(enclave.signingKey);
    await verifyRegistration(client, enclave, Math.floor(nowMs() / 1000));
    const { datasetId } = signed.grant;
    const datasetKey = await store.datasetKey(datasetId);
    if (datasetKey === undefined) throw new KeyNotHereError(datasetId);
    const sealedKey = await sealKey(enclave.vaultKey, grantHash, datasetKey);
    const appointment = await store.appointment?.(datasetId);
    const sealing = await signSealing(client, { datasetId, grantHash, sealedKey }, appointment);
    const options = { timeoutMs: postTimeoutMs, ...(signal === undefined ? {} : { signal }) };
    const answer = await postGrant(enclave.endpoint, { ...signed, sealedKey, ...sealing }, options);
    if (answer.grantHash !== grantHash) throw new DeliveryError(enclave.signingKey);
  }

  return { step };
}

/**
 * Steps a broker until aborted. Errors of the chain are reported and waited out.
 *
 * @param report - called with the events of each step, or with what kept it from being done.
 * @example
 * await runBroker(broker, { pollMs: 5000, signal, report: console.error })
 */
export async function runBroker(
  broker: Broker,
  options: { pollMs: number; signal: AbortSignal; report: (news: BrokerEvent[] | BaseError) => void },
): Promise<void> {
  const { pollMs, signal, report } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      report(await broker.step(signal));
      failures = 0;
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      failures += 1;
      report(error);
    }
    await pause(Math.min(pollMs * 2 ** Math.min(failures, 6), Math.max(pollMs, 60_000)), signal);
  }
}

/**
 * Whether a delivery failed because another enclave answers at the endpoint now: nothing is amiss, and nothing to do.
 *
 * @example
 * const failed = events.filter((event) => event.type === "failed" && !isGone(event.error))
 */
export function isGone(error: BaseError): boolean {
  return error instanceof ServerRefusedError && error.problem === otherVaultKey;
}

function keyOf(grantHash: Hex, signingKey: Address): string {
  return `${grantHash}:${signingKey.toLowerCase()}`;
}

/** The grant could not be delivered to the enclave. */
export class DeliveryError extends BaseError {
  override readonly name = "Broker.DeliveryError";
  constructor(signingKey: Address) {
    super(`The grant could not be delivered to enclave ${signingKey}.`, {
      hint: "The enclave's endpoint may be down or not a worker's; it is tried again.",
      retryable: true,
    });
  }
}

/** The data set's key is not on this machine. */
export class KeyNotHereError extends BaseError {
  override readonly name = "Broker.KeyNotHereError";
  constructor(datasetId: Hex) {
    super(`The key of data set ${datasetId} is not in this home.`, {
      hint: "Serve from the home and with the wallet that `dcm dataset add` was run with, or give it to `dcm provider take`.",
    });
  }
}
