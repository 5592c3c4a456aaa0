/**
 * Room: protocol/signedOrder. An order that is settled in one transaction, without having been opened: what its requester
 * gives to a worker (POST /orders). Pure.
 */
import type { Hex } from "viem";
import { z } from "zod";
import type { JobOrder } from "./eip712.ts";
import { maxParamsBytes, maxProgramUriBytes, maxSignatureBytes } from "./limits.ts";
import { orderSchema, orderToJson } from "./receiptJson.ts";
import { hexUpTo } from "./schemas.ts";

/** The body of POST /orders. */
export const signedOrderSchema = z.strictObject({
  order: orderSchema,
  programUri: z
    .string()
    .refine(
      (uri) => new TextEncoder().encode(uri).length <= maxProgramUriBytes,
      `must be at most ${maxProgramUriBytes} bytes`,
    ),
  /** Canonical JSON. */
  params: hexUpTo(maxParamsBytes),
  /** Of the job id: ECDSA, or ERC-1271 for contracts. */
  requesterSignature: hexUpTo(maxSignatureBytes),
  /** As that, of the payer; empty if that is the requester. */
  payerSignature: hexUpTo(maxSignatureBytes),
});

/** A parsed order with its signatures. */
export type SignedOrder = {
  order: JobOrder;
  programUri: string;
  params: Hex;
  requesterSignature: Hex;
  payerSignature: Hex;
};

/**
 * JSON form of a signed order.
 *
 * @example
 * await fetch(`${worker}/orders`, { method: "POST", body: JSON.stringify(signedOrderToJson(signed)), headers })
 */
export function signedOrderToJson(signed: SignedOrder) {
  return { ...signed, order: orderToJson(signed.order) };
}
