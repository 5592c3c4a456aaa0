/** Money and signed orders through the sdk, on the real market: pay in, sign, sponsor, settle, take out, take back. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Address, encodeFunctionData, type Hex, keccak256, parseAbi, zeroAddress, zeroHash } from "viem";
import { deployContract } from "../../deploy/deployContracts.ts";
import { jobMarketAbi } from "../../protocol/abi.ts";
import { costOf, countedGrantsOf, isCounted } from "../../protocol/charges.ts";
import {
  hashAcceptance,
  hashOrder,
  hashReceipt,
  type JobOrder,
  priceUnits,
  type Receipt,
  type SignedGrant,
  type SignedOffer,
  shownGrantOf,
} from "../../protocol/eip712.ts";
import { outcomeOf } from "../../protocol/outcome.ts";
import type { Program } from "../../protocol/program.ts";
import { auditJob } from "../../sdk/audit/auditJob.ts";
import { OrderNotShownError, OtherOrderError } from "../../sdk/audit/gather/job.ts";
import { linesOf } from "../../sdk/audit/report.ts";
import { ContractRefusedError } from "../../sdk/chainErrors.ts";
import { addressOf, type Client, walletOf } from "../../sdk/client.ts";
import {
  creditOf,
  NoCreditError,
  readWithdrawalFile,
  signWithdrawal,
  submitWithdrawal,
  withdrawalFileOf,
} from "../../sdk/credit.ts";
import { deposit, submitDeposit, WrongWayError } from "../../sdk/deposits.ts";
import { newResultIdentity } from "../../sdk/encryption.ts";
import { findEnding, findJob, jobStatus, UnknownJobError } from "../../sdk/findJob.ts";
import { chainTime, type GrantTerms, signGrant } from "../../sdk/grants.ts";
import { expireJob, openJob } from "../../sdk/jobs.ts";
import { readProgram } from "../../sdk/node/programDir.ts";
import {
  checkOffer,
  OfferBadSignatureError,
  OfferNotForOrderError,
  OfferRunOutError,
  offerFileOf,
  readOfferFile,
  signOffer,
  verifyOffer,
} from "../../sdk/offers.ts";
import {
  BadSignedOrderError,
  cancelNonce,
  NotPartyError,
  OrderNotSignedError,
  orderFileOf,
  orderGroupOf,
  readOrderFile,
  settleOrders,
  signOrder,
  sponsorOrder,
  verifyOrder,
} from "../../sdk/orders.ts";
import { permit2Address, signAuthorizedDeposit, signPermit2Deposit } from "../../sdk/permits.ts";
import { type JobTerms, MaxRowsMissingError, prepareJob } from "../../sdk/prepareJob.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import { neighbouringNonces } from "../../sdk/random.ts";
import { send } from "../../sdk/send.ts";
import { BadSignedFileError } from "../../sdk/signedFile.ts";
import { uploadBlob } from "../../sdk/worker.ts";
import { expectSameOffline } from "./bundle/sameOffline.ts";
import { rejection } from "./support/rejection.ts";
import { startWorld, type TestEnclave, type World, who, writeTestProgram } from "./support/world.ts";

const price = 2_500_000n;
const fee = 1_000_000n;

describe("sdk: money and signed orders", () => {
  let world: World;
  let provider: Client;
  let requester: Client;
  let operator: Client;
  let sponsor: Client;
  let program: Program;
  let enclave: TestEnclave;
  let datasetId: Hex;
  let sizeBytes: bigint;
  let snapshot: Hex;

  before(async () => {
    world = await startWorld();
    [provider, requester, operator, sponsor] = (await Promise.all(
      [who.provider, who.requester, who.operator, who.stranger].map(world.clientOf),
    )) as [Client, Client, Client, Client];
    const directory = join(world.directory, "program");
    await mkdir(directory);
    await writeTestProgram(directory);
    program = await readProgram(directory);
    enclave = await world.registerEnclave();
    for (const client of [requester, sponsor]) await world.mint(addressOf(client), 100_000_000n);
    const published = await publishDataset(provider, {
      bytes: new TextEncoder().encode("year,temp\n1880,1\n"),
      metadata: { title: "t", format: "csv" },
      describe: false,
      keepKey: async () => {},
      place: async (ciphertext) => (await uploadBlob(world.worker.url, ciphertext)).uri,
    });
    datasetId = published.datasetId;
    sizeBytes = published.sizeBytes;
  });
  beforeEach(async () => {
    snapshot = await world.chain.control.snapshot();
  });
  afterEach(() => world.chain.control.revert({ id: snapshot }));
  after(() => world.close());

  const grantFor = async (terms: Partial<GrantTerms> = {}): Promise<SignedGrant> => {
    const { grant, signature } = await signGrant(provider, {
      datasetId,
      programId: program.id,
      workloadId: world.workloadId,
      token: world.token,
      price,
      notAfter: (await chainTime(provider)) + 86_400n,
      ...terms,
    });
    return { grant, signature };
  };

  const prepare = async (grants: readonly SignedGrant[], terms: Partial<JobTerms> = {}) =>
    prepareJob(requester, {
      program,
      programUri: "blob:00",
      params: {},
      workloadId: world.workloadId,
      grants,
      resultKey: (await newResultIdentity()).resultKey,
      operatorFee: fee,
      token: world.token,
      deadline: (await chainTime(requester)) + 3600n,
      ...terms,
    });

  /** What an enclave signs of a run that went well. */
  async function receiptFor(
    order: JobOrder,
    grants: readonly SignedGrant[],
    changes: Partial<Receipt> = {},
    by = enclave,
  ) {
    const { number, hash } = await world.chain.public.getBlock();
    const receipt: Receipt = {
      jobId: hashOrder(requester.marketDomain, order),
      status: 1,
      programId: order.programId,
      workloadId: order.workloadId,
      paramsHash: order.paramsHash,
      inputsRoot: zeroHash,
      grantsRoot: zeroHash,
      resultHash: keccak256("0x01"),
      outputCommitment: keccak256("0x02"),
      policyHash: zeroHash,
      fuelUsed: 1024n,
      outputRows: 0n,
      runSeconds: 0,
      countedGrants: countedGrantsOf(grants.map(({ grant }) => grant)),
      logRoot: zeroHash,
      logSize: 1n,
      anchorBlock: number,
      anchorHash: hash,
      failureCode: 0,
      ...changes,
    };
    const signature = await by.account.sign({ hash: hashReceipt(requester.marketDomain, receipt) });
    await world.chain.control.mine({ blocks: 1 });
    return { receipt, signature };
  }

  /** Settles an opened job. */
  async function settle(
    index: bigint,
    order: JobOrder,
    grants: readonly SignedGrant[],
    changes: Partial<Receipt> = {},
    offers: readonly SignedOffer[] = [],
    by = enclave,
  ) {
    const { receipt, signature } = await receiptFor(order, grants, changes, by);
    const shown = grants.filter(({ grant }) => isCounted(grant)).map(shownGrantOf);
    await send(operator, {
      address: world.deployment.contracts.jobMarket,
      abi: jobMarketAbi,
      functionName: "settle",
      args: [index, order, outcomeOf(receipt), signature, receipt.status === 1 ? shown : [], offers],
    });
    return receipt;
  }

  const credit = (client: Client, token: Address = world.token) => creditOf(requester, addressOf(client), token);
  const refused = async (act: Promise<unknown>) => {
    const { contractError, args } = await rejection(act, ContractRefusedError);
    return { contractError, ...args };
  };

  describe("deposits", () => {
    it("pay in the native coin, by permit, by approval and by an allowance there is, also for others", async () => {
      expect((await deposit(requester, { token: zeroAddress, amount: 5n })).way).to.equal("native");
      expect(await credit(requester, zeroAddress)).to.equal(5n);
      expect((await deposit(requester, { token: world.token, amount: 7n })).way).to.equal("permit");
      const approved = await deposit(requester, { token: world.token, amount: 8n, way: "approve" });
      expect([approved.way, approved.approveHashes.length]).to.deep.equal(["approve", 1]);
      expect(await credit(requester)).to.equal(15n);
      const other = { token: world.token, amount: 9n, account: addressOf(sponsor) };
      expect((await deposit(requester, other)).way).to.equal("approve");
      expect(await credit(sponsor)).to.equal(9n);
      expect((await deposit(sponsor, { ...other, token: zeroAddress })).account).to.equal(addressOf(sponsor));
    });

    it("refuse ways that do not go with the token or the account, before anything is signed", async () => {
      const cases = [
        { token: zeroAddress, amount: 1n, way: "permit" },
        { token: world.token, amount: 1n, way: "native" },
        { token: world.token, amount: 1n, way: "permit2", account: addressOf(sponsor) },
      ] as const;
      for (const terms of cases) await rejection(deposit(requester, terms), WrongWayError);
      expect(await refused(deposit(requester, { token: zeroAddress, amount: 0n }))).to.deep.equal({
        contractError: "Ledger_ZeroAmount",
      });
    });

    it("by signature name the market, the exact amount and an end, and are the account's own", async () => {
      const permit2 = await signPermit2Deposit(requester, world.token, 4n);
      if (permit2.kind !== "permit2") throw new Error("another kind");
      expect(permit2.deadline - (await chainTime(requester))).to.equal(3600n);
      expect(permit2.account).to.equal(addressOf(requester));
      const approve = await deposit(requester, { token: world.token, amount: 4n, way: "permit2" }).catch((e) => e);
      expect(approve.contractError).to.equal("JobMarket_NotAContract"); // no Permit2 on this chain
      expect(approve.args).to.deep.equal({ account: permit2Address });
      const authorized = await signAuthorizedDeposit(requester, world.token, 4n);
      // The test token knows no EIP-3009: its own refusal comes through.
      await rejection(submitDeposit(sponsor, authorized), ContractRefusedError);
      expect(await credit(requester)).to.equal(0n);
    });
  });

  describe("withdrawals by signature", () => {
    it("send the money where the signer said, whoever submits, once", async () => {
      await deposit(requester, { token: world.token, amount: 10n });
      const signed = await signWithdrawal(requester, { token: world.token, to: addressOf(provider), amount: 6n }, 60n);
      const file = JSON.stringify(withdrawalFileOf(world.deployment, signed));
      expect(readWithdrawalFile(file, world.deployment)).to.deep.equal(signed);
      await submitWithdrawal(sponsor, readWithdrawalFile(file, world.deployment));
      expect(await credit(requester)).to.equal(4n);
      const { account, nonce } = signed.withdrawal;
      expect(await refused(submitWithdrawal(sponsor, signed))).to.deep.equal({
        contractError: "JobMarket_NonceUsed",
        account,
        nonce,
      });
    });

    it("are void when altered, taken back, or late; there must be something", async () => {
      await rejection(signWithdrawal(requester, { token: world.token }, 60n), NoCreditError);
      await deposit(requester, { token: world.token, amount: 10n });
      const all = await signWithdrawal(requester, { token: world.token }, 60n);
      expect(all.withdrawal.amount).to.equal(10n);
      const stolen = { ...all, withdrawal: { ...all.withdrawal, to: addressOf(sponsor) } };
      expect((await refused(submitWithdrawal(sponsor, stolen))).contractError).to.equal("Ledger_BadSignature");
      await cancelNonce(requester, all.withdrawal.nonce);
      expect((await refused(submitWithdrawal(sponsor, all))).contractError).to.equal("JobMarket_NonceUsed");
      const late = await signWithdrawal(requester, { token: world.token }, 60n);
      await world.chain.control.increaseTime({ seconds: 61 });
      await world.chain.control.mine({ blocks: 1 });
      expect((await refused(submitWithdrawal(sponsor, late))).contractError).to.equal("Ledger_SignatureExpired");
    });
  });

  describe("signed orders", () => {
    it("settle in one transaction against credit, are found and audited", async () => {
      const grant = await grantFor({ maxUses: 2n });
      await deposit(requester, { token: world.token, amount: 10_000_000n });
      const prepared = await prepare([grant]);
      const signed = await signOrder(requester, prepared);
      expect(await verifyOrder(operator, signed)).to.deep.equal({ jobId: prepared.jobId, cost: price + fee });
      await rejection(findEnding(requester, prepared.jobId), UnknownJobError);
      const { receipt, signature } = await receiptFor(signed.order, [grant]);
      await settleOrders(operator, [orderGroupOf(signed, { receipt, signature }, [grant], [])]);
      expect(await credit(requester)).to.equal(10_000_000n - price - fee);
      expect([await credit(provider), await credit(operator)]).to.deep.equal([price, fee]);
      const { state, order, settlement } = await findEnding(requester, prepared.jobId);
      expect([state, settlement?.sent?.receipt]).to.deep.equal(["SettledOk", receipt]);
      expect(order).to.deep.equal(prepared.order);
      expect(await jobStatus(requester, prepared.jobId)).to.include({
        index: undefined,
        resultHash: receipt.resultHash,
      });
      await rejection(verifyOrder(operator, signed), BadSignedOrderError);

      const { chain, deployment } = world;
      const report = await auditJob({ chain: chain.public, deployment, jobId: prepared.jobId });
      const verdict = (id: string) => linesOf(report).find((one) => one.id === id)?.verdict;
      for (const id of ["order.id", "order.state", "consent.1.grant", "consent.1.terms", "money.escrow", "money.paid"])
        expect(verdict(id), id).to.equal("verified");
      expect(verdict("order.params")).to.equal("cannot be verified");
      // The receipt of this test names no inputs and no grants.
      const wrong = linesOf(report)
        .filter((one) => one.verdict === "not verified")
        .map((one) => one.id);
      expect(wrong).to.deep.equal(["receipt.inputs", "receipt.grants"]);
      // With the order's file, its parameters are known, and where its program is.
      const whole = await auditJob({ chain: chain.public, deployment, jobId: prepared.jobId, order: signed });
      expect(whole.claims.find((one) => one.id === "order.params")?.verdict).to.equal("verified");
      await expectSameOffline({ chain: chain.public, deployment, jobId: prepared.jobId });
      await expectSameOffline({ chain: chain.public, deployment, jobId: prepared.jobId, order: signed });
      const lied = { ...signed, params: "0x7b20" as Hex };
      const other = await auditJob({ chain: chain.public, deployment, jobId: prepared.jobId, order: lied });
      expect(other.claims.find((one) => one.id === "order.params")?.reason).to.equal("they have another hash");
    });

    it("are audited from their file where another contract had them settled", async () => {
      const grant = await grantFor();
      await deposit(requester, { token: world.token, amount: 10_000_000n });
      const signed = await signOrder(requester, await prepare([grant]));
      const { receipt, signature } = await receiptFor(signed.order, [grant]);
      const { jobId } = receipt;
      const { deployment, chain } = world;
      const { jobMarket } = deployment.contracts;
      const wallet = walletOf(operator);
      const relay = await deployContract(
        { wallet, chain: chain.public },
        "mocks/ContractAccount.sol/ContractAccount",
        [],
      );
      const groups = [orderGroupOf(signed, { receipt, signature }, [grant], [])];
      const data = encodeFunctionData({ abi: jobMarketAbi, functionName: "settleOrders", args: [groups] });
      const abi = parseAbi(["function execute(address target, uint256 value, bytes data) returns (bytes)"]);
      await send(operator, { address: relay, abi, functionName: "execute", args: [jobMarket, 0n, data] });

      const at = { chain: chain.public, deployment, jobId };
      const hidden = await rejection(auditJob(at), OrderNotShownError);
      expect(hidden.message).to.equal(
        `Order ${jobId} was settled through another contract: it does not show in the transaction.`,
      );
      const elsewhere = { ...signed, order: { ...signed.order, nonce: signed.order.nonce + 1n } };
      const another = hashOrder(operator.marketDomain, elsewhere.order);
      const mixedUp = await rejection(auditJob({ ...at, order: elsewhere }), OtherOrderError);
      expect(mixedUp.message).to.equal(`The order file is that of job ${another}.`);
      const lines = linesOf(await auditJob({ ...at, order: signed }));
      const found = (id: string) => lines.find((one) => one.id === id);
      for (const id of ["order.id", "order.state", "order.params", "money.escrow"])
        expect(found(id)?.verdict, id).to.equal("verified");
      expect(found("receipt.none")?.reason).to.equal(
        "the job was settled through another contract: its receipt is at its worker",
      );
      expect(lines.filter((one) => one.verdict === "not verified")).to.deep.equal([]);
      await expectSameOffline({ ...at, order: signed });
    });

    it("settle many at once, and each is audited by what all of them paid", async () => {
      const grant = await grantFor();
      await deposit(requester, { token: world.token, amount: 20_000_000n });
      const [first, second] = neighbouringNonces(2);
      const resultKey = keccak256("0x03");
      const a = await signOrder(requester, await prepare([grant], { nonce: first as bigint, resultKey }));
      const terms = { nonce: second as bigint, resultKey, deadline: a.order.deadline };
      const b = await signOrder(requester, await prepare([grant], terms));
      const ok = await receiptFor(a.order, [grant]);
      const failure = {
        status: 2,
        failureCode: 10,
        countedGrants: 0,
        resultHash: zeroHash,
        outputCommitment: zeroHash,
      };
      const failed = await receiptFor(b.order, [grant], failure);
      const group = orderGroupOf(a, ok, [grant], []);
      const both = { ...group, items: [...group.items, ...orderGroupOf(b, failed, [], []).items] };
      await settleOrders(operator, [both]);
      expect(await credit(requester)).to.equal(20_000_000n - price - fee);
      for (const { jobId } of [ok.receipt, failed.receipt]) {
        const { chain, deployment } = world;
        const lines = linesOf((await expectSameOffline({ chain: chain.public, deployment, jobId })).online);
        const reasons = Object.fromEntries(lines.map(({ id, reason }) => [id, reason]));
        expect(reasons["money.paid"]).to.equal("2 credits, 3500000 in all, as the order says");
        expect(reasons["money.escrow"]).to.equal(`from the credit of ${addressOf(requester)}`);
      }
    });

    it("are refused when signed by another, altered, late, taken back, or used", async () => {
      const prepared = await prepare([await grantFor()]);
      await rejection(signOrder(sponsor, prepared), NotPartyError);
      const signed = await signOrder(requester, prepared);
      const foreign = await enclave.account.sign({ hash: prepared.jobId });
      await rejection(verifyOrder(operator, { ...signed, requesterSignature: foreign }), OrderNotSignedError);
      await rejection(verifyOrder(operator, { ...signed, params: "0x7b20" }), BadSignedOrderError);
      const richer = { ...signed, order: { ...signed.order, operatorFee: fee * 2n } };
      await rejection(verifyOrder(operator, richer), OrderNotSignedError);
      await cancelNonce(requester, signed.order.nonce);
      const gone = await rejection(verifyOrder(operator, signed), BadSignedOrderError);
      expect(gone.message).to.contain("its nonce was used or taken back");
      expect((await refused(openJob(requester, prepared))).contractError).to.equal("JobMarket_NonceUsed");
    });

    it("go through files, which say whose market they are for", async () => {
      const signed = await signOrder(requester, await prepare([await grantFor()]));
      const file = orderFileOf(world.deployment, signed);
      expect(readOrderFile(JSON.stringify(file), world.deployment)).to.deep.equal(signed);
      const cases: [object | string, string][] = [
        ["{", "it is not JSON"],
        [{ ...file, kind: "offer" }, "it does not have the fields of one"],
        [{ ...file, more: 1 }, "it does not have the fields of one"],
        [{ ...file, chainId: 1 }, `it is for chain 1, market ${world.deployment.contracts.jobMarket}`],
        [`${JSON.stringify(file)}${" ".repeat(70_000)}`, "it does not have the fields of one"],
      ];
      for (const [content, fact] of cases) {
        const text = typeof content === "string" ? content : JSON.stringify(content);
        expect(() => readOrderFile(text, world.deployment)).to.throw(BadSignedFileError, fact);
      }
    });
  });

  describe("sponsors", () => {
    it("pay for another's job, opened by themselves or by anyone with both signatures; they are refunded", async () => {
      const payer = addressOf(sponsor);
      const prepared = await prepare([await grantFor()], { payer });
      const signed = await signOrder(requester, prepared);
      await rejection(sponsorOrder(requester, signed), NotPartyError);
      await rejection(verifyOrder(operator, signed), OrderNotSignedError);
      const sponsored = await sponsorOrder(sponsor, signed);
      expect((await verifyOrder(operator, sponsored)).cost).to.equal(price + fee);

      // The sponsor opens it: its permit pays.
      const { requesterSignature, payerSignature } = sponsored;
      const before = await world.chain.control.snapshot();
      const opened = await openJob(sponsor, prepared, { requesterSignature });
      expect(opened.payment).to.equal("permit");
      await settle(opened.index, prepared.order, [], {
        status: 2,
        failureCode: 1,
        resultHash: zeroHash,
        outputCommitment: zeroHash,
      });
      expect([await credit(sponsor), await credit(requester)]).to.deep.equal([price + fee, 0n]);
      await world.chain.control.revert({ id: before });

      // A stranger opens it: only the sponsor's credit or allowance can pay.
      const asStranger = openJob(operator, prepared, { requesterSignature, payerSignature });
      expect((await refused(asStranger)).contractError).to.equal("ERC20InsufficientAllowance");
      await deposit(sponsor, { token: world.token, amount: price + fee });
      const byStranger = await openJob(operator, prepared, { requesterSignature, payerSignature });
      expect(byStranger.payment).to.equal("credit");
      expect(await credit(sponsor)).to.equal(0n);
    });

    it("have not agreed to what they have not signed", async () => {
      const prepared = await prepare([await grantFor()], { payer: addressOf(sponsor) });
      await deposit(sponsor, { token: world.token, amount: price + fee });
      const { requesterSignature } = await signOrder(requester, prepared);
      const forged = { requesterSignature, payerSignature: requesterSignature };
      for (const consents of [{ requesterSignature }, forged])
        expect(await refused(openJob(operator, prepared, consents))).to.deep.equal({
          contractError: "JobMarket_NotSignedBy",
          orderHash: prepared.jobId,
          account: addressOf(sponsor),
        });
    });
  });

  describe("prices and offers", () => {
    it("escrow rows and bytes up to a ceiling, and give back what was not used", async () => {
      const byRow = await grantFor({ price: 1000n, priceUnit: priceUnits.outputRow });
      await rejection(prepare([byRow]), MaxRowsMissingError);
      const prepared = await prepare([byRow], { maxRows: 50n });
      expect(prepared.cost).to.equal(50_000n + fee);
      const { index } = await openJob(requester, prepared);
      await settle(index, prepared.order, [byRow], { outputRows: 3n });
      expect([await credit(provider), await credit(requester)]).to.deep.equal([3000n, 47_000n]);

      const byByte = await grantFor({ price: 2n, priceUnit: priceUnits.inputByte });
      expect((await prepare([byByte])).cost).to.equal(2n * sizeBytes + fee);
    });

    it("charge by an operator's offer, up to the order's fee", async () => {
      const validUntil = (await chainTime(operator)) + 7200n;
      const terms = { workloadId: world.workloadId, token: world.token, fee: 100n, pricePerSecond: 10n, validUntil };
      const { offerHash, ...offer } = await signOffer(operator, terms);
      const file = JSON.stringify(offerFileOf(world.deployment, offer));
      expect(readOfferFile(file, world.deployment)).to.deep.equal(offer);
      expect(await verifyOffer(requester, offer)).to.deep.equal({ offerHash });
      const grant = await grantFor();
      const refusal = await rejection(prepare([grant], { offer }), OfferNotForOrderError);
      expect(refusal.message).to.contain("name it in the job");
      const prepared = await prepare([grant], { offer, operator: addressOf(operator) });
      expect(prepared.order.offerHash).to.equal(offerHash);
      const { index } = await openJob(requester, prepared);
      await settle(index, prepared.order, [grant], { runSeconds: 7 }, [offer]);
      expect([await credit(operator), await credit(requester)]).to.deep.equal([170n, fee - 170n]);
    });

    it("know an offer that is not its operator's, ran out, or is for something else", async () => {
      const validUntil = (await chainTime(operator)) + 60n;
      const terms = { workloadId: world.workloadId, token: world.token, fee: 1n, pricePerSecond: 0n, validUntil };
      const { offer, signature } = await signOffer(operator, terms);
      const cheaper = { offer: { ...offer, fee: 0n }, signature };
      await rejection(verifyOffer(requester, cheaper), OfferBadSignatureError);
      const order = { operator: offer.operator, workloadId: offer.workloadId, token: offer.token, deadline: 1n };
      await checkOffer(requester, { offer, signature }, order);
      const changes: [object, string][] = [
        [{ workloadId: keccak256("0x01") }, "is for workload"],
        [{ token: zeroAddress }, "is in token"],
        [{ deadline: validUntil + 1n }, "before the deadline"],
        [{ operator: addressOf(sponsor) }, "name it in the job"],
      ];
      for (const [change, fact] of changes) {
        const error = await rejection(
          checkOffer(requester, { offer, signature }, { ...order, ...change }),
          OfferNotForOrderError,
        );
        expect(error.message).to.contain(fact);
      }
      await world.chain.control.increaseTime({ seconds: 61 });
      await world.chain.control.mine({ blocks: 1 });
      await rejection(verifyOffer(requester, { offer, signature }), OfferRunOutError);
    });
  });

  describe("acceptance and quorum", () => {
    it("tells who accepted a job; its bond is the requester's when it expires", async () => {
      const now = await chainTime(requester);
      const prepared = await prepare([await grantFor()], { acceptBy: now + 600n, bond: 500n });
      const { index, jobId } = await openJob(requester, prepared);
      await deposit(operator, { token: zeroAddress, amount: 1n });
      await world.mint(addressOf(operator), 500n);
      await deposit(operator, { token: world.token, amount: 500n });
      const hash = hashAcceptance(requester.marketDomain, { jobId, bonder: addressOf(operator) });
      await send(operator, {
        address: world.deployment.contracts.jobMarket,
        abi: jobMarketAbi,
        functionName: "accept",
        args: [index, prepared.order, await enclave.account.sign({ hash })],
      });
      const { state, acceptance } = await findJob(requester, jobId);
      expect([state, acceptance]).to.deep.equal([
        "Accepted",
        { signer: enclave.account.address, bonder: addressOf(operator) },
      ]);
      await world.chain.control.increaseTime({ seconds: 3601 });
      await world.chain.control.mine({ blocks: 1 });
      await expireJob(sponsor, jobId);
      expect([await credit(requester), await credit(operator)]).to.deep.equal([costOf(prepared.order) + 500n, 0n]);
      const { chain, deployment } = world;
      const lines = linesOf((await expectSameOffline({ chain: chain.public, deployment, jobId })).online);
      const wrong = lines.filter((one) => one.verdict === "not verified").map((one) => one.id);
      expect(wrong).to.deep.equal([]);
    });

    it("escrows a fee for each enclave and counts what they say", async () => {
      const grant = await grantFor();
      const prepared = await prepare([grant], { quorum: 2 });
      expect(prepared.cost).to.equal(price + 2n * fee);
      const { index, jobId } = await openJob(requester, prepared);
      await settle(index, prepared.order, [grant]);
      expect(await jobStatus(requester, jobId)).to.include({ state: "Open", votes: 1, quorum: 2 });
      // The same platform may not speak twice.
      const again = await rejection(settle(index, prepared.order, [grant]), ContractRefusedError);
      expect(again.contractError).to.equal("JobMarket_SamePlatform");
    });
  });
});
