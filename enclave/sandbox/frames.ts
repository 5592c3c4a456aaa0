/**
 * Room: enclave/sandbox. The bytes between the worker and its sandbox process. Runs on both sides, so it imports nothing
 * at run time. A head is its length (4 bytes, little-endian) and JSON in UTF-8; blobs follow it, one after the other.
 *
 *   stdin of the process                                   its stdout
 *   -----------------------------------------------------  ----------------------------------------
 *   code (see bootstrap.ts), StartHead, artifacts          readyByte: the engine is up
 *   JobHead                                                begunByte: it works on the job from now on
 *   parameters, prepared bytes, program files, inputs      AnswerHead, output
 */
import type { Policy } from "../../protocol/policy.ts";
import type { Manifest } from "../../protocol/program.ts";

/** What a process is started with. */
export type StartHead = { artifactBytes: readonly number[] };

/** What it is asked to do. Sizes in bytes. */
export type JobHead = {
  paramsBytes: number;
  preparedBytes: number;
  entry: string;
  files: readonly { path: string; size: number }[];
  inputs: readonly (Manifest["inputs"][number] & { size: number })[];
  /** Inputs are put in this folder instead of memory: `DIR/<position>`. Native engines only. */
  inputDir: string | null;
  limits: { fuel: number; memoryBytes: number; outputBytes: number };
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

/** What it answers; after `ok` the rest is the output as JSON text. */
export type AnswerHead = {
  result: "ok" | (typeof childFailures)[number];
  fuel: number;
  console: { lines: number; bytes: number };
  /** SHA-256 of the printed lines, each with a line feed: 0x hex. */
  printsHash: string;
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
