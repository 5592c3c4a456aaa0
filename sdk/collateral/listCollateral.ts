/**
 * Room: sdk/collateral. Everything that the deployment's chain has of collateral.
 */
import { type ContractFunctionArgs, type ContractFunctionName, getAbiItem, type Hex, slice } from "viem";
import { tdxCollateralAbi } from "../../protocol/abi.ts";
import type { CollateralItemName } from "../../protocol/collateral/calls.ts";
import { authorityRoles, collateralKinds } from "../../protocol/collateral/chainState.ts";
import type { Client } from "../client.ts";
import { scanEvents } from "../scanEvents.ts";
import { read } from "../send.ts";

/** A recorded authority; times in Unix seconds. */
export type ListedAuthority = {
  authority: number;
  role: (typeof authorityRoles)[number];
  serial: Hex;
  notAfter: bigint;
  revoked: boolean;
};

/** A recorded item; times in Unix seconds. */
export type ListedItem = {
  item: Exclude<CollateralItemName, "pckCa" | "tcbSigning">;
  /** FMSPC of a TCB info. */
  fmspc?: Hex;
  /** Number of the authority whose list a PCK CRL is. */
  issuer?: number;
  issuedAt: number;
  nextUpdate: number;
  number: number;
  signer: number;
};

/** What a chain has. */
export type CollateralListing = {
  minimumEvaluationNumber: number;
  authorities: ListedAuthority[];
  items: ListedItem[];
};

const recordedEvent = getAbiItem({ abi: tdxCollateralAbi, name: "CollateralRecorded" });

/**
 * Lists authorities and items; without `fmspc`, the TCB info of every FMSPC that was ever recorded.
 *
 * @throws any error of `scanEvents` and `read`
 * @example
 * const { items } = await listCollateral(client, "0xb0c06f000000")
 */
export async function listCollateral(client: Client, fmspc?: Hex): Promise<CollateralListing> {
  const address = client.deployment.contracts.tdxCollateral;
  const call = <name extends ContractFunctionName<typeof tdxCollateralAbi, "view">>(
    functionName: name,
    args: ContractFunctionArgs<typeof tdxCollateralAbi, "view", name>,
  ) => read(client, { address, abi: tdxCollateralAbi, functionName, args });

  const authorities: ListedAuthority[] = [];
  for (let authority = 1; authority <= (await call("authorityCount", [])); authority++) {
    const { role, serial, notAfter, revoked } = await call("authority", [authority]);
    const hex: Hex = `0x${serial.toString(16)}`;
    authorities.push({ authority, role: authorityRoles[role] ?? "None", serial: hex, notAfter, revoked });
  }
  const items: ListedItem[] = [];
  type Recorded = { issuedAt: number; nextUpdate: number; number: number; signer: number };
  const list = (what: Pick<ListedItem, "item" | "fmspc" | "issuer">, recorded: Recorded) => {
    const { issuedAt, nextUpdate, number, signer } = recorded;
    if (issuedAt !== 0) items.push({ ...what, issuedAt, nextUpdate, number, signer });
  };
  list({ item: "rootCrl" }, await call("rootCrl", []));
  for (const { authority, role } of authorities)
    if (role !== "TcbSigning") list({ item: "pckCrl", issuer: authority }, await call("pckCrl", [authority]));
  list({ item: "qeIdentity" }, await call("qeIdentity", []));
  for (const one of fmspc === undefined ? await recordedFmspcs(client) : [fmspc])
    list({ item: "tcbInfo", fmspc: one }, await call("tcbInfo", [one]));
  return { minimumEvaluationNumber: await call("minimumEvaluationNumber", []), authorities, items };
}

async function recordedFmspcs(client: Client): Promise<Hex[]> {
  const address = client.deployment.contracts.tdxCollateral;
  const found = new Set<Hex>();
  const args = { kind: collateralKinds.indexOf("TcbInfo") };
  for await (const log of scanEvents(client, { address, event: recordedEvent, args }))
    found.add(slice(log.args.id, 0, 6));
  return [...found].sort();
}
