/**
 * Room: sdk/cvm/bound. Which binding the report data of a quote are the hash of. A hash does not say which of its fields
 * is wrong; trying what others say of a field does. Pure.
 */
import { bytesToHex, type Hex } from "viem";
import { challengeReportData, type EnclaveBinding, registrationReportData } from "../../protocol/attestationBinding.ts";
import { bindingFields, type KnownBinding, type WorkerClaims } from "./attestation.ts";
import type { CvmCase } from "./case.ts";

/** What the report data were compared with. */
export type Bound = {
  /** Of the caller: a nonce, or a block. */
  by: "nonce" | "block";
  /** The binding that, with the caller's nonce or block, has these report data; undefined: none of those tried. */
  binding: EnclaveBinding | undefined;
};

/**
 * Finds the binding that the quote carries: the one that the worker states, or that with fields replaced by what
 * the caller expects and by what the worker says elsewhere.
 *
 * @returns undefined if the caller gave neither nonce nor block: then nothing can be recomputed.
 * @example
 * const bound = boundTo(found, claims)
 */
export function boundTo({ policy, report }: CvmCase, claims: WorkerClaims): Bound | undefined {
  const { block, expectedBinding, nonce } = policy;
  const hash = reportDataBy(nonce, block);
  if (hash === undefined) return undefined;
  const signed = bytesToHex(report.reportData);
  const others: KnownBinding[] = [expectedBinding ?? {}];
  if (claims.registration !== null) others.push({ registry: claims.registration.registry });
  const binding = candidates(claims.binding, others).find((candidate) => hash(candidate) === signed);
  return { by: nonce === undefined ? "block" : "nonce", binding };
}

function reportDataBy(
  nonce: Hex | undefined,
  block: { number: bigint; hash: Hex } | undefined,
): ((binding: EnclaveBinding) => Hex) | undefined {
  if (nonce !== undefined) return (binding) => challengeReportData(binding, nonce);
  if (block !== undefined) return (binding) => registrationReportData(binding, block.number, block.hash);
  return undefined;
}

/** The stated one first; at most 3^5 of them. */
function candidates(stated: EnclaveBinding, others: readonly KnownBinding[]): EnclaveBinding[] {
  let found: EnclaveBinding[] = [stated];
  for (const field of bindingFields) {
    const values = new Set(others.map((other) => other[field]).filter((value) => value !== undefined));
    values.delete(stated[field]);
    found = [...found, ...[...values].flatMap((value) => found.map((one) => ({ ...one, [field]: value })))];
  }
  return found;
}
