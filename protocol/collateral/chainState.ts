/**
 * Room: protocol/collateral. What a chain has of collateral, as one value to plan by. Pure: calls are an argument.
 */
import {
  type Abi,
  type AbiParameterToPrimitiveType,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  encodeFunctionData,
  getAbiItem,
  type Hex,
  zeroAddress,
} from "viem";
import { tdxCollateralAbi, tdxVerifierAbi } from "../abi.ts";
import type { EvidenceReader } from "../quote/evidence.ts";
import type { P256Key } from "../quote/platformRecord.ts";

/** Reads of one chain, all at the same block at best. */
export type ChainCalls = {
  /** `eth_call`: what the contract answers. */
  call(to: Address, data: Hex): Promise<Hex>;
  /** `eth_getCode`. */
  code(of: Address): Promise<Hex>;
};

const authorityAbi = getAbiItem({ abi: tdxCollateralAbi, name: "authority" }).outputs[0];
const itemAbi = getAbiItem({ abi: tdxCollateralAbi, name: "qeIdentity" }).outputs[0];

/** A recorded authority; times in Unix seconds. */
export type RecordedAuthority = AbiParameterToPrimitiveType<typeof authorityAbi> & { authorityNumber: number };
/** A recorded item; times in Unix seconds. `content`: what the contract keeps of it. */
export type RecordedItem = AbiParameterToPrimitiveType<typeof itemAbi> & { content: Hex };

/** What a chain has; undefined where it has nothing. */
export type CollateralState = {
  minimumEvaluationNumber: number;
  /** All of them, by number. */
  authorities: readonly RecordedAuthority[];
  pckCa: RecordedAuthority | undefined;
  tcbSigning: RecordedAuthority | undefined;
  rootCrl: RecordedItem | undefined;
  pckCrl: RecordedItem | undefined;
  qeIdentity: RecordedItem | undefined;
  tcbInfo: RecordedItem | undefined;
};

/** Whose collateral to look for. Without `tcbSigning`: whoever signed what is recorded. */
export type CollateralSubject = { fmspc: Hex; pckCa: P256Key; tcbSigning?: P256Key };

/** Names of `CollateralKind`, by number. */
export const collateralKinds = ["RootCrl", "PckCrl", "QeIdentity", "TcbInfo"] as const;

/** Names of `AuthorityRole`, by number. */
export const authorityRoles = ["None", "PckPlatformCa", "PckProcessorCa", "TcbSigning"] as const;

/** Most authorities that are read: Intel has three keys. */
const maxAuthorities = 256;

/**
 * Reads what a chain has for one kind of platform.
 *
 * @param collateral - address of `ITdxCollateral`.
 * @throws what `chain` throws, and viem's errors where an answer is not of the contract's type
 * @example
 * const state = await readCollateralState(chain, tdxCollateral, { fmspc, pckCa })
 */
export async function readCollateralState(
  chain: ChainCalls,
  collateral: Address,
  subject: CollateralSubject,
): Promise<CollateralState> {
  const read = readerOf(chain, collateral, tdxCollateralAbi);
  const [minimumEvaluationNumber, count, pckCaNumber, signerNumber] = await Promise.all([
    read("minimumEvaluationNumber", []),
    read("authorityCount", []),
    read("authorityNumber", [subject.pckCa]),
    subject.tcbSigning === undefined ? 0 : read("authorityNumber", [subject.tcbSigning]),
  ]);
  const withContent = async (item: Omit<RecordedItem, "content">): Promise<RecordedItem | undefined> => {
    if (item.issuedAt === 0) return undefined;
    const code: Hex = item.data === zeroAddress ? "0x" : await chain.code(item.data);
    return { ...item, content: code === "0x" ? "0x" : `0x${code.slice(4)}` }; // the first byte is a STOP
  };
  const numbers = Array.from({ length: Math.min(count, maxAuthorities) }, (_, i) => i + 1);
  const [authorities, rootCrl, pckCrl, qeIdentity, tcbInfo] = await Promise.all([
    Promise.all(
      numbers.map(async (authorityNumber) => ({ ...(await read("authority", [authorityNumber])), authorityNumber })),
    ),
    read("rootCrl", []).then(withContent),
    pckCaNumber === 0 ? undefined : read("pckCrl", [pckCaNumber]).then(withContent),
    read("qeIdentity", []).then(withContent),
    read("tcbInfo", [subject.fmspc]).then(withContent),
  ]);
  const byNumber = (number: number) => authorities.find(({ authorityNumber }) => authorityNumber === number);
  const signer = subject.tcbSigning === undefined ? (tcbInfo?.signer ?? qeIdentity?.signer ?? 0) : signerNumber;
  return {
    minimumEvaluationNumber,
    authorities,
    pckCa: byNumber(pckCaNumber),
    tcbSigning: byNumber(signer),
    rootCrl,
    pckCrl,
    qeIdentity,
    tcbInfo,
  };
}

/**
 * Chain state for `buildEvidence`.
 *
 * @param recordedKeyHash - finds `attestationKeyHash` of the platform's last `PlatformRecorded`; without it a quote with
 * a new attestation key is sent with its PCK certificate.
 * @example
 * const sent = await buildEvidence(quote, evidenceReader(chain, { tdxCollateral, tdxVerifier }))
 */
export function evidenceReader(
  chain: ChainCalls,
  contracts: { tdxCollateral: Address; tdxVerifier: Address },
  recordedKeyHash: EvidenceReader["recordedKeyHash"] = async () => undefined,
): EvidenceReader {
  const collateral = readerOf(chain, contracts.tdxCollateral, tdxCollateralAbi);
  const verifier = readerOf(chain, contracts.tdxVerifier, tdxVerifierAbi);
  return {
    authorityNumber: (key) => collateral("authorityNumber", [key]),
    revocationHint: async (issuer, serial) => (await collateral("revocationHint", [issuer, serial]))[0],
    qeIdentityData: async () => (await collateral("qeIdentity", [])).data,
    platformRecord: (pckId) => verifier("platformRecord", [pckId]),
    recordedKeyHash,
  };
}

/** Calls of a contract's view functions by their ABI. */
function readerOf<const abi extends typeof tdxCollateralAbi | typeof tdxVerifierAbi>(
  chain: ChainCalls,
  to: Address,
  abi: abi,
) {
  return async <name extends ContractFunctionName<abi, "view">>(
    functionName: name,
    args: ContractFunctionArgs<abi, "view", name>,
  ): Promise<ContractFunctionReturnType<abi, "view", name>> => {
    const call = { abi: abi as Abi, functionName: functionName as string, args: args as readonly unknown[] };
    const data = await chain.call(to, encodeFunctionData(call));
    // Decoded by the ABI of the type.
    return decodeFunctionResult({ ...call, data }) as ContractFunctionReturnType<abi, "view", name>;
  };
}
