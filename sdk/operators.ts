/**
 * Room: sdk/operators. What an operator says of its enclaves: who may register them, and which are over.
 */
import type { Address, Hex } from "viem";
import { enclaveRegistryAbi } from "../protocol/abi.ts";
import { domainOf, operatorAuthorizationTypes } from "../protocol/eip712.ts";
import { BaseError } from "../protocol/errors.ts";
import { toTypedError } from "./chainErrors.ts";
import { type Client, walletOf } from "./client.ts";
import { chainTime } from "./grants.ts";
import { type Sent, send } from "./send.ts";

/** Longest consent, in days. */
export const maxConsentDays = 3650;

/** A signed consent; as a worker takes it, see `readOperatorAuthorization`. */
export type SignedAuthorization = { operator: Address; agent: Address; validUntil: bigint; signature: Hex };

/**
 * Signs that `agent`, a worker's gas wallet, may register enclaves in the wallet's name. Sends nothing.
 *
 * @param days - how long it holds, by the chain's clock; 1 to {@link maxConsentDays}.
 * @throws {@link BadConsentLifeError} | NoWalletError | any of `chainErrors`
 * @example
 * const { validUntil, signature } = await authorizeAgent(client, gasWallet, 365)
 */
export async function authorizeAgent(client: Client, agent: Address, days: number): Promise<SignedAuthorization> {
  if (!Number.isInteger(days) || days < 1 || days > maxConsentDays) throw new BadConsentLifeError(days);
  const wallet = walletOf(client);
  const operator = wallet.account.address;
  const validUntil = (await chainTime(client)) + BigInt(days) * 86_400n;
  const { chainId, contracts } = client.deployment;
  try {
    const signature = await wallet.signTypedData({
      account: wallet.account,
      domain: domainOf(chainId, contracts.enclaveRegistry),
      types: operatorAuthorizationTypes,
      primaryType: "OperatorAuthorization",
      message: { operator, agent, validUntil },
    });
    return { operator, agent, validUntil, signature };
  } catch (cause) {
    throw toTypedError(cause);
  }
}

/**
 * Ends the registration of one of the wallet's enclaves, for good.
 *
 * @throws any error of `send`: EnclaveRegistry_NotOperator, EnclaveRegistry_Ended
 * @example
 * const { hash } = await retireEnclave(client, signingKey)
 */
export async function retireEnclave(client: Client, signingKey: Address): Promise<Sent> {
  const address = client.deployment.contracts.enclaveRegistry;
  const call = { address, abi: enclaveRegistryAbi, functionName: "retire", args: [signingKey] } as const;
  const { hash, gasUsed, blockNumber } = await send(client, call);
  return { hash, gasUsed, blockNumber };
}

/** A consent is asked for that would hold for no time, or for too long. */
export class BadConsentLifeError extends BaseError {
  override readonly name = "Operators.BadConsentLifeError";
  constructor(days: number) {
    super(`An authorization cannot hold for ${days} days.`, { hint: `Give 1 to ${maxConsentDays} whole days.` });
  }
}
