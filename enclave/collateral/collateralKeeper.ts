/**
 * Room: enclave/collateral. Sees to it that the chain has the collateral that this platform is judged by, and shows quotes
 * in the cheapest way. Nothing is believed: not the server (the contract checks signatures), not the chain (a wrong
 * answer costs a refused call).
 */
import { decodeFunctionResult, encodeFunctionData, type Hex } from "viem";
import { tdxCollateralAbi } from "../../protocol/abi.ts";
import { InconsistentSourceError } from "../../protocol/chain/chainSource.ts";
import { type CollateralItemName, collateralItems } from "../../protocol/collateral/calls.ts";
import {
  type ChainCalls,
  type CollateralState,
  evidenceReader,
  readCollateralState,
} from "../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import type { PcsRequest } from "../../protocol/collateral/pcs.ts";
import { type CollateralStep, planCollateral } from "../../protocol/collateral/plan.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { buildEvidence, type EvidenceReader } from "../../protocol/quote/evidence.ts";
import { hashTcbEvidence, p256KeyOf, tcbEvidenceOf } from "../../protocol/quote/platformRecord.ts";
import type { Proof } from "../attestation/registration.ts";
import {
  type Sender,
  TransactionRefusedError,
  TransactionRevertedError,
  TransactionStuckError,
} from "../chain/sender.ts";
import { type Platform, platformOfQuote } from "./platformOfQuote.ts";

/** What keeping takes. */
export type KeeperPorts = {
  chain: ChainCalls;
  deployment: Deployment;
  sender: Pick<Sender, "send">;
  /** Asks the server of collateral; undefined: there is none to ask. */
  fetch: ((request: PcsRequest) => Promise<Collateral>) | undefined;
  recordedKeyHash: EvidenceReader["recordedKeyHash"];
  /** Unix seconds of the newest block. */
  timestamp(): Promise<bigint>;
  /** What is out of date within so many seconds is replaced now. */
  horizonSeconds: number;
  /** Told of each item that was recorded. */
  recorded(item: CollateralItemName, transactionHash: Hex | undefined): void;
  /** Told of failures that do not matter yet, because what the chain has is still good. */
  problem(error: unknown): void;
};

/** See {@link createCollateralKeeper}. */
export type CollateralKeeper = {
  /** Sees to the collateral that a whole quote is judged by, then says how to show the quote. */
  prove(quote: Uint8Array): Promise<Proof>;
  /** Sees to it for the platform that was last proven. @returns Unix seconds: until when it judges that platform. */
  refresh(): Promise<bigint>;
  /** What {@link refresh} last returned. */
  until(): bigint | undefined;
};

/**
 * How often an item is sent within a day, by the chain's clock: whoever serves collateral, or says what the chain has, must
 * not spend our gas. What is still good is refreshed once; what is not may have been lost in a reorganisation.
 */
const daySeconds = 86_400;
const mostADay = { refresh: 1, mend: 4 } as const;
/** What must not be: the contract judges nothing by it. */
const unusable: readonly CollateralStep["state"][] = ["missing", "revoked", "expired"];

/**
 * Makes a keeper.
 *
 * @throws from `prove` and `refresh`: {@link CollateralMissingError} (retryable), what the sender throws.
 * @example
 * const { quote, evidence } = await createCollateralKeeper(ports).prove(quoteBytes)
 */
export function createCollateralKeeper(ports: KeeperPorts): CollateralKeeper {
  const { chain, deployment } = ports;
  const { tdxCollateral } = deployment.contracts;
  const spentAt = new Map<CollateralItemName, readonly number[]>();
  let platform: Platform | undefined;
  let until: bigint | undefined;

  async function stateOf(of: Platform, tcbSigning?: Uint8Array): Promise<CollateralState> {
    const signer = tcbSigning && { tcbSigning: p256KeyOf(readCertificate(tcbSigning).publicKey) };
    return fromChain(() => readCollateralState(chain, tdxCollateral, { fmspc: of.fmspc, pckCa: of.pckCa, ...signer }));
  }

  async function plan(of: Platform, offered?: Collateral): Promise<CollateralStep[]> {
    const state = await stateOf(of, offered?.tcbSigning);
    const now = Number(await ports.timestamp());
    return planCollateral(state, offered, of, now, ports.horizonSeconds);
  }

  async function ensure(of: Platform): Promise<void> {
    if ((await plan(of)).every(({ state }) => state === "current")) return;
    let failure: unknown;
    try {
      await mend(of);
    } catch (error) {
      failure = error;
    }
    const lacking = (await plan(of)).filter(({ state }) => unusable.includes(state));
    if (lacking.length > 0) {
      // What keeps any transaction from being sent, an empty wallet for one, is said as it is.
      const isSending = failure instanceof BaseError && failure.name.startsWith("Chain.");
      if (isSending && !(failure instanceof TransactionRefusedError)) throw failure;
      throw new CollateralMissingError(of, lacking, ports.fetch !== undefined, failure);
    }
    if (failure !== undefined) ports.problem(failure);
  }

  async function mend(of: Platform): Promise<void> {
    if (ports.fetch === undefined) throw new NoCollateralServerError();
    const offered = await usable(ports.fetch({ fmspc: of.fmspc, ca: of.ca }));
    const steps = await usable(plan(of, offered));
    let failure: unknown;
    for (const { item, state, call } of steps) {
      const now = Number(await ports.timestamp());
      if (call === undefined || state === "newer available") continue;
      const spent = (spentAt.get(item) ?? []).filter((at) => now - at < daySeconds);
      if (spent.length >= (unusable.includes(state) ? mostADay.mend : mostADay.refresh)) continue;
      const note = () => spentAt.set(item, [...spent, now]);
      try {
        const data = encodeFunctionData({ abi: tdxCollateralAbi, ...call } as never); // `call` is one of its functions
        // Whoever records it first: then the same item is no longer of use to the chain.
        const isThere = async () => (await plan(of, offered)).find((step) => step.item === item)?.call === undefined;
        const sent = await ports.sender.send({ to: tdxCollateral, data }, isThere);
        if (sent.status === "mined") note();
        ports.recorded(item, sent.status === "mined" ? sent.receipt.transactionHash : undefined);
      } catch (error) {
        if (error instanceof TransactionRevertedError || error instanceof TransactionStuckError) note();
        failure ??= error;
        if (!(error instanceof TransactionRefusedError)) throw error;
        // The other items may be taken all the same.
      }
    }
    if (failure !== undefined) throw failure;
  }

  async function look(of: Platform): Promise<bigint> {
    const issuer = await fromChain(() => evidenceReader(chain, deployment.contracts).authorityNumber(of.pckCa));
    const call = { abi: tdxCollateralAbi, functionName: "inForce", args: [of.fmspc, issuer] } as const;
    const { validUntil } = await fromChain(async () =>
      decodeFunctionResult({ ...call, data: await chain.call(tdxCollateral, encodeFunctionData(call)) }),
    );
    until = of.certificateUntil;
    if (validUntil < until) until = validUntil;
    return until;
  }

  return {
    async prove(bytes) {
      platform = platformOfQuote(bytes);
      await ensure(platform);
      await look(platform);
      const reads = evidenceReader(chain, deployment.contracts, ports.recordedKeyHash);
      const { quote, evidence } = await fromChain(() => buildEvidence(bytes, reads));
      const recorded = platform.recordedAs(await fromChain(() => reads.authorityNumber(evidence.issuerKey)));
      const tcbEvidenceHash = hashTcbEvidence(tcbEvidenceOf(recorded, platform.report, platform.qeIsvSvn));
      return { quote, evidence, tcbEvidenceHash };
    },
    async refresh() {
      if (platform === undefined) throw new NothingProvenError();
      await ensure(platform);
      return look(platform);
    },
    until: () => until,
  };
}

/** Answers are decoded by the contracts' types: one that is of no such type is the provider's fault. */
async function fromChain<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof BaseError ? error : new InconsistentSourceError("its answer on collateral is malformed");
  }
}

/** What a server offers is read by strict readers; whatever they trip over, it is the server's fault. */
async function usable<T>(offer: Promise<T>): Promise<T> {
  try {
    return await offer;
  } catch (error) {
    throw error instanceof BaseError ? error : new UnusableCollateralError(error);
  }
}

/** The chain lacks collateral that this platform is judged by. */
export class CollateralMissingError extends BaseError {
  override readonly name = "Collateral.CollateralMissingError";
  readonly items: readonly CollateralItemName[];
  constructor(of: Platform, lacking: readonly CollateralStep[], hasServer: boolean, cause: unknown) {
    const why = cause instanceof BaseError ? ` ${cause.message}` : "";
    const items = lacking.map(({ item, state }) => `${item} ${state}`).join(", ");
    super(`The chain lacks collateral for FMSPC ${of.fmspc.slice(2)}: ${items}.${why}`, {
      hint: hasServer
        ? "It is tried again. If it stays, set COLLATERAL_URL to another PCS or PCCS, or push it with `dcm collateral push`."
        : "Set COLLATERAL_URL to a PCS or PCCS (Intel's: https://api.trustedservices.intel.com), or have anyone run " +
          `\`dcm collateral push --pcs URL --fmspc ${of.fmspc.slice(2)}\`.`,
      retryable: true,
      cause,
    });
    this.items = collateralItems.filter((item) => lacking.some((step) => step.item === item));
  }
}

/** There is nobody to ask for collateral. */
export class NoCollateralServerError extends BaseError {
  override readonly name = "Collateral.NoCollateralServerError";
  constructor() {
    super("COLLATERAL_URL is not set.", {
      hint: "Set it to a PCS or PCCS: Intel's is https://api.trustedservices.intel.com.",
      retryable: true,
    });
  }
}

/** What the server gave cannot be read. */
export class UnusableCollateralError extends BaseError {
  override readonly name = "Collateral.UnusableCollateralError";
  constructor(cause: unknown) {
    super("The server at COLLATERAL_URL gave collateral that cannot be read.", {
      hint: "Set COLLATERAL_URL to another PCS or PCCS.",
      retryable: true,
      cause,
    });
  }
}

/** Collateral is to be refreshed before any quote was proven. */
export class NothingProvenError extends BaseError {
  override readonly name = "Collateral.NothingProvenError";
  constructor() {
    super("No quote was proven yet, so that no platform is known.", { hint: "Register first." });
  }
}
