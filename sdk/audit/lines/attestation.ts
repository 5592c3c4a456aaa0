/**
 * Room: sdk/audit/lines/attestation. Whether the receipt's signer is a key made inside the agreed code. Pure.
 * The quote is verified anew, offline, from the registration's calldata: the contract's word is not taken for it.
 */
import { bytesToHex, hexToBytes, isAddressEqual, keccak256 } from "viem";
import { registrationReportData, workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { judgeQuote } from "../../../protocol/collateral/judgeQuote.ts";
import { defaultPolicy } from "../../../protocol/collateral/tcbStatus.ts";
import { isSimulated } from "../../../protocol/deployment.ts";
import { domainOf, hashOperatorAuthorization, hashRegistration } from "../../../protocol/eip712.ts";
import { allowedStatuses, evidenceHashOf, recordedStatuses } from "../../../protocol/enclaveRecord.ts";
import { measurementsOf } from "../../../protocol/quote/mrConfigId.ts";
import {
  type Evidence,
  isMissing,
  type Position,
  type Registration,
  type RegistrationCall,
  type Settlement,
} from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, isoTime, line, unknown } from "../line.ts";
import { verifyRegistered } from "../verifiedReport.ts";

/** How far back a registration may look for the block in its quote. Source: IEnclaveRegistry, StaleBlock. */
const freshBlocks = 256n;

/**
 * Judges the attestation of the key that signed the receipt.
 *
 * @example
 * lines.push(...attestationLines(evidence, evidence.settlement))
 */
export function attestationLines(evidence: Evidence, settlement: Settlement): AuditLine[] {
  const { registration } = evidence;
  const withCall = (look: (registration: Registration, call: RegistrationCall) => Finding) => () =>
    given(registration, (found) => given(found.call, (call) => look(found, call)));
  return [
    line(
      "attestation.signature",
      "The enclave's quote is signed up to the deployment's root key",
      withCall((found, call) => judgeSignatures(evidence, found, call)),
    ),
    line(
      "attestation.genuine",
      "The enclave runs on genuine Intel TDX hardware",
      withCall((found, call) => {
        if (isSimulated(evidence.deployment))
          return unknown("SIMULATED: the root key is not Intel's, the platform is software and keeps nothing secret");
        verifyRegistered(evidence, found, call);
        return holds("the chain of certificates ends in Intel's SGX Root CA");
      }),
    ),
    line("attestation.tcb", "The platform's patch level is good, by the collateral of the deployment's root", () =>
      given(registration, (found) => judgeTcb(evidence, found)),
    ),
    line(
      "attestation.operator",
      "The operator agreed to answer for the enclave",
      withCall((found, call) => judgeOperator(evidence, found, call)),
    ),
    line(
      "attestation.binding",
      "The signing and vault keys were made inside that enclave, for this chain and registry",
      withCall((found, call) => judgeBinding(evidence, found, call)),
    ),
    line(
      "attestation.workload",
      "The enclave runs the workload that the order names",
      withCall((found, call) => {
        const { report } = verifyRegistered(evidence, found, call);
        const measured = workloadIdOf(measurementsOf(report, hexToBytes(call.appConfig)));
        return allOf(
          {
            [`the quote measures workload ${measured}`]: measured === evidence.opening.order.workloadId,
            "the registration names another workload": found.workloadId === measured,
            "the receipt names another workload": settlement.receipt.workloadId === measured,
          },
          "recomputed from the quote's measurements",
        );
      }),
    ),
    line("attestation.live", "The enclave's registration was in force when the job settled", () =>
      given(registration, (found) => judgeLife(evidence, found, settlement)),
    ),
  ];
}

function judgeSignatures(evidence: Evidence, found: Registration, call: RegistrationCall): Finding {
  const earlier = [call.pckLeafIn, call.qeReportIn].filter((hash) => hash !== call.transactionHash);
  const where =
    earlier.length === 0 ? "" : `; what its calldata leaves out is in ${[...new Set(earlier)].join(" and ")}`;
  const quote = verifyRegistered(evidence, found, call);
  return allOf(
    {
      "the registration names another platform": quote.platformId === found.platformId,
      "the registration outlives the certificates": found.expiresAt <= BigInt(quote.validUntil) + 1n,
    },
    `quote, quoting enclave and PCK certificates verified as of block ${found.block.number}; not a debug VM${where}`,
  );
}

function judgeBinding(evidence: Evidence, found: Registration, call: RegistrationCall): Finding {
  const { deployment } = evidence;
  const { boundBlock } = call;
  const { report } = verifyRegistered(evidence, found, call);
  if (isMissing(boundBlock)) return unknown(boundBlock.missing);
  const { chainId, contracts } = deployment;
  const { operator, signingKey, vaultKey, endpoint, blockNumber } = call;
  const binding = { chainId: BigInt(chainId), registry: contracts.enclaveRegistry, operator, signingKey, vaultKey };
  const expected = registrationReportData(binding, blockNumber, boundBlock.hash);
  const vaultKeyHash = keccak256(vaultKey);
  const digest = hashRegistration(domainOf(chainId, contracts.enclaveRegistry), {
    operator,
    vaultKeyHash,
    endpoint,
    blockNumber,
  });
  return allOf(
    {
      "the report data bind something else": bytesToHex(report.reportData) === expected,
      "the quote is not fresh": blockNumber < found.block.number && found.block.number - blockNumber <= freshBlocks,
      "the registration is not signed by the key it names": isSignedBy(digest, call.signature, signingKey),
      "another signing key was recorded": isAddressEqual(found.signingKey, signingKey),
      "another operator was recorded": isAddressEqual(found.operator, operator),
      "another vault key was recorded": found.vaultKey === vaultKey,
    },
    `report data recomputed over the keys, the operator and the hash of block ${blockNumber}`,
  );
}

/** By the chain's record, and anew where the collateral that the chain judged by can be had. */
function judgeTcb(evidence: Evidence, found: Registration): Finding {
  const { collateral, call } = found;
  const { rootKey } = evidence.deployment;
  const latest = inForceAt(found, evidence.ending);
  const recorded = recordedStatuses[latest.tcbStatus] ?? "Unsupported";
  const allowed = allowedStatuses(evidence.wiring.allowedTcb).join(", ");
  if (!(defaultPolicy as readonly string[]).includes(recorded))
    return fails(`the chain recorded ${recorded}; the deployment allows ${allowed}`);
  const { attestation } = evidence.worker;
  const rootCa = isMissing(attestation) ? attestation : attestation.rootCa;
  const lacking = [call, collateral, rootCa].find(isMissing);
  if (isMissing(call) || isMissing(collateral) || isMissing(rootCa))
    return holds(`the chain recorded ${recorded}; not judged anew: ${lacking?.missing}`);
  const at = Number(found.block.timestamp);
  const { accepted, tcb, error } = judgeQuote(call.quote, { ...collateral, rootCa }, rootKey, at);
  if (!accepted || tcb === undefined) return fails(`judged anew: ${error?.message}`);
  const registered = recordedStatuses[found.tcbStatus];
  if (registered !== tcb.status) return fails(`the chain recorded ${registered}, judged anew it was ${tcb.status}`);
  return holds(
    `${tcb.status} when registered, judged anew by the collateral that was on chain; ${recorded} by the chain's last word`,
  );
}

function judgeOperator({ deployment }: Evidence, found: Registration, call: RegistrationCall): Finding {
  const { operator, sender: agent, authorization, contractAccepts } = call;
  const { validUntil, signature } = authorization;
  if (isAddressEqual(agent, operator)) return holds("it sent the registration itself");
  const domain = domainOf(deployment.chainId, deployment.contracts.enclaveRegistry);
  const digest = hashOperatorAuthorization(domain, { operator, agent, validUntil });
  if (validUntil < found.block.timestamp) return fails(`its authorization had run out at ${isoTime(validUntil)}`);
  if (isSignedBy(digest, signature, operator)) return holds(`it signed that ${agent} registers enclaves in its name`);
  if (contractAccepts === true) return holds("its contract accepts the authorization (ERC-1271), by the RPC's word");
  return isMissing(contractAccepts)
    ? unknown(contractAccepts.missing)
    : fails("neither did it send the registration, nor sign the authorization");
}

/** What last set end and status before a position; what came after does not count. */
function inForceAt(found: Registration, at: Position | undefined): { expiresAt: bigint; tcbStatus: number } {
  const renewed = found.changes.filter((change) => change.how === "renewed");
  return renewed.findLast((change) => at === undefined || isBefore(change, at)) ?? found;
}

function isBefore(one: Position, other: Position): boolean {
  const { number } = one.block;
  return number < other.block.number || (number === other.block.number && one.logIndex < other.logIndex);
}

function judgeLife(evidence: Evidence, found: Registration, settlement: Settlement): Finding {
  const { ending, enclaveRecord } = evidence;
  if (ending === undefined) return unknown("the job has not ended");
  const record = isMissing(enclaveRecord) ? undefined : enclaveRecord;
  if (record === undefined) return fails("the registry's storage does not know the key");
  const { expiresAt } = inForceAt(found, ending);
  const ended = found.changes.find((change) => change.how !== "renewed" && isBefore(change, ending));
  const lastTcb = found.changes.findLast((change) => change.how === "renewed")?.tcb ?? found.tcb;
  return allOf(
    {
      "the receipt's signer is another key": isAddressEqual(found.signingKey, settlement.signer),
      "it was registered after the settlement": isBefore(found, ending),
      [`it had been ${ended?.how}`]: ended === undefined,
      "it had expired": ending.block.timestamp < expiresAt,
      "the registry's storage names another operator": isAddressEqual(record.operator, found.operator),
      "the registry's storage names another workload": record.workloadId === found.workloadId,
      "the registry's storage names another platform": record.platformId === found.platformId,
      "the registry's storage names another vault key or platform state":
        record.evidenceHash === evidenceHashOf(found.vaultKey, lastTcb),
    },
    `registered in block ${found.block.number}, until ${isoTime(expiresAt)}`,
  );
}
