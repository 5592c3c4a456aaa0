/** The shared vectors: quotes, bundles of collateral, and what dcap-qvl says of their pairs. */
import { type Collateral, collateralFiles } from "../../../protocol/collateral/collateral.ts";
import { jsonVector, vector } from "../quote/vectors.ts";

type Index = {
  quotes: Record<string, { file: string }>;
  collateral: Record<string, { dir: string }>;
  verdicts: { quote: string; collateral: string; at: number; verdict: string }[];
};

/** test/vectors/tdx/index.json. */
export const index: Index = jsonVector("tdx/index.json");

/** A quote by its name. */
export function quoteOf(name: string): Uint8Array {
  return vector(`tdx/${index.quotes[name]?.file}`);
}

/** A bundle by its name. */
export function collateralOf(name: string): Collateral {
  const dir = index.collateral[name]?.dir;
  const read = (part: keyof Collateral) => vector(`tdx/${dir}/${collateralFiles[part]}`);
  return {
    tcbInfo: read("tcbInfo"),
    tcbInfoSignature: read("tcbInfoSignature"),
    qeIdentity: read("qeIdentity"),
    qeIdentitySignature: read("qeIdentitySignature"),
    tcbSigning: read("tcbSigning"),
    pckCa: read("pckCa"),
    rootCa: read("rootCa"),
    rootCaCrl: read("rootCaCrl"),
    pckCrl: read("pckCrl"),
  };
}

/** The best pair: accepted at this time. */
export const best = {
  quote: "nearmpc_2026-08-14_50328c652",
  collateral: "nearmpc_B0C06F_2026-08-14_50328c652_eval20",
  at: 1_786_621_538,
};
