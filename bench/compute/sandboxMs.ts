/** What the sandbox adds to a small job: all of a run whose program does next to nothing with 1 KiB, on a warm process. */
import { setTimeout } from "node:timers/promises";
import { openSandbox } from "../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../enclave/sandbox/wall.ts";
import { makeProgram } from "../../test/enclave/sandbox/makeProgram.ts";
import { type Figure, rounds } from "./rounds.ts";

/** Between jobs, in ms: the pool fills again. */
const restMs = 1_000;

/**
 * Milliseconds from the request to the checked outcome, the process killed and reaped.
 *
 * @example
 * const { value } = await measure()
 */
export async function measure(): Promise<Figure> {
  const program = makeProgram("export default ({ data }) => data.length");
  const request = { program, inputs: [new Uint8Array(1024).fill(0x61)], params: {} };
  const sandbox = await openSandbox({ wall: await findWall(), warm: 2 });
  try {
    return await rounds(21, async () => {
      await setTimeout(restMs);
      const startedAt = performance.now();
      const outcome = await sandbox.run(request);
      const ms = performance.now() - startedAt;
      if (outcome.status !== "ok" || outcome.output !== 1024) throw new TypeError("the job failed");
      return ms;
    });
  } finally {
    await sandbox.close();
  }
}
