/**
 * Room: sdk/bundle/completeness. Whether events are left out: a proof shows that an event was, never that none was. The
 * contracts' storage counts or sums up those that decide, so that what is left out contradicts it. Runs while a bundle is
 * made, over an RPC, and while it is audited, over proofs. May import: protocol, sdk/audit.
 * Source: DatasetRegistry.sol, EnclaveRegistry.sol, TdxCollateral.sol; snapshots/storage.
 */
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  isAddressEqual,
  keccak256,
  numberToHex,
  pad,
  toHex,
  zeroAddress,
} from "viem";
import { tdxCollateralAbi } from "../../protocol/abi.ts";
import { enclaveStates } from "../../protocol/enclaveRecord.ts";
import { BaseError } from "../../protocol/errors.ts";
import { type DatasetEvidence, isMissing, type Position, type Registration } from "../audit/evidence.ts";
import type { ChainView } from "../audit/gather/chainView.ts";
import type { OnChain } from "../audit/gather/gatherEvidence.ts";
import { isBefore, ownerAt } from "../audit/position.ts";
import { dataset, enclaveRecord, grantNonceRevoked, ownerEpoch, type Stored } from "../proofs/layout.ts";

/** Reads storage as it was after a block. */
export type ReadStored = <T>(block: bigint, address: Address, stored: Stored<T>) => Promise<T>;

/** What storage cannot show; `line`: the claim that is open therefore. */
export type Gap = { line: string; reason: string };

const recordedEvent = getAbiItem({ abi: tdxCollateralAbi, name: "CollateralRecorded" });

/** Nonces below have a bit for the owner's epoch only. Source: DatasetRegistry, SMALL_NONCES. */
const smallNonces = 224n;

/**
 * Compares events with storage.
 *
 * @returns what is open.
 * @throws {@link LeftOutError} if events are left out, or invented.
 * @example
 * const gaps = await requireComplete(evidence, view, async (...what) => readStored(proven, ...what))
 */
export async function requireComplete(evidence: OnChain, view: ChainView, read: ReadStored): Promise<Gap[]> {
  const gaps: Gap[] = [];
  for (const position of evidence.opening.order.datasets.keys())
    gaps.push(...(await requireConsent(evidence, position, read)));
  if (!isMissing(evidence.registration)) {
    await requireLife(evidence, evidence.registration, read);
    gaps.push(...(await collateralGaps(evidence.registration, view, read)));
  }
  return gaps;
}

/* CONSENT */

async function requireConsent(evidence: OnChain, position: number, read: ReadStored): Promise<Gap[]> {
  const { anchor, deployment, ending, opening, settlement } = evidence;
  const { datasetRegistry } = deployment.contracts;
  const evidenceOf = evidence.datasets[position];
  const use = opening.order.datasets[position];
  const name = `data set ${position + 1}`;
  if (evidenceOf === undefined || use === undefined) throw new LeftOutError(name);
  const record = await read(anchor.number, datasetRegistry, dataset(use.datasetId));
  const { registration, epochs, transfers, retirements, ownerEpochs } = evidenceOf;
  if (isMissing(registration)) {
    requireSame(`the registration of ${name}`, isAddressEqual(record.owner, zeroAddress));
    return [];
  }
  const lastOwner = ownerAt(registration.owner, transfers, undefined);
  requireSame(`transfers of ${name}`, isAddressEqual(record.owner, lastOwner));
  // Each of these events counts the epoch up by one.
  const counted = epochs.map(({ newEpoch }) => newEpoch);
  requireSame(`revocations of ${name}`, countsTo(counted, record.epoch));
  requireSame(`the retirement of ${name}`, retirements.length === (record.retired ? 1 : 0));
  const owner = ownerAt(registration.owner, transfers, ending);
  const own = ownerEpochs.map(({ newOwnerEpoch }) => newOwnerEpoch);
  const lastEpoch = await read(anchor.number, datasetRegistry, ownerEpoch(owner));
  requireSame(`revocations by the owner of ${name}`, countsTo(own, lastEpoch));

  const signed = settlement === undefined || isMissing(settlement.grants) ? undefined : settlement.grants[position];
  if (signed === undefined || ending === undefined) return [];
  const { nonce, ownerEpoch: epoch } = signed.grant;
  const revoked = grantNonceRevoked(owner, nonce);
  const what = `the revocation of the grant for ${name}`;
  if (nonce >= smallNonces) {
    const isRevoked = await read(anchor.number, datasetRegistry, revoked);
    requireSame(what, isRevoked === evidenceOf.nonceRevocations.length > 0);
    return [];
  }
  // Small nonces are forgotten when the owner's epoch ends: what is stored counts while it is the grant's.
  for (const block of new Set([ending.block.number, anchor.number])) {
    if ((await read(block, datasetRegistry, ownerEpoch(owner))) !== epoch) continue;
    const isRevoked = await read(block, datasetRegistry, revoked);
    requireSame(what, isRevoked === wasRevoked(evidenceOf, epoch, block));
  }
  if ((await read(ending.block.number, datasetRegistry, ownerEpoch(owner))) === epoch) return [];
  const reason =
    "its owner revoked all its grants up to the settlement's block: what it had revoked by itself is forgotten";
  return [{ line: `consent.${position + 1}.force`, reason }];
}

/** Whether the nonce was revoked in the owner's epoch, up to a block. */
function wasRevoked({ nonceRevocations, ownerEpochs }: DatasetEvidence, epoch: number, block: bigint): boolean {
  return nonceRevocations.some(
    (event) => event.block.number <= block && ownerEpochs.filter((change) => isBefore(change, event)).length === epoch,
  );
}

function countsTo(epochs: readonly number[], last: number): boolean {
  return epochs.length === last && epochs.toSorted((a, b) => a - b).every((epoch, i) => epoch === i + 1);
}

/* REGISTRATION */

/** State, end and status of the registration, at the ending and at the anchor. */
async function requireLife(evidence: OnChain, found: Registration, read: ReadStored): Promise<void> {
  const { anchor, deployment, ending } = evidence;
  for (const block of new Set([ending?.block.number ?? anchor.number, anchor.number])) {
    if (block < found.block.number) continue;
    const record = await read(block, deployment.contracts.enclaveRegistry, enclaveRecord(found.signingKey));
    const before = found.changes.filter((change) => change.block.number <= block);
    const ended = before.findLast(({ how }) => how !== "renewed");
    const expected = ended?.how === "demoted" ? "Demoted" : ended?.how === "retired" ? "Retired" : undefined;
    const state = enclaveStates[record.state];
    const stored = state === "Demoted" || state === "Retired" ? state : undefined;
    requireSame("the end of the enclave's registration", expected === stored);
    if (state !== "Active") continue;
    const last = before.findLast((change) => change.how === "renewed") ?? found;
    const isLast = record.expiresAt === BigInt(last.expiresAt) && record.tcbStatus === last.tcbStatus;
    requireSame("renewals of the enclave's registration", isLast);
  }
}

/* COLLATERAL */

/** Slot of the mapping of items in TdxCollateral. Source: snapshots/storage/TdxCollateral.json. */
const itemsSlot = 4;

/** Values of `CollateralKind` in ITdxCollateral.sol, with the ids under which a platform's are kept. */
function itemsOf({ tcb: { platform } }: Registration): readonly (readonly [kind: number, id: Hex])[] {
  const none = numberToHex(0, { size: 32 });
  const fmspc = pad(platform.fmspc, { size: 32, dir: "right" });
  return [
    [0, none],
    [1, pad(toHex(platform.issuer), { size: 32 })],
    [2, none],
    [3, fmspc],
  ];
}

/** What was in force at the registration's block has to be what was recorded last before it. */
async function collateralGaps(found: Registration, view: ChainView, read: ReadStored): Promise<Gap[]> {
  if (isMissing(found.collateral)) return [];
  const address = view.deployment.contracts.tdxCollateral;
  const gaps: Gap[] = [];
  for (const [kind, id] of itemsOf(found)) {
    const seen = await view.events({ address, event: recordedEvent, args: { kind, id } });
    const last = seen.findLast((event: Position) => isBefore(event, found));
    const inForce = await read(found.block.number, address, collateralItem(kind, id));
    if (last !== undefined && inForce === packed(last.args)) continue;
    const reason = "the collateral at hand is not what the chain had when the block of the registration ended";
    gaps.push({ line: "attestation.tcb", reason });
  }
  return gaps;
}

/** The word that an item of collateral takes. */
function collateralItem(kind: number, id: Hex): Stored<Hex | undefined> {
  const entry = (key: Hex, mapping: Hex) =>
    keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "bytes32" }], [key, mapping]));
  const ofKind = entry(numberToHex(kind, { size: 32 }), numberToHex(itemsSlot, { size: 32 }));
  return { slots: [entry(id, ofKind)], read: ([word]) => word };
}

type Item = { data: Address; issuedAt: number; nextUpdate: number; number: number; signer: number };

/** A CollateralItem as it is stored. */
function packed({ data, issuedAt, nextUpdate, number, signer }: Item): Hex {
  const sized = (value: number, size: number) => numberToHex(value, { size });
  const fields = [sized(signer, 2), sized(number, 2), sized(nextUpdate, 4), sized(issuedAt, 4)];
  return concatHex([...fields, data]).toLowerCase() as Hex;
}

function requireSame(what: string, same: boolean): void {
  if (!same) throw new LeftOutError(what);
}

/** Events and storage contradict each other. */
export class LeftOutError extends BaseError {
  override readonly name = "Bundle.LeftOutError";
  readonly what: string;
  constructor(what: string) {
    super(`Something is left out, or added: ${what}, by the contracts' storage.`, {
      hint: "Make the bundle anew, with an RPC that you trust. From a stranger: do not trust it.",
    });
    this.what = what;
  }
}
