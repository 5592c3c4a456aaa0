/** `dcm dataset` from publishing to the end, against a real node and the real contracts. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Address, encodeFunctionData, getAddress, type Hex } from "viem";
import { deployContract, deployContracts } from "../../deploy/deployContracts.ts";
import { datasetRegistryAbi } from "../../protocol/abi.ts";
import { joinApprovals } from "../../protocol/council.ts";
import { intelRootKey } from "../../protocol/deployment.ts";
import { testPrivateKey } from "../../scripts/localChain.ts";
import { approveCall, executeCall } from "../../sdk/councils.ts";
import { openHome } from "../../sdk/node/home.ts";
import { registryClient } from "../sdk/support/registryClient.ts";
import { startChain, type TestChain, testAccount } from "../support/chain.ts";
import { dcm, type Environment, forEach } from "./support/dcm.ts";

const account = (index: number) => testAccount(index).address;
const [owner, taker, alice, bob] = [account(1), account(2), account(3), account(4)];

describe("dcm dataset, dcm council", () => {
  let chain: TestChain;
  let directory: string;
  let asOwner: Environment;
  let asTaker: Environment;
  let asAlice: Environment;
  let asReader: Environment;
  let datasetId: Hex;
  let registry: Address;

  before(async () => {
    chain = await startChain();
    directory = await mkdtemp(join(tmpdir(), "dcm-dataset-"));
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    const deployment = await deployContracts(clients, { rootKey: intelRootKey, maxLifeSeconds: 604_800n });
    registry = deployment.contracts.datasetRegistry;
    const file = join(directory, "deployment.json");
    await writeFile(file, JSON.stringify(deployment));
    await writeFile(join(directory, "table.csv"), "year,temp\n1880,-0.2\n1881,-0.1\n");
    asReader = { DCM_RPC_URL: chain.rpcUrl, DCM_DEPLOYMENT: file };
    const as = (index: number) => ({
      ...asReader,
      DCM_HOME: join(directory, `home${index}`),
      DCM_PRIVATE_KEY: testPrivateKey(index),
    });
    asOwner = as(1);
    asTaker = as(2);
    asAlice = as(3);
  });
  after(async () => {
    await chain.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** The one JSON value of a command that succeeds. */
  async function json(environment: Environment, ...args: string[]) {
    return await jsonOf(environment, "dataset", ...args);
  }

  async function jsonOf(environment: Environment, ...args: string[]) {
    const { code, stdout, stderr } = await dcm([...args, "--json"], environment);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout);
  }

  async function refused(environment: Environment, ...args: string[]) {
    return await refusedOf(environment, "dataset", ...args);
  }

  async function refusedOf(environment: Environment, ...args: string[]) {
    const { code, stderr, stdout } = await dcm(args, environment);
    expect(stdout).to.equal("");
    return { code, error: stderr.split("\n").find((line) => line.startsWith("error: ")) };
  }

  it("registers with payees, and shows who is paid", async () => {
    const about = ["--title", "Global temperature", "--price", "0.5", "--per", "row", "--place", "Earth"];
    const payees = ["--payee", `${alice}:7500`, "--payee", `${bob}:2500`];
    const place = ["--uri", "https://example.org/t.age", "--out", join(directory, "t.age")];
    const added = await json(asOwner, "add", join(directory, "table.csv"), ...about, ...payees, ...place);
    datasetId = added.datasetId;
    expect(added.payees).to.deep.equal([
      { account: alice, shareBps: 7500 },
      { account: bob, shareBps: 2500 },
    ]);
    expect(added.metadata.price.unit).to.equal("outputRow");
    expect((await readFile(join(directory, "t.age"))).length).to.equal(Number(added.sizeBytes));

    const { stdout } = await dcm(["dataset", "show", datasetId], asReader);
    expect(stdout).to.contain(`paid            ${alice} 75 %, ${bob} 25 %\n`);
    expect(stdout).to.contain("price           0.5 native per row of the result\n");
    expect(stdout).to.contain("consent epochs  0 (data set), 0 (owner)\n");
    expect(stdout).not.to.contain("SIMULATED");
  });

  it("says what is wrong with payees before it encrypts anything", async () => {
    const add = ["add", join(directory, "table.csv"), "--title", "x", "--price", "0", "--upload", "http://127.0.0.1:1"];
    expect(await refused(asOwner, ...add, "--payee", alice)).to.deep.equal({
      code: 2,
      error: `error: --payee: ${JSON.stringify(alice)} is not ADDRESS:BPS.`,
    });
    expect(await refused(asOwner, ...add, "--payee", `${alice}:9000`)).to.deep.equal({
      code: 1,
      error: "error: The payees cannot be registered: their shares make 9000 basis points, not 10000.",
    });
  });

  it("changes what is given and keeps the rest", async () => {
    const { metadata, uri } = await json(
      asOwner,
      "update",
      datasetId,
      "--edition",
      "2026-03",
      "--keywords",
      "sun, sea",
    );
    expect(uri).to.equal("https://example.org/t.age");
    expect(metadata).to.deep.include({ title: "Global temperature", place: "Earth", edition: "2026-03", records: 2 });
    const { datasets } = await json(asReader, "search", "SEA", "2026-03");
    expect(datasets[0]).to.deep.include({ datasetId, metadata });
  });

  it("takes all metadata from a file that meets the schema", async () => {
    const file = join(directory, "metadata.json");
    await writeFile(file, JSON.stringify({ v: 1, title: "Weather", format: "csv", more: 1 }));
    const update = ["update", datasetId, "--metadata", file, "--uri", "ipfs://two"];
    expect(await refused(asOwner, ...update)).to.deep.equal({
      code: 1,
      error: "error: The metadata are not valid: /more is no field of metadata",
    });
    await writeFile(file, JSON.stringify({ v: 1, title: "Weather", format: "csv" }, null, 2));
    await json(asOwner, ...update);
    expect(await json(asReader, "show", datasetId)).to.deep.include({
      uri: "ipfs://two",
      metadata: { v: 1, title: "Weather", format: "csv" },
    });
  });

  it("revokes by data set, of the owner, by nonce; one thing at a time", async () => {
    expect(await json(asOwner, "revoke", datasetId)).to.include({ datasetId, newEpoch: 1 });
    expect(await json(asOwner, "revoke", "--all")).to.include({ newOwnerEpoch: 1 });
    expect(await json(asOwner, "revoke", "--nonce", "7")).to.include({ nonce: "7" });
    expect(await refused(asOwner, "revoke", "--nonce", "7")).to.deep.equal({
      code: 1,
      error: `error: The contract refused: DatasetRegistry_NonceAlreadyRevoked(owner: ${owner}, nonce: 7)`,
    });
    await forEach([[], ["--all", datasetId], ["--all", "--nonce", "8"]], async (what) => {
      const unclear = { code: 2, error: "error: It is not clear what to revoke." };
      expect(await refused(asOwner, "revoke", ...what)).to.deep.equal(unclear);
    });
    expect(await json(asReader, "show", datasetId)).to.include({ epoch: 1, ownerEpoch: 1 });
  });

  it("hands over: offered, taken back, offered, taken", async () => {
    expect(await json(asOwner, "offer", datasetId, "--to", taker)).to.include({ to: taker });
    expect(await json(asOwner, "offer", datasetId, "--withdraw")).to.include({ to: null });
    expect(await refused(asTaker, "take", datasetId)).to.deep.equal({
      code: 1,
      error: `error: The contract refused: DatasetRegistry_NotPendingOwner(datasetId: ${datasetId}, caller: ${taker}, pendingOwner: 0x0000000000000000000000000000000000000000)`,
    });
    await json(asOwner, "offer", datasetId, "--to", taker);
    expect(await json(asTaker, "take", datasetId)).to.include({ newEpoch: 2 });
    const { datasets } = await json(asReader, "list", "--owner", taker);
    expect(datasets).to.have.length(1);
    expect(datasets[0]).to.include({ datasetId, owner: taker, registrant: owner });
  });

  it("ends it for good", async () => {
    await json(asTaker, "retire", datasetId);
    const [live, all, shown] = await Promise.all([
      json(asReader, "list"),
      json(asReader, "list", "--retired"),
      dcm(["dataset", "show", datasetId], asReader),
    ]);
    expect(live.datasets).to.deep.equal([]);
    expect(all.datasets[0]).to.include({ datasetId, retired: true });
    expect(shown.stdout).to.contain("state           RETIRED: no grant of it holds\n");
  });

  it("shows a council, and lets a member take consent back alone", async () => {
    const members = [owner, alice].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    const council = getAddress(
      await deployContract(clients, "market/DatasetCouncil.sol/DatasetCouncil", [registry, members, 2]),
    );
    const shown = await jsonOf(asReader, "council", "show", council);
    expect(shown).to.deep.equal({ address: council, members, threshold: 2, nonce: "0", simulated: false });
    expect(await jsonOf(asOwner, "council", "revoke", council, "--all")).to.include({ council, all: true });
    const [stranger, another] = await Promise.all([
      refusedOf(asTaker, "council", "revoke", council, "--nonce", "3"),
      refusedOf(asOwner, "council", "revoke", council, datasetId),
    ]);
    expect(stranger).to.deep.equal({
      code: 1,
      error: `error: The contract refused: DatasetCouncil_NotMember(caller: ${taker})`,
    });
    expect(another).to.deep.equal({
      code: 1,
      error: `error: The contract refused: DatasetRegistry_NotOwner(datasetId: ${datasetId}, caller: ${council}, owner: ${taker})`,
    });
  });

  it("has a council appoint a sealer by two members, whose home its broker is served from", async () => {
    const members = [owner, alice].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    const council = getAddress(
      await deployContract(clients, "market/DatasetCouncil.sol/DatasetCouncil", [registry, members, 2]),
    );
    const path = (name: string) => join(directory, name);
    const place = ["--uri", "https://example.org/c.age", "--out", path("c.age")];
    const added = await json(asOwner, "add", path("table.csv"), "--title", "ours", "--price", "0", ...place);
    const own = ["--dataset", added.datasetId];
    const appointed = await jsonOf(asOwner, "grant", "appoint-sealer", bob, ...own, "--valid-days", "2");
    expect(appointed.file.appointment).to.include({ sealer: bob, datasetId: added.datasetId });
    await json(asOwner, "offer", added.datasetId, "--to", council);
    await takeFor(council, added.datasetId);
    const half = ["council", "appoint-sealer", council, ...own, "--sealer", taker, "--out", path("half.json")];
    const [alone, first] = await Promise.all([
      refusedOf(asOwner, "grant", "appoint-sealer", bob, ...own),
      jsonOf(asOwner, ...half),
      json(asOwner, "key", added.datasetId, "--out", path("key.txt")),
    ]);
    expect(alone).to.deep.equal({ code: 1, error: `error: Data set ${added.datasetId} belongs to ${council}.` });
    expect(first).to.include({ missing: 1, sealer: taker });
    const take = (file: string) => ["provider", "take", "--appointment", path(file), "--key-file", path("key.txt")];
    const [incomplete, complete] = await Promise.all([
      refusedOf(asTaker, ...take("half.json")),
      jsonOf(asAlice, "council", "approve-sealer", council, path("half.json"), "--out", path("whole.json")),
    ]);
    expect(incomplete).to.deep.equal({
      code: 1,
      error: `error: The appointment for data set ${added.datasetId} is not signed by ${council}, its owner.`,
    });
    expect(complete).to.include({ missing: 0, sealer: taker });
    const [others, taken] = await Promise.all([
      refusedOf(asAlice, ...take("whole.json")),
      jsonOf(asTaker, ...take("whole.json")),
    ]);
    expect(others).to.deep.equal({ code: 2, error: `error: The appointment is ${taker}'s, not this wallet's.` });
    expect(taken).to.deep.include({ datasetId: added.datasetId, grants: [] });
    const home = await openHome({
      directory: path("home2"),
      privateKey: testPrivateKey(2),
      deployment: JSON.parse(await readFile(path("deployment.json"), "utf8")),
    });
    expect((await home.brokerStore.appointment?.(added.datasetId))?.appointment.sealer).to.equal(taker);
    expect(await readFile(path("key.txt"), "utf8")).to.equal(`${await home.datasetKey(added.datasetId)}\n`);
  });

  /** The council of owner and alice takes a data set that was offered to it. */
  async function takeFor(council: Address, id: Hex): Promise<void> {
    const data = encodeFunctionData({ abi: datasetRegistryAbi, functionName: "takeOwnership", args: [id] });
    const deadline = (await chain.public.getBlock()).timestamp + 3600n;
    const call = { target: registry, value: 0n, data, nonce: 0n, deadline };
    const signers = [registryClient(chain, 1, registry), registryClient(chain, 3, registry)];
    const approvals = await Promise.all(signers.map((client) => approveCall(client, council, call)));
    await executeCall(registryClient(chain, 0, registry), council, call, joinApprovals(approvals));
  }
});
