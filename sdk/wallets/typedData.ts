/**
 * Room: sdk/wallets. The EIP-712 types that are signed here, as JSON that any wallet takes (eth_signTypedData_v4). Pure.
 * Made of protocol/eip712.ts and sealerAppointment.ts; `scripts/schemas.ts` writes it to docs/schemas/eip712.
 */
import { claimRequestTypes } from "../../protocol/claimRequest.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import {
  acceptanceTypes,
  domainName,
  domainVersion,
  grantTypes,
  offerTypes,
  operatorAuthorizationTypes,
  orderTypes,
  receiptTypes,
  registrationTypes,
  sealedKeyTypes,
  sessionClaimTypes,
  sessionTypes,
  withdrawalTypes,
} from "../../protocol/eip712.ts";
import { appointmentTypes } from "../../protocol/sealerAppointment.ts";

/** A field of a struct. */
export type TypedField = { readonly name: string; readonly type: string };

/** Structs by name. */
export type TypedStructs = Readonly<Record<string, readonly TypedField[]>>;

/** A contract whose domain it is: it verifies the signatures, or (sealed keys, appointments) enclaves do for it. */
export type Verifier = "jobMarket" | "enclaveRegistry";

/** All that is signed: by its primary type, the contract that verifies it and its structs. */
export const signedTypes = {
  JobOrder: { verifier: "jobMarket", structs: orderTypes },
  Grant: { verifier: "jobMarket", structs: grantTypes },
  Offer: { verifier: "jobMarket", structs: offerTypes },
  SessionOrder: { verifier: "jobMarket", structs: sessionTypes },
  SessionClaim: { verifier: "jobMarket", structs: sessionClaimTypes },
  ClaimRequest: { verifier: "jobMarket", structs: claimRequestTypes },
  JobAcceptance: { verifier: "jobMarket", structs: acceptanceTypes },
  Withdrawal: { verifier: "jobMarket", structs: withdrawalTypes },
  Receipt: { verifier: "jobMarket", structs: receiptTypes },
  SealedKey: { verifier: "jobMarket", structs: sealedKeyTypes },
  SealerAppointment: { verifier: "jobMarket", structs: appointmentTypes },
  EnclaveRegistration: { verifier: "enclaveRegistry", structs: registrationTypes },
  OperatorAuthorization: { verifier: "enclaveRegistry", structs: operatorAuthorizationTypes },
} as const satisfies Record<string, { verifier: Verifier; structs: TypedStructs }>;

/** A primary type. */
export type SignedType = keyof typeof signedTypes;

const domainFields: readonly TypedField[] = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/**
 * Typed data without its message: add `message`, and give it to a wallet.
 *
 * @param deployment - whose domain it is; without one, the domain lacks chain and contract, and no wallet can sign it.
 * @example
 * const json = { ...typedDataOf("Grant", deployment), message: grantToJson(grant) }
 */
export function typedDataOf(primaryType: SignedType, deployment?: Deployment) {
  const { verifier, structs } = signedTypes[primaryType];
  const place =
    deployment === undefined ? {} : { chainId: deployment.chainId, verifyingContract: deployment.contracts[verifier] };
  const types: TypedStructs = { EIP712Domain: domainFields, ...structs };
  return { types, primaryType, domain: { name: domainName, version: domainVersion, ...place } };
}

/**
 * What EIP-712 calls encodeType: the primary type, then the structs it holds by name. Its keccak256 is the type hash.
 *
 * @example
 * encodeType("JobAcceptance") // "JobAcceptance(bytes32 jobId,address bonder)"
 */
export function encodeType(primaryType: SignedType): string {
  const structs: TypedStructs = signedTypes[primaryType].structs;
  const others = Object.keys(structs).filter((name) => name !== primaryType);
  return [primaryType, ...others.sort()]
    .map((name) => `${name}(${(structs[name] ?? []).map((field) => `${field.type} ${field.name}`).join(",")})`)
    .join("");
}
