/**
 * Room: enclave/config. Reads the worker's environment. The host sets it, so nothing here may divert data or decide
 * whom to trust: the contracts' addresses are bound into the quote and into every signature.
 */
import { readFileSync } from "node:fs";
import { isAddressEqual } from "viem";
import { z } from "zod";
import type { HeadPolicy } from "../protocol/chain/viemSource.ts";
import { type Deployment, deploymentSchema } from "../protocol/deployment.ts";
import type { SignedOffer } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { signedOfferSchema } from "../protocol/offerJson.ts";
import { type GivenAuthorization, readOperatorAuthorization } from "../protocol/operatorAuthorization.ts";
import { address } from "../protocol/schemas.ts";

const headPolicy = z.union([
  z.enum(["latest", "safe", "finalized"]),
  z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform((digits) => ({ confirmations: Number(digits) })),
]);

/** `0xToken:amount,...` as amounts by lowercase token. */
const amounts = z
  .string()
  .max(4096)
  .regex(/^0x[0-9a-fA-F]{40}:[0-9]{1,78}(,0x[0-9a-fA-F]{40}:[0-9]{1,78})*$/, "must be 0xTOKEN:AMOUNT,...")
  .transform((text): Readonly<Record<string, bigint>> => {
    const pairs = text.split(",").map((pair) => pair.split(":"));
    return Object.fromEntries(pairs.map(([token = "", amount = ""]) => [token.toLowerCase(), BigInt(amount)]));
  });

/** As deeply read as it can be without a chain: a mistake in it shows at once, not when the worker registers. */
const authorization = z.string().transform((text, context): GivenAuthorization => {
  try {
    return readOperatorAuthorization(text);
  } catch (error) {
    context.addIssue(error instanceof BaseError ? error.message : "unreadable");
    return z.NEVER;
  }
});

const environmentSchema = z.object({
  RPC_URL: z.url({ protocol: /^https?$/ }).describe("JSON-RPC endpoint of the chain"),
  DEPLOYMENT_FILE: z.string().min(1).describe("path of the deployment file (JSON), unless DEPLOYMENT is set"),
  DEPLOYMENT: z.string().max(16_384).optional().describe("the deployment itself (JSON), where no file can be given"),
  OPERATOR_ADDRESS: address.describe("address that is paid the fees"),
  OPERATOR_AUTHORIZATION: authorization
    .optional()
    .describe("the operator's consent, as `dcm operator authorize` prints it; not needed if it is the gas wallet"),
  COLLATERAL_URL: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional()
    .describe("PCS or PCCS to fetch Intel's collateral from; whose it is does not matter, the chain checks signatures"),
  ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .max(256)
    .describe("URL under which others reach this worker"),
  LISTEN: z
    .string()
    .regex(/^[^:]+:[0-9]{1,5}$/)
    .describe("host:port to listen on, e.g. 0.0.0.0:8080"),
  DATA_DIR: z.string().min(1).describe("folder for the cursor, receipts and ciphertexts; holds no secret"),
  HEAD_POLICY: headPolicy
    .default("finalized")
    .describe("blocks acted on: latest, safe, finalized or a number of confirmations"),
  POLL_MS: z.coerce
    .number()
    .int()
    .min(50)
    .max(600_000)
    .default(4_000)
    .describe("pause between two looks at the chain, ms"),
  GRANT_WAIT_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(300)
    .describe("how long a job waits for grants and blobs before it is failed and refunded"),
  FETCH_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(60)
    .describe("longest time for one fetch of a ciphertext or program; large ones get a second more for every 4 MiB"),
  FETCH_PRIVATE_ADDRESSES: z
    .enum(["allow", "refuse"])
    .default("refuse")
    .describe("whether ciphertexts may be fetched from private addresses and over plain http"),
  MIN_FEES: amounts
    .default({})
    .describe("least operator fees, base units: 0xTOKEN:AMOUNT,... (zero address: coin); all else is left alone"),
  MAX_BOND: amounts
    .default({})
    .describe(
      "most staked on a job that must be accepted, base units: 0xTOKEN:AMOUNT,...; jobs with more are left alone",
    ),
  MIN_DISPUTE_BOND: amounts
    .default({})
    .describe(
      "least bond of disputes in a session whose jobs are run, base units: 0xTOKEN:AMOUNT,...; in other tokens its operator fee",
    ),
  OFFER_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("path of the operator's signed offer, as `dcm` writes it; served at GET /offer"),
  OFFER: z.string().max(16_384).optional().describe("the signed offer itself (JSON), where no file can be given"),
  MAX_FEE_GWEI: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(500)
    .describe("most ever offered per unit of gas, gwei"),
  SANDBOX_SOCKET: z
    .string()
    .regex(/^\/.{1,100}$/)
    .optional()
    .describe("socket of the sandbox service, absolute path; not set: programs run in child processes of the worker"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info").describe("least level that is logged"),
});

/** The worker's configuration. */
export type Config = {
  rpcUrl: string;
  deployment: Deployment;
  operator: `0x${string}`;
  /** The operator's consent that the gas wallet registers in its name. */
  authorization: GivenAuthorization | undefined;
  /** Without a slash at the end. Not a URL that could divert data: what comes is signed, or refused by the contract. */
  collateralUrl: string | undefined;
  endpoint: string;
  host: string;
  port: number;
  dataDir: string;
  headPolicy: HeadPolicy;
  pollMs: number;
  grantWaitSeconds: number;
  fetchTimeoutSeconds: number;
  fetchPrivateAddresses: boolean;
  /** Least operator fee by lowercase token, in base units. If any is named, jobs in other tokens are left alone. */
  minFees: Readonly<Record<string, bigint>>;
  /** Most bond by lowercase token, in base units; nothing is staked in others. */
  maxBonds: Readonly<Record<string, bigint>>;
  /** Least dispute bond by lowercase token, in base units; in other tokens it is the session's operator fee. */
  minDisputeBonds: Readonly<Record<string, bigint>>;
  /** The operator's prices. Its signature is checked when the worker starts. */
  offer: SignedOffer | undefined;
  /** Wei per unit of gas. */
  maxFeePerGas: bigint;
  /** Where the sandbox service listens, to which data are given: literal in the measured compose file. Undefined: child processes. */
  sandboxSocket: string | undefined;
  logLevel: "debug" | "info" | "warn" | "error";
};

/**
 * Reads the configuration.
 *
 * @throws {@link ConfigError} naming every variable that is missing or wrong.
 * @example
 * const config = readConfig(process.env)
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // A compose file passes on what is not set as empty text.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const schema =
    given.DEPLOYMENT === undefined ? environmentSchema : environmentSchema.partial({ DEPLOYMENT_FILE: true });
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  }
  const env = parsed.data;
  const [host = "", port = ""] = env.LISTEN.split(":");
  // The schema takes care that there is one.
  const deployment = readDeployment(textOrFile("DEPLOYMENT", env.DEPLOYMENT, env.DEPLOYMENT_FILE) ?? { text: "" });
  const offer = textOrFile("OFFER", env.OFFER, env.OFFER_FILE);
  return {
    rpcUrl: env.RPC_URL,
    deployment,
    operator: env.OPERATOR_ADDRESS,
    authorization: env.OPERATOR_AUTHORIZATION,
    collateralUrl: env.COLLATERAL_URL?.replace(/\/+$/, ""),
    endpoint: env.ENDPOINT.replace(/\/$/, ""),
    host,
    port: Number(port),
    dataDir: env.DATA_DIR,
    headPolicy: env.HEAD_POLICY,
    pollMs: env.POLL_MS,
    grantWaitSeconds: env.GRANT_WAIT_SECONDS,
    fetchTimeoutSeconds: env.FETCH_TIMEOUT_SECONDS,
    fetchPrivateAddresses: env.FETCH_PRIVATE_ADDRESSES === "allow",
    minFees: env.MIN_FEES,
    maxBonds: env.MAX_BOND,
    minDisputeBonds: env.MIN_DISPUTE_BOND,
    offer: offer === undefined ? undefined : readOffer(offer, deployment),
    maxFeePerGas: BigInt(env.MAX_FEE_GWEI) * 10n ** 9n,
    sandboxSocket: env.SANDBOX_SOCKET,
    logLevel: env.LOG_LEVEL,
  };
}

/** JSON that is given as text, or as the path of a file. */
type Given = { text: string } | { path: string };

/** @throws {@link ConfigError} if both are given: which of them is meant would be a guess. */
function textOrFile(variable: string, text: string | undefined, path: string | undefined): Given | undefined {
  if (text !== undefined && path !== undefined)
    throw new ConfigError([`${variable}: set it or ${variable}_FILE, not both`]);
  if (text !== undefined) return { text };
  return path === undefined ? undefined : { path };
}

function parse(given: Given): unknown {
  return JSON.parse("text" in given ? given.text : readFileSync(given.path, "utf8"));
}

/** Its name in a message: of a text, only which variable it is. */
function named(variable: string, given: Given): string {
  return "text" in given ? `${variable}: the text` : `${variable}_FILE: ${given.path}`;
}

function readDeployment(from: Given): Deployment {
  try {
    return deploymentSchema.parse(parse(from));
  } catch (cause) {
    throw new ConfigError([`${named("DEPLOYMENT", from)} is not a readable deployment file`], cause);
  }
}

/** As `dcm` writes it: with what it is, and for which market. */
function readOffer(from: Given, { chainId, contracts }: Deployment): SignedOffer {
  const head = { v: z.literal(1), kind: z.literal("offer"), chainId: z.literal(chainId), jobMarket: address };
  const schema = z
    .strictObject({ ...head, ...signedOfferSchema.shape })
    .refine(({ jobMarket }) => isAddressEqual(jobMarket, contracts.jobMarket), "must be for the deployment's market");
  try {
    const { offer, signature } = schema.parse(parse(from));
    return { offer, signature };
  } catch (cause) {
    throw new ConfigError([`${named("OFFER", from)} is not a readable offer for the market of DEPLOYMENT_FILE`], cause);
  }
}

/**
 * Whether an order is worth this operator's gas and time.
 *
 * @param minFees - see {@link Config}; empty: every order is.
 * @example
 * paysEnough({ [token]: 1_000_000n }, order)
 */
export function paysEnough(
  minFees: Config["minFees"],
  { token, operatorFee }: { token: string; operatorFee: bigint },
): boolean {
  if (Object.keys(minFees).length === 0) return true;
  const least = minFees[token.toLowerCase()];
  return least !== undefined && operatorFee >= least;
}

/**
 * Help text: every variable, what it is, and its default.
 *
 * @example
 * console.log(configHelp())
 */
export function configHelp(): string {
  const rows = Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const standard =
      schema instanceof z.ZodDefault
        ? ` [${shown(schema.def.defaultValue)}]`
        : schema instanceof z.ZodOptional
          ? ""
          : " (required)";
    return `  ${name.padEnd(24)} ${schema.description ?? ""}${standard}`;
  });
  return rows.join("\n");
}

function shown(value: unknown): string {
  return typeof value === "object" ? "none" : String(value);
}

/** The environment does not say what the worker needs to know. */
export class ConfigError extends BaseError {
  override readonly name = "Config.ConfigError";
  constructor(problems: readonly string[], cause?: unknown) {
    super(`The environment is not complete:\n  ${problems.join("\n  ")}`, {
      hint: "Run `node enclave/main.ts --help` for the list of variables.",
      cause,
    });
  }
}
