/**
 * Enclaves of a simulated platform on a real chain, for tests that hold the enclave's keys themselves: the platform's
 * collateral is pushed, the quote is truly signed, and what is sent is what a worker sends.
 */
import { type Hex, hexToBytes, keccak256 } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { enclaveRegistryAbi, tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import { registrationReportData } from "../../protocol/attestationBinding.ts";
import { evidenceReader } from "../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { domainOf, hashRegistration } from "../../protocol/eip712.ts";
import { buildEvidence, type EvidenceReader, type QuoteEvidence } from "../../protocol/quote/evidence.ts";
import { quotePlatformOf } from "../../protocol/quote/quotePlatform.ts";
import { addressOf, type Client } from "../../sdk/client.ts";
import { chainCallsOf, planFor, pushCollateral } from "../../sdk/collateral/collateralPlan.ts";
import { send } from "../../sdk/send.ts";
import type { Platform } from "../../simulator/platform.ts";

/** With the errors that come through the registry from below. */
export const registryAbi = [
  ...enclaveRegistryAbi,
  ...[...tdxVerifierAbi, ...tdxCollateralAbi].filter((item) => item.type === "error"),
] as const;

/** The keys of an enclave that a test plays. */
export type EnclaveKeys = { account: PrivateKeyAccount; vaultKey: Hex; endpoint: string };

/** Sends what the chain lacks to judge the platform by; nothing if it lacks nothing. */
export async function pushCollateralOf(
  client: Client,
  platform: Platform,
  collateral: Collateral = platform.collateral(),
): Promise<void> {
  const subject = quotePlatformOf(platform.quote(new Uint8Array(64)));
  await pushCollateral(client, (await planFor(client, subject, collateral, 3600)).steps);
}

/** Not the head: a call that is simulated on the head does not know the head's hash. */
export async function blockBelowHead({ chain }: Client): Promise<{ number: bigint; hash: Hex; timestamp: bigint }> {
  const { number, hash, timestamp } = await chain.getBlock({ blockNumber: (await chain.getBlockNumber()) - 1n });
  return { number, hash, timestamp };
}

/** The cheapest way to show a quote, as a worker finds it. */
export async function evidenceFor(
  client: Client,
  quote: Uint8Array,
  recordedKeyHash?: EvidenceReader["recordedKeyHash"],
): Promise<QuoteEvidence> {
  return buildEvidence(quote, evidenceReader(chainCallsOf(client), client.deployment.contracts, recordedKeyHash));
}

/** The arguments of `register` for an enclave that is in order, whose operator is the client's wallet. */
export async function registrationOf(client: Client, platform: Platform, keys: EnclaveKeys) {
  const { chainId, contracts } = client.deployment;
  const { account, vaultKey, endpoint } = keys;
  const operator = addressOf(client);
  const block = await blockBelowHead(client);
  const registry = contracts.enclaveRegistry;
  const binding = { chainId: BigInt(chainId), registry, operator, signingKey: account.address, vaultKey };
  const reportData = registrationReportData(binding, block.number, block.hash);
  const { quote, evidence } = await evidenceFor(client, platform.quote(hexToBytes(reportData)));
  const message = { operator, vaultKeyHash: keccak256(vaultKey), endpoint, blockNumber: block.number };
  const signature = await account.sign({ hash: hashRegistration(domainOf(chainId, registry), message) });
  const request = {
    operator,
    signingKey: account.address,
    vaultKey,
    endpoint,
    appConfig: "0x" as const,
    blockNumber: block.number,
  };
  const authorization = { validUntil: 0n, signature: "0x" as const };
  return { args: [quote, evidence, request, signature, authorization] as const, binding, reportData, block };
}

/** Registers such an enclave. */
export async function registerAs(client: Client, platform: Platform, keys: EnclaveKeys): Promise<void> {
  const { args } = await registrationOf(client, platform, keys);
  const address = client.deployment.contracts.enclaveRegistry;
  await send(client, { address, abi: registryAbi, functionName: "register", args });
}
