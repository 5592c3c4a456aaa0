/**
 * Room: simulator/main. The simulator as a command. Parses arguments, reads the manifest, starts, prints one line of
 * JSON on stdout, and stops on SIGTERM or SIGINT.
 */
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { workloadIdOf } from "../protocol/attestationBinding.ts";
import { BaseError } from "../protocol/errors.ts";
import { BadAppComposeError, maxAppComposeBytes } from "./appCompose.ts";
import { toPem } from "./certificate.ts";
import { startSimulator } from "./startSimulator.ts";

const help = `Usage: node simulator/main.ts --app-compose FILE [options]

A software TDX platform: boots one dstack app and serves its guest agent, so that an unmodified
@phala/dstack-sdk works against it. Quotes are truly signed, under a throwaway root. SIMULATED: the host
sees everything, so nothing is confidential. Trust its root key in test deployments only.

  --app-compose FILE  the app's manifest; its raw bytes are measured
  --socket PATH       listen on a unix socket, readable by its owner only
  --port N            listen on 127.0.0.1; 0 picks a free port (the default without --socket)
  --seed HEX          32 bytes that fix the platform: same root, keys and ids after a restart. Default: random
  --out DIR           also write simulator.json (the line below), root.pem, pck-issuer.pem and pck-leaf.pem there
  --help              this text

Prints one JSON line when ready: {"simulated", "rootKey", "endpoint", "socket", "workloadId", "workload"}.
rootKey is what TdxVerifier is deployed with; endpoint is what the SDK takes:

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
    await writeFile(join(options.outDir, "simulator.json"), line);
  }
  process.stdout.write(line);
}

type Options = {
  appComposePath: string;
  outDir: string | undefined;
  start: { socketPath?: string; port?: number; seed?: Uint8Array };
};

function readOptions(args: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  if (values["app-compose"] === undefined) throw new UsageError("--app-compose is missing");
  const { socket, port, seed } = values;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) < 65_536)) {
    throw new UsageError("--port is not a number from 0 to 65535");
  }
  if (seed !== undefined && !/^(0x)?[0-9a-fA-F]{64}$/.test(seed))
    throw new UsageError("--seed is not 64 digits of hex");
  return {
    appComposePath: values["app-compose"],
    outDir: values.out,
    start: {
      ...(socket === undefined ? {} : { socketPath: socket }),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(seed === undefined ? {} : { seed: Uint8Array.from(Buffer.from(seed.replace(/^0x/, ""), "hex")) }),
    },
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: { "app-compose": text, socket: text, port: text, seed: text, out: text, help: { type: "boolean" } },
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
