/** What each transaction may cost, and what the cheapest known rival takes for the same. Gas of whole transactions. */

/**
 * @param target - in gas; `sameAs` names the row that it may not cost more than, but for what zero bytes make.
 * @param rival - in gas, as cited; or the id of the row that measures it in this run.
 */
export type Goal = { target: number | { sameAs: string }; rival?: number | string; rivalSource?: string };

const automata =
  "automata-network/automata-dcap-attestation 1.1, V4QuoteVerifier and on-chain PCCS, same quote and collateral";
const flashtestations = "flashbots/flashtestations, cheapest of its mainnet receipts (3.66M to 8.93M)";
const soliditySignatures = "automata-network/automata-dcap-attestation 1.1 with its Solidity P-256 verifier";
const oyster = "Marlin Oyster Relay, all of one job, mock tokens, run from its source in November 2026";
const poco = "@iexec/poco 6.1.0, matchOrdersBoost + pushResultBoost, in this run";
const ocean = "Ocean Escrow, lock + claim with 50 open locks, which it scans, run from its source in November 2026";

export const goals: Readonly<Record<string, Goal>> = {
  "verify.first": { target: 170_000, rival: 4_484_563, rivalSource: automata },
  "verify.platformCached": { target: 115_000 },
  "verify.akCached": { target: 95_000 },
  "verify.first.crl129": { target: 170_000, rival: 23_930_767, rivalSource: `${automata}, 129-entry CRL` },
  "verify.first.noPrecompile": { target: 1_000_000, rival: 6_152_935, rivalSource: soliditySignatures },
  "register.first": { target: 270_000, rival: 3_660_000, rivalSource: flashtestations },
  "register.later": { target: 210_000, rival: 3_660_000, rivalSource: flashtestations },
  renew: { target: 130_000, rival: 3_660_000, rivalSource: flashtestations },
  "tcbInfo.upsert": { target: 350_000, rival: 7_800_000, rivalSource: automata },
  "tcbInfo.refresh": { target: 200_000, rival: 7_800_000, rivalSource: automata },
  "qeIdentity.upsert": { target: 180_000, rival: 1_460_000, rivalSource: automata },
  "crl.57": { target: 450_000, rival: 4_380_000, rivalSource: automata },
  "crl.129": { target: 800_000, rival: 28_700_000, rivalSource: automata },
  "job.openSettle.2": { target: 190_000, rival: 415_000, rivalSource: oyster },
  "job.openSettle.2.crowded": { target: { sameAs: "job.openSettle.2" }, rival: 795_000, rivalSource: ocean },
  "job.oneTx.2": { target: 115_000, rival: "poco.boost.job", rivalSource: poco },
  "job.oneTx.4": { target: 165_000, rival: "poco.boost.job", rivalSource: poco },
  "job.batch50": { target: 30_000 },
  "job.session100": { target: 2_500 },
};
