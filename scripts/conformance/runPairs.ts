/**
 * Room: scripts/conformance. Runs pairs through the contracts and through @phala/dcap-qvl, and says why they differ.
 */
import { bytesToHex } from "viem";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import type { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { compareWithDcapQvl } from "../../sdk/quote/compareWithDcapQvl.ts";
import { type Difference, explainDifference } from "./explainDifference.ts";
import { errorText, type Judge, type OnChainVerdict, startJudge } from "./onChain.ts";
import type { Pair, Vectors } from "./vectors.ts";

/** What @phala/dcap-qvl says. */
export type OffChainVerdict = { accepted: boolean; status: string | null; error: string | null };

/** One run. `difference`: undefined where both say the same. */
export type Row = Pair & { onChain: OnChainVerdict; offChain: OffChainVerdict; difference: Difference | undefined };

/**
 * Runs pairs, those of one collateral and time on one chain.
 *
 * @param rootCa - DER of another root than Intel's.
 * @param done - told of each row.
 * @returns rows in the order of the pairs.
 * @throws what reading `rootCa` throws; what a vector holds is its row's error.
 * @example
 * const rows = await runPairs(await openVectors(directory))
 */
export async function runPairs(vectors: Vectors, rootCa?: Uint8Array, done?: (row: Row) => void): Promise<Row[]> {
  const rootKey = rootCa === undefined ? intelRootKey : bytesToHex(readCertificate(rootCa).publicKey);
  const rows = new Map<Pair, Row>();
  for (const [, group] of Map.groupBy(vectors.pairs, ({ collateral, at }) => JSON.stringify([collateral, at]))) {
    let judge: Judge | undefined;
    try {
      for (const pair of group) {
        const collateral = await vectors.collateral(pair.collateral);
        const quote = await vectors.quote(pair.quote);
        if ("error" in collateral || "error" in quote) {
          rows.set(
            pair,
            unreadable(pair, "error" in collateral ? collateral.error : (quote as { error: BaseError }).error),
          );
        } else {
          const run = async () => {
            judge ??= await startJudge(collateral.value, rootKey, pair.at);
            return await runPair(pair, judge, quote.value, collateral.value, rootCa);
          };
          rows.set(pair, await run().catch(unexpected(pair)));
        }
        done?.(rows.get(pair) as Row);
      }
    } finally {
      await judge?.close();
    }
  }
  return vectors.pairs.flatMap((pair) => rows.get(pair) ?? []);
}

async function runPair(
  pair: Pair,
  judge: Judge,
  quote: Uint8Array,
  collateral: Collateral,
  rootCa: Uint8Array | undefined,
): Promise<Row> {
  const onChain = await judge.verify(quote);
  const compared = compareWithDcapQvl(quote, collateral, pair.at, rootCa);
  const { accepted, status, error } = compared.dcapQvl;
  const refusal = accepted ? null : `TCB status ${status} is not allowed`;
  const offChain = { accepted, status: status ?? null, error: error ?? refusal };
  return { ...pair, onChain, offChain, difference: explainDifference(onChain, compared, quote) };
}

/** A verifier broke: no refusal, and nobody can say what it would have been. The other pairs go on. */
function unexpected(pair: Pair): (cause: unknown) => Row {
  return (cause) => {
    const error = `broke with ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`;
    const refused = { accepted: false, status: null, error };
    return {
      ...pair,
      onChain: { ...refused, gas: null },
      offChain: refused,
      difference: { explained: false, reason: error },
    };
  };
}

function unreadable(pair: Pair, cause: BaseError): Row {
  const error = errorText(cause);
  const refused = { accepted: false, status: null, error };
  return { ...pair, onChain: { ...refused, gas: null }, offChain: refused, difference: undefined };
}
