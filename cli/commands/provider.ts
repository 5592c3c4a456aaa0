/** Room: cli/commands/provider. `dcm provider`: the key broker, and what it needs to serve another's data set. */
import type { Command } from "commander";
import type { BaseError } from "../../protocol/errors.ts";
import type { BrokerEvent, isGone as IsGone } from "../../sdk/broker.ts";
import { connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { readIdentity } from "../identityFile.ts";
import { readSigned } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { integer, texts } from "../parse.ts";

type ServeOptions = GlobalOptions & { once?: boolean; pollSeconds: number };
type TakeOptions = GlobalOptions & { appointment: string; keyFile?: string; grantFile?: string[] };

/**
 * Adds the commands.
 *
 * @example
 * addProviderCommands(program)
 */
export function addProviderCommands(program: Command): void {
  const provider = program
    .command("provider")
    .description("serve your data sets to the enclaves you consented to")
    .addHelpText("after", "\nExample:\n  $ dcm provider serve");

  provider
    .command("serve")
    .description("seal data set keys to each live enclave that a grant names, and hand them over; until Ctrl-C")
    .option("--once", "do what is due now and exit; 1 if something failed")
    .option("--poll-seconds <n>", "how often the chain is looked at", integer(1, 3600), 5)
    .addHelpText(
      "after",
      `
Served are the grants in this home, with the keys in it. Where your wallet is not a data set's owner, the owner has to
have appointed it: dcm provider take.

Example:
  $ dcm provider serve
  $ dcm provider serve --once --json`,
    )
    .action(answer(serve));

  provider
    .command("take")
    .description("keep what the owner of a data set gives you to hand its key out: dcm provider serve does it then")
    .requiredOption("--appointment <file>", "its appointment of your wallet (dcm grant or dcm council appoint-sealer)")
    .option("--key-file <file>", "the data set's key, as dcm dataset key writes it; needed once")
    .option("--grant-file <file>", "a grant that its owner has signed (repeatable)", texts)
    .addHelpText(
      "after",
      `
A later appointment takes the place of the one before; more grants are taken the same way.

Example:
  $ dcm provider take --appointment appointment.json --key-file key.txt --grant-file grant.json`,
    )
    .action(answer(take));
}

/** Everything is checked before anything is kept. */
async function take(options: TakeOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { hashGrant } = await import("../../protocol/eip712.ts");
  const { addressOf } = await import("../../sdk/client.ts");
  const { checkGrant } = await import("../../sdk/grants.ts");
  const { maxGrantFileBytes, readGrantFile } = await import("../../sdk/grantFile.ts");
  const { readText } = await import("../../sdk/node/files.ts");
  const { readAppointmentFile, verifyAppointment } = await import("../../sdk/sealers.ts");
  const signed = readAppointmentFile(await readSigned(options.appointment), client.deployment);
  const { datasetId, sealer, notAfter } = signed.appointment;
  if (sealer.toLowerCase() !== addressOf(client).toLowerCase())
    throw new UsageError(`The appointment is ${sealer}'s, not this wallet's.`, { hint: "Use the sealer's wallet." });
  await verifyAppointment(client, signed);
  const grants = [];
  for (const file of options.grantFile ?? []) {
    const grant = readGrantFile(await readText(file, maxGrantFileBytes), client.deployment);
    if (grant.grant.datasetId !== datasetId)
      throw new UsageError(`${file} is a grant of another data set.`, { hint: "Take it with that one's appointment." });
    await checkGrant(client, grant);
    grants.push(grant);
  }
  const kept = await home.datasetKey(datasetId);
  const key = options.keyFile === undefined ? kept : await readIdentity(options.keyFile);
  if (key === undefined)
    throw new UsageError(`The key of data set ${datasetId} is not in this home.`, {
      hint: "Give the file that its owner's `dcm dataset key` wrote with --key-file.",
    });
  if (key !== kept) await home.saveDatasetKey(datasetId, key);
  for (const grant of grants) await home.saveGrant(grant);
  await home.saveAppointment(signed);
  const taken = grants.map(({ grant }) => hashGrant(client.marketDomain, grant));
  const text = fields([
    ["data set", datasetId],
    ["until", dateOf(notAfter)],
    ["grants taken", taken.length],
    ["next", "dcm provider serve"],
  ]);
  return { json: { datasetId, notAfter, grants: taken }, text, simulated };
}

async function serve(options: ServeOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { createBroker, isGone, runBroker } = await import("../../sdk/broker.ts");
  const broker = await createBroker(client, home.brokerStore);
  if (options.once) {
    const events = await broker.step();
    const failed = events.filter((event) => event.type === "failed" && !isGone(event.error)).length;
    const text = events.length === 0 ? "Nothing is due." : events.map((event) => sentence(event, isGone));
    return { json: { events: events.map(toJson) }, text, simulated, exitCode: failed === 0 ? 0 : 1 };
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const count = { delivered: 0, failed: 0, void: 0 };
  if (simulated) progress("SIMULATED: the enclaves of this deployment keep nothing secret.");
  progress(`Serving grants of ${client.wallet?.account.address}; Ctrl-C stops.`);
  const report = (news: BrokerEvent[] | BaseError) => {
    if (!Array.isArray(news)) return progress(`${news.message} Trying again.`);
    for (const event of news) {
      if (event.type !== "failed" || !isGone(event.error)) count[event.type] += 1;
      progress(sentence(event, isGone));
    }
  };
  await runBroker(broker, { pollMs: options.pollSeconds * 1000, signal: stop.signal, report });
  return { json: count, text: `Stopped: ${count.delivered} delivered, ${count.failed} failed attempts.`, simulated };
}

function sentence(event: BrokerEvent, isGone: typeof IsGone): string {
  if (event.type === "void") return `grant ${event.grantHash} is ${event.state}: not served`;
  const what = `grant ${event.grantHash} to enclave ${event.signingKey}`;
  if (event.type === "delivered") return `delivered ${what}`;
  if (isGone(event.error)) return `not delivered ${what}: it is gone, another one answers at its endpoint`;
  return `failed ${what}: ${event.error.message}`;
}

function toJson(event: BrokerEvent) {
  if (event.type !== "failed") return event;
  const { error, ...rest } = event;
  return { ...rest, error: { name: error.name, message: error.message, hint: error.hint } };
}
