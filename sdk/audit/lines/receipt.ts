/**
 * Room: sdk/audit/lines/receipt. Whether the enclave's receipt speaks of this very job and its inputs. Pure.
 */
import { type Hex, isAddressEqual, zeroHash } from "viem";
import { domainOf, failureCodes, hashReceipt, type Receipt, receiptStatus } from "../../../protocol/eip712.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { type Program, policyHashOf, unpackProgram } from "../../../protocol/program.ts";
import { grantsRootOf, inputsRootOf } from "../../../protocol/roots.ts";
import { type Evidence, isMissing, type Settlement } from "../evidence.ts";
import { isSignedBy } from "../isSignedBy.ts";
import { type AuditLine, allOf, type Finding, fails, given, holds, line, unknown } from "../line.ts";

/** How far back a settlement may look for the receipt's anchor. Source: IJobMarket, BadAnchor. */
const maxAnchorAge = 8191n;

/**
 * Judges the receipt.
 *
 * @example
 * lines.push(...receiptLines(evidence, evidence.settlement))
 */
export function receiptLines(evidence: Evidence, settlement: Settlement): AuditLine[] {
  const { receipt } = settlement;
  const { datasets } = evidence.opening.order;
  return [
    line("receipt.signature", "The receipt is signed by the registered enclave key", () =>
      judgeSigner(evidence, settlement),
    ),
    line("receipt.order", "The receipt is for this order, and says one thing", () => judgeFields(evidence, receipt)),
    ...(evidence.opening.order.quorum > 1
      ? [
          line("receipt.quorum", "As many enclaves as agreed, each on its own platform, said the same", () =>
            judgeQuorum(evidence, receipt),
          ),
        ]
      : []),
    line("receipt.inputs", "The receipt names the registered contents of the agreed data sets", () => {
      if (wasNotReached(receipt, receipt.inputsRoot, inputsRootOf([])))
        return holds("the run failed before it had inputs");
      const contents: { datasetId: Hex; contentHash: Hex }[] = [];
      for (const [position, { datasetId }] of datasets.entries()) {
        const registration = evidence.datasets[position]?.registration ?? { missing: "the data set was not looked up" };
        if (isMissing(registration)) return unknown(registration.missing);
        contents.push({ datasetId, contentHash: registration.contentHash });
      }
      return allOf({ "inputsRoot is another": inputsRootOf(contents) === receipt.inputsRoot }, "inputsRoot recomputed");
    }),
    line("receipt.grants", "The receipt names the agreed grants", () => {
      if (wasNotReached(receipt, receipt.grantsRoot, grantsRootOf([])))
        return holds("the run failed before it had grants");
      const root = grantsRootOf(datasets.map(({ grantHash }) => grantHash));
      return allOf({ "grantsRoot is another": root === receipt.grantsRoot }, "grantsRoot recomputed");
    }),
    line(
      "receipt.anchor",
      evidence.session === undefined
        ? "The enclave looked at this chain, at most 8,191 blocks before the settlement"
        : "The enclave looked at this chain before the session was claimed",
      () => judgeAnchor(evidence, receipt),
    ),
    line("receipt.policy", "The output policy in the receipt is the program's", () => {
      if (wasNotReached(receipt, receipt.policyHash, zeroHash)) return holds("the run failed before it had a program");
      return given(evidence.program, (bytes) => judgePolicy(receipt, bytes));
    }),
  ];
}

/** Whether a FAILED receipt says "nothing" where the run did not get that far. */
function wasNotReached(receipt: Receipt, value: Hex, nothing: Hex): boolean {
  return receipt.status === receiptStatus.failed && value === nothing;
}

function judgeQuorum({ counted, opening, registration }: Evidence, { outputCommitment }: Receipt): Finding {
  if (isMissing(registration)) return unknown(registration.missing);
  const platforms = [registration.platformId];
  for (const { record } of counted) {
    if (isMissing(record)) return unknown(record.missing);
    platforms.push(record.platformId);
  }
  const { quorum } = opening.order;
  return allOf(
    {
      [`${platforms.length} enclaves were counted, ${quorum} are agreed`]: platforms.length === quorum,
      "two of them run on one platform": new Set(platforms).size === platforms.length,
      "the market counted another platform than is registered": counted.every(
        ({ platformId, record }) => isMissing(record) || record.platformId === platformId,
      ),
      "one said something else": counted.every((one) => one.outputCommitment === outputCommitment),
    },
    `${quorum} equal output commitments; the receipts of the others are known by their hashes`,
  );
}

function judgeSigner(
  { deployment, registration }: Evidence,
  { receipt, receiptHash, signature, signer }: Settlement,
): Finding {
  const digest = hashReceipt(domainOf(deployment.chainId, deployment.contracts.jobMarket), receipt);
  if (digest !== receiptHash) return fails("the market settled by another receipt");
  if (!isSignedBy(digest, signature, signer)) return fails("the signature is not one by the named signer");
  if (isMissing(registration)) return fails(`${signer} signed, but: ${registration.missing}`);
  return allOf(
    { "the signer is not the registered key": isAddressEqual(registration.signingKey, signer) },
    `hash recomputed, low-s signature by ${signer}`,
  );
}

function judgeFields({ jobId, opening }: Evidence, receipt: Receipt): Finding {
  const { order } = opening;
  const ok = receipt.status === receiptStatus.ok;
  const code = failureCodes[receipt.failureCode];
  const empty = receipt.resultHash === zeroHash && receipt.outputCommitment === zeroHash;
  const full = receipt.resultHash !== zeroHash && receipt.outputCommitment !== zeroHash;
  return allOf(
    {
      "it is for another job": receipt.jobId === jobId,
      "it is for another program": receipt.programId === order.programId,
      "it is for another workload": receipt.workloadId === order.workloadId,
      "it is for other parameters": receipt.paramsHash === order.paramsHash,
      "its status is neither Ok nor Failed": ok || receipt.status === receiptStatus.failed,
      "its failure code is unknown": code !== undefined,
      "status, failure code and result contradict each other": ok ? code === "None" && full : code !== "None" && empty,
    },
    ok ? "Ok, with a result" : `Failed: ${code}`,
  );
}

function judgePolicy(receipt: Receipt, bundle: Uint8Array): Finding {
  let program: Program;
  try {
    program = unpackProgram(bundle);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return unknown("the bundle at hand is no program"); // that it is none is the line on the program's to say
  }
  if (program.id !== receipt.programId) return unknown("the bundle at hand is another program's");
  return allOf(
    { "policyHash is another": policyHashOf(program.manifest) === receipt.policyHash },
    "policyHash recomputed from the program's manifest; that it was enforced is the word of the enclave's code",
  );
}

function judgeAnchor({ ending, receiptAnchor, session }: Evidence, receipt: Receipt): Finding {
  if (ending === undefined) return unknown("the job has not ended");
  return given(receiptAnchor, (block) =>
    allOf(
      {
        "the anchor is another block": block.number === receipt.anchorBlock,
        "the chain has another block there": block.hash === receipt.anchorHash,
        "the anchor is not before the settlement": receipt.anchorBlock < ending.block.number,
        "the anchor is too old": session !== undefined || ending.block.number - receipt.anchorBlock <= maxAnchorAge,
      },
      `consent was checked against block ${receipt.anchorBlock}, settled in block ${ending.block.number}`,
    ),
  );
}
