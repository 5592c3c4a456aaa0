/**
 * A worker whose sandbox processes wait for jobs. Prints their ids when they are up.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { openSandbox } from "../../../enclave/sandbox/runProgram.ts";
import { walls } from "../../../enclave/sandbox/wall.ts";
import { isSandboxProcess } from "./watchProcesses.ts";

const wall = walls.find(({ name }) => name === process.argv[2]);
if (wall === undefined) throw new RangeError("no such wall");
const up: number[] = [];
subscribe("child_process", (message) => {
  const { process: child } = message as { process: ChildProcess };
  setImmediate(
    () =>
      isSandboxProcess(child) &&
      child.stdout?.once("data", () => {
        up.push(child.pid ?? 0);
        if (up.length === 2) console.log(JSON.stringify(up));
      }),
  );
});
await openSandbox({ wall, warm: 2 });
