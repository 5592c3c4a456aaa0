/**
 * Room: sdk/audit/lines/order. Whether the job on chain is the one that was asked about. Pure.
 */
import { isAddressEqual, keccak256, size } from "viem";
import { domainOf, hashOrder, type JobState, receiptStatus } from "../../../protocol/eip712.ts";
import { type Evidence, isMissing } from "../evidence.ts";
import { type AuditLine, allOf, holds, line, unknown } from "../line.ts";
import { judgeSessionState } from "./session.ts";

/**
 * Judges the order, the job's state, its parameters, and the contracts behind the market.
 *
 * @example
 * lines.push(...orderLines(evidence))
 */
export function orderLines(evidence: Evidence): AuditLine[] {
  const { deployment, opening, wiring } = evidence;
  const { contracts } = deployment;
  return [
    line("order.contracts", "The market rests on this deployment's contracts and root key", () =>
      allOf(
        {
          "the market asks another enclave registry": isAddressEqual(wiring.enclaves, contracts.enclaveRegistry),
          "the market asks another data set registry": isAddressEqual(wiring.datasets, contracts.datasetRegistry),
          "the registry asks another verifier": isAddressEqual(wiring.verifier, contracts.tdxVerifier),
          "the verifier judges by other collateral": isAddressEqual(wiring.collateral, contracts.tdxCollateral),
          "the verifier pins another root key": wiring.rootKey === deployment.rootKey,
        },
        "market, registries and verifier name each other and the root key",
      ),
    ),
    line("order.id", "The order on chain is the one that the job id names", () =>
      allOf(
        {
          "its hash is another":
            hashOrder(domainOf(deployment.chainId, contracts.jobMarket), opening.order) === evidence.jobId,
        },
        `EIP-712 hash recomputed; ${howItCame(evidence)} in block ${opening.block.number}`,
      ),
    ),
    line("order.state", "The stored state agrees with the events", () => {
      if (evidence.session !== undefined) return judgeSessionState(evidence.session);
      if (opening.index === undefined) return holds("settled in one transaction, without being opened");
      const expected = expectedState(evidence);
      const comparisons = { [`stored ${evidence.state}, the events say ${expected}`]: evidence.state === expected };
      const index = evidence.ending === undefined || evidence.ending.index === opening.index;
      return allOf({ ...comparisons, "opened and ended under different indices": index }, expected);
    }),
    line("order.params", "The parameters are the agreed ones", () =>
      isMissing(opening.params)
        ? unknown(opening.params.missing)
        : allOf(
            { "they have another hash": keccak256(opening.params) === opening.order.paramsHash },
            `${size(opening.params)} bytes hash to the order's paramsHash`,
          ),
    ),
  ];
}

function howItCame({ opening, session }: Evidence): string {
  if (session !== undefined) return "its session was opened";
  return opening.index === undefined ? "settled" : "opened";
}

/** What the events say. */
function expectedState({ acceptance, ending, settlement, state }: Evidence): JobState {
  if (ending === undefined) return acceptance === undefined ? "Open" : "Accepted";
  if (ending.how === "disagreed") return "Disagreed";
  if (ending.how === "cancelled") return "Cancelled";
  if (ending.how === "expired") return "Expired";
  // Without its receipt the state is all that says how it was settled.
  if (settlement === undefined) return state === "SettledOk" ? state : "SettledFailed";
  return settlement.receipt.status === receiptStatus.ok ? "SettledOk" : "SettledFailed";
}
