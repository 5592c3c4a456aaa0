/**
 * Room: sdk/client. One connection to one deployment: what every function of the sdk takes first.
 * May import: protocol. Must not import: enclave, cli, node:*.
 */
import {
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  type LocalAccount,
  type PublicClient,
  type Transport,
  type WalletClient,
} from "viem";
import type { Deployment } from "../protocol/deployment.ts";
import { type Domain, domainOf } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { toTypedError } from "./chainErrors.ts";

/** A wallet that signs and sends. */
export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/** A connection to one deployment, with or without a wallet. */
export type Client = {
  chain: PublicClient<Transport, Chain>;
  deployment: Deployment;
  /** EIP-712 domain of orders, grants and receipts: the JobMarket's. */
  marketDomain: Domain;
  wallet?: Wallet;
};

/** What {@link createClient} needs; give `account` (a key held here) or `wallet` (e.g. a browser's), or neither to read. */
export type ClientOptions = {
  rpcUrl: string;
  deployment: Deployment;
  account?: LocalAccount;
  wallet?: Wallet;
  /** How often a sent transaction is looked for, in milliseconds. */
  pollingIntervalMs?: number;
  /** Longest wait for one answer of the RPC, in milliseconds. */
  timeoutMs?: number;
};

/**
 * Connects to a deployment and checks that the RPC serves its chain.
 *
 * @throws {@link BadRpcUrlError} | {@link WrongChainError} | RpcError
 * @example
 * const client = await createClient({ rpcUrl: "http://127.0.0.1:8545", deployment, account })
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const {
    rpcUrl,
    deployment,
    account,
    pollingIntervalMs: pollingInterval = 500,
    timeoutMs: timeout = 20_000,
  } = options;
  if (!/^https?:\/\//.test(rpcUrl) || !URL.canParse(rpcUrl)) throw new BadRpcUrlError();
  const chain = defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: "native coin", symbol: "native", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const transport = http(rpcUrl, { timeout, retryCount: 2 });
  const common = { chain, transport, pollingInterval, cacheTime: 0 } as const;
  const publicClient = createPublicClient(common);
  const wallet = options.wallet ?? (account === undefined ? undefined : createWalletClient({ ...common, account }));
  await requireChain(publicClient, deployment.chainId);
  const marketDomain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  return { chain: publicClient, deployment, marketDomain, ...(wallet === undefined ? {} : { wallet }) };
}

async function requireChain(chain: PublicClient<Transport, Chain>, expected: number): Promise<void> {
  const actual = await chain.getChainId().catch((cause) => {
    throw toTypedError(cause);
  });
  if (actual !== expected) throw new WrongChainError(actual, expected);
}

/**
 * The wallet of a client.
 *
 * @throws {@link NoWalletError} if the client can only read.
 * @example
 * const { address } = walletOf(client).account
 */
export function walletOf(client: Client): Wallet {
  if (client.wallet === undefined) throw new NoWalletError();
  return client.wallet;
}

/**
 * The address that signs and pays.
 *
 * @throws {@link NoWalletError} if the client can only read.
 * @example
 * const me = addressOf(client)
 */
export function addressOf(client: Client): Address {
  return walletOf(client).account.address;
}

/** The RPC serves another chain than the deployment is on. */
export class WrongChainError extends BaseError {
  override readonly name = "Client.WrongChainError";
  constructor(actual: number, expected: number) {
    super(`The RPC serves chain ${actual}, the deployment is on chain ${expected}.`, {
      hint: "Use an RPC of the deployment's chain, or the deployment file of the RPC's chain.",
    });
  }
}

/** The RPC URL cannot be used. The URL is not repeated: it may hold an access key. */
export class BadRpcUrlError extends BaseError {
  override readonly name = "Client.BadRpcUrlError";
  constructor() {
    super("The RPC URL is not an http or https URL.", { hint: "Give one like http://127.0.0.1:8545." });
  }
}

/** The action needs a wallet and the client has none. */
export class NoWalletError extends BaseError {
  override readonly name = "Client.NoWalletError";
  constructor() {
    super("This needs a wallet, and none is connected.", { hint: "Give createClient an `account` or a `wallet`." });
  }
}
