/**
 * Room: protocol/roots. The two roots in a receipt: which inputs were used, under which grants. Pure.
 */
import { bytesToHex, concatHex, type Hex, hexToBytes } from "viem";
import { leafHash, merkleRoot } from "./merkle.ts";

/** One input of a run. */
export type InputRef = { datasetId: Hex; contentHash: Hex };

/**
 * Root over datasetId || contentHash of each input, in the order's order.
 *
 * @example
 * inputsRootOf([{ datasetId, contentHash }])
 */
export function inputsRootOf(inputs: readonly InputRef[]): Hex {
  return rootOf(inputs.map((input) => concatHex([input.datasetId, input.contentHash])));
}

/**
 * Root over the grant hashes, in the order's order.
 *
 * @example
 * grantsRootOf(order.datasets.map((use) => use.grantHash))
 */
export function grantsRootOf(grantHashes: readonly Hex[]): Hex {
  return rootOf(grantHashes);
}

function rootOf(items: readonly Hex[]): Hex {
  return bytesToHex(merkleRoot(items.map((item) => leafHash(hexToBytes(item)))));
}
