/**
 * Room: enclave/jobs/turns. Who may run now. Jobs with large inputs or much memory run alone: one sandbox at most holds such
 * plaintexts. Small ones share the machine, one for each core, so that none waits for another's process.
 */
import { zeroHash } from "viem";
import type { JobOrder } from "../../protocol/eip712.ts";
import type { Manifest } from "../../protocol/program.ts";
import { SandboxStoppedError } from "../sandbox/childProcess.ts";

/** What a job takes of the machine while it runs: a core, or all of it. */
export type Share = "core" | "whole";

/** Takes turns; see {@link createTurns}. */
export type Turns = <T>(share: Share, work: () => Promise<T>) => Promise<T>;

const mebibyte = 1024 * 1024;
/** Up to this much a job is small; bytes. */
const small = { memory: 128 * mebibyte, inputs: 16 * mebibyte, output: 4 * mebibyte };

/**
 * What a job takes. One that is charged by the second takes all: others' work must not make it dearer.
 *
 * @param inputBytes - of all its ciphertexts.
 * @example
 * const share = shareOf(job.order, program.manifest, inputBytes)
 */
export function shareOf(
  { offerHash }: Pick<JobOrder, "offerHash">,
  { limits, output }: Pick<Manifest, "limits" | "output">,
  inputBytes: number,
): Share {
  if (offerHash !== zeroHash) return "whole";
  const fits = limits.memoryBytes <= small.memory && inputBytes <= small.inputs && output.maxBytes <= small.output;
  return fits ? "core" : "whole";
}

/**
 * Queues work up in the order in which it comes: each piece starts when its share is free, none once the signal aborts.
 *
 * @param cores - how many shares there are.
 * @throws from it: {@link SandboxStoppedError}; what the work throws.
 * @example
 * const inTurn = createTurns(2, signal)
 * const output = await inTurn("core", () => run(job))
 */
export function createTurns(cores: number, signal: AbortSignal): Turns {
  let free = cores;
  const queue: { need: number; start: () => void }[] = [];

  function startNext(): void {
    // Never past the first: a large job would wait for ever behind small ones.
    for (let [first] = queue; first !== undefined && first.need <= free; [first] = queue) {
      queue.shift();
      free -= first.need;
      first.start();
    }
  }

  return async (share, work) => {
    const need = share === "core" ? 1 : cores;
    await new Promise<void>((start) => {
      queue.push({ need, start });
      startNext();
    });
    try {
      if (signal.aborted) throw new SandboxStoppedError();
      return await work();
    } finally {
      free += need;
      startNext();
    }
  };
}
