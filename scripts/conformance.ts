/**
 * `npm run conformance -- --vectors DIR [--root FILE] [--json]`: every quote of DIR with every collateral, through the
 * contracts and through @phala/dcap-qvl. Exit code 0: they agree, or it is known why not; 1: a difference that nothing
 * explains; 2: there is nothing to run. `--json` prints one array on stdout; differences are then told on stderr.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { BaseError } from "../protocol/errors.ts";
import { readCertificate } from "../protocol/quote/certificate.ts";
import { readRootFile } from "../sdk/node/quoteFile.ts";
import { plainText } from "../sdk/plainText.ts";
import { type Row, runPairs } from "./conformance/runPairs.ts";
import { openVectors } from "./conformance/vectors.ts";

const usage = "usage: npm run conformance -- --vectors DIR [--root FILE] [--json]";

type Options = { vectors: string; root: string | undefined; json: boolean };

function readOptions(): Options {
  try {
    const options = { vectors: { type: "string" }, root: { type: "string" }, json: { type: "boolean" } } as const;
    const { vectors, root, json = false } = parseArgs({ options }).values;
    if (vectors === undefined) throw new BadArgumentsError("--vectors is missing");
    // npm runs scripts in the project's folder: a path is meant from where the person is.
    const from = process.env.INIT_CWD ?? process.cwd();
    return { vectors: resolve(from, vectors), root: root && resolve(from, root), json };
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw new BadArgumentsError(cause instanceof Error ? cause.message : "not understood", cause);
  }
}

async function run({ vectors, root, json }: Options): Promise<number> {
  const rootCa = root === undefined ? undefined : await readRootFile(root);
  if (rootCa !== undefined) readCertificate(rootCa); // refused here, not once a row
  const opened = await openVectors(vectors);
  if (opened.leftOut > 0) console.error(`${opened.leftOut} pairs have no time in index.json and are left out`);
  let done = 0;
  const rows = await runPairs(opened, rootCa, () => {
    if (process.stderr.isTTY) process.stderr.write(`\r${++done} of ${opened.pairs.length}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r");
  const differing = rows.filter(({ difference }) => difference !== undefined);
  const unexplained = differing.filter(({ difference }) => difference?.explained === false);
  if (json) process.stdout.write(`${JSON.stringify(rows.map(({ difference, ...row }) => row))}\n`);
  else process.stdout.write(`${tableOf(rows).join("\n")}\n\n`);
  const say = json ? console.error : console.log;
  for (const { quote, collateral, difference } of differing)
    say(
      `${difference?.explained ? "differs" : "DIFFERS"}: ${cut(quote)} with ${cut(collateral)}: ${plainText(difference?.reason ?? "", 1000)}`,
    );
  say(`${rows.length} pairs, ${differing.length} differences, ${unexplained.length} not explained`);
  return unexplained.length === 0 ? 0 : 1;
}

/** Lines: the pair, both verdicts, gas. */
function tableOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ quote, collateral, at, onChain, offChain, difference }) => [
    `${cut(quote)} with ${cut(collateral)} at ${at}${difference === undefined ? "" : "   <- differ"}`,
    `  on chain   ${verdictOf(onChain)}${onChain.gas === null ? "" : `  [${onChain.gas.toLocaleString("en")} gas]`}`,
    `  dcap-qvl   ${verdictOf(offChain)}`,
  ]);
}

function verdictOf({
  accepted,
  status,
  error,
}: {
  accepted: boolean;
  status: string | null;
  error: string | null;
}): string {
  if (accepted) return `accepted  ${status}`;
  return `refused   ${plainText([status, error].filter((one) => one !== null).join("  "), 400)}`;
}

function cut(name: string): string {
  return plainText(name, 80);
}

/** The command was not understood. */
class BadArgumentsError extends BaseError {
  override readonly name = "Conformance.BadArgumentsError";
  constructor(fact: string, cause?: unknown) {
    super(fact, { hint: usage, cause });
  }
}

try {
  process.exitCode = await run(readOptions());
} catch (error) {
  if (!(error instanceof BaseError)) throw error;
  console.error(`error: ${plainText(error.message, 2000)}\nhint: ${plainText(error.hint, 1000)}`);
  process.exitCode = 2;
}
