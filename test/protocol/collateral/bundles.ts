/** Intel's collateral of the vectors, as values. For tests. */
import { readFileSync } from "node:fs";
import { type Collateral, collateralFiles } from "../../../protocol/collateral/collateral.ts";

const vectors = new URL("../../vectors/tdx/", import.meta.url);

/** A bundle valid from 2026-08-13T10:45:38Z to 2026-09-11T23:57:11Z, evaluation number 20; FMSPC b0c06f000000. */
export const august = "nearmpc_B0C06F_2026-08-14_50328c652_eval20";
/** An older one of the same FMSPC: evaluation number 18, from 2026-01-26. */
export const january = "nearmpc_B0C06F_2026-01-28_832c32113_eval18";
/** A time at which {@link august} is valid. */
export const augustTime = 1_786_621_538;

/** A copy: tests change it. */
export function bundle(name: string): Collateral {
  const parts = Object.entries(collateralFiles).map(([part, file]) => [
    part,
    new Uint8Array(readFileSync(new URL(`collateral/${name}/${file}`, vectors))),
  ]);
  return Object.fromEntries(parts) as Collateral;
}

/** A quote of the vectors. */
export function quote(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`quotes/${name}.bin`, vectors)));
}
