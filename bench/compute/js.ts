/** JavaScript in the sandbox, against quickjs-wasi alone on the same bytes: a group-by of 200,000 rows. */
import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { openSandbox } from "../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../enclave/sandbox/wall.ts";
import { makeProgram } from "../../test/enclave/sandbox/makeProgram.ts";
import { makeCsv, source } from "./groupBy.ts";
import { type Figure, rounds } from "./rounds.ts";

/** Before the sandbox's turn, in ms: while the other process ran, this one could not feed the one that is to be warm. */
const restMs = 400;

/**
 * Time alone over time in the sandbox, from the bytes to the checked output, on a warm process.
 *
 * @example
 * const { value } = await measure()
 */
export async function measure(): Promise<Figure> {
  const csv = makeCsv(200_000);
  const program = makeProgram(source, {
    limits: { fuel: 1e11, memoryBytes: 64 * 1024 * 1024 },
    output: { format: "json", schema: {}, maxBytes: 65_536 },
  });
  const sandbox = await openSandbox({ wall: await findWall(), warm: 1 });
  try {
    return await rounds(9, async () => {
      const script = new URL("bareQuickjs.ts", import.meta.url).pathname;
      const { stdout } = spawnSync(process.execPath, [script], { input: csv, encoding: "utf8" });
      const bare: { ms: number; outputBytes: number } = JSON.parse(stdout);
      await setTimeout(restMs);
      const startedAt = performance.now();
      const outcome = await sandbox.run({ program, inputs: [csv], params: {} });
      const sandboxMs = performance.now() - startedAt;
      if (outcome.status !== "ok" || outcome.outputBytes.length !== bare.outputBytes)
        throw new TypeError("they differ");
      return bare.ms / sandboxMs;
    });
  } finally {
    await sandbox.close();
  }
}
