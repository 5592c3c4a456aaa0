/** The sdk's story of a market: publish, find, consent, open, settle, read, withdraw; and what each refuses. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { hexToString, keccak256, stringToBytes, stringToHex, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Deployment, intelRootKey } from "../../protocol/deployment.ts";
import { BadMetadataError } from "../../protocol/metadata.ts";
import type { Program } from "../../protocol/program.ts";
import { ContractRefusedError, NoContractError, NotEnoughCoinError } from "../../sdk/chainErrors.ts";
import { type Client, createClient, NoWalletError, WrongChainError, WrongDeploymentError } from "../../sdk/client.ts";
import { creditOf, NoCreditError, withdraw } from "../../sdk/credit.ts";
import { retireDataset } from "../../sdk/datasetOwner.ts";
import {
  ForgedDatasetError,
  getDataset,
  listDatasets,
  registerDataset,
  searchDatasets,
  UnknownDatasetError,
} from "../../sdk/datasets.ts";
import { getEnclave, listEnclaves } from "../../sdk/enclaves.ts";
import { newResultIdentity } from "../../sdk/encryption.ts";
import { fetchOutput, NoResultError } from "../../sdk/fetchOutput.ts";
import { findJob, jobStatus, UnknownJobError } from "../../sdk/findJob.ts";
import {
  chainTime,
  checkGrant,
  GrantBadSignatureError,
  GrantNotInForceError,
  grantStateOf,
  NotYoursError,
  RevokedBeforeError,
  revokeAllGrants,
  revokeGrantNonce,
  signGrant,
} from "../../sdk/grants.ts";
import { cancelJob, expireJob, openJob } from "../../sdk/jobs.ts";
import { readProgram } from "../../sdk/node/programDir.ts";
import {
  GrantCountError,
  GrantNotForJobError,
  type JobTerms,
  ParamsRefusedError,
  prepareJob,
} from "../../sdk/prepareJob.ts";
import { publishDataset } from "../../sdk/publishDataset.ts";
import { ForgedJobError } from "../../sdk/settlement.ts";
import { BadAnswerError, fetchAttestation, uploadBlob } from "../../sdk/worker.ts";
import { startLyingRpc } from "./support/lyingRpc.ts";
import { rejection } from "./support/rejection.ts";
import { startWorld, type TestEnclave, type World, who, writeTestProgram } from "./support/world.ts";

const csv = new TextEncoder().encode("year,temp\n1880,-0.17\n1881,-0.09\n");
const price = 2_500_000n;
const fee = 1_000_000n;

describe("sdk: the market", () => {
  let world: World;
  let provider: Client;
  let requester: Client;
  let reader: Client;
  let program: Program;
  let enclave: TestEnclave;
  let snapshot: `0x${string}`;

  before(async () => {
    world = await startWorld();
    provider = await world.clientOf(who.provider);
    requester = await world.clientOf(who.requester);
    reader = await world.clientOf();
    const directory = join(world.directory, "program");
    await mkdir(directory);
    await writeTestProgram(directory);
    program = await readProgram(directory);
    enclave = await world.registerEnclave();
    await world.mint(addressOf(requester), 100_000_000n);
  });
  beforeEach(async () => {
    snapshot = await world.chain.control.snapshot();
  });
  afterEach(() => world.chain.control.revert({ id: snapshot }));
  after(() => world.close());

  const addressOf = (client: Client) => client.wallet?.account.address ?? zeroAddress;

  async function publish(title = "Global temperature") {
    const keys = new Map<string, string>();
    const published = await publishDataset(provider, {
      bytes: csv,
      metadata: {
        title,
        format: "csv",
        topic: "Climate",
        keywords: ["NASA"],
        price: { token: world.token, amount: price },
      },
      describe: true,
      keepKey: async (datasetId, key) => void keys.set(datasetId, key),
      place: async (ciphertext) => (await uploadBlob(world.worker.url, ciphertext)).uri,
    });
    return { ...published, key: keys.get(published.datasetId) };
  }

  async function grantFor(datasetId: `0x${string}`, terms: Partial<Parameters<typeof signGrant>[1]> = {}) {
    return await signGrant(provider, {
      datasetId,
      programId: program.id,
      workloadId: world.workloadId,
      token: world.token,
      price,
      notAfter: (await chainTime(provider)) + 86_400n,
      ...terms,
    });
  }

  async function termsFor(grants: JobTerms["grants"]): Promise<JobTerms & { identity: string }> {
    const { identity, resultKey } = await newResultIdentity();
    return {
      identity,
      program,
      programUri: "blob:00",
      params: {},
      workloadId: world.workloadId,
      grants,
      resultKey,
      operatorFee: fee,
      token: world.token,
      deadline: (await chainTime(requester)) + 3600n,
    };
  }

  describe("createClient", () => {
    it("refuses an RPC of another chain", async () => {
      const deployment = { ...world.deployment, chainId: 1 };
      const error = await rejection(createClient({ rpcUrl: world.chain.rpcUrl, deployment }), WrongChainError);
      expect(error.message).to.equal("The RPC serves chain 31337, the deployment is on chain 1.");
    });

    it("believes the contracts, not the file, about roots and registries", async () => {
      const { chain, deployment } = world;
      const { contracts } = deployment;
      const cases: [Partial<Deployment>, string][] = [
        [{ rootKey: intelRootKey }, "the verifier has another root key"],
        [
          { contracts: { ...contracts, datasetRegistry: contracts.jobMarket } },
          "the market has another data set registry",
        ],
      ];
      for (const [change, fact] of cases) {
        const options = { rpcUrl: chain.rpcUrl, deployment: { ...deployment, ...change } };
        const error = await rejection(createClient(options), WrongDeploymentError);
        expect(error.message).to.equal(`The deployment file is not true: ${fact}.`);
      }
      const elsewhere = { ...deployment, contracts: { ...contracts, jobMarket: zeroAddress } };
      await rejection(createClient({ rpcUrl: chain.rpcUrl, deployment: elsewhere }), NoContractError);
    });

    it("does not repeat the RPC's URL, which may hold a key", async () => {
      const rpcUrl = "http://127.0.0.1:1/canary-access-key";
      const error = await createClient({ rpcUrl, deployment: world.deployment }).catch((e) => e);
      expect(error.name).to.equal("Chain.RpcError");
      expect(error.message + error.hint).not.to.contain("canary");
      expect(error.message).to.equal("The RPC call failed: HTTP request failed.");
    });

    it("says that a wallet cannot pay for gas, in whatever words the node does", async () => {
      const account = privateKeyToAccount(keccak256("0x0a"));
      const poor = await createClient({ rpcUrl: world.chain.rpcUrl, deployment: world.deployment, account });
      await rejection(revokeGrantNonce(poor, 1n), NotEnoughCoinError);
    });

    it("says that a reader has no wallet", async () => {
      await rejection(revokeGrantNonce(reader, 1n), NoWalletError);
    });
  });

  describe("data sets", () => {
    it("publishes, lists the newest first, and searches every field in any case", async () => {
      const first = await publish();
      const second = await publish("Something else");
      expect(first.metadata.records).to.equal(2);
      expect(first.metadata.timeRange).to.deep.equal(["1880", "1881"]);
      expect(first.metadata.columns).to.deep.equal([
        { name: "year", type: "integer" },
        { name: "temp", type: "number" },
      ]);
      expect((await world.worker.blobs.get(first.contentHash.slice(2))).length).to.equal(Number(first.sizeBytes));
      const ids = async (found: ReturnType<typeof listDatasets>) => (await found).map((d) => d.datasetId);
      expect(await ids(listDatasets(reader))).to.deep.equal([second.datasetId, first.datasetId]);
      expect(await ids(listDatasets(reader, { limit: 1 }))).to.deep.equal([second.datasetId]);
      expect(await ids(listDatasets(reader, { owner: addressOf(requester) }))).to.deep.equal([]);
      for (const word of ["GLOBAL", "climate", "nasa", "TEMP"])
        expect(await ids(searchDatasets(reader, word)), word).to.include(first.datasetId);
      expect(await ids(searchDatasets(reader, "global nothing"))).to.deep.equal([]);
      const details = await getDataset(reader, first.datasetId);
      expect(details.epoch).to.equal(0);
      expect(details.metadata?.price).to.deep.equal({ token: world.token, amount: price });
    });

    it("lists a data set whose metadata are hostile, without them", async () => {
      await world.registerRaw(keccak256("0x01"), "file:///etc/passwd", '{"v":1,"title":"\\u001b[2J","__proto__":1}');
      const [found] = await listDatasets(reader);
      expect(found?.metadata).to.equal(undefined);
    });

    it("decodes the contract's error with its arguments", async () => {
      const { contentHash, datasetId, metadata } = await publish();
      const { salt } = await getDataset(reader, datasetId);
      const again = registerDataset(provider, { contentHash, salt, sizeBytes: 1n, uri: "x", metadata });
      const error = await rejection(again, ContractRefusedError);
      expect(error.contractError).to.equal("DatasetRegistry_AlreadyRegistered");
      expect(error.args).to.deep.equal({ datasetId });
    });

    it("does not register metadata that no reader would accept", async () => {
      const metadata = { v: 1 as const, title: "x".repeat(201), format: "csv" as const };
      const registration = { contentHash: keccak256("0x"), salt: keccak256("0x"), sizeBytes: 1n, uri: "x", metadata };
      await rejection(registerDataset(provider, registration), BadMetadataError);
    });

    it("says that a data set is unknown", async () => {
      await rejection(getDataset(reader, keccak256("0x99")), UnknownDatasetError);
    });
  });

  describe("grants", () => {
    it("signs only for one's own data sets", async () => {
      const { datasetId } = await publish();
      const notAfter = (await chainTime(provider)) + 60n;
      const terms = {
        datasetId,
        programId: program.id,
        workloadId: world.workloadId,
        token: zeroAddress,
        price: 0n,
      };
      const error = await rejection(signGrant(requester, { ...terms, notAfter }), NotYoursError);
      expect(error.message).to.contain(addressOf(provider));
    });

    it("signs none that would not hold: its nonce is revoked, or its data set retired", async () => {
      const { datasetId } = await publish();
      await revokeGrantNonce(provider, 77n);
      const revoked = await rejection(grantFor(datasetId, { nonce: 77n }), RevokedBeforeError);
      expect(revoked.message).to.equal(
        `Nonce 77 is revoked, or data set ${datasetId} is retired: the grant would not hold.`,
      );
      await grantFor(datasetId, { nonce: 78n });
      await retireDataset(provider, datasetId);
      await rejection(grantFor(datasetId, { nonce: 78n }), RevokedBeforeError);
    });

    it("carries the epoch of the chain and follows revocations", async () => {
      const { datasetId } = await publish();
      const first = await grantFor(datasetId);
      await checkGrant(requester, first);
      const { newEpoch } = await revokeAllGrants(provider, datasetId);
      expect(newEpoch).to.equal(1);
      expect((await grantStateOf(reader, first.grant)).state).to.equal("revoked");
      const second = await grantFor(datasetId);
      expect(second.grant.epoch).to.equal(1);
      await revokeGrantNonce(provider, second.grant.nonce);
      const error = await rejection(checkGrant(requester, second), GrantNotInForceError);
      expect(error.message).to.equal(`Grant ${second.grantHash} is revoked.`);
    });

    it("tells expired from not yet valid", async () => {
      const { datasetId } = await publish();
      const now = await chainTime(provider);
      const expired = await grantFor(datasetId, { notAfter: now - 1n });
      const later = await grantFor(datasetId, { notBefore: now + 600n, notAfter: now + 900n });
      expect((await grantStateOf(reader, expired.grant)).state).to.equal("expired");
      expect((await grantStateOf(reader, later.grant)).state).to.equal("not yet valid");
    });

    it("refuses a grant that was altered, signed by another, or has a high s", async () => {
      const { datasetId } = await publish();
      const signed = await grantFor(datasetId);
      const altered = { ...signed, grant: { ...signed.grant, price: 0n } };
      await rejection(checkGrant(requester, altered), GrantBadSignatureError);
      const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const s = n - BigInt(`0x${signed.signature.slice(66, 130)}`);
      const v = signed.signature.endsWith("1b") ? "1c" : "1b";
      const highS = `${signed.signature.slice(0, 66)}${s.toString(16).padStart(64, "0")}${v}` as const;
      await rejection(checkGrant(requester, { ...signed, signature: highS as `0x${string}` }), GrantBadSignatureError);
      await rejection(checkGrant(requester, { ...signed, signature: "0x" }), GrantBadSignatureError);
    });
  });

  describe("jobs", () => {
    it("goes from open by permit to the opened result and the withdrawal", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId, { maxUses: 1n });
      const { identity, ...terms } = await termsFor([grant]);
      const prepared = await prepareJob(requester, terms);
      expect(prepared.cost).to.equal(price + fee);
      const opened = await openJob(requester, prepared);
      expect(opened.payment).to.equal("permit");
      expect(opened.jobId).to.equal(prepared.jobId);
      expect(opened.approveHashes).to.deep.equal([]);
      const job = await findJob(reader, opened.jobId);
      expect(job.state).to.equal("Open");
      expect(job.order).to.deep.equal(prepared.order);
      expect(hexToString(job.params)).to.equal("{}");
      expect((await findJob(reader, opened.index)).jobId).to.equal(opened.jobId);
      await rejection(fetchOutput(reader, opened.jobId, identity), NoResultError);

      const receipt = await world.settle(job, enclave, [grant], { rows: 3 });
      const status = await jobStatus(reader, opened.jobId);
      expect(status.state).to.equal("SettledOk");
      expect(status.failure).to.equal("None");
      expect(status.resultHash).to.equal(receipt.resultHash);
      expect(status.signer).to.equal(enclave.account.address);
      expect((await findJob(reader, opened.jobId)).settlement?.sent?.receipt).to.deep.equal(receipt);
      const envelope = await fetchOutput(reader, opened.jobId, identity);
      expect(envelope.output).to.deep.equal({ rows: 3 });
      expect(await grantStateOf(reader, grant.grant)).to.deep.equal({ state: "used up", uses: 1n });

      expect(await creditOf(reader, addressOf(provider), world.token)).to.equal(price);
      const sent = await withdraw(provider, { token: world.token });
      expect(sent.amount).to.equal(price);
      await rejection(withdraw(provider, { token: world.token }), NoCreditError);
    });

    it("believes neither another ciphertext nor another reader", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId);
      const { identity, ...terms } = await termsFor([grant]);
      const { jobId } = await openJob(requester, await prepareJob(requester, terms));
      await world.settle(await findJob(reader, jobId), enclave, [grant], { rows: 3 });
      const other = await newResultIdentity();
      const unreadable = await fetchOutput(reader, jobId, other.identity).catch((e) => e);
      expect(unreadable.name).to.equal("Encryption.ResultUnreadableError");
      expect(unreadable.cause).to.equal(undefined);
      const ciphertext = world.worker.results.get(jobId) ?? new Uint8Array();
      world.worker.results.set(jobId, ciphertext.with(ciphertext.length - 1, (ciphertext.at(-1) ?? 0) ^ 1));
      const tampered = await fetchOutput(reader, jobId, identity).catch((e) => e);
      expect(tampered.name).to.equal("Encryption.ResultMismatchError");
    });

    it("uses an allowance there is, and pays in the native coin by value", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId);
      const { request } = await world.chain.public.simulateContract({
        account: requester.wallet?.account ?? zeroAddress,
        address: world.token,
        abi: [
          {
            type: "function",
            name: "approve",
            stateMutability: "nonpayable",
            inputs: [{ type: "address" }, { type: "uint256" }],
            outputs: [{ type: "bool" }],
          },
        ],
        functionName: "approve",
        args: [world.deployment.contracts.jobMarket, price + fee],
      });
      await requester.wallet?.writeContract(request as never);
      const terms = await termsFor([grant]);
      expect((await openJob(requester, await prepareJob(requester, terms))).payment).to.equal("allowance");

      const free = await grantFor(datasetId, { token: zeroAddress, price: 5n });
      const native = await termsFor([free]);
      const prepared = await prepareJob(requester, { ...native, token: zeroAddress, operatorFee: 7n });
      const opened = await openJob(requester, prepared);
      expect(opened.payment).to.equal("native");
      await cancelJob(requester, opened.jobId);
      expect((await jobStatus(reader, opened.jobId)).state).to.equal("Cancelled");
      expect(await creditOf(reader, addressOf(requester), zeroAddress)).to.equal(12n);
    });

    it("approves where permits are not taken", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId);
      const prepared = await prepareJob(requester, await termsFor([grant]));
      // A wallet whose typed-data signatures are not plain ECDSA, as a contract wallet's, cannot give a permit.
      const wallet = requester.wallet;
      if (wallet === undefined) throw new Error("no wallet");
      const contractLike: Client = {
        ...requester,
        wallet: { ...wallet, signTypedData: async () => `0x${"00".repeat(96)}` },
      };
      const opened = await openJob(contractLike, prepared);
      expect(opened.payment).to.equal("approve");
      expect(opened.approveHashes).to.have.length(1);
    });

    it("says which token error stopped the escrow", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId, { price: 10n ** 12n });
      const prepared = await prepareJob(requester, await termsFor([grant]));
      const error = await rejection(openJob(requester, prepared), ContractRefusedError);
      expect(error.contractError).to.equal("ERC20InsufficientBalance");
      expect(error.args).to.deep.equal({
        sender: addressOf(requester),
        balance: 100_000_000n,
        needed: 10n ** 12n + fee,
      });
    });

    it("approves nothing for a job that the market refuses", async () => {
      const { datasetId } = await publish();
      const terms = await termsFor([await grantFor(datasetId)]);
      const prepared = await prepareJob(requester, { ...terms, failureFee: fee + 1n });
      const nonce = () => world.chain.public.getTransactionCount({ address: addressOf(requester) });
      const before = await nonce();
      const error = await rejection(openJob(requester, prepared), ContractRefusedError);
      expect(error.contractError).to.equal("JobMarket_FailureFeeTooHigh");
      expect(error.args).to.deep.equal({ failureFee: fee + 1n, operatorFee: fee });
      expect(await nonce()).to.equal(before);
    });

    it("tells a failed job's reason and refund", async () => {
      const { datasetId } = await publish();
      const grant = await grantFor(datasetId);
      const { identity, ...terms } = await termsFor([grant]);
      const { jobId } = await openJob(requester, await prepareJob(requester, terms));
      await world.settle(await findJob(reader, jobId), enclave, [], undefined);
      const status = await jobStatus(reader, jobId);
      expect(status.state).to.equal("SettledFailed");
      expect(status.failure).to.equal("ProgramTrapped");
      expect(status.resultHash).to.equal(undefined);
      const error = await rejection(fetchOutput(reader, jobId, identity), NoResultError);
      expect(error.message).to.contain("ProgramTrapped");
      expect(error.hint).to.match(/^The escrow, less the failure fee, is the payer's credit; .*--token/);
      expect(await creditOf(reader, addressOf(requester), world.token)).to.equal(price + fee);
    });

    it("lets anyone expire a job, but only after its deadline", async () => {
      const { datasetId } = await publish();
      const prepared = await prepareJob(requester, await termsFor([await grantFor(datasetId)]));
      const { jobId } = await openJob(requester, prepared);
      const early = await rejection(expireJob(provider, jobId), ContractRefusedError);
      expect(early.contractError).to.equal("JobMarket_DeadlineNotPassed");
      const stranger = await rejection(cancelJob(provider, jobId), ContractRefusedError);
      expect(stranger.contractError).to.equal("JobMarket_NotRequester");
      await world.chain.control.increaseTime({ seconds: 3601 });
      await world.chain.control.mine({ blocks: 1 });
      await expireJob(provider, jobId);
      expect((await jobStatus(reader, jobId)).state).to.equal("Expired");
      await rejection(findJob(reader, keccak256("0x77")), UnknownJobError);
      await rejection(findJob(reader, 999n), UnknownJobError);
    });

    it("lets no money move for a job that could not settle", async () => {
      const { datasetId } = await publish();
      const good = await grantFor(datasetId);
      const terms = await termsFor([good]);
      await rejection(prepareJob(requester, { ...terms, grants: [good, good] }), GrantCountError);
      await rejection(prepareJob(requester, { ...terms, grants: [] }), GrantCountError);
      await rejection(prepareJob(requester, { ...terms, params: { year: 1 } }), ParamsRefusedError);
      const other = keccak256(stringToBytes("other"));
      const cases: [Partial<JobTerms>, string][] = [
        [{ workloadId: other }, `consents to workload ${world.workloadId} only`],
        [{ token: zeroAddress }, `is paid in token ${world.token}, not ${zeroAddress}`],
        [
          { grants: [await grantFor(datasetId, { programId: other })] },
          `consents to program ${other}, not ${program.id}`,
        ],
        [
          { grants: [await grantFor(datasetId, { requester: addressOf(provider) })] },
          `is for requester ${addressOf(provider)} only`,
        ],
        [
          { grants: [await grantFor(datasetId, { operator: addressOf(provider) })] },
          `is for operator ${addressOf(provider)} only`,
        ],
      ];
      for (const [change, fact] of cases) {
        const error = await rejection(prepareJob(requester, { ...terms, ...change }), GrantNotForJobError);
        expect(error.message).to.contain(fact);
      }
    });
  });

  describe("an RPC that lies", () => {
    /** A reader whose RPC swaps hex strings in every answer. */
    async function deceived<T>(
      swaps: readonly (readonly [string, string])[],
      act: (client: Client) => Promise<T>,
    ): Promise<T> {
      const rpc = await startLyingRpc(world.chain.rpcUrl, (_, answer) =>
        swaps.reduce((text, [from, to]) => text.replaceAll(from, to), answer),
      );
      try {
        return await act(await createClient({ rpcUrl: rpc.url, deployment: world.deployment }));
      } finally {
        await rpc.close();
      }
    }

    it("cannot change an order, a receipt, metadata or an owner", async () => {
      const { datasetId } = await publish("Global temperature");
      const grant = await grantFor(datasetId);
      const prepared = await prepareJob(requester, await termsFor([grant]));
      const { jobId } = await openJob(requester, prepared);
      const other = keccak256("0x42").slice(2);
      const order = [[prepared.order.resultKey.slice(2), other]] as const;
      const changed = await rejection(
        deceived(order, (client) => findJob(client, jobId)),
        ForgedJobError,
      );
      expect(changed.message).to.equal(`The RPC's order of job ${jobId} is not what the chain can hold.`);

      const receipt = await world.settle(await findJob(reader, jobId), enclave, [grant], { rows: 3 });
      const result = [[receipt.resultHash.slice(2), other]] as const;
      const forged = await rejection(
        deceived(result, (client) => jobStatus(client, jobId)),
        ForgedJobError,
      );
      expect(forged.message).to.equal(`The RPC's receipt of job ${jobId} is not what the chain can hold.`);

      const title = [[stringToHex("Global").slice(2), stringToHex("Stolen").slice(2)]] as const;
      await rejection(
        deceived(title, (client) => getDataset(client, datasetId)),
        ForgedDatasetError,
      );
      const owner = [
        [addressOf(provider).slice(2).toLowerCase(), addressOf(requester).slice(2).toLowerCase()],
      ] as const;
      await rejection(
        deceived(owner, (client) => listDatasets(client)),
        ForgedDatasetError,
      );
    });
  });

  describe("the worker", () => {
    it("is asked for its attestation; another server is noticed", async () => {
      const attestation = await fetchAttestation(world.worker.url, keccak256("0x01"));
      expect(attestation).to.include({ quote: "0x00", simulated: true });
      const error = await fetchAttestation(world.worker.url, "0x12").catch((e) => e);
      expect(error.name).to.equal("BoundedFetch.ServerRefusedError");
      expect(error.status).to.equal(400);
      await rejection(fetchAttestation(world.chain.rpcUrl), BadAnswerError);
    });

    it("stores blobs under their hash", async () => {
      const { uri, sha256 } = await uploadBlob(world.worker.url, csv);
      expect(uri).to.equal(`blob:${sha256.slice(2)}`);
      expect(await world.worker.blobs.get(sha256.slice(2))).to.deep.equal(Buffer.from(csv));
    });

    it("is not taken for a server that answers 200 to everything", async () => {
      const error = await rejection(uploadBlob(world.chain.rpcUrl, csv), BadAnswerError);
      expect(error.message).to.equal("The answer to PUT /blobs is not what a worker says.");
    });
  });

  describe("enclaves", () => {
    it("lists them with their live state", async () => {
      const [found] = await listEnclaves(reader, { workloadId: world.workloadId });
      expect(found?.signingKey).to.equal(enclave.account.address);
      expect(found?.live).to.equal(true);
      expect(found?.tcbStatus).to.equal("UpToDate");
      expect(found?.state).to.equal("Active");
      expect(await listEnclaves(reader, { workloadId: keccak256("0x") })).to.deep.equal([]);
      await world.chain.control.increaseTime({ seconds: 86_401 });
      await world.chain.control.mine({ blocks: 1 });
      expect((await getEnclave(reader, enclave.account.address)).live).to.equal(false);
    });
  });
});
