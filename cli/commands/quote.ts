/** Room: cli/commands/quote. `dcm quote`: TDX quotes by themselves, without a chain. */
import { type Command, InvalidArgumentError } from "commander";
import { type TcbStatus, tcbStatuses } from "../../protocol/collateral/tcbStatus.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { QuoteSection } from "../../sdk/quote/describeQuote.ts";
import { UsageError } from "../failure.ts";
import { answer, dateOf, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { integer } from "../parse.ts";

const acceptable = tcbStatuses.filter((status) => status !== "Revoked");

type VerifyOptions = GlobalOptions & {
  quote: string;
  collateral: string;
  at?: number;
  root?: string;
  policy?: TcbStatus[];
};

/**
 * Adds the commands.
 *
 * @example
 * addQuoteCommands(program)
 */
export function addQuoteCommands(program: Command): void {
  const quote = program
    .command("quote")
    .description("TDX quotes: show one, verify one; no chain is needed")
    .addHelpText("after", "\nExample:\n  $ dcm quote show quote.json");

  quote
    .command("show")
    .description("every field of a quote, explained; verifies nothing")
    .argument("<file>", "raw quote, its hex, or dstack's JSON answer")
    .addHelpText("after", "\nExample:\n  $ dcm quote show quote.json")
    .action(answer(show));

  quote
    .command("verify")
    .description("judge a quote by Intel's collateral; exit code 0: accepted, 1: refused, 2: cannot be checked")
    .requiredOption("--quote <file>", "raw quote, its hex, or dstack's JSON answer")
    .requiredOption("--collateral <dir>", "folder of collateral: nine files, or collateral.json of @phala/dcap-qvl")
    .option("--at <unix>", "time to judge at, Unix seconds; without it, now", integer(0, 253_402_300_799))
    .option("--root <file>", "root CA certificate, DER or PEM, instead of Intel's: SIMULATED platforms only")
    .option(
      "--policy <list>",
      "TCB statuses to accept, separated by commas; default UpToDate,SWHardeningNeeded",
      policy,
    )
    .addHelpText(
      "after",
      `
A quote is a VM's statement about itself, signed by Intel's quoting enclave on one machine. It is worth something only
together with collateral: what Intel publishes, signed, about that kind of machine. Two verifiers judge it: this project's
own, by all of Intel's rules, and the npm package @phala/dcap-qvl. Only what both accept is accepted; where they differ,
the reason is shown. What @phala/dcap-qvl leaves unchecked is listed with every verdict.

The folder holds tcb_info.json and qe_identity.json as signed by Intel, each with its signature (tcb_info_signature.bin,
qe_identity_signature.bin), and DER: tcb_signing, pck_ca, root_ca (.der), root_ca_crl.der, pck_crl.der.

Statuses: ${acceptable.join(", ")}. Those but the first say what the
operator has left undone. Revoked is never accepted.

A verdict says which code runs on genuine hardware of which patch level. It does not say that nobody opened the machine:
attacks on the memory bus (TEE.fail, WireTap) forge quotes that pass.

Example:
  $ dcm quote verify --quote quote.json --collateral collateral/b0c06f000000 --at 1786621538`,
    )
    .action(answer(verify));
}

function policy(text: string): TcbStatus[] {
  return text.split(",").map((word) => {
    const status = tcbStatuses.find((one) => one === word.trim());
    if (status === undefined || status === "Revoked")
      throw new InvalidArgumentError(`It must be a list of ${acceptable.join(", ")}.`);
    return status;
  });
}

async function show(_options: GlobalOptions, file: string): Promise<Output> {
  const { readQuoteFile } = await import("../../sdk/node/quoteFile.ts");
  const { describeQuote } = await import("../../sdk/quote/describeQuote.ts");
  const sections = describeQuote(await readQuoteFile(file));
  return {
    json: { verified: false, sections },
    text: [...sections.flatMap(sectionLines), "", "Nothing here is verified."],
  };
}

function sectionLines({ title, fields: found }: QuoteSection, index: number): string[] {
  const lines = found.flatMap(({ name, value, meaning }) => [
    ...fields([[`  ${name.padEnd(24)}`, value]]),
    ...(meaning === "" ? [] : [`${" ".repeat(28)}${meaning}`]),
  ]);
  return [...(index === 0 ? [] : [""]), title, ...lines];
}

async function verify(options: VerifyOptions): Promise<Output> {
  const at = options.at ?? Math.floor(Date.now() / 1000);
  const inputs = await readInputs(options);
  const { compareWithDcapQvl } = await import("../../sdk/quote/compareWithDcapQvl.ts");
  const { formatComparison, comparisonJson } = await import("../../sdk/quote/formatComparison.ts");
  const comparison = compareWithDcapQvl(inputs.quote, inputs.collateral, at, inputs.rootCa, options.policy);
  const { simulated } = comparison;
  if (simulated) progress("SIMULATED: the root that was given is not Intel's; nothing here is Intel's word.");
  return {
    json: { at, ...comparisonJson(comparison) },
    text: [`Judged at ${dateOf(BigInt(at))} (${at})`, ...formatComparison(comparison)],
    simulated,
    exitCode: comparison.accepted ? 0 : 1,
  };
}

/** Files that cannot be read leave the question open: exit code 2. */
async function readInputs({ quote, collateral, root }: VerifyOptions) {
  const { readQuoteFile, readRootFile } = await import("../../sdk/node/quoteFile.ts");
  const { readCollateralDir } = await import("../../sdk/node/collateralFiles.ts");
  const { readCertificate } = await import("../../protocol/quote/certificate.ts");
  try {
    const rootCa = root === undefined ? undefined : await readRootFile(root);
    if (rootCa !== undefined) readCertificate(rootCa);
    return { quote: await readQuoteFile(quote), collateral: await readCollateralDir(collateral), rootCa };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw new UsageError(`Cannot be checked: ${cause.message}`, { hint: cause.hint, cause });
  }
}
