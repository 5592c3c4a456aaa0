/** Room: cli/commands/keys. `dcm keys`: the wallet's keystore. */
import type { Command } from "commander";
import { homeOf, keystoreOf, passwordOf, privateKeyOf, readPrivateKey } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, fields, type GlobalOptions, type Output } from "../output.ts";

/**
 * Adds the commands.
 *
 * @example
 * addKeysCommands(program)
 */
export function addKeysCommands(program: Command): void {
  const keys = program
    .command("keys")
    .description("make, import and show the wallet")
    .addHelpText("after", "\nExample:\n  $ dcm keys new --keystore wallet.json");

  keys
    .command("new")
    .description("make a fresh wallet in a new keystore file")
    .addHelpText("after", "\nExample:\n  $ dcm keys new\n  $ DCM_PASSWORD=... dcm keys new --keystore wallet.json")
    .action(answer((options: GlobalOptions) => create(options)));

  keys
    .command("import")
    .description("put the private key in DCM_PRIVATE_KEY into a new keystore file")
    .addHelpText("after", "\nExample:\n  $ DCM_PRIVATE_KEY=0x... dcm keys import --keystore wallet.json")
    .action(
      answer(async (options: GlobalOptions) => {
        const text = process.env.DCM_PRIVATE_KEY;
        if (!text) {
          throw new UsageError("There is no private key to import.", {
            hint: "Set DCM_PRIVATE_KEY for this one command.",
          });
        }
        return await create(options, readPrivateKey(text));
      }),
    );

  keys
    .command("address")
    .description("show the wallet's address")
    .addHelpText("after", "\nExample:\n  $ dcm keys address --keystore wallet.json")
    .action(
      answer(async (options: GlobalOptions) => {
        const { privateKeyToAddress } = await import("viem/accounts");
        const address = privateKeyToAddress(await privateKeyOf(options));
        return { json: { address }, text: address };
      }),
    );
}

async function create(options: GlobalOptions, privateKey?: `0x${string}`): Promise<Output> {
  const { makePrivateDirectory } = await import("../../sdk/node/files.ts");
  const { createKeystore } = await import("../../sdk/node/keystore.ts");
  const keystore = keystoreOf(options);
  if (keystore.startsWith(homeOf(options))) await makePrivateDirectory(homeOf(options));
  const password = await passwordOf(options, `New password for ${keystore}, 8 characters or more: `, true);
  const address = await createKeystore(keystore, password, privateKey);
  return {
    json: { address, keystore },
    text: fields([
      ["address", address],
      ["keystore", keystore],
    ]),
  };
}
