/**
 * Room: sdk/audit/gather/collateral. The collateral by which the chain judged a registration, as it was sent to the chain:
 * whole and signed, so that an audit can judge by it anew. Nothing gathered is believed.
 */
import { decodeFunctionData, getAbiItem, type Hex, hexToBytes, isAddressEqual, pad, toHex } from "viem";
import { tdxCollateralAbi } from "../../../protocol/abi.ts";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import { flzUnpack } from "../../../protocol/collateral/flzUnpack.ts";
import { BaseError } from "../../../protocol/errors.ts";
import { readCertificate } from "../../../protocol/quote/certificate.ts";
import { type P256Key, p256KeyOf, type RecordedPlatform } from "../../../protocol/quote/platformRecord.ts";
import type { Missing, Position } from "../evidence.ts";
import type { ChainView, Seen } from "./chainView.ts";

const recordedEvent = getAbiItem({ abi: tdxCollateralAbi, name: "CollateralRecorded" });
const authorityEvent = getAbiItem({ abi: tdxCollateralAbi, name: "AuthorityRecorded" });

/** Values of `CollateralKind` in ITdxCollateral.sol. */
const kind = { rootCrl: 0, pckCrl: 1, qeIdentity: 2, tcbInfo: 3 } as const;

/**
 * What the chain judged a platform by at a position: the last of each kind before it.
 *
 * @param pckCa - certificate of the platform's PCK CA, DER.
 * @example
 * const collateral = await gatherCollateral(view, registered.tcb.platform, pckIssuer, registered)
 */
export async function gatherCollateral(
  view: ChainView,
  platform: RecordedPlatform,
  pckCa: Hex,
  before: Position,
): Promise<Omit<Collateral, "rootCa"> | Missing> {
  const issuer = pad(toHex(platform.issuer), { size: 32 });
  const fmspc = pad(platform.fmspc, { size: 32, dir: "right" });
  const zero = pad("0x", { size: 32 });
  const rootCrl = await lastCall(view, kind.rootCrl, zero, before);
  const pckCrl = await lastCall(view, kind.pckCrl, issuer, before);
  const qeIdentity = await lastCall(view, kind.qeIdentity, zero, before);
  const tcbInfo = await lastCall(view, kind.tcbInfo, fmspc, before);
  const isWhole =
    rootCrl?.functionName === "upsertRootCrl" &&
    pckCrl?.functionName === "upsertPckCrl" &&
    qeIdentity?.functionName === "upsertQeIdentity" &&
    tcbInfo?.functionName === "upsertTcbInfo";
  if (!isWhole) return { missing: "some collateral was sent through another contract, and does not show" };
  const [signer, packed, tcbInfoSignature] = tcbInfo.args;
  const tcbSigning = await certificateOf(view, signer, before);
  if (tcbSigning === undefined) return { missing: "the TCB signing certificate does not show in a transaction" };
  try {
    return {
      tcbInfo: flzUnpack(hexToBytes(packed)),
      tcbInfoSignature: hexToBytes(tcbInfoSignature),
      qeIdentity: hexToBytes(qeIdentity.args[1]),
      qeIdentitySignature: hexToBytes(qeIdentity.args[2]),
      tcbSigning: hexToBytes(tcbSigning),
      pckCa: hexToBytes(pckCa),
      rootCaCrl: hexToBytes(rootCrl.args[0]),
      pckCrl: hexToBytes(pckCrl.args[1]),
    };
  } catch (error) {
    if (error instanceof BaseError) return { missing: error.message };
    throw error;
  }
}

/** The call that recorded an item last before a position; undefined if there is none, or it was made by a contract. */
async function lastCall(view: ChainView, of: number, id: Hex, before: Position) {
  const address = view.deployment.contracts.tdxCollateral;
  const seen = await view.events({ address, event: recordedEvent, args: { kind: of, id } });
  const last = seen.findLast((one) => isBefore(one, before));
  return last && decoded(view, last);
}

async function certificateOf(view: ChainView, key: P256Key, before: Position): Promise<Hex | undefined> {
  const address = view.deployment.contracts.tdxCollateral;
  const seen = await view.events({ address, event: authorityEvent, args: {} });
  for (const one of seen.toReversed()) {
    if (!isBefore(one, before) || one.args.key.x !== key.x || one.args.key.y !== key.y) continue;
    const call = await decoded(view, one);
    if (call?.functionName === "addAuthority" && isCertificateOf(call.args[0], key)) return call.args[0];
  }
  return undefined;
}

async function decoded(view: ChainView, { transactionHash }: Pick<Seen<typeof recordedEvent>, "transactionHash">) {
  const { to, input } = await view.transaction(transactionHash);
  if (to === null || !isAddressEqual(to, view.deployment.contracts.tdxCollateral)) return undefined;
  try {
    return decodeFunctionData({ abi: tdxCollateralAbi, data: input });
  } catch {
    return undefined;
  }
}

function isCertificateOf(der: Hex, key: P256Key): boolean {
  try {
    const { x, y } = p256KeyOf(readCertificate(hexToBytes(der)).publicKey);
    return x === key.x && y === key.y;
  } catch (error) {
    if (error instanceof BaseError) return false;
    throw error;
  }
}

function isBefore(one: Position, other: Position): boolean {
  const { number } = one.block;
  return number < other.block.number || (number === other.block.number && one.logIndex < other.logIndex);
}
