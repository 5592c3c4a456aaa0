/**
 * Room: enclave/vault/grantBook. The grants that providers' brokers have handed to this enclave, each with its sealed
 * data set key. Kept in memory: the keys are sealed to a vault key that dies with the process, and brokers seal anew
 * to the next one. A package is taken only if its owner signed it, and its key is signed by the owner, or by the sealer that
 * it has appointed, and opens here under this very grant.
 */
import type { Address, Hex } from "viem";
import { type Domain, type Grant, hashGrant, hashSealedKey } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { GrantPackage } from "../../protocol/grantPackage.ts";
import { hashSealerAppointment } from "../../protocol/sealerAppointment.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import { checkAppointment, type OwnerState } from "./checkAppointment.ts";
import { parseDatasetKey } from "./datasetKey.ts";
import { isSignedByKey } from "./ownerSignature.ts";

/** Most grants held at once; expired ones make room first. */
export const maxGrants = 10_000;
/** Most grants held of one data set: no provider can take the room of the others. */
export const maxGrantsPerDataset = 256;

/** What the book asks the chain. */
export type OwnerReader = {
  /** Current owner of a data set, and the epochs of both; throws a typed error if there is none. */
  consent(datasetId: Hex): Promise<OwnerState & { owner: Address }>;
  /** Whether `signature` of an EIP-712 hash is the owner's: ECDSA, or ERC-1271 for contracts. */
  isSignedBy(owner: Address, digest: Hex, signature: Hex): Promise<boolean>;
  /** Unix seconds of the newest block. */
  timestamp(): Promise<bigint>;
};

/** Takes grants in and gives them out by hash. */
export type GrantBook = {
  /**
   * Checks and keeps a package; taking the same again changes nothing.
   *
   * @throws {@link GrantRefusedError} | {@link OtherVaultKeyError} | {@link GrantBookFullError} | `SealingError`
   */
  accept(pkg: GrantPackage): Promise<{ grantHash: Hex }>;
  find(grantHash: Hex): GrantPackage | undefined;
  size(): number;
};

/**
 * An empty book.
 *
 * @param domain - of the JobMarket: grants for another chain or contract hash differently and are refused.
 * @example
 * const book = createGrantBook({ domain, workloadId, identity, reader })
 */
export function createGrantBook(options: {
  domain: Domain;
  workloadId: Hex;
  identity: EnclaveIdentity;
  reader: OwnerReader;
  /** Told after each grant that was taken. */
  onAccepted?: () => void;
}): GrantBook {
  const { domain, workloadId, identity, reader } = options;
  const grants = new Map<Hex, GrantPackage>();

  async function makeRoom({ datasetId }: Grant) {
    const isFull = () =>
      grants.size >= maxGrants ||
      [...grants.values()].filter(({ grant }) => grant.datasetId === datasetId).length >= maxGrantsPerDataset;
    if (!isFull()) return;
    const now = await reader.timestamp();
    for (const [hash, pkg] of grants) if (pkg.grant.notAfter < now) grants.delete(hash);
    if (isFull()) throw new GrantBookFullError();
  }

  /** Anyone can seal something to a vault key under a grant that is public: it must not displace the true key. */
  async function requireSealer(pkg: GrantPackage, grantHash: Hex, consent: OwnerState & { owner: Address }) {
    const { grant, sealedKey, sealedKeySignature, sealerAppointment } = pkg;
    const sealed = hashSealedKey(domain, grantHash, sealedKey);
    if (sealerAppointment === undefined) {
      if (await reader.isSignedBy(consent.owner, sealed, sealedKeySignature)) return;
      throw new GrantRefusedError("its sealed key is not signed by the data set's owner");
    }
    const { appointment, signature } = sealerAppointment;
    const refusal = checkAppointment(appointment, grant, consent, await reader.timestamp());
    if (refusal !== undefined) throw new GrantRefusedError(`its sealer's appointment ${refusal}`);
    if (!(await reader.isSignedBy(consent.owner, hashSealerAppointment(domain, appointment), signature))) {
      const fact = "its sealer's appointment is not signed by the data set's owner for this chain and market";
      throw new GrantRefusedError(fact);
    }
    if (!isSignedByKey(appointment.sealer, sealed, sealedKeySignature)) {
      throw new GrantRefusedError("its sealed key is not signed by the sealer that was appointed");
    }
  }

  return {
    async accept(pkg) {
      const grantHash = hashGrant(domain, pkg.grant);
      if (pkg.grant.workloadId !== workloadId) throw new GrantRefusedError("it is for another workload");
      if (pkg.sealedKey.vaultKey !== identity.vaultKey) throw new OtherVaultKeyError();
      const consent = await reader.consent(pkg.grant.datasetId);
      if (!(await reader.isSignedBy(consent.owner, grantHash, pkg.signature))) {
        throw new GrantRefusedError("it is not signed by the data set's owner for this chain and market");
      }
      await requireSealer(pkg, grantHash, consent);
      // Each key that is opened is in the log: one that there is no room for must not make it grow.
      if (!grants.has(grantHash)) await makeRoom(pkg.grant);
      const key = await identity.openSealedKey(grantHash, pkg.sealedKey);
      const readable = parseDatasetKey(key) !== undefined;
      key.fill(0);
      if (!readable) throw new GrantRefusedError("the sealed key is not an age identity");
      if (!grants.has(grantHash)) await makeRoom(pkg.grant); // others may have come meanwhile
      grants.set(grantHash, pkg);
      options.onAccepted?.();
      return { grantHash };
    },
    find: (grantHash) => grants.get(grantHash),
    size: () => grants.size,
  };
}

/** The grant, or the key that came with it, is not what this enclave may take. */
export class GrantRefusedError extends BaseError {
  override readonly name = "Vault.GrantRefusedError";
  constructor(fact: string) {
    super(`The grant was refused: ${fact}.`, {
      hint: "Sign it as the data set's owner for this market, and seal the key to the vault key of GET /enclave.",
    });
  }
}

/** The key is sealed to an enclave that is not here: an earlier life of this worker, or another one. */
export class OtherVaultKeyError extends BaseError {
  override readonly name = "Vault.OtherVaultKeyError";
  constructor() {
    super("The grant's key is sealed to another vault key.", {
      hint: "Seal it to the vault key of GET /enclave: a worker that was started anew has new keys.",
    });
  }
}

/** The enclave holds as many grants as it can. */
export class GrantBookFullError extends BaseError {
  override readonly name = "Vault.GrantBookFullError";
  constructor() {
    super(`The enclave holds ${maxGrants} grants, or ${maxGrantsPerDataset} of this data set, already.`, {
      hint: "Try again when some have expired.",
      retryable: true,
    });
  }
}
