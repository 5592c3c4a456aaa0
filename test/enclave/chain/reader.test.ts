import { expect } from "chai";
import { type Address, encodeErrorResult, encodeFunctionResult, type Hex, keccak256, slice, zeroAddress } from "viem";
import { type At, refusalOf } from "../../../enclave/chain/call.ts";
import { connectChain } from "../../../enclave/chain/connect.ts";
import {
  DatasetMismatchError,
  openReader,
  type Reader,
  UnknownDatasetError,
  UnknownEnclaveError,
} from "../../../enclave/chain/reader.ts";
import { datasetRegistryAbi, enclaveRegistryAbi, jobMarketAbi } from "../../../protocol/abi.ts";
import { datasetIdOf } from "../../../protocol/attestationBinding.ts";
import { InconsistentSourceError } from "../../../protocol/chain/chainSource.ts";
import { RpcFailedError } from "../../../protocol/chain/rpc.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { sampleJob } from "../../support/emitter.ts";
import { deployMarket } from "../../support/market.ts";
import { rejection } from "../../support/rejection.ts";
import { type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";

describe("reader", () => {
  let chain: TestChain;
  let proxy: RpcProxy;
  let deployment: Deployment;
  let reader: Reader;
  const owner = testAccount(3).address;
  const contentHash = keccak256("0x01");
  const salt = keccak256("0x02");
  const datasetId = datasetIdOf(owner, contentHash, salt);

  before(async () => {
    chain = await startChain();
    proxy = await startRpcProxy(chain.rpcUrl);
    deployment = await deployMarket(chain);
    reader = openReader(await connectChain({ rpcUrl: proxy.url, chainId: 31337 }), deployment, 500);
  });
  after(async () => {
    await proxy.close();
    await chain.close();
  });
  beforeEach(() => {
    proxy.rule = () => "pass";
  });

  async function write(
    index: number,
    address: Address,
    abi: readonly unknown[],
    functionName: string,
    args: unknown[],
    value = 0n,
  ) {
    const hash = await chain.wallet(index).writeContract({ address, abi, functionName, args, value } as never);
    const { blockNumber, blockHash } = await chain.public.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    return { blockNumber, blockHash };
  }

  it("reads a data set and its consent as of a block, by number and by hash", async () => {
    const { datasetRegistry } = deployment.contracts;
    const before = await chain.public.getBlock();
    const uri = "https://example.org/x";
    const at = await write(3, datasetRegistry, datasetRegistryAbi, "register", [contentHash, salt, 77, uri, "{}", []]);
    const later = await write(3, datasetRegistry, datasetRegistryAbi, "revokeAllGrants", [datasetId]);
    const revoked = await write(3, datasetRegistry, datasetRegistryAbi, "revokeGrantNonce", [9n]);

    const record = { owner, sizeBytes: 77, epoch: 0, payeeCount: 0, retired: false, contentHash, salt, uri };
    const expected = { ...record, metadataHash: keccak256("0x7b7d") };
    for (const where of [{ blockNumber: at.blockNumber }, { blockHash: at.blockHash }]) {
      expect(await reader.dataset(datasetId, where)).to.deep.equal(expected);
    }
    expect((await reader.dataset(datasetId, { blockHash: later.blockHash })).epoch).to.equal(1);
    const consent = { owner, sizeBytes: 77, epoch: 1, ownerEpoch: 0, payeeCount: 0 };
    expect(await reader.consentOf(datasetId, 9n, later)).to.deep.equal({ ...consent, revoked: false });
    expect(await reader.consentOf(datasetId, 9n, revoked)).to.deep.equal({ ...consent, revoked: true });
    const ended = await write(3, datasetRegistry, datasetRegistryAbi, "revokeAllOwnGrants", []);
    expect(await reader.consentOf(datasetId, 9n, ended)).to.deep.equal({ ...consent, ownerEpoch: 1, revoked: false });
    const retired = await write(3, datasetRegistry, datasetRegistryAbi, "retire", [datasetId]);
    expect((await reader.dataset(datasetId, retired)).retired).to.equal(true);
    expect((await reader.consentOf(datasetId, 9n, retired)).revoked).to.equal(true);
    const error = await rejection(reader.dataset(datasetId, { blockHash: before.hash }), UnknownDatasetError);
    expect(error.datasetId).to.equal(datasetId);
    await rejection(reader.consentOf(datasetId, 9n, { blockHash: before.hash }), UnknownDatasetError);
  });

  it("proves a data set's content by who registered it, after it has another owner", async () => {
    const { datasetRegistry } = deployment.contracts;
    const salt = keccak256("0x12");
    const datasetId = datasetIdOf(owner, contentHash, salt);
    const buyer = testAccount(5).address;
    const registration = [contentHash, salt, 77, "https://example.org/y", "{}", []];
    await write(3, datasetRegistry, datasetRegistryAbi, "register", registration);
    await write(3, datasetRegistry, datasetRegistryAbi, "offerOwnership", [datasetId, buyer]);
    const taken = await write(5, datasetRegistry, datasetRegistryAbi, "takeOwnership", [datasetId]);
    expect(await reader.dataset(datasetId, taken)).to.include({ owner: buyer, epoch: 1, contentHash });

    proxy.rule = ({ method }) => (method === "eth_getLogs" ? { result: [] } : "pass");
    expect((await rejection(reader.dataset(datasetId, taken), DatasetMismatchError)).datasetId).to.equal(datasetId);
  });

  it("reads jobs, credit, uses and enclaves", async () => {
    const { jobMarket } = deployment.contracts;
    const deadline = (await chain.public.getBlock()).timestamp + 3600n;
    const job = sampleJob(deployment, 0, { requester: owner, payer: owner, deadline });
    const args = [job.order, job.programUri, job.params, "0x", "0x"];
    const open = await write(3, jobMarket, jobMarketAbi, "open", args, 12n);
    const cancel = await write(3, jobMarket, jobMarketAbi, "cancel", [0n, job.order]);
    expect(await reader.jobState(0n, job.jobId, open)).to.equal("Open");
    expect(await reader.jobState(0n, job.jobId, cancel)).to.equal("Cancelled");
    expect(await reader.jobState(1n, job.jobId, cancel)).to.equal("None");
    expect(await reader.creditOf(owner, zeroAddress, open)).to.equal(0n);
    expect(await reader.creditOf(owner, zeroAddress, cancel)).to.equal(12n);
    expect(await reader.grantUses(keccak256("0x04"), cancel)).to.equal(0n);
    expect(await reader.isNonceUsed(owner, job.order.nonce, open)).to.equal(true);
    expect(await reader.isNonceUsed(owner, job.order.nonce + 1n, open)).to.equal(false);
    expect(await reader.acceptedBy(job.jobId, open)).to.equal(zeroAddress);
    expect(await reader.ballotPlatforms(job.jobId, open)).to.deep.equal([]);

    const enclave = {
      operator: owner,
      expiresAt: 5,
      registeredAtBlock: 4,
      tcbStatus: 1,
      state: 2,
      workloadId: keccak256("0x0c"),
      platformId: slice(keccak256("0x0d"), 0, 16),
      evidenceHash: slice(keccak256("0x0e"), 0, 16),
    };
    answer(encodeFunctionResult({ abi: enclaveRegistryAbi, functionName: "enclave", result: enclave }));
    const read = { ...enclave, expiresAt: 5n, registeredAtBlock: 4n };
    expect(await reader.enclave(owner, cancel)).to.deep.equal(read);
    const unknown = { abi: enclaveRegistryAbi, errorName: "EnclaveRegistry_UnknownEnclave", args: [owner] } as const;
    const data = encodeErrorResult(unknown);
    proxy.rule = () => ({ error: { code: 3, message: "execution reverted", data } });
    const error = await rejection(reader.enclave(owner, cancel), UnknownEnclaveError);
    expect(error.signingKey).to.equal(owner);
  });

  const at: At = { blockNumber: 1n };

  function answer(result: Hex): void {
    proxy.rule = ({ method }) => (method === "eth_call" ? { result } : "pass");
  }

  it("refuses a data set that its id does not prove: the node lies", async () => {
    const held = { owner, sizeBytes: 1, epoch: 0, payeeCount: 0, retired: false };
    const record = { ...held, contentHash, metadataHash: salt, salt, uri: "x" };
    const lies = [
      { owner: zeroAddress },
      { contentHash: salt },
      { salt: contentHash },
      { contentHash: salt, epoch: 1 },
    ];
    for (const lie of lies) {
      const result = { ...record, ...lie } as typeof record;
      answer(encodeFunctionResult({ abi: datasetRegistryAbi, functionName: "dataset", result }));
      const error = await rejection(reader.dataset(datasetId, at), DatasetMismatchError);
      expect([error.datasetId, error.retryable]).to.deep.equal([datasetId, false]);
    }
  });

  it("refuses answers that are not of the function's type", async () => {
    const cases: [Hex, string][] = [
      ["0x", "its answer to grantUses is not of that function's type"],
      ["0x12", "its answer to grantUses is not of that function's type"],
      [`0x${"00".repeat(20_000)}`, "its answer to eth_call is malformed"],
    ];
    for (const [result, fact] of cases) {
      answer(result);
      const error = await rejection(reader.grantUses(salt, at), InconsistentSourceError);
      expect(error.fact).to.equal(fact);
    }
    answer(`0x${"00".repeat(31)}08`);
    const error = await rejection(reader.jobState(0n, salt, at), InconsistentSourceError);
    expect(error.fact).to.equal("it tells of a job state that does not exist");
  });

  it("does not follow a node to a URL of its choice (CCIP-Read)", async () => {
    let visited = false;
    const trap = await startRpcProxy(chain.rpcUrl);
    trap.rule = () => {
      visited = true;
      return { status: 200 };
    };
    const data = encodeErrorResult({
      abi: [
        {
          type: "error",
          name: "OffchainLookup",
          inputs: [
            { name: "sender", type: "address" },
            { name: "urls", type: "string[]" },
            { name: "callData", type: "bytes" },
            { name: "callbackFunction", type: "bytes4" },
            { name: "extraData", type: "bytes" },
          ],
        },
      ],
      args: [deployment.contracts.jobMarket, [trap.url], "0x", "0x12345678", "0x"],
    });
    proxy.rule = () => ({ error: { code: 3, message: "execution reverted", data } });
    const error = await rejection(reader.grantUses(salt, at), RpcFailedError);
    expect(refusalOf(error)).to.deep.equal({ errorName: "0x556f1830", args: [] });
    expect(visited).to.equal(false);
    await trap.close();
  });

  it("gives up on a node that hangs, and reads again when it answers", async () => {
    proxy.rule = () => "hang";
    const error = await rejection(reader.grantUses(salt, at), RpcFailedError);
    expect(error).to.include({ reason: "no answer within 500 ms", retryable: true });
    proxy.rule = () => "pass";
    expect(await reader.grantUses(salt, { blockNumber: await chain.public.getBlockNumber() })).to.equal(0n);
  });
});
