/** Room: cli/commands/cvm. `dcm cvm`: dstack VMs, examined from files. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { UsageError } from "../failure.ts";
import { answer, type GlobalOptions, type Output } from "../output.ts";
import { id, integer, texts } from "../parse.ts";

type VerifyOptions = GlobalOptions & {
  quote: string;
  eventLog?: string;
  appCompose?: string;
  info?: string;
  mrConfig?: string;
  at?: number;
  root?: string;
  collateral?: string;
  allowEnv?: string[];
  acceptScript?: Hex[];
  allowOsImage?: Hex[];
  expectComposeHash?: Hex;
  expectWorkload?: Hex;
};

/**
 * Adds the commands.
 *
 * @example
 * addCvmCommands(program)
 */
export function addCvmCommands(program: Command): void {
  const example = "\nExample:\n  $ dcm cvm verify --quote quote.json --app-compose app-compose.json --info info.json";
  const cvms = program.command("cvm").description("examine dstack VMs, offline").addHelpText("after", example);

  cvms
    .command("verify")
    .description("check a dstack VM from files; exit code 0: all verified, 1: something is false, 2: something is open")
    .requiredOption("--quote <file>", "quote: raw, hex, or GetQuote's answer (its event_log is used too)")
    .option("--event-log <file>", "event log, JSON; else the one in the quote's answer, else in Info")
    .option("--app-compose <file>", "app-compose.json, unchanged: its bytes are hashed; else the one in Info")
    .option("--info <file>", "Info's answer, or its tcb_info")
    .option("--mr-config <file>", "what MRCONFIGID of version 2 or 3 commits to; else the host's, else the log's")
    .option(
      "--collateral <dir>",
      "Intel's collateral, as for `dcm quote verify`; without it the patch level stays open",
    )
    .option("--at <unix>", "when certificates and collateral must be valid; default: now", integer(0, 253_402_300_799))
    .option("--root <file>", "root CA certificate, DER or PEM, instead of Intel's: SIMULATED platforms only")
    .option("--allow-env <name...>", "environment variable that the host may set", texts)
    .option("--accept-script <sha256...>", "SHA-256 of a script of the manifest that you have read", hashes)
    .option("--allow-os-image <hash...>", "os-image-hash that you trust", hashes)
    .option("--expect-compose-hash <hash>", "compose hash that must have been measured", hash)
    .option("--expect-workload <id>", "workload that must have been measured", id)
    .addHelpText(
      "after",
      `
Nothing is fetched, and nothing that the files say is believed unless the quote's signature covers it.
${example}
  $ dcm cvm verify --quote quote.bin --event-log log.json --allow-env RPC_URL --expect-workload 0x${"12".repeat(32)}`,
    )
    .action(answer(verify));
}

async function verify(options: VerifyOptions): Promise<Output> {
  const { collateral, evidence, rootKey } = await readInputs(options);
  const { collateralJudge } = await import("../../sdk/cvm/collateralJudge.ts");
  const { verifyCvm } = await import("../../sdk/cvm/verifyCvm.ts");
  const { formatCvm } = await import("../../sdk/cvm/formatCvm.ts");
  const report = await verifyCvm(evidence, {
    rootKey,
    at: options.at ?? Math.floor(Date.now() / 1000),
    allowedEnvs: options.allowEnv ?? [],
    acceptedScripts: options.acceptScript ?? [],
    allowedOsImages: options.allowOsImage ?? [],
    expectedComposeHash: options.expectComposeHash,
    expectedWorkload: options.expectWorkload,
    judge: collateral && collateralJudge(collateral),
  });
  const verdicts = new Set(report.lines.map((line) => line.verdict));
  const exitCode = verdicts.has("not verified") ? 1 : verdicts.has("cannot be verified") ? 2 : 0;
  return { json: report, text: formatCvm(report).trimEnd(), simulated: report.simulated, exitCode };
}

/** Files that cannot be read leave the question open: exit code 2. */
async function readInputs({ appCompose, collateral, eventLog, info, mrConfig, quote, root }: VerifyOptions) {
  const { readBounded } = await import("../../sdk/node/files.ts");
  const { maxEvidenceSize, readEventLogFile, readInfo, readQuoteAnswer } = await import("../../sdk/cvm/evidence.ts");
  const { intelRootKey } = await import("../../protocol/deployment.ts");
  const { readCollateralDir } = await import("../../sdk/node/collateralFiles.ts");
  const { readRootFile } = await import("../../sdk/node/quoteFile.ts");
  const { readCertificate } = await import("../../protocol/quote/certificate.ts");
  const { bytesToHex } = await import("viem");
  const read = async <T>(path: string | undefined, parse: (bytes: Uint8Array) => T) =>
    path === undefined ? undefined : parse(await readBounded(path, maxEvidenceSize));
  const raw = (bytes: Uint8Array) => bytes;
  try {
    const evidence = {
      answer: readQuoteAnswer(await readBounded(quote, maxEvidenceSize)),
      eventLog: await read(eventLog, readEventLogFile),
      appCompose: await read(appCompose, raw),
      info: await read(info, readInfo),
      mrConfig: await read(mrConfig, raw),
    };
    return {
      evidence,
      rootKey: root === undefined ? intelRootKey : bytesToHex(readCertificate(await readRootFile(root)).publicKey),
      collateral: collateral === undefined ? undefined : await readCollateralDir(collateral),
    };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw new UsageError(`Cannot be checked: ${cause.message}`, { hint: cause.hint, cause });
  }
}

/** dstack and sha256sum write hashes without 0x. */
function hash(text: string): Hex {
  return id(/^[0-9a-fA-F]{64}$/.test(text) ? `0x${text}` : text);
}

function hashes(text: string, previous: readonly Hex[] = []): Hex[] {
  return [...previous, hash(text)];
}
