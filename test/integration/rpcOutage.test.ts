/** An RPC provider that fails, and a gas wallet that is empty for a while: the worker waits and goes on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { encodeErrorResult } from "viem";
import { enclaveRegistryAbi } from "../../protocol/abi.ts";
import { type LocalMarket, type LocalWorker, startLocalMarket, whenReady } from "../../scripts/localMarket.ts";
import { type RpcCall, type RpcProxy, startRpcProxy, type Verdict } from "../support/rpcProxy.ts";

describe("an RPC provider that fails", () => {
  let dir: string;
  let market: LocalMarket;
  let proxy: RpcProxy;
  let worker: LocalWorker;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "dcm-outage-"));
    market = await startLocalMarket(dir);
    proxy = await startRpcProxy(market.chain.rpcUrl);
  });
  after(async () => {
    await market.stop();
    await proxy.close();
    await rm(dir, { recursive: true, force: true });
  });

  const logged = (text: string) => worker.child.lines.stdout.filter((line) => line.includes(text)).length;
  const until = async (condition: () => boolean) => {
    for (let tries = 0; tries < 400 && worker.child.process.exitCode === null; tries++) {
      if (condition()) return;
      await sleep(25);
    }
    throw new Error(`waited in vain:\n${[...worker.child.lines.stdout, ...worker.child.lines.stderr].join("\n")}`);
  };

  /** A simulation of what the worker is about to send. */
  const isSentTo = (call: unknown, contract: string) => {
    const { from, to } = call as { from?: string; to?: string };
    return from !== undefined && to?.toLowerCase() === contract.toLowerCase();
  };

  it("while the worker starts and registers does not end it, nor does an empty wallet or a quote that got stale", async () => {
    const fresh = new Set(["eth_chainId", "eth_call"]);
    proxy.rule = ({ method }): Verdict => {
      if (fresh.delete(method)) return { status: 503 };
      return method === "eth_getBalance" ? { result: "0x0" } : "pass";
    };
    worker = await market.startWorker({ env: { RPC_URL: proxy.url } });
    await until(() => logged("Chain.InsufficientGasMoneyError") === 1);

    const seen = logged("enclave.register");
    proxy.rule = () => ({ status: 503 });
    await until(() => logged("enclave.register") > seen);

    const data = encodeErrorResult({
      abi: enclaveRegistryAbi,
      errorName: "EnclaveRegistry_StaleBlock",
      args: [1n, 999n],
    });
    const isRegistration = ({ method, params }: RpcCall) =>
      method === "eth_call" && isSentTo(params[0], market.deployment.contracts.enclaveRegistry);
    proxy.rule = (call): Verdict =>
      isRegistration(call) ? { error: { code: 3, message: "execution reverted", data } } : "pass";
    await until(() => logged("Registration.OutdatedProofError") === 1);

    proxy.rule = () => "pass";
    await whenReady(worker, 20_000);
    expect(worker.child.process.exitCode).to.equal(null);
  });
});
