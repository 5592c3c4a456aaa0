/**
 * A node in league with the operator tells the worker of a job that nobody opened: an order in the name of the one
 * requester that both grants allow, its result sealed to the attacker. The worker must open no data for it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import {
  type Address,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  getAbiItem,
  type Hex,
  keccak256,
  numberToHex,
  parseTransaction,
  stringToHex,
  toFunctionSelector,
  zeroAddress,
} from "viem";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { domainOf, hashGrant, hashOrder, type JobOrder } from "../../../protocol/eip712.ts";
import { packProgram } from "../../../protocol/program.ts";
import { testAccount } from "../../../scripts/localChain.ts";
import { newResultIdentity } from "../../../sdk/encryption.ts";
import { uploadBlob } from "../../../sdk/worker.ts";
import { plainTerms } from "../../support/plainTerms.ts";
import { type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";

const attacker = testAccount(9);
const victim: Address = "0x1111111111111111111111111111111111111111";
const params = stringToHex("{}");

describe("an order that nobody signed", () => {
  let s: Scenario;
  let proxy: RpcProxy;
  before(async () => {
    s = await startScenario();
    proxy = await startRpcProxy(s.market.chain.rpcUrl);
  });
  after(async () => {
    await proxy.close();
    await s.stop();
  });

  /** Restarts the worker with nothing remembered, behind a node that tells of `order`. */
  async function tellOf(order: JobOrder, programUri: string, transaction: object): Promise<void> {
    const { chainId, contracts } = s.market.deployment;
    const args = {
      jobId: hashOrder(domainOf(chainId, contracts.jobMarket), order),
      index: 0n,
      requester: order.requester,
    };
    const inputs = getAbiItem({ abi: jobMarketAbi, name: "JobOpened" }).inputs.slice(3);
    const block = await s.market.chain.public.getBlock();
    const log = {
      address: contracts.jobMarket,
      topics: encodeEventTopics({ abi: jobMarketAbi, eventName: "JobOpened", args }),
      data: encodeAbiParameters(inputs as never, [order, programUri, params] as never),
      blockNumber: numberToHex(block.number),
      blockHash: block.hash,
      transactionHash: keccak256("0x01"),
      transactionIndex: "0x7",
      logIndex: "0x77",
      removed: false,
    };
    const jobState = toFunctionSelector(getAbiItem({ abi: jobMarketAbi, name: "jobState" }));
    proxy.rule = ({ method, params: [first] }) => {
      const asked = (first ?? {}) as { fromBlock?: Hex; toBlock?: Hex; blockHash?: Hex; data?: Hex };
      if (method === "eth_getTransactionByHash" && (first as unknown) === log.transactionHash)
        return { result: transaction };
      if (method === "eth_call" && asked.data?.startsWith(jobState)) return { result: numberToHex(1, { size: 32 }) };
      const inRange =
        asked.blockHash === block.hash ||
        (asked.fromBlock !== undefined &&
          asked.toBlock !== undefined &&
          BigInt(asked.fromBlock) <= block.number &&
          block.number <= BigInt(asked.toBlock));
      if (method === "eth_getLogs" && inRange) return { change: (logs) => [...(logs as unknown[]), log] };
      return "pass";
    };
    const { dataDir, child } = s.worker();
    await child.stop();
    for (const suffix of ["", "-wal", "-shm"]) await rm(join(dataDir, `worker.db${suffix}`), { force: true });
    await s.restartWorker({ dataDir, env: { RPC_URL: proxy.url } });
    await s.deliver();
  }

  /** The transaction that the attacker would have sent: well formed, signed, calling the market with this very order. */
  async function signedByAttacker(order: JobOrder, programUri: string): Promise<object> {
    const data = encodeFunctionData({
      abi: jobMarketAbi,
      functionName: "open",
      args: [order, programUri, params, "0x", "0x"],
    });
    const to = s.market.deployment.contracts.jobMarket;
    const fields = {
      type: "eip1559",
      chainId: 31337,
      nonce: 0,
      gas: 500_000n,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 1n,
    } as const;
    const raw = await attacker.signTransaction({ ...fields, to, value: 0n, data });
    const { r, s: sValue, yParity } = parseTransaction(raw);
    return {
      type: "0x2",
      chainId: numberToHex(31337),
      nonce: "0x0",
      gas: numberToHex(500_000),
      maxFeePerGas: numberToHex(10 ** 9),
      maxPriorityFeePerGas: "0x1",
      to,
      from: order.requester, // the lie
      value: "0x0",
      input: data,
      accessList: [],
      r,
      s: sValue,
      v: numberToHex(yParity ?? 0),
      yParity: numberToHex(yParity ?? 0),
      hash: keccak256("0x01"),
      blockNumber: "0x1",
      blockHash: keccak256("0x02"),
      transactionIndex: "0x7",
    };
  }

  for (const told of ["no transaction", "a transaction that another account signed"]) {
    it(`is not carried out when the node shows ${told}`, async () => {
      for (const provider of s.providers) provider.grants.length = 0;
      const grants = [
        await s.grant(s.providers[0], { requester: victim }),
        await s.grant(s.providers[1], { requester: victim }),
      ];
      const domain = domainOf(s.market.deployment.chainId, s.market.deployment.contracts.jobMarket);
      const { resultKey } = await newResultIdentity();
      const order: JobOrder = {
        requester: victim,
        payer: victim,
        ...plainTerms,
        programId: s.program.id,
        workloadId: s.workloadId,
        paramsHash: keccak256(params),
        datasets: grants.map(({ grant }) => ({
          datasetId: grant.datasetId,
          grantHash: hashGrant(domain, grant),
          maxPrice: grant.price,
        })),
        resultKey,
        token: s.market.token,
        operatorFee: 0n,
        failureFee: 0n,
        operator: zeroAddress,
        deadline: 4_000_000_000n,
        nonce: 1n,
      };
      const { uri } = await uploadBlob(s.worker().url, packProgram(s.program));
      await tellOf(
        order,
        uri,
        told === "no transaction" ? (null as unknown as object) : await signedByAttacker(order, uri),
      );

      const jobId = hashOrder(domain, order);
      const { lines } = s.worker().child;
      const refused = () => lines.stdout.filter((line) => line.includes("job.problem") && line.includes(jobId));
      for (let tries = 0; tries < 200 && refused().length < 3; tries++) await sleep(50);
      expect(refused().length).to.be.at.least(3);
      const name = told === "no transaction" ? "Chain.RpcFailedError" : "Jobs.UnprovenOrderError";
      expect(
        new Set(refused().map((line) => (JSON.parse(line) as { error: { name: string } }).error.name)),
      ).to.deep.equal(new Set([name]));
      const done = lines.stdout.filter(
        (line) => line.includes(jobId) && /job\.(programChecked|grantsChecked|inputsDecrypted|signed)/.test(line),
      );
      expect(done).to.deep.equal([]);
      expect((await fetch(`${s.worker().url}/receipts/${jobId}`)).status).to.equal(404);
    });
  }
});
