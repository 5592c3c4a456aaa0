/**
 * Room: enclave/sandbox. The bytes between the worker and its sandbox process. Runs on both sides, so it imports nothing
 * at run time. A head is its length (4 bytes, little-endian) and JSON in UTF-8; blobs follow it, one after the other.
 *
 *   stdin of the process                                   its stdout
 *   -----------------------------------------------------  ----------------------------------------
 *   StartHead                                              readyByte: the engine is up
 *   JobHead                                                begunByte: it works on the job from now on
 *   parameters, prepared bytes, program files, inputs      AnswerHead, kept prints, output
 *
 * What all processes of an engine read is in one file (engineFile.ts), open in each: code, EngineHead, artifacts.
 */
import type { Policy } from "../../protocol/policy.ts";
import type { Manifest } from "../../protocol/program.ts";

/** What a process is started with. `scratchDir`: where native engines find their inputs. */
export type StartHead = { scratchDir: string };

/** How long each artifact is that follows. */
export type EngineHead = { artifactBytes: readonly number[] };

/** Where the process finds the open file of its engine. */
export const engineFd = 3;

/** What it is asked to do. Sizes in bytes. */
export type JobHead = {
  paramsBytes: number;
  preparedBytes: number;
  entry: string;
  files: readonly { path: string; size: number }[];
  inputs: readonly (Manifest["inputs"][number] & { size: number })[];
  /** Inputs are put in files instead of memory: `scratchDir/<position>`. Native engines only. */
  inputFiles: boolean;
  /** `printsBytes`: most that is kept of what is printed; 0: it is counted and hashed only. */
  limits: { fuel: number; memoryBytes: number; outputBytes: number; printsBytes: number };
  policy: Policy | null;
};

/** Failures that only the sandbox process can see. */
export const childFailures = [
  "InputMismatch",
  "ProgramTrapped",
  "FuelExhausted",
  "MemoryExceeded",
  "OutputTooLarge",
  "OutputRefused",
] as const;

/** What it answers; the kept prints follow, and after `ok` the output as JSON text. */
export type AnswerHead = {
  result: "ok" | (typeof childFailures)[number];
  fuel: number;
  /** How long the output is that follows; kept prints are not counted. */
  outputBytes: number;
  console: { lines: number; bytes: number };
  /** SHA-256 of the printed lines, each with a line feed: 0x hex. */
  printsHash: string;
  /** Only where prints are kept: their bytes, and whether there were more. */
  kept?: { bytes: number; cut: boolean };
};

/** Sent once when the engine is up: the process can take a job. */
export const readyByte = 0x52;

/** Sent once when the head of a job is there, before its first byte of program or data is read. */
export const begunByte = 0x42;

/** Largest answer head, in bytes. */
export const maxAnswerHeadBytes = 512;

/** Size of the field that holds the head's length. */
export const lengthFieldBytes = 4;

/**
 * The bytes of a head with its length; blobs follow as they are.
 *
 * @example
 * stdin.write(packHead(head))
 */
export function packHead(head: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(lengthFieldBytes + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, lengthFieldBytes);
  return bytes;
}

/**
 * Reads a head where it is known to be one: in the process, from the worker.
 *
 * @param read - fills the bytes it is given.
 * @example
 * const head = readHead(read) as JobHead
 */
export function readHead(read: (bytes: Uint8Array) => Uint8Array): unknown {
  const field = read(new Uint8Array(lengthFieldBytes));
  const length = new DataView(field.buffer).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(read(new Uint8Array(length))));
}

/**
 * Whether a head is all there.
 *
 * @param bytes - what has come so far.
 * @param maxBytes - longest head that is taken.
 * @returns undefined if it is too long.
 * @example
 * if (isHeadWhole(bytes, maxAnswerHeadBytes)) return unpackFrame(bytes)
 */
export function isHeadWhole(bytes: Uint8Array, maxBytes: number): boolean | undefined {
  if (bytes.length < lengthFieldBytes) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return length > maxBytes ? undefined : bytes.length >= lengthFieldBytes + length;
}

/**
 * How long an answer is, by its own head.
 *
 * @param start - its first bytes.
 * @returns bytes; undefined: more of it is needed to tell; infinity: it is no answer, and never will be.
 * @example
 * if (bytes.length >= (answerSize(bytes) ?? Infinity)) return bytes
 */
export function answerSize(start: Uint8Array): number | undefined {
  const isWhole = isHeadWhole(start, maxAnswerHeadBytes);
  if (isWhole === false) return undefined;
  const frame = isWhole ? unpackFrame(start) : undefined;
  const head = frame?.head as { outputBytes?: unknown; kept?: { bytes?: unknown } | null } | null | undefined;
  const [output, kept] = [head?.outputBytes, head?.kept === undefined ? 0 : head.kept?.bytes];
  if (frame === undefined || !isSize(output) || !isSize(kept)) return Number.POSITIVE_INFINITY;
  return start.length - frame.body.length + output + kept;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Splits a head and what follows it.
 *
 * @returns the head as parsed JSON, unchecked, and a view of the rest; undefined if it is no head.
 * @example
 * const frame = unpackFrame(bytes)
 */
export function unpackFrame(bytes: Uint8Array): { head: unknown; body: Uint8Array } | undefined {
  if (bytes.length < lengthFieldBytes) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length - lengthFieldBytes < length) return undefined;
  const headEnd = lengthFieldBytes + length;
  try {
    const head: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(lengthFieldBytes, headEnd)));
    return { head, body: bytes.subarray(headEnd) };
  } catch {
    return undefined;
  }
}
