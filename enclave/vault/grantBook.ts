/**
 * Room: enclave/vault/grantBook. The grants that providers' brokers have handed to this enclave, each with its sealed
 * data set key. Kept in memory: the keys are sealed to a vault key that dies with the process, and brokers seal anew
 * to the next one. A package is taken only if its owner signed it and its key opens here under this very grant.
 */
import type { Hex } from "viem";
import { type Domain, type Grant, hashGrant, hashSealedKey } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import type { GrantPackage } from "../../protocol/grantPackage.ts";
import type { EnclaveIdentity } from "../attestation/identity.ts";
import { parseDatasetKey } from "./datasetKey.ts";

/** Most grants held at once; expired ones make room first. */
export const maxGrants = 10_000;
/** Most grants held of one data set: no provider can take the room of the others. */
export const maxGrantsPerDataset = 256;

/** What the book asks the chain. */
export type OwnerReader = {
  /** Current owner of a data set; throws a typed error if there is none. */
  datasetOwner(datasetId: Hex): Promise<Hex>;
  /** Whether `signature` of an EIP-712 hash is the owner's: ECDSA, or ERC-1271 for contracts. */
  isSignedBy(owner: Hex, digest: Hex, signature: Hex): Promise<boolean>;
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

  return {
    async accept(pkg) {
      const grantHash = hashGrant(domain, pkg.grant);
      if (pkg.grant.workloadId !== workloadId) throw new GrantRefusedError("it is for another workload");
      if (pkg.sealedKey.vaultKey !== identity.vaultKey) throw new OtherVaultKeyError();
      const owner = await reader.datasetOwner(pkg.grant.datasetId);
      if (!(await reader.isSignedBy(owner, grantHash, pkg.signature))) {
        throw new GrantRefusedError("it is not signed by the data set's owner for this chain and market");
      }
      // Anyone can seal something to a vault key under a grant that is public: it must not displace the true key.
      const sealed = hashSealedKey(domain, grantHash, pkg.sealedKey);
      if (!(await reader.isSignedBy(owner, sealed, pkg.sealedKeySignature))) {
        throw new GrantRefusedError("its sealed key is not signed by the data set's owner");
      }
      const key = await identity.openSealedKey(grantHash, pkg.sealedKey);
      const readable = parseDatasetKey(key) !== undefined;
      key.fill(0);
      if (!readable) throw new GrantRefusedError("the sealed key is not an age identity");
      if (!grants.has(grantHash)) await makeRoom(pkg.grant);
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
