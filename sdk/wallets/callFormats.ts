/** Room: sdk/wallets. How the transactions that people send are shown (ERC-7730). Pure. */
import type { Abi, AbiFunction } from "viem";
import { datasetRegistryAbi, jobMarketAbi } from "../../protocol/abi.ts";
import type { Deployment } from "../../protocol/deployment.ts";
import {
  account,
  amount,
  commonMetadata,
  type Descriptor,
  date,
  descriptorSchema,
  type Field,
  type Format,
  fragmentOf,
  hidden,
  placesOf,
  raw,
  token,
  value,
} from "./descriptor.ts";
import { knownOrderFields, orderFields } from "./orderFields.ts";

const signatures = [
  hidden("requesterSignature", "Requester's signature"),
  hidden("payerSignature", "Payer's signature"),
] as const;

const terms: readonly Field[] = [
  raw("terms.maxJobs", "Jobs at most"),
  { path: "terms.challengeSeconds", label: "Time to dispute", format: "duration" },
  amount("terms.disputeBond", "Stake of a dispute", "order.token"),
];

const deposit: readonly Field[] = [amount("amount", "Amount", "token"), token("token")];

const marketFormats: Readonly<Record<string, Format>> = {
  open: {
    intent: "Order and pay for a computation",
    fields: [
      value,
      ...orderFields("order."),
      raw("programUri", "Program lies at"),
      raw("params", "Parameters", "optional"),
      ...signatures,
    ],
  },
  openSession: {
    intent: "Order and pay for many computations",
    fields: [value, ...terms, ...orderFields("order."), raw("programUri", "Program lies at"), ...signatures],
  },
  accept: {
    intent: "Accept a job and stake its bond",
    fields: [
      raw("index", "Job number"),
      amount("order.bond", "You stake", "order.token"),
      ...knownOrderFields().filter((field) => field.path !== "order.bond"),
      hidden("signature", "Enclave's signature"),
    ],
  },
  cancel: { intent: "Take a job back", fields: [raw("index", "Job number"), ...knownOrderFields()] },
  expire: { intent: "End a job whose time is over", fields: [raw("index", "Job number"), ...knownOrderFields()] },
  cancelNonce: {
    intent: "Void what you signed with a nonce",
    interpolatedIntent: "Void what you signed with nonce {nonce}",
    fields: [raw("nonce", "Nonce")],
  },
  disputeLeaf: {
    intent: "Dispute a job of a session",
    fields: [
      raw("leaf", "Job of the claim"),
      amount("terms.disputeBond", "You stake", "order.token"),
      ...terms.slice(0, 2),
      ...knownOrderFields(),
    ],
  },
  closeSession: { intent: "Settle a claimed session", fields: [...terms, ...knownOrderFields()] },
  expireSession: { intent: "End a session that nobody claimed", fields: [...terms, ...knownOrderFields()] },
  deposit: {
    intent: "Pay into the market",
    interpolatedIntent: "Pay {amount} into the market for {account}",
    fields: [...deposit, account("account", "Credited to"), value],
  },
  depositWithPermit: {
    intent: "Pay into the market",
    interpolatedIntent: "Pay {amount} into the market",
    fields: [
      ...deposit,
      date("permitDeadline", "Permit valid until"),
      hidden("v", "Permit's v"),
      hidden("r", "Permit's r"),
      hidden("s", "Permit's s"),
    ],
  },
  depositWithPermit2: {
    intent: "Pay into the market",
    fields: [
      ...deposit,
      account("account", "From, and credited to"),
      date("deadline", "Permit valid until"),
      raw("nonce", "Permit's nonce", "optional"),
      hidden("signature", "Permit"),
    ],
  },
  depositWithAuthorization: {
    intent: "Pay into the market",
    fields: [
      ...deposit,
      account("account", "From, and credited to"),
      date("validAfter", "Authorized from", "optional"),
      date("validBefore", "Authorized until", "optional"),
      raw("nonce", "Authorization's nonce", "optional"),
      hidden("signature", "Authorization"),
    ],
  },
  withdraw: {
    intent: "Take credit out of the market",
    interpolatedIntent: "Take {amount} out of the market to {to}",
    fields: [amount("amount", "Amount", "token"), token("token"), account("to", "To")],
  },
  withdrawBySignature: {
    intent: "Take an account's credit out for it",
    fields: [
      account("account", "From the credit of"),
      amount("amount", "Amount", "token"),
      token("token"),
      account("to", "To"),
      date("deadline", "Valid until"),
      raw("nonce", "Nonce"),
      hidden("signature", "Account's signature"),
    ],
  },
  multicall: {
    intent: "Do several things at once",
    fields: [{ path: "calls.[]", label: "Call", format: "calldata", params: { calleePath: "@.to" } }],
  },
};

const datasetId = raw("datasetId", "Data set");

const registryFormats: Readonly<Record<string, Format>> = {
  register: {
    intent: "Register a data set",
    fields: [
      raw("contentHash", "Ciphertext's SHA-256"),
      { path: "sizeBytes", label: "Ciphertext's size", format: "unit", params: { base: "B" } },
      raw("uri", "Lies at"),
      raw("metadata", "Public description"),
      {
        path: "payees.[]",
        label: "Who is paid",
        fields: [
          account("account", "Paid"),
          { path: "shareBps", label: "Share", format: "unit", params: { base: "%", decimals: 2 } },
        ],
      },
      raw("salt", "Salt", "optional"),
    ],
  },
  update: {
    intent: "Describe a data set anew",
    fields: [datasetId, raw("uri", "Lies at"), raw("metadata", "Public description")],
  },
  offerOwnership: {
    intent: "Give a data set away",
    interpolatedIntent: "Offer data set {datasetId} to {to}",
    fields: [datasetId, account("to", "To (0x0: nobody)")],
  },
  takeOwnership: { intent: "Take a data set over", fields: [datasetId] },
  retire: { intent: "Retire a data set for ever", fields: [datasetId] },
  revokeAllGrants: { intent: "Void all grants of a data set", fields: [datasetId] },
  revokeAllOwnGrants: { intent: "Void all grants that you gave", fields: [] },
  revokeGrantNonce: {
    intent: "Void your grants with a nonce",
    interpolatedIntent: "Void your grants with nonce {nonce}",
    fields: [raw("nonce", "Nonce")],
  },
};

/**
 * The ERC-7730 descriptors of the calls, by file name.
 *
 * @param deployment - without one they apply nowhere.
 * @example
 * const files = callDescriptors(deployment)
 */
export function callDescriptors(deployment?: Deployment): Record<string, Descriptor> {
  const of = (contractName: string, abi: Abi, formats: Readonly<Record<string, Format>>, contract: ContractName) => ({
    $schema: descriptorSchema,
    context: { $id: `${contractName} calls`, contract: { deployments: placesOf(deployment, contract) } },
    metadata: { ...commonMetadata, contractName },
    display: { formats: byFragment(abi, formats) },
  });
  return {
    "calldata-JobMarket.json": of("JobMarket", jobMarketAbi, marketFormats, "jobMarket"),
    "calldata-DatasetRegistry.json": of("DatasetRegistry", datasetRegistryAbi, registryFormats, "datasetRegistry"),
  };
}

type ContractName = keyof Deployment["contracts"];

/** A function that has no format is shown by no wallet; a format without function is a mistake that tests find. */
function byFragment(abi: Abi, formats: Readonly<Record<string, Format>>): Record<string, Format> {
  const functions = abi.filter((item): item is AbiFunction => item.type === "function");
  return Object.fromEntries(
    functions.flatMap((item) => {
      const format = formats[item.name];
      return format === undefined ? [] : [[fragmentOf(item), format]];
    }),
  );
}

/** Functions of the market and the registry of data sets that have words. For the test that none is forgotten. */
export const describedFunctions = {
  jobMarket: Object.keys(marketFormats),
  datasetRegistry: Object.keys(registryFormats),
} as const;
