/**
 * Room: sdk/wallets. The parts of an ERC-7730 descriptor: how a wallet shows what is signed, in words. Pure.
 * Source: ERC-7730, schema version 2.0.0 (ethereum/ERCs, assets/erc-7730/erc7730-v2.schema.json).
 */
import { type AbiFunction, type AbiParameter, zeroAddress } from "viem";
import type { Deployment } from "../../protocol/deployment.ts";

/** When a field is shown; always unless told. `ifNotIn`: unless it is one of these values. */
export type Visible = "always" | "never" | "optional" | { ifNotIn: readonly (string | number)[] };

/** How one field is shown. */
export type Field = {
  path: string;
  label: string;
  format: "raw" | "addressName" | "tokenAmount" | "amount" | "date" | "duration" | "unit" | "enum" | "calldata";
  params?: Readonly<Record<string, unknown>>;
  visible?: Visible;
};

/** Fields of each element of an array; their paths are relative to it. */
export type FieldGroup = { path: string; label: string; fields: readonly Field[] };

/** How one message or call is shown. */
export type Format = { intent: string; interpolatedIntent?: string; fields: readonly (Field | FieldGroup)[] };

/** Where a contract is. */
export type Place = { chainId: number; address: string };

/** An ERC-7730 file. */
export type Descriptor = {
  $schema: string;
  context: { $id: string } & (
    | { contract: { deployments: readonly Place[] } }
    | { eip712: { domain: { name: string; version: string }; deployments: readonly Place[] } }
  );
  metadata: {
    owner: string;
    contractName: string;
    constants: Readonly<Record<string, string>>;
    enums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
  display: { formats: Readonly<Record<string, Format>> };
};

/** The schema that the files follow. */
export const descriptorSchema = "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json";

/** What `metadata` says in every file here. */
export const commonMetadata = {
  owner: "data-collab-market",
  constants: { nativeCoin: zeroAddress },
  enums: { priceUnit: { "0": "per use", "1": "per row of the result", "2": "per byte of the data set" } },
} as const;

const zeroWord = `0x${"00".repeat(32)}`;

/** Hides a field that is zero: a wallet that does not know the rule shows it. */
export const ifSet: Visible = { ifNotIn: [0, zeroWord] };

/** As it is: numbers in decimal, bytes in hex. */
export function raw(path: string, label: string, visible?: Visible): Field {
  return { path, label, format: "raw", ...(visible === undefined ? {} : { visible }) };
}

/** An account: a name that the wallet trusts, or the address. */
export function account(path: string, label: string): Field {
  return { path, label, format: "addressName", params: { types: ["eoa", "wallet", "contract"] } };
}

/** The address of a token. Shown besides amounts: a wallet may not know it. */
export function token(path: string): Field {
  return { path, label: "Token (0x0: native coin)", format: "addressName", params: { types: ["token"] } };
}

/** An amount of the token whose address is at `tokenPath`, from the root of what is signed. */
export function amount(path: string, label: string, tokenPath: string, visible?: Visible): Field {
  const params = { tokenPath: `#.${tokenPath}`, nativeCurrencyAddress: "$.metadata.constants.nativeCoin" };
  return { path, label, format: "tokenAmount", params, ...(visible === undefined ? {} : { visible }) };
}

/** Unix seconds. */
export function date(path: string, label: string, visible?: Visible): Field {
  const shown = visible === undefined ? {} : { visible };
  return { path, label, format: "date", params: { encoding: "timestamp" }, ...shown };
}

/** Bytes that say nothing to people and that nobody signs: signatures. */
export function hidden(path: string, label: string): Field {
  return raw(path, label, "never");
}

/** Native coin that goes with a transaction. */
export const value: Field = { path: "@.value", label: "Native coin sent", format: "amount" };

/** Where the contract of a descriptor is: nowhere without a deployment, so that no wallet applies it. */
export function placesOf(deployment: Deployment | undefined, contract: keyof Deployment["contracts"]): Place[] {
  return deployment === undefined ? [] : [{ chainId: deployment.chainId, address: deployment.contracts[contract] }];
}

/**
 * A function as ERC-7730 names it: canonical types, parameter names, no spaces but one between both.
 *
 * @example
 * fragmentOf(withdraw) // "withdraw(address token,address to,uint256 amount)"
 */
export function fragmentOf({ name, inputs }: AbiFunction): string {
  return `${name}(${inputs.map(parameterOf).join(",")})`;
}

function parameterOf(parameter: AbiParameter): string {
  if (!("components" in parameter)) return `${parameter.type} ${parameter.name}`;
  const array = parameter.type.slice("tuple".length); // "" or "[]"
  return `(${parameter.components.map(parameterOf).join(",")})${array} ${parameter.name}`;
}
