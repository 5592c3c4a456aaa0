/**
 * Room: sdk/collateral. What the deployment's chain lacks to judge a kind of platform, and sending what mends it.
 */
import { type Address, bytesToHex, type Hex } from "viem";
import { tdxCollateralAbi } from "../../protocol/abi.ts";
import type { CollateralCall, CollateralItemName } from "../../protocol/collateral/calls.ts";
import {
  type ChainCalls,
  type CollateralState,
  type CollateralSubject,
  readCollateralState,
} from "../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { type CollateralStep, planCollateral } from "../../protocol/collateral/plan.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { p256KeyOf } from "../../protocol/quote/platformRecord.ts";
import { toTypedError } from "../chainErrors.ts";
import type { Client } from "../client.ts";
import { type Sent, send } from "../send.ts";

/** Whose collateral is planned. */
export type PlanSubject = Omit<CollateralSubject, "tcbSigning">;

/** A plan, and what it was made from. Times in Unix seconds. */
export type CollateralPlan = { steps: CollateralStep[]; state: CollateralState; now: number };

/** One sent call. */
export type SentStep = { item: CollateralItemName; functionName: CollateralCall["functionName"] } & Sent;

/**
 * Plans at the time of the newest block.
 *
 * @param offered - collateral to send; without it the plan only says what there is.
 * @param horizonSeconds - what is out of date by then counts as needed.
 * @throws {@link OtherRootError} | what reading `offered` throws | RpcError
 * @example
 * const { steps } = await planFor(client, quotePlatformOf(quote), collateral, 3 * 86_400)
 */
export async function planFor(
  client: Client,
  subject: PlanSubject,
  offered: Collateral | undefined,
  horizonSeconds: number,
): Promise<CollateralPlan> {
  const { fmspc, pckCa } = subject;
  if (offered !== undefined) requireRoot(client, offered);
  const tcbSigning = offered && p256KeyOf(readCertificate(offered.tcbSigning).publicKey);
  const state = await readCollateralState(chainCallsOf(client), client.deployment.contracts.tdxCollateral, {
    fmspc,
    pckCa,
    ...(tcbSigning && { tcbSigning }),
  });
  const now = await timeOf(client);
  return { steps: planCollateral(state, offered, subject, now, horizonSeconds), state, now };
}

/**
 * Sends the calls of a plan, in order, each simulated first and mined before the next. Stops at the first that fails:
 * what is sent stays, and a new plan goes on from there.
 *
 * @param told - of each call before it is sent, and after it is mined.
 * @throws any error of `send`
 * @example
 * const sent = await pushCollateral(client, steps)
 */
export async function pushCollateral(
  client: Client,
  steps: readonly CollateralStep[],
  told: { sending?(item: CollateralItemName): void; sent?(step: SentStep): void } = {},
): Promise<SentStep[]> {
  const done: SentStep[] = [];
  for (const { item, call } of steps) {
    if (call === undefined) continue;
    told.sending?.(item);
    const address: Address = client.deployment.contracts.tdxCollateral;
    const { hash, gasUsed, blockNumber } = await send(client, { address, abi: tdxCollateralAbi, ...call });
    const step = { item, functionName: call.functionName, hash, gasUsed, blockNumber };
    done.push(step);
    told.sent?.(step);
  }
  return done;
}

/**
 * Whether a plan leaves the chain unable to judge: something is missing or out of date, and nothing offered mends it.
 *
 * @example
 * if (isStuck(steps)) process.exitCode = 1
 */
export function isStuck(steps: readonly CollateralStep[]): boolean {
  return steps.some(
    ({ state, call }) => call === undefined && (state === "missing" || state === "expired" || state === "revoked"),
  );
}

/** Reads of the client's chain at its newest block. */
export function chainCallsOf({ chain }: Client): ChainCalls {
  const typed = (cause: unknown): never => {
    throw toTypedError(cause);
  };
  return {
    call: async (to, data): Promise<Hex> => (await chain.call({ to, data }).catch(typed)).data ?? "0x",
    code: async (address): Promise<Hex> => (await chain.getCode({ address }).catch(typed)) ?? "0x",
  };
}

/** The contract would say no more than that a signature is wrong. */
function requireRoot({ deployment }: Client, { rootCa }: Collateral): void {
  const key = bytesToHex(readCertificate(rootCa).publicKey);
  if (key !== deployment.rootKey) throw new OtherRootError(key, deployment.rootKey);
}

async function timeOf({ chain }: Client): Promise<number> {
  const block = await chain.getBlock().catch((cause: unknown) => {
    throw toTypedError(cause);
  });
  return Number(block.timestamp);
}

/** What is offered hangs on another root than the contracts of the deployment believe. */
export class OtherRootError extends BaseError {
  override readonly name = "Collateral.OtherRootError";
  constructor(offered: Hex, expected: Hex) {
    super(
      `The collateral is under root key ${offered.slice(0, 18)}..., the deployment under ${expected.slice(0, 18)}....`,
      {
        hint: "Intel's collateral is for deployments under Intel's root, a simulated platform's for those under its own.",
      },
    );
  }
}
