/**
 * Room: sdk/audit/lines/attestation. Whether the receipt's signer is a key made inside the agreed code. Pure.
 * The quote is verified anew, offline, from the registration's calldata: the contract's word is not taken for it.
 */
import { bytesToHex, isAddressEqual, keccak256 } from "viem";
import { registrationReportData, workloadIdOf } from "../../../protocol/attestationBinding.ts";
import { isSimulated } from "../../../protocol/deployment.ts";
import { domainOf, hashRegistration } from "../../../protocol/eip712.ts";
import { measurementsOf } from "../../../protocol/quote/mrConfigId.ts";
import { type Evidence, isMissing, type Registration, type RegistrationCall, type Settlement } from "../evidence.ts";
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
      withCall((found, call) => judgeQuote(evidence, found, call)),
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
    line("attestation.tcb", "Intel holds the platform's patch level to be up to date", () =>
      given(registration, ({ tcbStatus }) =>
        unknown(
          tcbStatus === 0
            ? "the verifier of this deployment does not look at Intel's TCB collateral, nor does this audit"
            : `the chain recorded status ${tcbStatus}; this audit does not look at Intel's TCB collateral`,
        ),
      ),
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
        const measured = workloadIdOf(measurementsOf(verifyRegistered(evidence, found, call).report));
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

function judgeQuote(evidence: Evidence, found: Registration, call: RegistrationCall): Finding {
  const quote = verifyRegistered(evidence, found, call);
  return allOf(
    {
      "the registration names another platform": quote.platformId === found.platformId,
      "the registration outlives the certificates": found.expiresAt <= BigInt(quote.validUntil),
    },
    `quote, quoting enclave and PCK certificates verified as of block ${found.block.number}; not a debug VM`,
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

function judgeLife(evidence: Evidence, found: Registration, settlement: Settlement): Finding {
  const { ending, enclaveRecord } = evidence;
  if (ending === undefined) return unknown("the job has not ended");
  const before =
    found.block.number < ending.block.number ||
    (found.block.number === ending.block.number && found.logIndex < ending.logIndex);
  const record = isMissing(enclaveRecord) ? undefined : enclaveRecord;
  if (record === undefined) return fails("the registry's storage does not know the key");
  return allOf(
    {
      "the receipt's signer is another key": isAddressEqual(found.signingKey, settlement.signer),
      "it was registered after the settlement": before,
      "it had expired": ending.block.timestamp < found.expiresAt,
      "the registry's storage names another operator": isAddressEqual(record.operator, found.operator),
      "the registry's storage names another workload": record.workloadId === found.workloadId,
      "the registry's storage names another vault key": record.vaultKeyHash === keccak256(found.vaultKey),
    },
    `registered in block ${found.block.number}, until ${isoTime(found.expiresAt)}`,
  );
}
