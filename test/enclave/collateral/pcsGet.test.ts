/** One GET to a server of collateral that is not to be trusted. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { CollateralServerError, pcsGet } from "../../../enclave/collateral/pcsGet.ts";
import { TooManyRedirectsError } from "../../../enclave/fetch/httpGet.ts";
import { failureOf } from "../../support/failureOf.ts";

describe("pcsGet", () => {
  const servers: Server[] = [];
  const asked: string[] = [];
  const get = pcsGet(new AbortController().signal);

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      answer(request, response);
    });
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(() => {
    asked.length = 0;
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("gives status, headers whatever their case, and body", async () => {
    const url = await serve((_, response) => response.writeHead(200, { "Some-Chain": "%2D" }).end("{}"));
    const { status, headers, body } = await get(`${url}/x`, 2);
    expect([status, headers.get("SOME-chain"), headers.get("other"), Buffer.from(body).toString()]).to.deep.equal([
      200,
      "%2D",
      null,
      "{}",
    ]);
  });

  it("gives other statuses without their body", async () => {
    for (const wanted of [404, 429, 503]) {
      const url = await serve((_, response) => response.writeHead(wanted).end("secret"));
      const { status, body } = await get(url, 100);
      expect([status, body.length]).to.deep.equal([wanted, 0]);
    }
  });

  it("follows no redirect: whoever serves collateral must not choose what else is asked", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const inner = await serve((_, response) => response.end("credentials"));
      const url = await serve((_, response) => response.writeHead(status, { location: `${inner}/metadata` }).end());
      expect(await failureOf(get(`${url}/tcb`, 100))).to.deep.equal(new TooManyRedirectsError(inner, 0));
      expect(asked.splice(0)).to.deep.equal(["/tcb"]);
    }
  });

  it("stops at the first byte too many, and at headers that are too long", async () => {
    const endless = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(4096)));
        response.once("drain", more);
      };
      more();
    });
    const error = await failureOf(get(endless, 10_000));
    expect(error).to.deep.equal(new CollateralServerError("more than 10000 bytes"));
    const long = await serve((_, response) => response.writeHead(200, { chain: "x".repeat(20_000) }).end());
    const other = await failureOf(get(long, 10));
    expect(other).to.be.instanceOf(CollateralServerError).with.property("retryable", true);
    expect(other).to.have.property("message", "The server at COLLATERAL_URL failed: it does not answer as it should.");
  });

  it("ends with the worker, whether the server is silent or drips", async () => {
    for (const answer of [() => {}, (_: unknown, response: { write(text: string): void }) => response.write("x")]) {
      const stop = new AbortController();
      const url = await serve(answer as RequestListener);
      setTimeout(() => stop.abort(), 100);
      expect(await failureOf(pcsGet(stop.signal)(url, 10))).to.be.instanceOf(CollateralServerError);
    }
  });
});
