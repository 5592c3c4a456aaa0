/**
 * Room: enclave/sandbox. The sandbox service: starts a disposable process for each connection that asks for one, passes
 * bytes on in both directions, and kills it when the connection ends. It knows no job, reads no answer and keeps nothing:
 * every rule stands on the worker's side (serviceClient.ts).
 */
import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { BaseError } from "../../protocol/errors.ts";
import { spawnChild } from "./childProcess.ts";
import { loadParts } from "./engineParts.ts";
import { findEngine } from "./engines.ts";
import { packHead } from "./frames.ts";
import { within } from "./sandboxProcess.ts";
import { type Ask, askSchema, type Facts, overByte, readMessage } from "./serviceFrames.ts";
import type { Wall } from "./wall.ts";

/** Most processes at a time: each is about 15 threads of the container's limit. */
export const maxProcesses = 24;
/** Two a process, and some that ask for facts. */
const maxConnections = 2 * maxProcesses + 8;
/** A connection says what it is for within this time, in ms. */
const askMs = 5_000;

/** A service that listens. `close`: kills what runs, and stops listening. */
export type SandboxService = { close(): Promise<void> };

/**
 * Serves a worker.
 *
 * @param path - of the socket; whoever may reach it can have programs run on bytes of its own, and no more.
 * @param wall - around each process.
 * @param problem - told why a process could not be started; the worker only sees that it was not.
 * @throws {@link SandboxSocketError}
 * @example
 * const service = await serveSandbox("/run/sandbox/sandbox.sock", wall, console.error)
 */
export async function serveSandbox(
  path: string,
  wall: Wall,
  problem: (error: unknown) => void,
): Promise<SandboxService> {
  const lives = new Map<Socket, Promise<void>>();
  const inputs = new Map<string, (socket: Socket) => void>();

  async function serve(socket: Socket): Promise<void> {
    const ask = await within(askMs, readAsk(socket));
    if (ask?.ask === "facts") socket.end(packHead({ v: 1, wall: wall.name, hides: wall.hides } satisfies Facts));
    else if (ask?.ask === "input") (inputs.get(ask.id) ?? destroy)(socket);
    else if (ask?.ask === "process" && lives.size < maxProcesses && !inputs.has(ask.id)) {
      const life = live(socket, ask).finally(() => lives.delete(socket));
      lives.set(socket, life);
      await life;
    } else socket.destroy();
  }

  async function live(socket: Socket, { id, runtime, limits }: Extract<Ask, { ask: "process" }>): Promise<void> {
    const gone = hasEnded(socket);
    const engine = findEngine(runtime);
    // A native engine is refused here, too: the worker asks for none, but it is this container that would be harmed.
    if (engine === undefined || (engine.native && !wall.hides)) return destroy(socket);
    const child = await spawnChild(await loadParts(engine), limits, wall);
    let input: Socket | undefined;
    inputs.set(id, (from) => {
      inputs.delete(id);
      input = from;
      passOn(from, child.stdin());
    });
    passOn(child.stdout, socket);
    const how = await Promise.race([child.over, gone]);
    inputs.delete(id);
    await child.bury();
    if (how === "closed") input?.end(Uint8Array.of(overByte));
    else input?.destroy();
    socket.end();
    input?.resume(); // what is left of it is nobody's
  }

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined); // "close" follows
    serve(socket).catch((error: unknown) => {
      socket.destroy();
      problem(error);
    });
  });
  server.maxConnections = maxConnections;
  await takePlace(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(new SandboxSocketError(path, cause)));
    server.listen(path, resolve);
  });
  await chmod(path, 0o666); // the folder says who may reach it; the worker is another user

  return {
    async close() {
      server.close();
      const ends = [...lives].map(([socket, life]) => {
        socket.destroy();
        return life;
      });
      await Promise.allSettled(ends);
    },
  };
}

/** Reads on until a connection's ask is there; what follows it is left to be read. Undefined if there is none. */
function readAsk(socket: Socket): Promise<Ask | undefined> {
  return new Promise((resolve) => {
    let bytes: Uint8Array = new Uint8Array();
    const done = (ask: Ask | undefined) => {
      socket.pause();
      socket.removeAllListeners("data");
      resolve(ask);
    };
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const read = readMessage(askSchema, bytes);
      if (read === undefined) return;
      done(read?.message);
      if (read !== null && read.rest.length > 0) socket.unshift(read.rest);
    });
    socket.once("close", () => done(undefined));
    socket.once("end", () => done(undefined));
  });
}

/** Settles when the other side has ended the connection, or writes where it should not. */
function hasEnded(socket: Socket): Promise<"gone"> {
  return new Promise((resolve) => {
    for (const event of ["data", "end", "close"]) socket.once(event, () => resolve("gone"));
    socket.resume();
  });
}

/** Passes chunks on as fast as they are taken. They are data: each is overwritten when it has been written. */
function passOn(from: Readable, to: Writable): void {
  from.on("data", (chunk: Buffer) => {
    const isTaken = to.write(chunk, () => chunk.fill(0));
    if (isTaken) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.resume();
}

/** Removes the socket that an earlier life left. One that answers is another service's. */
async function takePlace(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket() || (await answers(path))) throw new SandboxSocketError(path);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function destroy(socket: Socket): void {
  socket.destroy();
}

/** The service cannot listen where it was told to. */
export class SandboxSocketError extends BaseError {
  override readonly name = "Sandbox.SandboxSocketError";
  constructor(path: string, cause?: unknown) {
    super(`The sandbox service cannot listen on ${path}.`, {
      hint: "SANDBOX_SOCKET must lie in a folder that the service may write to, and be no other service's.",
      cause,
    });
  }
}
