import { expect } from "chai";
import { createPublicClient, http, type PublicClient } from "viem";
import { isSignedByOwner } from "../../../enclave/vault/ownerSignature.ts";
import { RpcFailedError } from "../../../protocol/chain/rpc.ts";
import { rejection } from "../../support/rejection.ts";
import { type RpcProxy, startRpcProxy, type Verdict } from "../../support/rpcProxy.ts";

const owner = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const digest = `0x${"ab".repeat(32)}` as const;
const magicWord = `0x1626ba7e${"00".repeat(28)}`;

describe("isSignedByOwner, of a contract", () => {
  let proxy: RpcProxy;
  let client: PublicClient;
  before(async () => {
    proxy = await startRpcProxy("http://127.0.0.1:9"); // every call is answered by the rule
    client = createPublicClient({ transport: http(proxy.url, { retryCount: 0 }), ccipRead: false });
  });
  after(() => proxy.close());

  const asked = (call: Verdict, code: Verdict = { result: "0x60" }) => {
    proxy.rule = ({ method }) => (method === "eth_getCode" ? code : call);
    return isSignedByOwner(client, owner, digest, "0x00");
  };

  it("is true for the magic word only", async () => {
    expect(await asked({ result: magicWord })).to.equal(true);
    expect(await asked({ result: `0xffffffff${"00".repeat(28)}` })).to.equal(false);
    expect(await asked({ result: "0x1626ba7e" })).to.equal(false);
    expect(await asked({ result: "0x" })).to.equal(false);
  });

  it("is false if the contract fails", async () => {
    expect(await asked({ error: { code: 3, message: "execution reverted", data: "0x" } })).to.equal(false);
    expect(await asked({ error: { code: -32000, message: "out of gas" } })).to.equal(false);
    expect(await asked({ error: { code: -32015, message: "VM execution error" } })).to.equal(false);
  });

  it("is no answer at all if the provider fails: nobody is refused for that", async () => {
    const failed = async (work: Promise<boolean>) => (await rejection(work, RpcFailedError)).method;
    expect(await failed(asked({ status: 503 }))).to.equal("eth_call");
    expect(await failed(asked({ error: { code: -32005, message: "limit exceeded" } }))).to.equal("eth_call");
    expect(await failed(asked({ result: magicWord }, { status: 429 }))).to.equal("eth_getCode");
  });
});
