/**
 * Room: sdk/cvm/lines/quote. Whether the quote is signed, by genuine hardware of a good patch level. Pure.
 */
import { bytesToHex } from "viem";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { isMissing } from "../../audit/evidence.ts";
import { type AuditLine, allOf, type Finding, fails, holds, isoTime, line, unknown } from "../../audit/line.ts";
import type { CvmCase } from "../case.ts";

/**
 * Judges the quote itself.
 *
 * @example
 * lines.push(...(await quoteLines(found)))
 */
export async function quoteLines(found: CvmCase): Promise<AuditLine[]> {
  const { evidence, policy, report, verified } = found;
  const { reportData } = evidence.answer;
  const signature = line("quote.signature", "The quote is signed up to the root key, and is not of a debug VM", () =>
    isMissing(verified)
      ? fails(verified.missing)
      : holds(
          `quote, quoting enclave and PCK certificates verified as of ${isoTime(BigInt(policy.at))}; FMSPC ${verified.platform.fmspc}`,
        ),
  );
  const tcb = await judgeTcb(found);
  return [
    signature,
    line("quote.genuine", "The VM runs on genuine Intel TDX hardware", () => {
      if (policy.rootKey !== intelRootKey)
        return unknown("SIMULATED: the root key is not Intel's, the platform is software and keeps nothing secret");
      return signature.verdict === "verified"
        ? holds("the chain of certificates ends in Intel's SGX Root CA")
        : fails("the quote's signature does not hold");
    }),
    line("quote.tcb", "Intel holds the platform's patch level to be up to date", () => tcb),
    ...(reportData === undefined
      ? []
      : [
          line("quote.reportData", "The report data are what the answer says they are", () => {
            const signed = bytesToHex(report.reportData);
            return allOf({ [`the quote has ${signed}`]: signed === reportData }, "as in the quote");
          }),
        ]),
  ];
}

async function judgeTcb({ evidence, policy }: CvmCase): Promise<Finding> {
  if (policy.judge === undefined) return unknown("TCB not evaluated: Intel's collateral was not consulted");
  try {
    return await policy.judge(evidence.answer.quote, policy.at, policy.rootKey);
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return fails(error.message);
  }
}
