/** An audit from a bundle comes to what the audit online came to. */
import { expect } from "chai";
import { auditJob } from "../../../sdk/audit/auditJob.ts";
import type { AuditLine } from "../../../sdk/audit/line.ts";
import { type AuditReport, linesOf } from "../../../sdk/audit/report.ts";
import { judgeBundle } from "../../../sdk/bundle/auditBundle.ts";
import { type MadeBundle, type MakeBundleOptions, makeBundle } from "../../../sdk/bundle/makeBundle.ts";

/** All but the lines on the chain itself, and the wording of what is missing: no worker was asked, or no bundle holds it. */
function comparable(lines: readonly AuditLine[]): string[] {
  const absent =
    /the bundle holds no[a-z' ]+|the enclave's log could not be had.*|no worker was asked|the order was settled without .*|parameters of a session's .*|the program's URI is .*|the program bundle could not be had.*/;
  return lines
    .filter(({ id }) => !id.startsWith("chain."))
    .map(({ id, verdict, reason }) => `${id}: ${verdict}: ${reason.replace(absent, "it is missing")}`);
}

/**
 * Makes a job's bundle, and audits both.
 *
 * @returns the bundle, and the report of the audit online.
 */
export async function expectSameOffline(
  options: MakeBundleOptions & { resultIdentity?: string },
): Promise<MadeBundle & { online: AuditReport }> {
  const online = await auditJob({ ...options, at: options.at ?? (await options.chain.getBlockNumber()) });
  const made = await makeBundle(options);
  const { lines } = await judgeBundle(made.bundle, { resultIdentity: options.resultIdentity });
  const [offline, wanted] = [comparable(lines), comparable(linesOf(online))];
  expect(offline.filter((line) => !wanted.includes(line))).to.deep.equal([]);
  expect(offline).to.have.length(wanted.length);
  return { ...made, online };
}
