/**
 * Room: sdk/cvm/collateralJudge. Intel's verdict on a VM's platform, as one line of its examination. Pure.
 */
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { judgeQuote } from "../../protocol/collateral/judgeQuote.ts";
import { fails, holds } from "../audit/line.ts";
import type { CvmPolicy } from "./case.ts";

/**
 * A judge that goes by this collateral: `judge` of `verifyCvm`.
 *
 * @example
 * const report = await verifyCvm(evidence, { ...policy, judge: collateralJudge(collateral) })
 */
export function collateralJudge(collateral: Collateral): NonNullable<CvmPolicy["judge"]> {
  return (quote, at, rootKey) => {
    const { accepted, error, tcb } = judgeQuote(quote, collateral, rootKey, at);
    if (!accepted || tcb === undefined) return fails(error?.message ?? "not accepted");
    const advisories = tcb.advisoryIds.length === 0 ? "no advisories" : tcb.advisoryIds.join(", ");
    return holds(
      `${tcb.status}: platform ${tcb.platform}, TDX module ${tcb.module ?? "in it"}, QE ${tcb.qe}; ${advisories}`,
    );
  };
}
