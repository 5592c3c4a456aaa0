/** JavaScript in the sandbox, against quickjs-wasi alone on the same bytes: a group-by of 200,000 rows. */
import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { openSandbox } from "../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../enclave/sandbox/wall.ts";
import { makeProgram } from "../../test/enclave/sandbox/makeProgram.ts";
import { makeCsv, source } from "./groupBy.ts";
import { type Figure, rounds } from "./rounds.ts";

/** Before the sandbox's turn, in ms: while the other process ran, this one could not feed the one that is to be warm. */
const restMs = 1_000;

/**
 * Time alone over time in the sandbox, from the bytes to the checked output, on a warm process. A round is the faster of
 * three on either side, by turns: what else the machine does only ever slows one of them down.
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
    const bareMs = (): number => {
      const script = new URL("bareQuickjs.ts", import.meta.url).pathname;
      const { stdout } = spawnSync(process.execPath, [script], { input: csv, encoding: "utf8" });
      const { ms, outputBytes }: { ms: number; outputBytes: number } = JSON.parse(stdout);
      bareBytes = outputBytes;
      return ms;
    };
    const sandboxMs = async (): Promise<number> => {
      await setTimeout(restMs);
      const startedAt = performance.now();
      const outcome = await sandbox.run({ program, inputs: [csv], params: {} });
      const ms = performance.now() - startedAt;
      if (outcome.status !== "ok" || outcome.outputBytes.length !== bareBytes) throw new TypeError("they differ");
      return ms;
    };
    let bareBytes = 0;
    return await rounds(7, async () => {
      const tries: { bare: number; sandbox: number }[] = [];
      for (let i = 0; i < 3; i++) tries.push({ bare: bareMs(), sandbox: await sandboxMs() });
      return Math.min(...tries.map(({ bare }) => bare)) / Math.min(...tries.map(({ sandbox: ms }) => ms));
    });
  } finally {
    await sandbox.close();
  }
}
