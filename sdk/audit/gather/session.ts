/**
 * Room: sdk/audit/gather/session. A job of a session: the worker shows its leaf, the chain has the session, the claim's root
 * and what became of it. Nothing on chain names the job before its leaf is shown.
 */
import { type ContractFunctionArgs, decodeFunctionData, getAbiItem, type Hex, isAddressEqual } from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { domainOf, hashOrder, hashReceipt, sessionStates } from "../../../protocol/eip712.ts";
import { orderOfLeaf } from "../../checkClaim.ts";
import type { ShownLeaf } from "../../worker.ts";
import type { Ending, Missing, Opening, SessionEvidence, Settlement } from "../evidence.ts";
import { acceptsSignature } from "./acceptsSignature.ts";
import { type ChainView, ContradictoryChainError } from "./chainView.ts";
import { gatherRecord } from "./enclave.ts";
import { gatherPayerCredit } from "./payerCredit.ts";
import { signedGrantsOf } from "./shownGrants.ts";
import type { Shows } from "./shows.ts";

const openedEvent = getAbiItem({ abi: jobMarketAbi, name: "SessionOpened" });
const claimedEvent = getAbiItem({ abi: jobMarketAbi, name: "SessionClaimed" });
const disputedEvent = getAbiItem({ abi: jobMarketAbi, name: "LeafDisputed" });
const shownEvent = getAbiItem({ abi: jobMarketAbi, name: "LeafSettled" });
const closedEvent = getAbiItem({ abi: jobMarketAbi, name: "SessionClosed" });

const ofParties = { missing: "parameters of a session's job are not on chain: only its parties have them" };

/** What of a session's job is gathered otherwise than of others. */
export type SessionJobEvidence = { opening: Opening; ending: Ending; settlement: Settlement; session: SessionEvidence };

/**
 * Gathers a job of a session.
 *
 * @param shows - its leaf.
 * @returns undefined if no such leaf is shown, or it was not claimed.
 * @throws ContradictoryChainError
 * @example
 * const ofSession = await gatherSessionJob(view, jobId, workerShows("https://worker.example"))
 */
export async function gatherSessionJob(
  view: ChainView,
  jobId: Hex,
  shows: Shows,
): Promise<SessionJobEvidence | undefined> {
  const place = await shows.leaf(jobId);
  if (place === undefined) return undefined;
  const { leaf: shown } = place;
  const { contracts, chainId } = view.deployment;
  const domain = domainOf(chainId, contracts.jobMarket);
  const market = { address: contracts.jobMarket, args: { sessionId: place.session } } as const;
  const [opened, twice] = await view.events({ ...market, event: openedEvent });
  const [claimed, again] = await view.events({ ...market, event: claimedEvent });
  if (opened === undefined || claimed === undefined) return undefined;
  if (twice !== undefined || again !== undefined) throw new ContradictoryChainError("the session came twice");
  const { order: template, terms, programUri } = opened.args;
  const order = orderOfLeaf({ order: template, sessionId: place.session }, shown);
  if (hashOrder(domain, order) !== jobId) return undefined; // the worker shows another job

  const opener = { number: opened.block.number, transactionHash: opened.transactionHash };
  const payerCredit = await gatherPayerCredit(view, order.payer, order.token, opener);
  const at = { block: opened.block, logIndex: opened.logIndex };
  const opening: Opening = { ...at, index: undefined, order, programUri, params: ofParties, payerCredit };
  const ending: Ending = { ...claimed, index: undefined, how: "settled" };
  const sent = await sentClaim(view, claimed.transactionHash, place.session);
  const settlement = await settlementOf(view, order, shown, claimed.args.countedGrants, sent);
  const [closed] = await view.events({ ...market, event: closedEvent });
  const reads = { address: contracts.jobMarket, abi: jobMarketAbi } as const;
  const [stored, root] = await view.read({ ...reads, functionName: "session", args: [place.session] });
  const leaf = [place.session, BigInt(shown.leaf)] as const;
  const [disputed, settled] = await view.read({ ...reads, functionName: "leafState", args: leaf });
  const session: SessionEvidence = {
    sessionId: place.session,
    order: template,
    terms,
    leaf: shown.leaf,
    proof: shown.proof,
    requester: {
      signature: shown.requesterSignature,
      accepts: await accepts(order.requester, shown.requesterSignature),
    },
    payer: { signature: shown.payerSignature, accepts: await accepts(order.payer, shown.payerSignature) },
    claim: claimed.args,
    signed: "missing" in sent ? sent : { claim: sent.claim, signature: sent.signature },
    disputed: (await view.events({ ...market, event: disputedEvent })).map(({ args }) => Number(args.leaf)),
    shown: (await view.events({ ...market, event: shownEvent })).map(({ args }) => ({
      ...args,
      leaf: Number(args.leaf),
    })),
    closed,
    stored: { state: sessionStates[stored.state] ?? "None", root, disputed, settled },
  };
  return { opening, ending, settlement, session };

  function accepts(account: `0x${string}`, signature: Hex): Promise<boolean | Missing> {
    return acceptsSignature(view, account, jobId, signature);
  }
}

async function settlementOf(
  view: ChainView,
  order: Opening["order"],
  { receipt, signature, signer }: ShownLeaf,
  countedGrants: number,
  sent: SentClaim | Missing,
): Promise<Settlement> {
  const domain = domainOf(view.deployment.chainId, view.deployment.contracts.jobMarket);
  const grants =
    "missing" in sent ? sent : signedGrantsOf(order, countedGrants, sent.grants, await gatherRecord(view, signer));
  const receiptHash = hashReceipt(domain, receipt); // whether the claim has it is a line of its own
  return { receipt, signature, signer, receiptHash, grants, offer: undefined, together: [receipt] };
}

type ClaimArgs = ContractFunctionArgs<typeof jobMarketAbi, "nonpayable", "claimSession">;
type SentClaim = { claim: ClaimArgs[2]; signature: ClaimArgs[3]; grants: ClaimArgs[4] };

/** The claim as it was sent, where the market was called directly. */
async function sentClaim(view: ChainView, transactionHash: Hex, sessionId: Hex): Promise<SentClaim | Missing> {
  const missing = {
    missing: "the session was claimed through another contract: this does not show in the transaction",
  };
  const { to, input } = await view.transaction(transactionHash);
  if (to === null || !isAddressEqual(to, view.deployment.contracts.jobMarket)) return missing;
  try {
    const call = decodeFunctionData({ abi: jobMarketAbi, data: input });
    if (call.functionName !== "claimSession" || call.args[2].sessionId !== sessionId) return missing;
    return { claim: call.args[2], signature: call.args[3], grants: call.args[4] };
  } catch {
    return missing; // viem throws for everything malformed
  }
}
