/**
 * Room: cli/commands/council. `dcm council`: look at a council of owners; as one of its members take consent back, or
 * appoint who hands out the key of a data set.
 */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { SignedAppointment } from "../../protocol/sealerAppointment.ts";
import type { Client } from "../../sdk/client.ts";
import { accountOf } from "../accounts.ts";
import { connect, connectWallet } from "../context.ts";
import { handOver, readSigned } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output } from "../output.ts";
import { id, integer } from "../parse.ts";
import { grantNonce, requireOne } from "./revocation.ts";

type AppointOptions = GlobalOptions & { dataset: Hex; sealer: string; validDays: number; out?: string };
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

  council
    .command("appoint-sealer")
    .description("be the first to sign that a wallet may hand a data set's key to the enclaves that grants name")
    .argument("<address>", "the council")
    .requiredOption("--dataset <id>", "the council's data set", id)
    .requiredOption("--sealer <address>", "the wallet that `dcm provider serve` will run with")
    .option("--valid-days <n>", "from now", integer(1, 3650), 90)
    .option("--out <file>", "write the appointment here, for the next member")
    .addHelpText(
      "after",
      `
Once, instead of N signatures for each new enclave. A sealer consents to nothing, but it holds the data set's key. It is
over when consent is taken back: dcm council revoke, which any one member can.

Example:
  $ dcm council appoint-sealer 0x... --dataset 0x... --sealer 0x... --out appointment.json`,
    )
    .action(answer(appointSealer));

  council
    .command("approve-sealer")
    .description("add your signature, as a member, to an appointment that another one has signed")
    .argument("<address>", "the council")
    .argument("<file>", "the appointment")
    .option("--out <file>", "write it with your signature here")
    .addHelpText("after", "\nExample:\n  $ dcm council approve-sealer 0x... appointment.json --out approved.json")
    .action(answer(approveSealer));
}

async function appointSealer(options: AppointOptions, address: string): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { chainTime } = await import("../../sdk/grants.ts");
  const { newAppointment } = await import("../../sdk/sealers.ts");
  const sealer = await accountOf("--sealer", options.sealer);
  const notAfter = (await chainTime(client)) + BigInt(options.validDays) * 86_400n;
  const { appointment } = await newAppointment(client, { datasetId: options.dataset, sealer, notAfter });
  return { ...(await addApproval(client, address, { appointment, signature: "0x" }, options.out)), simulated };
}

async function approveSealer(options: GlobalOptions & { out?: string }, address: string, file: string) {
  const { client, simulated } = await connectWallet(options);
  const { readAppointmentFile } = await import("../../sdk/sealers.ts");
  const signed = readAppointmentFile(await readSigned(file), client.deployment);
  return { ...(await addApproval(client, address, signed, options.out)), simulated };
}

/** What is signed so far, with the wallet's signature added; checked as enclaves do as soon as enough have signed. */
async function addApproval(
  client: Client,
  address: string,
  { appointment, signature }: SignedAppointment,
  out: string | undefined,
): Promise<Output> {
  const { joinApprovals, splitApprovals } = await import("../../protocol/council.ts");
  const { approveAppointment, getCouncil } = await import("../../sdk/councils.ts");
  const { appointmentFileOf, verifyAppointment } = await import("../../sdk/sealers.ts");
  const council = await getCouncil(client, await accountOf("address", address));
  const mine = await approveAppointment(client, council.address, appointment);
  const approvals = [...splitApprovals(signature).filter(({ member }) => member !== mine.member), mine];
  const signed = { appointment, signature: joinApprovals(approvals) };
  const missing = Math.max(0, council.threshold - approvals.length);
  if (missing === 0) await verifyAppointment(client, signed);
  const file = appointmentFileOf(client.deployment, signed);
  const next = missing === 0 ? "dcm provider take, by the sealer" : `dcm council approve-sealer, by ${missing} more`;
  const { datasetId, sealer, notAfter } = appointment;
  const text = fields([
    ["sealer", sealer],
    ["data set", datasetId],
    ["valid until", dateOf(notAfter)],
    ["signed by", `${approvals.length} of ${council.threshold}`],
    ["next", next],
    ["file", out],
  ]);
  const written = await handOver(out, file, "The appointment:");
  return { json: { sealer, datasetId, missing, file }, text: [...text, ...written] };
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
