/**
 * Room: sdk/registration. What proofs are gathered from, over a client's RPC.
 */
import { toTypedError } from "../chainErrors.ts";
import type { Client } from "../client.ts";
import { type EventLog, scanEvents } from "../scanEvents.ts";
import type { ProofSource } from "./proof.ts";

/**
 * Makes a source.
 *
 * @example
 * const { quote } = await gatherProof(proofSource(client), enclave.transactionHash)
 */
export function proofSource(client: Client): ProofSource {
  return {
    deployment: client.deployment,
    async transaction(hash) {
      const { to, from, input } = await client.chain.getTransaction({ hash }).catch((cause) => {
        throw toTypedError(cause);
      });
      return { to, from, input };
    },
    async events(wanted) {
      const found: EventLog<typeof wanted.event>[] = [];
      for await (const log of scanEvents(client, wanted)) found.push(log);
      return found as never; // decoded by the event that was wanted
    },
  };
}
