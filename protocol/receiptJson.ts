/**
 * Room: protocol/receiptJson. JSON form of a signed receipt and of an order (GET /receipts/:id, bundles). Pure.
 */
import { z } from "zod";
import { failureCodes, type JobOrder, type Receipt } from "./eip712.ts";
import { maxDatasets, maxQuorum } from "./limits.ts";
import { address, bytes32, hexOf, uint32, uint64String, uintString } from "./schemas.ts";

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
  outputRows: uint64String,
  runSeconds: uint32,
  countedGrants: z.int().min(0).max(65_535),
  logRoot: bytes32,
  logSize: uint64String,
  anchorBlock: uint64String,
  anchorHash: bytes32,
  failureCode: z
    .int()
    .min(0)
    .max(failureCodes.length - 1),
});

/** A receipt with the enclave's signature (65 bytes r || s || v). */
export const signedReceiptSchema = z.strictObject({ receipt: receiptSchema, signature: hexOf(65), signer: address });

/** JSON form of a {@link JobOrder}. */
export const orderSchema = z.strictObject({
  requester: address,
  payer: address,
  programId: bytes32,
  workloadId: bytes32,
  paramsHash: bytes32,
  datasets: z
    .array(z.strictObject({ datasetId: bytes32, grantHash: bytes32, maxPrice: uintString }))
    .min(1)
    .max(maxDatasets),
  resultKey: bytes32,
  token: address,
  operatorFee: uintString,
  failureFee: uintString,
  operator: address,
  offerHash: bytes32,
  bond: uintString,
  acceptBy: uint64String,
  deadline: uint64String,
  quorum: z.int().min(1).max(maxQuorum),
  session: bytes32,
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
    outputRows: receipt.outputRows.toString(),
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
    datasets: order.datasets.map((use) => ({ ...use, maxPrice: use.maxPrice.toString() })),
    operatorFee: order.operatorFee.toString(),
    failureFee: order.failureFee.toString(),
    bond: order.bond.toString(),
    acceptBy: order.acceptBy.toString(),
    deadline: order.deadline.toString(),
    nonce: order.nonce.toString(),
  };
}
