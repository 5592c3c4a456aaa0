/** Every measured transaction beside its target and the best rival. */
import { attestationGas } from "./attestation.ts";
import { goals } from "./goals.ts";
import { marketGas } from "./market.ts";

/** One transaction; null where there is no target, or no rival is known. */
export type GasRow = {
  id: string;
  /** Gas of the whole transaction. */
  gas: number;
  target: number | null;
  rival: number | null;
  rivalSource: string | null;
};

/** Runs all steps on in-process chains; the same figures in every run. Takes about ten seconds. */
export async function measureGas(): Promise<GasRow[]> {
  return [...(await attestationGas()), ...(await marketGas())].map(({ id, gas }) => {
    const { target, rival, rivalSource } = goals[id] ?? {};
    return { id, gas, target: target ?? null, rival: rival ?? null, rivalSource: rivalSource ?? null };
  });
}
