/** A whole deal on the command line, against a real node and a worker's real HTTP application. */
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { expect } from "chai";
import { type Hex, keccak256, toHex } from "viem";
import { hashGrant } from "../../protocol/eip712.ts";
import { findJob } from "../../sdk/findJob.ts";
import { readGrantFile } from "../../sdk/grantFile.ts";
import { openHome } from "../../sdk/node/home.ts";
import { openGrant, startWorld, type TestEnclave, type World, who, writeTestProgram } from "../sdk/support/world.ts";
import { testAccount } from "../support/chain.ts";
import { dcm, type Environment, forEach, type Ran, startDcm } from "./support/dcm.ts";

const canary = "314.159265";
const csv = `year,temp\n1880,${canary}\n1881,-0.09\n`;

describe("dcm: a deal", () => {
  let world: World;
  let enclave: TestEnclave;
  let provider: Environment;
  let requester: Environment;
  let reader: Environment;
  let program: string;
  let programId: Hex;
  let datasetId: Hex;
  let grantFile: string;
  let grantHash: Hex;
  let jobId: Hex;
  const all: Ran[] = [];

  const keyOf = (index: number) => toHex(testAccount(index).getHdKey().privateKey ?? new Uint8Array());

  before(async () => {
    world = await startWorld();
    enclave = await world.registerEnclave();
    await world.mint(testAccount(who.requester).address, 100_000_000n);
    reader = { DCM_RPC_URL: world.chain.rpcUrl, DCM_DEPLOYMENT: world.deploymentFile };
    const as = (index: number, home: string) => ({
      ...reader,
      DCM_HOME: join(world.directory, home),
      DCM_PRIVATE_KEY: keyOf(index),
    });
    provider = as(who.provider, "provider");
    requester = as(who.requester, "requester");
    program = join(world.directory, "program");
    await mkdir(program);
    await writeTestProgram(program);
    await writeFile(join(world.directory, "table.csv"), csv);
  });
  after(() => world.close());

  async function run(environment: Environment, ...args: string[]): Promise<Ran> {
    const ran = await dcm(args, environment);
    all.push(ran);
    return ran;
  }

  /** The one JSON value of a command that succeeds. */
  async function json(environment: Environment, ...args: string[]) {
    const { code, stdout, stderr } = await run(environment, ...args, "--json");
    expect(code, stderr).to.equal(0);
    expect(stdout.trim().split("\n")).to.have.length(1);
    return JSON.parse(stdout);
  }

  async function error(environment: Environment, ...args: string[]) {
    const { code, stderr } = await run(environment, ...args, "--json");
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return { code, ...JSON.parse(last).error };
  }

  it("publishes a file", async () => {
    const file = join(world.directory, "table.csv");
    const about = ["--title", "Global \u001b[2Jtemperature", "--keywords", "climate, NASA", "--licence", "CC0"];
    const price = ["--price", "2.50", "--token", world.token];
    const added = await json(provider, "dataset", "add", file, ...about, ...price, "--upload", world.worker.url);
    ({ datasetId } = added);
    expect(added.metadata.records).to.equal(2);
    expect(added.metadata.timeRange).to.deep.equal(["1880", "1881"]);
    expect(added.metadata.price).to.deep.equal({ token: world.token, amount: "2500000" });
    expect(added.uri).to.equal(`blob:${added.contentHash.slice(2)}`);
    expect(added.simulated).to.equal(true);
    expect(await world.worker.blobs.size(added.contentHash.slice(2))).to.equal(Number(added.sizeBytes));
  });

  it("exports a key that opens the ciphertext, to a file of its own only", async () => {
    const out = join(world.directory, "key.txt");
    const args = ["dataset", "key", datasetId, "--out", out];
    expect(await json(provider, ...args)).to.deep.equal({ datasetId, file: out, simulated: true });
    expect((await stat(out)).mode & 0o777).to.equal(0o600);
    const decrypter = new Decrypter();
    decrypter.addIdentity((await readFile(out, "utf8")).trim());
    const { uri } = await json(provider, "dataset", "show", datasetId);
    const opened = await decrypter.decrypt(await world.worker.blobs.get(uri.slice("blob:".length)));
    expect(Buffer.from(opened)).to.deep.equal(await readFile(join(world.directory, "table.csv")));
    expect((await error(provider, ...args)).name).to.equal("Files.FileUnwritableError");
    const other = await error(requester, "dataset", "key", datasetId, "--out", join(world.directory, "none.txt"));
    expect(other).to.include({ code: 2, name: "Cli.UsageError" });
    await rm(out); // the last test looks for the key in every file
  });

  it("writes the ciphertext where it is told, without a profile, and replaces nothing", async () => {
    const file = join(world.directory, "table.csv");
    const out = join(world.directory, "table.age");
    const args = [
      "dataset",
      "add",
      file,
      "--title",
      "Plain",
      "--price",
      "0",
      "--uri",
      "https://example.org/t",
      "--out",
      out,
    ];
    const added = await json(provider, ...args, "--no-profile");
    expect(added.metadata.columns).to.equal(undefined);
    expect((await readFile(out)).subarray(0, 21).toString()).to.equal("age-encryption.org/v1");
    expect((await error(provider, ...args)).name).to.equal("Files.FileUnwritableError");
    const cases: [string[], string][] = [
      [["--price", "1.0000001", "--token", world.token], "Tokens.BadAmountError"],
      [["--price", "-1"], "Tokens.BadAmountError"],
      [["--price", "1", "--token", testAccount(9).address], "Tokens.NotATokenError"],
    ];
    await forEach(cases, async ([price, name]) => {
      const got = await error(provider, "dataset", "add", file, "--title", "t", ...price, "--upload", world.worker.url);
      expect(got.name).to.equal(name);
      expect(got.code).to.equal(1);
    });
  });

  it("lists, searches and shows data sets, with hostile text made harmless", async () => {
    const listed = await json(reader, "dataset", "list");
    expect(listed.datasets.map((d: { metadata: { title: string } }) => d.metadata.title)).to.deep.equal([
      "Plain",
      "Global \u001b[2Jtemperature",
    ]);
    const found = await json(reader, "dataset", "search", "TEMPERATURE", "nasa");
    expect(found.datasets.map((d: { datasetId: Hex }) => d.datasetId)).to.deep.equal([datasetId]);
    expect((await json(reader, "dataset", "search", "nothing")).datasets).to.deep.equal([]);
    const { stdout } = await run(reader, "dataset", "show", datasetId);
    expect(stdout).to.match(/^price +2\.5 tUSD$/m);
    expect(stdout).to.match(/^columns +year \(integer\), temp \(number\)$/m);
    expect(stdout).to.match(/^SIMULATED: /m);
    const table = await run(reader, "dataset", "list");
    expect(table.stdout + stdout).not.to.contain("\u001b");
    const unknown = await error(reader, "dataset", "show", keccak256("0x"));
    expect(unknown).to.deep.include({ code: 1, name: "Datasets.UnknownDatasetError" });
  });

  it("shows enclaves", async () => {
    const { enclaves } = await json(reader, "enclave", "list", "--workload", world.workloadId);
    expect(enclaves.map((e: { signingKey: Hex }) => e.signingKey)).to.deep.equal([enclave.account.address]);
    const { stdout } = await run(reader, "enclave", "show", enclave.account.address);
    expect(stdout).to.match(/^live +yes$/m);
    expect(stdout).to.match(/^SIMULATED: /m);
  });

  it("says in words what a program lets out, before it is consented to, and consents within its budget only", async () => {
    const limited = join(world.directory, "limited");
    await mkdir(limited);
    await writeTestProgram(limited, { policy: { round: [{ path: "/rows", decimals: 0 }], maxUses: 3 } });
    const words = [
      "the output is JSON of its schema, at most 1,024 bytes",
      "/rows is rounded to 0 decimal places",
      "nobody sees what the program prints or throws",
      "a grant must be limited to at most 3 uses",
    ];
    const { stdout } = await run({}, "program", "show", limited);
    expect(stdout).to.contain(`policy      ${words.join(`\n${" ".repeat(12)}`)}\n`);

    const create = ["grant", "create", "--dataset", datasetId, "--program", limited, "--workload", world.workloadId];
    const refusal = await error(provider, ...create, "--max-uses", "4");
    expect(refusal.name).to.equal("Grants.OverBudgetError");
    expect(refusal.hint).to.equal("Enclaves refuse it with BudgetExceeded: limit it to 1 to 3 (`--max-uses`).");
    const { code, stderr } = await run(requester, ...create, "--max-uses", "3"); // not the owner's: so none is kept
    expect(code).to.equal(1);
    for (const line of ["Of count:", ...words.map((word) => `- ${word}`)]) expect(stderr).to.contain(`${line}\n`);
    expect(stderr).to.contain("belongs to");
  });

  it("shows a published program to whoever is asked to consent, if it has the id", async () => {
    const at = ["--worker", world.worker.url];
    const published = await json(requester, "program", "publish", program, ...at);
    const theirs = join(world.directory, "theirs");
    const fetched = ["program", "fetch", published.programId, "--uri", published.uri, ...at, "--out", theirs];
    expect((await json(provider, ...fetched)).programId).to.equal(published.programId);
    expect((await json(provider, "program", "id", theirs)).programId).to.equal(published.programId);
    const other = [...fetched.with(2, `0x${"ab".repeat(32)}`).slice(0, -1), join(world.directory, "others")];
    expect((await error(provider, ...other)).name).to.equal("Cli.OtherProgramError");
    expect((await error(provider, ...fetched)).name).to.equal("ProgramDir.NotAProgramError");
  });

  it("grants, in a file that anyone can check", async () => {
    ({ programId } = await json({}, "program", "id", program));
    grantFile = join(world.directory, "grant.json");
    const consent = ["--dataset", datasetId, "--program", programId, "--workload", world.workloadId];
    const created = await json(provider, "grant", "create", ...consent, "--max-uses", "2", "--out", grantFile);
    ({ grantHash } = created);
    const text = await readFile(grantFile, "utf8");
    expect(JSON.parse(text)).to.deep.equal(created.file);
    const { grant } = readGrantFile(text, world.deployment);
    expect(grant.price).to.equal(2_500_000n); // from the metadata
    const client = await world.clientOf();
    expect(hashGrant(client.marketDomain, grant)).to.equal(grantHash);
    const { grants } = await json(provider, "grant", "list");
    expect(grants).to.have.length(1);
    expect(grants[0]).to.deep.include({ grantHash, state: "in force", uses: "0" });
    expect((await error(requester, "grant", "create", ...consent)).name).to.equal("Grants.NotYoursError");
    // A grant that could not be written out was not given: the broker must not serve it.
    const taken = await error(provider, "grant", "create", ...consent, "--out", grantFile);
    expect(taken.name).to.equal("Files.FileUnwritableError");
    expect((await json(provider, "grant", "list")).grants).to.have.length(1);
  });

  it("serves keys to enclaves, once and until interrupted", async () => {
    const once1 = await json(provider, "provider", "serve", "--once");
    expect(once1.events).to.deep.equal([
      { type: "delivered", grantHash, signingKey: enclave.account.address, endpoint: world.worker.url },
    ]);
    expect((await json(provider, "provider", "serve", "--once")).events).to.deep.equal([]);

    const child = startDcm(["provider", "serve", "--poll-seconds", "1", "--json"], provider);
    let [stdout, stderr] = ["", ""];
    const served = new Promise<void>((resolve) => {
      child.stderr.on("data", (text) => {
        stderr += text;
        if (stderr.includes("delivered")) resolve();
      });
    });
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    const another = await world.registerEnclave();
    await served;
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    all.push({ code, stdout, stderr });
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({ delivered: 1, failed: 0, void: 0, simulated: true });
    const [first, second] = world.worker.grants;
    if (first === undefined || second === undefined) throw new Error("not both were posted");
    const secret = await openGrant(enclave, grantHash, first);
    expect(secret).to.match(/^AGE-SECRET-KEY-1/);
    expect(await openGrant(another, grantHash, second)).to.equal(secret);
  });

  it("does not fail for an enclave that another one replaced at its endpoint", async () => {
    const answer = async (name: string) => {
      const server = createServer((_, response) => response.writeHead(422).end(JSON.stringify({ name })));
      await once(server.listen(0, "127.0.0.1"), "listening");
      await world.registerEnclave({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      const ran = await run(provider, "provider", "serve", "--once");
      server.close();
      return ran;
    };
    const gone = await answer("Vault.OtherVaultKeyError");
    expect(gone.stdout).to.match(/^not delivered grant 0x.* it is gone, another one answers at its endpoint$/m);
    expect(gone.code).to.equal(0);
    const refused = await answer("Vault.BadGrantError");
    expect(refused.stdout).to.match(/^failed grant 0x/m);
    expect(refused.code).to.equal(1);
  });

  const jobArgs = () => [
    ...["job", "create", "--program", program, "--dataset", datasetId, "--workload", world.workloadId],
    ...["--worker", world.worker.url, "--fee", "1.00", "--token", world.token],
  ];

  it("opens a job after checking that it can settle", async () => {
    const refused: [string[], string][] = [
      [[], "PrepareJob.GrantMissingError"],
      [["--grant-file", grantFile, "--grant-file", grantFile], "PrepareJob.GrantMissingError"],
      [["--grant-file", grantFile, "--params", '{"x":1}'], "PrepareJob.ParamsRefusedError"],
      [["--grant-file", join(program, "manifest.json")], "GrantFile.BadGrantFileError"],
      [["--grant", grantHash], "Cli.UsageError"],
      [["--grant-file", grantFile, "--max-total", "3.49"], "PrepareJob.CostTooHighError"],
      [["--grant-file", grantFile, "--failure-fee", "2"], "Chain.ContractRefusedError"],
    ];
    await forEach(refused, async ([args, name]) => {
      expect((await error(requester, ...jobArgs(), ...args)).name).to.equal(name);
    });
    const altered = JSON.parse(await readFile(grantFile, "utf8"));
    altered.grant.price = "0";
    const alteredFile = join(world.directory, "altered.json");
    await writeFile(alteredFile, JSON.stringify(altered));
    const forged = await error(requester, ...jobArgs(), "--grant-file", alteredFile);
    expect(forged.name).to.equal("Grants.GrantBadSignatureError");

    const created = await json(requester, ...jobArgs(), "--grant-file", grantFile, "--max-total", "3.50");
    ({ jobId } = created);
    expect(created).to.deep.include({ cost: "3500000", payment: "permit", programId, token: world.token });
    expect(await world.worker.blobs.size(created.programUri.slice("blob:".length))).to.be.greaterThan(0);
    expect((await json(reader, "job", "status", jobId)).state).to.equal("Open");
    expect((await error(requester, "job", "result", jobId)).name).to.equal("FetchOutput.NoResultError");
  });

  it("reads the settled result, pays, and audits", async () => {
    const { grant, signature } = readGrantFile(await readFile(grantFile, "utf8"), world.deployment);
    await world.settle(await findJob(await world.clientOf(), jobId), enclave, [{ grant, signature }], { rows: 3 });
    const status = await json(reader, "job", "status", jobId);
    expect(status).to.deep.include({ state: "SettledOk", failure: "None", signer: enclave.account.address });
    expect((await json(requester, "job", "result", jobId)).output).to.deep.equal({ rows: 3 });
    expect((await error(provider, "job", "result", jobId)).code).to.equal(2);
    const noIdentity = await error(reader, "job", "result", jobId, "--identity-file", grantFile);
    expect(noIdentity.code).to.equal(2);
    expect(noIdentity.message).to.equal(`${grantFile} holds no age identity.`);
    expect((await json(provider, "grant", "list")).grants[0].uses).to.equal("1");

    const credit = ["--account", testAccount(who.provider).address, "--token", world.token];
    expect((await json(reader, "credit", "show", ...credit)).amount).to.equal("2500000");
    const { stdout } = await run(provider, "credit", "withdraw", "--token", world.token, "--amount", "1.5");
    expect(stdout).to.match(/^withdrawn +1\.5 tUSD$/m);
    expect((await json(provider, "credit", "withdraw", "--token", world.token)).amount).to.equal("1000000");
    expect((await error(provider, "credit", "withdraw", "--token", world.token)).name).to.equal("Credit.NoCreditError");

    // The test settled with a receipt whose roots are zero: an audit must see that.
    const { code, stdout: report } = await run(requester, "audit", jobId, "--worker", world.worker.url, "--json");
    expect(code).to.equal(1);
    const { verdict, claims } = JSON.parse(report);
    const verdictOf = (claim: string) => claims.find(({ id }: { id: string }) => id === claim)?.verdict;
    expect(verdict).to.equal("not verified");
    expect([verdictOf("receipt.signature"), verdictOf("receipt.inputs")]).to.deep.equal(["verified", "not verified"]);
    expect([verdictOf("code"), verdictOf("result")]).to.deep.equal(["cannot be verified", "not verified"]);
  });

  it("cancels and expires", async () => {
    const first = (await json(requester, ...jobArgs(), "--grant-file", grantFile)).jobId;
    expect((await error(provider, "job", "cancel", first)).message).to.match(/JobMarket_NotRequester/);
    expect((await error(requester, "job", "expire", first)).message).to.match(/JobMarket_DeadlineNotPassed/);
    await json(requester, "job", "cancel", first);
    expect((await json(reader, "job", "status", first)).state).to.equal("Cancelled");
    const args = ["--grant-file", grantFile, "--deadline-minutes", "1"];
    const { jobId: second, payment } = await json(requester, ...jobArgs(), ...args);
    expect(payment).to.equal("credit"); // what came back from the first
    await world.chain.control.increaseTime({ seconds: 61 });
    await world.chain.control.mine({ blocks: 1 });
    await json(provider, "job", "expire", second);
    expect((await json(reader, "job", "status", second)).state).to.equal("Expired");
    expect((await json(requester, "credit", "show", "--token", world.token)).amount).to.equal("3500000");
  });

  it("revokes one grant, then all", async () => {
    await json(provider, "grant", "revoke", grantHash);
    expect((await json(provider, "grant", "list")).grants[0].state).to.equal("revoked");
    const again = await error(provider, "grant", "revoke", grantHash);
    expect(again.message).to.match(/DatasetRegistry_NonceAlreadyRevoked/);
    expect((await json(provider, "grant", "revoke", "--all-of", datasetId)).newEpoch).to.equal(1);
    const refused = await error(requester, ...jobArgs(), "--grant-file", grantFile);
    expect(refused.name).to.equal("Grants.GrantNotInForceError");
  });

  it("told no secret, on any stream or in any file", async () => {
    const { deployment } = world;
    const home = await openHome({
      directory: provider.DCM_HOME ?? "",
      privateKey: keyOf(who.provider),
      deployment,
    });
    const datasetKey = (await home.datasetKey(datasetId)) ?? "";
    expect(datasetKey).to.match(/^AGE-SECRET-KEY-1/);
    const secrets = [datasetKey, keyOf(who.provider).slice(2), keyOf(who.requester).slice(2), canary, "AGE-SECRET-KEY"];
    const told = all.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    const kept = [...world.worker.lines];
    for (const entry of await readdir(world.directory, { recursive: true, withFileTypes: true })) {
      const isSource = entry.name === "table.csv";
      if (entry.isFile() && !isSource)
        kept.push((await readFile(join(entry.parentPath, entry.name))).toString("latin1"));
    }
    expect(all.length).to.be.greaterThan(40);
    expect(kept.length).to.be.greaterThan(10);
    for (const [i, secret] of secrets.entries()) {
      expect(told.includes(secret), `secret ${i} in output`).to.equal(false);
      expect(
        kept.some((text) => text.includes(secret)),
        `secret ${i} in a file`,
      ).to.equal(false);
    }
  });
});
