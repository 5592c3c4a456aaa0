/**
 * A session of 100 jobs on JobMarket, made by the protocol's own hashes and tree: what wallets, enclaves and operators make
 * is what the chain takes.
 */
import { expect } from "chai";
import type { ContractRunner } from "ethers";
import { network } from "hardhat";
import { type Address, encodeAbiParameters, type Hex, keccak256, toHex, zeroAddress, zeroHash } from "viem";
import { privateKeyToAccount, sign } from "viem/accounts";
import {
  domainOf,
  type Grant,
  hashGrant,
  hashOrder,
  hashReceipt,
  hashSession,
  hashSessionClaim,
  type JobOrder,
  priceUnits,
  receiptStatus,
  type SessionClaim,
  shownGrantOf,
} from "../../../protocol/eip712.ts";
import { sessionProof, sessionRoot } from "../../../protocol/sessionTree.ts";

const jobCount = 100;
const [price, operatorFee] = [70n, 30n];
const terms = { maxJobs: jobCount, challengeSeconds: 600, disputeBond: 5n };

const [ownerKey, requesterKey, enclaveKey]: Hex[] = ["0b", "0a", "0e"].map((byte): Hex => `0x${byte.repeat(32)}`);
const hashOf = (word: string): Hex => keccak256(toHex(word));
const signHash = (hash: Hex, privateKey: Hex = "0x"): Promise<Hex> => sign({ hash, privateKey, to: "hex" });

describe("JobMarket sessions", () => {
  /** One data set, one enclave; requester, owner and operator have some credit. */
  async function prepare() {
    const { ethers, networkHelpers } = await network.create();
    const datasets = await ethers.deployContract("DatasetRegistry");
    const enclaves = await ethers.deployContract("MockEnclaveRegistry");
    const token = await ethers.deployContract("TestToken");
    const registries = [await enclaves.getAddress(), await datasets.getAddress()];
    const extension = await ethers.deployContract("MarketExtension", registries);
    const core = await ethers.deployContract("JobMarket", [...registries, await extension.getAddress()]);
    const market = await ethers.getContractAt("IMarket", await core.getAddress());
    const { chainId } = await ethers.provider.getNetwork();
    const domain = domainOf(Number(chainId), (await core.getAddress()) as Address);

    const [funder, anyone] = await ethers.getSigners();
    const owner = new ethers.Wallet(ownerKey as string, ethers.provider);
    const requester = new ethers.Wallet(requesterKey as string, ethers.provider);
    if (funder === undefined || anyone === undefined) throw new Error("the test chain has no accounts");
    const tokenAddress = (await token.getAddress()) as Address;
    await token.getFunction("mint")(funder.address, 10n ** 12n);
    await token.getFunction("approve")(domain.verifyingContract, 10n ** 12n);
    for (const { address } of [owner, requester, anyone]) {
      await funder.sendTransaction({ to: address, value: 10n ** 18n });
      await market.getFunction("deposit")(tokenAddress, address, 10n ** 9n);
    }
    const registered = [hashOf("content"), zeroHash, 1000, "https://example.org/data.age", "{}", []];
    await (datasets.connect(owner) as typeof datasets).getFunction("register")(...registered);
    const now = BigInt(await networkHelpers.time.latest());
    const [platform, evidence] = [`0x${"01".repeat(16)}`, `0x${"02".repeat(16)}`];
    const enclave = [anyone.address, now + 100_000n, 1, 1, 1, hashOf("workload"), platform, evidence];
    await enclaves.getFunction("set")(privateKeyToAccount(enclaveKey as Hex).address, enclave);
    return { ethers, networkHelpers, market, domain, owner, requester, anyone, tokenAddress, now };
  }

  type World = Awaited<ReturnType<typeof prepare>>;

  async function makeTerms({ domain, owner, requester, tokenAddress, now }: World, nonce: bigint) {
    const datasetId = keccak256(
      encodeAbiParameters(
        [{ type: "address" }, { type: "bytes32" }, { type: "bytes32" }],
        [owner.address as Address, hashOf("content"), zeroHash],
      ),
    );
    const grant: Grant = {
      datasetId,
      programId: hashOf("program"),
      workloadId: hashOf("workload"),
      requester: zeroAddress,
      operator: zeroAddress,
      token: tokenAddress,
      priceUnit: priceUnits.use,
      price,
      maxUses: 0n,
      notBefore: 0n,
      notAfter: now + 100_000n,
      resultReaders: [],
      epoch: 0,
      ownerEpoch: 0,
      nonce: 0n,
    };
    const order: JobOrder = {
      requester: requester.address as Address,
      payer: requester.address as Address,
      programId: grant.programId,
      workloadId: grant.workloadId,
      paramsHash: zeroHash,
      datasets: [{ datasetId, grantHash: hashGrant(domain, grant), maxPrice: price }],
      resultKey: hashOf("key"),
      token: tokenAddress,
      operatorFee,
      failureFee: 0n,
      operator: zeroAddress,
      offerHash: zeroHash,
      bond: 0n,
      acceptBy: 0n,
      deadline: now + 50_000n,
      quorum: 1,
      session: zeroHash,
      nonce,
    };
    // The market remembers the owner's signature from the first session.
    const signature = nonce === 1n ? await signHash(hashGrant(domain, grant), ownerKey) : "0x";
    return { order, grants: [shownGrantOf({ grant, signature })] };
  }

  /** The jobs of a session, as its requester signs and its enclave runs them. */
  async function runJobs(domain: World["domain"], template: JobOrder) {
    const session = hashSession(domain, template, terms);
    return await Promise.all(
      Array.from({ length: jobCount }, async (_, i) => {
        const order = { ...template, session, paramsHash: hashOf(`params ${i}`), nonce: BigInt(i) };
        const jobId = hashOrder(domain, order);
        const outcome = {
          inputsRoot: hashOf("inputs"),
          grantsRoot: hashOf("grants"),
          resultHash: hashOf(`result ${i}`),
          outputCommitment: hashOf(`output ${i}`),
          policyHash: hashOf("policy"),
          fuelUsed: 1024n,
          outputRows: 0n,
          runSeconds: 0,
          countedGrants: 1,
          logRoot: hashOf("log"),
          logSize: BigInt(i),
          anchorBlock: 1n,
          anchorHash: hashOf("anchor"),
          failureCode: 0,
        };
        const { programId, workloadId, paramsHash } = order;
        const receipt = { jobId, status: receiptStatus.ok, programId, workloadId, paramsHash, ...outcome };
        const { deadline, nonce } = order;
        const requesterSignature = await signHash(jobId, requesterKey);
        const signatures = { requesterSignature, payerSignature: "0x", receiptSignature: "0x" };
        return {
          item: { paramsHash, deadline, nonce, outcome, ...signatures },
          receiptHash: hashReceipt(domain, receipt),
        };
      }),
    );
  }

  /** Opens, claims, maybe shows leaf `shown` after a dispute, and closes. Returns how many transactions that took. */
  async function play(world: World, nonce: bigint, shown?: number): Promise<number> {
    const { ethers, networkHelpers, market, domain, requester, anyone } = world;
    const { order, grants } = await makeTerms(world, nonce);
    const hashes = (await runJobs(domain, order)).map((job) => job.receiptHash);
    const call = (from: ContractRunner, name: string) => (market.connect(from) as typeof market).getFunction(name);
    let count = 0;
    const note = async (sent: Promise<{ wait(): Promise<unknown> }>) => {
      await (await sent).wait();
      count++;
    };
    const uri = "https://example.org/programs/yearly-correlation.json";
    await note(call(requester, "openSession")(order, terms, uri, "0x", "0x"));
    const anchor = await ethers.provider.getBlock("latest");
    const claim: SessionClaim = {
      sessionId: hashSession(domain, order, terms),
      root: sessionRoot(hashes),
      okCount: jobCount,
      failedCount: 0,
      countedGrants: 1,
      anchorBlock: BigInt(anchor?.number ?? 0),
      anchorHash: anchor?.hash as Hex,
    };
    const signature = await signHash(hashSessionClaim(domain, claim), enclaveKey);
    await note(call(anyone, "claimSession")(order, terms, claim, signature, grants));
    if (shown !== undefined) {
      const { item } = (await runJobs(domain, order))[shown] ?? {};
      if (item === undefined) throw new Error("no such job");
      await note(call(requester, "disputeLeaf")(order, terms, shown));
      await note(call(anyone, "settleLeaf")(order, terms, shown, item, sessionProof(hashes, shown)));
    }
    await networkHelpers.time.increase(terms.challengeSeconds + 1);
    await note(call(anyone, "closeSession")(order, terms));
    return count;
  }

  it("pay 100 jobs by one claim", async () => {
    const world = await prepare();
    await play(world, 1n);
    await play(world, 2n);
    const { market, owner, anyone, requester, tokenAddress } = world;
    const all = BigInt(2 * jobCount);
    expect(await market.getFunction("creditOf")(owner.address, tokenAddress)).to.equal(10n ** 9n + all * price);
    expect(await market.getFunction("creditOf")(anyone.address, tokenAddress)).to.equal(10n ** 9n + all * operatorFee);
    expect(await market.getFunction("creditOf")(requester.address, tokenAddress)).to.equal(
      10n ** 9n - all * (price + operatorFee),
    );
  });

  it("pay a disputed leaf that is shown by the protocol's proof", async () => {
    const world = await prepare();
    const count = await play(world, 1n, 99);
    expect(count).to.equal(5);
    const { market, anyone, tokenAddress } = world;
    const earned = BigInt(jobCount) * operatorFee + terms.disputeBond;
    expect(await market.getFunction("creditOf")(anyone.address, tokenAddress)).to.equal(10n ** 9n + earned);
  });
});
