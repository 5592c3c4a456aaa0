import { hash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import type { Hex } from "viem";
import {
  BlobCorruptError,
  BlobMismatchError,
  BlobMissingError,
  BlobQuotaError,
  BlobTooLargeError,
} from "../../../enclave/blobs/blobStore.ts";
import { BadUrlError, MethodNotAllowedError, UnknownRouteError, UrlTooLongError } from "../../../enclave/http/app.ts";
import { InternalError } from "../../../enclave/http/problem.ts";
import {
  BadBodyError,
  BadJsonError,
  BadParameterError,
  BodyTooLargeError,
  ContentEncodingError,
  MediaTypeError,
} from "../../../enclave/http/requestInput.ts";
import { NoOfferError, ResultHeldBackError, UnknownJobError } from "../../../enclave/http/routes.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashGrant, hashOrder } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { grantSchema } from "../../../protocol/grantPackage.ts";
import { maxSignatureBytes } from "../../../protocol/limits.ts";
import { sealedPrintsSchema } from "../../../protocol/prints.ts";
import { signedOrderToJson } from "../../../protocol/signedOrder.ts";
import { sampleJob } from "../../support/emitter.ts";
import {
  attestationOf,
  enclaveView,
  expectProblem,
  offer,
  receipt,
  resultBytes,
  runningJob,
  type Sent,
  sealed,
  settledJob,
  startTestServer,
  type TestServer,
  unknownJob,
  until,
} from "./testServer.ts";

const blob = Buffer.from("ciphertext");
const blobName = hash("sha256", blob);
const json = { "Content-Type": "application/json" };
const zero32: Hex = `0x${"00".repeat(32)}`;
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const grant = {
  datasetId: zero32,
  programId: zero32,
  workloadId: zero32,
  requester: address,
  operator: address,
  token: address,
  priceUnit: 0,
  price: "2500000",
  maxUses: "0",
  notBefore: "0",
  notAfter: "1800000000",
  resultReaders: [],
  epoch: 0,
  ownerEpoch: 0,
  nonce: "1",
};
const grantPackage = {
  grant,
  signature: `0x${"ab".repeat(65)}`,
  sealedKey: { vaultKey: zero32, enc: zero32, ciphertext: "0xabcd" },
  sealedKeySignature: `0x${"cd".repeat(65)}`,
};

const deployment = { chainId: 31337, contracts: { jobMarket: address } } as unknown as Deployment; // all that is read
const { order, programUri, params } = sampleJob(deployment, 1);
const signedOrder = signedOrderToJson({ order, programUri, params, requesterSignature: "0xab", payerSignature: "0x" });

/** Every route with input that it takes. */
const routes: [method: string, path: string, sent?: Sent][] = [
  ["GET", "/"],
  ["GET", "/attestation"],
  ["GET", `/attestation?nonce=${zero32}`],
  ["GET", "/enclave"],
  ["GET", "/offer"],
  ["GET", "/healthz"],
  ["GET", "/readyz"],
  ["GET", `/jobs/${settledJob}`],
  ["GET", `/receipts/${settledJob}`],
  ["GET", `/results/${settledJob}`],
  ["GET", `/prints/${settledJob}`],
  ["PUT", `/blobs/${blobName}`, { body: blob }],
  ["GET", `/blobs/${blobName}`],
  ["POST", "/grants", { headers: json, body: JSON.stringify(grantPackage) }],
  ["POST", "/orders", { headers: json, body: JSON.stringify(signedOrder) }],
];

describe("createApp", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.blobs.put(blobName, blob);
  });
  after(() => server.close());

  describe("answers", () => {
    const documents: [path: string, body: unknown][] = [
      ["/attestation", attestationOf()],
      [`/attestation?nonce=0x${"AB".repeat(32)}`, attestationOf(`0x${"ab".repeat(32)}`)],
      ["/enclave", enclaveView],
      ["/offer", offer],
      ["/healthz", { ok: true }],
      ["/readyz", { ready: true, checks: [{ name: "chain", ok: true }] }],
      [`/jobs/${settledJob}`, { jobId: settledJob, phase: "settled", openedBlock: "7" }],
      [`/receipts/${settledJob}`, receipt],
    ];
    it("GET / with a page that runs and loads nothing, and escapes what its operator wrote", async () => {
      const hostile = `http://127.0.0.1/"><script>alert('1')</script>&`;
      const other = await startTestServer({ api: { enclave: async () => ({ ...enclaveView, endpoint: hostile }) } });
      const answer = await other.send("GET", "/");
      await other.close();
      const page = answer.body.toString();
      expect([answer.status, answer.headers["content-type"]]).to.deep.equal([200, "text/html; charset=utf-8"]);
      expect(answer.headers["content-security-policy"]).to.equal(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
      );
      expect(page).to.not.match(/<script|<img|src=|@import|url\(/);
      // In a shell, too, it is one word of each command.
      const word =
        "&#39;http://127.0.0.1/&quot;&gt;&lt;script&gt;alert(&#39;\\&#39;&#39;1&#39;\\&#39;&#39;)&lt;/script&gt;&amp;";
      expect(page).to.include(`curl -s ${word}/attestation?nonce=0x${"5a".repeat(32)}&#39; &gt; attestation.json`);
      expect(page).to.include(`dcm audit JOBID --worker ${word}&#39;\n`);
      expect(page).to.include(`dcm bundle JOBID --worker ${word}&#39; -o job.dcb`);
      for (const shown of ["SIMULATED", enclaveView.signingKey, `worker@sha256:${"ab".repeat(32)}`])
        expect(page).to.include(shown);
      const early = { ...enclaveView, registered: false, expiresAt: undefined };
      const fresh = await startTestServer({ api: { enclave: async () => early as never } });
      expect((await fresh.send("GET", "/")).body.toString()).to.include("not yet");
      await fresh.close();
    });

    for (const [path, body] of documents) {
      it(`GET ${path.slice(0, 40)} with its document`, async () => {
        const answer = await server.send("GET", path);
        expect(JSON.parse(answer.body.toString())).to.deep.equal(body);
        expect(answer.status).to.equal(200);
        expect(answer.headers["content-type"]).to.equal("application/json; charset=utf-8");
        expect(answer.headers["cache-control"]).to.equal("no-store");
      });
    }

    it("GET /readyz with 503 and the reasons while it is not ready", async () => {
      const readiness = { ready: false, checks: [{ name: "chain", ok: false, reason: "no answer" }] };
      const starting = await startTestServer({ api: { ready: async () => readiness } });
      const answer = await starting.send("GET", "/readyz");
      expect(JSON.parse(answer.body.toString())).to.deep.equal(readiness);
      expect(answer.status).to.equal(503);
      await starting.close();
    });

    it("POST /orders with 202 and the job's id", async () => {
      const answer = await server.send("POST", "/orders", { headers: json, body: JSON.stringify(signedOrder) });
      const jobId = hashOrder(domainOf(31337, address), order);
      expect([answer.status, JSON.parse(answer.body.toString())]).to.deep.equal([202, { jobId }]);
    });

    it("POST /orders with the largest order there may be, and with 422 for anything more", async () => {
      const [use] = signedOrder.order.datasets;
      const largest = {
        ...signedOrder,
        order: { ...signedOrder.order, datasets: Array.from({ length: 16 }, () => use) },
        programUri: `https://example.org/${"x".repeat(1004)}`,
        params: `0x${"20".repeat(8192)}`,
        requesterSignature: `0x${"ab".repeat(maxSignatureBytes)}`,
        payerSignature: `0x${"cd".repeat(maxSignatureBytes)}`,
      };
      const post = async (body: object) =>
        (await server.send("POST", "/orders", { headers: json, body: JSON.stringify(body) })).status;
      expect(await post(largest)).to.equal(202);
      const more: object[] = [
        { ...largest, order: { ...largest.order, datasets: [...largest.order.datasets, use] } },
        { ...largest, order: { ...largest.order, datasets: [] } },
        { ...largest, order: { ...largest.order, extra: 1 } },
        { ...largest, programUri: `${largest.programUri}x` },
        { ...largest, params: `${largest.params}20` },
        { ...largest, params: "0x2" },
        { ...largest, requesterSignature: `${largest.requesterSignature}ab` },
        { ...largest, payerSignature: undefined },
        { ...largest, extra: 1 },
      ];
      for (const body of more) expect(await post(body), JSON.stringify(body).slice(-80)).to.equal(422);
    });

    it("GET /offer with 404 where the operator has made none", async () => {
      const silent = await startTestServer({ api: { offer: () => undefined } });
      expectProblem(await silent.send("GET", "/offer"), 404, "Not Found", new NoOfferError());
      await silent.close();
    });

    it("GET /results/:id with the ciphertext", async () => {
      const answer = await server.send("GET", `/results/${settledJob}`);
      expect(answer.body.equals(resultBytes)).to.equal(true);
      expect(answer.headers["content-type"]).to.equal("application/octet-stream");
    });

    it("HEAD /results/:id with its size, without reading it", async () => {
      let reads = 0;
      const read = () => {
        reads += 1;
        return resultBytes;
      };
      const resultCiphertext = async () => ({ released: true, sizeBytes: 1024, read }) as const;
      const large = await startTestServer({ api: { resultCiphertext } });
      const answer = await large.send("HEAD", `/results/${settledJob}`);
      expect([answer.status, answer.headers["content-length"], reads]).to.deep.equal([200, "1024", 0]);
      await large.close();
    });

    it("GET /prints/:id with what was sealed and its proof", async () => {
      const answer = await server.send("GET", `/prints/${settledJob}`);
      expect(sealedPrintsSchema.parse(JSON.parse(answer.body.toString()))).to.deep.equal({
        ...sealed,
        ciphertext: Uint8Array.from(sealed.ciphertext),
      });
    });

    it("PUT and GET /blobs/:sha256: created, then there already, then read by anyone", async () => {
      const bytes = Buffer.alloc(300_000, 9);
      const name = hash("sha256", bytes);
      const first = await server.send("PUT", `/blobs/${name}`, { body: bytes });
      expect([first.status, JSON.parse(first.body.toString())]).to.deep.equal([
        201,
        { sha256: name, sizeBytes: 300_000 },
      ]);
      const second = await server.send("PUT", `/blobs/${name}`, {
        body: bytes,
        headers: { "Transfer-Encoding": "chunked", "Content-Encoding": "identity" },
      });
      expect([second.status, JSON.parse(second.body.toString())]).to.deep.equal([
        200,
        { sha256: name, sizeBytes: 300_000 },
      ]);
      const read = await server.send("GET", `/blobs/${name}`);
      expect(read.body.equals(bytes)).to.equal(true);
      expect(read.headers["content-type"]).to.equal("application/octet-stream");
      expect(read.headers["content-length"]).to.equal("300000");
      expect(read.headers["cache-control"]).to.equal("public, max-age=31536000, immutable");
    });

    it("concurrent uploads of one blob all with success, and keeps one", async () => {
      const bytes = Buffer.alloc(100_000, 8);
      const name = hash("sha256", bytes);
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => server.send("PUT", `/blobs/${name}`, { body: bytes })),
      );
      for (const answer of answers) expect(answer.status).to.be.oneOf([200, 201]);
      expect((await server.send("GET", `/blobs/${name}`)).body.equals(bytes)).to.equal(true);
      expect((await readdir(server.dir)).filter((entry) => entry.startsWith("."))).to.deep.equal([]);
    });

    it("POST /grants with the hash of the grant", async () => {
      const answer = await server.send("POST", "/grants", {
        headers: { "Content-Type": "application/json; charset=utf-8" },
        body: JSON.stringify(grantPackage),
      });
      const grantHash = hashGrant(domainOf(31337, address), grantSchema.parse(grant));
      expect(JSON.parse(answer.body.toString())).to.deep.equal({ grantHash });
      expect(answer.status).to.equal(200);
    });

    for (const [method, path] of routes.filter(([method]) => method === "GET")) {
      it(`HEAD ${path.slice(0, 40)} like ${method}, without the body`, async () => {
        const [get, head] = [await server.send("GET", path), await server.send("HEAD", path)];
        expect(head.status).to.equal(200);
        expect(head.body.length).to.equal(0);
        for (const name of ["content-length", "content-type", "cache-control"])
          expect(head.headers[name]).to.equal(get.headers[name]);
      });
    }

    it("with headers that keep browsers out of trouble, and let pages read but not write", async () => {
      const { headers } = await server.send("GET", "/healthz");
      expect(headers["content-security-policy"]).to.equal("default-src 'none';sandbox");
      expect(headers["x-content-type-options"]).to.equal("nosniff");
      expect(headers["access-control-allow-origin"]).to.equal("*");
      expect(headers["x-powered-by"]).to.equal(undefined);
      expect(headers["set-cookie"]).to.equal(undefined);
      const preflight = await server.send("OPTIONS", "/grants", { headers: { Origin: "https://evil.example" } });
      expect(preflight.status).to.equal(204);
      expect(preflight.headers.allow).to.equal("POST, OPTIONS");
      expect(preflight.headers["access-control-allow-methods"]).to.equal("GET, HEAD");
      expect(preflight.headers["access-control-allow-headers"]).to.equal(undefined);
    });

    it("with its own request id, not the client's", async () => {
      const answer = await server.send("GET", "/healthz", { headers: { "X-Request-Id": "mine" } });
      expect(answer.headers["x-request-id"]).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    });
  });

  describe("refuses, whole document compared:", () => {
    it("a job it does not know", async () => {
      const answer = await server.send("GET", `/jobs/${unknownJob}`);
      expect(JSON.parse(answer.body.toString())).to.deep.equal({
        type: "urn:dcm:error:Http.UnknownJobError",
        title: "Not Found",
        status: 404,
        detail: `This worker has nothing here for job ${unknownJob}.`,
        instance: `urn:uuid:${String(answer.headers["x-request-id"])}`,
        name: "Http.UnknownJobError",
        hint: "Look the job up on chain: it may be too new, another worker's, or without a result.",
      });
      for (const route of ["receipts", "results", "prints"])
        expectProblem(
          await server.send("GET", `/${route}/${unknownJob}`),
          404,
          "Not Found",
          new UnknownJobError(unknownJob),
        );
    });

    it("a result, and what was printed, before the job is settled", async () => {
      for (const route of ["results", "prints"])
        expectProblem(
          await server.send("GET", `/${route}/${runningJob}`),
          409,
          "Conflict",
          new ResultHeldBackError(runningJob),
        );
    });

    for (const id of [
      "0x12",
      "12".repeat(32),
      `0x${"zz".repeat(32)}`,
      `0x${"11".repeat(33)}`,
      "%00",
      "..%2f..%2fetc",
    ]) {
      it(`the job id ${id.slice(0, 20)} on every route that takes one`, async () => {
        const expected = new BadParameterError("✖ must be 0x and 32 bytes of hex\n  → at id");
        for (const route of ["jobs", "receipts", "results", "prints"])
          expectProblem(await server.send("GET", `/${route}/${id}`), 400, "Bad Request", expected);
      });
    }

    for (const name of ["12", `0x${"1".repeat(62)}`, "A".repeat(64), "..%2f..%2fetc%2fpasswd", "%zz"]) {
      it(`the blob name ${name.slice(0, 20)}`, async () => {
        const expected = new BadParameterError("✖ must be 64 lowercase hex digits, without 0x\n  → at sha256");
        for (const method of ["GET", "PUT"])
          expectProblem(await server.send(method, `/blobs/${name}`), 400, "Bad Request", expected);
      });
    }

    for (const [query, detail] of [
      ["nonce=0x12", "✖ must be 0x and 32 bytes of hex\n  → at nonce"],
      ["nonce=", "✖ must be 0x and 32 bytes of hex\n  → at nonce"],
      [`nonce=${zero32}&nonce=${zero32}`, "✖ Invalid input: expected string, received array\n  → at nonce"],
    ]) {
      it(`GET /attestation?${query?.slice(0, 20)}`, async () => {
        const answer = await server.send("GET", `/attestation?${query}`);
        expectProblem(answer, 400, "Bad Request", new BadParameterError(detail ?? ""));
      });
    }

    for (const [method, path, sent] of routes) {
      const shown = `${method} ${path.slice(0, 24)}`;

      it(`${shown} with an unknown parameter`, async () => {
        const answer = await server.send(method, `${path}${path.includes("?") ? "&" : "?"}debug=1`, sent);
        expectProblem(answer, 400, "Bad Request", new BadParameterError('✖ Unrecognized key: "debug"'));
      });

      it(`${shown} with a body over its limit, declared or chunked, and stays up`, async () => {
        const [limitBytes, expected] =
          method === "GET"
            ? [0, new BodyTooLargeError(0)]
            : method === "PUT"
              ? [300_000, new BlobTooLargeError(300_000)]
              : [65_536, new BodyTooLargeError(65_536)];
        const target = method === "PUT" ? `/blobs/${"1".repeat(64)}` : path;
        const body = Buffer.alloc(limitBytes + 1, " ");
        const headers = { ...json };
        for (const extra of [{}, { "Transfer-Encoding": "chunked" }])
          expectProblem(
            await server.send(method, target, { body, headers: { ...headers, ...extra } }),
            413,
            "Payload Too Large",
            expected,
          );
        // A body far larger than every buffer: the client still gets its answer.
        const huge = Buffer.alloc(20_000_000);
        for (const extra of [{}, { "Transfer-Encoding": "chunked" }])
          expectProblem(
            await server.send(method, target, { body: huge, headers: { ...headers, ...extra } }),
            413,
            "Payload Too Large",
            expected,
          );
        expect((await server.send("GET", "/healthz")).status).to.equal(200);
      });

      it(`${shown} by another method`, async () => {
        const allowed = path.startsWith("/blobs")
          ? ["GET", "HEAD", "PUT"]
          : method === "GET"
            ? ["GET", "HEAD"]
            : ["POST"];
        for (const wrong of ["DELETE", "PATCH", "TRACE", "PROPFIND", ...(method === "GET" ? ["POST"] : [])]) {
          const answer = await server.send(wrong, path);
          expectProblem(answer, 405, "Method Not Allowed", new MethodNotAllowedError(allowed));
          expect(answer.headers.allow).to.equal([...allowed, "OPTIONS"].join(", "));
        }
      });
    }

    for (const path of [
      "/nothing",
      "/Healthz",
      "/healthz/",
      "//healthz",
      "/jobs",
      "/jobs/",
      "/blobs/a/b",
      "/%2e%2e/",
    ]) {
      it(`the path ${path}`, async () => {
        expectProblem(await server.send("GET", path), 404, "Not Found", new UnknownRouteError());
      });
    }

    it("absurd URLs", async () => {
      const long = await server.send("GET", `/${"a".repeat(1_024)}`);
      expectProblem(long, 414, "URI Too Long", new UrlTooLongError());
      for (const target of ["*", "http://evil.example/healthz", "http://[", "/a#b"]) {
        const reply = await server.raw(`OPTIONS ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        expect(reply).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
        expect(reply).to.contain(JSON.stringify(new BadUrlError().message));
      }
    });
  });

  describe("PUT /blobs/:sha256", () => {
    const entries = async () => (await readdir(server.dir)).sort();

    it("refuses bytes with another hash", async () => {
      const before = await entries();
      const name = "2".repeat(64);
      const answer = await server.send("PUT", `/blobs/${name}`, { body: blob });
      expectProblem(answer, 422, "Unprocessable Entity", new BlobMismatchError(name, blobName));
      expect(await entries()).to.deep.equal(before);
    });

    it("refuses compressed bytes", async () => {
      const answer = await server.send("PUT", `/blobs/${blobName}`, {
        body: blob,
        headers: { "Content-Encoding": "gzip" },
      });
      expectProblem(answer, 415, "Unsupported Media Type", new ContentEncodingError());
    });

    it("refuses when the store is full", async () => {
      const full = await startTestServer({ maxTotalBytes: 4_095 });
      const answer = await full.send("PUT", `/blobs/${blobName}`, { body: blob });
      expectProblem(answer, 507, "Insufficient Storage", new BlobQuotaError(4_095));
      await full.close();
    });

    it("leaves nothing of an upload that is cut off", async () => {
      const before = await entries();
      const usedBytes = server.blobs.usedBytes();
      const socket = connect(server.port, "127.0.0.1");
      socket.write(`PUT /blobs/${"3".repeat(64)} HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n`);
      socket.write(Buffer.alloc(100_000));
      await until(async () => (await entries()).length > before.length);
      expect(server.blobs.usedBytes()).to.be.greaterThan(usedBytes);
      socket.destroy();
      await until(async () => (await entries()).length === before.length);
      expect(server.blobs.usedBytes()).to.equal(usedBytes);
      await until(() => server.lines.some((line) => line.route === "/blobs/:sha256" && line.cutOff === true));
    });
  });

  describe("GET /blobs/:sha256", () => {
    it("refuses what is not there, HEAD too", async () => {
      const name = "4".repeat(64);
      expectProblem(await server.send("GET", `/blobs/${name}`), 404, "Not Found", new BlobMissingError(name));
      expect((await server.send("HEAD", `/blobs/${name}`)).status).to.equal(404);
    });

    it("refuses a damaged blob", async () => {
      const bytes = Buffer.alloc(1_000, 4);
      const name = hash("sha256", bytes);
      await server.blobs.put(name, bytes);
      await writeFile(join(server.dir, name), Buffer.alloc(1_000, 5));
      expectProblem(await server.send("GET", `/blobs/${name}`), 404, "Not Found", new BlobCorruptError(name));
    });

    it("cuts the connection rather than finish a large damaged blob", async () => {
      const bytes = Buffer.alloc(250_000, 4);
      const name = hash("sha256", bytes);
      await server.blobs.put(name, bytes);
      bytes[249_999] = 5;
      await writeFile(join(server.dir, name), bytes);
      const reply = await server.raw(`GET /blobs/${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(reply).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(reply.length).to.be.lessThan(250_000);
      // Other tests' clients hang up too, so the line is looked for by what it says.
      const cut = JSON.stringify({ name: "Blobs.BlobCorruptError" });
      await until(() => server.lines.some((line) => line.event === "http.cut" && JSON.stringify(line.error) === cut));
    });
  });

  describe("POST /grants", () => {
    const post = (body: string | Uint8Array, headers: Record<string, string> = json) =>
      server.send("POST", "/grants", { headers, body });

    for (const [body, fact] of [
      ["", "is not UTF-8 JSON"],
      ["{", "is not UTF-8 JSON"],
      ["{'a':1}", "is not UTF-8 JSON"],
      ['{"a":1}x', "is not UTF-8 JSON"],
      [Buffer.from([0x22, 0xff, 0x22]), "is not UTF-8 JSON"],
      [`${"[".repeat(17)}${"]".repeat(17)}`, "is nested deeper than 16 levels"],
      [`${"[".repeat(30_000)}${"]".repeat(30_000)}`, "is nested deeper than 16 levels"],
      [`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, "is nested deeper than 16 levels"],
    ] as const) {
      it(`refuses malformed JSON: ${body.toString().slice(0, 10)}`, async () => {
        expectProblem(await post(body), 400, "Bad Request", new BadJsonError(fact));
      });
    }

    for (const type of [
      undefined,
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
    ]) {
      it(`refuses the content type ${type}`, async () => {
        const answer = await post(JSON.stringify(grantPackage), type === undefined ? {} : { "Content-Type": type });
        expectProblem(answer, 415, "Unsupported Media Type", new MediaTypeError());
      });
    }

    it("refuses a compressed body", async () => {
      const answer = await post("{}", { ...json, "Content-Encoding": "gzip" });
      expectProblem(answer, 415, "Unsupported Media Type", new ContentEncodingError());
    });

    const brackets = "[".repeat(20);
    for (const [what, body, detail] of [
      ["an unknown field", { ...grantPackage, admin: true }, '✖ Unrecognized key: "admin"'],
      [
        "brackets in a string, which are not nesting",
        { ...grantPackage, [brackets]: `"\\"${brackets}` },
        `✖ Unrecognized key: "${brackets}"`,
      ],
      [
        "an unknown field inside",
        { ...grantPackage, grant: { ...grant, free: 1 } },
        '✖ Unrecognized key: "free"\n  → at grant',
      ],
      [
        "a missing field",
        { grant, sealedKey: grantPackage.sealedKey, sealedKeySignature: grantPackage.sealedKeySignature },
        "✖ Invalid input: expected string, received undefined\n  → at signature",
      ],
      ["no object", 1, "✖ Invalid input: expected object, received number"],
      ["null", null, "✖ Invalid input: expected object, received null"],
      [
        "a number where digits belong",
        { ...grantPackage, grant: { ...grant, price: 1 } },
        "✖ Invalid input: expected string, received number\n  → at grant.price",
      ],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const answer = await post(JSON.stringify(body));
        expectProblem(answer, 422, "Unprocessable Entity", new BadBodyError(detail));
      });
    }

    it("refuses a __proto__ field and changes nothing", async () => {
      const body = JSON.stringify(grantPackage).replace("{", '{"__proto__":{"polluted":true},');
      const answer = await post(body);
      expect(answer.status).to.equal(422);
      expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
    });

    it("answers the errors of the worker by name, 422 or 503", async () => {
      for (const [retryable, status, title] of [
        [false, 422, "Unprocessable Entity"],
        [true, 503, "Service Unavailable"],
      ] as const) {
        const refusal = new RefusedError(retryable);
        const refusing = await startTestServer({ api: { acceptGrant: async () => Promise.reject(refusal) } });
        const answer = await refusing.send("POST", "/grants", { headers: json, body: JSON.stringify(grantPackage) });
        expectProblem(answer, status, title, refusal);
        expect(answer.headers["retry-after"]).to.equal(retryable ? "5" : undefined);
        await refusing.close();
      }
    });
  });

  describe("keeps to itself", () => {
    it("the message of an unknown error; its log has the place and the id", async () => {
      const secret = "canary-4711";
      const failing = await startTestServer({
        api: {
          enclave: async () => Promise.reject(new RangeError(`key=${secret}`, { cause: new Error(secret) })),
          job: async () => Promise.reject(secret),
        },
      });
      for (const path of ["/enclave", `/jobs/${settledJob}`]) {
        const answer = await failing.send("GET", path);
        expectProblem(answer, 500, "Internal Server Error", new InternalError());
        expect(JSON.stringify(answer.headers)).not.to.contain(secret);
        const line = failing.lines.find((entry) => entry.requestId === answer.headers["x-request-id"]);
        expect(line?.event).to.equal("http.error");
      }
      const [first] = failing.lines as { error: { name: string; cause: string; at: string } }[];
      expect(first?.error.name).to.equal("RangeError");
      expect(first?.error.at).to.match(/^app\.test\.ts:\d+:\d+ routes\.ts:\d+:\d+ /);
      expect(JSON.stringify(failing.lines)).not.to.contain(secret);
      await failing.close();
    });

    it("everything of a request but its route, status, times and sizes", async () => {
      const canary = "5".repeat(64);
      server.lines.length = 0;
      const body = JSON.stringify({ ...grantPackage, signature: `0x${canary}` });
      await server.send("POST", "/grants", { headers: { ...json, Authorization: canary, Cookie: canary }, body });
      await server.send("GET", `/attestation?nonce=0x${canary}`);
      await server.send("GET", `/jobs/0x${canary}`);
      await server.send("GET", `/${canary}?a=${canary}`);
      await until(() => server.lines.length === 4);
      expect(JSON.stringify(server.lines)).not.to.contain(canary.slice(0, 8));
      const [first] = server.lines;
      expect(Object.keys(first ?? {})).to.deep.equal([
        "level",
        "time",
        "requestId",
        "method",
        "route",
        "status",
        "ms",
        "bytes",
        "event",
      ]);
      expect(server.lines.map((line) => [line.method, line.route, line.status])).to.deep.equal([
        ["POST", "/grants", 200],
        ["GET", "/attestation", 200],
        ["GET", "/jobs/:id", 200],
        ["GET", "none", 404],
      ]);
    });

    it("a program bundle unchanged: what is stored is what was sent", async () => {
      expect((await readFile(join(server.dir, blobName))).equals(blob)).to.equal(true);
    });
  });
});

class RefusedError extends BaseError {
  override readonly name = "Test.RefusedError";
  constructor(retryable: boolean) {
    super("The grant was revoked.", { hint: "Sign a new one.", retryable });
  }
}
