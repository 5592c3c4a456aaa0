import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DstackClient } from "@phala/dstack-sdk";
import { expect } from "chai";
import { CannotListenError, type Simulator, SocketInUseError, startSimulator } from "../../simulator/startSimulator.ts";
import { appCompose, seed } from "./vectors.ts";

describe("the guest agent's server", () => {
  let simulator: Simulator;
  before(async () => {
    simulator = await startSimulator({ appCompose, seed });
  });
  afterEach("it lives on", async () => {
    expect((await new DstackClient(simulator.endpoint).version()).version).to.equal("0.5.8");
  });
  after(() => simulator.close());

  async function call(path: string, init?: RequestInit) {
    const response = await fetch(simulator.endpoint + path, init);
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>) => call(path, { method: "POST", body });

  /** Sends raw bytes and reads to the end of the connection. */
  async function raw(...parts: (string | Uint8Array)[]): Promise<string> {
    const socket = connect(Number(new URL(simulator.endpoint).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => {}); // a reset shows as an answer that is missing
    for (const part of parts) socket.write(part);
    await once(socket, "close");
    return answer;
  }

  it("answers GET with a query as POST with JSON", async () => {
    const got = await call("/GetQuote?report_data=ab");
    const posted = await post("/GetQuote", '{"report_data":"ab"}');
    expect(got.status).to.equal(200);
    expect(got).to.deep.equal(posted);
    expect((await call("/GetKey?path=a")).body).to.deep.equal((await post("/GetKey", '{"path":"a"}')).body);
  });

  it("answers in ASCII, with the length in bytes", async () => {
    const umbrella = await startSimulator({
      appCompose: JSON.stringify({ ...JSON.parse(appCompose), name: "☂\u007f" }),
    });
    const response = await fetch(`${umbrella.endpoint}/Info`, { method: "POST", body: "{}" });
    const bytes = new Uint8Array(await response.arrayBuffer());
    await umbrella.close();
    expect(Number(response.headers.get("content-length"))).to.equal(bytes.length);
    expect(bytes.filter((byte) => byte >= 0x7f).length).to.equal(0);
    expect(JSON.parse(new TextDecoder().decode(bytes)).app_name).to.equal("☂\u007f");
  });

  describe("refuses with 400 and the reason", () => {
    const malformed = "The request is malformed: ";
    const hint = " Bytes are hex without 0x; fields that are not simulated are refused.";
    const http = (detail: string) =>
      `The HTTP request is refused: ${detail}. Use @phala/dstack-sdk, or POST JSON to /<Method>.`;
    const tooLong = "00".repeat(65);
    const cases: readonly (readonly [string, string, string, string])[] = [
      ["no JSON", "/Info", "{", http("the body is not JSON")],
      ["an empty body", "/EmitEvent", "", http("the body is not JSON")],
      ["JSON null", "/Info", "null", `${malformed}✖ Invalid input: expected object, received null${hint}`],
      ["an unknown field", "/Info", '{"a":1}', `${malformed}✖ Unrecognized key: "a"${hint}`],
      [
        "hex with 0x",
        "/GetQuote",
        '{"report_data":"0x00"}',
        `${malformed}✖ must be whole bytes of hex without 0x\n  → at report_data${hint}`,
      ],
      [
        "half a byte",
        "/GetQuote",
        '{"report_data":"abc"}',
        `${malformed}✖ must be whole bytes of hex without 0x\n  → at report_data${hint}`,
      ],
      [
        "65 bytes of report data",
        "/GetQuote",
        `{"report_data":"${tooLong}"}`,
        `${malformed}✖ must be at most 64 bytes\n  → at report_data${hint}`,
      ],
      [
        "no report data",
        "/GetQuote",
        "{}",
        `${malformed}✖ Invalid input: expected string, received undefined\n  → at report_data${hint}`,
      ],
      [
        "an event without a name",
        "/EmitEvent",
        '{"event":"","payload":""}',
        `${malformed}✖ Too small: expected string to have >=1 characters\n  → at event${hint}`,
      ],
      [
        "a name that is too long",
        "/EmitEvent",
        `{"event":"${"e".repeat(257)}","payload":""}`,
        `${malformed}✖ Too big: expected string to have <=256 characters\n  → at event${hint}`,
      ],
      [
        "a path of malformed Unicode",
        "/GetKey",
        '{"path":"\\ud800"}',
        `${malformed}✖ must be well-formed Unicode\n  → at path${hint}`,
      ],
      [
        "RA-TLS",
        "/GetTlsKey",
        '{"usage_ra_tls":true}',
        `${malformed}✖ RA-TLS is not simulated\n  → at usage_ra_tls${hint}`,
      ],
      [
        "an alternative name that is no DNS name",
        "/GetTlsKey",
        '{"alt_names":["a b"]}',
        `${malformed}✖ must be a DNS name\n  → at alt_names[0]${hint}`,
      ],
      [
        "an unknown algorithm",
        "/GetKey",
        '{"algorithm":"rsa"}',
        `${malformed}✖ Invalid option: expected one of ""|"secp256k1"|"k256"|"ed25519"\n  → at algorithm${hint}`,
      ],
      [
        "a digest of another size",
        "/Sign",
        '{"algorithm":"secp256k1_prehashed","data":"00"}',
        `${malformed}a digest has 32 bytes, not 1${hint}`,
      ],
      [
        "a public key off the curve",
        "/Verify",
        `{"algorithm":"secp256k1","data":"","signature":"${"01".repeat(64)}","public_key":"02${"ff".repeat(32)}"}`,
        `${malformed}the public key is no point of the curve${hint}`,
      ],
      [
        "a signature of another size",
        "/Verify",
        '{"algorithm":"ed25519","data":"","signature":"00","public_key":""}',
        `${malformed}a signature has 64 bytes, not 1${hint}`,
      ],
      [
        "a method by an object's own name",
        "/constructor",
        "{}",
        'There is no method "constructor" here. Simulated: GetKey, GetQuote, Info, GetTlsKey, Sign, Verify, Version, EmitEvent.',
      ],
      [
        "the old path of methods",
        "/prpc/Tappd.Info",
        "{}",
        'There is no method "prpc/Tappd.Info" here. Simulated: GetKey, GetQuote, Info, GetTlsKey, Sign, Verify, Version, EmitEvent.',
      ],
      ["a body of 65,537 bytes", "/Info", " ".repeat(65_537), http("the body has more than 65536 bytes")],
    ];
    for (const [what, path, body, error] of cases) {
      it(what, async () => {
        expect(await post(path, body)).to.deep.equal({ status: 400, body: { error } });
      });
    }

    it("a body that is not UTF-8", async () => {
      const { status, body } = await post("/Info", Uint8Array.of(0x22, 0xff, 0x22));
      expect([status, body.error]).to.deep.equal([400, http("the body is not JSON")]);
    });

    it("another HTTP method", async () => {
      const { status, body } = await call("/Info", { method: "PUT", body: "{}" });
      expect([status, body.error]).to.deep.equal([400, http("use POST with JSON, or GET with a query")]);
    });

    it("a web page, across origins or by DNS rebinding", async () => {
      const foreign = http("it comes from a web page or under a foreign host name");
      const crossOrigin = await raw(
        "POST /GetKey HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
      );
      const rebound = await raw("GET /GetKey?path=a HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n");
      for (const answer of [crossOrigin, rebound]) {
        expect(answer.split("\r\n")[0]).to.equal("HTTP/1.1 400 Bad Request");
        expect(answer.endsWith(`\r\n\r\n${JSON.stringify({ error: foreign })}`)).to.equal(true);
      }
    });

    it("a URL that is none", async () => {
      const answer = await raw("GET // HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
      expect(answer.split("\r\n\r\n")[1]).to.equal('{"error":"The request could not be answered."}');
    });

    it("what is no HTTP", async () => {
      const answers = [
        await raw(
          Uint8Array.from({ length: 64 }, (_, index) => (index * 37) % 256),
          "\r\n\r\n",
        ),
        await raw("POST /Info HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: two\r\n\r\n{}"),
        await raw(`GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
      ];
      for (const answer of answers) {
        expect(answer.split("\r\n")[0]).to.equal("HTTP/1.1 400 Bad Request");
        expect(answer.split("\r\n\r\n")[1]).to.equal('{"error":"This is not an HTTP request."}');
      }
    });
  });

  it("cuts off a body of more than 4 MiB", async () => {
    const failure = await new Promise<string>((resolve) => {
      const request = httpRequest(`${simulator.endpoint}/Info`, { method: "POST" });
      request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      request.on("response", (response) => resolve(`status ${response.statusCode}`));
      const chunk = Buffer.alloc(1 << 20, 0x20);
      const pump = (error?: Error | null) => {
        if (!error) request.write(chunk, pump);
      };
      pump();
    });
    expect(failure).to.be.oneOf(["ECONNRESET", "EPIPE"]);
  });

  it("does not mind a caller who leaves in the middle", async () => {
    const socket = connect(Number(new URL(simulator.endpoint).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("POST /Info HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{");
    socket.destroy();
    await once(socket, "close");
  });

  it("answers a hundred calls at once", async () => {
    const client = new DstackClient(simulator.endpoint);
    const quotes = await Promise.all(Array.from({ length: 100 }, (_, index) => client.getQuote(Buffer.of(index))));
    expect(new Set(quotes.map((answer) => answer.quote)).size).to.equal(100);
  });
});

describe("startSimulator", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dcm-sim-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const failureOf = (socketPath: string): Promise<unknown> =>
    startSimulator({ appCompose, socketPath }).then(
      async (simulator) => simulator.close(),
      (error: unknown) => error,
    );

  it("listens on both a socket and a port, and leaves neither behind", async () => {
    const socketPath = join(folder, "s.sock");
    const simulator = await startSimulator({ appCompose, socketPath, port: 0 });
    const rootOf = async (endpoint: string) => (await new DstackClient(endpoint).getQuote("")).quote;
    expect(simulator.endpoint).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await rootOf(socketPath)).to.equal(await rootOf(simulator.endpoint));
    await simulator.close();
    expect(() => new DstackClient(socketPath)).to.throw(`Unix socket file ${socketPath} does not exist`);
    expect(await new DstackClient(simulator.endpoint).isReachable()).to.equal(false);
  });

  it("takes over the socket of a killed process, but not a live one or a file", async () => {
    const live = join(folder, "live.sock");
    const other = createServer().listen(live);
    await once(other, "listening");
    const inUse = await failureOf(live);
    expect(inUse).to.be.instanceOf(SocketInUseError);
    expect((inUse as Error).message).to.equal(`${live} is in use, or is no socket.`);
    expect(other.listening).to.equal(true);

    const file = join(folder, "file");
    await writeFile(file, "precious");
    expect(await failureOf(file)).to.be.instanceOf(SocketInUseError);
    const link = join(folder, "link");
    await symlink(live, link);
    expect(await failureOf(link)).to.be.instanceOf(SocketInUseError);
    other.close();
  });

  it("says where it cannot listen", async () => {
    const missing = join(folder, "none", "s.sock");
    const error = await failureOf(missing);
    expect(error).to.be.instanceOf(CannotListenError);
    expect((error as Error).message).to.equal(`Cannot listen on ${missing}.`);

    const first = await startSimulator({ appCompose });
    const port = Number(new URL(first.endpoint).port);
    const taken = await startSimulator({ appCompose, port, socketPath: join(folder, "s.sock") }).catch((e: Error) => e);
    await first.close();
    expect(taken).to.be.instanceOf(CannotListenError);
    expect((taken as Error).message).to.equal(`Cannot listen on 127.0.0.1:${port}.`);
    expect(await failureOf(join(folder, "s.sock"))).to.equal(undefined); // the failed start left no socket
  });
});
