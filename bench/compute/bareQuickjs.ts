/**
 * The program in quickjs-wasi and nothing around it, in a process that ran nothing before, as the sandbox's. Prints the
 * milliseconds from the bytes to the output, engine already compiled and up, and the output's length.
 */
import { readFileSync } from "node:fs";
import { EvalFlags, QuickJS } from "quickjs-wasi";
import { source } from "./groupBy.ts";

const csv = readFileSync(0);
const wasm = readFileSync(new URL(import.meta.resolve("quickjs-wasi/quickjs.wasm")));
const vm = await QuickJS.create({ wasm });

const startedAt = performance.now();
const loaded = vm.evalCode(source, "main.js", EvalFlags.TYPE_MODULE);
vm.executePendingJobs();
const namespace = await vm.resolvePromise(loaded);
if ("error" in namespace) throw new TypeError("the program does not load");
const inputs = vm.newObject();
vm.setProp(inputs, "data", vm.newString(new TextDecoder().decode(csv)));
const result = vm.callFunction(namespace.value.getProp("default"), vm.undefined, inputs);
const output = JSON.stringify(vm.dump(result));
console.log(JSON.stringify({ ms: performance.now() - startedAt, outputBytes: output.length }));
