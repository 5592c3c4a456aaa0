/**
 * A worker in the middle of a run that would go on for minutes, in the sandbox service. Says so when the program has its
 * input.
 */
import { openSandbox } from "../../../enclave/sandbox/runProgram.ts";
import { connectService } from "../../../enclave/sandbox/serviceClient.ts";
import { makeProgram } from "./makeProgram.ts";

async function* input() {
  yield Uint8Array.of(0x61);
  console.log("fed");
}
const program = makeProgram("for (;;) {}", { limits: { fuel: 100_000_000_000, wallMs: 300_000 } });
const sandbox = await openSandbox({ place: await connectService(process.argv[2] ?? ""), warm: 1 });
await sandbox.run({ program, inputs: [{ sizeBytes: 1, chunks: input() }], params: {} });
