/**
 * Room: enclave/sandbox. One disposable process as the worker talks to it, wherever it runs: fed one job, read once, and
 * gone afterwards. What comes from it is not believed: marks in order, an answer of bounded size, in bounded time.
 */
import type { Readable, Writable } from "node:stream";
import { feed, type JobFeed } from "./feed.ts";
import { answerSize, begunByte, readyByte } from "./frames.ts";

/** How a job ended. */
export type ChildEnd =
  | { end: "answered"; answer: Uint8Array }
  | { end: "timeout" }
  /** It was not asked to, or wrote too much. */
  | { end: "died" }
  /** What runs it was gone first: nobody knows why. */
  | { end: "lost" }
  /** An input was not of its size. */
  | { end: "misfed" }
  /** Before it began. */
  | { end: "unused" };

/**
 * Why it takes no job any more. `answered`: it has. `closed`: it has ended, and all that it wrote was read. `failed`: it was
 * killed, did not come up, or broke the rules. `lost`: what runs it is gone.
 */
export type Over = "answered" | "closed" | "failed" | "lost";

/** A process whose engine is starting, with no rules yet. */
export type Pipe = {
  stdout: Readable;
  /** Where it reads the job; asked for when it is up. */
  stdin(): Writable;
  over: Promise<Exclude<Over, "answered">>;
  /** Ends it. When the promise settles, the process and its group are gone. */
  bury(): Promise<void>;
};

/** A process, ready for a job or about to be. */
export type SandboxProcess = {
  /** Whether it came up. */
  ready: Promise<boolean>;
  /** Settles when it will take no job any more. */
  over: Promise<Over>;
  /**
   * Runs the one job of this process; afterwards it is gone.
   *
   * @param limits - wall clock in ms, from when the process has the head of the job; largest answer, in bytes.
   * @throws what the source of an input throws.
   */
  run(job: JobFeed, limits: { wallMs: number; answerBytes: number }): Promise<ChildEnd>;
  /** Ends it. When the promise settles, the process and its group are gone. */
  kill(): Promise<void>;
};

/** Node and the engine have to be up within this time, whatever the program is. */
export const startMs = 30_000;
/** A process that is up takes the head of a job within this time. */
const beginMs = 10_000;

/**
 * Puts the rules on a process that was started.
 *
 * @param starting - what could not even be started is a process that failed.
 * @example
 * const process = talkTo(spawnChild(parts, limits, wall))
 */
export function talkTo(starting: Promise<Pipe>): SandboxProcess {
  const ready = Promise.withResolvers<boolean>();
  const begun = Promise.withResolvers<boolean>();
  const over = Promise.withResolvers<Over>();
  const reader = new AnswerReader([
    [readyByte, () => ready.resolve(true)],
    [begunByte, () => begun.resolve(true)],
  ]);
  const tooLate = setTimeout(() => over.resolve("failed"), startMs);
  void ready.promise.then(() => clearTimeout(tooLate));
  void over.promise.then(() => {
    ready.resolve(false);
    begun.resolve(false);
  });
  const listen = (pipe: Pipe) => {
    void pipe.over.then(over.resolve);
    pipe.stdout.on("data", (chunk: Buffer) => {
      if (!reader.add(chunk)) over.resolve("failed");
      else if (reader.isWhole()) over.resolve("answered");
    });
  };
  starting.then(listen, () => over.resolve("failed"));

  let burial: Promise<void> | undefined;
  const kill = () => {
    over.resolve("failed");
    burial ??= starting.then(
      (pipe) => pipe.bury(),
      () => undefined,
    );
    return burial;
  };

  async function end(job: JobFeed, wallMs: number): Promise<ChildEnd> {
    const stdin = (await starting).stdin();
    stdin.write(job.head);
    if (!(await within(beginMs, begun.promise))) return { end: "unused" };
    const fed = feed(stdin, job).then((whole) => (whole ? over.promise : "misfed"));
    fed.catch(() => undefined); // it may come when all is over
    const how = await within(wallMs, Promise.race([over.promise, fed]));
    if (how === "answered" || how === "closed") return { end: "answered", answer: reader.answer() };
    return { end: how === "failed" ? "died" : (how ?? "timeout") };
  }

  return {
    ready: ready.promise,
    over: over.promise,
    kill,
    async run(job, { wallMs, answerBytes }) {
      reader.limit = answerBytes;
      try {
        return await end(job, wallMs);
      } finally {
        await kill();
      }
    },
  };
}

/**
 * What the promise settles to, or undefined if that takes longer.
 *
 * @example
 * const isUp = await within(1_000, process.ready)
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Collects stdout: first the marks, each once and in order, then the answer, up to a limit. */
class AnswerReader {
  /** Largest answer in bytes: none until there is a job. */
  limit = 0;
  private readonly marks: [byte: number, seen: () => void][];
  private chunks: Uint8Array[] = [];
  private length = 0;
  /** What the answer says that it measures; infinite: it is none that says so, and ends with the process. */
  private size: number | undefined;
  constructor(marks: [byte: number, seen: () => void][]) {
    this.marks = marks;
  }
  /** False if the bytes are not what a sandbox process writes, or too many. */
  add(chunk: Uint8Array): boolean {
    let rest = chunk;
    for (let mark = this.marks[0]; mark !== undefined && rest.length > 0; mark = this.marks[0]) {
      if (rest[0] !== mark[0]) return false;
      mark[1]();
      this.marks.shift();
      rest = rest.subarray(1);
    }
    this.length += rest.length;
    if (this.length > this.limit) return false;
    this.chunks.push(rest);
    return true;
  }
  /** Whether the answer is there, though the process may go on: it is not waited for. */
  isWhole(): boolean {
    this.size ??= answerSize(this.answer());
    return this.length >= (this.size ?? Number.POSITIVE_INFINITY);
  }
  answer(): Uint8Array {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] as Uint8Array;
  }
}
