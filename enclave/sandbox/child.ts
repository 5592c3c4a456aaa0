/**
 * Room: enclave/sandbox. The sandbox process's side, the same for every engine: it waits for one job, has the engine's
 * guest run it, answers, and ends. It can open no file: all of it comes over stdin and one open file (see bootstrap.ts, frames.ts).
 * Nothing of the program's data leaves but the output; of its exceptions and prints, only that they happened, unless its
 * policy has them kept.
 */
import {
  type AnswerHead,
  begunByte,
  type EngineHead,
  engineFd,
  type JobHead,
  packHead,
  readHead,
  readyByte,
  type StartHead,
} from "./frames.ts";
import { type GuestInput, type GuestJob, type LoadGuest, Stop } from "./guest.ts";
import { createMeter } from "./meter.ts";

/** Fills the bytes it is given and returns them; where there are no more the process ends. */
type Read = (bytes: Uint8Array) => Uint8Array;

const { closeSync, openSync, writeSync } = process.getBuiltinModule("node:fs"); // see bootstrap.ts
const pieceBytes = 1024 * 1024;
const longMs = 2 ** 30;

/**
 * Entry point, called by the bootstrap.
 *
 * @param load - of the engine's guest.
 * @param read - reads from stdin.
 * @param send - writes to stdout.
 * @param readEngine - reads from the engine's file.
 * @example
 * await main(load, read, send, readEngine)
 */
export async function main(
  load: LoadGuest,
  read: Read,
  send: (bytes: Uint8Array) => void,
  readEngine: Read,
): Promise<void> {
  setInterval(() => undefined, longMs); // compilation and the like in the background keep no process from ending
  const { scratchDir } = readHead(read) as StartHead;
  const { artifactBytes } = readHead(readEngine) as EngineHead;
  const artifacts = artifactBytes.map((size) => readEngine(Buffer.allocUnsafeSlow(size)));
  closeSync(engineFd);
  const run = await load(artifacts);
  const { meter, printsHash, keep, kept } = createMeter((failure) => {
    tell(failure);
    process.exit(0);
  });
  send(Uint8Array.of(readyByte));

  const head = readHead(read) as JobHead;
  send(Uint8Array.of(begunByte));
  const { printsBytes } = head.limits;
  keep(printsBytes);
  const tell = (result: AnswerHead["result"], outputBytes = 0) => {
    const { text, cut } = kept();
    const answer: AnswerHead = {
      result,
      outputBytes,
      fuel: Math.min(meter.fuel, head.limits.fuel),
      console: { lines: meter.lines, bytes: meter.bytes },
      printsHash: printsHash(),
      ...(printsBytes > 0 && { kept: { bytes: text.length, cut } }),
    };
    send(packHead(answer));
    send(text);
  };
  try {
    const output = await run(readJob(head, scratchDir, read), meter);
    if (output.length > head.limits.outputBytes) throw new Stop("OutputTooLarge");
    tell("ok", output.length);
    send(output);
  } catch (error) {
    if (error instanceof Stop) tell(error.failure);
    // Anything else is a fault of ours: no answer is an answer the worker understands.
  }
  process.exit(0);
}

function readJob(head: JobHead, scratchDir: string, read: Read): GuestJob {
  const blob = (size: number) => read(allocate(size));
  const params = blob(head.paramsBytes);
  const prepared = blob(head.preparedBytes);
  const files = new Map(head.files.map(({ path, size }) => [path, blob(size)] as const));
  const inputs = head.inputs.map(({ size, ...input }, position): GuestInput => {
    if (!head.inputFiles) return { ...input, bytes: blob(size) };
    const path = `${scratchDir}/${position}`;
    writeInput(path, size, read);
    return { ...input, bytes: new Uint8Array(), path };
  });
  const { entry, limits } = head;
  return { entry, files, inputs, params, limits, policy: head.policy ?? undefined, prepared };
}

function allocate(size: number): Uint8Array {
  try {
    return Buffer.allocUnsafeSlow(size); // it is filled before anybody sees it
  } catch {
    throw new Stop("MemoryExceeded");
  }
}

function writeInput(path: string, size: number, read: Read): void {
  const file = openSync(path, "wx", 0o600);
  const piece = new Uint8Array(Math.min(size, pieceBytes));
  try {
    for (let left = size; left > 0; ) {
      const bytes = read(piece.subarray(0, Math.min(left, piece.length)));
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      left -= bytes.length;
    }
  } catch {
    throw new Stop("MemoryExceeded"); // the folder is as large as was asked for, and in memory
  } finally {
    piece.fill(0);
    closeSync(file);
  }
}
