/**
 * Room: sdk/bundle/inToto. An audited bundle as an in-toto Statement, for tools that know nothing of this project: its subjects
 * are the sealed result and the program's file, its predicate the enclave's receipt, what it rests on, and what the audit came
 * to. Whoever signs it (see `dsse`) speaks for the audit; the enclave's own signature is in the predicate, over EIP-712 typed
 * data, where it can be verified without the audit. Pure.
 * Source: in-toto attestation framework, Statement v1.
 */
import { bytesToHex, type Hex, sha256 } from "viem";
import { domainOf, receiptStatus } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { receiptToJson } from "../../protocol/receiptJson.ts";
import { isMissing } from "../audit/evidence.ts";
import type { BundleAudit } from "./auditBundle.ts";

/** Names what the predicate is. Documented in docs/BUNDLE.md. */
export const predicateType = "urn:data-collab-market:job-audit:1";

/** Media type of a statement, as DSSE's `payloadType`. */
export const statementMediaType = "application/vnd.in-toto+json";

/** What a statement is about; digests in hex without 0x. */
export type Subject = { name: string; digest: { sha256: string } };

/** An in-toto Statement v1. */
export type Statement = {
  _type: "https://in-toto.io/Statement/v1";
  subject: Subject[];
  predicateType: typeof predicateType;
  predicate: Record<string, unknown>;
};

/**
 * States what an audit of a bundle came to.
 *
 * @param bundle - the file's bytes: the statement names their hash.
 * @throws {@link NothingToStateError} if there is no receipt, or neither result nor program.
 * @example
 * const statement = statementOf(bytes, await judgeBundle(readBundle(bytes)))
 */
export function statementOf(bundle: Uint8Array, { evidence, lines }: BundleAudit): Statement {
  const { anchor, deployment, jobId, opening, program, registration, settlement } = evidence;
  if (settlement === undefined) throw new NothingToStateError();
  const { receipt, signature, signer } = settlement;
  const subject: Subject[] = [
    ...(receipt.status === receiptStatus.ok ? [subjectOf(`result of job ${jobId}`, receipt.resultHash)] : []),
    ...(isMissing(program) ? [] : [subjectOf(`program ${opening.order.programId}`, sha256(program))]),
  ];
  if (subject.length === 0) throw new NothingToStateError();
  const { chainId, rootKey, contracts } = deployment;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject,
    predicateType,
    predicate: {
      jobId,
      bundle: { digest: { sha256: bare(sha256(bundle)) }, sizeBytes: bundle.length },
      receipt: {
        domain: domainOf(chainId, contracts.jobMarket),
        primaryType: "Receipt",
        message: receiptToJson(receipt),
        signature,
        signer,
      },
      enclave: isMissing(registration)
        ? null
        : { workloadId: registration.workloadId, operator: registration.operator, vaultKey: registration.vaultKey },
      anchors: {
        chainId,
        rootKey,
        enclaveRegistry: contracts.enclaveRegistry,
        blockNumber: anchor.number.toString(),
        blockHash: anchor.hash,
      },
      claims: lines.map(({ id, claim, verdict, reason }) => ({ id, claim, verdict, reason })),
    },
  };
}

function subjectOf(name: string, digest: Hex): Subject {
  return { name, digest: { sha256: bare(digest) } };
}

function bare(hash: Hex | Uint8Array): string {
  return (typeof hash === "string" ? hash : bytesToHex(hash)).slice(2);
}

/** There is no receipt, or nothing that a statement could be about. */
export class NothingToStateError extends BaseError {
  override readonly name = "Bundle.NothingToStateError";
  constructor() {
    super("The bundle has neither a result nor a program with a receipt: there is nothing to make a statement about.", {
      hint: "Make the bundle when the job is settled, with the URL of its worker.",
    });
  }
}
