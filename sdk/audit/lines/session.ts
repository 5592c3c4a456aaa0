/**
 * Room: sdk/audit/lines/session. Whether a job is one of its session, stands in the session's claim, and was paid for with
 * it. Pure. Source: ISessions.sol. Amounts in units of the token.
 */
import { type Address, isAddressEqual, zeroHash } from "viem";
import { costOf, splitOf } from "../../../protocol/charges.ts";
import { domainOf, hashOrder, hashSession, hashSessionClaim } from "../../../protocol/eip712.ts";
import { verifySessionProof } from "../../../protocol/sessionTree.ts";
import { type Evidence, isMissing, type Missing, type SessionEvidence, type Settlement } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";
import { ownerAt } from "../position.ts";
import type { Payment } from "./dues.ts";

/**
 * Judges what is particular about a session's job. No lines for others.
 *
 * @example
 * lines.push(...sessionLines(evidence, evidence.settlement))
 */
export function sessionLines(evidence: Evidence, settlement: Settlement | undefined): AuditLine[] {
  const { session } = evidence;
  if (session === undefined || settlement === undefined) return [];
  return [
    line("order.session", "The order is a job of its session, on the terms that were escrowed for", () =>
      judgeTemplate(evidence, session),
    ),
    line("order.signed", "Requester and payer signed the order", () => judgeParties(evidence, session)),
    line("receipt.claimed", "The receipt stands in the session's claim, which its enclave signed", () =>
      judgeClaim(evidence, session, settlement),
    ),
  ];
}

function judgeTemplate({ deployment, opening }: Evidence, session: SessionEvidence): Finding {
  const domain = domainOf(deployment.chainId, deployment.contracts.jobMarket);
  const { deadline, nonce } = session.order;
  const template = { ...opening.order, paramsHash: zeroHash, session: zeroHash, deadline, nonce };
  return allOf(
    {
      "it names another session": opening.order.session === session.sessionId,
      "the session is another": hashSession(domain, session.order, session.terms) === session.sessionId,
      "its terms are not the session's": hashOrder(domain, template) === hashOrder(domain, session.order),
    },
    `session ${session.sessionId}, of at most ${session.terms.maxJobs} jobs; ids recomputed`,
  );
}

function judgeParties({ jobId, opening }: Evidence, session: SessionEvidence): Finding {
  const { requester, payer } = opening.order;
  const parties = isAddressEqual(requester, payer) ? (["requester"] as const) : (["requester", "payer"] as const);
  for (const who of parties) {
    const { signature, accepts } = session[who];
    if (isSignedBy(jobId, signature, opening.order[who]) || accepts === true) continue;
    return isMissing(accepts)
      ? unknown(accepts.missing)
      : fails(`it is not signed by the ${who}, ${opening.order[who]}`);
  }
  const told = parties.filter((who) => session[who].accepts === true);
  return holds(told.length === 0 ? `by ${parties.join(" and ")}` : `${told.join(" and ")}: a contract accepts it now`);
}

function judgeClaim(
  { deployment, registration }: Evidence,
  { claim, leaf, proof, sessionId, signed }: SessionEvidence,
  { receipt, receiptHash, signer }: Settlement,
): Finding {
  const isOk = receipt.failureCode === 0;
  const inClaim = allOf(
    {
      "it is for another session": claim.sessionId === sessionId,
      "it is not in the claim at its leaf": verifySessionProof(claim.root, leaf, receiptHash, proof),
      "there is no such leaf": leaf < claim.okCount + claim.failedCount,
      "it is Ok among the failed, or failed among the Ok": isOk === leaf < claim.okCount,
      "it counts other grants than the claim": !isOk || receipt.countedGrants === claim.countedGrants,
      "another enclave claimed it than ran it": isAddressEqual(claim.signer, signer),
    },
    "",
  );
  if (inClaim.verdict !== "verified") return inClaim;
  if (isMissing(registration)) return fails(`${signer} claimed, but: ${registration.missing}`);
  return given<Exclude<SessionEvidence["signed"], Missing>>(signed, ({ claim: sent, signature }) => {
    const digest = hashSessionClaim(domainOf(deployment.chainId, deployment.contracts.jobMarket), sent);
    return allOf(
      {
        "the claim that was sent has another root": sent.root === claim.root,
        "the claim is not signed by the named signer": isSignedBy(digest, signature, claim.signer),
      },
      `leaf ${leaf} of ${claim.okCount + claim.failedCount}, proof and signature of the claim recomputed`,
    );
  });
}

/**
 * Whether the market stores of a session's job what its events say.
 *
 * @example
 * line("order.state", "The stored state agrees with the events", () => judgeSessionState(session))
 */
export function judgeSessionState(session: SessionEvidence): Finding {
  const { stored, claim, leaf, shown, disputed, closed } = session;
  const expected = closed ? "Closed" : "Claimed";
  return allOf(
    {
      [`stored ${stored.state}, the events say ${expected}`]: stored.state === expected,
      "another claim is stored": stored.root === claim.root,
      "whether the leaf was shown is stored otherwise": stored.settled === shown.some((one) => one.leaf === leaf),
      "whether the leaf was disputed is stored otherwise": stored.disputed === disputed.includes(leaf),
    },
    outcomeOf(session),
  );
}

function outcomeOf({ leaf, shown, disputed, closed }: SessionEvidence): string {
  const claimed = `claimed as leaf ${leaf}`;
  if (shown.some((one) => one.leaf === leaf)) return `${claimed}, shown and paid for`;
  if (disputed.includes(leaf))
    return closed ? `${claimed}, disputed and not shown: not paid for` : `${claimed}, disputed`;
  return closed ? `${claimed}, and paid for when the session was closed` : `${claimed}; the session is not closed yet`;
}

/**
 * All that was to be credited under a session that is closed.
 *
 * @returns what is missing if it cannot be known.
 * @example
 * const dues = sessionDues(evidence, session)
 */
export function sessionDues(evidence: Evidence, session: SessionEvidence): Payment[] | Missing {
  const { order, terms, claim, disputed, shown, closed } = session;
  const { registration } = evidence;
  if (closed === undefined) return { missing: "the session is not closed: what was not shown is in escrow" };
  if (isMissing(registration)) return { missing: "whom the operator's fees are for is not known" };
  const isShown = (leaf: number) => shown.some((one) => one.leaf === leaf);
  const isOk = (leaf: number) => leaf < claim.okCount;
  const lost = disputed.filter((leaf) => !isShown(leaf));
  const paidOk = claim.okCount - lost.filter(isOk).length;
  const paidFailed = claim.failedCount - lost.filter((leaf) => !isOk(leaf)).length;
  const shownOk = shown.filter(({ leaf }) => isOk(leaf)).length;
  const won = BigInt(disputed.length - lost.length) * terms.disputeBond;
  const payments: Payment[] = [
    {
      account: registration.operator,
      amount: BigInt(paidOk) * order.operatorFee + BigInt(paidFailed) * order.failureFee + won,
    },
    {
      account: order.payer,
      amount:
        BigInt(terms.maxJobs - paidOk) * costOf(order) -
        BigInt(paidFailed) * order.failureFee +
        BigInt(lost.length) * terms.disputeBond,
    },
  ];
  for (const [i, { maxPrice }] of order.datasets.entries()) {
    const dataset = evidence.datasets[i];
    if (maxPrice === 0n || paidOk === 0) continue;
    if (dataset === undefined || isMissing(dataset.registration)) return { missing: "a data set was not looked up" };
    const { payees } = dataset.registration;
    const owner = ownerAt(dataset.registration.owner, dataset.transfers, closed);
    // Each leaf that is shown is split by itself, the rest at once: what is rounded differs.
    const parts = [...Array(shownOk).fill(maxPrice), BigInt(paidOk - shownOk) * maxPrice] as bigint[];
    for (const amount of parts) payments.push(...splitOf<Address>(amount, owner, payees));
  }
  return payments;
}
