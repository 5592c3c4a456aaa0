/**
 * Room: sdk/audit/lines/consent. Whether each data set's owner consented to this very use. Pure.
 * The owner is in the data set's id and the consent in its signature: the chain's word is needed for revocations only.
 */
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { datasetIdOf } from "../../../protocol/attestationBinding.ts";
import { type DatasetUse, domainOf, type Grant, hashGrant, type SignedGrant } from "../../../protocol/eip712.ts";
import { type DatasetEvidence, type Evidence, isMissing, type Position, type Settlement } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type AuditLine, allOf, type Finding, given, holds, isoTime, line, unknown } from "../line.ts";

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
        withSignedGrant(settlement, position, (signed) => look(signed, owner)),
      );
    return [
      line(`${id}.dataset`, `The registered owner and content are those of ${name}`, () =>
        given(dataset.registration, ({ owner, contentHash, salt }) =>
          allOf(
            {
              "its id is not the hash of owner, content and salt":
                datasetIdOf(owner, contentHash, salt) === use.datasetId,
            },
            `owner ${owner}, id recomputed`,
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
        withGrant(({ grant }) => judgeTerms(evidence, use, grant)),
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
const nothing: DatasetEvidence = { registration: absent, epochs: [], nonceRevocations: [], contractAccepts: absent };

function withSignedGrant(
  settlement: Settlement | undefined,
  position: number,
  look: (signed: SignedGrant) => Finding,
): Finding {
  if (settlement === undefined) return unknown("the job was not settled: no grant was used");
  if (settlement.receipt.failureCode !== 0) return unknown("a FAILED settlement carries no grants: none was paid for");
  return given(settlement.grants, (grants) => {
    const signed = grants[position];
    return signed === undefined ? unknown("the settlement carries no such grant") : look(signed);
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

function judgeTerms({ opening, registration }: Evidence, use: DatasetUse, grant: Grant): Finding {
  const { order } = opening;
  return given(registration, ({ operator }) =>
    allOf(
      {
        "it is for another data set": grant.datasetId === use.datasetId,
        "it is for another program": grant.programId === order.programId,
        "it is for another workload": grant.workloadId === order.workloadId,
        "it is for another requester": isAnyOr(grant.requester, order.requester),
        "it is for another operator": isAnyOr(grant.operator, operator),
        "it is for another token": isAddressEqual(grant.token, order.token),
        "it is for another price": grant.pricePerUse === use.price,
      },
      `${grant.pricePerUse} units of ${isAddressEqual(grant.token, zeroAddress) ? "the native coin" : grant.token}`,
    ),
  );
}

function judgeForce({ ending, receiptAnchor }: Evidence, dataset: DatasetEvidence, grant: Grant): Finding {
  if (ending === undefined) return unknown("the job has not ended");
  if (isMissing(receiptAnchor)) return unknown(receiptAnchor.missing);
  const within = (time: bigint) => time >= grant.notBefore && time <= grant.notAfter;
  // State at the anchor block is the state after all of its events.
  const atAnchor = (event: Position) => event.block.number <= receiptAnchor.number;
  const atSettlement = (event: Position) =>
    event.block.number < ending.block.number ||
    (event.block.number === ending.block.number && event.logIndex < ending.logIndex);
  const epochAt = (when: (event: Position) => boolean) =>
    dataset.epochs.filter(when).reduce((newest, { newEpoch }) => Math.max(newest, newEpoch), 0);
  const later =
    dataset.nonceRevocations.some((event) => !atSettlement(event)) ||
    dataset.epochs.some((event) => !atSettlement(event));
  return allOf(
    {
      "it was not valid at the time of the anchor block": within(receiptAnchor.timestamp),
      "it was not valid at the time of the settlement": within(ending.block.timestamp),
      "all grants of its epoch were revoked before the anchor block": epochAt(atAnchor) === grant.epoch,
      "all grants of its epoch were revoked before the settlement": epochAt(atSettlement) === grant.epoch,
      "it was revoked before the anchor block": !dataset.nonceRevocations.some(atAnchor),
      "it was revoked before the settlement": !dataset.nonceRevocations.some(atSettlement),
    },
    `valid ${isoTime(grant.notBefore)} to ${isoTime(grant.notAfter)}, not revoked before${later ? "; revoked since" : ""}`,
  );
}

function isAnyOr(named: Address, actual: Address): boolean {
  return isAddressEqual(named, zeroAddress) || isAddressEqual(named, actual);
}
