/**
 * The worker itself, told to die: SIGKILL to its own process right when a step of a job has happened. Everything else
 * is what enclave/main.ts runs.
 */
import { readConfig } from "../../enclave/config.ts";
import { createLogger } from "../../enclave/log/logger.ts";
import { runWorker } from "../../enclave/worker.ts";

const killAt = process.env.KILL_AT;
await runWorker({
  config: readConfig(process.env),
  log: createLogger(),
  signal: new AbortController().signal,
  observe: (step) => {
    if (step === killAt) process.kill(process.pid, "SIGKILL");
  },
});
