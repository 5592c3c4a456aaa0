import { expect } from "chai";
import {
  type Address,
  createPublicClient,
  decodeFunctionResult,
  type Hex,
  http,
  keccak256,
  parseGwei,
  toHex,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { BadRpcUrlError, connectChain, WrongChainError } from "../../../enclave/chain/connect.ts";
import { FeeTooHighError } from "../../../enclave/chain/fees.ts";
import { SenderStoppedError } from "../../../enclave/chain/mineTransaction.ts";
import {
  InsufficientGasMoneyError,
  openSender,
  TransactionRefusedError,
  TransactionRevertedError,
  TransactionStuckError,
} from "../../../enclave/chain/sender.ts";
import type { SenderOptions } from "../../../enclave/chain/sendSettings.ts";
import { RpcFailedError } from "../../../protocol/chain/rpc.ts";
import { startChain, type TestChain, testAccount } from "../../support/chain.ts";
import { deployEmitter, emitterAbi, emitterCall } from "../../support/emitter.ts";
import { rejection } from "../../support/rejection.ts";
import { type RpcProxy, startRpcProxy } from "../../support/rpcProxy.ts";

describe("sender", () => {
  let chain: TestChain;
  let proxy: RpcProxy;
  let emitter: Address;
  let nextJob = 0;
  const wallet = testAccount(5);

  before(async () => {
    chain = await startChain();
    proxy = await startRpcProxy(chain.rpcUrl);
    ({ emitter } = await deployEmitter(chain));
  });
  after(async () => {
    await proxy.close();
    await chain.close();
  });
  beforeEach(() => {
    proxy.rule = () => "pass";
    proxy.calls.length = 0;
  });
  afterEach(() => chain.control.setAutomine(true));

  function newJob(): Hex {
    return keccak256(toHex(`job ${nextJob++}`));
  }

  async function read(functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    const { data } = await chain.public.call({ to: emitter, data: emitterCall(functionName, args) });
    return decodeFunctionResult({ abi: emitterAbi, functionName, data: data ?? "0x" });
  }

  const isSettled = (job: Hex) => async () => (await read("settled", [job])) as boolean;
  const never = async () => false;
  const settle = (job: Hex, value?: bigint) => ({
    to: emitter,
    data: emitterCall("settleOnce", [job]),
    ...(value === undefined ? {} : { value }),
  });
  const count = (method: string) => proxy.calls.filter((call) => call.method === method).length;

  function open(changes: Partial<SenderOptions> = {}) {
    const client = createPublicClient({ transport: http(proxy.url, { retryCount: 0 }), cacheTime: 0 });
    return openSender({
      client,
      account: wallet,
      chainId: 31337,
      confirmations: 1,
      maxFeePerGas: parseGwei("100"),
      pollMs: 20,
      bumpAfterMs: 200,
      giveUpMs: 5000,
      timeoutMs: 1000,
      ...changes,
    });
  }

  it("sends a call and tells what the chain says of it", async () => {
    const job = newJob();
    const sent = await (await open()).send(settle(job, 3n), isSettled(job));
    if (sent.status !== "mined") throw new Error(sent.status);
    const receipt = await chain.public.getTransactionReceipt({ hash: sent.receipt.transactionHash });
    const { blockNumber, blockHash, gasUsed, transactionHash } = receipt;
    expect(sent.receipt).to.deep.equal({ blockNumber, blockHash, gasUsed, transactionHash, succeeded: true });
    expect(await isSettled(job)()).to.equal(true);
  });

  it("sends nothing when the effect is there already", async () => {
    const job = newJob();
    const sender = await open();
    await sender.send(settle(job), isSettled(job));
    proxy.calls.length = 0;
    expect(await sender.send(settle(job), isSettled(job))).to.deep.equal({ status: "alreadyDone" });
    expect(count("eth_sendRawTransaction")).to.equal(0);
  });

  it("decodes what the contract refuses with, before anything is sent", async () => {
    const job = newJob();
    const sender = await open();
    await sender.send(settle(job), never);
    proxy.calls.length = 0;
    const error = await rejection(sender.send(settle(job), never), TransactionRefusedError);
    expect([error.errorName, error.args]).to.deep.equal(["JobMarket_NotOpen", [job, 2]]);
    expect(error.message).to.equal(`Contract ${emitter} refuses the call: JobMarket_NotOpen(${job}, 2).`);
    expect(count("eth_sendRawTransaction")).to.equal(0);
    const nowhere = { to: emitter, data: "0x12345678" } as const;
    const plain = await rejection(sender.send(nowhere, never), TransactionRefusedError);
    expect([plain.errorName, plain.args]).to.deep.equal(["(no reason)", []]);
  });

  it("sends one at a time, in the order of the calls, and goes on after a failure", async () => {
    const [a, b, c] = [newJob(), newJob(), newJob()];
    const sender = await open();
    const results = await Promise.allSettled([
      sender.send(settle(a), isSettled(a)),
      sender.send(settle(a), never),
      sender.send(settle(b), isSettled(b)),
      sender.send(settle(c), isSettled(c)),
    ]);
    expect(results.map((result) => result.status)).to.deep.equal(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    const blocks = results.flatMap((r) =>
      r.status === "fulfilled" && r.value.status === "mined" ? r.value.receipt.blockNumber : [],
    );
    expect([...blocks].sort()).to.deep.equal(blocks);
    expect(new Set(blocks).size).to.equal(3);
  });

  it("raises the fees of a transaction that nobody mines, under the same nonce", async () => {
    await chain.control.setAutomine(false);
    const job = newJob();
    const settlements = (await read("settlements")) as bigint;
    const sending = (await open()).send(settle(job), isSettled(job));
    await until(() => count("eth_sendRawTransaction") >= 3);
    const pending = await chain.public.getBlock({ blockTag: "pending", includeTransactions: true });
    await chain.control.mine({ blocks: 1 });
    const sent = await sending;
    expect(sent.status).to.equal("mined");
    expect((await read("settlements")) as bigint).to.equal(settlements + 1n);
    const raw = proxy.calls
      .filter((call) => call.method === "eth_sendRawTransaction")
      .map((call) => call.params[0] as Hex);
    expect(new Set(raw).size).to.equal(raw.length);
    expect(pending.transactions).to.have.length(1);
  });

  it("waits for as many confirmations as it was told", async () => {
    const job = newJob();
    let done = false;
    const sending = (await open({ confirmations: 3 })).send(settle(job), isSettled(job)).then((sent) => {
      done = true;
      return sent;
    });
    await until(() => count("eth_blockNumber") >= 2);
    expect(done).to.equal(false);
    await chain.control.mine({ blocks: 1 });
    await wait(100);
    expect(done).to.equal(false);
    await chain.control.mine({ blocks: 1 });
    expect((await sending).status).to.equal("mined");
  });

  it("sends again when a reorg drops the transaction before it is confirmed", async () => {
    const job = newJob();
    const sending = (await open({ confirmations: 2 })).send(settle(job), isSettled(job));
    const id = await chain.control.snapshot(); // taken with nothing sent yet
    await until(() => count("eth_blockNumber") >= 1);
    await chain.control.revert({ id });
    await until(async () => (await isSettled(job)()) as boolean);
    await chain.control.mine({ blocks: 2 });
    expect((await sending).status).to.equal("mined");
    expect(await isSettled(job)()).to.equal(true);
  });

  it("settles once when the worker dies between sending and mining and starts again", async () => {
    for (const nodeTellsOfThePool of [true, false]) {
      await chain.control.setAutomine(false);
      const job = newJob();
      const settlements = (await read("settlements")) as bigint;
      const nonce = await chain.public.getTransactionCount({ address: wallet.address });
      const stop = new AbortController();
      const first = (await open({ signal: stop.signal })).send(settle(job), isSettled(job));
      await until(() => count("eth_sendRawTransaction") >= 1);
      stop.abort();
      await rejection(first, SenderStoppedError);

      if (!nodeTellsOfThePool) {
        proxy.rule = ({ method, params }) =>
          method === "eth_getTransactionCount" && params[1] === "pending" ? { result: toHex(nonce) } : "pass";
      }
      const sentBefore = count("eth_sendRawTransaction");
      const second = (await open()).send(settle(job), isSettled(job));
      if (!nodeTellsOfThePool) await until(() => count("eth_sendRawTransaction") > sentBefore);
      await wait(50);
      await chain.control.mine({ blocks: 1 });
      expect((await second).status).to.be.oneOf(nodeTellsOfThePool ? ["alreadyDone"] : ["mined", "alreadyDone"]);
      await chain.control.mine({ blocks: 2 });
      expect((await read("settlements")) as bigint).to.equal(settlements + 1n);
      expect(await chain.public.getTransactionCount({ address: wallet.address })).to.equal(nonce + 1);
      proxy.rule = () => "pass";
      proxy.calls.length = 0;
    }
  });

  it("takes the place of an earlier life's transaction that nobody mines", async () => {
    await chain.control.setAutomine(false);
    const nonce = await chain.public.getTransactionCount({ address: wallet.address });
    const fees = { maxFeePerGas: parseGwei("20"), maxPriorityFeePerGas: parseGwei("4") };
    await chain.wallet(5).sendTransaction({ to: wallet.address, value: 1n, nonce, gas: 21_000n, ...fees });
    const job = newJob();
    const sending = (await open()).send(settle(job), isSettled(job));
    const block = () => chain.public.getBlock({ blockTag: "pending", includeTransactions: true });
    await until(async () => (await block()).transactions[0]?.to === emitter.toLowerCase());
    await chain.control.mine({ blocks: 1 });
    expect((await sending).status).to.equal("mined");
    expect(await isSettled(job)()).to.equal(true);
  });

  it("gives up on a transaction that nobody takes, and finds or replaces it later", async () => {
    await chain.control.setAutomine(false);
    const job = newJob();
    const sender = await open({ giveUpMs: 300 });
    const nonce = await chain.public.getTransactionCount({ address: wallet.address });
    const error = await rejection(sender.send(settle(job), isSettled(job)), TransactionStuckError);
    expect(error).to.include({ nonce: BigInt(nonce), retryable: true });
    expect(error.lastHash).to.match(/^0x[0-9a-f]{64}$/);
    await chain.control.setAutomine(true);
    await chain.control.mine({ blocks: 1 });
    expect(await sender.send(settle(job), isSettled(job))).to.deep.equal({ status: "alreadyDone" });
  });

  it("offers no more than the cap, and says so when gas costs more", async () => {
    const error = await rejection((await open({ maxFeePerGas: 5n })).send(settle(newJob()), never), FeeTooHighError);
    expect(error.cap).to.equal(5n);
    expect(error.needed > 5n).to.equal(true);
    proxy.rule = ({ method }) => (method === "eth_maxPriorityFeePerGas" ? { result: toHex(10n ** 18n) } : "pass");
    await rejection((await open()).send(settle(newJob()), never), FeeTooHighError);
  });

  it("names the wallet and the amount when money for gas is lacking", async () => {
    const poor = privateKeyToAccount(generatePrivateKey());
    const error = await rejection(
      (await open({ account: poor })).send(settle(newJob()), never),
      InsufficientGasMoneyError,
    );
    expect(error).to.include({ address: poor.address, balance: 0n });
    expect(error.needed > 0n).to.equal(true);
    expect(error.hint).to.equal(`Send at least ${error.needed} wei to ${poor.address}.`);
  });

  it("tells a revert on chain from a refusal", async () => {
    const job = newJob();
    proxy.rule = ({ method }) => {
      if (method === "eth_estimateGas") return { result: toHex(22_500) }; // a lie: it runs out of gas
      return "pass";
    };
    const error = await rejection((await open()).send(settle(job), isSettled(job)), TransactionRevertedError);
    expect(error.transactionHash).to.match(/^0x[0-9a-f]{64}$/);
    expect(await isSettled(job)()).to.equal(false);
  });

  it("waits out a node that fails in between, and doubles nothing", async () => {
    const job = newJob();
    const settlements = (await read("settlements")) as bigint;
    let failures = 4;
    proxy.rule = ({ method }) => {
      if (["eth_sendRawTransaction", "eth_getTransactionReceipt"].includes(method) && failures-- > 0)
        return { status: 502 };
      return "pass";
    };
    const sent = await (await open()).send(settle(job), isSettled(job));
    expect(sent.status).to.equal("mined");
    expect((await read("settlements")) as bigint).to.equal(settlements + 1n);
  });

  it("ignores the receipt of another transaction", async () => {
    const job = newJob();
    proxy.rule = ({ method }) =>
      method === "eth_getTransactionReceipt"
        ? { change: (r) => r && { ...(r as object), transactionHash: job } }
        : "pass";
    const error = await rejection((await open()).send(settle(job), never), TransactionRefusedError);
    expect([error.errorName, error.args]).to.deep.equal(["JobMarket_NotOpen", [job, 2]]); // looked again
  });

  it("refuses another chain than the deployment's, and URLs that are none", async () => {
    const error = await rejection(open({ chainId: 1 }), WrongChainError);
    expect(error).to.include({ actual: 31337n, expected: 1 });
    await rejection(connectChain({ rpcUrl: proxy.url, chainId: 1 }), WrongChainError);
    await rejection(connectChain({ rpcUrl: "file:///etc/passwd", chainId: 1 }), BadRpcUrlError);
    proxy.rule = () => "hang";
    await rejection(connectChain({ rpcUrl: proxy.url, chainId: 31337, timeoutMs: 100 }), RpcFailedError);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await wait(10);
  }
  throw new Error("waited in vain");
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
