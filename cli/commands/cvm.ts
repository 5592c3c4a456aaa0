/** Room: cli/commands/cvm. `dcm cvm`: dstack VMs, examined from files. */
import { type Command, InvalidArgumentError } from "commander";
import type { Address, Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";
import { deploymentOf } from "../context.ts";
import { UsageError } from "../failure.ts";
import { answer, type GlobalOptions, type Output } from "../output.ts";
import { id, integer, texts } from "../parse.ts";

type VerifyOptions = GlobalOptions & {
  quote?: string;
  attestation?: string;
  nonce?: Hex;
  block?: { number: bigint; hash: Hex };
  reportData?: Hex;
  expectBinding?: string;
  expectBuildManifest?: Hex;
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
  const cvms = program.command("cvm").description("examine dstack VMs").addHelpText("after", example);

  cvms
    .command("verify")
    .description(
      "check a dstack VM, or a worker; exit code 0: all verified, 1: something is false, 2: something is open",
    )
    .option("--quote <file>", "quote: raw, hex, or the answer of GetQuote or Attest (its event log is used too)")
    .option("--attestation <file|url>", "instead: a worker's answer to GET /attestation, or the worker's URL")
    .option("--nonce <nonce>", "with --attestation: the nonce you asked with; for a URL a random one by default", id)
    .option("--block <number:hash>", "with --attestation: the block that a registration's quote names", block)
    .option("--expect-binding <file>", "with --attestation: what you know of chain, registry, operator and keys, JSON")
    .option("--expect-build-manifest <sha256>", "with --attestation: SHA-256 of your own build's manifest", hash)
    .option("--report-data <hex>", "report data that the quote must have, up to 64 bytes", reportData)
    .option("--event-log <file>", "event log, JSON; else the one in the quote's answer, else in Info")
    .option("--app-compose <file>", "app-compose.json, unchanged: its bytes are hashed; else the one in Info")
    .option("--info <file>", "Info's answer, or its tcb_info")
    .option("--mr-config <file>", "what MRCONFIGID of version 2 or 3 commits to; else the host's, else the log's")
    .option(
      "--collateral <dir>",
      "Intel's collateral, as for `dcm quote verify`; without it the patch level stays open",
    )
    .option("--at <unix>", "when certificates and collateral must be valid; default: now", integer(0, 253_402_300_799))
    .option(
      "--root <file>",
      "root CA certificate, DER or PEM, instead of Intel's or --deployment's: SIMULATED platforms only",
    )
    .option("--allow-env <name...>", "environment variable that the host may set", texts)
    .option("--accept-script <sha256...>", "SHA-256 of a script of the manifest that you have read", hashes)
    .option("--allow-os-image <hash...>", "os-image-hash that you trust", hashes)
    .option("--expect-compose-hash <hash>", "compose hash that must have been measured", hash)
    .option("--expect-workload <id>", "workload that must have been measured", id)
    .addHelpText(
      "after",
      `
With --deployment FILE its root key, chain and registry are the expected ones.
Nothing is fetched but from the worker that you name, and nothing that the files say is believed unless the quote's signature covers it.
${example}
  $ dcm cvm verify --attestation https://worker.example --deployment deployment.json
  $ dcm cvm verify --quote quote.bin --event-log log.json --allow-env RPC_URL --expect-workload 0x${"12".repeat(32)}`,
    )
    .action(answer(verify));
}

async function verify(options: VerifyOptions): Promise<Output> {
  const { collateral, evidence, expectedBinding, nonce, rootKey } = await readInputs(options);
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
    expectedReportData: options.reportData,
    nonce,
    block: options.block,
    expectedBinding,
    expectedBuildManifest: options.expectBuildManifest,
    judge: collateral && collateralJudge(collateral),
  });
  const verdicts = new Set(report.lines.map((line) => line.verdict));
  const exitCode = verdicts.has("not verified") ? 1 : verdicts.has("cannot be verified") ? 2 : 0;
  return { json: report, text: formatCvm(report).trimEnd(), simulated: report.simulated, exitCode };
}

/** What cannot be read leaves the question open: exit code 2. */
async function readInputs(options: VerifyOptions) {
  const { attestation, collateral, expectBinding, quote, root } = options;
  requireSource(options);
  const { readBounded } = await import("../../sdk/node/files.ts");
  const { maxEvidenceSize, readQuoteAnswer } = await import("../../sdk/cvm/evidence.ts");
  const { readAttestation, readExpectedBinding } = await import("../../sdk/cvm/attestation.ts");
  const { intelRootKey } = await import("../../protocol/deployment.ts");
  const { readCollateralDir } = await import("../../sdk/node/collateralFiles.ts");
  const { readRootFile } = await import("../../sdk/node/quoteFile.ts");
  const { readCertificate } = await import("../../protocol/quote/certificate.ts");
  const { bytesToHex } = await import("viem");
  const file = (path: string) => readBounded(path, maxEvidenceSize);
  const nonce = options.nonce ?? (await nonceFor(options));
  const deployment = options.deployment === undefined ? undefined : await deploymentOf(options);
  const ownRoot = deployment?.rootKey ?? intelRootKey;
  try {
    const shown =
      attestation === undefined
        ? { answer: readQuoteAnswer(await file(quote ?? "")) }
        : readAttestation(isUrl(attestation) ? await askWorker(attestation, nonce) : await file(attestation));
    return {
      evidence: { ...shown, ...(await readParts(options)) },
      expectedBinding: {
        ...(deployment && {
          chainId: BigInt(deployment.chainId),
          registry: lowercase(deployment.contracts.enclaveRegistry),
        }),
        ...(expectBinding !== undefined && readExpectedBinding(await file(expectBinding))),
      },
      nonce,
      rootKey: root === undefined ? ownRoot : bytesToHex(readCertificate(await readRootFile(root)).publicKey),
      collateral: collateral === undefined ? undefined : await readCollateralDir(collateral),
    };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw new UsageError(`Cannot be checked: ${cause.message}`, { hint: cause.hint, cause });
  }
}

/** Only those that were named: they stand for what the answer says itself. */
async function readParts({ appCompose, eventLog, info, mrConfig }: VerifyOptions) {
  const { readBounded } = await import("../../sdk/node/files.ts");
  const { maxEvidenceSize, readEventLogFile, readInfo } = await import("../../sdk/cvm/evidence.ts");
  const file = (path: string) => readBounded(path, maxEvidenceSize);
  return {
    ...(eventLog !== undefined && { eventLog: readEventLogFile(await file(eventLog)) }),
    ...(appCompose !== undefined && { appCompose: await file(appCompose) }),
    ...(info !== undefined && { info: readInfo(await file(info)) }),
    ...(mrConfig !== undefined && { mrConfig: await file(mrConfig) }),
  };
}

function requireSource({ attestation, block, expectBinding, expectBuildManifest, nonce, quote }: VerifyOptions): void {
  if ((quote === undefined) === (attestation === undefined))
    throw new UsageError("Name one of --quote and --attestation.", { hint: "See dcm cvm verify --help." });
  if (nonce !== undefined && block !== undefined)
    throw new UsageError("--nonce and --block exclude each other.", {
      hint: "A quote that was asked for has a nonce, a registration's a block.",
    });
  if (quote !== undefined && [block, expectBinding, expectBuildManifest, nonce].some((given) => given !== undefined))
    throw new UsageError("--nonce, --block and --expect-binding are about a worker's attestation.", {
      hint: "Give --attestation, or say with --report-data what the quote must carry.",
    });
}

/** Whoever asks a worker asks for a quote of now. */
async function nonceFor({ attestation, block }: VerifyOptions): Promise<Hex | undefined> {
  if (attestation === undefined || !isUrl(attestation) || block !== undefined) return undefined;
  const { numberToHex } = await import("viem");
  const { randomUint256 } = await import("../../sdk/random.ts");
  return numberToHex(randomUint256(), { size: 32 });
}

async function askWorker(worker: string, nonce: Hex | undefined): Promise<Uint8Array> {
  const { boundedFetch, serverUrl } = await import("../../sdk/boundedFetch.ts");
  const { maxEvidenceSize } = await import("../../sdk/cvm/evidence.ts");
  const url = serverUrl(worker, "attestation");
  if (nonce !== undefined) url.searchParams.set("nonce", nonce);
  return await boundedFetch(url, { maxBytes: maxEvidenceSize });
}

function lowercase(address: Address): Address {
  return address.toLowerCase() as Address;
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

function block(text: string): { number: bigint; hash: Hex } {
  const [, number, blockHash] = /^([0-9]{1,15}):(.*)$/.exec(text) ?? [];
  if (number === undefined || blockHash === undefined)
    throw new InvalidArgumentError("It must be a block's number and its hash, like 17:0x...");
  return { number: BigInt(number), hash: id(blockHash) };
}

/** dstack takes up to 64 bytes, and its tools write them without 0x. */
function reportData(text: string): Hex {
  const digits = text.replace(/^0x/, "");
  if (!/^([0-9a-fA-F]{2}){1,64}$/.test(digits)) throw new InvalidArgumentError("It must be 1 to 64 bytes of hex.");
  return `0x${digits.toLowerCase()}`;
}

/** dstack and sha256sum write hashes without 0x. */
function hash(text: string): Hex {
  return id(/^[0-9a-fA-F]{64}$/.test(text) ? `0x${text}` : text);
}

function hashes(text: string, previous: readonly Hex[] = []): Hex[] {
  return [...previous, hash(text)];
}
