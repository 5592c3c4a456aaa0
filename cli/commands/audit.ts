/** Room: cli/commands/audit. `dcm audit`: every claim about a job, checked. */
import { type Command, InvalidArgumentError } from "commander";
import { type Address, type Hex, isAddress } from "viem";
import { maxCiphertextBytes } from "../../protocol/limits.ts";
import type { Believed } from "../../sdk/audit/believed.ts";
import type { Evidence } from "../../sdk/audit/evidence.ts";
import type { AuditReport } from "../../sdk/audit/report.ts";
import type { Home } from "../../sdk/node/home.ts";
import { plainLines } from "../../sdk/plainText.ts";
import { connect, connectWallet, deploymentOf, hasWallet, homeWith, isDeploymentNamed } from "../context.ts";
import { UsageError } from "../failure.ts";
import { readSigned } from "../jobTerms.ts";
import { answer, type GlobalOptions, type Output, progress } from "../output.ts";
import { id } from "../parse.ts";

type AuditOptions = GlobalOptions & {
  offline?: true;
  prove?: true;
  worker?: string;
  orderFile?: string;
  workload?: Hex;
  image?: string[];
  auditor?: Address[];
  anchor?: { number: bigint; hash: Hex }[];
  believeRpc?: true;
  html?: string;
  rerun?: true;
  keyFile?: NamedFile[];
  data?: NamedFile[];
};

/** A file for a data set. */
type NamedFile = { datasetId: Hex; file: string };

/**
 * Adds the command.
 *
 * @example
 * addAuditCommand(program)
 */
export function addAuditCommand(program: Command): void {
  program
    .command("audit")
    .description("check a job claim by claim; exit code 0: all verified, 1: something is false, 2: something is open")
    .argument("<job>", "job id, or a bundle of it (dcm bundle)")
    .option("--offline", "with a bundle: the default, and all there is; a job id is refused")
    .option("--worker <url>", "worker that holds the result and the attestation")
    .option("--order-file <file>", "the signed order, if it was settled without being opened (dcm job order)")
    .option("--workload <id>", "the workload that you expect", id)
    .option("--image <digest>", "sha256:... of an image that you built anew and found equal; again for more", digests)
    .option("--auditor <address>", "whose endorsement of the workload you believe; again for more", addresses)
    .option(
      "--anchor <number:hash>",
      "a block that is the chain's, by a source of your own; with a bundle, again for more",
      blocks,
    )
    .option("--believe-rpc", "the RPC is your own, or you believe it like one")
    .option("--rerun", "run the job again here, with the keys of its data sets, and compare the output commitment")
    .option(
      "--key-file <dataset=file>",
      "for --rerun: key of a data set (dcm dataset key); default: this home's",
      namedFiles,
    )
    .option("--data <dataset=file>", "for --rerun: ciphertext of a data set; default: the worker's copy", namedFiles)
    .option("--prove", "fetch a bundle of the job first, and audit that: the chain's answers are proven, not believed")
    .option("--html <file>", "write the report as one page, with a picture of the chain of trust")
    .addHelpText(
      "after",
      `
What you believe beforehand is listed at the top of the report: the deployment (its root key and chain), and what you
name here. The rest is checked. What nobody can check is stated at the end, and does not count.

Parameters and program of an order that was never opened are in its file only; so is all of it if another contract had
it settled.

With --rerun whoever holds the keys of all data sets runs the same program on the same engine under the same policy:
their provider, or anybody where they are public. Nothing leaves this machine.

A configured wallet (--keystore, DCM_KEYSTORE or DCM_PRIVATE_KEY) opens the result if the job was created from this
home; without one, its commitment cannot be verified.

From a bundle, or with --prove, everything of the chain is proven under one block: name it with --anchor. With --deployment (or
DCM_DEPLOYMENT) it is compared with the deployment that you mean.

Example:
  $ dcm audit out/job.dcb --offline
  $ dcm audit 0x${"12".repeat(32)} --worker http://127.0.0.1:8080
  $ dcm audit 0x${"12".repeat(32)} --worker http://127.0.0.1:8080 --prove --html audit.html`,
    )
    .action(answer(audit));
}

async function audit(options: AuditOptions, job: string): Promise<Output> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(job)) return await auditFile(options, job);
  if (options.offline === true)
    throw new UsageError("A job id cannot be audited offline.", {
      hint: "Make a bundle of it first: dcm bundle ID -o FILE.",
    });
  return await auditOnline(options, job.toLowerCase() as Hex);
}

/** From the file alone: no RPC is asked, and no worker. */
async function auditFile(options: AuditOptions, file: string): Promise<Output> {
  const online = (["worker", "orderFile", "believeRpc", "auditor", "prove"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (online !== undefined)
    throw new UsageError(
      `--${online.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is for jobs that are asked for online.`,
      {
        hint: "Of a bundle only what is in it is looked at. Is it a file at all? A job id is 0x and 64 digits.",
      },
    );
  const { maxJobBundleBytes } = await import("../../sdk/bundle/bundleSchema.ts");
  const { readBundle } = await import("../../sdk/bundle/readBundle.ts");
  const { auditBundle } = await import("../../sdk/bundle/auditBundle.ts");
  const { readBounded } = await import("../../sdk/node/files.ts");
  const bundle = readBundle(await readBounded(file, maxJobBundleBytes));
  const meant = isDeploymentNamed(options) ? await deploymentOf(options) : undefined;
  const home = meant !== undefined && hasWallet(options) ? await homeWith(options, meant) : undefined;
  const report = await auditBundle(bundle, {
    believed: believedOf(options),
    deployment: meant,
    resultIdentity: await home?.resultIdentity(bundle.jobId),
    rerun: rerunWith(options, home),
  });
  return show(report, options, report.anchors.simulated);
}

async function auditOnline(options: AuditOptions, jobId: Hex): Promise<Output> {
  if (options.prove === true && options.auditor !== undefined)
    throw new UsageError("Endorsements are not proven: --prove and --auditor exclude each other.", {
      hint: "Audit without --prove to look endorsements up, or build the image yourself: --image.",
    });
  if (new Set(options.anchor?.map(({ number }) => number)).size > 1)
    throw new UsageError("Online the chain is looked at from one block: --anchor names several.", {
      hint: "Name the block that the audit is to look from; several are for bundles.",
    });
  if (options.worker === undefined) progress("No --worker is given: what only a worker can show cannot be verified.");
  const wallet = hasWallet(options) ? await connectWallet(options) : undefined;
  const { client, simulated } = wallet ?? (await connect(options));
  const resultIdentity = await wallet?.home.resultIdentity(jobId);
  const { readOrderFile } = await import("../../sdk/orders.ts");
  const file = options.orderFile;
  const order = file === undefined ? undefined : readOrderFile(await readSigned(file), client.deployment);
  const { chain, deployment } = client;
  const from = { chain, deployment, jobId, order, workerUrl: options.worker, at: options.anchor?.[0]?.number };
  const how = { believed: believedOf(options), resultIdentity, rerun: rerunWith(options, wallet?.home) };
  if (options.prove === true) {
    const { makeBundle } = await import("../../sdk/bundle/makeBundle.ts");
    const { auditBundle } = await import("../../sdk/bundle/auditBundle.ts");
    const { bundle } = await makeBundle({ ...from, progress: (step) => progress(`${step}...`) });
    return show(await auditBundle(bundle, { ...how, deployment }), options, simulated);
  }
  const { auditJob } = await import("../../sdk/audit/auditJob.ts");
  return show(await auditJob({ ...from, ...how }), options, simulated);
}

function rerunWith(options: AuditOptions, home: Home | undefined) {
  if (options.rerun !== true) return undefined;
  const fileFor = (files: readonly NamedFile[] | undefined, datasetId: Hex) =>
    files?.find((named) => named.datasetId === datasetId.toLowerCase())?.file;
  return async (evidence: Evidence) => {
    const { rerunJob } = await import("../rerun.ts");
    const { readBounded, readText } = await import("../../sdk/node/files.ts");
    const { fetchBlob } = await import("../../sdk/worker.ts");
    progress("Running the job again ...");
    return await rerunJob(evidence, {
      async keyOf(datasetId) {
        const file = fileFor(options.keyFile, datasetId);
        if (file === undefined) return await home?.datasetKey(datasetId);
        return (await readText(file, 4096)).split("\n").find((row) => row.startsWith("AGE-SECRET-KEY-1"));
      },
      async ciphertextOf(datasetId, contentHash) {
        const file = fileFor(options.data, datasetId);
        if (file !== undefined) return await readBounded(file, maxCiphertextBytes);
        return options.worker === undefined ? undefined : await fetchBlob(options.worker, contentHash);
      },
    });
  };
}

function believedOf({ workload, image, auditor, anchor, believeRpc }: AuditOptions): Believed {
  return {
    workloadId: workload,
    images: image ?? [],
    auditors: auditor ?? [],
    blocks: anchor ?? [],
    rpc: believeRpc === true,
  };
}

async function show(report: AuditReport, { html }: AuditOptions, simulated: boolean): Promise<Output> {
  const { formatAudit } = await import("../../sdk/audit/formatAudit.ts");
  const { exitCodeOf } = await import("../../sdk/audit/report.ts");
  if (html !== undefined) {
    const { auditPage } = await import("../../sdk/audit/auditPage.ts");
    const { writeAtomic } = await import("../../sdk/node/files.ts");
    await writeAtomic(html, auditPage(report), { mode: 0o644, overwrite: true });
    progress(`The page is in ${html}.`);
  }
  const text = plainLines(formatAudit(report)).trimEnd();
  return { json: report, text, simulated, exitCode: exitCodeOf(report.verdict) };
}

function namedFiles(text: string, previous: readonly NamedFile[] = []): NamedFile[] {
  const [, datasetId, file] = /^(0x[0-9a-fA-F]{64})=(.+)$/s.exec(text) ?? [];
  if (datasetId === undefined || file === undefined)
    throw new InvalidArgumentError("Not DATASET=FILE: the data set's id, an equals sign, a file.");
  return [...previous, { datasetId: datasetId.toLowerCase() as Hex, file }];
}

function digests(text: string, previous: readonly string[] = []): string[] {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError("Not a digest: sha256: and 64 hex digits.");
  return [...previous, text];
}

function addresses(text: string, previous: readonly Address[] = []): Address[] {
  if (!isAddress(text)) throw new InvalidArgumentError("Not an address.");
  return [...previous, text];
}

type Block = { number: bigint; hash: Hex };

function blocks(text: string, previous: readonly Block[] = []): Block[] {
  const [, number, hash] = /^(\d{1,18}):(0x[0-9a-fA-F]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined)
    throw new InvalidArgumentError("Not a block: its number, a colon, its hash.");
  return [...previous, { number: BigInt(number), hash: hash.toLowerCase() as Hex }];
}
