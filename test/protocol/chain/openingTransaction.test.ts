import { expect } from "chai";
import { encodeFunctionData, type Hex, keccak256, parseTransaction, type Transaction, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { openerOf } from "../../../protocol/chain/openingTransaction.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashOrder, type JobOrder } from "../../../protocol/eip712.ts";

const jobMarket = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket } } as unknown as Deployment; // all that is read
const account = privateKeyToAccount(keccak256("0x01"));
const bytes32: Hex = `0x${"11".repeat(32)}`;
const order: JobOrder = {
  requester: account.address,
  programId: bytes32,
  workloadId: bytes32,
  paramsHash: bytes32,
  datasets: [{ datasetId: bytes32, grantHash: bytes32, price: 5n }],
  resultKey: bytes32,
  token: zeroAddress,
  operatorFee: 1n,
  failureFee: 0n,
  operator: zeroAddress,
  deadline: 9n,
  nonce: 7n,
};
const jobId = hashOrder(domainOf(31337, jobMarket), order);
const data = encodeFunctionData({ abi: jobMarketAbi, functionName: "open", args: [order, "blob:x", "0x7b7d"] });
const permitArgs = [order, "", "0x", 1n, 27, bytes32, bytes32] as const;
const withPermit = encodeFunctionData({ abi: jobMarketAbi, functionName: "openWithPermit", args: permitArgs });
const common = { chainId: 31337, nonce: 3, gas: 400_000n, to: jobMarket, value: 6n, data } as const;
const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n } as const;

/** A signed transaction as a node tells it. */
async function told(fields: Parameters<typeof account.signTransaction>[0]): Promise<Transaction> {
  const parsed = parseTransaction(await account.signTransaction(fields));
  const { data: input = "0x", value = 0n, v = 0n, ...rest } = parsed;
  return { accessList: [], from: zeroAddress, input, value, v, ...rest } as unknown as Transaction;
}

describe("openerOf", () => {
  it("recovers the signer of every type of transaction, whatever the node says of its sender", async () => {
    for (const fields of [
      { ...common, type: "legacy", gasPrice: 9n },
      { ...common, type: "eip2930", gasPrice: 9n, accessList: [{ address: jobMarket, storageKeys: [bytes32] }] },
      { ...common, type: "eip1559", ...fees },
      { ...common, type: "eip1559", ...fees, data: withPermit },
    ] as const) {
      expect(await openerOf(await told(fields), deployment, jobId), fields.type).to.equal(account.address);
    }
  });

  it("knows another signer, or none, for every changed field that was signed", async () => {
    const honest = await told({ ...common, type: "eip1559", ...fees });
    const changes: Partial<Transaction>[] = [
      { nonce: 4 },
      { gas: 1n },
      { value: 7n },
      { maxFeePerGas: 8n },
      { r: bytes32 },
    ];
    for (const change of changes) {
      const opener = await openerOf({ ...honest, ...change } as Transaction, deployment, jobId);
      expect(opener, Object.keys(change)[0]).to.not.equal(account.address);
    }
  });

  it("is undefined for another job, chain, contract or function, and for what is malformed", async () => {
    const honest = await told({ ...common, type: "eip1559", ...fees });
    const withdraw = { abi: jobMarketAbi, functionName: "withdraw", args: [zeroAddress, jobMarket, 1n] } as const;
    expect(await openerOf(honest, deployment, bytes32)).to.equal(undefined);
    expect(await openerOf(honest, { ...deployment, chainId: 1 }, jobId)).to.equal(undefined);
    for (const fields of [
      { ...common, type: "eip1559", ...fees, chainId: 1 },
      { ...common, type: "eip1559", ...fees, to: zeroAddress },
      { ...common, type: "eip1559", ...fees, data: encodeFunctionData(withdraw) },
      { ...common, type: "eip1559", ...fees, data: data.slice(0, -64) as Hex },
      { ...common, type: "eip1559", ...fees, data: "0x" },
    ] as const) {
      expect(await openerOf(await told(fields), deployment, jobId)).to.equal(undefined);
    }
    expect(await openerOf({ ...honest, to: null } as Transaction, deployment, jobId)).to.equal(undefined);
    expect(await openerOf({ ...honest, r: "0x" } as Transaction, deployment, jobId)).to.equal(undefined);
  });
});
