/**
 * Room: protocol/receiptJson. JSON form of a signed receipt and of an order (GET /receipts/:id, bundles). Pure.
 */
import { z } from "zod";
import type { JobOrder, Receipt } from "./eip712.ts";
import { address, bytes32, hexOf, uint64String, uintString } from "./schemas.ts";

/** JSON form of a {@link Receipt}. */
export const receiptSchema = z.strictObject({
  jobId: bytes32,
  status: z.int().min(1).max(2),
  programId: bytes32,
  workloadId: bytes32,
  inputsRoot: bytes32,
  grantsRoot: bytes32,
  paramsHash: bytes32,
  resultHash: bytes32,
  outputCommitment: bytes32,
  policyHash: bytes32,
  fuelUsed: uint64String,
  logRoot: bytes32,
  logSize: uint64String,
  anchorBlock: uint64String,
  anchorHash: bytes32,
  failureCode: z.int().min(0).max(15),
});

/** A receipt with the enclave's signature (65 bytes r || s || v). */
export const signedReceiptSchema = z.strictObject({ receipt: receiptSchema, signature: hexOf(65), signer: address });

/** JSON form of a {@link JobOrder}. */
export const orderSchema = z.strictObject({
  requester: address,
  programId: bytes32,
  workloadId: bytes32,
  paramsHash: bytes32,
  datasets: z
    .array(z.strictObject({ datasetId: bytes32, grantHash: bytes32, price: uintString }))
    .min(1)
    .max(16),
  resultKey: bytes32,
  token: address,
  operatorFee: uintString,
  failureFee: uintString,
  operator: address,
  deadline: uint64String,
  nonce: uintString,
});

/**
 * JSON form of a receipt: bigints as decimal strings.
 *
 * @example
 * JSON.stringify(receiptToJson(receipt))
 */
export function receiptToJson(receipt: Receipt) {
  return {
    ...receipt,
    fuelUsed: receipt.fuelUsed.toString(),
    logSize: receipt.logSize.toString(),
    anchorBlock: receipt.anchorBlock.toString(),
  };
}

/**
 * JSON form of an order: bigints as decimal strings.
 *
 * @example
 * JSON.stringify(orderToJson(order))
 */
export function orderToJson(order: JobOrder) {
  return {
    ...order,
    datasets: order.datasets.map((use) => ({ ...use, price: use.price.toString() })),
    operatorFee: order.operatorFee.toString(),
    failureFee: order.failureFee.toString(),
    deadline: order.deadline.toString(),
    nonce: order.nonce.toString(),
  };
}
