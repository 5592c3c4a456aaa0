/**
 * Room: scripts/conformance. The contracts' verdict: a fresh TdxCollateral and TdxVerifier at one block time, the collateral
 * sent item by item, each quote verified as the first of its platform.
 */
import { type Address, bytesToHex, decodeFunctionResult, encodeFunctionData, type Hex, slice, zeroHash } from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../../protocol/abi.ts";
import { collateralCall, collateralItems } from "../../protocol/collateral/calls.ts";
import { evidenceReader } from "../../protocol/collateral/chainState.ts";
import type { Collateral } from "../../protocol/collateral/collateral.ts";
import { recordedStatuses } from "../../protocol/enclaveRecord.ts";
import { BaseError } from "../../protocol/errors.ts";
import { readCertificate } from "../../protocol/quote/certificate.ts";
import { buildEvidence, type Evidence, type EvidenceReader, noPlatform } from "../../protocol/quote/evidence.ts";
import { splitQuote } from "../../protocol/quote/parseQuote.ts";
import { p256KeyOf } from "../../protocol/quote/platformRecord.ts";
import { type Evm, RevertedCallError, startEvm } from "./evm.ts";
import { requireUnsentParts } from "./unsentParts.ts";

/** `status`: the converged one, also where the policy refuses it. `gas`: of the whole transaction, if there was one. */
export type OnChainVerdict = { accepted: boolean; status: string | null; error: string | null; gas: number | null };

/** Contracts that hold one collateral. */
export type Judge = { verify(quote: Uint8Array): Promise<OnChainVerdict>; close(): Promise<void> };

/** UpToDate and SWHardeningNeeded. */
const defaultPolicy = (1 << 1) | (1 << 2);

/**
 * Deploys the contracts and sends the collateral. What is refused of it is the verdict on every quote.
 *
 * @param rootKey - x || y, 64 bytes.
 * @param at - Unix seconds: the time of every block.
 * @throws `Conformance.NotDeployedError`
 * @example
 * const judge = await startJudge(collateral, intelRootKey, 1_786_621_538)
 */
export async function startJudge(collateral: Collateral, rootKey: Hex, at: number): Promise<Judge> {
  const evm = await startEvm(at);
  const root = [slice(rootKey, 0, 32), slice(rootKey, 32, 64)];
  const tdxCollateral = await evm.deploy("attestation/TdxCollateral.sol/TdxCollateral", [...root, 0]);
  const tdxVerifier = await evm.deploy("attestation/TdxVerifier.sol/TdxVerifier", [tdxCollateral]);
  const refusal = await pushAll(evm, tdxCollateral, collateral);
  const reader = evidenceReader(evm, { tdxCollateral, tdxVerifier });
  return {
    async verify(quote) {
      if (refusal !== undefined) return { accepted: false, status: null, error: refusal, gas: null };
      const verdict = await evm.undoing(() => verify(evm, tdxVerifier, reader, quote));
      if (!verdict.accepted) return verdict;
      const unsent = await settle(() => requireUnsentParts(quote, collateral, rootKey, at));
      return unsent instanceof BaseError
        ? { ...verdict, accepted: false, status: null, error: errorText(unsent) }
        : verdict;
    },
    close: () => evm.close(),
  };
}

/** Sends every item, whatever is in it: it is for the contract to refuse. Answers with the first refusal. */
async function pushAll(evm: Evm, to: Address, collateral: Collateral): Promise<string | undefined> {
  for (const item of collateralItems) {
    try {
      const data = encodeFunctionData({ abi: tdxCollateralAbi, ...collateralCall(item, collateral) });
      await evm.call(to, data);
      const { ok } = await evm.send(to, data);
      if (!ok) return `${item}: reverted without a typed error in its transaction`;
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      return `${item}: ${errorText(error)}`;
    }
  }
  return undefined;
}

async function verify(evm: Evm, to: Address, reader: EvidenceReader, bytes: Uint8Array): Promise<OnChainVerdict> {
  const { quote, evidence, flaw } = await evidenceOf(bytes, reader);
  const data = encodeFunctionData({
    abi: tdxVerifierAbi,
    functionName: "verify",
    args: [quote, evidence, defaultPolicy],
  });
  try {
    const answer = await evm.call(to, data);
    const verdict = decodeFunctionResult({ abi: tdxVerifierAbi, functionName: "verify", data: answer });
    const { ok, gasUsed } = await evm.send(to, data);
    const error = ok ? null : "reverted without a typed error in its transaction";
    return { accepted: ok, status: recordedStatuses[verdict.tcbStatus] ?? null, error, gas: gasUsed };
  } catch (error) {
    if (!(error instanceof RevertedCallError)) throw error;
    const { gasUsed } = await evm.send(to, data);
    const isStatus = error.errorName === "TdxVerifier_TcbStatusNotAllowed";
    const status = isStatus ? (recordedStatuses[Number(error.args[0])] ?? null) : null;
    // A quote without a chain is sent without one: that the contract misses it says less than why it is not there.
    const isMissed = ["TdxVerifier_PlatformNotRecorded", "TdxCollateral_UnknownAuthorityNumber"].includes(
      error.errorName ?? "",
    );
    return { accepted: false, status, error: errorText(flaw !== undefined && isMissed ? flaw : error), gas: gasUsed };
  }
}

/** The evidence, or as much of it as can be had: the contract is to refuse, not this. */
async function evidenceOf(
  bytes: Uint8Array,
  reader: EvidenceReader,
): Promise<{ quote: Hex; evidence: Evidence; flaw?: BaseError }> {
  const attempt = await settle(() => buildEvidence(bytes, reader));
  if (!(attempt instanceof BaseError)) return attempt;
  const nothing = { x: zeroHash, y: zeroHash };
  const bare = {
    issuerKey: nothing,
    platform: noPlatform,
    attestationKeyHash: zeroHash,
    qeIsvSvn: 0,
    revocationHint: 0,
  };
  const split = await settle(() => splitQuote(bytes));
  if (split instanceof BaseError)
    return { quote: bytesToHex(bytes), evidence: { ...bare, pckLeaf: "0x" }, flaw: split };
  const issuer = await settle(() => readCertificate(Uint8Array.fromHex(split.pckIssuer.slice(2))));
  const issuerKey = issuer instanceof BaseError ? nothing : p256KeyOf(issuer.publicKey);
  return { quote: split.quote, evidence: { ...bare, issuerKey, pckLeaf: split.pckLeaf }, flaw: attempt };
}

async function settle<T>(run: () => T | Promise<T>): Promise<T | BaseError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BaseError) return error;
    throw error;
  }
}

/** A contract's error as it is; one of ours with its name. */
export function errorText(error: BaseError): string {
  return error instanceof RevertedCallError ? error.message : `${error.name}: ${error.message}`;
}
