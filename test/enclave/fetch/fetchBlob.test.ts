import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import type { Hex } from "viem";
import { BlobCorruptError, BlobMissingError, type BlobStore, openBlobStore } from "../../../enclave/blobs/blobStore.ts";
import { openSpool, type Spool, SpoolFullError } from "../../../enclave/blobs/spool.ts";
import {
  createFetchBlob,
  createFetchCiphertext,
  FetchAbortedError,
  type FetchBlob,
  FetchFailedError,
  FetchMismatchError,
  FetchTimeoutError,
  FetchTooLargeError,
} from "../../../enclave/fetch/fetchBlob.ts";
import {
  BadStatusError,
  BadUriError,
  EncodedBodyError,
  PrivateAddressError,
  TooManyRedirectsError,
} from "../../../enclave/fetch/httpGet.ts";
import { failureOf } from "../../support/failureOf.ts";
import { selfSignedCertificate } from "../../support/selfSignedCertificate.ts";

const content = Buffer.from("ciphertext of a data set");
const contentHash: Hex = `0x${hash("sha256", content)}`;
const maxBytes = 100_000;
const limits = { maxBytes, timeoutMs: 5_000 };

/** Plays a public host on this machine: reads as a public address when checked, as loopback when connected to. */
function publicHost(): { address: string; family: number } {
  let reads = 0;
  return {
    family: 4,
    get address(): string {
      return reads++ === 0 ? "93.184.215.14" : "127.0.0.1";
    },
  };
}

describe("createFetchBlob", () => {
  let dir: string;
  let blobs: BlobStore;
  let fetchBlob: FetchBlob;
  const servers = new Set<{ close(): unknown; closeAllConnections?(): void }>();

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-fetch-"));
    blobs = await openBlobStore({ dir, maxBlobBytes: 1_000_000, maxTotalBytes: 10_000_000 });
    fetchBlob = createFetchBlob({ blobs, allowHttp: true, allowPrivateAddresses: true });
  });
  after(() => rm(dir, { recursive: true }));
  afterEach(() => {
    for (const server of servers) {
      server.closeAllConnections?.();
      server.close();
    }
    servers.clear();
  });

  async function listen<S extends Server | TcpServer>(server: S): Promise<number> {
    servers.add(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  async function serve(listener: RequestListener): Promise<string> {
    return `http://127.0.0.1:${await listen(createServer(listener))}`;
  }

  /** A server that sends these bytes, whatever is asked, and then does nothing. */
  async function serveRaw(response: string, end: boolean): Promise<string> {
    const sockets = new Set<{ destroy(): void }>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("data", () => (end ? socket.end(response) : socket.write(response)));
    });
    const port = await listen(server);
    servers.add({ close: () => sockets.forEach((socket) => void socket.destroy()) });
    return `http://127.0.0.1:${port}`;
  }

  describe("over HTTP", () => {
    it("returns the bytes and sends nothing but the question", async () => {
      const seen: unknown[] = [];
      const origin = await serve((request, response) => {
        seen.push([request.method, request.url, request.headers]);
        response.setHeader("Set-Cookie", "a=b").end(content);
      });
      for (let count = 0; count < 2; count++) {
        const bytes = await fetchBlob(`${origin}/a.age?x=1#part`, { ...limits, sha256: contentHash });
        expect(Buffer.from(bytes).equals(content)).to.equal(true);
      }
      const headers = {
        accept: "*/*",
        "accept-encoding": "identity",
        "user-agent": "data-collab-market",
        host: origin.slice(7),
        connection: "close",
      };
      expect(seen).to.deep.equal([
        ["GET", "/a.age?x=1", headers],
        ["GET", "/a.age?x=1", headers],
      ]);
    });

    it("takes exactly the limit, and a chunked body of single bytes", async () => {
      const body = Buffer.alloc(maxBytes, 1);
      const origin = await serve((_request, response) => {
        for (const byte of body.subarray(0, 500)) response.write(Buffer.of(byte));
        response.end(body.subarray(500));
      });
      expect(Buffer.compare(await fetchBlob(origin, limits), body)).to.equal(0);
    });

    it("throws FetchTooLargeError on what Content-Length says", async () => {
      const origin = await serve((_request, response) => {
        response.writeHead(200, { "Content-Length": maxBytes + 1 }).flushHeaders();
      });
      expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(new FetchTooLargeError(origin, maxBytes));
    });

    it("throws FetchTooLargeError on an endless body without Content-Length, and hangs up", async () => {
      let hungUp: () => void = () => undefined;
      const closed = new Promise<void>((resolve) => {
        hungUp = resolve;
      });
      const origin = await serve((_request, response) => {
        const more = (): boolean => response.write(Buffer.alloc(50_000));
        response.on("drain", more).on("close", hungUp);
        more();
        more();
      });
      expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(new FetchTooLargeError(origin, maxBytes));
      await closed;
    });

    it("throws FetchMismatchError on other bytes", async () => {
      const origin = await serve((_request, response) => void response.end("other"));
      const actual = `0x${hash("sha256", "other")}`;
      expect(await failureOf(fetchBlob(origin, { ...limits, sha256: contentHash }))).to.deep.equal(
        new FetchMismatchError(origin, contentHash, actual),
      );
    });

    it("throws FetchTimeoutError when the server never answers", async () => {
      const origin = await serve(() => undefined);
      const startedMs = performance.now();
      const failure = await failureOf(fetchBlob(origin, { maxBytes, timeoutMs: 200 }));
      expect(failure).to.deep.equal(new FetchTimeoutError(origin, 200, undefined));
      expect(performance.now() - startedMs).to.be.lessThan(2_000);
    });

    it("throws FetchTimeoutError when the body drips", async () => {
      const origin = await serve((_request, response) => {
        const timer = setInterval(() => response.write("."), 20);
        response.on("close", () => clearInterval(timer));
      });
      const failure = await failureOf(fetchBlob(origin, { maxBytes, timeoutMs: 300 }));
      expect(failure).to.deep.equal(new FetchTimeoutError(origin, 300, undefined));
    });

    it("throws FetchTimeoutError when the header drips", async () => {
      const origin = await serveRaw("HTTP/1.1 200 OK\r\nX-Slow: a", false);
      const failure = await failureOf(fetchBlob(origin, { maxBytes, timeoutMs: 200 }));
      expect(failure).to.deep.equal(new FetchTimeoutError(origin, 200, undefined));
    });

    it("throws FetchTimeoutError when the resolver hangs", async () => {
      const stuck = createFetchBlob({
        blobs,
        allowHttp: true,
        allowPrivateAddresses: false,
        resolve: () => new Promise(() => undefined),
      });
      const keepAlive = setTimeout(() => undefined, 5_000);
      const failure = await failureOf(stuck("http://stuck.example/", { maxBytes, timeoutMs: 100 }));
      clearTimeout(keepAlive);
      expect(failure).to.deep.equal(new FetchTimeoutError("http://stuck.example", 100, undefined));
    });

    it("throws FetchAbortedError when the caller gives up, before or meanwhile", async () => {
      const origin = await serve(() => undefined);
      const expected = new FetchAbortedError(origin, undefined);
      expect(await failureOf(fetchBlob(origin, { ...limits, signal: AbortSignal.abort() }))).to.deep.equal(expected);
      const aborter = new AbortController();
      setTimeout(() => aborter.abort(), 50);
      expect(await failureOf(fetchBlob(origin, { ...limits, signal: aborter.signal }))).to.deep.equal(expected);
    });

    for (const status of [201, 204, 206, 304, 403, 404, 410, 500, 503]) {
      it(`throws BadStatusError on ${status}`, async () => {
        const origin = await serve((_request, response) => void response.writeHead(status).end());
        const failure = await failureOf(fetchBlob(`${origin}/secret?token=1`, limits));
        expect(failure).to.deep.equal(new BadStatusError(origin, status));
        expect((failure as BadStatusError).retryable).to.equal(status >= 500);
      });
    }

    it("throws BadStatusError when the server wants another protocol", async () => {
      const origin = await serveRaw("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", false);
      expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(new BadStatusError(origin, 101));
    });

    it("throws EncodedBodyError on a gzip bomb, without unpacking it", async () => {
      const bomb = gzipSync(Buffer.alloc(20_000_000));
      for (const header of [{ "Content-Encoding": "gzip" }, { "Transfer-Encoding": "gzip, chunked" }]) {
        const origin = await serve((_request, response) => void response.writeHead(200, header).end(bomb));
        expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(new EncodedBodyError(origin));
      }
    });

    it("throws FetchFailedError when the body is cut off, the header is huge, or it is no HTTP", async () => {
      const cases = {
        ECONNRESET: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        HPE_HEADER_OVERFLOW: `HTTP/1.1 200 OK\r\nX-Large: ${"a".repeat(20_000)}\r\n\r\n`,
        HPE_INVALID_CONSTANT: "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      };
      for (const [code, response] of Object.entries(cases)) {
        const origin = await serveRaw(response, true);
        const failure = await failureOf(fetchBlob(origin, limits));
        expect(failure).to.be.instanceOf(FetchFailedError);
        expect(failure.message).to.equal(`${origin} could not be read (${code}).`);
      }
    });

    it("does not accept a certificate that nobody vouches for, whatever the environment says", async () => {
      const server = createTlsServer(selfSignedCertificate(), (_request, response) => void response.end(content));
      const port = await listen(server);
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
      try {
        const failure = await failureOf(fetchBlob(`https://127.0.0.1:${port}/`, limits));
        expect(failure.message).to.equal(`https://127.0.0.1:${port} could not be read (DEPTH_ZERO_SELF_SIGNED_CERT).`);
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      }
    });
  });

  describe("given redirects", () => {
    it("follows three, relative ones too", async () => {
      const origin = await serve((request, response) => {
        const step = Number(request.url?.slice(1));
        if (step === 3) response.end(content);
        else response.writeHead(302, { Location: `/${step + 1}` }).end("elsewhere");
      });
      expect(Buffer.from(await fetchBlob(`${origin}/0`, limits)).equals(content)).to.equal(true);
    });

    it("throws TooManyRedirectsError on a loop", async () => {
      let asked = 0;
      const origin = await serve((_request, response) => {
        asked++;
        response.writeHead(301, { Location: "/again" }).end();
      });
      expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(new TooManyRedirectsError(origin));
      expect(asked).to.equal(4);
    });

    for (const [location, expected] of [
      ["file:///etc/passwd", new BadUriError("has the scheme file:")],
      [`blob:${"0".repeat(64)}`, new BadUriError("has the scheme blob:")],
      ["http://user:pass@127.0.0.1/", new BadUriError("carries a user name or password")],
      ["http://[", new BadUriError("cannot be parsed")],
      [`/${"a".repeat(3_000)}`, new BadUriError("is longer than 2048 characters")],
    ] as const) {
      it(`throws BadUriError on one to ${location.slice(0, 30)}`, async () => {
        const origin = await serve((_request, response) => void response.writeHead(302, { Location: location }).end());
        expect(await failureOf(fetchBlob(origin, limits))).to.deep.equal(expected);
      });
    }

    it("throws PrivateAddressError on one to a private address", async () => {
      let inside = 0;
      const secret = await serve((_request, response) => void response.end(String(inside++)));
      const outside = await serve((_request, response) => void response.writeHead(302, { Location: secret }).end());
      const port = new URL(outside).port;
      const strict = createFetchBlob({
        blobs,
        allowHttp: true,
        allowPrivateAddresses: false,
        resolve: async () => [publicHost()],
      });
      const failure = await failureOf(strict(`http://public.example:${port}/`, limits));
      expect(failure).to.deep.equal(new PrivateAddressError(secret));
      expect(inside).to.equal(0);
    });
  });

  describe("given addresses that are not public", () => {
    const strict = () => createFetchBlob({ blobs, allowHttp: true, allowPrivateAddresses: false });

    for (const [uri, origin] of [
      ["http://127.0.0.1:1/", "http://127.0.0.1:1"],
      ["https://127.1/", "https://127.0.0.1"],
      ["https://0x7f.1/", "https://127.0.0.1"],
      ["https://2130706433/", "https://127.0.0.1"],
      ["https://017700000001/", "https://127.0.0.1"],
      ["https://[::1]/", "https://[::1]"],
      ["https://[::ffff:10.0.0.1]/", "https://[::ffff:a00:1]"],
      ["http://169.254.169.254/latest/meta-data/", "http://169.254.169.254"],
    ] as const) {
      it(`throws PrivateAddressError for ${uri}`, async () => {
        expect(await failureOf(strict()(uri, limits))).to.deep.equal(new PrivateAddressError(origin));
      });
    }

    it("throws PrivateAddressError for a real name that resolves to loopback, and does not connect", async () => {
      let asked = 0;
      const origin = await serve((_request, response) => void response.end(String(asked++)));
      const port = new URL(origin).port;
      const failure = await failureOf(strict()(`http://localhost:${port}/`, limits));
      expect(failure).to.deep.equal(new PrivateAddressError(`http://localhost:${port}`));
      expect(asked).to.equal(0);
    });

    it("throws PrivateAddressError if any of a name's addresses is private", async () => {
      const mixed = createFetchBlob({
        blobs,
        allowHttp: false,
        allowPrivateAddresses: false,
        resolve: async () => [
          { address: "93.184.215.14", family: 4 },
          { address: "10.0.0.1", family: 4 },
        ],
      });
      expect(await failureOf(mixed("https://mixed.example/", limits))).to.deep.equal(
        new PrivateAddressError("https://mixed.example"),
      );
    });

    it("resolves a name once per connection, and checks it again after a redirect", async () => {
      const origin = await serve((request, response) => {
        if (request.url === "/direct") response.end(content);
        else response.writeHead(302, { Location: "/direct" }).end();
      });
      const { port } = new URL(origin);
      let resolved = 0;
      const rebinding = createFetchBlob({
        blobs,
        allowHttp: true,
        allowPrivateAddresses: false,
        resolve: async () => [resolved++ === 0 ? publicHost() : { address: "10.0.0.1", family: 4 }],
      });
      const uri = `http://rebind.example:${port}`;
      expect(Buffer.from(await rebinding(`${uri}/direct`, limits)).equals(content)).to.equal(true);
      expect(resolved).to.equal(1);
      resolved = 0;
      expect(await failureOf(rebinding(`${uri}/redirect`, limits))).to.deep.equal(new PrivateAddressError(uri));
      expect(resolved).to.equal(2);
    });

    it("throws FetchFailedError for a name without addresses", async () => {
      const nowhere = createFetchBlob({
        blobs,
        allowHttp: false,
        allowPrivateAddresses: false,
        resolve: async () => Promise.reject(Object.assign(new Error("no such host"), { code: "ENOTFOUND" })),
      });
      const failure = await failureOf(nowhere("https://nowhere.example/", limits));
      expect(failure).to.be.instanceOf(FetchFailedError);
      expect(failure.message).to.equal("https://nowhere.example could not be read (ENOTFOUND).");
    });
  });

  describe("given URIs", () => {
    for (const [uri, fact] of [
      ["", "cannot be parsed"],
      ["a.age", "cannot be parsed"],
      ["https://", "cannot be parsed"],
      ["file:///etc/passwd", "has the scheme file:"],
      ["data:text/plain,hello", "has the scheme data:"],
      ["ftp://example.org/a", "has the scheme ftp:"],
      ["ipfs://bafy", "has the scheme ipfs:"],
      [`${"x".repeat(100)}:a`, `has the scheme ${"x".repeat(20)}`],
      ["https://user:pass@example.org/", "carries a user name or password"],
      ["https://user@example.org/", "carries a user name or password"],
      [`https://example.org/${"a".repeat(2_048)}`, "is longer than 2048 characters"],
    ] as const) {
      it(`throws BadUriError: ${uri.slice(0, 30)} ${fact.slice(0, 30)}`, async () => {
        expect(await failureOf(fetchBlob(uri, limits))).to.deep.equal(new BadUriError(fact));
      });
    }

    it("throws BadUriError for http: unless it is allowed", async () => {
      const httpsOnly = createFetchBlob({ blobs, allowHttp: false, allowPrivateAddresses: true });
      expect(await failureOf(httpsOnly("http://127.0.0.1/", limits))).to.deep.equal(
        new BadUriError("has the scheme http:"),
      );
    });
  });

  describe("createFetchCiphertext", () => {
    let spool: Spool;
    const fetchCiphertext = (uri: string, options: { maxBytes?: number; sha256?: Hex } = {}) =>
      createFetchCiphertext({ blobs, spool, allowHttp: true, allowPrivateAddresses: true })(uri, {
        ...limits,
        sha256: contentHash,
        ...options,
      });
    beforeEach(async () => {
      spool = await openSpool({ dir: join(dir, "spool"), maxTotalBytes: 150_000, maxMemoryBytes: 10 });
    });
    const collect = async (ciphertext: { read(): AsyncIterable<Uint8Array> }) =>
      Buffer.concat(await Array.fromAsync(ciphertext.read(), (piece) => Buffer.from(piece)));

    it("keeps what HTTP delivers in the spool until it is released", async () => {
      const origin = await serve((_request, response) => void response.end(content));
      const ciphertext = await fetchCiphertext(origin);
      expect([ciphertext.sizeBytes, spool.usedBytes()]).to.deep.equal([content.length, maxBytes]);
      for (let count = 0; count < 2; count++) expect(await collect(ciphertext)).to.deep.equal(content);
      await ciphertext.release();
      expect(spool.usedBytes()).to.equal(0);
    });

    it("throws FetchMismatchError or FetchTooLargeError, and leaves nothing", async () => {
      const origin = await serve((_request, response) => void response.end("other"));
      const actual = `0x${hash("sha256", "other")}`;
      expect(await failureOf(fetchCiphertext(origin))).to.deep.equal(
        new FetchMismatchError(origin, contentHash, actual),
      );
      expect(await failureOf(fetchCiphertext(origin, { maxBytes: 4 }))).to.deep.equal(
        new FetchTooLargeError(origin, 4),
      );
      expect(spool.usedBytes()).to.equal(0);
    });

    it("throws SpoolFullError, and hangs up, when there is no room", async () => {
      let hungUp: () => void = () => undefined;
      const closed = new Promise<void>((resolve) => {
        hungUp = resolve;
      });
      const origin = await serve((_request, response) => void response.on("close", hungUp).write("a"));
      const held = await spool.take((async function* () {})(), maxBytes, () => new RangeError());
      expect(await failureOf(fetchCiphertext(origin))).to.deep.equal(new SpoolFullError(150_000));
      await closed;
      await held.release();
    });

    it("reads a stored blob where it lies", async () => {
      const name = hash("sha256", content);
      await blobs.put(name, content);
      const ciphertext = await fetchCiphertext(`blob:${name}`);
      expect([ciphertext.sizeBytes, spool.usedBytes()]).to.deep.equal([content.length, 0]);
      expect(await collect(ciphertext)).to.deep.equal(content);
      expect(await collect(ciphertext)).to.deep.equal(content);
      await ciphertext.release();
    });

    it("throws BlobCorruptError if a stored blob is, or becomes, another, and FetchMismatchError for a wrong name", async () => {
      const name = hash("sha256", content);
      await blobs.put(name, content);
      const ciphertext = await fetchCiphertext(`blob:${name}`);
      const other: Hex = `0x${"12".repeat(32)}`;
      expect(await failureOf(fetchCiphertext(`blob:${name}`, { sha256: other }))).to.deep.equal(
        new FetchMismatchError(`blob:${name}`, other, `0x${name}`),
      );
      await writeFile(join(dir, name), Buffer.alloc(content.length));
      expect(await failureOf(collect(ciphertext))).to.deep.equal(new BlobCorruptError(name));
      expect(await failureOf(collect(ciphertext))).to.deep.equal(new BlobMissingError(name));
      expect(await failureOf(fetchCiphertext(`blob:${name}`))).to.deep.equal(new BlobMissingError(name));
    });
  });

  describe("from the worker's own store", () => {
    it("returns the blob", async () => {
      const name = contentHash.slice(2);
      await blobs.put(name, content);
      const bytes = await fetchBlob(`blob:${name}`, { ...limits, sha256: contentHash });
      expect(Buffer.from(bytes).equals(content)).to.equal(true);
    });

    it("throws FetchTooLargeError, FetchMismatchError, BlobMissingError, BadBlobNameError", async () => {
      const name = contentHash.slice(2);
      await blobs.put(name, content);
      const uri = `blob:${name}`;
      const other: Hex = `0x${"1".repeat(64)}`;
      expect(await failureOf(fetchBlob(uri, { ...limits, maxBytes: content.length - 1 }))).to.deep.equal(
        new FetchTooLargeError(uri, content.length - 1),
      );
      expect(await failureOf(fetchBlob(uri, { ...limits, sha256: other }))).to.deep.equal(
        new FetchMismatchError(uri, other, contentHash),
      );
      expect(await failureOf(fetchBlob(`blob:${other.slice(2)}`, limits))).to.deep.equal(
        new BlobMissingError(other.slice(2)),
      );
      expect((await failureOf(fetchBlob("blob:../../etc/passwd", limits))).name).to.equal("Blobs.BadBlobNameError");
    });
  });
});
