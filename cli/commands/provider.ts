/** Room: cli/commands/provider. `dcm provider serve`: the key broker. */
import type { Command } from "commander";
import type { BaseError } from "../../protocol/errors.ts";
import type { BrokerEvent, isGone as IsGone } from "../../sdk/broker.ts";
import { connectWallet } from "../context.ts";
import { answer, type GlobalOptions, type Output, progress } from "../output.ts";
import { integer } from "../parse.ts";

type ServeOptions = GlobalOptions & { once?: boolean; pollSeconds: number };

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
    .addHelpText("after", "\nExample:\n  $ dcm provider serve\n  $ dcm provider serve --once --json")
    .action(answer(serve));
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
