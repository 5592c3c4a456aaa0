/** A worker's HTTP face on a real socket, over an in-memory worker and a real blob store. */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Hex } from "viem";
import { openBlobStore } from "../../../enclave/blobs/blobStore.ts";
import { createApp } from "../../../enclave/http/app.ts";
import type { RateLimits } from "../../../enclave/http/routes.ts";
import { type ServerOptions, startServer } from "../../../enclave/http/server.ts";
import type { Attestation, EnclaveView, WorkerApi } from "../../../enclave/http/workerApi.ts";
import { createLogger } from "../../../enclave/log/logger.ts";
import { domainOf, hashGrant, hashOrder } from "../../../protocol/eip712.ts";
import { quickjs } from "../../../protocol/engines.ts";
import type { BaseError } from "../../../protocol/errors.ts";
import type { SealedPrints } from "../../../protocol/prints.ts";

export const settledJob: Hex = `0x${"11".repeat(32)}`;
export const runningJob: Hex = `0x${"22".repeat(32)}`;
export const unknownJob: Hex = `0x${"33".repeat(32)}`;
export const resultBytes = Buffer.from("age-encryption.org/v1 ...");

const zero32: Hex = `0x${"00".repeat(32)}`;
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const domain = domainOf(31337, address);

export const enclaveView: EnclaveView = {
  signingKey: address,
  vaultKey: zero32,
  operator: address,
  gasWallet: address,
  workloadId: zero32,
  engines: [quickjs],
  endpoint: "http://127.0.0.1:8080",
  chainId: 31337,
  registry: address,
  registered: true,
  expiresAt: "1800000000",
  simulated: true,
};

export function attestationOf(nonce?: Hex): Attestation {
  return {
    quote: nonce ?? "0x04",
    eventLog: "[]",
    appCompose: "{}",
    info: { app_name: "worker" },
    binding: { chainId: 31337, registry: address, operator: address, signingKey: address, vaultKey: zero32 },
    images: [`worker@sha256:${"ab".repeat(32)}`],
    buildManifest: zero32,
    reportDataKind: nonce ? "challenge" : "registration",
    registration: { registry: address, platformId: zero32, tcbStatus: "UpToDate", expiresAt: "1800000000" },
    simulated: true,
  };
}

export const receipt = {
  receipt: {
    jobId: settledJob,
    status: 1,
    programId: zero32,
    workloadId: zero32,
    inputsRoot: zero32,
    grantsRoot: zero32,
    paramsHash: zero32,
    resultHash: zero32,
    outputCommitment: zero32,
    policyHash: zero32,
    fuelUsed: "1",
    outputRows: "0",
    runSeconds: 0,
    countedGrants: 0,
    logRoot: zero32,
    logSize: "1",
    anchorBlock: "1",
    anchorHash: zero32,
    failureCode: 0,
  },
  signature: `0x${"00".repeat(65)}`,
  signer: address,
} as const;

export const sealed: SealedPrints = {
  ciphertext: resultBytes,
  entry: Uint8Array.of(0x7b, 0x7d),
  index: 3,
  proof: [zero32],
};

export const offer = {
  offer: {
    operator: address,
    workloadId: zero32,
    token: address,
    fee: "1",
    pricePerSecond: "2",
    validUntil: "1800000000",
    nonce: "3",
  },
  signature: `0x${"00".repeat(65)}`,
} as const;

/** What a test may change. */
export type TestOptions = {
  api?: Partial<WorkerApi>;
  limits?: Partial<RateLimits>;
  server?: Partial<ServerOptions>;
  maxTotalBytes?: number;
};

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

/** Blobs up to 300,000 bytes, 1,000,000 in all, unless told otherwise. */
export async function startTestServer(options: TestOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), "dcm-http-"));
  const blobs = await openBlobStore({ dir, maxBlobBytes: 300_000, maxTotalBytes: options.maxTotalBytes ?? 1_000_000 });
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ destination: { write: (line: string) => void lines.push(JSON.parse(line)) } });
  const api: WorkerApi = {
    attestation: async (nonce) => attestationOf(nonce),
    enclave: async () => enclaveView,
    ready: async () => ({ ready: true, checks: [{ name: "chain", ok: true }] }),
    job: async (jobId) => (jobId === unknownJob ? undefined : { jobId, phase: "settled", openedBlock: "7" }),
    receipt: async (jobId) => (jobId === settledJob ? receipt : undefined),
    resultCiphertext: async (jobId) =>
      jobId === settledJob
        ? { released: true, sizeBytes: resultBytes.length, read: () => resultBytes }
        : jobId === runningJob
          ? { released: false }
          : undefined,
    sealedPrints: async (jobId) =>
      jobId === settledJob ? { released: true, sealed } : jobId === runningJob ? { released: false } : undefined,
    takeOrder: async ({ order }) => ({ jobId: hashOrder(domain, order) }),
    session: () => undefined,
    leaves: () => undefined,
    requestClaim: async () => undefined,
    offer: () => offer,
    logs: { list: () => [], view: async () => undefined, find: () => undefined },
    acceptGrant: async ({ grant }) => ({ grantHash: hashGrant(domain, grant) }),
    blobs,
    ...options.api,
  };
  const limits = { requests: 100_000, quotes: 100_000, uploads: 100_000, ...options.limits };
  const server = await startServer(createApp({ api, log, limits }), {
    host: "127.0.0.1",
    port: 0,
    log,
    ...options.server,
  }).catch(async (error) => {
    await rm(dir, { recursive: true });
    throw error;
  });
  return {
    port: server.port,
    stop: server.stop,
    blobs,
    dir,
    lines,
    send: (method: string, path: string, sent: Sent = {}) => send(server.port, method, path, sent),
    raw: (bytes: string, afterwards?: "end") => sendRaw(server.port, bytes, afterwards),
    async close() {
      await server.stop(100);
      await rm(dir, { recursive: true });
    },
  };
}

/** What a test sends. */
export type Sent = { headers?: Record<string, string>; body?: string | Uint8Array };

/** What it gets back. */
export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };

function send(port: number, method: string, path: string, { headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Node's client frames the body of a GET only when told how.
    const framing =
      body === undefined || headers?.["Transfer-Encoding"] ? {} : { "Content-Length": Buffer.byteLength(body) };
    const outgoing = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { ...framing, ...headers },
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", async (response) => {
      try {
        const chunks = await response.toArray();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.end(body);
  });
}

/** Sends bytes as they are and returns all that comes until the server closes the connection. */
function sendRaw(port: number, bytes: string, afterwards?: "end"): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
      if (afterwards === "end") socket.end();
    });
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(received));
  });
}

/** Checks that an answer is exactly the problem document of `error`. */
export function expectProblem(answer: Answer, status: number, title: string, error: BaseError): void {
  expect(JSON.parse(answer.body.toString())).to.deep.equal({
    type: `urn:dcm:error:${error.name}`,
    title,
    status,
    detail: error.message,
    instance: `urn:uuid:${String(answer.headers["x-request-id"])}`,
    name: error.name,
    hint: error.hint,
  });
  expect(answer.status).to.equal(status);
  expect(answer.headers["content-type"]).to.equal("application/problem+json");
}

/** Waits until `isTrue`, or fails after five seconds. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!(await isTrue())) {
    expect(performance.now()).to.be.lessThan(endMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
