import { createServer, type Server } from "node:http";
import { expect } from "chai";
import { createPublicClient, type Hex, http, keccak256, numberToHex } from "viem";
import { hardhat } from "viem/chains";
import { hashReceipt, type Receipt } from "../../../protocol/eip712.ts";
import { auditJob } from "../../../sdk/audit/auditJob.ts";
import { linesOf } from "../../../sdk/audit/report.ts";
import { type Story, startStory } from "./story.ts";

type Call = { id: number; method: string; params: unknown[] };
type Log = { blockHash: Hex; blockNumber: Hex; address: Hex; data: Hex };

/** Changes the node's answer to a call; returns what the client is told. */
type Lie = (call: Call, result: never) => unknown;

describe("auditJob over an RPC that lies", () => {
  let story: Story;
  let settledWith: Receipt;
  let proxy: Server;
  let lie: Lie = (_, result) => result;
  let proxyUrl = "";
  before(async () => {
    story = await startStory();
    settledWith = await story.receiptOk();
    await story.settle(settledWith);
    proxy = createServer(async (request, response) => {
      const body = await new Response(request as never).text();
      const call = JSON.parse(body) as Call;
      const node = await fetch(story.chain.rpcUrl, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      const answer = (await node.json()) as { result: never };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...answer, result: lie(call, answer.result) }));
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    proxyUrl = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  });
  after(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await story.close();
  });

  /** The lines that are not verified, or the error, when the RPC lies so. */
  async function auditUnder(told: Lie): Promise<string[] | string> {
    lie = told;
    const chain = createPublicClient({ chain: hardhat, transport: http(proxyUrl, { retryCount: 0 }), cacheTime: 0 });
    try {
      const { deployment, jobId, workerUrl } = story;
      const report = await auditJob({ chain, deployment, jobId, workerUrl });
      return linesOf(report)
        .filter((line) => line.verdict === "not verified")
        .map((line) => line.id);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
  }

  const onLogs =
    (change: (logs: Log[], call: Call) => unknown): Lie =>
    (call, result) =>
      call.method === "eth_getLogs" ? change(result, call) : result;

  it("finds nothing false when it does not lie", async () => {
    expect(await auditUnder((_, result) => result)).to.deep.equal([]);
  });

  it("refuses events of forks, of other contracts, and told twice", async () => {
    const fork: Hex = `0x${"77".repeat(32)}`;
    const forked = await auditUnder(onLogs((logs) => logs.map((log) => ({ ...log, blockHash: fork }))));
    expect(forked).to.match(/^Audit\.ContradictoryChainError: .* an event of block \d+ is of a fork\.$/);
    const foreign = await auditUnder(
      onLogs((logs) => logs.map((log) => ({ ...log, address: `0x${"12".repeat(20)}` }))),
    );
    expect(foreign).to.match(/^ScanEvents\.ForeignLogError/);
    const doubled = await auditUnder(onLogs((logs) => [...logs, ...logs]));
    expect(doubled).to.equal(
      "Audit.ContradictoryChainError: The chain's answers contradict each other: the job was opened twice.",
    );
  });

  it("does not know a job that is hidden", async () => {
    expect(await auditUnder(onLogs(() => []))).to.match(/^Audit\.NoSuchJobError/);
  });

  it("sees through an order, a receipt or a quote that was changed on the way", async () => {
    // The price of the first data set stands in the event, the transaction and nowhere it is not hashed.
    const price = 1_000_000n.toString(16).padStart(64, "0");
    const cheaper = 999_999n.toString(16).padStart(64, "0");
    const order = await auditUnder(
      onLogs((logs) => logs.map((log) => ({ ...log, data: log.data.replace(price, cheaper) }))),
    );
    expect(order).to.include("order.id");
    const other = keccak256("0x77").slice(2);
    const logRoot = settledWith.logRoot.slice(2);
    const receipt = await auditUnder((call, result) =>
      call.method === "eth_getTransactionByHash"
        ? JSON.parse(JSON.stringify(result).replaceAll(logRoot, other))
        : result,
    );
    const log = ["log", "run", "history", "growth"].map((name) => `receipt.${name}`);
    expect(receipt).to.deep.equal(["receipt.signature", ...log]);
    const receiptHash = hashReceipt(story.requester.marketDomain, settledWith).slice(2);
    const hash = await auditUnder(
      onLogs((logs) => logs.map((log) => ({ ...log, data: log.data.replace(receiptHash, other) }))),
    );
    expect(hash).to.deep.equal(["receipt.signature"]);
    const mrTd = story.platform.workload.mrTd.slice(2);
    const quote = await auditUnder((call, result) =>
      call.method === "eth_getTransactionByHash"
        ? JSON.parse(JSON.stringify(result).replaceAll(mrTd, mrTd.replace(/../, "00")))
        : result,
    );
    const lines = ["signature", "tcb", "binding", "workload"].map((name) => `attestation.${name}`);
    expect(quote).to.deep.equal([...lines, "code.compose", "code.boot"]);
  });

  it("sees through another block under the receipt's anchor, and another owner of a data set", async () => {
    const owner = story.providerA.wallet?.account.address.slice(2).toLowerCase() ?? "";
    const thief = "12".repeat(20);
    const stolen = await auditUnder(onLogs((logs) => JSON.parse(JSON.stringify(logs).replaceAll(owner, thief))));
    expect(stolen).to.include("consent.1.dataset");
    // The receipt was anchored one block below the head of its time, the opening; then came the settlement.
    const anchor = (await story.chain.public.getBlockNumber()) - 2n;
    const replaced = await auditUnder((call, result) =>
      call.method === "eth_getBlockByNumber" && call.params[0] === numberToHex(anchor)
        ? { ...(result as object), hash: `0x${"55".repeat(32)}` }
        : result,
    );
    expect(replaced).to.deep.equal(["receipt.anchor"]);
  });

  it("answers with a typed error when the RPC fails or talks nonsense", async () => {
    expect(await auditUnder(() => null)).to.match(/^[A-Z][A-Za-z]+\.[A-Za-z]+Error: /);
    expect(await auditUnder(() => ({ nonsense: true }))).to.match(/^[A-Z][A-Za-z]+\.[A-Za-z]+Error: /);
    expect(await auditUnder((call, result) => (call.method === "eth_getBlockByNumber" ? null : result))).to.match(
      /^[A-Z][A-Za-z]+\.[A-Za-z]+Error: /,
    );
  });
});
