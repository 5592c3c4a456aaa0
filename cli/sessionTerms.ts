/**
 * Room: cli/sessionTerms. The options of a session's terms, and what is looked up for them. Sessions have flat prices, one
 * operator, and are paid by whoever opens them: so there are fewer options than for a job.
 */
import type { Command } from "commander";
import type { Address, Hex } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import type { SignedGrant } from "../protocol/eip712.ts";
import type { Client } from "../sdk/client.ts";
import type { Home } from "../sdk/node/home.ts";
import { UsageError } from "./failure.ts";
import type { TermsOptions } from "./jobTerms.ts";
import { id, ids, integer, json, texts } from "./parse.ts";

/** Options of a session's terms. */
export type SessionOptions = Omit<TermsOptions, "payer" | "offerFile" | "quorum" | "maxRows" | "fee"> & {
  fee: string;
};

/**
 * Adds the options of a session's terms to a command.
 *
 * @example
 * withSessionTerms(session.command("open"))
 */
export function withSessionTerms(command: Command): Command {
  return command
    .requiredOption("--program <dir>", "program directory")
    .requiredOption("--dataset <id>", "data set, one per input of the program, in its order (repeatable)", ids)
    .option("--grant-file <file>", "grant from a provider, at a price by use (repeatable)", texts)
    .option("--grant <hash>", "grant given from this home, at a price by use (repeatable)", ids)
    .requiredOption("--workload <id>", "the enclave code you trust to run it", id)
    .requiredOption("--worker <url>", "worker that the program is uploaded to, and that the orders will be given to")
    .requiredOption("--fee <amount>", "paid to the operator for each result, in whole units, e.g. 0.01")
    .option("--failure-fee <amount>", "paid to the operator for each signed failure", "0")
    .option("--max-total <amount>", "refuse if prices and fees of one job exceed this, in whole units")
    .option("--token <address>", "token of all payments (default: the native coin)")
    .option("--params <json>", "parameters that a job may have, to be checked; each job has its own", json, {})
    .option("--deadline-minutes <n>", "from now; the last moment for the claim", integer(1, 525_000), 60)
    .option("--operator <address>", "whose enclave may claim it (default: the operator of --worker)");
}

/**
 * The grants that the options name.
 *
 * @throws UsageError | any error of `readGrantFile`
 * @example
 * const session = prepareSession(client, job, terms, await sessionGrants(options, home, client.deployment))
 */
export async function sessionGrants(
  { grant = [], grantFile = [] }: Pick<SessionOptions, "grant" | "grantFile">,
  home: Home,
  deployment: Deployment,
): Promise<SignedGrant[]> {
  const { maxGrantFileBytes, readGrantFile } = await import("../sdk/grantFile.ts");
  const { readText } = await import("../sdk/node/files.ts");
  const grants: SignedGrant[] = [];
  for (const file of grantFile) grants.push(readGrantFile(await readText(file, maxGrantFileBytes), deployment));
  for (const hash of grant) {
    const signed = await home.grant(hash);
    if (signed !== undefined) grants.push(signed); // one that is missing is refused where the job is made
  }
  return grants;
}

/**
 * The operator of a worker's enclave, as the registry has it.
 *
 * @throws UsageError if the enclave is of another workload | any error of `fetchEnclave` and `getEnclave`
 * @example
 * const operator = options.operator ?? (await workersOperator(client, options))
 */
export async function workersOperator(
  client: Client,
  { worker, workload }: { worker: string; workload: Hex },
): Promise<Address> {
  const { getEnclave } = await import("../sdk/enclaves.ts");
  const { fetchSigningKey } = await import("../sdk/worker.ts");
  const { operator, workloadId } = await getEnclave(client, await fetchSigningKey(worker));
  if (workloadId === workload) return operator;
  throw new UsageError(`The worker's enclave runs workload ${workloadId}, not ${workload}.`, {
    hint: "Give a worker of the workload that you trust, or --operator.",
  });
}
