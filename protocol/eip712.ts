/**
 * Room: protocol/eip712. The typed data that wallets, providers and enclaves sign. Pure.
 * Mirrors `contracts/interfaces/MarketTypes.sol` and `IEnclaveRegistry.sol`; tests compare every hash with the chain's.
 */
import type { Address, Hex } from "viem";
import type { SealedKey } from "./sealing.ts";
import { hashTypedData } from "./typedData.ts";

/** Name and version in every EIP-712 domain of this project. */
export const domainName = "DataCollabMarket";
/** See {@link domainName}. */
export const domainVersion = "1";

/** The EIP-712 domain of one contract on one chain. */
export type Domain = { name: string; version: string; chainId: number; verifyingContract: Address };

/**
 * The domain of a contract: JobMarket for orders, grants and receipts; EnclaveRegistry for registrations.
 *
 * @example
 * domainOf(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
 */
export function domainOf(chainId: number, verifyingContract: Address): Domain {
  return { name: domainName, version: domainVersion, chainId, verifyingContract };
}

/** One data set of a job and the most that its use may cost, in units of the order's token. */
export type DatasetUse = { datasetId: Hex; grantHash: Hex; maxPrice: bigint };

/** What the requester asks for. Field by field: `JobOrder` in MarketTypes.sol. */
export type JobOrder = {
  requester: Address;
  payer: Address;
  programId: Hex;
  workloadId: Hex;
  paramsHash: Hex;
  datasets: readonly DatasetUse[];
  resultKey: Hex;
  token: Address;
  operatorFee: bigint;
  failureFee: bigint;
  operator: Address;
  offerHash: Hex;
  bond: bigint;
  /** Unix seconds; zero: nobody has to accept the job. */
  acceptBy: bigint;
  /** Unix seconds. */
  deadline: bigint;
  quorum: number;
  session: Hex;
  nonce: bigint;
};

/** Values of `PriceUnit` in MarketTypes.sol. */
export const priceUnits = { use: 0, outputRow: 1, inputByte: 2 } as const;

/** A provider's consent. Field by field: `Grant` in MarketTypes.sol. */
export type Grant = {
  datasetId: Hex;
  programId: Hex;
  workloadId: Hex;
  requester: Address;
  operator: Address;
  token: Address;
  /** See {@link priceUnits}. */
  priceUnit: number;
  price: bigint;
  maxUses: bigint;
  /** Unix seconds. */
  notBefore: bigint;
  /** Unix seconds. */
  notAfter: bigint;
  resultReaders: readonly Hex[];
  epoch: number;
  ownerEpoch: number;
  nonce: bigint;
};

/** A grant with its owner's signature. */
export type SignedGrant = { grant: Grant; signature: Hex };

/** A grant as the market is shown it. Field by field: `ShownGrant` in MarketTypes.sol. */
export type ShownGrant = Omit<Grant, "datasetId" | "programId" | "workloadId" | "requester" | "operator" | "token"> & {
  anyRequester: boolean;
  anyOperator: boolean;
  signature: Hex;
};

/**
 * What the market is shown of a grant; all else of it is in the order that uses it.
 *
 * @example
 * const grants = counted.map(shownGrantOf)
 */
export function shownGrantOf({ grant, signature }: SignedGrant): ShownGrant {
  const { datasetId: _d, programId: _p, workloadId: _w, token: _t, requester, operator, ...rest } = grant;
  return { ...rest, anyRequester: BigInt(requester) === 0n, anyOperator: BigInt(operator) === 0n, signature };
}

/** An operator's prices. Field by field: `Offer` in MarketTypes.sol. */
export type Offer = {
  operator: Address;
  workloadId: Hex;
  token: Address;
  fee: bigint;
  pricePerSecond: bigint;
  /** Unix seconds. */
  validUntil: bigint;
  nonce: bigint;
};

/** An offer with its operator's signature. */
export type SignedOffer = { offer: Offer; signature: Hex };

/** How a session is run. Field by field: `SessionTerms` in MarketTypes.sol. */
export type SessionTerms = { maxJobs: number; challengeSeconds: number; disputeBond: bigint };

/** What an enclave claims of a session. Field by field: `SessionClaim` in MarketTypes.sol. */
export type SessionClaim = {
  sessionId: Hex;
  root: Hex;
  okCount: number;
  failedCount: number;
  countedGrants: number;
  anchorBlock: bigint;
  anchorHash: Hex;
};

/** What an enclave signs to accept a job. */
export type JobAcceptance = { jobId: Hex; bonder: Address };

/** What an account signs to have its credit taken out by anybody. */
export type Withdrawal = {
  account: Address;
  token: Address;
  to: Address;
  amount: bigint;
  nonce: bigint;
  /** Unix seconds. */
  deadline: bigint;
};

/** Values of `ReceiptStatus` in MarketTypes.sol. */
export const receiptStatus = { none: 0, ok: 1, failed: 2 } as const;

/** Values of `JobState` in MarketTypes.sol, by number. */
export const jobStates = [
  "None",
  "Open",
  "SettledOk",
  "SettledFailed",
  "Cancelled",
  "Expired",
  "Accepted",
  "Disagreed",
] as const;
/** Name of a job state. */
export type JobState = (typeof jobStates)[number];

/** Values of `SessionState` in MarketTypes.sol, by number. */
export const sessionStates = ["None", "Open", "Claimed", "Closed", "Expired"] as const;
/** Name of a session state. */
export type SessionState = (typeof sessionStates)[number];

/** Values of `FailureCode` in MarketTypes.sol, by number. */
export const failureCodes = [
  "None",
  "ProgramUnavailable",
  "ProgramMismatch",
  "ParamsRefused",
  "InputUnavailable",
  "InputMismatch",
  "GrantMissing",
  "GrantRefused",
  "KeyUnavailable",
  "DecryptionFailed",
  "ProgramTrapped",
  "FuelExhausted",
  "MemoryExceeded",
  "TimeExceeded",
  "OutputTooLarge",
  "OutputRefused",
  "PriceTooHigh",
  "StatementRefused",
  "ColumnRefused",
  "GroupTooSmall",
  "BudgetExceeded",
] as const;
/** Name of a failure. */
export type FailureCode = (typeof failureCodes)[number];

/** What the enclave signs about one run. Field by field: `Receipt` in MarketTypes.sol. */
export type Receipt = {
  jobId: Hex;
  /** See {@link receiptStatus}. */
  status: number;
  programId: Hex;
  workloadId: Hex;
  paramsHash: Hex;
  inputsRoot: Hex;
  grantsRoot: Hex;
  resultHash: Hex;
  outputCommitment: Hex;
  policyHash: Hex;
  fuelUsed: bigint;
  /** Rows of the result, if a grant is priced by them. */
  outputRows: bigint;
  /** Seconds of the run, if the order names an offer. */
  runSeconds: number;
  /** Bit i: the market checks and counts the grant of data set i. */
  countedGrants: number;
  logRoot: Hex;
  logSize: bigint;
  anchorBlock: bigint;
  anchorHash: Hex;
  /** Index into {@link failureCodes}. */
  failureCode: number;
};

/** What an enclave signs to be registered. */
export type EnclaveRegistration = { operator: Address; vaultKeyHash: Hex; endpoint: string; blockNumber: bigint };

/** The operator's word that `agent` may register enclaves in its name. */
export type OperatorAuthorization = {
  operator: Address;
  /** Sends the registration: a worker's gas wallet. */
  agent: Address;
  /** Unix seconds, the last second at which it holds. */
  validUntil: bigint;
};

/** EIP-712 types of an order; primary type `JobOrder`. */
export const orderTypes = {
  JobOrder: [
    { name: "requester", type: "address" },
    { name: "payer", type: "address" },
    { name: "programId", type: "bytes32" },
    { name: "workloadId", type: "bytes32" },
    { name: "paramsHash", type: "bytes32" },
    { name: "datasets", type: "DatasetUse[]" },
    { name: "resultKey", type: "bytes32" },
    { name: "token", type: "address" },
    { name: "operatorFee", type: "uint256" },
    { name: "failureFee", type: "uint256" },
    { name: "operator", type: "address" },
    { name: "offerHash", type: "bytes32" },
    { name: "bond", type: "uint256" },
    { name: "acceptBy", type: "uint64" },
    { name: "deadline", type: "uint64" },
    { name: "quorum", type: "uint8" },
    { name: "session", type: "bytes32" },
    { name: "nonce", type: "uint256" },
  ],
  DatasetUse: [
    { name: "datasetId", type: "bytes32" },
    { name: "grantHash", type: "bytes32" },
    { name: "maxPrice", type: "uint256" },
  ],
} as const;

/** EIP-712 types of a grant; primary type `Grant`. */
export const grantTypes = {
  Grant: [
    { name: "datasetId", type: "bytes32" },
    { name: "programId", type: "bytes32" },
    { name: "workloadId", type: "bytes32" },
    { name: "requester", type: "address" },
    { name: "operator", type: "address" },
    { name: "token", type: "address" },
    { name: "priceUnit", type: "uint8" },
    { name: "price", type: "uint256" },
    { name: "maxUses", type: "uint64" },
    { name: "notBefore", type: "uint64" },
    { name: "notAfter", type: "uint64" },
    { name: "resultReaders", type: "bytes32[]" },
    { name: "epoch", type: "uint32" },
    { name: "ownerEpoch", type: "uint32" },
    { name: "nonce", type: "uint256" },
  ],
} as const;

/** EIP-712 types of an operator's offer; primary type `Offer`. */
export const offerTypes = {
  Offer: [
    { name: "operator", type: "address" },
    { name: "workloadId", type: "bytes32" },
    { name: "token", type: "address" },
    { name: "fee", type: "uint256" },
    { name: "pricePerSecond", type: "uint256" },
    { name: "validUntil", type: "uint64" },
    { name: "nonce", type: "uint256" },
  ],
} as const;

/** EIP-712 types of a session's template and terms; primary type `SessionOrder`. */
export const sessionTypes = {
  SessionOrder: [
    { name: "order", type: "JobOrder" },
    { name: "maxJobs", type: "uint32" },
    { name: "challengeSeconds", type: "uint32" },
    { name: "disputeBond", type: "uint256" },
  ],
  ...orderTypes,
} as const;

/** EIP-712 types of a session's claim; primary type `SessionClaim`. */
export const sessionClaimTypes = {
  SessionClaim: [
    { name: "sessionId", type: "bytes32" },
    { name: "root", type: "bytes32" },
    { name: "okCount", type: "uint32" },
    { name: "failedCount", type: "uint32" },
    { name: "countedGrants", type: "uint16" },
    { name: "anchorBlock", type: "uint64" },
    { name: "anchorHash", type: "bytes32" },
  ],
} as const;

/** EIP-712 types of an enclave's acceptance of a job; primary type `JobAcceptance`. */
export const acceptanceTypes = {
  JobAcceptance: [
    { name: "jobId", type: "bytes32" },
    { name: "bonder", type: "address" },
  ],
} as const;

/** EIP-712 types of a withdrawal; primary type `Withdrawal`. */
export const withdrawalTypes = {
  Withdrawal: [
    { name: "account", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/** EIP-712 types of a receipt; primary type `Receipt`. */
export const receiptTypes = {
  Receipt: [
    { name: "jobId", type: "bytes32" },
    { name: "status", type: "uint8" },
    { name: "programId", type: "bytes32" },
    { name: "workloadId", type: "bytes32" },
    { name: "paramsHash", type: "bytes32" },
    { name: "inputsRoot", type: "bytes32" },
    { name: "grantsRoot", type: "bytes32" },
    { name: "resultHash", type: "bytes32" },
    { name: "outputCommitment", type: "bytes32" },
    { name: "policyHash", type: "bytes32" },
    { name: "fuelUsed", type: "uint64" },
    { name: "outputRows", type: "uint64" },
    { name: "runSeconds", type: "uint32" },
    { name: "countedGrants", type: "uint16" },
    { name: "logRoot", type: "bytes32" },
    { name: "logSize", type: "uint64" },
    { name: "anchorBlock", type: "uint64" },
    { name: "anchorHash", type: "bytes32" },
    { name: "failureCode", type: "uint8" },
  ],
} as const;

/** EIP-712 types of a sealed data set key; primary type `SealedKey`. Signed, because anyone can seal to a vault key. */
export const sealedKeyTypes = {
  SealedKey: [
    { name: "grantHash", type: "bytes32" },
    { name: "vaultKey", type: "bytes" },
    { name: "enc", type: "bytes" },
    { name: "ciphertext", type: "bytes" },
  ],
} as const;

/** EIP-712 types of an enclave's registration; primary type `EnclaveRegistration`. */
export const registrationTypes = {
  EnclaveRegistration: [
    { name: "operator", type: "address" },
    { name: "vaultKeyHash", type: "bytes32" },
    { name: "endpoint", type: "string" },
    { name: "blockNumber", type: "uint64" },
  ],
} as const;

/** EIP-712 types of an operator's consent; primary type `OperatorAuthorization`. */
export const operatorAuthorizationTypes = {
  OperatorAuthorization: [
    { name: "operator", type: "address" },
    { name: "agent", type: "address" },
    { name: "validUntil", type: "uint64" },
  ],
} as const;

/**
 * The job id: EIP-712 hash of an order.
 *
 * @param domain - of the JobMarket.
 * @example
 * const jobId = hashOrder(domainOf(chainId, market), order)
 */
export function hashOrder(domain: Domain, order: JobOrder): Hex {
  return hashTypedData({ domain, types: orderTypes, primaryType: "JobOrder", message: order });
}

/**
 * EIP-712 hash of a grant.
 *
 * @param domain - of the JobMarket.
 * @example
 * const grantHash = hashGrant(domainOf(chainId, market), grant)
 */
export function hashGrant(domain: Domain, grant: Grant): Hex {
  return hashTypedData({ domain, types: grantTypes, primaryType: "Grant", message: grant });
}

/**
 * EIP-712 hash of an operator's offer.
 *
 * @param domain - of the JobMarket.
 * @example
 * const offerHash = hashOffer(domainOf(chainId, market), offer)
 */
export function hashOffer(domain: Domain, offer: Offer): Hex {
  return hashTypedData({ domain, types: offerTypes, primaryType: "Offer", message: offer });
}

/**
 * The session id: EIP-712 hash of a template order and the session's terms.
 *
 * @param domain - of the JobMarket.
 * @example
 * const sessionId = hashSession(domainOf(chainId, market), template, terms)
 */
export function hashSession(domain: Domain, order: JobOrder, terms: SessionTerms): Hex {
  return hashTypedData({ domain, types: sessionTypes, primaryType: "SessionOrder", message: { order, ...terms } });
}

/**
 * EIP-712 hash of a session's claim: what the enclave's key signs.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashSessionClaim(domainOf(chainId, market), claim)
 */
export function hashSessionClaim(domain: Domain, claim: SessionClaim): Hex {
  return hashTypedData({ domain, types: sessionClaimTypes, primaryType: "SessionClaim", message: claim });
}

/**
 * EIP-712 hash of a job's acceptance: what the enclave's key signs.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashAcceptance(domainOf(chainId, market), { jobId, bonder })
 */
export function hashAcceptance(domain: Domain, acceptance: JobAcceptance): Hex {
  return hashTypedData({ domain, types: acceptanceTypes, primaryType: "JobAcceptance", message: acceptance });
}

/**
 * EIP-712 hash of a receipt: what the enclave's key signs.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashReceipt(domainOf(chainId, market), receipt)
 */
export function hashReceipt(domain: Domain, receipt: Receipt): Hex {
  return hashTypedData({ domain, types: receiptTypes, primaryType: "Receipt", message: receipt });
}

/**
 * EIP-712 hash of a sealed data set key under its grant: what the data set's owner, or the sealer it appointed (see
 * protocol/sealerAppointment), signs when it is handed over.
 *
 * @param domain - of the JobMarket.
 * @example
 * const digest = hashSealedKey(domainOf(chainId, market), grantHash, sealedKey)
 */
export function hashSealedKey(domain: Domain, grantHash: Hex, sealedKey: SealedKey): Hex {
  const message = { grantHash, ...sealedKey };
  return hashTypedData({ domain, types: sealedKeyTypes, primaryType: "SealedKey", message });
}

/**
 * EIP-712 hash of a registration: what the enclave's key signs to prove that it is held.
 *
 * @param domain - of the EnclaveRegistry.
 * @example
 * const digest = hashRegistration(domainOf(chainId, registry), { operator, vaultKeyHash, endpoint, blockNumber })
 */
export function hashRegistration(domain: Domain, registration: EnclaveRegistration): Hex {
  return hashTypedData({ domain, types: registrationTypes, primaryType: "EnclaveRegistration", message: registration });
}

/**
 * EIP-712 hash of an operator's consent: what the operator signs, and the registry checks.
 *
 * @param domain - of the EnclaveRegistry.
 * @example
 * const digest = hashOperatorAuthorization(domainOf(chainId, registry), { operator, agent, validUntil })
 */
export function hashOperatorAuthorization(domain: Domain, authorization: OperatorAuthorization): Hex {
  const typed = { domain, types: operatorAuthorizationTypes, primaryType: "OperatorAuthorization" } as const;
  return hashTypedData({ ...typed, message: authorization });
}
