/**
 * Room: protocol/collateral. Reads the identity of Intel's TD quoting enclave. Checks no signature and no date. Pure.
 * Source: Intel PCS API v4, "Get TD QE Identity", version 2.
 */
import { z } from "zod";
import type { EnclaveIdentity } from "../quote/enclaveIdentity.ts";
import { advisoryIds, hexBytes, maxListLength, readCanonicalJson, unsigned, utcTime } from "./canonicalJson.ts";
import type { EnclaveLevel } from "./tcbInfo.ts";
import { enclaveStatuses } from "./tcbStatus.ts";

/** Which enclave makes quotes, and which of its versions have which status, in the order in which Intel lists them. */
export type QeIdentity = {
  /** Unix seconds; valid from the first until before the second. */
  issueDate: number;
  nextUpdate: number;
  evaluationNumber: number;
  enclave: EnclaveIdentity;
  levels: readonly EnclaveLevel[];
};

const schema = z.strictObject({
  id: z.literal("TD_QE"),
  version: z.literal(2),
  issueDate: utcTime,
  nextUpdate: utcTime,
  tcbEvaluationDataNumber: unsigned(4),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: unsigned(2),
  tcbLevels: z
    .array(
      z.strictObject({
        tcb: z.strictObject({ isvsvn: unsigned(2) }),
        tcbDate: utcTime,
        tcbStatus: z.enum(enclaveStatuses),
        advisoryIDs: advisoryIds,
      }),
    )
    .min(1)
    .max(maxListLength),
});

/**
 * Reads the identity of the TD quoting enclave.
 *
 * @param bytes - the signed JSON, as published.
 * @throws `MalformedCollateralError`
 * @example
 * const { levels } = readQeIdentity(collateral.qeIdentity)
 */
export function readQeIdentity(bytes: Uint8Array): QeIdentity {
  const read = readCanonicalJson("QE identity", bytes, schema);
  return {
    issueDate: read.issueDate,
    nextUpdate: read.nextUpdate,
    evaluationNumber: read.tcbEvaluationDataNumber,
    enclave: {
      miscSelect: littleEndian(read.miscselect),
      miscSelectMask: littleEndian(read.miscselectMask),
      attributes: read.attributes,
      attributesMask: read.attributesMask,
      mrSigner: read.mrsigner,
      isvProdId: read.isvprodid,
    },
    levels: read.tcbLevels.map(({ tcb, tcbStatus, tcbDate, advisoryIDs }) => ({
      isvSvn: tcb.isvsvn,
      status: tcbStatus,
      tcbDate,
      advisoryIds: advisoryIDs,
    })),
  };
}

function littleEndian(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}
