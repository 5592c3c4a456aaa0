/**
 * Room: cli/context. Configuration: flags first, then the environment. No default for an RPC, a deployment or a key.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Hex } from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { BaseError } from "../protocol/errors.ts";
import type { Client } from "../sdk/client.ts";
import type { Home } from "../sdk/node/home.ts";
import { UsageError } from "./failure.ts";
import type { GlobalOptions } from "./output.ts";
import { readSecretLine } from "./prompt.ts";

const maxDeploymentBytes = 64 * 1024;
const maxPasswordBytes = 4 * 1024;

/** A connection that can only read. */
export type ReadContext = { client: Client; simulated: boolean };

/** A connection with the wallet and its home. */
export type WalletContext = ReadContext & { home: Home };

/**
 * Connects without a wallet.
 *
 * @throws {@link UsageError} if configuration is missing
 * @example
 * const { client, simulated } = await connect(options)
 */
export async function connect(options: GlobalOptions): Promise<ReadContext> {
  return await connectWith(options);
}

/**
 * Connects with the wallet of the keystore or of DCM_PRIVATE_KEY.
 *
 * @throws {@link UsageError} if configuration is missing
 * @example
 * const { client, home } = await connectWallet(options)
 */
export async function connectWallet(options: GlobalOptions): Promise<WalletContext> {
  requireConnection(options); // before a password is asked for
  const privateKey = await privateKeyOf(options);
  const context = await connectWith(options, privateKey);
  return { ...context, home: await openHomeWith(options, privateKey, context.client.deployment) };
}

/**
 * The home of the configured wallet, for what needs no chain.
 *
 * @throws {@link UsageError} | errors of the keystore
 * @example
 * const home = await homeWith(options, await deploymentOf(options))
 */
export async function homeWith(options: GlobalOptions, deployment: Deployment): Promise<Home> {
  return await openHomeWith(options, await privateKeyOf(options), deployment);
}

async function openHomeWith(options: GlobalOptions, privateKey: Hex, deployment: Deployment): Promise<Home> {
  const { openHome } = await import("../sdk/node/home.ts");
  return await openHome({ directory: homeOf(options), privateKey, deployment });
}

/**
 * Whether a deployment is configured.
 *
 * @example
 * if (isDeploymentNamed(options)) await deploymentOf(options)
 */
export function isDeploymentNamed(options: GlobalOptions): boolean {
  return Boolean(options.deployment ?? process.env.DCM_DEPLOYMENT);
}

/**
 * Whether a wallet is configured without asking for anything.
 *
 * @example
 * if (hasWallet(options)) await connectWallet(options)
 */
export function hasWallet(options: GlobalOptions): boolean {
  return options.keystore !== undefined || Boolean(process.env.DCM_PRIVATE_KEY || process.env.DCM_KEYSTORE);
}

/**
 * The directory of keys and grants.
 *
 * @example
 * const directory = homeOf(options)
 */
export function homeOf(options: GlobalOptions): string {
  return options.home ?? (process.env.DCM_HOME || join(homedir(), ".dcm"));
}

/**
 * The keystore file that is meant; it need not exist.
 *
 * @example
 * const path = keystoreOf(options)
 */
export function keystoreOf(options: GlobalOptions): string {
  return options.keystore ?? (process.env.DCM_KEYSTORE || join(homeOf(options), "keystore.json"));
}

/**
 * The wallet's private key: --keystore, else DCM_PRIVATE_KEY, else DCM_KEYSTORE or the home's keystore.
 *
 * @throws {@link UsageError} | {@link BadPrivateKeyError} | any error of `openKeystore`
 * @example
 * const account = privateKeyToAccount(await privateKeyOf(options))
 */
export async function privateKeyOf(options: GlobalOptions): Promise<Hex> {
  if (options.keystore === undefined && process.env.DCM_PRIVATE_KEY) return readPrivateKey(process.env.DCM_PRIVATE_KEY);
  const path = keystoreOf(options);
  const { access } = await import("node:fs/promises");
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    throw new UsageError(`There is no wallet: neither DCM_PRIVATE_KEY nor the keystore ${path}.`, {
      hint: "Make one with `dcm keys new`, or name one with --keystore FILE or DCM_KEYSTORE.",
    });
  }
  const { openKeystore } = await import("../sdk/node/keystore.ts");
  return await openKeystore(path, await passwordOf(options, `Password of ${path}: `));
}

/**
 * A private key as given in the environment.
 *
 * @throws {@link BadPrivateKeyError}
 * @example
 * const key = readPrivateKey(process.env.DCM_PRIVATE_KEY ?? "")
 */
export function readPrivateKey(text: string): Hex {
  const hex = text.trim().replace(/^0x/i, "").toLowerCase();
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new BadPrivateKeyError();
  const value = BigInt(`0x${hex}`);
  if (value === 0n || value >= order) throw new BadPrivateKeyError();
  return `0x${hex}`;
}

/**
 * The keystore's password: --password-file, else DCM_PASSWORD, else asked for on a terminal.
 *
 * @param isNew - asked for twice: a typing error in a new one would lock the wallet for ever.
 * @throws {@link UsageError} if there is none and nobody to ask, or the two differ
 * @example
 * const password = await passwordOf(options, "Password: ")
 */
export async function passwordOf(options: GlobalOptions, question: string, isNew: boolean = false): Promise<string> {
  if (options.passwordFile !== undefined) {
    const { readText } = await import("../sdk/node/files.ts");
    return (await readText(options.passwordFile, maxPasswordBytes)).split(/\r?\n/, 1)[0] ?? "";
  }
  if (process.env.DCM_PASSWORD) return process.env.DCM_PASSWORD;
  const password = await readSecretLine(question);
  if (isNew && (await readSecretLine("The same again: ")) !== password)
    throw new UsageError("The two passwords differ.", { hint: "Run the command again; nothing was written." });
  return password;
}

function requireConnection(options: GlobalOptions): { rpcUrl: string; file: string } {
  const rpcUrl = options.rpc ?? process.env.DCM_RPC_URL;
  if (!rpcUrl) {
    throw new UsageError("The RPC of the chain is not configured.", { hint: "Give --rpc URL or set DCM_RPC_URL." });
  }
  return { rpcUrl, file: deploymentFileOf(options) };
}

function deploymentFileOf(options: GlobalOptions): string {
  const file = options.deployment ?? process.env.DCM_DEPLOYMENT;
  if (!file) {
    throw new UsageError("The deployment is not configured.", {
      hint: "Give --deployment FILE or set DCM_DEPLOYMENT: the JSON file that names the contracts.",
    });
  }
  return file;
}

/**
 * The configured deployment, for what needs no chain.
 *
 * @throws {@link UsageError} if none is configured | {@link BadDeploymentError} | FileUnreadableError
 * @example
 * const { contracts } = await deploymentOf(options)
 */
export async function deploymentOf(options: GlobalOptions): Promise<Deployment> {
  return await readDeployment(deploymentFileOf(options));
}

async function connectWith(options: GlobalOptions, privateKey?: Hex): Promise<ReadContext> {
  const { rpcUrl, file } = requireConnection(options);
  const deployment = await readDeployment(file);
  const { isSimulated } = await import("../protocol/deployment.ts");
  const { createClient } = await import("../sdk/client.ts");
  const { privateKeyToAccount } = await import("viem/accounts");
  const account = privateKey === undefined ? {} : { account: privateKeyToAccount(privateKey) };
  return { client: await createClient({ rpcUrl, deployment, ...account }), simulated: isSimulated(deployment) };
}

async function readDeployment(file: string): Promise<Deployment> {
  const { readText } = await import("../sdk/node/files.ts");
  const { deploymentSchema } = await import("../protocol/deployment.ts");
  const text = await readText(file, maxDeploymentBytes);
  try {
    return deploymentSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BadDeploymentError(file, cause);
  }
}

/** The deployment file cannot be used. */
export class BadDeploymentError extends BaseError {
  override readonly name = "Cli.BadDeploymentError";
  constructor(file: string, cause: unknown) {
    super(`${file} is not a deployment file.`, {
      hint: "It holds chainId, fromBlock, contracts and rootKey; take the one of the deployment you mean.",
      cause,
    });
  }
}

/** DCM_PRIVATE_KEY is not a private key. Its value is not repeated. */
export class BadPrivateKeyError extends BaseError {
  override readonly name = "Cli.BadPrivateKeyError";
  constructor() {
    super("DCM_PRIVATE_KEY is not a private key.", { hint: "It must be 0x and 32 bytes of hex." });
  }
}
