/** Room: cli/commands/council. `dcm council`: look at a council of owners; take consent back as one of its members. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { accountOf } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { answer, fields, type GlobalOptions, type Output } from "../output.ts";
import { id } from "../parse.ts";
import { grantNonce, requireOne } from "./revocation.ts";

type RevokeOptions = GlobalOptions & { all?: boolean; nonce?: bigint };

/**
 * Adds the commands.
 *
 * @example
 * addCouncilCommands(program)
 */
export function addCouncilCommands(program: Command): void {
  const council = program
    .command("council")
    .description("data sets that several own: N of M members consent, each alone takes consent back")
    .addHelpText(
      "after",
      `
To consent and to act, N members sign: sdk/councils.ts, and docs/CLI.md under "Data sets with several owners".

Example:
  $ dcm council show 0x...`,
    );

  council
    .command("show")
    .description("who is in, and how many must sign")
    .argument("<address>", "the council")
    .addHelpText("after", "\nExample:\n  $ dcm council show 0x...")
    .action(
      answer(async (options: GlobalOptions, address: string) => {
        const { client, simulated } = await connect(options);
        const { getCouncil } = await import("../../sdk/councils.ts");
        const found = await getCouncil(client, await accountOf("address", address));
        const text = fields([
          ["council", found.address],
          ["consent", `${found.threshold} of ${found.members.length} members`],
          ["revocation", "any one of them"],
          ...found.members.map((member, i) => [i === 0 ? "members" : "", member] as const),
          ["next call", found.nonce],
        ]);
        return { json: found, text, simulated };
      }),
    );

  council
    .command("revoke")
    .description("take consent back in the council's name; your wallet is a member and needs no other")
    .argument("<address>", "the council")
    .argument("[id]", "void every grant given so far for this data set of the council's", id)
    .option("--all", "void every grant that the council has given so far")
    .option("--nonce <n>", "void the council's grants that carry this nonce", grantNonce)
    .addHelpText(
      "after",
      `
At once and for good; new grants need N signatures again.

Example:
  $ dcm council revoke 0x... 0x${"12".repeat(32)}
  $ dcm council revoke 0x... --all`,
    )
    .action(answer(revoke));
}

async function revoke(options: RevokeOptions, address: string, datasetId?: Hex): Promise<Output> {
  const what = requireOne(datasetId, options);
  const council = await accountOf("address", address);
  const { client, simulated } = await connectWallet(options);
  const { getCouncil, revokeAsMember } = await import("../../sdk/councils.ts");
  await getCouncil(client, council); // one of another registry would revoke nothing here
  const { hash, gasUsed } = await revokeAsMember(client, council, what);
  const text = fields([
    ["revoked", revokedBy(what)],
    ["transaction", hash],
  ]);
  return { json: { council, ...(what === "all" ? { all: true } : what), hash, gasUsed }, text, simulated };
}

function revokedBy(what: ReturnType<typeof requireOne>): string {
  if (what === "all") return "all grants that the council has given";
  return "nonce" in what ? `the council's grants with nonce ${what.nonce}` : `all grants of ${what.datasetId}`;
}
