/**
 * Room: simulator/server. Guest agent calls over HTTP: POST /<Method> with JSON, or GET with a query. Every failure is
 * HTTP 400 with {"error"}, as the real agent's. Answers are ASCII and carry Content-Length: the SDK counts characters,
 * not bytes, and waits for ever for a body that is "too short".
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { BaseError } from "../protocol/errors.ts";
import type { GuestAgent } from "./guestAgent.ts";

/** Largest request body, in bytes. */
export const maxBodyBytes = 64 * 1024;
/** A larger body is read to its end, so that its sender sees the answer; from here on it is cut off. */
const maxDrainBytes = 4 * 1024 * 1024;
const requestTimeoutMs = 10_000;
const timeoutCheckMs = 2_000;
const maxConnections = 256;

/**
 * A server for the agent, not yet listening. Listen on a unix socket or on 127.0.0.1 only: it gives out keys.
 *
 * @example
 * createAgentServer(agent).listen("/tmp/dstack.sock")
 */
export function createAgentServer(agent: GuestAgent): Server {
  const limits = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
  };
  const server = createServer(limits, onRequest);
  server.maxConnections = maxConnections;
  server.on("clientError", onClientError);

  async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      refuseBrowsers(request, typeof server.address() === "string");
      const url = new URL(request.url ?? "/", "http://agent");
      reply(response, 200, agent(url.pathname.slice(1), callOf(request, url, body)));
    } catch (error) {
      if (error instanceof BaseError) reply(response, 400, { error: `${error.message} ${error.hint}` });
      else if (request.destroyed && !request.complete) response.destroy();
      else reply(response, 400, { error: "The request could not be answered." });
    }
  }
  return server;
}

function callOf(request: IncomingMessage, url: URL, body: Buffer): unknown {
  if (request.method === "GET") return Object.fromEntries(url.searchParams);
  if (request.method !== "POST") throw new BadHttpRequestError("use POST with JSON, or GET with a query");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new BadHttpRequestError("the body is not JSON", cause);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (size > maxDrainBytes) request.destroy();
  }
  if (size > maxBodyBytes) throw new BadHttpRequestError(`the body has more than ${maxBodyBytes} bytes`);
  return Buffer.concat(chunks);
}

/** A web page must not reach the agent through its reader's browser: neither across origins nor by DNS rebinding. */
function refuseBrowsers(request: IncomingMessage, overSocket: boolean): void {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const ownHost = overSocket || host === "127.0.0.1" || host === "localhost";
  if (request.headers.origin !== undefined || !ownHost) {
    throw new BadHttpRequestError("it comes from a web page or under a foreign host name");
  }
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  const body = toAsciiJson(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
}

/** What is no HTTP at all gets an answer too, then the connection is closed. */
function onClientError(_error: Error, socket: Duplex): void {
  if (!socket.writable) return;
  const body = toAsciiJson({ error: "This is not an HTTP request." });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function toAsciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The HTTP request is not one that the guest agent answers. */
export class BadHttpRequestError extends BaseError {
  override readonly name = "Simulator.BadHttpRequestError";
  constructor(detail: string, cause?: unknown) {
    super(`The HTTP request is refused: ${detail}.`, {
      hint: "Use @phala/dstack-sdk, or POST JSON to /<Method>.",
      cause,
    });
  }
}
