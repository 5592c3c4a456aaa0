/**
 * Room: sdk/audit/lines/consent. Whether each data set's owner consented to this very use. Pure.
 * The owner is in the data set's id and the consent in its signature: the chain's word is needed for revocations only.
 */
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { datasetIdOf } from "../../../protocol/attestationBinding.ts";
import { priceOf } from "../../../protocol/charges.ts";
import { type DatasetUse, domainOf, type Grant, hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import { type DatasetEvidence, type Evidence, isMissing, type Position, type Settlement } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type AuditLine, allOf, type Finding, given, holds, isoTime, line, unknown } from "../line.ts";
import { isBefore, ownerAt } from "../position.ts";

/**
 * Judges the registration and the grant of each data set, numbered from 1 in the order's order.
 *
 * @example
 * lines.push(...consentLines(evidence, evidence.settlement))
 */
export function consentLines(evidence: Evidence, settlement: Settlement | undefined): AuditLine[] {
  return evidence.opening.order.datasets.flatMap((use, position) => {
    const dataset = evidence.datasets[position] ?? nothing;
    const name = `data set ${position + 1} (${use.datasetId.slice(0, 10)})`;
    const id = `consent.${position + 1}`;
    const withGrant = (look: (signed: SignedGrant, owner: Address) => Finding) => () =>
      given(dataset.registration, ({ owner }) =>
        withSignedGrant(settlement, position, (signed) =>
          look(signed, ownerAt(owner, dataset.transfers, evidence.ending)),
        ),
      );
    return [
      line(`${id}.dataset`, `The registered owner and content are those of ${name}`, () =>
        given(dataset.registration, ({ owner, contentHash, salt }) =>
          allOf(
            {
              "its id is not the hash of owner, content and salt":
                datasetIdOf(owner, contentHash, salt) === use.datasetId,
            },
            `registered by ${owner}, id recomputed`,
          ),
        ),
      ),
      line(
        `${id}.grant`,
        `The owner of ${name} signed the grant that the order names`,
        withGrant((signed, owner) => judgeSignature(evidence, use, dataset, signed, owner)),
      ),
      line(
        `${id}.terms`,
        `The grant for ${name} allows this program, workload, requester, operator and price`,
        withGrant(({ grant }) => judgeTerms(evidence, use, grant, dataset, settlement?.receipt.outputRows ?? 0n)),
      ),
      line(
        `${id}.force`,
        `The grant for ${name} was in force when the enclave checked it and when the job settled`,
        withGrant(({ grant }) => judgeForce(evidence, dataset, grant)),
      ),
    ];
  });
}

const absent = { missing: "the data set was not looked up" };
const nothing: DatasetEvidence = {
  registration: absent,
  epochs: [],
  transfers: [],
  retirements: [],
  ownerEpochs: [],
  nonceRevocations: [],
  contractAccepts: absent,
};

/** Nonces below are fresh again in their owner's next epoch. Source: IDatasetRegistry.revokeGrantNonce. */
const firstLastingNonce = 224n;

function withSignedGrant(
  settlement: Settlement | undefined,
  position: number,
  look: (signed: SignedGrant) => Finding,
): Finding {
  if (settlement === undefined) return unknown("the job was not settled: no grant was used");
  if (settlement.receipt.failureCode !== 0) return unknown("a FAILED settlement carries no grants: none was paid for");
  return given(settlement.grants, (grants) => {
    const signed = grants[position];
    return signed === undefined
      ? unknown("the grant is free and unlimited: the enclave alone checked it, and committed to it in the receipt")
      : look(signed);
  });
}

function judgeSignature(
  { deployment }: Evidence,
  use: DatasetUse,
  dataset: DatasetEvidence,
  { grant, signature }: SignedGrant,
  owner: Address,
): Finding {
  const grantHash = hashGrant(domainOf(deployment.chainId, deployment.contracts.jobMarket), grant);
  if (grantHash !== use.grantHash) return allOf({ "the grant has another hash": false }, "");
  if (isSignedBy(grantHash, signature, owner)) return holds(`hash recomputed, signed by ${owner}`);
  if (isMissing(dataset.contractAccepts)) return unknown(dataset.contractAccepts.missing);
  return allOf(
    { "it is not signed by the owner": dataset.contractAccepts },
    `hash recomputed; ${owner} is a contract, and accepts the signature (ERC-1271), as the chain says`,
  );
}

function judgeTerms(
  { opening, registration }: Evidence,
  use: DatasetUse,
  grant: Grant,
  dataset: DatasetEvidence,
  rows: bigint,
): Finding {
  const { order } = opening;
  const price = priceOf(grant, isMissing(dataset.registration) ? 0 : dataset.registration.sizeBytes, rows);
  return given(registration, ({ operator }) =>
    allOf(
      {
        "it is for another data set": grant.datasetId === use.datasetId,
        "it is for another program": grant.programId === order.programId,
        "it is for another workload": grant.workloadId === order.workloadId,
        "it is for another requester": isAnyOr(grant.requester, order.requester),
        "it is for another operator": isAnyOr(grant.operator, operator),
        "it is for another token": isAddressEqual(grant.token, order.token),
        [`it comes to ${price}, over the order's ceiling`]: price <= use.maxPrice,
      },
      `${price} units of ${isAddressEqual(grant.token, zeroAddress) ? "the native coin" : grant.token}`,
    ),
  );
}

function judgeForce({ ending, receiptAnchor }: Evidence, dataset: DatasetEvidence, grant: Grant): Finding {
  if (ending === undefined) return unknown("the job has not ended");
  if (isMissing(receiptAnchor)) return unknown(receiptAnchor.missing);
  const within = (time: bigint) => time >= grant.notBefore && time <= grant.notAfter;
  // State at the anchor block is the state after all of its events.
  const atAnchor = (event: Position) => event.block.number <= receiptAnchor.number;
  const atSettlement = (event: Position) => isBefore(event, ending);
  const { epochs, nonceRevocations, ownerEpochs, retirements } = dataset;
  const epochAt = (when: (event: Position) => boolean) =>
    epochs.filter(when).reduce((newest, { newEpoch }) => Math.max(newest, newEpoch), 0);
  const ownerEpochAt = (when: (event: Position) => boolean) =>
    ownerEpochs.filter(when).reduce((newest, { newOwnerEpoch }) => Math.max(newest, newOwnerEpoch), 0);
  // A small nonce that was revoked in an earlier epoch of its owner is fresh again.
  const lasts = (event: Position) =>
    grant.nonce >= firstLastingNonce ||
    ownerEpochs.every((change) => change.newOwnerEpoch > grant.ownerEpoch || isBefore(change, event));
  const nonceRevoked = (when: (event: Position) => boolean) => nonceRevocations.some((it) => lasts(it) && when(it));
  const later = [...epochs, ...nonceRevocations, ...ownerEpochs, ...retirements].some((it) => !atSettlement(it));
  return allOf(
    {
      "it was not valid at the time of the anchor block": within(receiptAnchor.timestamp),
      "it was not valid at the time of the settlement": within(ending.block.timestamp),
      "all grants of its epoch were revoked before the anchor block": epochAt(atAnchor) === grant.epoch,
      "all grants of its epoch were revoked before the settlement": epochAt(atSettlement) === grant.epoch,
      "all grants of its owner's epoch were revoked before the anchor block":
        ownerEpochAt(atAnchor) === grant.ownerEpoch,
      "all grants of its owner's epoch were revoked before the settlement":
        ownerEpochAt(atSettlement) === grant.ownerEpoch,
      "it was revoked before the anchor block": !nonceRevoked(atAnchor),
      "it was revoked before the settlement": !nonceRevoked(atSettlement),
      "the data set was retired before the anchor block": !retirements.some(atAnchor),
      "the data set was retired before the settlement": !retirements.some(atSettlement),
    },
    `valid ${isoTime(grant.notBefore)} to ${isoTime(grant.notAfter)}, not revoked before${later ? "; revoked since" : ""}`,
  );
}

function isAnyOr(named: Address, actual: Address): boolean {
  return isAddressEqual(named, zeroAddress) || isAddressEqual(named, actual);
}
