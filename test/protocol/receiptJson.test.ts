import { expect } from "chai";
import type { JobOrder, Receipt } from "../../protocol/eip712.ts";
import {
  orderSchema,
  orderToJson,
  receiptSchema,
  receiptToJson,
  signedReceiptSchema,
} from "../../protocol/receiptJson.ts";

const id = `0x${"ab".repeat(32)}` as const;
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const receipt: Receipt = {
  jobId: id,
  status: 1,
  programId: id,
  workloadId: id,
  inputsRoot: id,
  grantsRoot: id,
  paramsHash: id,
  resultHash: id,
  outputCommitment: id,
  policyHash: id,
  fuelUsed: 2n ** 64n - 1n,
  outputRows: 2n ** 64n - 1n,
  runSeconds: 2 ** 32 - 1,
  countedGrants: 65_535,
  logRoot: id,
  logSize: 0n,
  anchorBlock: 1n,
  anchorHash: id,
  failureCode: 0,
};
const order: JobOrder = {
  requester: address,
  payer: address,
  programId: id,
  workloadId: id,
  paramsHash: id,
  datasets: [{ datasetId: id, grantHash: id, maxPrice: 2n ** 256n - 1n }],
  resultKey: id,
  token: address,
  operatorFee: 1n,
  failureFee: 0n,
  operator: address,
  offerHash: id,
  bond: 2n ** 256n - 1n,
  acceptBy: 2n ** 64n - 1n,
  deadline: 2n ** 64n - 1n,
  quorum: 5,
  session: id,
  nonce: 2n ** 256n - 1n,
};

const overJson = (value: unknown) => JSON.parse(JSON.stringify(value));
const acceptsReceipt = (change: object) => receiptSchema.safeParse({ ...receiptToJson(receipt), ...change }).success;
const acceptsOrder = (change: object) => orderSchema.safeParse({ ...orderToJson(order), ...change }).success;

describe("receiptSchema", () => {
  it("reads back what receiptToJson wrote", () => {
    expect(receiptSchema.parse(overJson(receiptToJson(receipt)))).to.deep.equal(receipt);
    const signed = { receipt: receiptToJson(receipt), signature: `0x${"12".repeat(65)}`, signer: address };
    expect(signedReceiptSchema.parse(overJson(signed))).to.deep.equal({ ...signed, receipt });
    expect(signedReceiptSchema.safeParse({ ...signed, signature: "0x12" }).success).to.equal(false);
    expect(signedReceiptSchema.safeParse({ ...signed, more: 1 }).success).to.equal(false);
  });

  it("refuses unknown and missing fields, and values out of range", () => {
    expect(acceptsReceipt({})).to.equal(true);
    expect(acceptsReceipt({ more: 1 })).to.equal(false);
    for (const field of Object.keys(receipt)) expect(acceptsReceipt({ [field]: undefined }), field).to.equal(false);
    for (const status of [0, 3, 1.5, "1"]) expect(acceptsReceipt({ status })).to.equal(false);
    for (const failureCode of [-1, 21]) expect(acceptsReceipt({ failureCode })).to.equal(false);
    for (const runSeconds of [-1, 2 ** 32, 0.5]) expect(acceptsReceipt({ runSeconds })).to.equal(false);
    for (const countedGrants of [-1, 65_536, "1"]) expect(acceptsReceipt({ countedGrants })).to.equal(false);
    for (const field of ["fuelUsed", "outputRows", "logSize", "anchorBlock"]) {
      expect(acceptsReceipt({ [field]: (2n ** 64n).toString() }), field).to.equal(false);
      expect(acceptsReceipt({ [field]: 1 }), field).to.equal(false);
    }
  });
});

describe("orderSchema", () => {
  it("reads back what orderToJson wrote", () => {
    expect(orderSchema.parse(overJson(orderToJson(order)))).to.deep.equal(order);
  });

  it("refuses unknown and missing fields, no data sets or too many", () => {
    expect(acceptsOrder({ more: 1 })).to.equal(false);
    for (const field of Object.keys(order)) expect(acceptsOrder({ [field]: undefined }), field).to.equal(false);
    const use = { datasetId: id, grantHash: id, maxPrice: "1" };
    expect(acceptsOrder({ datasets: Array(16).fill(use) })).to.equal(true);
    expect(acceptsOrder({ datasets: Array(17).fill(use) })).to.equal(false);
    for (const quorum of [0, 6, 1.5, "1"]) expect(acceptsOrder({ quorum })).to.equal(false);
    expect(acceptsOrder({ datasets: [] })).to.equal(false);
    expect(acceptsOrder({ datasets: [{ ...use, more: 1 }] })).to.equal(false);
    expect(acceptsOrder({ datasets: [{ ...use, maxPrice: "-1" }] })).to.equal(false);
  });
});
