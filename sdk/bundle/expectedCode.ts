/**
 * Room: sdk/bundle/expectedCode. The code that this project's contracts have at a deployment's addresses, computed: the
 * compiler's output with this deployment's immutables in place. What an account's proven code hash has to be for the chain's
 * word to be worth what the sources say. Pure. Mirrors the constructors under contracts/.
 */
import {
  type Address,
  bytesToHex,
  concatHex,
  domainSeparator,
  type Hex,
  hexToBytes,
  keccak256,
  numberToHex,
  pad,
  slice,
  stringToBytes,
  stringToHex,
} from "viem";
import type { Deployment } from "../../protocol/deployment.ts";
import { domainOf } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import contractCode from "./contractCode.json" with { type: "json" };

/** What a deployment fixes beside its addresses and root key. */
export type CodeParameters = {
  marketExtension: Address;
  maxLifeSeconds: bigint;
  /** Bit n: status n may register. */
  allowedTcb: number;
  minimumEvaluationNumber: number;
};

/** A contract and the keccak256 of its code. */
export type ExpectedCode = { name: keyof typeof contractCode; address: Address; codeHash: Hex };

/**
 * The code of each contract that a job rests on.
 *
 * @example
 * for (const { name, address, codeHash } of expectedCode(deployment, parameters)) console.log(name, address, codeHash)
 */
export function expectedCode(deployment: Deployment, parameters: CodeParameters): ExpectedCode[] {
  const { contracts, rootKey, chainId } = deployment;
  const { marketExtension } = parameters;
  const registries = { _enclaves: contracts.enclaveRegistry, _datasets: contracts.datasetRegistry };
  const root = { _ROOT_X: slice(rootKey, 0, 32), _ROOT_Y: slice(rootKey, 32, 64) };
  const policy = { maxLifeSeconds: numberToHex(parameters.maxLifeSeconds), allowedTcb: hex(parameters.allowedTcb) };
  const immutables: Readonly<Record<ExpectedCode["name"], readonly [Address, Readonly<Record<string, Hex>>]>> = {
    tdxCollateral: [
      contracts.tdxCollateral,
      { ...root, minimumEvaluationNumber: hex(parameters.minimumEvaluationNumber) },
    ],
    tdxVerifier: [contracts.tdxVerifier, { COLLATERAL: contracts.tdxCollateral }],
    enclaveRegistry: [
      contracts.enclaveRegistry,
      { ...signing(chainId, contracts.enclaveRegistry), verifier: contracts.tdxVerifier, ...policy },
    ],
    datasetRegistry: [contracts.datasetRegistry, {}],
    jobMarket: [
      contracts.jobMarket,
      { ...signing(chainId, contracts.jobMarket), ...registries, extension: marketExtension },
    ],
    marketExtension: [marketExtension, { ...signing(chainId, marketExtension), ...registries }],
  };
  return Object.entries(immutables).map(([key, [address, values]]) => {
    const name = key as ExpectedCode["name"]; // a key of the record above
    return { name, address, codeHash: keccak256(filled(name, values)) };
  });
}

/** Immutables of OpenZeppelin's EIP712. Names and versions are ShortStrings: text, and its length in the last byte. */
function signing(chainId: number, verifyingContract: Address): Record<string, Hex> {
  const domain = domainOf(chainId, verifyingContract);
  const short = (text: string) =>
    concatHex([pad(stringToHex(text), { dir: "right", size: 31 }), numberToHex(text.length, { size: 1 })]);
  return {
    _cachedDomainSeparator: domainSeparator({ domain }),
    _cachedChainId: hex(chainId),
    _cachedThis: verifyingContract,
    _hashedName: keccak256(stringToBytes(domain.name)),
    _hashedVersion: keccak256(stringToBytes(domain.version)),
    _name: short(domain.name),
    _version: short(domain.version),
  };
}

function filled(name: ExpectedCode["name"], values: Readonly<Record<string, Hex>>): Hex {
  const { code, immutables } = contractCode[name];
  const bytes = Uint8Array.fromBase64(code);
  for (const [immutable, starts] of Object.entries(immutables)) {
    const value = values[immutable];
    if (value === undefined) throw new UnknownImmutableError(name, immutable);
    for (const start of starts) bytes.set(hexToBytes(pad(value, { size: 32 })), start);
  }
  return bytesToHex(bytes);
}

function hex(value: number): Hex {
  return numberToHex(value);
}

/** The contracts' code has an immutable that is not computed here. */
export class UnknownImmutableError extends BaseError {
  override readonly name = "Bundle.UnknownImmutableError";
  constructor(contract: string, immutable: string) {
    super(`What ${contract} has as ${immutable} is not known.`, {
      hint: "sdk/bundle/expectedCode.ts is older than the contracts: add the immutable there.",
    });
  }
}
