/**
 * Room: enclave/sandbox. The worker's side of the sandbox service. What the service says is believed as little as what a
 * sandbox process says: an earlier job may have taken it over. So each process is talked to under the same rules, marks,
 * limits and times (sandboxProcess.ts), and a service that falls silent is waited for no longer than a process.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { BaseError } from "../../protocol/errors.ts";
import { burialMs, type ProcessLimits } from "./childProcess.ts";
import type { Engine } from "./engines/engine.ts";
import type { Place } from "./place.ts";
import { type Pipe, talkTo, within } from "./sandboxProcess.ts";
import { type Facts, factsSchema, overByte, packAsk, readMessage } from "./serviceFrames.ts";

/** The service says what it is within this time, in ms. */
const factsMs = 2_000;

/**
 * The sandbox service behind a socket.
 *
 * @throws {@link SandboxServiceError} if it does not answer.
 * @example
 * const place = await connectService("/run/sandbox/sandbox.sock")
 */
export async function connectService(path: string): Promise<Place> {
  const facts = await askFacts(path);
  if (facts === undefined) throw new SandboxServiceError();
  let asking: Promise<boolean> | undefined; // one at a time: strangers decide how often it is asked
  return {
    wall: { name: facts.wall, hides: facts.hides },
    open: async (engine) => (limits) => talkTo(Promise.resolve(openPipe(path, engine, limits))),
    isUp() {
      asking ??= askFacts(path)
        .then((answer) => answer !== undefined)
        .finally(() => {
          asking = undefined;
        });
      return asking;
    },
  };
}

async function askFacts(path: string): Promise<Facts | undefined> {
  const socket = open(path);
  socket.write(packAsk({ ask: "facts" }));
  const answer = (async () => {
    let bytes: Uint8Array = new Uint8Array();
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      const read = readMessage(factsSchema, bytes);
      if (read !== undefined) return read?.message;
    }
    return undefined;
  })().catch(() => undefined);
  try {
    return await within(factsMs, answer);
  } finally {
    socket.destroy();
  }
}

function openPipe(path: string, { runtime }: Engine, limits: ProcessLimits): Pipe {
  const id = randomBytes(16).toString("hex");
  const life = open(path);
  life.write(packAsk({ ask: "process", id, runtime, limits }));
  // A service that is not there ends nothing, it refuses.
  const ended = once(life, "end").then(
    () => true,
    () => false,
  );
  let input: Socket | undefined;
  /** Before it has an input, a process that did not come up and a service that stopped are the same to a job. */
  let endedByItself = Promise.resolve(true);
  let burial: Promise<void> | undefined;
  return {
    stdout: life,
    stdin() {
      if (input !== undefined) return input;
      input = open(path);
      input.write(packAsk({ ask: "input", id }));
      const socket = input;
      endedByItself = new Promise((resolve) => {
        socket.once("data", (bytes: Buffer) => resolve(bytes[0] === overByte));
        socket.once("close", () => resolve(false));
      });
      return input;
    },
    over: ended.then(async (isEnd) => (isEnd && (await within(burialMs, endedByItself)) ? "closed" : "lost")),
    bury() {
      burial ??= (async () => {
        life.resume();
        life.end(); // the service answers with its own end when the process is reaped
        await within(2 * burialMs, ended);
        life.destroy();
        input?.destroy();
      })();
      return burial;
    },
  };
}

function open(path: string): Socket {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on("error", () => undefined); // "close" follows
  return socket;
}

/** The sandbox service is gone, or does not answer. */
export class SandboxServiceError extends BaseError {
  override readonly name = "Sandbox.SandboxServiceError";
  constructor() {
    super("The sandbox service does not answer.", {
      hint: "Look at the service `sandbox` and the volume of its socket (SANDBOX_SOCKET): jobs wait for it and are run anew.",
      retryable: true,
    });
  }
}
