/**
 * A worker in the middle of a run that would go on for minutes, in a sandbox service of its own. Says so when the program
 * has its input.
 */
import { startOwnService } from "../../../enclave/sandbox/ownService.ts";
import { openSandbox } from "../../../enclave/sandbox/runProgram.ts";
import { makeProgram } from "./makeProgram.ts";

async function* input() {
  yield Uint8Array.of(0x61);
  console.log("fed");
}
const program = makeProgram("for (;;) {}", { limits: { fuel: 100_000_000_000, wallMs: 300_000 } });
const { place } = await startOwnService(() => undefined);
const sandbox = await openSandbox({ place, warm: 1 });
await sandbox.run({ program, inputs: [{ sizeBytes: 1, chunks: input() }], params: {} });
