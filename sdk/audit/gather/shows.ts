/**
 * Room: sdk/audit/gather/shows. What of a job only its worker shows, because the chain has hashes of it alone. Nothing shown
 * is believed: it has to hash to what the chain says.
 */
import type { Hex } from "viem";
import type { Receipt } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { fetchJobView, fetchLeaves, fetchReceipt, type ShownLeaf } from "../../worker.ts";

/** A job's place in its session. */
export type ShownPlace = { session: Hex; leaf: ShownLeaf };

/** Who shows it. Each answers undefined if it has nothing to show. */
export type Shows = {
  receipt(jobId: Hex): Promise<{ receipt: Receipt; signature: Hex } | undefined>;
  leaf(jobId: Hex): Promise<ShownPlace | undefined>;
};

/**
 * What a worker shows.
 *
 * @param workerUrl - undefined: nothing is shown.
 * @example
 * const leaf = await workerShows("https://worker.example").leaf(jobId)
 */
export function workerShows(workerUrl: string | undefined): Shows {
  if (workerUrl === undefined) return { receipt: async () => undefined, leaf: async () => undefined };
  return {
    receipt: (jobId) => fetchReceipt(workerUrl, jobId).catch(ignoreKnown),
    async leaf(jobId) {
      const place = await fetchJobView(workerUrl, jobId).catch(ignoreKnown);
      if (place?.session === undefined || place.leaf === undefined) return undefined;
      const [leaf] = (await fetchLeaves(workerUrl, place.session, place.leaf).catch(ignoreKnown)) ?? [];
      return leaf && { session: place.session, leaf };
    },
  };
}

function ignoreKnown(error: unknown): undefined {
  if (!(error instanceof BaseError)) throw error;
}
