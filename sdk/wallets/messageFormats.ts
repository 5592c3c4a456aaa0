/** Room: sdk/wallets. How the EIP-712 messages that people sign are shown (ERC-7730). Pure. */
import type { Deployment } from "../../protocol/deployment.ts";
import { domainName, domainVersion } from "../../protocol/eip712.ts";
import {
  account,
  amount,
  commonMetadata,
  type Descriptor,
  date,
  descriptorSchema,
  type Format,
  hidden,
  placesOf,
  raw,
  token,
} from "./descriptor.ts";
import { orderFields } from "./orderFields.ts";
import { encodeType, type SignedType } from "./typedData.ts";

/** What a person, not an enclave, signs for the market. */
const marketFormats = {
  Grant: {
    intent: "Let a program use a data set",
    fields: [
      raw("datasetId", "Data set"),
      raw("programId", "Program"),
      raw("workloadId", "Enclave code"),
      account("requester", "Who may ask (0x0: anyone)"),
      account("operator", "Operator (0x0: any)"),
      amount("price", "Price", "token"),
      { path: "priceUnit", label: "Price is", format: "enum", params: { $ref: "$.metadata.enums.priceUnit" } },
      token("token"),
      raw("maxUses", "Uses at most (0: no limit)"),
      date("notBefore", "Valid from"),
      date("notAfter", "Valid until"),
      raw("resultReaders.[]", "Result also read by"),
      raw("epoch", "Data set's consent epoch"),
      raw("ownerEpoch", "Your consent epoch"),
      raw("nonce", "Nonce"),
    ],
  },
  JobOrder: { intent: "Order and pay for a computation", fields: orderFields("") },
  SessionOrder: {
    intent: "Order and pay for many computations",
    fields: [
      raw("maxJobs", "Jobs at most"),
      ...orderFields("order."),
      { path: "challengeSeconds", label: "Time to dispute", format: "duration" },
      amount("disputeBond", "Stake of a dispute", "order.token"),
    ],
  },
  ClaimRequest: {
    intent: "Have a session claimed: no more jobs",
    interpolatedIntent: "Have session {sessionId} claimed after {jobs} jobs",
    fields: [raw("sessionId", "Session"), raw("jobs", "Jobs given to the worker"), date("validUntil", "Valid until")],
  },
  Offer: {
    intent: "Offer to run jobs",
    fields: [
      account("operator", "Operator"),
      raw("workloadId", "Enclave code"),
      amount("fee", "Fee of a job", "token"),
      amount("pricePerSecond", "And per second", "token"),
      token("token"),
      date("validUntil", "Valid until"),
      raw("nonce", "Nonce"),
    ],
  },
  Withdrawal: {
    intent: "Take credit out of the market",
    interpolatedIntent: "Take {amount} out of the market to {to}",
    fields: [
      account("account", "From the credit of"),
      amount("amount", "Amount", "token"),
      token("token"),
      account("to", "To"),
      date("deadline", "Valid until"),
      raw("nonce", "Nonce"),
    ],
  },
  SealedKey: {
    intent: "Hand a data set's key to an enclave",
    fields: [
      raw("grantHash", "Under grant"),
      raw("vaultKey", "To the enclave with key"),
      hidden("enc", "Sealing key"),
      hidden("ciphertext", "Sealed key"),
    ],
  },
  SealerAppointment: {
    intent: "Let an account hand out a data set's key",
    interpolatedIntent: "Let {sealer} hand the key of {datasetId} to enclaves that your grants name, until {notAfter}",
    fields: [
      raw("datasetId", "Data set"),
      account("sealer", "Account that may"),
      date("notAfter", "Valid until"),
      raw("epoch", "Data set's consent epoch"),
      raw("ownerEpoch", "Your consent epoch"),
    ],
  },
} as const satisfies Partial<Record<SignedType, Format>>;

const registryFormats = {
  OperatorAuthorization: {
    intent: "Let an account register enclaves for you",
    interpolatedIntent: "Let {agent} register enclaves for {operator} until {validUntil}",
    fields: [account("operator", "Operator"), account("agent", "Account that may"), date("validUntil", "Valid until")],
  },
} as const satisfies Partial<Record<SignedType, Format>>;

/**
 * The ERC-7730 descriptors of the messages, by file name.
 *
 * @param deployment - without one they apply nowhere.
 * @example
 * const files = messageDescriptors(deployment)
 */
export function messageDescriptors(deployment?: Deployment): Record<string, Descriptor> {
  return {
    "eip712-JobMarket.json": descriptorOf("JobMarket", marketFormats, placesOf(deployment, "jobMarket")),
    "eip712-EnclaveRegistry.json": descriptorOf(
      "EnclaveRegistry",
      registryFormats,
      placesOf(deployment, "enclaveRegistry"),
    ),
  };
}

function descriptorOf(
  contractName: string,
  formats: Partial<Record<SignedType, Format>>,
  deployments: ReturnType<typeof placesOf>,
): Descriptor {
  const entries = Object.entries(formats) as [SignedType, Format][];
  const domain = { name: domainName, version: domainVersion };
  return {
    $schema: descriptorSchema,
    context: { $id: `${contractName} messages`, eip712: { domain, deployments } },
    metadata: { ...commonMetadata, contractName },
    display: { formats: Object.fromEntries(entries.map(([name, format]) => [encodeType(name), format])) },
  };
}
