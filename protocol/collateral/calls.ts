/**
 * Room: protocol/collateral. The calls that bring collateral to `ITdxCollateral`, each item's own. Pure.
 */
import { bytesToHex, type Hex } from "viem";
import { readCertificate } from "../quote/certificate.ts";
import { type P256Key, p256KeyOf } from "../quote/platformRecord.ts";
import type { Collateral } from "./collateral.ts";
import { readCrl } from "./crl.ts";
import { crlOrder } from "./crlOrder.ts";
import { flzCompress } from "./flz.ts";

/** Items in the order in which the chain takes them: an authority before what it signs. */
export const collateralItems = ["pckCa", "tcbSigning", "rootCrl", "pckCrl", "qeIdentity", "tcbInfo"] as const;

/** Name of an item. */
export type CollateralItemName = (typeof collateralItems)[number];

/** A call of `ITdxCollateral`. */
export type CollateralCall =
  | { functionName: "addAuthority"; args: readonly [Hex] }
  | { functionName: "upsertRootCrl"; args: readonly [Hex] }
  | { functionName: "upsertPckCrl"; args: readonly [P256Key, Hex, Hex] }
  | { functionName: "upsertQeIdentity"; args: readonly [P256Key, Hex, Hex] }
  | { functionName: "upsertTcbInfo"; args: readonly [P256Key, Hex, Hex] };

/**
 * The call that records an item, whatever the chain has. Says nothing of whether the chain takes it.
 *
 * @throws what reading the signer's certificate throws; of a revocation list or TCB info also what reading or packing
 * it throws
 * @example
 * const { functionName, args } = collateralCall("tcbInfo", collateral)
 */
export function collateralCall(item: CollateralItemName, collateral: Collateral): CollateralCall {
  const signer = () => p256KeyOf(readCertificate(collateral.tcbSigning).publicKey);
  switch (item) {
    case "pckCa":
    case "tcbSigning":
      return { functionName: "addAuthority", args: [bytesToHex(collateral[item])] };
    case "rootCrl":
      return { functionName: "upsertRootCrl", args: [bytesToHex(collateral.rootCaCrl)] };
    case "pckCrl": {
      const issuer = p256KeyOf(readCertificate(collateral.pckCa).publicKey);
      const order = crlOrder(readCrl(collateral.pckCrl).revoked);
      return { functionName: "upsertPckCrl", args: [issuer, bytesToHex(collateral.pckCrl), bytesToHex(order)] };
    }
    case "qeIdentity": {
      const { qeIdentity, qeIdentitySignature } = collateral;
      const args = [signer(), bytesToHex(qeIdentity), bytesToHex(qeIdentitySignature)] as const;
      return { functionName: "upsertQeIdentity", args };
    }
    case "tcbInfo": {
      const { tcbInfo, tcbInfoSignature } = collateral;
      const args = [signer(), bytesToHex(flzCompress(tcbInfo)), bytesToHex(tcbInfoSignature)] as const;
      return { functionName: "upsertTcbInfo", args };
    }
  }
}
