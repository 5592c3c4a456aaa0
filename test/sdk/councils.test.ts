/** A council of owners through the sdk, against a real node, registry and council. */
import { expect } from "chai";
import {
  type Address,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  stringToHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { deployContract } from "../../deploy/deployContracts.ts";
import { datasetCouncilAbi, datasetRegistryAbi } from "../../protocol/abi.ts";
import { datasetIdOf } from "../../protocol/attestationBinding.ts";
import {
  BadApprovalsError,
  type CouncilCall,
  hashCouncilApproval,
  hashCouncilCall,
  joinApprovals,
  splitApprovals,
} from "../../protocol/council.ts";
import { domainOf, type Grant, hashGrant } from "../../protocol/eip712.ts";
import { ContractRefusedError } from "../../sdk/chainErrors.ts";
import type { Client } from "../../sdk/client.ts";
import {
  approveAppointment,
  approveCall,
  approveGrant,
  approveHash,
  executeCall,
  getCouncil,
  NotAMemberError,
  NotTheCouncilsError,
  OtherRegistryError,
  PastGrantError,
  revokeAsMember,
} from "../../sdk/councils.ts";
import { getDataset } from "../../sdk/datasets.ts";
import {
  AppointmentEndedError,
  AppointmentNotSignedError,
  newAppointment,
  verifyAppointment,
} from "../../sdk/sealers.ts";
import { isSignedBy } from "../../sdk/signatures.ts";
import { startChain, type TestChain, testAccount } from "../support/chain.ts";
import { rejection } from "../support/rejection.ts";
import { registryClient } from "./support/registryClient.ts";

const contentHash = keccak256(stringToHex("ciphertext"));
const account = (index: number) => testAccount(index).address;

describe("councils in the sdk", () => {
  let chain: TestChain;
  let registry: Address;
  let council: Address;
  let datasetId: Hex;
  let [alice, bob, carol, stranger] = [] as unknown as [Client, Client, Client, Client];

  before(async () => {
    chain = await startChain();
    const clients = { wallet: chain.wallet(0), chain: chain.public };
    registry = await deployContract(clients, "market/DatasetRegistry.sol/DatasetRegistry", []);
    const members = [1, 2, 3].map(account).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    council = getAddress(
      await deployContract(clients, "market/DatasetCouncil.sol/DatasetCouncil", [registry, members, 2]),
    );
    [alice, bob, carol, stranger] = [clientOf(1), clientOf(2), clientOf(3), clientOf(4)];
    const call = await callOf("register", [contentHash, zeroHash, 5, "ipfs://x", '{"v":1}', []]);
    const signatures = joinApprovals([await approveCall(alice, council, call), await approveCall(bob, council, call)]);
    const { answer } = await executeCall(stranger, council, call, signatures);
    datasetId = datasetIdOf(council, contentHash, zeroHash);
    expect(answer).to.equal(datasetId);
  });
  after(() => chain.close());

  const clientOf = (index: number) => registryClient(chain, index, registry);

  /** A call of the registry under the council's next nonce, which may be made for an hour. */
  async function callOf(functionName: "register" | "retire", args: readonly unknown[]): Promise<CouncilCall> {
    const { timestamp } = await chain.public.getBlock();
    const { nonce } = await getCouncil(stranger ?? clientOf(4), council);
    const data = encodeFunctionData({ abi: datasetRegistryAbi, functionName, args } as Parameters<
      typeof encodeFunctionData
    >[0]);
    return { target: registry, value: 0n, data, nonce, deadline: timestamp + 3600n };
  }

  async function grantOf(changes: Partial<Grant> = {}): Promise<Grant> {
    const { epoch, ownerEpoch } = await getDataset(alice, datasetId);
    const terms = { datasetId, programId: keccak256("0x01"), workloadId: keccak256("0x02"), price: 5n, maxUses: 1n };
    const anybody = { requester: zeroAddress, operator: zeroAddress, token: zeroAddress, priceUnit: 0 };
    const when = { notBefore: 0n, notAfter: 2n ** 40n, resultReaders: [], epoch, ownerEpoch, nonce: 7n };
    return { ...terms, ...anybody, ...when, ...changes };
  }

  it("knows its members, and what they sign, as the contract does", async () => {
    const found = await getCouncil(stranger, council);
    expect(found.threshold).to.equal(2);
    expect(found.members).to.have.members([1, 2, 3].map(account));
    expect(found.nonce).to.equal(1n);
    const domain = domainOf(31337, council);
    const call = { target: registry, value: 3n, data: "0x1234" as const, nonce: 9n, deadline: 2n ** 63n };
    const read = { address: council, abi: datasetCouncilAbi } as const;
    expect(hashCouncilApproval(domain, contentHash)).to.equal(
      await chain.public.readContract({ ...read, functionName: "approvalHashOf", args: [contentHash] }),
    );
    const { target, value, data, nonce, deadline } = call;
    expect(hashCouncilCall(domain, call)).to.equal(
      await chain.public.readContract({
        ...read,
        functionName: "callHashOf",
        args: [target, value, data, nonce, deadline],
      }),
    );
  });

  it("signs a grant by two of three, in whatever order they sign", async () => {
    const grant = await grantOf();
    const grantHash = hashGrant(alice.marketDomain, grant);
    const [a, b, c] = await Promise.all([alice, bob, carol].map((member) => approveGrant(member, council, grant)));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three signed");
    for (const pair of [
      [a, b],
      [c, a],
      [b, c],
      [c, b, a],
    ])
      expect(await isSignedBy(stranger, council, grantHash, joinApprovals(pair))).to.equal(true);
    expect(await isSignedBy(stranger, council, grantHash, joinApprovals([a]))).to.equal(false);
    const other = hashGrant(alice.marketDomain, { ...grant, price: 4n });
    expect(await isSignedBy(stranger, council, other, joinApprovals([a, b]))).to.equal(false);
  });

  it("appoints a sealer by two of three, one after the other", async () => {
    const terms = { datasetId, sealer: account(4), notAfter: 2n ** 40n };
    const { appointment, owner } = await newAppointment(stranger, terms);
    expect([owner, appointment]).to.deep.equal([council, { ...terms, epoch: 0, ownerEpoch: 0 }]);
    const alone = joinApprovals([await approveAppointment(carol, council, appointment)]);
    const refused = verifyAppointment(stranger, { appointment, signature: alone });
    await rejection(refused, AppointmentNotSignedError);
    const both = joinApprovals([...splitApprovals(alone), await approveAppointment(bob, council, appointment)]);
    await verifyAppointment(stranger, { appointment, signature: both });
    const longer = { ...appointment, notAfter: 2n ** 41n };
    await rejection(verifyAppointment(stranger, { appointment: longer, signature: both }), AppointmentNotSignedError);
    await rejection(approveAppointment(stranger, council, appointment), NotAMemberError);
    await rejection(approveAppointment(bob, council, { ...appointment, epoch: 1 }), AppointmentEndedError);
    const { datasetId: hers } = await registerOwn();
    await rejection(approveAppointment(alice, council, { ...appointment, datasetId: hers }), NotTheCouncilsError);
  });

  it("signs nothing for who is no member, nor for a data set of another", async () => {
    const grant = await grantOf();
    await rejection(approveGrant(stranger, council, grant), NotAMemberError);
    await rejection(approveHash(stranger, council, contentHash), NotAMemberError);
    await rejection(approveCall(stranger, council, await callOf("retire", [datasetId])), NotAMemberError);
    const { datasetId: hers } = await registerOwn();
    await rejection(approveGrant(alice, council, { ...grant, datasetId: hers }), NotTheCouncilsError);
  });

  async function registerOwn() {
    const { newDatasetId, registerDataset } = await import("../../sdk/datasets.ts");
    const { salt } = newDatasetId(alice, contentHash);
    const metadata = { v: 1, title: "hers", format: "csv" } as const;
    return await registerDataset(alice, { contentHash, salt, sizeBytes: 5n, uri: "ipfs://x", metadata });
  }

  it("lets each member take consent back alone, and nobody else", async () => {
    const grant = await grantOf();
    for (const what of [{ datasetId }, { nonce: 7n }, "all"] as const) {
      const error = await rejection(revokeAsMember(stranger, council, what), ContractRefusedError);
      expect(error.contractError).to.equal("DatasetCouncil_NotMember");
      expect(error.args).to.deep.equal({ caller: account(4) });
    }
    await revokeAsMember(alice, council, { datasetId });
    await revokeAsMember(bob, council, { nonce: 7n });
    const read = { address: registry, abi: datasetRegistryAbi } as const;
    expect(
      await chain.public.readContract({ ...read, functionName: "consentOf", args: [datasetId, 7n] }),
    ).to.deep.include({ owner: council, epoch: 1, ownerEpoch: 0, revoked: true });
    await revokeAsMember(carol, council, "all");
    expect(await getDataset(bob, datasetId)).to.deep.include({ epoch: 1, ownerEpoch: 1 });
    const past = await rejection(approveGrant(alice, council, grant), PastGrantError);
    expect(past.message).to.equal("The grant would not hold: the data set's epoch is 1 and the council's 1.");
  });

  it("makes a call once, and only what two members signed", async () => {
    const other = await callOf("retire", [contentHash]);
    const both = joinApprovals([await approveCall(alice, council, other), await approveCall(bob, council, other)]);
    const unknown = await rejection(executeCall(stranger, council, other, both), ContractRefusedError);
    expect(unknown.contractError).to.equal("DatasetRegistry_UnknownDataset"); // as the registry said it
    expect(unknown.args).to.deep.equal({ datasetId: contentHash });

    const call = await callOf("retire", [datasetId]);
    const [mine, hers] = [await approveCall(alice, council, call), await approveCall(carol, council, call)];
    const alone = await rejection(executeCall(stranger, council, call, joinApprovals([mine])), ContractRefusedError);
    expect(alone.contractError).to.equal("DatasetCouncil_NotApproved");
    expect(alone.args).to.deep.equal({ hash: hashCouncilCall(domainOf(31337, council), call) });
    await executeCall(stranger, council, call, joinApprovals([mine, hers]));
    expect((await getDataset(bob, datasetId)).retired).to.equal(true);
    const again = await rejection(
      executeCall(stranger, council, call, joinApprovals([mine, hers])),
      ContractRefusedError,
    );
    expect(again.contractError).to.equal("DatasetCouncil_NotApproved");
  });

  it("is refused if it revokes in another registry", async () => {
    const error = await rejection(getCouncil(registryClient(chain, 1, account(9)), council), OtherRegistryError);
    expect(error.message).to.equal(`The council ${council} is for the data set registry ${getAddress(registry)}.`);
  });
});

describe("joinApprovals", () => {
  const one = { member: account(1), signature: "0x1234" as Hex };

  it("puts members in order, each with the length of its signature", () => {
    const low = { member: "0x00000000000000000000000000000000000000aA" as Address, signature: "0x" as Hex };
    expect(joinApprovals([one, low])).to.equal(
      `0x00000000000000000000000000000000000000aa0000${account(1).slice(2).toLowerCase()}00021234`,
    );
  });

  it("is undone by splitApprovals, which refuses what is cut off", async () => {
    const low = { member: getAddress("0x00000000000000000000000000000000000000aa"), signature: "0x" as Hex };
    const joined = joinApprovals([low, one]);
    expect(splitApprovals(joined)).to.deep.equal([low, one]);
    expect(splitApprovals("0x")).to.deep.equal([]);
    for (const cut of [-2, -4, -8, -46]) {
      const error = await rejection(() => splitApprovals(joined.slice(0, cut) as Hex), BadApprovalsError);
      expect(error.message).to.equal("The members' signatures cannot be joined: they end in the middle of one.");
    }
  });

  const cases: [{ member: Address; signature: Hex }[], string][] = [
    [[], "there are 0, not 1 to 16"],
    [Array(17).fill(one), "there are 17, not 1 to 16"],
    [[one, { ...one, member: one.member.toLowerCase() as Address }], `${one.member.toLowerCase()} signed twice`],
    [[{ ...one, member: "0x12" }], "0x12 is no address"],
    [
      [{ ...one, signature: `0x${"00".repeat(65_536)}` }],
      `the signature of ${one.member.toLowerCase()} is not up to 65,535 bytes of hex`,
    ],
    [[{ ...one, signature: "0x123" }], `the signature of ${one.member.toLowerCase()} is not up to 65,535 bytes of hex`],
    [
      [{ ...one, signature: "1234" as Hex }],
      `the signature of ${one.member.toLowerCase()} is not up to 65,535 bytes of hex`,
    ],
  ];
  for (const [signatures, fact] of cases)
    it(`refuses: ${fact}`, async () => {
      const error = await rejection(() => joinApprovals(signatures), BadApprovalsError);
      expect(error.message).to.equal(`The members' signatures cannot be joined: ${fact}.`);
    });
});
