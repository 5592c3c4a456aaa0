/**
 * Room: sdk/chainErrors. Turns what viem throws into errors of this project. Neither the RPC's URL (it may hold an
 * access key) nor a request body gets into a message.
 */
import {
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  InsufficientFundsError,
  UserRejectedRequestError,
  BaseError as ViemError,
} from "viem";
import { wordFor } from "../protocol/contractEnums.ts";
import { BaseError } from "../protocol/errors.ts";
import { plainText } from "./plainText.ts";

/**
 * The typed error for anything that a chain call threw.
 *
 * @returns the error itself if it is typed already.
 * @example
 * await client.chain.getBlockNumber().catch((cause) => { throw toTypedError(cause) })
 */
export function toTypedError(cause: unknown): BaseError {
  if (cause instanceof BaseError) return cause;
  if (!(cause instanceof ViemError)) return new RpcError("it failed", cause);
  const revert = cause.walk((error) => error instanceof ContractFunctionRevertedError);
  if (revert instanceof ContractFunctionRevertedError) return new ContractRefusedError(revert, cause);
  if (cause.walk((error) => error instanceof ContractFunctionZeroDataError)) return new NoContractError(cause);
  if (cause.walk((error) => error instanceof InsufficientFundsError)) return new NotEnoughCoinError(cause);
  if (cause.walk((error) => error instanceof UserRejectedRequestError)) return new RejectedByWalletError(cause);
  if (cause.walk(saysNotEnough)) return new NotEnoughCoinError(cause);
  // The innermost of viem's own: below it may be an error of fetch, or the bare object that the RPC sent.
  const root = cause.walk((error) => !(error instanceof ViemError && error.cause instanceof ViemError));
  return new RpcError(plainText(root instanceof ViemError ? root.shortMessage : "it failed", 200), cause);
}

/** Not every node uses the words that viem looks for. */
function saysNotEnough(error: unknown): boolean {
  return error instanceof ViemError && /(n't have enough|insufficient) funds/i.test(error.details ?? "");
}

const hints: Readonly<Record<string, string>> = {
  DatasetRegistry_AlreadyRegistered: "It is registered already; use another salt for a second registration.",
  DatasetRegistry_UnknownDataset: "Look the id up with `dcm dataset list`.",
  DatasetRegistry_NotOwner: "Only its owner can do this; see `dcm dataset show`.",
  DatasetRegistry_NotPendingOwner: "Its owner offers it first, to this wallet: `dcm dataset offer`.",
  DatasetRegistry_Retired: "It has ended for good; register another one with `dcm dataset add`.",
  DatasetRegistry_NonceAlreadyRevoked: "Nothing is left to do: the grant is void already.",
  DatasetRegistry_BadMetadataLength: "Shorten the metadata: fewer columns, a shorter description.",
  EnclaveRegistry_NotOperator: "Only the wallet that is the enclave's operator can do this.",
  EnclaveRegistry_Ended: "Nothing is left to do: the registration has ended for good.",
  Endorsements_NotEndorsed: "Nothing is left to do: this wallet's endorsement does not stand.",
  EnclaveRegistry_UnknownEnclave: "Look the enclave up with `dcm enclave list`.",
  JobMarket_AcceptedByOther: "Only the enclave that accepted the job may settle it.",
  JobMarket_BadAcceptance:
    "Give a time to accept by between now and the deadline; a bond needs one; a quorum has none.",
  JobMarket_BadDeadline: "Choose a deadline in the future, at most 365 days ahead.",
  JobMarket_NotRequester: "Only the wallet that opened the job can do this.",
  JobMarket_NotOpen: "The job has ended; see `dcm job status`.",
  JobMarket_DeadlineNotPassed: "Wait until then; a job that nobody has accepted can be cancelled by its requester.",
  JobMarket_NonceUsed: "It was settled, opened or taken back before; sign a new one.",
  JobMarket_NotSignedBy: "The requester signs with `dcm job order`, the payer with `dcm job sponsor`.",
  JobMarket_InSession: "Its session's enclave runs it: give it to the worker, with `dcm session sign-order --worker`.",
  JobMarket_NotAContract: "There is no contract there: another chain's token, or Permit2 is not on this chain.",
  JobMarket_MustBeOpened: "Open it with `dcm job open`: quorum and acceptance need a job on chain.",
  Ledger_InsufficientCredit: "See what there is with `dcm credit show`; pay in with `dcm credit deposit`.",
  Ledger_SignatureExpired: "Have its account sign a new one with `dcm credit sign-withdrawal`.",
  Ledger_BadSignature: "It is not signed by the account it names.",
  Ledger_TokenShort: "The token has taken some of what the market held; it takes no more in of it.",
  Ledger_ZeroAmount: "Give an amount above zero.",
  JobMarket_FailureFeeTooHigh: "Lower the failure fee to at most the operator's fee.",
  Ledger_WrongAmountReceived: "The token takes a fee on transfers or rebases; pay in another one.",
  Sessions_LeafTaken: "The leaf was disputed or shown before; see `dcm session show`.",
  Sessions_NoSuchLeaf: "Leaves are numbered from 0; see `dcm session show`.",
  Sessions_NonceUsed: "A job with that nonce was shown before.",
  Sessions_NotPayer: "Only the session's payer disputes: it is its money, and its bond.",
  Sessions_WrongState: "See where it stands with `dcm session show`.",
  Sessions_WrongTime: "See until when with `dcm session show`.",
  ERC20InsufficientAllowance: "Approve the token to the spender, or pay in credit first: `dcm credit deposit`.",
  ERC20InsufficientBalance: "Get more of the token, or offer less.",
};

const everyError = "docs/errors.md says what each error of the contracts means.";

/** What a revert that no ABI here explains has said. */
function whyOf({ reason, signature }: ContractFunctionRevertedError): string {
  if (signature !== undefined) return `, by an error that is not known here: ${signature}`;
  return reason === undefined ? " and gave no reason." : `: ${plainText(reason, 200)}`;
}

/** A contract refused the call; nothing was changed. `contractError` and `args` are the contract's own. */
export class ContractRefusedError extends BaseError {
  override readonly name = "Chain.ContractRefusedError";
  /** Name of the contract's error, e.g. `JobMarket_NotOpen`; `unknown` if it is none that is known here. */
  readonly contractError: string;
  /** Arguments of the contract's error by name. */
  readonly args: Readonly<Record<string, unknown>>;

  constructor(revert: ContractFunctionRevertedError, cause: unknown) {
    const contractError = revert.data?.errorName ?? "unknown";
    const inputs = revert.data?.abiItem.type === "error" ? revert.data.abiItem.inputs : [];
    const values = revert.data?.args ?? [];
    const args = Object.fromEntries(inputs.map((input, i) => [input.name ?? String(i), values[i]]));
    const shown = inputs.map(
      ({ name, internalType }, i) =>
        `${name ?? i}: ${plainText(wordFor(internalType, values[i], `${contractError}.${name}`), 100)}`,
    );
    const known = revert.data !== undefined;
    super(`The contract refused${known ? `: ${contractError}(${shown.join(", ")})` : whyOf(revert)}`, {
      hint: known
        ? (hints[contractError] ?? everyError)
        : "It may lack this function, as a token without permits does.",
      cause,
    });
    this.contractError = contractError;
    this.args = args;
  }
}

/** There is no such contract at the address. */
export class NoContractError extends BaseError {
  override readonly name = "Chain.NoContractError";
  constructor(cause: unknown) {
    super("There is no contract at the address, or it is another one.", {
      hint: "Check the addresses of the deployment file and of the token.",
      cause,
    });
  }
}

/** The wallet cannot pay the value and the gas. */
export class NotEnoughCoinError extends BaseError {
  override readonly name = "Chain.NotEnoughCoinError";
  constructor(cause: unknown) {
    super("The wallet has too little of the native coin for the value and the gas.", {
      hint: "Send it some and try again.",
      cause,
    });
  }
}

/** The person at the wallet said no. */
export class RejectedByWalletError extends BaseError {
  override readonly name = "Chain.RejectedByWalletError";
  constructor(cause: unknown) {
    super("The wallet refused to sign.", { hint: "Confirm the request in the wallet.", cause });
  }
}

/** The RPC did not answer, or with an error that is not a contract's. */
export class RpcError extends BaseError {
  override readonly name = "Chain.RpcError";
  constructor(fact: string, cause?: unknown) {
    super(`The RPC call failed: ${fact}`, {
      hint: "Check that the RPC is up and reachable, then try again.",
      retryable: true,
      cause,
    });
  }
}
