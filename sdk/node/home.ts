/**
 * Room: sdk/node/home. The directory (DCM_HOME) where data set keys, grants given and result identities are kept.
 * Every file is an age file encrypted to an identity derived from the wallet's private key, so one secret opens all
 * and a stolen disk opens nothing. The identity is HKDF-SHA256(private key, info "data-collab-market/home/v1") as an
 * X25519 `AGE-SECRET-KEY-1...`. Layout: <home>/<chainId>-<jobMarket>/<wallet>/<kind>/<id>.age, see `kinds`.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { type Hex, hexToBytes } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { z } from "zod";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf, hashGrant, type SignedGrant } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import type { SignedAppointment } from "../../protocol/sealerAppointment.ts";
import { type BrokerState, type BrokerStore, brokerStateSchema } from "../broker.ts";
import { datasetKeyBytes } from "../encryption.ts";
import { grantFileOf, readGrantFile } from "../grantFile.ts";
import { appointmentFileOf, readAppointmentFile } from "../sealers.ts";
import { isMissing, makePrivateDirectory, readBounded, writeAtomic } from "./files.ts";

/** Folders of a home: data set keys, grants given, identities that open results, appointments of this wallet. */
const kinds = ["keys", "grants", "results", "appointments"] as const;

const ageIdentity = z.string().regex(/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
const keySchema = z.strictObject({ v: z.literal(1), datasetId: bytes32, key: ageIdentity });
const resultSchema = z.strictObject({ v: z.literal(1), jobId: bytes32, identity: ageIdentity });

const maxSecretBytes = 64 * 1024;
const maxStateBytes = 256 * 1024 * 1024;

/** What one wallet keeps on this machine for one deployment. Ids are 32 bytes of hex. */
export type Home = {
  saveDatasetKey: (datasetId: Hex, key: string) => Promise<void>;
  /** The `AGE-SECRET-KEY-1...` line, or undefined. */
  datasetKey: (datasetId: Hex) => Promise<string | undefined>;
  saveGrant: (signed: SignedGrant) => Promise<void>;
  grant: (grantHash: Hex) => Promise<SignedGrant | undefined>;
  grants: () => Promise<SignedGrant[]>;
  saveResultIdentity: (jobId: Hex, identity: string) => Promise<void>;
  resultIdentity: (jobId: Hex) => Promise<string | undefined>;
  /** The one that counts is the last saved for its data set. */
  saveAppointment: (signed: SignedAppointment) => Promise<void>;
  appointment: (datasetId: Hex) => Promise<SignedAppointment | undefined>;
  /** This home as the key broker wants it. */
  brokerStore: BrokerStore;
};

/**
 * Opens, and where needed makes, the home of a wallet.
 *
 * @param options - `directory`: the root, mode 0700; `privateKey`: the wallet's.
 * @throws OpenDirectoryError | FileUnwritableError
 * @example
 * const home = await openHome({ directory: "/home/me/.dcm", privateKey, deployment })
 */
export async function openHome(options: { directory: string; privateKey: Hex; deployment: Deployment }): Promise<Home> {
  const { directory, privateKey, deployment } = options;
  const { chainId, contracts } = deployment;
  const identity = identityOf(privateKey);
  const recipient = await identityToRecipient(identity);
  const wallet = privateKeyToAddress(privateKey).toLowerCase();
  const root = join(directory, `${chainId}-${contracts.jobMarket.toLowerCase()}`, wallet);
  await makePrivateDirectory(directory);
  for (const kind of kinds) await makePrivateDirectory(join(root, kind));

  /** Encrypted, then written; the plaintext never touches the disk. */
  async function save(path: string, value: unknown, overwrite: boolean): Promise<void> {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    await writeAtomic(path, await encrypter.encrypt(JSON.stringify(value)), { mode: 0o600, overwrite });
  }

  async function load(path: string, maxBytes: number = maxSecretBytes): Promise<string | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readBounded(path, maxBytes);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    try {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      return await decrypter.decrypt(bytes, "text");
    } catch {
      throw new CorruptFileError(path); // no cause: it could hold parts of the content
    }
  }

  async function loadAs<T>(path: string, schema: z.ZodType<T>, maxBytes?: number): Promise<T | undefined> {
    const text = await load(path, maxBytes);
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new CorruptFileError(path);
    }
  }

  async function loadGrant(path: string, grantHash: Hex): Promise<SignedGrant | undefined> {
    const text = await load(path);
    if (text === undefined) return undefined;
    const signed = readGrantFile(text, deployment);
    if (hashGrant(domainOf(chainId, contracts.jobMarket), signed.grant) !== grantHash) throw new CorruptFileError(path);
    return signed;
  }

  const pathOf = (kind: (typeof kinds)[number], id: Hex) => join(root, kind, `${bytes32.parse(id)}.age`);
  const statePath = join(root, "broker.age");

  const home: Omit<Home, "brokerStore"> = {
    saveDatasetKey: (datasetId, key) => save(pathOf("keys", datasetId), { v: 1, datasetId, key }, false),
    async datasetKey(datasetId) {
      const path = pathOf("keys", datasetId);
      const found = await loadAs(path, keySchema);
      if (found !== undefined && found.datasetId !== datasetId.toLowerCase()) throw new CorruptFileError(path);
      return found?.key;
    },
    async saveGrant(signed) {
      const grantHash = hashGrant(domainOf(chainId, contracts.jobMarket), signed.grant);
      await save(pathOf("grants", grantHash), grantFileOf(deployment, signed), true);
    },
    grant: (grantHash) => loadGrant(pathOf("grants", grantHash), grantHash.toLowerCase() as Hex),
    async grants() {
      const found: SignedGrant[] = [];
      for (const name of (await readdir(join(root, "grants"))).sort()) {
        const grantHash = bytes32.safeParse(name.replace(/\.age$/, "")).data;
        const signed = grantHash && (await loadGrant(join(root, "grants", name), grantHash));
        if (signed !== undefined) found.push(signed);
      }
      return found;
    },
    saveResultIdentity: (jobId, secret) => save(pathOf("results", jobId), { v: 1, jobId, identity: secret }, false),
    async resultIdentity(jobId) {
      const path = pathOf("results", jobId);
      const found = await loadAs(path, resultSchema);
      if (found !== undefined && found.jobId !== jobId.toLowerCase()) throw new CorruptFileError(path);
      return found?.identity;
    },
    saveAppointment: (signed) =>
      save(pathOf("appointments", signed.appointment.datasetId), appointmentFileOf(deployment, signed), true),
    async appointment(datasetId) {
      const path = pathOf("appointments", datasetId);
      const text = await load(path);
      if (text === undefined) return undefined;
      const signed = readAppointmentFile(text, deployment);
      if (signed.appointment.datasetId !== datasetId.toLowerCase()) throw new CorruptFileError(path);
      return signed;
    },
  };
  const brokerStore: BrokerStore = {
    appointment: home.appointment,
    grants: home.grants,
    async datasetKey(datasetId) {
      const key = await home.datasetKey(datasetId);
      return key === undefined ? undefined : datasetKeyBytes(key);
    },
    loadState: () => loadAs(statePath, brokerStateSchema, maxStateBytes),
    saveState: (state) => save(statePath, brokerStateToJson(state), true),
  };
  return { ...home, brokerStore };
}

function brokerStateToJson(state: BrokerState) {
  const workloads = state.workloads.map(({ workloadId, nextBlock }) => ({ workloadId, nextBlock: String(nextBlock) }));
  return { ...state, workloads };
}

function identityOf(privateKey: Hex): string {
  const secret = hkdf(sha256, hexToBytes(privateKey, { size: 32 }), undefined, "data-collab-market/home/v1", 32);
  return bech32.encodeFromBytes("AGE-SECRET-KEY-", secret).toUpperCase();
}

/** A file of the home is damaged, was put there by someone else, or belongs to another wallet. */
export class CorruptFileError extends BaseError {
  override readonly name = "Home.CorruptFileError";
  constructor(path: string) {
    super(`${path} cannot be opened with this wallet, or is damaged.`, {
      hint: "Restore it from a backup, or move it away if it is not yours.",
    });
  }
}
