/**
 * Room: enclave/chain. Who registered a data set, from the log: its id is a hash over that account, which stays the proof
 * of its content when the data set has another owner later.
 */
import { type Address, encodeEventTopics, type Hex, numberToHex } from "viem";
import { z } from "zod";
import { datasetRegistryAbi } from "../../protocol/abi.ts";
import type { Rpc } from "../../protocol/chain/rpc.ts";
import { bytes32 } from "../../protocol/schemas.ts";

/** An id is registered once; what a lying node adds is bounded. */
const logsSchema = z.array(z.object({ topics: z.array(bytes32).length(3) })).max(8);

/**
 * The accounts that a node says have registered a data set: claims, which the id proves or not.
 *
 * @param fromBlock - of the deployment.
 * @throws RpcFailedError | InconsistentSourceError, both retryable.
 * @example
 * const [registrant] = await registrantsOf(rpc, datasetRegistry, 0, datasetId)
 */
export async function registrantsOf(
  rpc: Rpc,
  registry: Address,
  fromBlock: number,
  datasetId: Hex,
): Promise<readonly Address[]> {
  const wanted = encodeEventTopics({ abi: datasetRegistryAbi, eventName: "DatasetRegistered", args: { datasetId } });
  const filter = { address: registry, topics: wanted, fromBlock: numberToHex(fromBlock), toBlock: "latest" };
  const logs = await rpc("eth_getLogs", [filter], logsSchema);
  return logs.map(({ topics }): Address => `0x${topics[2]?.slice(26)}`);
}
