/** Room: cli/commands/collateral. `dcm collateral`: Intel's word on chain: what is there, what is missing, sending it. */
import { type Command, InvalidArgumentError } from "commander";
import type { Hex } from "viem";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import type { CollateralStep, Dated } from "../../protocol/collateral/plan.ts";
import type { QuotePlatform } from "../../protocol/quote/quotePlatform.ts";
import type { Client } from "../../sdk/client.ts";
import { connect, connectWallet } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, dateOf, type GlobalOptions, type Output, progress, table } from "../output.ts";
import { integer } from "../parse.ts";

type Source = { collateral?: string; pcs?: string };
type PlanOptions = GlobalOptions & Source & { quote: string; within: number };
type PushOptions = GlobalOptions &
  Source & { quote?: string; fmspc?: Hex; ca: "platform" | "processor"; within: number; dryRun?: boolean };

const threeDays = 3 * 86_400;
const intelPcs = "https://api.trustedservices.intel.com";

/**
 * Adds the commands.
 *
 * @example
 * addCollateralCommands(program)
 */
export function addCollateralCommands(program: Command): void {
  const collateral = program
    .command("collateral")
    .description("Intel's collateral on chain: show it, plan what is missing, push it")
    .addHelpText(
      "after",
      `
A chain judges a quote by what Intel publishes, signed, about that kind of machine: two CA certificates, two revocation
lists, the quoting enclave's identity, the TCB info of the machine's FMSPC. All but the certificates run out after about
a month. Anyone may send them; the contract takes nothing without Intel's signature, and nothing older than it has.

Example:
  $ dcm collateral plan --quote quote.json --pcs ${intelPcs}
  $ dcm collateral push --pcs ${intelPcs} --quote quote.json`,
    );

  collateral
    .command("plan")
    .description("what this chain lacks to judge a quote's platform, and the transactions that mend it")
    .requiredOption("--quote <file>", "raw quote, its hex, or dstack's JSON answer")
    .option("--collateral <dir>", "folder with the collateral that could be sent")
    .option("--pcs <url>", "server with the collateral that could be sent: Intel's PCS or any PCCS")
    .option("--within <seconds>", "what runs out within this time counts as needed", integer(0, 31_536_000), threeDays)
    .addHelpText(
      "after",
      `
Sends nothing. Exit code 0: the chain can judge the quote, or what is offered makes it so; 1: something is missing or has
run out, and nothing that is offered mends it. Transactions are shown by function; --json has their calldata.

Example:
  $ dcm collateral plan --quote quote.json --collateral collateral/b0c06f000000`,
    )
    .action(answer(plan));

  collateral
    .command("push")
    .description("send what this chain lacks, in order; sends nothing that is not needed")
    .argument("[dir]", "folder of collateral: nine files, or collateral.json of @phala/dcap-qvl")
    .option("--pcs <url>", "fetch it from Intel's PCS or any PCCS instead")
    .option("--quote <file>", "for the platform of this quote")
    .option("--fmspc <hex>", "for this kind of platform, 6 bytes", fmspc)
    .option(
      "--ca <kind>",
      "which CA certified the platform, with --fmspc and --pcs: platform or processor",
      ca,
      "platform",
    )
    .option("--within <seconds>", "what runs out within this time counts as needed", integer(0, 31_536_000), threeDays)
    .option("--dry-run", "show what would be sent")
    .addHelpText(
      "after",
      `
Each transaction is simulated, sent and mined before the next. If one fails, run the command again: it goes on from there.
Exit code 0: the chain has all it needs; 1: it does not. A folder says itself which FMSPC it is for.

Example:
  $ dcm collateral push collateral/b0c06f000000 --dry-run
  $ dcm collateral push --pcs ${intelPcs} --fmspc b0c06f000000`,
    )
    .action(answer(push));

  collateral
    .command("show")
    .description("what is recorded on this chain: authorities, dates, numbers")
    .option("--fmspc <hex>", "TCB info of this kind of platform only, 6 bytes", fmspc)
    .addHelpText("after", "\nExample:\n  $ dcm collateral show --fmspc b0c06f000000")
    .action(answer(show));
}

function fmspc(text: string): Hex {
  if (!/^(0x)?[0-9a-fA-F]{12}$/.test(text)) throw new InvalidArgumentError("It must be 6 bytes of hex.");
  return `0x${text.replace(/^0x/, "").toLowerCase()}`;
}

function ca(text: string): "platform" | "processor" {
  if (text !== "platform" && text !== "processor") throw new InvalidArgumentError("It must be platform or processor.");
  return text;
}

/* PLAN */

async function plan(options: PlanOptions): Promise<Output> {
  const subject = await platformOfFile(options.quote);
  const offered = await offeredBy(options, subject);
  const { client, simulated } = await connect(options);
  const { planFor, isStuck } = await import("../../sdk/collateral/collateralPlan.ts");
  const { steps, now } = await planFor(client, subject, offered, options.within);
  const json = {
    fmspc: subject.fmspc,
    at: now,
    steps: await Promise.all(steps.map((step) => withCalldata(client, step))),
  };
  const text = [
    `FMSPC ${subject.fmspc} at ${dateOf(BigInt(now))}`,
    "",
    ...stepTable(steps),
    "",
    advice(steps, offered, isStuck),
  ];
  return { json, text, simulated, exitCode: isStuck(steps) ? 1 : 0 };
}

function advice(
  steps: readonly CollateralStep[],
  offered: Collateral | undefined,
  isStuck: (steps: readonly CollateralStep[]) => boolean,
): string {
  const calls = steps.filter(({ call }) => call !== undefined).length;
  const mended = `${calls} to send: dcm collateral push`;
  const left = steps.filter((step) => isStuck([step])).map(({ item }) => item);
  if (calls > 0) return left.length === 0 ? mended : `${mended}. That does not mend ${left.join(", ")}.`;
  if (steps.every(({ state }) => state === "current")) return "Nothing to do.";
  return offered === undefined
    ? "Give --collateral DIR or --pcs URL to see what mends it."
    : "What is offered does not mend it: fetch newer collateral.";
}

async function withCalldata(client: Client, { call, ...step }: CollateralStep): Promise<object> {
  if (call === undefined) return step;
  const { encodeFunctionData } = await import("viem");
  const { tdxCollateralAbi } = await import("../../protocol/abi.ts");
  const to = client.deployment.contracts.tdxCollateral;
  const data = encodeFunctionData({ abi: tdxCollateralAbi, ...call });
  return { ...step, transaction: { to, functionName: call.functionName, data } };
}

/* PUSH */

async function push(options: PushOptions, directory: string | undefined): Promise<Output> {
  const source = directory === undefined ? options : { ...options, collateral: directory };
  if ((source.collateral === undefined) === (source.pcs === undefined))
    throw new UsageError("What to send is not given.", { hint: "Give either a folder of collateral or --pcs URL." });
  const { offered, subject } = await offerAndSubject(source);
  const { client, simulated } = await (options.dryRun ? connect(options) : connectWallet(options));
  const { planFor, pushCollateral, isStuck } = await import("../../sdk/collateral/collateralPlan.ts");
  const { steps } = await planFor(client, subject, offered, options.within);
  if (options.dryRun) {
    const json = {
      fmspc: subject.fmspc,
      dryRun: true,
      steps: await Promise.all(steps.map((s) => withCalldata(client, s))),
    };
    return { json, text: [...stepTable(steps), "", "Nothing was sent."], simulated, exitCode: isStuck(steps) ? 1 : 0 };
  }
  for (const { item, refusal } of steps) if (refusal !== undefined) progress(`${item} is not sent: ${refusal}`);
  const sent = await pushCollateral(client, steps, {
    sending: (item) => progress(`Sending ${item}...`),
    sent: ({ item, gasUsed, hash }) => progress(`${item} is recorded: ${gasUsed} gas, ${hash}`),
  });
  const gasUsed = sent.reduce((sum, one) => sum + one.gasUsed, 0n);
  const rows = sent.map((one) => [one.item, one.functionName, one.gasUsed, one.hash.slice(0, 18)]);
  const stuck = isStuck(steps);
  const end = stuck ? "The chain still lacks something: see `dcm collateral plan`." : "The chain has what it needs.";
  return {
    json: { fmspc: subject.fmspc, sent, gasUsed, complete: !stuck },
    text: [...table(["item", "function", "gas", "transaction"], rows, "Nothing to send."), "", end],
    simulated,
    exitCode: stuck ? 1 : 0,
  };
}

async function offerAndSubject(source: PushOptions & Source) {
  const quoted = source.quote === undefined ? undefined : await platformOfFile(source.quote);
  const request = quoted ?? (source.fmspc === undefined ? undefined : { fmspc: source.fmspc, ca: source.ca });
  const offered = await offeredBy(source, request);
  if (offered === undefined)
    throw new UsageError("A server must be told which platform is meant.", {
      hint: "Give --quote FILE or --fmspc HEX.",
    });
  const { readCertificate } = await import("../../protocol/quote/certificate.ts");
  const { p256KeyOf } = await import("../../protocol/quote/platformRecord.ts");
  const { readTcbInfo } = await import("../../protocol/collateral/tcbInfo.ts");
  const pckCa = quoted?.pckCa ?? p256KeyOf(readCertificate(offered.pckCa).publicKey);
  return { offered, subject: { fmspc: request?.fmspc ?? readTcbInfo(offered.tcbInfo).fmspc, pckCa } };
}

/* SHOW */

async function show(options: GlobalOptions & { fmspc?: Hex }): Promise<Output> {
  const { client, simulated } = await connect(options);
  const { listCollateral } = await import("../../sdk/collateral/listCollateral.ts");
  const listing = await listCollateral(client, options.fmspc);
  const authorities = listing.authorities.map(({ authority, role, serial, notAfter, revoked }) => [
    authority,
    role,
    serial,
    dateOf(notAfter),
    revoked ? "REVOKED" : "",
  ]);
  const items = listing.items.map(({ item, fmspc: id, issuer, number, signer, issuedAt, nextUpdate }) => [
    item,
    id ?? (issuer === undefined ? "" : `authority ${issuer}`),
    number,
    signer === 0 ? "root" : signer,
    dateOf(BigInt(issuedAt)),
    dateOf(BigInt(nextUpdate)),
  ]);
  const text = [
    ...table(["authority", "role", "serial", "valid until", ""], authorities, "No authorities."),
    "",
    ...table(["item", "of", "number", "signer", "issued", "next update"], items, "No collateral."),
    "",
    `Least evaluation number that is taken: ${listing.minimumEvaluationNumber}`,
  ];
  return { json: listing, text, simulated };
}

/* SHARED */

async function platformOfFile(file: string): Promise<QuotePlatform> {
  const { readQuoteFile } = await import("../../sdk/node/quoteFile.ts");
  const { quotePlatformOf } = await import("../../protocol/quote/quotePlatform.ts");
  return quotePlatformOf(await readQuoteFile(file));
}

/** What a folder or a server offers; undefined if neither is named, or a server is not told for which platform. */
async function offeredBy(source: Source, request?: Omit<QuotePlatform, "pckCa">): Promise<Collateral | undefined> {
  if (source.collateral !== undefined && source.pcs !== undefined)
    throw new UsageError("Two sources of collateral are given.", { hint: "Give a folder or --pcs URL, not both." });
  if (source.collateral !== undefined) {
    const { readCollateralDir } = await import("../../sdk/node/collateralFiles.ts");
    return await readCollateralDir(source.collateral);
  }
  if (source.pcs === undefined || request === undefined) return undefined;
  const { fetchPlatformCollateral } = await import("../../sdk/collateral/fetchPlatformCollateral.ts");
  progress(`Fetching collateral for FMSPC ${request.fmspc}...`);
  return await fetchPlatformCollateral(source.pcs, { fmspc: request.fmspc, ca: request.ca });
}

function stepTable(steps: readonly CollateralStep[]): string[] {
  const until = (dated: Dated | undefined) => (dated === undefined ? "" : dateOf(BigInt(dated.validUntil)));
  const rows = steps.map(({ item, state, recorded, offered, call, refusal }) => [
    item,
    state,
    until(recorded),
    recorded?.number,
    until(offered),
    offered?.number,
    call?.functionName ?? (refusal === undefined ? "" : `not sent: ${refusal}`),
  ]);
  return table(["item", "state", "recorded until", "number", "offered until", "number", "transaction"], rows, "");
}
