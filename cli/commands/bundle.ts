/** Room: cli/commands/bundle. `dcm bundle`, `dcm export`: a job's evidence in one file, and what it says to other tools. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { connect } from "../context.ts";
import { readSigned } from "../jobTerms.ts";
import { answer, fields, type GlobalOptions, type Output, progress } from "../output.ts";
import { id, integer } from "../parse.ts";

type BundleOptions = GlobalOptions & { out: string; worker?: string; orderFile?: string; at?: number };
type ExportOptions = GlobalOptions & { out: string; key?: string };

const sampleId = `0x${"12".repeat(32)}`;
const maxKeyBytes = 16 * 1024;

/**
 * Adds the commands.
 *
 * @example
 * addBundleCommands(program)
 */
export function addBundleCommands(program: Command): void {
  program
    .command("bundle")
    .description("write everything that proves a job into one file, from which it is audited with no network")
    .argument("<id>", "job id", id)
    .requiredOption("-o, --out <file>", "the bundle; an existing file is replaced")
    .option("--worker <url>", "worker that holds the result and the attestation")
    .option("--order-file <file>", "the signed order, if it was settled without being opened (dcm job order)")
    .option("--at <block>", "the block that everything is proven under (default: the newest)", integer(0, 2 ** 48))
    .addHelpText(
      "after",
      `
Choose a final block that others know: whoever audits compares its hash with a source of its own. The RPC has to serve eth_getProof for the blocks of the job: long after it,
only archive nodes do. Secrets are never in a bundle: the result is, sealed. See docs/BUNDLE.md.

Example:
  $ dcm bundle ${sampleId} --worker http://127.0.0.1:8080 -o job.dcb`,
    )
    .action(answer(bundle));

  program
    .command("export")
    .description("audit a bundle, and state what it came to as an in-toto Statement, for other tools")
    .argument("<file>", "the bundle")
    .requiredOption("-o, --out <file>", "the statement; an existing file is replaced")
    .option("--key <file>", "your Ed25519 or P-256 private key (PEM): writes a signed DSSE envelope")
    .addHelpText(
      "after",
      `
The envelope's signature is yours: it says that you audited the bundle, and with what outcome. The enclave's own
signature is in the statement, over EIP-712 typed data.

Example:
  $ dcm export job.dcb --key auditor.pem -o job.dsse.json`,
    )
    .action(answer(exportStatement));
}

async function bundle(options: BundleOptions, jobId: Hex): Promise<Output> {
  if (options.worker === undefined) progress("No --worker is given: what only a worker can show is not in the bundle.");
  const { client, simulated } = await connect(options);
  const { readOrderFile } = await import("../../sdk/orders.ts");
  const { at, orderFile, worker, out } = options;
  const order = orderFile === undefined ? undefined : readOrderFile(await readSigned(orderFile), client.deployment);
  const { makeBundle } = await import("../../sdk/bundle/makeBundle.ts");
  const { chain, deployment } = client;
  const step = (text: string) => progress(`${text}...`);
  const from = { chain, deployment, workerUrl: worker, order, at: at === undefined ? undefined : BigInt(at) };
  const { bytes, bundle } = await makeBundle({ ...from, jobId, progress: step });
  progress("Auditing what was made...");
  const { judgeBundle } = await import("../../sdk/bundle/auditBundle.ts");
  const { lines } = await judgeBundle(bundle, { deployment });
  const { formatVerdicts } = await import("../../sdk/audit/formatAudit.ts");
  const { writeAtomic } = await import("../../sdk/node/files.ts");
  await writeAtomic(out, bytes, { mode: 0o644, overwrite: true });
  const { number, hash } = bundle.chain.anchor;
  const json = { file: out, sizeBytes: bytes.length, jobId, anchor: { number, hash }, lines };
  const text = fields([
    ["bundle", out],
    ["size", `${bytes.length.toLocaleString("en")} bytes`],
    ["proven under", `block ${number}, hash ${hash}`],
    ["audited offline", formatVerdicts(lines)],
  ]);
  return { json, text, simulated };
}

async function exportStatement(options: ExportOptions, file: string): Promise<Output> {
  const { readBounded, readText, writeAtomic } = await import("../../sdk/node/files.ts");
  const { maxJobBundleBytes } = await import("../../sdk/bundle/bundleSchema.ts");
  const { readBundle } = await import("../../sdk/bundle/readBundle.ts");
  const { judgeBundle } = await import("../../sdk/bundle/auditBundle.ts");
  const { statementMediaType, statementOf } = await import("../../sdk/bundle/inToto.ts");
  const { toJcsBytes } = await import("../../protocol/jcs.ts");
  const { isSimulated } = await import("../../protocol/deployment.ts");
  const bytes = await readBounded(file, maxJobBundleBytes);
  const audit = await judgeBundle(readBundle(bytes));
  const statement = toJcsBytes(statementOf(bytes, audit));
  let written = statement;
  if (options.key !== undefined) {
    const { signEnvelope } = await import("../../sdk/node/dsse.ts");
    written = toJcsBytes(signEnvelope(statementMediaType, statement, await readText(options.key, maxKeyBytes)));
  }
  await writeAtomic(options.out, written, { mode: 0o644, overwrite: true });
  const { formatVerdicts } = await import("../../sdk/audit/formatAudit.ts");
  const form = options.key === undefined ? "in-toto Statement v1, unsigned" : "in-toto Statement v1 in a DSSE envelope";
  const text = fields([
    ["statement", options.out],
    ["form", form],
    ["audited offline", formatVerdicts(audit.lines)],
  ]);
  const json = { file: options.out, form, jobId: audit.evidence.jobId, lines: audit.lines };
  return { json, text, simulated: isSimulated(audit.evidence.deployment) };
}
