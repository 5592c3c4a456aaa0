import { expect } from "chai";
import {
  encodeFunctionData,
  type Hex,
  keccak256,
  parseSignature,
  parseTransaction,
  serializeSignature,
  type Transaction,
  toHex,
  zeroAddress,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { jobMarketAbi } from "../../../protocol/abi.ts";
import { openerOf } from "../../../protocol/chain/openingTransaction.ts";
import type { Deployment } from "../../../protocol/deployment.ts";
import { domainOf, hashOrder, type JobOrder } from "../../../protocol/eip712.ts";
import { plainTerms } from "../../support/plainTerms.ts";

const jobMarket = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { chainId: 31337, contracts: { jobMarket } } as unknown as Deployment; // all that is read
const account = privateKeyToAccount(keccak256("0x01"));
const bytes32: Hex = `0x${"11".repeat(32)}`;
const order: JobOrder = {
  requester: account.address,
  payer: account.address,
  programId: bytes32,
  workloadId: bytes32,
  paramsHash: bytes32,
  datasets: [{ datasetId: bytes32, grantHash: bytes32, maxPrice: 5n }],
  resultKey: bytes32,
  token: zeroAddress,
  operatorFee: 1n,
  failureFee: 0n,
  operator: zeroAddress,
  ...plainTerms,
  deadline: 9n,
  nonce: 7n,
};
const jobId = hashOrder(domainOf(31337, jobMarket), order);
const openData = (requesterSignature: Hex, payerSignature: Hex = "0x") => {
  const args = [order, "blob:x", "0x7b7d", requesterSignature, payerSignature] as const;
  return encodeFunctionData({ abi: jobMarketAbi, functionName: "open", args });
};
const multicall = (...calls: Hex[]) =>
  encodeFunctionData({ abi: jobMarketAbi, functionName: "multicall", args: [calls] });
const data = openData("0x");
const permitArgs = [zeroAddress, 6n, 1n, 27, bytes32, bytes32] as const;
const permit = encodeFunctionData({ abi: jobMarketAbi, functionName: "depositWithPermit", args: permitArgs });
const common = { chainId: 31337, nonce: 3, gas: 400_000n, to: jobMarket, value: 6n, data } as const;
const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n } as const;

const relayer = privateKeyToAccount(keccak256("0x02"));

/** A signed transaction as a node tells it. */
async function told(fields: Parameters<typeof account.signTransaction>[0], by = account): Promise<Transaction> {
  const parsed = parseTransaction(await by.signTransaction(fields));
  const { data: input = "0x", value = 0n, v = 0n, ...rest } = parsed;
  return { accessList: [], from: zeroAddress, input, value, v, ...rest } as unknown as Transaction;
}

/** The other signature of the same key over the same hash. */
function flipS(signature: Hex): Hex {
  const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const { r, s, yParity } = parseSignature(signature);
  return serializeSignature({ r, s: toHex(n - BigInt(s), { size: 32 }), yParity: yParity ^ 1 });
}

describe("openerOf", () => {
  it("recovers the signer of every type of transaction, whatever the node says of its sender", async () => {
    for (const fields of [
      { ...common, type: "legacy", gasPrice: 9n },
      { ...common, type: "eip2930", gasPrice: 9n, accessList: [{ address: jobMarket, storageKeys: [bytes32] }] },
      { ...common, type: "eip1559", ...fees },
      { ...common, type: "eip1559", ...fees, data: multicall(permit, data) },
    ] as const) {
      expect(await openerOf(await told(fields), deployment, jobId), fields.type).to.equal(account.address);
    }
  });

  it("is the requester who signed the order, whoever sends it, in a multicall too", async () => {
    const signature = await account.sign({ hash: jobId });
    for (const sent of [openData(signature), multicall(permit, openData(signature)), multicall(openData(signature))])
      expect(
        await openerOf(await told({ ...common, type: "eip1559", ...fees, data: sent }, relayer), deployment, jobId),
      ).to.equal(account.address);
  });

  it("is who sent it where the order is not signed by its requester", async () => {
    const byRelayer = await relayer.sign({ hash: jobId });
    const ofOther = await account.sign({ hash: bytes32 });
    const highS = flipS(await account.sign({ hash: jobId }));
    for (const signature of ["0x", "0x12", byRelayer, ofOther, highS] as const) {
      // The payer's signature proves nothing of the requester.
      const sent = openData(signature, await account.sign({ hash: jobId }));
      for (const input of [sent, multicall(permit, sent)])
        expect(
          await openerOf(await told({ ...common, type: "eip1559", ...fees, data: input }, relayer), deployment, jobId),
        ).to.equal(relayer.address);
    }
  });

  it("looks into one multicall, at openings of the very job only", async () => {
    const signature = await account.sign({ hash: jobId });
    const other = { ...order, nonce: 8n };
    const args = [other, "", "0x7b7d", signature, "0x"] as const;
    const openOther = encodeFunctionData({ abi: jobMarketAbi, functionName: "open", args });
    const found = async (input: Hex) =>
      openerOf(await told({ ...common, type: "eip1559", ...fees, data: input }, relayer), deployment, jobId);
    expect(await found(multicall(openOther, openData(signature)))).to.equal(account.address);
    expect(await found(multicall(openOther, permit))).to.equal(undefined);
    expect(await found(multicall())).to.equal(undefined);
    expect(await found(multicall(multicall(openData(signature))))).to.equal(undefined);
    expect(await found(multicall(openData(signature).slice(0, 74) as Hex, openData(signature)))).to.equal(undefined);
    expect(await found(multicall("0x", openData(signature)))).to.equal(account.address);
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
