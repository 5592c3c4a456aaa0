/**
 * Room: enclave/chain. The attestation key that the verifier last recorded of a platform, from its events. Worth a look, not
 * a search: without an answer a registration costs more gas, and is as good.
 */
import { getAbiItem, type Hex, type PublicClient } from "viem";
import { tdxVerifierAbi } from "../../protocol/abi.ts";
import { answered } from "../../protocol/chain/rpc.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";

const event = getAbiItem({ abi: tdxVerifierAbi, name: "PlatformRecorded" });

/**
 * Makes the finder that `buildEvidence` takes.
 *
 * @example
 * const recordedKeyHash = findRecordedKeyHash(client, deployment)
 */
export function findRecordedKeyHash(client: PublicClient, { contracts, fromBlock }: Deployment) {
  return async (pckId: Hex): Promise<Hex | undefined> => {
    const query = { address: contracts.tdxVerifier, event, args: { pckId }, strict: true } as const;
    try {
      const logs = await answered("eth_getLogs", client.getLogs({ ...query, fromBlock: BigInt(fromBlock) }));
      return logs.at(-1)?.args.attestationKeyHash;
    } catch (error) {
      if (error instanceof BaseError) return undefined; // the provider does not search so far back
      throw error;
    }
  };
}
