#!/usr/bin/env node
/**
 * Room: cli. `dcm`: parse, call the sdk, print. What a command does is in the sdk; what it is called, in commands/.
 * May import: sdk, protocol, commander. Heavy modules are imported by the command that needs them.
 */
import { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import { addAuditCommand } from "./commands/audit.ts";
import { addBundleCommands } from "./commands/bundle.ts";
import { addCollateralCommands } from "./commands/collateral.ts";
import { addCouncilCommands } from "./commands/council.ts";
import { addCreditCommands } from "./commands/credit.ts";
import { addCvmCommands } from "./commands/cvm.ts";
import { addDatasetCommands } from "./commands/dataset.ts";
import { addEnclaveCommands } from "./commands/enclave.ts";
import { addEndorsementCommands } from "./commands/endorsement.ts";
import { addGrantCommands } from "./commands/grant.ts";
import { addJobCommands } from "./commands/job.ts";
import { addKeysCommands } from "./commands/keys.ts";
import { addLogCommands } from "./commands/log.ts";
import { addOfferCommands } from "./commands/offer.ts";
import { addOperatorCommands } from "./commands/operator.ts";
import { addProgramCommands } from "./commands/program.ts";
import { addProviderCommands } from "./commands/provider.ts";
import { addQuoteCommands } from "./commands/quote.ts";
import { addReceiptCommands } from "./commands/receipt.ts";
import { addSessionCommands } from "./commands/session.ts";
import { addWatchCommand } from "./commands/watch.ts";
import { exitCodeOf, showError } from "./failure.ts";

const asJson = process.argv.includes("--json");
const program = new Command("dcm")
  .description("Confidential data collaboration: publish data sets, consent to programs, run paid jobs, audit them.")
  .version(manifest.version)
  .option("--rpc <url>", "RPC of the chain (or DCM_RPC_URL)")
  .option("--deployment <file>", "deployment file of the contracts (or DCM_DEPLOYMENT)")
  .option("--home <dir>", "where keys and grants are kept (or DCM_HOME; default ~/.dcm)")
  .option("--keystore <file>", "keystore of the wallet (or DCM_KEYSTORE; default <home>/keystore.json)")
  .option("--password-file <file>", "file whose first line is the keystore's password (or DCM_PASSWORD, or asked for)")
  .option("--json", "print one JSON value, amounts in base units")
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({
    outputError: () => {}, // showError says it, in text or JSON
    writeErr: (text) => void (asJson || process.stderr.write(text)), // help of a group without its subcommand
  })
  .exitOverride()
  .addHelpText(
    "after",
    `
The wallet's private key comes from a keystore or from DCM_PRIVATE_KEY, never from an argument.

Example:
  $ export DCM_RPC_URL=http://127.0.0.1:8545 DCM_DEPLOYMENT=deployment.json
  $ dcm dataset search temperature`,
  );

addKeysCommands(program);
addDatasetCommands(program);
addCouncilCommands(program);
addGrantCommands(program);
addProviderCommands(program);
addProgramCommands(program);
addJobCommands(program);
addSessionCommands(program);
addEnclaveCommands(program);
addOperatorCommands(program);
addOfferCommands(program);
addEndorsementCommands(program);
addCollateralCommands(program);
addCreditCommands(program);
addWatchCommand(program);
addAuditCommand(program);
addBundleCommands(program);
addLogCommands(program);
addReceiptCommands(program);
addQuoteCommands(program);
addCvmCommands(program);

process.stdout.on("error", () => process.exit(1)); // the reader went away, as in `dcm dataset list | head -1`
process.on("SIGINT", () => {
  // A command that stops cleanly by itself (provider serve) has its own listener.
  if (process.listenerCount("SIGINT") > 1) return;
  process.stderr.write("Interrupted.\n");
  process.exit(130);
});

try {
  await program.parseAsync();
} catch (error) {
  showError(error, asJson);
  process.exitCode = exitCodeOf(error);
}
