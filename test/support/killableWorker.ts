/**
 * The worker itself, told to die: SIGKILL to its own process right when a step of a job has happened. Everything else
 * is what enclave/main.ts runs. The step is KILL_AT, or what the file KILL_FILE says at that moment: nothing, if it is not there.
 */
import { readFileSync } from "node:fs";
import { readConfig } from "../../enclave/config.ts";
import { createLogger } from "../../enclave/log/logger.ts";
import { runWorker } from "../../enclave/worker.ts";

const { KILL_AT: killAt, KILL_FILE: killFile } = process.env;

function stepToDieAt(): string | undefined {
  if (killFile === undefined) return killAt;
  try {
    return readFileSync(killFile, "utf8");
  } catch {
    return undefined;
  }
}

const config = readConfig(process.env);
await runWorker({
  config,
  log: createLogger({ level: config.logLevel }),
  signal: new AbortController().signal,
  observe: (step) => {
    if (step === stepToDieAt()) process.kill(process.pid, "SIGKILL");
  },
});
