/**
 * Runs programs in the sandbox under whatever Node runs this, and prints what came of each, as one line of JSON.
 * Usage: `node runEngines.ts ROUNDS`. Each round has a sandbox of its own: first one without waiting processes.
 */
import { createHash } from "node:crypto";
import type { RunOutcome } from "../../enclave/sandbox/outcome.ts";
import { openSandbox } from "../../enclave/sandbox/runProgram.ts";
import { findWall } from "../../enclave/sandbox/wall.ts";
import { cases } from "./programs.ts";

/** `ends`: by program, the outcome of each run as JSON, with the hash in place of the output. */
export type Told = { node: string; ends: Record<string, string[]> };

/** Processes of this engine take seconds to start, and never wait for a job: a new sandbox is nothing new to them. */
const slow = "pyodide";

const rounds = Number(process.argv[2]);
const wall = await findWall();
const ends: Told["ends"] = {};
for (let round = 0; round < rounds; round++) {
  const sandbox = await openSandbox({ wall, warm: Math.min(round, 1) });
  try {
    for (const { name, program, inputs, params } of await cases()) {
      if (round > 0 && program.manifest.runtime.engine === slow) continue;
      const outcome = await sandbox.run({ program, inputs, params });
      ends[name] = [...(ends[name] ?? []), JSON.stringify(told(outcome))];
    }
  } finally {
    await sandbox.close();
  }
}

function told(outcome: RunOutcome): object {
  if (outcome.status === "failed") return outcome;
  const { fuelUsed, console, printsHash, outputBytes } = outcome;
  return { sha256: createHash("sha256").update(outputBytes).digest("hex"), fuelUsed, console, printsHash };
}

console.log(JSON.stringify({ node: process.version, ends } satisfies Told));
