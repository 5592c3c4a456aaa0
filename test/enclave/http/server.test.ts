import { hash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { expect } from "chai";
import type { Hex } from "viem";
import { QuoteBusyError } from "../../../enclave/http/quoteGate.ts";
import { networkOf, TooManyRequestsError } from "../../../enclave/http/rateLimit.ts";
import {
  BadRequestError,
  HeaderTooLargeError,
  ListenError,
  RequestTimeoutError,
} from "../../../enclave/http/server.ts";
import { failureOf } from "../../support/failureOf.ts";
import {
  type Answer,
  attestationOf,
  expectProblem,
  startTestServer,
  type TestOptions,
  type TestServer,
  until,
} from "./testServer.ts";

/** Reads one raw answer that ends with the connection. */
function parse(reply: string): Answer {
  const [head = "", body = ""] = reply.split("\r\n\r\n");
  const [statusLine = "", ...fields] = head.split("\r\n");
  const headers = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 2)]),
  );
  return { status: Number(statusLine.split(" ")[1]), headers, body: Buffer.from(body) };
}

function nonceOf(byte: number): Hex {
  return `0x${byte.toString(16).padStart(2, "0").repeat(32)}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Something that a test lets go on when it wants. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe("startServer", () => {
  let server: TestServer;
  const start = async (options: TestOptions = {}) => {
    server = await startTestServer(options);
    return server;
  };
  afterEach(() => server.close());

  describe("given slow or broken clients", () => {
    it("ends a header that drips with 408", async () => {
      await start({ server: { headersTimeoutMs: 300 } });
      const startedMs = performance.now();
      const answer = parse(await server.raw("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "));
      expectProblem(answer, 408, "Request Timeout", new RequestTimeoutError());
      expect(performance.now() - startedMs).to.be.lessThan(3_000);
      expect((await server.send("GET", "/healthz")).status).to.equal(200);
    });

    it("ends a body that drips with 408 and leaves nothing of it", async () => {
      await start({ server: { requestTimeoutMs: 500 } });
      const socket = connect(server.port, "127.0.0.1");
      let reply = "";
      socket.on("data", (chunk) => {
        reply += chunk;
      });
      socket.on("error", () => undefined);
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.write(`PUT /blobs/${"1".repeat(64)} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write("."), 20);
      await until(async () => (await readdir(server.dir)).length === 1);
      await closed;
      clearInterval(drip);
      expectProblem(parse(reply), 408, "Request Timeout", new RequestTimeoutError());
      await until(async () => (await readdir(server.dir)).length === 0);
      expect(server.blobs.usedBytes()).to.equal(0);
    });

    it("stops reading a refused endless body when the request's time is over", async () => {
      await start({ server: { requestTimeoutMs: 500 } });
      const socket = connect(server.port, "127.0.0.1");
      let reply = "";
      socket.on("data", (chunk) => {
        reply += chunk;
      });
      socket.on("error", () => undefined);
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      const drip = setInterval(() => socket.write("1\r\na\r\n"), 20);
      await closed;
      clearInterval(drip);
      expect(parse(reply).status).to.equal(413);
    });

    it("reads a refused body to its end, for clients that read no answer before they have sent it all", async () => {
      await start();
      const chunk = `186a0\r\n${"a".repeat(100_000)}\r\n`;
      const upload = (head: string) =>
        `${head}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(80)}0\r\n\r\n`;
      for (const head of [
        "GET /healthz HTTP/1.1\r\n",
        `PUT /blobs/${"1".repeat(64)} HTTP/1.1\r\n`,
        "POST /grants HTTP/1.1\r\nContent-Type: application/json\r\n",
      ]) {
        const reply = await server.raw(`${upload(head)}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        expect(reply.match(/HTTP\/1\.1 [0-9A-Za-z ]+/g), head).to.deep.equal([
          "HTTP/1.1 413 Payload Too Large",
          "HTTP/1.1 200 OK",
        ]);
      }
    });

    it("cuts a client that does not read its answer", async () => {
      await start({ server: { idleTimeoutMs: 300 } });
      const bytes = Buffer.alloc(300_000, 1);
      const name = hash("sha256", bytes);
      await server.blobs.put(name, bytes);
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      const target = `GET /blobs/${name} HTTP/1.1\r\nHost: a\r\n\r\n`;
      socket.write(target.repeat(50)); // more than the socket buffers hold
      await until(() => server.lines.some((line) => line.cutOff === true));
      socket.destroy();
    });

    it("cuts an exchange that takes too long", async () => {
      const never = gate();
      await start({
        server: { exchangeTimeoutMs: 200 },
        api: { enclave: () => never.opened.then(() => Promise.reject(new RangeError("late"))) },
      });
      const failure = await failureOf(server.send("GET", "/enclave"));
      expect("code" in failure && failure.code).to.equal("ECONNRESET");
      never.open();
    });

    it("refuses a header that is too large with 431", async () => {
      await start();
      const answer = parse(await server.raw(`GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(17_000)}\r\n\r\n`));
      expectProblem(answer, 431, "Request Header Fields Too Large", new HeaderTooLargeError());
    });

    for (const [what, bytes] of [
      ["garbage", "\x00\x01\x02\r\n\r\n"],
      ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
      ["two lengths", "POST /grants HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
      [
        "a length and chunks (request smuggling)",
        "POST /grants HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      ["a negative length", "POST /grants HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"],
      ["a header without a colon", "GET /healthz HTTP/1.1\r\nHost: a\r\nfolded\r\n\r\n"],
    ] as const) {
      it(`refuses ${what} with 400`, async () => {
        await start();
        expectProblem(parse(await server.raw(bytes)), 400, "Bad Request", new BadRequestError());
        expect((await server.send("GET", "/healthz")).status).to.equal(200);
      });
    }

    it("drops connections over the limit", async () => {
      await start({ server: { maxConnections: 2 } });
      const sockets = [1, 2].map(() => connect(server.port, "127.0.0.1"));
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
      expect(await server.raw("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).to.equal("");
      for (const socket of sockets) socket.destroy();
      await until(async () => (await server.send("GET", "/healthz").catch(() => undefined))?.status === 200);
      expect(server.lines.filter((line) => line.event === "http.connection-dropped")).not.to.deep.equal([]);
    });

    it("throws ListenError when the port is taken", async () => {
      await start();
      const failure = await failureOf(startTestServer({ server: { port: server.port } }));
      expect(failure).to.deep.equal(new ListenError("127.0.0.1", server.port, undefined));
    });
  });

  describe("limits rates", () => {
    it("answers 429 with Retry-After, whatever the route or X-Forwarded-For", async () => {
      await start({ limits: { requests: 3 } });
      for (const path of ["/healthz", "/nothing", "/healthz"]) await server.send("GET", path);
      for (const path of ["/healthz", "/nothing"]) {
        const answer = await server.send("GET", path, { headers: { "X-Forwarded-For": "198.51.100.7" } });
        expectProblem(answer, 429, "Too Many Requests", new TooManyRequestsError(3, 0));
        expect(Number(answer.headers["retry-after"])).to.be.within(55, 60);
      }
    });

    it("of fresh quotes apart from the rest", async () => {
      await start({ limits: { quotes: 2 } });
      const ask = () => server.send("GET", `/attestation?nonce=${nonceOf(1)}`);
      expect([(await ask()).status, (await ask()).status]).to.deep.equal([200, 200]);
      expectProblem(await ask(), 429, "Too Many Requests", new TooManyRequestsError(2, 0));
      expect((await server.send("GET", "/attestation")).status).to.equal(200);
    });

    it("of uploads and grants apart from the rest", async () => {
      await start({ limits: { uploads: 1 } });
      const bytes = Buffer.from("a");
      const upload = () => server.send("PUT", `/blobs/${hash("sha256", bytes)}`, { body: bytes });
      expect((await upload()).status).to.equal(201);
      expectProblem(await upload(), 429, "Too Many Requests", new TooManyRequestsError(1, 0));
      const grant = await server.send("POST", "/grants", { body: "{}" });
      expectProblem(grant, 429, "Too Many Requests", new TooManyRequestsError(1, 0));
      expect((await server.send("GET", `/blobs/${hash("sha256", bytes)}`)).status).to.equal(200);
    });

    it("by IPv4 address or IPv6 /64", async () => {
      await start();
      const networks = {
        "192.0.2.1": "192.0.2.1",
        "::ffff:192.0.2.1": "192.0.2.1",
        "::1": "0:0:0:0",
        "2001:db8::1": "2001:db8:0:0",
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2",
        "2001:db8:1:2::": "2001:db8:1:2",
        "fe80::1%eth0": "fe80:0:0:0",
        "": "0:0:0:0",
      };
      for (const [address, network] of Object.entries(networks)) expect(networkOf(address)).to.equal(network);
    });
  });

  describe("makes fresh quotes", () => {
    it("one at a time, shares those with equal nonces, refuses when too many wait, survives failures", async () => {
      const hold = gate();
      const made: number[] = [];
      let atOnce = 0;
      await start({
        api: {
          attestation: async (nonce) => {
            if (nonce === undefined) return attestationOf();
            made.push(Number.parseInt(nonce.slice(2, 4), 16));
            expect(++atOnce).to.equal(1);
            await hold.opened;
            atOnce--;
            if (nonce === nonceOf(2)) throw new RangeError("no quote");
            return attestationOf(nonce);
          },
        },
      });
      const ask = (byte: number) => server.send("GET", `/attestation?nonce=${nonceOf(byte)}`);
      const asked = [1, 1, 2, 3, 4, 5, 6, 7].map(ask);
      await until(() => made.length === 1);
      asked.push(ask(8), ask(8));
      await sleep(50); // all ten are in: eight nonces
      const refused = await ask(9);
      expectProblem(refused, 503, "Service Unavailable", new QuoteBusyError());
      expect(refused.headers["retry-after"]).to.equal("5");
      expect((await server.send("GET", "/attestation")).status).to.equal(200);
      hold.open();
      const answers = await Promise.all(asked);
      expect(answers.map((answer) => answer.status)).to.deep.equal([200, 200, 500, 200, 200, 200, 200, 200, 200, 200]);
      expect([...made].sort()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
      expect((await ask(9)).status).to.equal(200);
    });
  });

  describe("stops", () => {
    it("after the answers under way, under load, and takes no new connections", async () => {
      const bytes = Buffer.alloc(200_000, 1);
      const name = hash("sha256", bytes);
      const arrived = new Set<number>();
      const hold = gate();
      await start({
        api: {
          ready: async () => {
            arrived.add(arrived.size);
            await hold.opened;
            return { ready: true, checks: [] };
          },
        },
      });
      await server.blobs.put(name, bytes);
      const agent = new Agent({ keepAlive: true });
      const ask = (path: string) =>
        new Promise<Answer>((resolve, reject) => {
          const outgoing = request({ host: "127.0.0.1", port: server.port, path, agent }, async (response) => {
            const body = Buffer.concat(await response.toArray());
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
          });
          outgoing.on("error", reject).end();
        });
      await Promise.all(Array.from({ length: 10 }, () => ask("/healthz"))); // leaves idle connections open
      const slow = Array.from({ length: 20 }, () => ask("/readyz"));
      await until(() => arrived.size === 20);
      const stopped = server.stop(5_000);
      expect(server.stop(1)).to.equal(stopped);
      const refusal = await failureOf(server.send("GET", "/healthz"));
      expect("code" in refusal && refusal.code).to.equal("ECONNREFUSED");
      const startedMs = performance.now();
      hold.open();
      for (const answer of await Promise.all(slow)) {
        expect(answer.status).to.equal(200);
        expect(answer.headers.connection).to.equal("close");
      }
      await stopped;
      expect(performance.now() - startedMs).to.be.lessThan(2_000);
      agent.destroy();
    });

    it("at the latest when its time is over", async () => {
      await start({ api: { enclave: () => new Promise(() => undefined) } });
      const stuck = failureOf(server.send("GET", "/enclave"));
      const half = connect(server.port, "127.0.0.1"); // connected, says nothing
      await new Promise((resolve) => half.once("connect", resolve));
      await sleep(50);
      const startedMs = performance.now();
      await server.stop(200);
      expect(performance.now() - startedMs).to.be.within(150, 1_500);
      expect(await stuck).to.have.property("code", "ECONNRESET");
      half.destroy();
    });
  });
});
