/** A paid job on real private data, through every room, and what the chain and the requester have afterwards. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Hex, sha256, zeroHash } from "viem";
import { type RerunSources, rerunJob } from "../../cli/rerun.ts";
import type { Receipt } from "../../protocol/eip712.ts";
import type { LogEntry } from "../../protocol/logEntry.ts";
import { checkProgram } from "../../protocol/program.ts";
import { publicResultKey } from "../../protocol/publicReader.ts";
import { testAccount, testPrivateKey } from "../../scripts/localChain.ts";
import { gatherEvidence } from "../../sdk/audit/gather/gatherEvidence.ts";
import { readCertificateFile } from "../../sdk/certificateFile.ts";
import { certificateOf, listCertificates, verifyCertificate } from "../../sdk/certificates.ts";
import { certifyDataset } from "../../sdk/certifyDataset.ts";
import { creditOf } from "../../sdk/credit.ts";
import { datasetKeyBytes, decryptResult, newResultIdentity } from "../../sdk/encryption.ts";
import { readProgram } from "../../sdk/node/programDir.ts";
import { fetchBlob } from "../../sdk/worker.ts";
import { dcm } from "../cli/support/dcm.ts";
import { failureOf as thrownBy } from "../support/failureOf.ts";
import { ended, releasedResult, sealedPrints, settlement } from "../support/outcomes.ts";
import { type Scenario, startScenario } from "../support/scenario.ts";

describe("a paid job", () => {
  let s: Scenario;
  let paid: Hex;
  before(async () => {
    s = await startScenario();
  });
  after(() => s.stop());

  it("pays both providers and the operator, and gives the requester what the program computed", async () => {
    const grants = [await s.grant(s.providers[0]), await s.grant(s.providers[1])];
    await s.deliver();
    const job = await s.ask(grants);
    expect(await ended(s, job.jobId)).to.equal("SettledOk");

    const receipt = await settlement(s, job.jobId);
    const { output } = await decryptResult(job.identity, await releasedResult(s, job.jobId), receipt);
    expect(output).to.deep.equal({ n: 63, r: 0.9601902642499779, firstYear: 1958, lastYear: 2020 });

    paid = job.jobId;
    const credit = (index: number) => creditOf(s.requester, testAccount(index).address, s.market.token);
    expect(await Promise.all([1, 2, 3, 4].map(credit))).to.deep.equal([1_000_000n, 2_500_000n, 2_500_000n, 0n]);
  });

  it("is run again by whoever holds the keys of its data, and then any other output shows", async () => {
    const { url } = s.worker();
    const deployment = join(s.dir, "audit.json");
    await writeFile(deployment, JSON.stringify(s.market.deployment));
    const files: string[] = [];
    for (const { datasetId, datasetKey } of s.providers) {
      const file = join(s.dir, `${datasetId}.key`);
      await writeFile(file, `# a data set's key\n${datasetKey}\n`);
      files.push(`${datasetId}=${file}`);
    }
    const rerun = async (...keys: string[]) => {
      const named = keys.flatMap((file) => ["--key-file", file]);
      const args = ["audit", paid, "--worker", url, "--rerun", ...named, "--json"];
      const { stdout } = await dcm(args, { DCM_RPC_URL: s.market.chain.rpcUrl, DCM_DEPLOYMENT: deployment });
      return JSON.parse(stdout);
    };
    const [first = "", second = ""] = files;
    const report = await rerun(first, second);
    const right = report.claims.find(({ id }: { id: string }) => id === "result.right");
    expect([right.verdict, right.reason]).to.deep.equal([
      "verified",
      "run again here, on the same engine, from the registered ciphertexts: the same output commitment",
    ]);
    const { limits } = await rerun(first);
    const without = `the key of data set ${s.providers[1].datasetId} is not here`;
    expect(limits).to.deep.include({
      id: "result.right",
      statement: "The output is what the program returns for these data",
      reason: without,
    });

    const evidence = await gatherEvidence({
      chain: s.market.chain.public,
      deployment: s.market.deployment,
      jobId: paid,
      workerUrl: url,
    });
    const sources: RerunSources = {
      keyOf: async (datasetId) => s.providers.find((one) => one.datasetId === datasetId)?.datasetKey,
      ciphertextOf: (_, contentHash) => fetchBlob(url, contentHash),
    };
    const receiptWith = async (changes: Partial<Receipt>) => {
      const lied = structuredClone(evidence);
      Object.assign(lied.settlement?.receipt ?? {}, changes);
      return (await rerunJob(lied, sources)).verdict;
    };
    expect(await receiptWith({ outputCommitment: zeroHash })).to.equal("not verified");
    expect(await receiptWith({ failureCode: 5 })).to.equal("not verified");
    const swapped = { ...sources, keyOf: async () => s.providers[0].datasetKey };
    expect((await rerunJob(evidence, swapped)).reason).to.match(/^the key here does not open data set 0x/);
    const other = { ...sources, ciphertextOf: async () => new Uint8Array(8) };
    expect((await rerunJob(evidence, other)).reason).to.match(/is another ciphertext than the registered one$/);
  });

  it("shows the owner of its data, and nobody else, what a program printed before it failed", async () => {
    const owner = await s.addProvider(7, new TextEncoder().encode("day,mm\n2020-01-01,wet\n"));
    const read = await newResultIdentity();
    const source = new TextEncoder().encode(
      `export default ({ data }) => { console.log("\\u001b[31mrow", data.split("\\n")[1]); throw new RangeError("no number"); }`,
    );
    const { manifest } = s.program;
    const program = checkProgram(
      {
        ...manifest,
        files: [{ path: manifest.entry, sha256: sha256(source), size: source.length }],
        inputs: [{ name: "data", format: "csv" }],
        output: { ...manifest.output, policy: { prints: "readers" } },
      },
      new Map([[manifest.entry, source]]),
    );
    const grant = await s.grant(owner, { programId: program.id, resultReaders: [read.resultKey] });
    await s.deliver(owner);
    const job = await s.ask([grant], { run: program });
    expect(await ended(s, job.jobId)).to.equal("SettledFailed");

    const deployment = join(s.dir, "deployment.json");
    const key = join(s.dir, "reader.txt");
    await writeFile(deployment, JSON.stringify(s.market.deployment));
    await writeFile(key, `${read.identity}\n`);
    const environment = { DCM_RPC_URL: s.market.chain.rpcUrl, DCM_DEPLOYMENT: deployment };
    await sealedPrints(s, job.jobId);
    const shown = await dcm(["job", "prints", job.jobId, "--identity-file", key], environment);
    expect([shown.code, shown.stderr]).to.deep.equal([0, ""]);
    expect(shown.stdout).to.match(/^ \[31mrow 2020-01-01,wet\nRangeError: no number\n +at .*main\.js.*\n/m);
    expect(shown.stdout).to.not.include("\u001b");

    await writeFile(key, `${job.identity}\n`); // the requester's
    const refused = await dcm(["job", "prints", job.jobId, "--identity-file", key, "--json"], environment);
    expect(JSON.parse(refused.stderr.trim().split("\n").at(-1) ?? "").error.name).to.equal(
      "FetchPrints.PrintsUnreadableError",
    );
  });

  it("is public where an owner certifies its data, and proves nothing about other data", async () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const table = join(root, "node_modules/vega-datasets/data/seattle-weather.csv");
    const deployment = join(s.dir, "deployment.json");
    await writeFile(deployment, JSON.stringify(s.market.deployment));
    const stranger = { DCM_RPC_URL: s.market.chain.rpcUrl, DCM_DEPLOYMENT: deployment };
    const owner = { ...stranger, DCM_HOME: join(s.dir, "home"), DCM_PRIVATE_KEY: testPrivateKey(5) };
    const told = async (environment: typeof stranger, ...args: string[]) => {
      const { code, stdout, stderr } = await dcm(["dataset", ...args, "--json"], environment);
      return code === 0 ? JSON.parse(stdout) : JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error;
    };
    const { url } = s.worker();
    const { datasetId } = await told(owner, "add", table, "--title", "Weather", "--price", "0", "--upload", url);
    const file = join(s.dir, "certificate.json");
    const by = ["--program", join(root, "programs/data-quality"), "--workload", s.workloadId, "--worker", url];
    const certified = await told(owner, "certify", datasetId, ...by, "--fee", "0.01", "--out", file);

    const { certificates } = await told(stranger, "certificates", datasetId, "--workload", s.workloadId);
    expect(certificates).to.have.length(1);
    const [{ open, output, ...found }] = certificates;
    expect(found).to.deep.include({ jobId: certified.jobId, verified: true, params: "{}", simulated: true });
    expect(found).to.deep.include({ program: "data quality profile", workloadId: s.workloadId });
    expect(output.rows).to.equal(1461);
    expect(output.columns[0]).to.deep.include({ name: "date", missing: 0, from: "2012-01-01", to: "2015-12-31" });
    expect(open.map(({ id }: { id: string }) => id)).to.include.members(["attestation.genuine", "result.right"]);

    const log = await dcm(["log", "verify", certified.jobId, "--worker", url, "--json"], stranger);
    const { complete, entries } = JSON.parse(log.stdout);
    const steps = entries.map(({ entry }: { entry: LogEntry }) => entry.type);
    const run = ["grant.checked", "key.opened", "input.decrypted", "program.ran", "input.destroyed", "result.sealed"];
    expect([log.code, complete, steps]).to.deep.equal([0, true, run]);
    const living = await dcm(["log", "verify", "--worker", url], stranger);
    expect(living.code).to.equal(0);
    expect(living.stdout).to.match(/^verified +\d+ entries, root and signature$/m);
    expect(living.stdout).to.match(/^before it +no log$/m);
    expect((await dcm(["log", "show", "--worker", url], {})).stdout).to.match(/ living$/m);

    const certificate = readCertificateFile(await readFile(file, "utf8"), s.market.deployment);
    expect((await verifyCertificate(s.requester, certificate, { datasetId })).certificate).to.equal(certificate);
    const other = s.providers[0].datasetId;
    const passedOff = await told(stranger, "certificates", other, "--file", file);
    expect(passedOff.message).to.equal(`Certificate ${found.jobId} is of data set ${datasetId}, not of ${other}.`);

    // Another key's signature of the true receipt: everything in the file fits, but not the chain.
    const signature = await testAccount(5).sign({ hash: certificate.receiptHash });
    const forged = await thrownBy(verifyCertificate(s.requester, { ...certificate, signature }));
    expect(forged.message).to.equal(
      `Certificate ${found.jobId} is not good: it is not signed by the enclave that settled its job.`,
    );
    const distrusted = await thrownBy(verifyCertificate(s.requester, certificate, { workloadId: datasetId }));
    expect(distrusted.name).to.equal("Certificate.OtherWorkloadError");
  });

  it("is no certificate where the chain was not shown the owner's consent, and none of a stranger's is listed", async () => {
    const program = await readProgram(fileURLToPath(new URL("../../programs/data-quality", import.meta.url)));
    const provider = await s.addProvider(6, new TextEncoder().encode("day,mm\n2020-01-01,3\n"));
    const free = await s.grant(provider, { programId: program.id, price: 0n });
    await s.deliver(provider);
    const { jobId } = await s.ask([free], { run: program, resultKey: publicResultKey });
    expect(await ended(s, jobId)).to.equal("SettledOk");
    await releasedResult(s, jobId);

    const certificate = await certificateOf(s.requester, jobId, s.worker().url);
    const error = await thrownBy(verifyCertificate(s.requester, certificate));
    const claim = `The owner of data set 1 (${provider.datasetId.slice(0, 10)}) signed the grant that the order names`;
    const reason = "the grant is free and unlimited: the enclave alone checked it, and committed to it in the receipt";
    expect(error.message).to.equal(`Certificate ${jobId} is not good: ${claim}: cannot be verified, ${reason}.`);
    expect(await listCertificates(s.requester, provider.datasetId)).to.deep.equal([]);

    const { datasetId, datasetKey } = provider;
    const terms = {
      ...{ datasetId, program, workerUrl: s.worker().url, operatorFee: 0n, waitMs: 0 },
      ...{ workloadId: jobId, datasetKey: async () => datasetKeyBytes(datasetKey) }, // nobody runs that workload
    };
    const untaken = await thrownBy(certifyDataset(provider.client, terms));
    expect(untaken.name).to.equal("Certificate.KeyNotTakenError");
    const notYours = await thrownBy(certifyDataset(s.requester, terms));
    expect(notYours.name).to.equal("Grants.NotYoursError");
  });
});
