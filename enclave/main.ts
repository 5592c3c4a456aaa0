/**
 * Room: enclave/main. Reads the environment, runs the worker, stops it on SIGTERM or SIGINT. Nothing else.
 * Exit codes: 0 stopped, 1 failed, 3 its registration was demoted or retired: nothing that it signs is worth anything.
 */
import { BaseError } from "../protocol/errors.ts";
import { RegistrationEndedError } from "./attestation/keepRegistered.ts";
import { configHelp, readConfig } from "./config.ts";
import { createLogger } from "./log/logger.ts";
import { runWorker } from "./worker.ts";

if (process.argv.includes("--help")) {
  console.log(`Runs the worker. It is configured by environment variables only:\n\n${configHelp()}

Exit codes: 0 stopped, 1 failed, 3 its registration was demoted or retired.

Example: RPC_URL=http://127.0.0.1:8545 DEPLOYMENT_FILE=deployment.json OPERATOR_ADDRESS=0x... \\
         ENDPOINT=https://worker.example LISTEN=0.0.0.0:8080 DATA_DIR=/var/lib/worker node enclave/main.ts`);
} else {
  await main();
}

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  try {
    const config = readConfig(process.env);
    const log = createLogger({ level: config.logLevel });
    await runWorker({ config, log, signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) return;
    // Only errors thrown on purpose are worded; of others the message could hold anything.
    const words = error instanceof BaseError ? `${error.message}\nhint: ${error.hint}` : "internal error";
    process.stderr.write(`error: ${words}\n`);
    if (!(error instanceof BaseError)) createLogger().error("worker.crashed", { error: error as Error });
    process.exitCode = error instanceof RegistrationEndedError ? 3 : 1;
  }
}
