/**
 * A worker in the middle of a run that would go on for minutes. Prints the id of its sandbox process when that is at work.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { runProgram } from "../../../enclave/sandbox/runProgram.ts";
import { walls } from "../../../enclave/sandbox/wall.ts";
import { makeProgram } from "./makeProgram.ts";
import { isSandboxProcess } from "./watchProcesses.ts";

subscribe("child_process", (message) => {
  const { process: child } = message as { process: ChildProcess };
  setImmediate(() => isSandboxProcess(child) && child.stdout?.once("data", () => console.log(child.pid)));
});
const program = makeProgram("for (;;) {}", { limits: { fuel: 100_000_000_000, wallMs: 300_000 } });
const wall = walls.find(({ name }) => name === process.argv[2]);
await runProgram({ program, inputs: [new Uint8Array()], params: {} }, wall);
