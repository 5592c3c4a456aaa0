/** Signed receipts of made-up jobs, for what is fast or slow by their number. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Domain, hashReceipt, type Receipt } from "../../protocol/eip712.ts";
import { receiptToJson } from "../../protocol/receiptJson.ts";

const hash = (text: string): Hex => bytesToHex(sha256(new TextEncoder().encode(text)));

/** Of enclave `n`: the same key and workload always. */
export const madeUpEnclave = (n: number) => ({
  account: privateKeyToAccount(hash(`enclave ${n}`)),
  workloadId: hash(`workload ${n % 2}`),
});

/** The receipt of job `i`, Ok, by enclave `n`. */
export function madeUpReceipt(i: number, n: number, changes: Partial<Receipt> = {}): Receipt {
  const of = (name: string) => hash(`${name} ${i}`);
  return {
    jobId: of("job"),
    status: 1,
    programId: of("program"),
    workloadId: madeUpEnclave(n).workloadId,
    paramsHash: of("params"),
    inputsRoot: of("inputs"),
    grantsRoot: of("grants"),
    resultHash: of("result"),
    outputCommitment: of("output"),
    policyHash: of("policy"),
    fuelUsed: BigInt(i) * 1_000_003n,
    outputRows: BigInt(i % 7),
    runSeconds: i % 3,
    countedGrants: i % 2,
    logRoot: of("log"),
    logSize: BigInt(i) * 6n + 7n,
    anchorBlock: BigInt(i) + 100n,
    anchorHash: of("anchor"),
    failureCode: 0,
    ...changes,
  };
}

/** A row of `auditReceipts`, signed by enclave `n`. */
export async function signedRow(domain: Domain, receipt: Receipt, n: number): Promise<string> {
  const { account } = madeUpEnclave(n);
  const signature = await account.sign({ hash: hashReceipt(domain, receipt) });
  return JSON.stringify({ receipt: receiptToJson(receipt), signature, signer: account.address });
}
