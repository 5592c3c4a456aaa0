/** Every measured transaction beside its target and the best rival. */
import { attestationGas } from "./attestation.ts";
import { goals } from "./goals.ts";
import { marketGas } from "./market.ts";
import { pocoBoostGas } from "./pocoBoost.ts";

/** One transaction; null where there is no target, or no rival is known. */
export type GasRow = {
  id: string;
  /** Gas of the whole transaction. */
  gas: number;
  target: number | null;
  rival: number | null;
  rivalSource: string | null;
};

/** Hashes are in calldata, where a zero byte costs less: the same step differs by some gas. */
const sameWithin = 200;

/** Runs all steps on in-process chains; the same figures in every run. Takes about twenty seconds. */
export async function measureGas(): Promise<GasRow[]> {
  const measured = [...(await attestationGas()), ...(await marketGas()), ...(await pocoBoostGas())];
  const gasOf = (id: string) => {
    const row = measured.find((one) => one.id === id);
    if (row === undefined) throw new Error(`a goal names ${id}, which is not measured`);
    return row.gas;
  };
  for (const id of Object.keys(goals)) gasOf(id); // a goal that nothing is held to would never fail
  return measured.map(({ id, gas }) => {
    const { target, rival, rivalSource } = goals[id] ?? {};
    return {
      id,
      gas,
      target: typeof target === "object" ? gasOf(target.sameAs) + sameWithin : (target ?? null),
      rival: typeof rival === "string" ? gasOf(rival) : (rival ?? null),
      rivalSource: rivalSource ?? null,
    };
  });
}
