/** Data sets from registration to retirement, through the sdk, against a real node and the real registry. */
import { expect } from "chai";
import { type Address, type Hex, keccak256, stringToBytes, stringToHex, zeroAddress } from "viem";
import { deployContract } from "../../deploy/deployContracts.ts";
import { datasetRegistryAbi } from "../../protocol/abi.ts";
import { BadMetadataError, type Metadata } from "../../protocol/metadata.ts";
import { ContractRefusedError } from "../../sdk/chainErrors.ts";
import type { Client } from "../../sdk/client.ts";
import { offerDataset, retireDataset, takeDataset, updateDataset } from "../../sdk/datasetOwner.ts";
import {
  ForgedDatasetError,
  getDataset,
  type ListOptions,
  listDatasets,
  newDatasetId,
  type Payee,
  registerDataset,
  searchDatasets,
} from "../../sdk/datasets.ts";
import { revokeAllGrants, revokeAllOwnGrants } from "../../sdk/grants.ts";
import { BadPayeesError } from "../../sdk/payees.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import { startChain, type TestChain, testAccount } from "../support/chain.ts";
import { rejection } from "../support/rejection.ts";
import { registryClient } from "./support/registryClient.ts";

const metadata: Metadata = { v: 1, title: "Global temperature", format: "csv", keywords: ["climate"] };
const uri = "ipfs://one";

describe("data sets in the sdk", () => {
  let chain: TestChain;
  let registry: Address;
  let owner: Client;
  let other: Client;
  let snapshot: Hex;

  before(async () => {
    chain = await startChain();
    registry = await deployContract(
      { wallet: chain.wallet(0), chain: chain.public },
      "market/DatasetRegistry.sol/DatasetRegistry",
      [],
    );
    owner = registryClient(chain, 1, registry);
    other = registryClient(chain, 2, registry);
  });
  beforeEach(async () => {
    snapshot = await chain.control.snapshot();
  });
  afterEach(() => chain.control.revert({ id: snapshot }));
  after(() => chain.close());

  const account = (index: number) => testAccount(index).address;

  async function register(changes: { metadata?: Metadata; payees?: Payee[]; client?: Client } = {}): Promise<Hex> {
    const { client = owner, ...rest } = changes;
    const contentHash = keccak256(stringToHex("ciphertext"));
    const { salt } = newDatasetId(client, contentHash);
    const registration = { contentHash, salt, sizeBytes: 5n, uri, metadata, ...rest };
    return (await registerDataset(client, registration)).datasetId;
  }

  const idsOf = async (options?: ListOptions) => (await listDatasets(owner, options)).map((found) => found.datasetId);

  async function refusal(work: Promise<unknown>) {
    const { contractError, args } = await rejection(work, ContractRefusedError);
    return { contractError, args };
  }

  it("shows everything that was registered", async () => {
    const payees = [
      { account: account(3), shareBps: 7_500 },
      { account: account(4), shareBps: 2_500 },
    ];
    const datasetId = await register({ payees });
    const details = await getDataset(other, datasetId);
    expect(details).to.deep.include({
      datasetId,
      owner: account(1),
      registrant: account(1),
      sizeBytes: 5n,
      uri,
      metadata,
      payees,
      retired: false,
      epoch: 0,
      ownerEpoch: 0,
      pendingOwner: undefined,
    });
    const { epoch: _, ownerEpoch: __, pendingOwner: ___, ...listing } = details;
    expect(await listDatasets(other)).to.deep.equal([listing]);
  });

  it("shows and finds what the last update says", async () => {
    const datasetId = await register();
    const first = { ...metadata, title: "Sea level", keywords: ["ocean"] };
    await updateDataset(owner, datasetId, { uri: "ipfs://two", metadata: first });
    const second: Metadata = { ...first, edition: "2026-03", columns: [{ name: "mm", type: "number", unit: "metre" }] };
    await updateDataset(owner, datasetId, { uri: "ipfs://three", metadata: second });

    const details = await getDataset(other, datasetId);
    expect(details).to.deep.include({ uri: "ipfs://three", metadata: second, epoch: 0 });
    const [listed] = await listDatasets(other);
    expect(listed).to.deep.include({ datasetId, uri: "ipfs://three", metadata: second });
    for (const words of ["SEA ocean", "2026-03 csv", "metre mm"])
      expect(await searchDatasets(other, words), words).to.have.length(1);
    expect(await searchDatasets(other, "temperature")).to.deep.equal([]);
  });

  it("hands a data set over: offered, taken, in another epoch", async () => {
    const datasetId = await register();
    const mine = await register();
    await offerDataset(owner, datasetId, account(2));
    expect((await getDataset(other, datasetId)).pendingOwner).to.equal(account(2));
    expect(await idsOf({ owner: account(2) })).to.deep.equal([]);

    const { newEpoch } = await takeDataset(other, datasetId);
    expect(newEpoch).to.equal(1);
    expect(await getDataset(other, datasetId)).to.deep.include({
      owner: account(2),
      registrant: account(1),
      epoch: 1,
      pendingOwner: undefined,
    });
    expect(await idsOf({ owner: account(2) })).to.deep.equal([datasetId]);
    expect(await idsOf({ owner: account(1) })).to.deep.equal([mine]);
    expect(await refusal(updateDataset(owner, datasetId, { uri, metadata }))).to.deep.equal({
      contractError: "DatasetRegistry_NotOwner",
      args: { datasetId, caller: account(1), owner: account(2) },
    });
  });

  it("takes an offer back", async () => {
    const datasetId = await register();
    await offerDataset(owner, datasetId, account(2));
    await offerDataset(owner, datasetId, undefined);
    expect((await getDataset(owner, datasetId)).pendingOwner).to.equal(undefined);
    expect(await refusal(takeDataset(other, datasetId))).to.deep.equal({
      contractError: "DatasetRegistry_NotPendingOwner",
      args: { datasetId, caller: account(2), pendingOwner: zeroAddress },
    });
  });

  it("lists a retired data set only when asked, and nothing can be done with it", async () => {
    const datasetId = await register();
    await retireDataset(owner, datasetId);
    expect(await idsOf()).to.deep.equal([]);
    expect(await idsOf({ retired: true })).to.deep.equal([datasetId]);
    expect((await getDataset(owner, datasetId)).retired).to.equal(true);
    const retired = { contractError: "DatasetRegistry_Retired", args: { datasetId } };
    expect(await refusal(retireDataset(owner, datasetId))).to.deep.equal(retired);
    expect(await refusal(updateDataset(owner, datasetId, { uri, metadata }))).to.deep.equal(retired);
    expect(await refusal(offerDataset(owner, datasetId, account(2)))).to.deep.equal(retired);
  });

  it("tells both consent epochs", async () => {
    const datasetId = await register();
    await revokeAllGrants(owner, datasetId);
    for (const newOwnerEpoch of [1, 2]) expect(await revokeAllOwnGrants(owner)).to.deep.include({ newOwnerEpoch });
    expect(await getDataset(other, datasetId)).to.deep.include({ epoch: 1, ownerEpoch: 2 });
  });

  it("lists the newest first, up to the limit, over what happened later to others", async () => {
    const ids = [];
    for (let i = 0; i < 4; i += 1) ids.unshift(await register({ client: i % 2 === 0 ? owner : other }));
    const [newest, second, third, oldest] = ids as [Hex, Hex, Hex, Hex];
    await retireDataset(owner, second); // of index 2: the owner's
    expect(await idsOf()).to.deep.equal([newest, third, oldest]);
    expect(await idsOf({ limit: 2 })).to.deep.equal([newest, third]);
    expect(await idsOf({ limit: 0 })).to.deep.equal([]);
    expect(await idsOf({ owner: account(1) })).to.deep.equal([oldest]);
    expect(await idsOf({ owner: account(1), retired: true })).to.deep.equal([second, oldest]);
  });

  it("shows without metadata what an update made unreadable", async () => {
    const datasetId = await register();
    const hash = await chain.wallet(1).writeContract({
      address: registry,
      abi: datasetRegistryAbi,
      functionName: "update",
      args: [datasetId, uri, "not JSON"],
    });
    await chain.public.waitForTransactionReceipt({ hash });
    expect((await getDataset(other, datasetId)).metadata).to.equal(undefined);
    const [listed] = await listDatasets(other);
    expect(listed?.metadata).to.equal(undefined);
    expect(listed?.datasetId).to.equal(datasetId);
  });

  it("notices an RPC that hides or changes an update", async () => {
    const datasetId = await register();
    await updateDataset(owner, datasetId, { uri, metadata: { ...metadata, title: "Sea level" } });
    const lying = (change: (logs: unknown[]) => unknown[]): Client => {
      const getLogs = async (query: Parameters<typeof chain.public.getLogs>[0]) =>
        change((await chain.public.getLogs(query)) as unknown[]);
      return { ...other, chain: { ...chain.public, getLogs } as Client["chain"] };
    };
    const hides = lying((logs) => logs.filter((log) => !JSON.stringify(log, bigintText).includes("DatasetUpdated")));
    await rejection(getDataset(hides, datasetId), ForgedDatasetError);
    const changes = lying((logs) =>
      JSON.parse(JSON.stringify(logs, bigintText).replaceAll("Sea level", "Ski level"), asBigint),
    );
    await rejection(getDataset(changes, datasetId), ForgedDatasetError);
  });

  it("refuses payees that the registry would refuse, before anything is sent", async () => {
    const half = (index: number, shareBps = 5_000) => ({ account: account(index), shareBps });
    const cases: [Payee[], string][] = [
      [[half(3), half(4, 4_999)], "their shares make 9999 basis points, not 10000"],
      [[half(3), half(3)], `${account(3)} is named twice`],
      [
        [half(3), { ...half(3), account: account(3).toLowerCase() as Address }],
        `${account(3).toLowerCase()} is named twice`,
      ],
      [[half(3, 10_000), half(4, 0)], `${account(4)} cannot have 0 basis points`],
      [[half(3, 9_999.5), half(4, 0.5)], `${account(3)} cannot have 9999.5 basis points`],
      [[half(3, 10_001)], `${account(3)} cannot have 10001 basis points`],
      [[{ account: zeroAddress, shareBps: 10_000 }], `${zeroAddress} is no account`],
      [[{ account: "0x12", shareBps: 10_000 }], "0x12 is no account"],
      [Array.from({ length: 17 }, (_, i) => half(i)), "there are 17, limit 16"],
    ];
    const before = await chain.public.getBlockNumber({ cacheTime: 0 });
    for (const [payees, fact] of cases) {
      const error = await rejection(register({ payees }), BadPayeesError);
      expect(error.message).to.equal(`The payees cannot be registered: ${fact}.`);
    }
    expect(await chain.public.getBlockNumber({ cacheTime: 0 })).to.equal(before);
  });

  it("places nothing that the registry would refuse, and publishes the rest with its payees", async () => {
    const steps: string[] = [];
    const publication = {
      bytes: stringToBytes("year,temp\n1880,-0.2\n"),
      metadata: { title: "Global temperature", format: "csv" as const },
      describe: true,
      keepKey: async () => void steps.push("key"),
      place: async () => {
        steps.push("place");
        return uri;
      },
    };
    const short = [{ account: account(3), shareBps: 9_999 }];
    await rejection(publishDataset(owner, { ...publication, payees: short }), BadPayeesError);
    const untitled = { ...publication.metadata, title: "" };
    await rejection(publishDataset(owner, { ...publication, metadata: untitled }), BadMetadataError);
    expect(steps).to.deep.equal([]);

    const payees = [{ account: account(3), shareBps: 10_000 }];
    const { datasetId } = await publishDataset(owner, { ...publication, payees });
    expect(steps).to.deep.equal(["key", "place"]);
    expect((await getDataset(other, datasetId)).payees).to.deep.equal(payees);
  });
});

const bigintText = (_: string, value: unknown) => (typeof value === "bigint" ? `bigint:${value}` : value);
const asBigint = (_: string, value: unknown) =>
  typeof value === "string" && value.startsWith("bigint:") ? BigInt(value.slice(7)) : value;
