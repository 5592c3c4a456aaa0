/**
 * Room: enclave/http. Listens, with limits on time, header size and connections, and stops without dropping answers.
 */
import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type Koa from "koa";
import type { Logger } from "../log/logger.ts";
import { HttpError, problemOf } from "./problem.ts";

/** Where to listen, and the limits; all times in milliseconds. */
export type ServerOptions = {
  host: string;
  /** 0 picks a free one. */
  port: number;
  log: Logger;
  /** Until the header is in. Default 10 s. */
  headersTimeoutMs?: number;
  /** Until the whole request is in. Default 15 min: a blob may have 1 GiB. */
  requestTimeoutMs?: number;
  /** From the request's header to the end of the answer. Default 20 min. */
  exchangeTimeoutMs?: number;
  /** Of a connection on which nothing moves. Default 30 s. */
  idleTimeoutMs?: number;
  /** Default 512. */
  maxConnections?: number;
};

/** A listening server. */
export type RunningServer = {
  port: number;
  /**
   * Takes no more connections, lets answers under way finish, then closes; what is left after `graceMs` is cut.
   * Calling it again waits for the same end.
   */
  stop(graceMs: number): Promise<void>;
};

const maxHeaderBytes = 16 * 1024;
const keepAliveMs = 5_000;
const checkEveryMs = 500;

/**
 * Starts listening.
 *
 * @throws {@link ListenError} if the address cannot be taken.
 * @example
 * const server = await startServer(app, { host: "127.0.0.1", port: 8080, log });
 * await server.stop(10_000);
 */
export async function startServer(app: Koa, options: ServerOptions): Promise<RunningServer> {
  const answering = new Set<ServerResponse>();
  let stopped: Promise<void> | undefined;
  const handle = app.callback();
  const requestTimeout = options.requestTimeoutMs ?? 15 * 60_000;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: Math.min(options.headersTimeoutMs ?? 10_000, requestTimeout),
      requestTimeout,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkEveryMs,
    },
    (request, response) => {
      answering.add(response);
      const timer = setTimeout(() => request.socket.destroy(), options.exchangeTimeoutMs ?? 20 * 60_000);
      response.once("close", () => {
        clearTimeout(timer);
        answering.delete(response);
      });
      if (stopped) response.setHeader("Connection", "close");
      void handle(request, response);
    },
  );
  server.maxConnections = options.maxConnections ?? 512;
  server.setTimeout(options.idleTimeoutMs ?? 30_000, (socket: Socket) => socket.destroy());
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const underWay = [...answering].some((response) => response.socket === socket && response.headersSent);
    refuse(error, socket, underWay, options.log);
  });
  server.on("drop", () => options.log.warn("http.connection-dropped"));

  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new ListenError(options.host, options.port, cause)));
    server.listen(options.port, options.host, resolve);
  });
  server.on("error", (error) => options.log.error("http.server", { error }));

  function stop(graceMs: number): Promise<void> {
    stopped ??= new Promise((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const response of answering) if (!response.headersSent) response.setHeader("Connection", "close");
    });
    return stopped;
  }

  // A listening TCP server has an AddressInfo.
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Answers what is no HTTP request or came too slowly, and closes. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, underWay: boolean, log: Logger): void {
  const requestId = randomUUID();
  const problem = problemOf(refusalOf(error.code), requestId);
  log.info("http.refused", { requestId, status: problem.status, code: error.code ?? "none" });
  if (!socket.writable || underWay || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function refusalOf(code: string | undefined): HttpError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new RequestTimeoutError();
  if (code === "HPE_HEADER_OVERFLOW") return new HeaderTooLargeError();
  return new BadRequestError();
}

/** The address cannot be listened on. */
export class ListenError extends HttpError {
  override readonly name = "Http.ListenError";
  override readonly status = 500;
  constructor(host: string, port: number, cause: unknown) {
    super(`Cannot listen on ${host} port ${port}.`, {
      hint: "Choose another port, or end what holds this one.",
      cause,
    });
  }
}

/** The request did not arrive in time. */
export class RequestTimeoutError extends HttpError {
  override readonly name = "Http.RequestTimeoutError";
  override readonly status = 408;
  constructor() {
    super("The request did not arrive in time.", { hint: "Send it again, faster.", retryable: true });
  }
}

/** The request's header is too large. */
export class HeaderTooLargeError extends HttpError {
  override readonly name = "Http.HeaderTooLargeError";
  override readonly status = 431;
  constructor() {
    super(`The request header is larger than ${maxHeaderBytes} bytes.`, { hint: "Send fewer or shorter fields." });
  }
}

/** What came is not an HTTP request. */
export class BadRequestError extends HttpError {
  override readonly name = "Http.BadRequestError";
  override readonly status = 400;
  constructor() {
    super("This is not an HTTP request.", { hint: "Send HTTP/1.1." });
  }
}
