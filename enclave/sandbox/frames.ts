/**
 * Room: enclave/sandbox. The bytes between the worker and its sandbox process: a head (JSON) and blobs after it.
 * Runs on both sides, so it imports nothing at run time.
 *
 *   offset  size  field
 *   ------  ----  ------------------------------
 *        0     4  head length, little-endian
 *        4     n  head, JSON in UTF-8
 *      4+n     m  body: the blobs, one after the other
 */
import type { Manifest } from "../../protocol/program.ts";

/** What the worker asks the sandbox process to do. The blobs are: engine, parameters, program files, inputs. */
export type RunHead = {
  engineBytes: number;
  paramsBytes: number;
  entry: string;
  files: readonly { path: string; size: number }[];
  inputs: readonly { name: string; format: Manifest["inputs"][number]["format"]; size: number }[];
  limits: { fuel: number; memoryBytes: number; outputBytes: number };
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

/** What it answers; after `ok` the body is the output as JSON text. */
export type AnswerHead = {
  result: "ok" | (typeof childFailures)[number];
  fuel: number;
  console: { lines: number; bytes: number };
};

/** Sent once by the sandbox process when it is about to touch the first byte of the program or the data. */
export const readyByte = 0x52;

/** Largest answer head, in bytes. */
export const maxAnswerHeadBytes = 512;

/** Size of the field that holds the head's length. */
export const lengthFieldBytes = 4;

/**
 * The bytes of a frame's length field and head; the body follows as it is.
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
 * Splits a frame.
 *
 * @returns the head as parsed JSON, unchecked, and a view of the body; undefined if it is no frame.
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
