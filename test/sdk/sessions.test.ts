/** Sessions and signed deposits through the sdk, on the real market, Permit2's own code and a token with EIP-3009. */
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { type Address, bytesToHex, getAddress, type Hex, keccak256, toHex, zeroAddress, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { deployContract } from "../../deploy/deployContracts.ts";
import {
  hashOrder,
  hashReceipt,
  hashSessionClaim,
  type JobOrder,
  type Receipt,
  type SessionClaim,
} from "../../protocol/eip712.ts";
import type { OrderItem } from "../../protocol/orderGroup.ts";
import { outcomeOf } from "../../protocol/outcome.ts";
import { sessionProof, sessionRoot } from "../../protocol/sessionTree.ts";
import { ContractRefusedError } from "../../sdk/chainErrors.ts";
import { leafChecker } from "../../sdk/checkClaim.ts";
import { addressOf, type Client } from "../../sdk/client.ts";
import { creditOf } from "../../sdk/credit.ts";
import { deposit, submitDeposit } from "../../sdk/deposits.ts";
import { findSession, leafState, UnknownSessionError } from "../../sdk/findSession.ts";
import { chainTime, signGrant } from "../../sdk/grants.ts";
import { signOrder, verifyOrder } from "../../sdk/orders.ts";
import { permit2Address, signAuthorizedDeposit, signPermit2Deposit } from "../../sdk/permits.ts";
import type { PreparedJob } from "../../sdk/prepareJob.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import {
  BadSessionTermsError,
  claimSession,
  closeSession,
  disputeLeaf,
  expireSession,
  MeteredGrantError,
  NotForSessionsError,
  openSession,
  type PreparedSession,
  prepareSession,
  readSessionFile,
  sessionFileOf,
  sessionOrder,
  settleLeaf,
  signSession,
} from "../../sdk/sessions.ts";
import { type ShownLeaf, uploadBlob } from "../../sdk/worker.ts";
import { rejection } from "./support/rejection.ts";
import { startWorld, type TestEnclave, type World, who } from "./support/world.ts";

const price = 1000n;
const fee = 100n;
const bond = 50n;
const programId = keccak256("0x01");

describe("sdk: sessions and signed deposits", () => {
  let world: World;
  let provider: Client;
  let requester: Client;
  let operator: Client;
  let enclave: TestEnclave;
  let grant: Awaited<ReturnType<typeof signGrant>>;
  let snapshot: Hex;

  before(async () => {
    world = await startWorld();
    [provider, requester, operator] = (await Promise.all(
      [who.provider, who.requester, who.operator].map(world.clientOf),
    )) as [Client, Client, Client];
    enclave = await world.registerEnclave();
    await world.mint(addressOf(requester), 100_000_000n);
    const { datasetId } = await publishDataset(provider, {
      bytes: new TextEncoder().encode("year\n1880\n"),
      metadata: { title: "t", format: "csv" },
      describe: false,
      keepKey: async () => {},
      place: async (ciphertext) => (await uploadBlob(world.worker.url, ciphertext)).uri,
    });
    const notAfter = (await chainTime(provider)) + 864_000n;
    const { workloadId, token } = world;
    grant = await signGrant(provider, { datasetId, programId, workloadId, token, price, notAfter });
  });
  beforeEach(async () => {
    snapshot = await world.chain.control.snapshot();
  });
  afterEach(() => world.chain.control.revert({ id: snapshot }));
  after(() => world.close());

  const credit = (client: Client, token: Address = world.token) => creditOf(requester, addressOf(client), token);
  const later = async (seconds: number) => {
    await world.chain.control.increaseTime({ seconds });
    await world.chain.control.mine({ blocks: 1 });
  };

  async function template(changes: Partial<JobOrder> = {}): Promise<PreparedJob> {
    const me = addressOf(requester);
    const order: JobOrder = {
      requester: me,
      payer: me,
      programId,
      workloadId: world.workloadId,
      paramsHash: keccak256("0x7b7d"),
      datasets: [{ datasetId: grant.grant.datasetId, grantHash: grant.grantHash, maxPrice: price }],
      resultKey: keccak256("0x02"),
      token: world.token,
      operatorFee: fee,
      failureFee: 0n,
      operator: zeroAddress,
      offerHash: zeroHash,
      bond: 0n,
      acceptBy: 0n,
      deadline: (await chainTime(requester)) + 3600n,
      quorum: 1,
      session: zeroHash,
      nonce: 1n,
      ...changes,
    };
    const params = new TextEncoder().encode("{}");
    return { order, jobId: hashOrder(requester.marketDomain, order), programUri: "blob:00", params, cost: price + fee };
  }

  const terms = { maxJobs: 5, challengeSeconds: 600, disputeBond: bond };

  /** Three jobs, signed by the requester and run by the enclave, and the claim of them. */
  async function run(session: PreparedSession) {
    const { number, hash } = await world.chain.public.getBlock();
    const jobs: { item: OrderItem; receiptHash: Hex; receipt: Receipt }[] = [];
    for (let i = 0; i < 3; i++) {
      const own = { paramsHash: keccak256("0x7b7d"), deadline: session.order.deadline, nonce: BigInt(i) };
      const order = sessionOrder(session, own);
      const signed = await signOrder(requester, { order, programUri: "blob:00", params: toBytes("{}") });
      const { jobId } = await verifyOrder(operator, signed);
      const receipt: Receipt = {
        jobId,
        status: 1,
        programId,
        workloadId: world.workloadId,
        paramsHash: own.paramsHash,
        inputsRoot: zeroHash,
        grantsRoot: zeroHash,
        resultHash: keccak256(toHex(i)),
        outputCommitment: keccak256(toHex(i + 100)),
        policyHash: zeroHash,
        fuelUsed: 1n,
        outputRows: 0n,
        runSeconds: 0,
        countedGrants: 1,
        logRoot: zeroHash,
        logSize: 1n,
        anchorBlock: number,
        anchorHash: hash,
        failureCode: 0,
      };
      const { requesterSignature, payerSignature } = signed;
      const signatures = { requesterSignature, payerSignature, receiptSignature: "0x" } as const;
      const item = { ...own, ...signatures, outcome: outcomeOf(receipt) };
      jobs.push({ item, receiptHash: hashReceipt(requester.marketDomain, receipt), receipt });
    }
    const hashes = jobs.map((job) => job.receiptHash);
    const claim: SessionClaim = {
      sessionId: session.sessionId,
      root: sessionRoot(hashes),
      okCount: 3,
      failedCount: 0,
      countedGrants: 1,
      anchorBlock: number,
      anchorHash: hash,
    };
    const signature = await enclave.account.sign({ hash: hashSessionClaim(requester.marketDomain, claim) });
    await world.chain.control.mine({ blocks: 1 });
    return { jobs, hashes, claim, signature };
  }

  it("opens, claims, disputes, shows and closes; what is not shown is not paid", async () => {
    const session = prepareSession(requester, await template(), terms, [grant]);
    expect(session.cost).to.equal(5n * (price + fee));
    const { payment } = await openSession(requester, session);
    expect(payment).to.equal("permit");
    expect((await findSession(operator, session.sessionId)).state).to.equal("Open");
    const { jobs, hashes, claim, signature } = await run(session);
    await claimSession(operator, session, claim, signature, [grant]);
    const claimed = await findSession(operator, session.sessionId);
    expect([claimed.state, claimed.claim?.signer, claimed.operator]).to.deep.equal([
      "Claimed",
      enclave.account.address,
      addressOf(operator),
    ]);
    const { anchorBlock: _, anchorHash: __, ...told } = claim; // the anchor is in the calldata alone
    expect(claimed.claim?.claim).to.deep.equal(told);
    expect((claimed.showUntil ?? 0n) - (claimed.disputeUntil ?? 0n)).to.equal(600n);

    await deposit(requester, { token: world.token, amount: 2n * bond });
    await disputeLeaf(requester, session, 1);
    await disputeLeaf(requester, session, 2);
    expect(await leafState(operator, session.sessionId, 1)).to.deep.equal({ disputed: true, settled: false });
    const [, second, third] = jobs;
    if (second === undefined || third === undefined) throw new Error("three jobs");
    // Another leaf's proof, or another leaf's order, shows nothing.
    const wrong = settleLeaf(operator, session, 1, second.item, sessionProof(hashes, 2));
    expect((await rejection(wrong, ContractRefusedError)).contractError).to.equal("Sessions_NotInClaim");
    await settleLeaf(operator, session, 1, second.item, sessionProof(hashes, 1));
    expect(await credit(operator)).to.equal(fee + bond);
    const early = await rejection(closeSession(provider, session), ContractRefusedError);
    expect(early.contractError).to.equal("Sessions_WrongTime");
    await later(1201);
    await closeSession(provider, session);
    expect((await findSession(operator, session.sessionId)).state).to.equal("Closed");
    // Leaf 2 was disputed and not shown: nobody is paid for it, its bond is back.
    expect([await credit(provider), await credit(operator)]).to.deep.equal([2n * price, 2n * fee + bond]);
    expect(await credit(requester)).to.equal(3n * (price + fee) + bond);
  });

  it("checks the leaves that a worker shows: each lie of it is a reason to dispute, and nothing else is", async () => {
    const session = prepareSession(requester, await template(), terms, [grant]);
    await openSession(requester, session);
    const { jobs, hashes, claim, signature } = await run(session);
    await claimSession(operator, session, claim, signature, [grant]);
    const found = await findSession(operator, session.sessionId);
    const sign = (receipt: Receipt, by = enclave.account) =>
      by.sign({ hash: hashReceipt(requester.marketDomain, receipt) });
    const leaves: ShownLeaf[] = [];
    for (const [leaf, { item, receipt }] of jobs.entries()) {
      const { outcome: _, receiptSignature: __, ...own } = item;
      const proof = sessionProof(hashes, leaf);
      const signed = { receipt, signature: await sign(receipt), signer: enclave.account.address };
      leaves.push({ leaf, jobId: receipt.jobId, ...own, ...signed, proof });
    }
    const check = leafChecker(operator, found);
    for (const leaf of leaves) expect((await check(leaf)).problems).to.deep.equal([]);

    const [first, second] = leaves as [ShownLeaf, ShownLeaf];
    const other = privateKeyToAccount(`0x${"31".repeat(32)}`);
    const notIn = "it is not in the claim at this leaf";
    const otherJob = "its receipt is for another job than its order";
    const altered = { ...first.receipt, fuelUsed: 2n };
    const cases: [Partial<ShownLeaf>, string[]][] = [
      [{ leaf: 1 }, [notIn]],
      [{ proof: [] }, [notIn]],
      [{ receipt: altered, signature: await sign(altered) }, [notIn]],
      [{ signature: second.signature }, ["its receipt is not signed by the key that it names"]],
      [
        { signer: other.address, signature: await sign(first.receipt, other) },
        [
          "its receipt is not of a registered enclave of the agreed workload",
          "its receipt is another enclave's than the claim",
        ],
      ],
      [{ requesterSignature: second.requesterSignature }, ["its order is not signed by the requester"]],
      [{ nonce: 77n }, [otherJob, "its order is not signed by the requester"]],
      [
        { deadline: 1n },
        [otherJob, "its order had ended before the claim", "its order is not signed by the requester"],
      ],
    ];
    for (const [lie, problems] of cases)
      expect((await leafChecker(operator, found)({ ...first, ...lie })).problems).to.deep.equal(problems);
    const twice = leafChecker(operator, found);
    await twice(first);
    expect((await twice({ ...second, nonce: first.nonce })).problems).to.include("its nonce was used by another leaf");
    expect(await leafChecker(operator, found)(second)).to.include({ leaf: 1, jobId: second.jobId, failure: "None" });
  });

  it("expires a session that nobody claims, opened by another with the requester's signature; goes through a file", async () => {
    const payer = addressOf(provider);
    const session = prepareSession(requester, await template({ payer }), terms, [grant]);
    await world.mint(payer, session.cost);
    const requesterSignature = await signSession(requester, session);
    const file = JSON.stringify(sessionFileOf(world.deployment, session, { requesterSignature }));
    const read = readSessionFile(file, provider);
    expect(read).to.deep.equal({ ...session, requesterSignature, payerSignature: "0x" });
    await openSession(provider, read, { requesterSignature });
    const early = await rejection(expireSession(operator, session), ContractRefusedError);
    expect(early.contractError).to.equal("JobMarket_DeadlineNotPassed");
    await later(3601);
    await expireSession(operator, session);
    expect(await credit(provider)).to.equal(session.cost);
    await rejection(findSession(operator, keccak256("0x99")), UnknownSessionError);
  });

  it("prepares no session that the market would refuse", async () => {
    for (const bad of [{ maxJobs: 0 }, { maxJobs: 4097 }, { challengeSeconds: 599 }, { challengeSeconds: 2_592_001 }]) {
      const job = await template();
      expect(() => prepareSession(requester, job, { ...terms, ...bad }, [grant])).to.throw(BadSessionTermsError);
    }
    for (const change of [
      { quorum: 2 },
      { acceptBy: 1n },
      { offerHash: keccak256("0x") },
      { session: keccak256("0x") },
    ]) {
      const job = await template(change);
      expect(() => prepareSession(requester, job, terms, [grant])).to.throw(NotForSessionsError);
    }
    const job = await template();
    const metered = (changes: object) => [{ ...grant, grant: { ...grant.grant, ...changes } }];
    for (const grants of [[], metered({ priceUnit: 1 }), metered({ priceUnit: 2 }), metered({ price: price + 1n })])
      expect(() => prepareSession(requester, job, terms, grants)).to.throw(MeteredGrantError);
    const dear = await template({
      datasets: [{ ...job.order.datasets[0], maxPrice: price + 1n }] as JobOrder["datasets"],
    });
    expect(() => prepareSession(requester, dear, terms, [grant])).to.throw(MeteredGrantError, grant.grantHash);
  });

  it("pays in by Permit2, whoever submits, once and for the signer only", async () => {
    // The code holds the EIP-712 domain of where it was first deployed, on chain 31337. Under another cached chain id it
    // makes its domain anew, as it does on every chain but that one.
    const bytes = bytesToHex(await readFile(new URL("../vectors/permit2/runtime.bin", import.meta.url)));
    const code = bytes.replace(toHex(31337, { size: 32 }).slice(2), toHex(1, { size: 32 }).slice(2)) as Hex;
    expect(code).to.not.equal(bytes);
    await world.chain.control.setCode({ address: permit2Address, bytecode: code });
    const paid = await deposit(requester, { token: world.token, amount: 7n, way: "permit2" });
    expect([paid.way, paid.approveHashes.length]).to.deep.equal(["permit2", 1]);
    expect(await credit(requester)).to.equal(7n);
    await deposit(requester, { token: world.token, amount: 1n, way: "permit2" }); // approves anew: just what it takes
    const signed = await signPermit2Deposit(requester, world.token, 3n);
    await rejection(submitDeposit(operator, { ...signed, account: addressOf(operator) }), ContractRefusedError);
    await rejection(submitDeposit(operator, { ...signed, amount: 4n }), ContractRefusedError);
    expect(await credit(requester)).to.equal(8n);
  });

  it("pays in by EIP-3009, whoever submits, once and for the signer only", async () => {
    const clients = { wallet: world.chain.wallet(who.deployer), chain: world.chain.public };
    const token = getAddress(await deployContract(clients, "mocks/AuthorizedToken.sol/AuthorizedToken", []));
    const mint = { type: "function", name: "mint", stateMutability: "nonpayable", outputs: [] } as const;
    const hash = await world.chain.wallet(who.deployer).writeContract({
      address: token,
      abi: [{ ...mint, inputs: [{ type: "address" }, { type: "uint256" }] }],
      functionName: "mint",
      args: [addressOf(requester), 100n],
    });
    await world.chain.public.waitForTransactionReceipt({ hash });
    expect((await deposit(requester, { token, amount: 7n, way: "authorization" })).way).to.equal("authorization");
    const signed = await signAuthorizedDeposit(requester, token, 3n);
    await rejection(submitDeposit(operator, { ...signed, amount: 4n }), ContractRefusedError);
    await submitDeposit(operator, signed);
    await rejection(submitDeposit(operator, signed), ContractRefusedError);
    expect([await credit(requester, token), await credit(operator, token)]).to.deep.equal([10n, 0n]);
  });
});

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
