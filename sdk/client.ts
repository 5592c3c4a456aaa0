/**
 * Room: sdk/client. One connection to one deployment: what every function of the sdk takes first.
 * May import: protocol. Must not import: enclave, cli, node:*.
 */
import {
  type Account,
  type Address,
  type Chain,
  concatHex,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  isAddressEqual,
  type LocalAccount,
  type PublicClient,
  type Transport,
  type WalletClient,
} from "viem";
import { enclaveRegistryAbi, jobMarketAbi, tdxVerifierAbi } from "../protocol/abi.ts";
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
 * Connects to a deployment; checks that the RPC serves its chain and that the contracts are as its file says.
 *
 * @throws {@link BadRpcUrlError} | {@link WrongChainError} | {@link WrongDeploymentError} | NoContractError | RpcError
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
  await requireDeployment(publicClient, deployment);
  const marketDomain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  return { chain: publicClient, deployment, marketDomain, ...(wallet === undefined ? {} : { wallet }) };
}

/** The file's word is not enough: contracts under another root would take enclaves that keep nothing secret. */
async function requireDeployment(chain: PublicClient<Transport, Chain>, deployment: Deployment): Promise<void> {
  const { tdxCollateral, tdxVerifier, enclaveRegistry, datasetRegistry, jobMarket } = deployment.contracts;
  const typed = (cause: unknown) => {
    throw toTypedError(cause);
  };
  const chainId = await chain.getChainId().catch(typed);
  if (chainId !== deployment.chainId) throw new WrongChainError(chainId, deployment.chainId);
  const market = { address: jobMarket, abi: jobMarketAbi } as const;
  const registry = { address: enclaveRegistry, abi: enclaveRegistryAbi } as const;
  const verifier = { address: tdxVerifier, abi: tdxVerifierAbi } as const;
  const [enclaves, datasets, verifierOfRegistry, collateral, root] = await Promise.all([
    chain.readContract({ ...market, functionName: "enclaves" }),
    chain.readContract({ ...market, functionName: "datasets" }),
    chain.readContract({ ...registry, functionName: "verifier" }),
    chain.readContract({ ...verifier, functionName: "collateral" }),
    chain.readContract({ ...verifier, functionName: "rootKey" }),
  ]).catch(typed);
  if (!isAddressEqual(enclaves, enclaveRegistry))
    throw new WrongDeploymentError("the market has another enclave registry");
  if (!isAddressEqual(datasets, datasetRegistry))
    throw new WrongDeploymentError("the market has another data set registry");
  if (!isAddressEqual(verifierOfRegistry, tdxVerifier))
    throw new WrongDeploymentError("the registry has another verifier");
  if (!isAddressEqual(collateral, tdxCollateral)) throw new WrongDeploymentError("the verifier has another collateral");
  if (concatHex(root) !== deployment.rootKey) throw new WrongDeploymentError("the verifier has another root key");
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

/** The contracts on chain are not those that the deployment file describes. */
export class WrongDeploymentError extends BaseError {
  override readonly name = "Client.WrongDeploymentError";
  constructor(fact: string) {
    super(`The deployment file is not true: ${fact}.`, {
      hint: "Do not use it. Take the file from whoever deployed, over a way that you trust.",
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
