/**
 * A process that does nothing but run the program on its stdin, so that a test can see all that a worker would print.
 */
import { readFileSync } from "node:fs";
import { runProgram } from "../../../enclave/sandbox/runProgram.ts";
import { makeProgram } from "./makeProgram.ts";

const { source, input } = JSON.parse(readFileSync(0, "utf8"));
const outcome = await runProgram({ program: makeProgram(source), inputs: [Buffer.from(input)], params: {} });
console.log(outcome.status === "ok" ? "ok" : JSON.stringify(outcome));
