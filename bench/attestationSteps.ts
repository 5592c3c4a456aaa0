/** Steps of attestation on a bench chain: contracts, collateral, evidence. */
import type { Abi, Address, Hex } from "viem";
import { slice } from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../protocol/abi.ts";
import { type CollateralItemName, collateralCall, collateralItems } from "../protocol/collateral/calls.ts";
import { evidenceReader } from "../protocol/collateral/chainState.ts";
import type { Collateral } from "../protocol/collateral/collateral.ts";
import { buildEvidence, type QuoteEvidence } from "../protocol/quote/evidence.ts";
import type { BenchChain } from "./benchChain.ts";

/** Where collateral and quotes go. */
export type Contracts = { tdxCollateral: Address; tdxVerifier: Address };

/** Deploys the readers of attestation. */
export async function deployAttestation(bench: BenchChain, rootKey: Hex): Promise<Contracts> {
  const key = [slice(rootKey, 0, 32), slice(rootKey, 32, 64)];
  const tdxCollateral = await bench.deploy("attestation/TdxCollateral.sol/TdxCollateral", [...key, 0]);
  return { tdxCollateral, tdxVerifier: await bench.deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]) };
}

/** Sends collateral; items named in `ids` are noted. */
export async function push(
  bench: BenchChain,
  { tdxCollateral: to }: Contracts,
  collateral: Collateral,
  ids: Partial<Record<CollateralItemName, string>> = {},
  items: readonly CollateralItemName[] = collateralItems,
): Promise<void> {
  for (const item of items) {
    const id = ids[item];
    const call = { to, abi: tdxCollateralAbi as Abi, ...collateralCall(item, collateral) };
    await bench.send(id === undefined ? call : { ...call, id });
  }
}

/** What a quote needs beside it, as the contracts stand. */
export function evidenceFor({ chain }: BenchChain, contracts: Contracts, quote: Uint8Array): Promise<QuoteEvidence> {
  const calls = {
    call: async (to: Address, data: Hex) => (await chain.call({ to, data })).data ?? "0x",
    code: async (address: Address) => (await chain.getCode({ address })) ?? "0x",
  };
  const lastKeyHash = async (pckId: Hex) => {
    const events = await chain.getContractEvents({
      address: contracts.tdxVerifier,
      abi: tdxVerifierAbi,
      eventName: "PlatformRecorded",
      args: { pckId },
      fromBlock: 0n,
    });
    return events.at(-1)?.args.attestationKeyHash;
  };
  return buildEvidence(Uint8Array.from(quote), evidenceReader(calls, contracts, lastKeyHash));
}

/** @throws Error if the contracts know more or less of the quote's platform than the id says. */
export function requirePath({ path }: QuoteEvidence, expected: QuoteEvidence["path"]): void {
  if (path !== expected)
    throw new Error(`the quote went path ${path}, not ${expected}: the id would name another thing`);
}
