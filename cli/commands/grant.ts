/** Room: cli/commands/grant. `dcm grant`: consent to a program, see what was consented to, take it back. */
import type { Command } from "commander";
import type { Hex } from "viem";
import type { Manifest } from "../../protocol/program.ts";
import { accountOf, accountOrZero } from "../accounts.ts";
import { connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { handOver } from "../jobTerms.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress, table } from "../output.ts";
import { id, integer, texts, uint } from "../parse.ts";

type CreateOptions = GlobalOptions & {
  dataset: Hex;
  program: string;
  workload: Hex;
  requester?: string;
  operator?: string;
  price?: string;
  per: string;
  token?: string;
  maxUses: number;
  nonce?: bigint;
  validDays: number;
  reader?: string[];
  out?: string;
};

/**
 * Adds the commands.
 *
 * @example
 * addGrantCommands(program)
 */
export function addGrantCommands(program: Command): void {
  const grant = program
    .command("grant")
    .description("consent to the use of your data sets")
    .addHelpText("after", "\nExample:\n  $ dcm grant list");

  grant
    .command("create")
    .description("sign a grant: this data set, for this program, in this workload, at this price")
    .requiredOption("--dataset <id>", "your data set", id)
    .requiredOption(
      "--program <dir|id>",
      "the one program that may run on it: its directory, or its id if you know its policy",
    )
    .requiredOption("--workload <id>", "the one enclave code that may open it (see dcm enclave list)", id)
    .option("--requester <address>", "who may ask (default: anyone)")
    .option("--operator <address>", "whom an enclave that runs it must pay (default: anyone)")
    .option("--price <amount>", "in whole units, per --per (default: the price in the data set's metadata)")
    .option(
      "--per <unit>",
      "what --price is for: use, row (of the result) or byte (of the registered ciphertext)",
      "use",
    )
    .option("--token <address>", "token of --price (default: the native coin)")
    .option("--max-uses <n>", "how many jobs; 0 for no limit", integer(0, 1_000_000_000), 0)
    .option("--nonce <n>", "grants of yours that share a nonce are revoked together; below 224 is cheapest", uint)
    .option("--valid-days <n>", "from now", integer(1, 3650), 30)
    .option("--reader <age1...>", "further reader of the results (repeatable)", texts)
    .option("--out <file>", "write the grant file for the requester here")
    .addHelpText(
      "after",
      `\nExample:\n  $ dcm grant create --dataset 0x... --program programs/x --workload 0x... --max-uses 1 --out grant.json`,
    )
    .action(answer(create));

  grant
    .command("list")
    .description("grants given from this home, with their state and uses")
    .addHelpText("after", "\nExample:\n  $ dcm grant list --json")
    .action(answer(list));

  grant
    .command("appoint-sealer")
    .description("let another wallet hand a data set's key to the enclaves that your grants name")
    .argument("<address>", "the wallet that `dcm provider serve` will run with")
    .requiredOption("--dataset <id>", "your data set", id)
    .option("--valid-days <n>", "from now", integer(1, 3650), 90)
    .option("--out <file>", "write the appointment for the sealer here")
    .addHelpText(
      "after",
      `
Nothing is sent. A sealer consents to nothing, but it holds the data set's key: appoint nobody who must not read the
data. It is over when all grants of the data set, or all that you gave, are revoked. The sealer gives the file to dcm
provider take. For data sets of a council: dcm council appoint-sealer.

Example:
  $ dcm grant appoint-sealer 0x... --dataset 0x... --out appointment.json`,
    )
    .action(answer(appointSealer));

  grant
    .command("revoke")
    .description("void on chain a grant (and yours that share its nonce), all grants of a data set, or all you gave")
    .argument("[hash]", "grant hash", id)
    .option("--all-of <id>", "void every grant of this data set", id)
    .option("--all", "void every grant that your wallet has given, for all its data sets")
    .addHelpText(
      "after",
      "\nExample:\n  $ dcm grant revoke 0x...\n  $ dcm grant revoke --all-of 0x...\n  $ dcm grant revoke --all",
    )
    .action(answer(revoke));
}

async function create(options: CreateOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { recipientKeyOf } = await import("../../protocol/ageKey.ts");
  const { priceUnits } = await import("../../protocol/eip712.ts");
  const { chainTime, signGrant } = await import("../../sdk/grants.ts");
  const { grantFileOf } = await import("../../sdk/grantFile.ts");
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  const { formatAmount, parseAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const { programId, manifest } = await programOf(options.program);
  if (manifest !== undefined) {
    const { describePolicy } = await import("../../sdk/describePolicy.ts");
    progress(`Of ${manifest.name}:`);
    for (const line of describePolicy(manifest)) progress(`- ${line}`);
  }
  const offer = options.price === undefined ? await offerOf(client, options.dataset) : undefined;
  const priceUnit = offer === undefined ? unitOf(options.per) : priceUnits[offer.unit ?? "use"];
  const token = await tokenOf(client, offer?.token ?? (await accountOrZero("--token", options.token)));
  const price = offer?.amount ?? parseAmount(options.price ?? "", token);
  const terms = {
    datasetId: options.dataset,
    programId,
    workloadId: options.workload,
    requester: await accountOrZero("--requester", options.requester),
    operator: await accountOrZero("--operator", options.operator),
    token: token.address,
    priceUnit,
    price,
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
    maxUses: BigInt(options.maxUses),
    notAfter: (await chainTime(client)) + BigInt(options.validDays) * 86_400n,
    resultReaders: (options.reader ?? []).map(recipientKeyOf),
  };
  const signed = await signGrant(client, terms, manifest);
  const { grantHash } = signed;
  const file = grantFileOf(client.deployment, signed);
  const content = `${JSON.stringify(file, null, 2)}\n`;
  if (options.out !== undefined) await writeAtomic(options.out, content, { mode: 0o644, overwrite: false });
  await home.saveGrant(signed); // last: what failed must not be served by the broker
  const text = [
    ...fields([
      ["grant", grantHash],
      ["price", `${formatAmount(price, token)} per ${units[priceUnit]}`],
      ["valid until", dateOf(signed.grant.notAfter)],
      ["file", options.out],
    ]),
    ...(options.out === undefined ? ["Give this to the requester:", content.trimEnd()] : []),
  ];
  return { json: { grantHash, file }, text, simulated };
}

async function programOf(text: string): Promise<{ programId: Hex; manifest?: Manifest }> {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return { programId: id(text) };
  const { readProgram } = await import("../../sdk/node/programDir.ts");
  const { id: programId, manifest } = await readProgram(text);
  return { programId, manifest };
}

/** Words for `PriceUnit`, by number. */
const units = ["use", "row", "byte"] as const;

function unitOf(word: string): number {
  const unit = (units as readonly string[]).indexOf(word);
  if (unit >= 0) return unit;
  throw new UsageError(`${JSON.stringify(word.slice(0, 40))} is not what a price can be for.`, {
    hint: `Give one of ${units.join(", ")}.`,
  });
}

async function offerOf(client: Parameters<typeof import("../../sdk/datasets.ts").getDataset>[0], datasetId: Hex) {
  const { getDataset } = await import("../../sdk/datasets.ts");
  const { metadata } = await getDataset(client, datasetId);
  if (metadata?.price !== undefined) return metadata.price;
  throw new UsageError("The data set's metadata name no price.", {
    hint: "Give --price, and --token if it is not native.",
  });
}

async function list(options: GlobalOptions): Promise<Output> {
  const { client, home, simulated } = await connectWallet(options);
  const { hashGrant } = await import("../../protocol/eip712.ts");
  const { grantToJson } = await import("../../protocol/grantPackage.ts");
  const { grantStateOf } = await import("../../sdk/grants.ts");
  const { formatAmount, tokenOf } = await import("../../sdk/tokens.ts");
  const grants = [];
  const rows: unknown[][] = [];
  for (const { grant, signature } of await home.grants()) {
    const grantHash = hashGrant(client.marketDomain, grant);
    const { state, uses } = await grantStateOf(client, grant);
    grants.push({ grantHash, state, uses, grant: grantToJson(grant), signature });
    const amount = formatAmount(grant.price, await tokenOf(client, grant.token));
    const price = grant.priceUnit === 0 ? amount : `${amount} per ${units[grant.priceUnit]}`;
    const used = grant.maxUses === 0n ? String(uses) : `${uses} of ${grant.maxUses}`;
    rows.push([grantHash, state, used, price, dateOf(grant.notAfter), grant.datasetId]);
  }
  const text = table(["grant", "state", "used", "price", "until", "data set"], rows, "No grants were given from here.");
  return { json: { grants }, text, simulated };
}

async function appointSealer(
  options: GlobalOptions & { dataset: Hex; validDays: number; out?: string },
  address: string,
): Promise<Output> {
  const { client, simulated } = await connectWallet(options);
  const { chainTime } = await import("../../sdk/grants.ts");
  const { appointmentFileOf, signSealerAppointment } = await import("../../sdk/sealers.ts");
  const sealer = await accountOf("address", address);
  const notAfter = (await chainTime(client)) + BigInt(options.validDays) * 86_400n;
  const signed = await signSealerAppointment(client, { datasetId: options.dataset, sealer, notAfter });
  const file = appointmentFileOf(client.deployment, signed);
  const written = await handOver(options.out, file, "Give this to the sealer:");
  const text = fields([
    ["sealer", sealer],
    ["data set", options.dataset],
    ["valid until", dateOf(notAfter)],
    ["file", options.out],
  ]);
  return { json: { sealer, datasetId: options.dataset, file }, text: [...text, ...written], simulated };
}

async function revoke(
  options: GlobalOptions & { allOf?: Hex; all?: boolean },
  grantHash: Hex | undefined,
): Promise<Output> {
  const named = [grantHash, options.allOf, options.all].filter((given) => given !== undefined);
  if (named.length !== 1)
    throw new UsageError("It is not clear what to revoke.", {
      hint: "Give a grant's hash, or --all-of DATASET, or --all.",
    });
  const { client, home, simulated } = await connectWallet(options);
  const { revokeAllGrants, revokeAllOwnGrants, revokeGrantNonce } = await import("../../sdk/grants.ts");
  if (options.all) {
    const { hash, gasUsed, newOwnerEpoch } = await revokeAllOwnGrants(client);
    const text = fields([
      ["revoked", "all grants that this wallet has given"],
      ["owner's epoch", newOwnerEpoch],
      ["transaction", hash],
    ]);
    return { json: { newOwnerEpoch, hash, gasUsed }, text, simulated };
  }
  if (grantHash === undefined) {
    const { hash, gasUsed, newEpoch } = await revokeAllGrants(client, options.allOf as Hex); // one of the two is given
    const text = fields([
      ["revoked", `all grants of ${options.allOf}`],
      ["epoch", newEpoch],
      ["transaction", hash],
    ]);
    return { json: { datasetId: options.allOf, newEpoch, hash, gasUsed }, text, simulated };
  }
  const signed = await home.grant(grantHash);
  if (signed === undefined) {
    throw new UsageError(`Grant ${grantHash} was not given from this home.`, {
      hint: "See `dcm grant list`, or void all grants of the data set with --all-of.",
    });
  }
  const { hash, gasUsed } = await revokeGrantNonce(client, signed.grant.nonce);
  return {
    json: { grantHash, hash, gasUsed },
    text: fields([
      ["revoked", grantHash],
      ["transaction", hash],
    ]),
    simulated,
  };
}
