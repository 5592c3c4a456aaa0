/**
 * Room: enclave/sandbox. What an engine's guest.ts is, seen from inside the sandbox process (child.ts), which can read no
 * file: engine, program and data all come over stdin. Imported for its types, and for {@link Stop}; runs on that side only.
 */
import type { Policy } from "../../protocol/policy.ts";
import type { Manifest } from "../../protocol/program.ts";
import type { childFailures } from "./frames.ts";

/** Failures that only the sandbox process can see. */
export type GuestFailure = (typeof childFailures)[number];

/** An opened input: in `bytes`, or, of a native engine, in the file at `path`, and `bytes` is empty. */
export type GuestInput = Manifest["inputs"][number] & { bytes: Uint8Array; path?: string };

/**
 * One run. All of it comes from the worker, which is trusted here; the contents of inputs and files are not. A request of
 * the engine's own `prepare` has neither entry, files nor inputs: it is in `prepared`.
 */
export type GuestJob = {
  entry: string;
  files: ReadonlyMap<string, Uint8Array>;
  inputs: readonly GuestInput[];
  /** Canonical JSON. */
  params: Uint8Array;
  limits: { fuel: number; memoryBytes: number; outputBytes: number; printsBytes: number };
  policy: Policy | undefined;
  /** From the engine's `prepare`; empty without one. */
  prepared: Uint8Array;
};

/** What a run used and printed so far; the guest counts, also when it throws. */
export type Meter = {
  fuel: number;
  /** Lines that the program, or the engine, printed, and their bytes in UTF-8. */
  lines: number;
  bytes: number;
  /** Counts one printed line, given without its line feed; adds it to the hash of all, and to what is kept, if anything is. */
  print(line: string | Uint8Array): void;
  /** Answers with a failure at once, and ends the process: for engines through which nothing can be thrown. */
  end(failure: GuestFailure): never;
};

/**
 * Starts the engine, before there is a job: the process waits warm after it. Exported by each guest.ts as `load`.
 *
 * @param artifacts - `EngineParts.artifacts`.
 * @returns runs one job, and is called once; gives the output as JSON text in UTF-8; throws {@link Stop}.
 */
export type LoadGuest = (
  artifacts: readonly Uint8Array[],
) => Promise<(job: GuestJob, meter: Meter) => Promise<Uint8Array>>;

/** The run is over, with a failure and without words. Never leaves the process. */
export class Stop extends Error {
  readonly failure: GuestFailure;
  constructor(failure: GuestFailure) {
    super(failure);
    this.failure = failure;
  }
}
