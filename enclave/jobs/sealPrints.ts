/**
 * Room: enclave/jobs/sealPrints. What a program printed, for the owner of its data and nobody else: prints pass by every rule
 * of the output policy, so they go only to whom nothing has to be kept from.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex, isAddressEqual } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import type { Policy } from "../../protocol/policy.ts";
import { encodePrints, type OpenedPrints, type PrintsEntry, printsCommitmentOf } from "../../protocol/prints.ts";
import { publicResultKey } from "../../protocol/publicReader.ts";
import type { EnclaveLog } from "../receipts/enclaveLog.ts";
import type { ConsentedInput } from "./gather.ts";
import { sealTo } from "./sealTo.ts";

/**
 * Who reads what a program prints: the keys that every grant of the job names as result readers. Nobody, if the policy does
 * not say so or the data are of several owners: none of them has agreed that another sees its rows. Never everybody.
 *
 * @example
 * const readers = printsReaders(manifest.output.policy, inputs)
 */
export function printsReaders(
  policy: Policy | undefined,
  inputs: readonly Pick<ConsentedInput, "owner" | "signedGrant">[],
): ReadonlySet<Hex> {
  const [first, ...others] = inputs;
  if (policy?.prints === undefined || first === undefined) return new Set();
  if (!others.every(({ owner }) => isAddressEqual(owner, first.owner))) return new Set();
  const named = inputs.map(({ signedGrant }) => new Set(signedGrant.grant.resultReaders));
  const isNamed = (reader: Hex) => reader !== publicResultKey && named.every((readers) => readers.has(reader));
  return new Set(first.signedGrant.grant.resultReaders.filter(isNamed));
}

/**
 * Seals prints, and records that in the enclave's log.
 *
 * @param prints - `text` is overwritten.
 * @param readers - at least one.
 * @throws {@link JobStop} as `sealTo`.
 * @example
 * const sealed = await sealPrints(ports.log, { jobId, salt, ...outcome.prints }, readers)
 */
export async function sealPrints(log: EnclaveLog, prints: OpenedPrints, readers: ReadonlySet<Hex>) {
  const plaintext = encodePrints(prints);
  prints.text.fill(0);
  const ciphertext = await sealTo(readers, plaintext);
  const entry: PrintsEntry = {
    type: "prints.sealed",
    jobId: prints.jobId,
    sealedHash: bytesToHex(sha256(ciphertext)),
    printsCommitment: printsCommitmentOf(prints.salt, prints.hash),
    readers: readers.size,
  };
  return { ciphertext, entry: toJcsBytes(entry), index: log.append(entry) };
}
