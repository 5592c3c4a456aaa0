/**
 * The people of the demo and what they do: each is a wallet with a home of its own, acting through `dcm` alone.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Child, runNode, startNode } from "./children.ts";
import { testAccount, testPrivateKey } from "./localChain.ts";
import type { LocalMarket } from "./localMarket.ts";

/** Somebody with a wallet. */
export type Person = {
  name: string;
  address: `0x${string}`;
  /** Runs a `dcm` command and reads its JSON; `accept` are exit codes that are fine. */
  dcm<T>(args: readonly string[], accept?: readonly number[]): Promise<T>;
  /** Starts a `dcm` command that goes on until stopped. */
  serve(args: readonly string[]): Child;
};

/**
 * Somebody who uses the marketplace from this machine.
 *
 * @param account - index of the funded development account.
 * @param dir - where the home is made.
 * @example
 * const provider = person(market, "provider A", 2, "out/demo");
 * await provider.dcm(["dataset", "list"]);
 */
export function person(market: LocalMarket, name: string, account: number, dir: string): Person {
  const home = join(dir, name.replaceAll(" ", "-"));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = {
    DCM_RPC_URL: market.chain.rpcUrl,
    DCM_DEPLOYMENT: market.deploymentFile,
    DCM_HOME: home,
    DCM_PRIVATE_KEY: testPrivateKey(account),
  };
  return {
    name,
    address: testAccount(account).address,
    async dcm<T>(args: readonly string[], accept: readonly number[] = [0]) {
      const { stdout } = await runNode("cli/dcm.ts", [...args, "--json"], env, accept);
      return JSON.parse(stdout) as T;
    },
    serve: (args) => startNode("cli/dcm.ts", args, env),
  };
}
