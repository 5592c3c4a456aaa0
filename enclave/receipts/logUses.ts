/**
 * Room: enclave/receipts/logUses. Puts the log between the enclave's keys and those who use them: what every use goes
 * through cannot be forgotten by one of them. An entry that cannot be written is a key that is not used.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex } from "viem";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import type { EnclaveLog } from "./enclaveLog.ts";

type Appendable = Pick<EnclaveLog, "append" | "sync">;

/**
 * The identity, with each signature in the log before it is made. Only heads of the log itself are signed without.
 *
 * @example
 * const identity = logSignatures(await createIdentity(), book.log)
 */
export function logSignatures(identity: EnclaveIdentity, log: Appendable): EnclaveIdentity {
  return {
    ...identity,
    signDigest(digest) {
      log.append({ type: "key.signed", digest });
      log.sync();
      return identity.signDigest(digest);
    },
  };
}

/**
 * The identity as the grant book has it: data set keys that come are in the log, once for each grant that is held.
 *
 * @param isHeld - whether a grant is held already: sending it again must not make the log grow.
 * @example
 * const grants = createGrantBook({ identity: logReceivedKeys(identity, log, isHeld), ...parts })
 */
export function logReceivedKeys(
  identity: EnclaveIdentity,
  log: Appendable,
  isHeld: (grantHash: Hex) => boolean,
): EnclaveIdentity {
  return {
    ...identity,
    async openSealedKey(grantHash, sealed) {
      const key = await identity.openSealedKey(grantHash, sealed);
      try {
        if (!isHeld(grantHash)) {
          log.append({ type: "key.received", grantHash });
          log.sync();
        }
        return key;
      } catch (error) {
        key.fill(0);
        throw error;
      }
    },
  };
}

/**
 * What is to be called with each sealed result that is handed out: the first time is in the log.
 *
 * @example
 * const released = logReleases(book.log)
 */
export function logReleases(log: Appendable): (jobId: Hex, ciphertext: Uint8Array) => void {
  const seen = new Set<Hex>(); // of jobs with results on disk, which are larger
  return (jobId, ciphertext) => {
    if (seen.has(jobId)) return;
    log.append({ type: "result.released", jobId, resultHash: bytesToHex(sha256(ciphertext)) });
    log.sync();
    seen.add(jobId);
  };
}
