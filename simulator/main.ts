/**
 * Room: simulator/main. The simulator as a command. Parses arguments, reads the manifest, starts, prints one line of
 * JSON on stdout, and stops on SIGTERM or SIGINT.
 */
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { workloadIdOf } from "../protocol/attestationBinding.ts";
import { type Collateral, collateralFiles } from "../protocol/collateral/collateral.ts";
import { BaseError } from "../protocol/errors.ts";
import { BadAppComposeError, maxAppComposeBytes } from "./appCompose.ts";
import { toPem } from "./certificate.ts";
import type { MrConfigVersion } from "./mrConfigId.ts";
import { type SimulatorOptions, startSimulator } from "./startSimulator.ts";

const help = `Usage: node simulator/main.ts --app-compose FILE [options]

A software TDX platform: boots one dstack app and serves its guest agent, so that an unmodified
@phala/dstack-sdk works against it, and the collateral that its quotes are judged by, as a PCCS does.
Both are truly signed, under a throwaway root. SIMULATED: the host sees everything, so nothing is
confidential. Trust its root key in test deployments only.

  --app-compose FILE  the app's manifest; its raw bytes are measured
  --socket PATH       listen on a unix socket, readable by its owner only
  --port N            listen on 127.0.0.1; 0 picks a free port (the default without --socket)
  --pcs-port N        serve collateral on this port of 127.0.0.1; 0, the default, picks a free one
  --seed HEX          32 bytes that fix the platform: same root, keys and ids after a restart. Default: random
  --quote-form FORM   v4 (the default), v5-td10 or v5-td15: version of quotes, and of the TD report in them
  --mr-config N       version of MRCONFIGID: 1 (the default), 2 or 3
  --out DIR           also write simulator.json (the line below), root.pem, pck-issuer.pem, pck-leaf.pem and
                      collateral/ (what is served now, a file a part) there
  --help              this text

Prints one JSON line when ready: {"simulated", "rootKey", "endpoint", "pcsUrl", "socket", "workloadId", "workload"}.
rootKey is what TdxCollateral is deployed with; endpoint is what the SDK takes; under pcsUrl lie
/sgx/certification/v4/pckcrl, /sgx/certification/v4/rootcacrl, /tdx/certification/v4/tcb and
/tdx/certification/v4/qe/identity:

  node simulator/main.ts --app-compose deploy/app-compose.json --port 8090
  DSTACK_SIMULATOR_ENDPOINT=http://127.0.0.1:8090 node my-app.ts

SIGTERM or SIGINT stops it and removes the socket.
`;

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === "help") {
    process.stdout.write(help);
    return;
  }
  const simulator = await startSimulator({ ...options.start, appCompose: await readManifest(options.appComposePath) });
  process.stderr.write("SIMULATED platform: its quotes prove nothing about confidentiality.\n");
  const { workload, certificates } = simulator.platform;
  const line = `${JSON.stringify({
    simulated: true,
    rootKey: simulator.rootKey,
    endpoint: simulator.endpoint,
    pcsUrl: simulator.pcsUrl,
    socket: options.start.socketPath ?? null,
    workloadId: workloadIdOf(workload),
    workload,
  })}\n`;
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void simulator.close());
  if (options.outDir !== undefined) {
    await mkdir(options.outDir, { recursive: true });
    await writeFile(join(options.outDir, "root.pem"), toPem(certificates.root));
    await writeFile(join(options.outDir, "pck-issuer.pem"), toPem(certificates.pckIssuer));
    await writeFile(join(options.outDir, "pck-leaf.pem"), toPem(certificates.pckLeaf));
    await writeCollateral(join(options.outDir, "collateral"), simulator.current());
    await writeFile(join(options.outDir, "simulator.json"), line);
  }
  process.stdout.write(line);
}

async function writeCollateral(folder: string, collateral: Collateral): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [part, file] of Object.entries(collateralFiles) as [keyof Collateral, string][]) {
    await writeFile(join(folder, file), collateral[part]);
  }
}

type Options = {
  appComposePath: string;
  outDir: string | undefined;
  start: Omit<SimulatorOptions, "appCompose">;
};

function readOptions(args: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  if (values["app-compose"] === undefined) throw new UsageError("--app-compose is missing");
  const { socket, seed } = values;
  const port = readPort("port", values.port);
  const pcsPort = readPort("pcs-port", values["pcs-port"]);
  const quoteForm = readChoice("quote-form", values["quote-form"], ["v4", "v5-td10", "v5-td15"] as const);
  const mrConfig = readChoice("mr-config", values["mr-config"], ["1", "2", "3"] as const);
  if (seed !== undefined && !/^(0x)?[0-9a-fA-F]{64}$/.test(seed))
    throw new UsageError("--seed is not 64 digits of hex");
  return {
    appComposePath: values["app-compose"],
    outDir: values.out,
    start: {
      ...(socket === undefined ? {} : { socketPath: socket }),
      ...(port === undefined ? {} : { port }),
      ...(pcsPort === undefined ? {} : { pcsPort }),
      ...(quoteForm === undefined ? {} : { quoteForm }),
      ...(mrConfig === undefined ? {} : { mrConfigVersion: Number(mrConfig) as MrConfigVersion }), // one of the choices
      ...(seed === undefined ? {} : { seed: Uint8Array.from(Buffer.from(seed.replace(/^0x/, ""), "hex")) }),
    },
  };
}

function readPort(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError(`--${option} is not a number from 0 to 65535`);
  }
  return Number(text);
}

function readChoice<Choice extends string>(
  option: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  const choice = choices.find((known) => known === text);
  if (text !== undefined && choice === undefined) throw new UsageError(`--${option} is not ${choices.join(", ")}`);
  return choice;
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        "app-compose": text,
        socket: text,
        port: text,
        "pcs-port": text,
        seed: text,
        "quote-form": text,
        "mr-config": text,
        out: text,
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw new UsageError("an argument is unknown or lacks its value", cause);
  }
}

/** Reads the raw text: a byte order mark stays, since it is measured. */
async function readManifest(path: string): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(path, { end: maxAppComposeBytes })) chunks.push(chunk);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new BadAppComposeError(`${path} cannot be read as UTF-8`, cause);
  }
}

/** The command line is wrong. */
class UsageError extends BaseError {
  override readonly name = "Simulator.UsageError";
  constructor(detail: string, cause?: unknown) {
    super(`Wrong usage: ${detail}.`, { hint: "Run `node simulator/main.ts --help`.", cause });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BaseError)) throw error;
  process.stderr.write(`${error.name}: ${error.message}\n${error.hint}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
