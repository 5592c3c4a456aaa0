// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { FailureCode, JobOrder, JobState, OrderGroup, Outcome, ShownGrant, SignedOffer } from "./MarketTypes.sol";

/// @title IJobMarket
/// @notice Escrow of jobs and their settlement by receipts of attested enclaves. With all that IMarket adds, at one address.
/// @dev No owner, no upgrade, no pause, no fee. Payments are credited here (see ILedger) and withdrawn by each payee.
/// Jobs that are opened live in storage under a counter, so that a job and its absence can be shown by a storage proof:
/// slot 0 holds the number of jobs, slot keccak256(abi.encode(index, 1)) the job id with its lowest byte replaced by the
/// state. Of an order that is settled without being opened, storage holds the used nonce.
/// Every function that changes state refuses re-entry with ReentrancyGuardReentrantCall, besides what it lists.
/// The EIP-712 domain is ("DataCollabMarket", "1", chain id, this contract).
interface IJobMarket {
    /// @notice There is no contract at the address of a token or, at deployment, of a registry or of the extension.
    error JobMarket_NotAContract(address account);
    /// @notice The extension asks other registries than this market.
    error JobMarket_WrongExtension(address extension);
    /// @notice The caller is not the order's requester.
    error JobMarket_NotRequester(address caller, address requester);
    /// @notice Neither did this account, the order's requester or payer, send the transaction, nor did it sign the order.
    error JobMarket_NotSignedBy(bytes32 orderHash, address account);
    /// @notice The order names no data set, or more than the limit.
    error JobMarket_BadDatasetCount(uint256 count, uint256 limit);
    /// @notice The failure fee is higher than the operator's fee.
    error JobMarket_FailureFeeTooHigh(uint256 failureFee, uint256 operatorFee);
    /// @notice The deadline has passed, or is further away than the limit, in seconds.
    error JobMarket_BadDeadline(uint64 deadline, uint256 timestamp, uint256 limitSeconds);
    /// @notice The order asks for no enclave, or for more than the limit, which is one if it names an offer.
    error JobMarket_BadQuorum(uint8 quorum, uint256 limit);
    /// @notice The job must be accepted, but by a time that has passed or is after the deadline; or there is a bond and
    /// nothing to accept; or the quorum is above one, which nobody can accept alone.
    error JobMarket_BadAcceptance(uint64 acceptBy, uint256 bond, uint8 quorum);
    /// @notice The order belongs to a session, or is a session's template: it cannot be settled this way.
    error JobMarket_InSession(bytes32 session);
    /// @notice The parameters are longer than the limit, in bytes.
    error JobMarket_ParamsTooLong(uint256 length, uint256 limit);
    /// @notice The program URI is longer than the limit, in bytes.
    error JobMarket_ProgramUriTooLong(uint256 length, uint256 limit);
    /// @notice The parameters do not hash to the order's `paramsHash`.
    error JobMarket_ParamsMismatch(bytes32 expected, bytes32 actual);
    /// @notice The account used or cancelled this nonce before.
    error JobMarket_NonceUsed(address account, uint256 nonce);
    /// @notice The order is not the one stored at `index`.
    error JobMarket_UnknownJob(uint256 index, bytes32 jobId);
    /// @notice The job is not in a state that allows this.
    error JobMarket_NotOpen(bytes32 jobId, JobState state);
    /// @notice The job must be accepted first, or cannot be accepted: see `JobOrder.acceptBy`.
    error JobMarket_WrongAcceptance(bytes32 jobId, uint64 acceptBy, uint256 timestamp);
    /// @notice Another enclave has accepted the job.
    error JobMarket_AcceptedByOther(bytes32 jobId, address signer, address acceptedBy);
    /// @notice The deadline has passed.
    error JobMarket_DeadlinePassed(bytes32 jobId, uint64 deadline, uint256 timestamp);
    /// @notice The time by which the job must settle, or be accepted, has not passed yet.
    error JobMarket_DeadlineNotPassed(bytes32 jobId, uint64 deadline, uint256 timestamp);
    /// @notice The outcome contradicts itself: a result without Ok, Ok without a result, or failed with grants counted.
    error JobMarket_BadOutcome(bytes32 jobId);
    /// @notice The receipt's anchor is not one of the last 8,191 blocks of this chain. `actualHash` is zero where the
    /// chain does not know.
    error JobMarket_BadAnchor(uint64 anchorBlock, bytes32 anchorHash, bytes32 actualHash);
    /// @notice The enclave's signature is malformed: wrong length, high s, or no key. It is shown as its keccak256.
    error JobMarket_BadSignature(bytes32 signatureHash);
    /// @notice What was signed, with these terms, is not signed by a registered enclave, or its registration has expired.
    error JobMarket_EnclaveNotLive(address signer);
    /// @notice The enclave runs another workload than the order names.
    error JobMarket_WrongWorkload(address signer, bytes32 workloadId, bytes32 expected);
    /// @notice The enclave is run by another operator than the order names.
    error JobMarket_WrongOperator(address signer, address operator, address expected);
    /// @notice An enclave on this platform has said its word for this job.
    error JobMarket_SamePlatform(bytes32 jobId, bytes16 platformId);
    /// @notice There are more or fewer grants than the receipt counts, or it counts one of a data set that the order has not.
    error JobMarket_GrantCountMismatch(uint256 grants, uint16 countedGrants);
    /// @notice The grant at this position adds more readers to the result than the limit.
    error JobMarket_TooManyResultReaders(uint256 position, uint256 count, uint256 limit);
    /// @notice The grant at this position is not the one the order names: in anything, also if it is for another data set,
    /// program, workload, requester, operator or token.
    error JobMarket_GrantMismatch(uint256 position, bytes32 grantHash, bytes32 expected);
    /// @notice What the grant's price comes to is more than the order's ceiling.
    error JobMarket_PriceTooHigh(bytes32 grantHash, uint256 price, uint256 maxPrice);
    /// @notice The block time is outside the grant's validity.
    error JobMarket_GrantNotInForce(bytes32 grantHash, uint64 notBefore, uint64 notAfter, uint256 timestamp);
    /// @notice The owner revoked the grant, by epoch or by nonce, or retired or gave away the data set.
    error JobMarket_GrantRevoked(bytes32 grantHash);
    /// @notice The grant has been used as often as it allows, or would be used more often.
    error JobMarket_GrantUsedUp(bytes32 grantHash, uint64 maxUses);
    /// @notice The grant is not signed by the data set's owner.
    error JobMarket_GrantBadSignature(bytes32 grantHash, address owner);
    /// @notice The offer shown is not the one that the order names, or there is one too many or too few.
    error JobMarket_OfferMismatch(bytes32 offerHash, bytes32 expected);
    /// @notice The offer is another operator's, for another workload or token, or ends before the order's deadline.
    error JobMarket_OfferNotForOrder(bytes32 offerHash);
    /// @notice The offer is not signed by its operator.
    error JobMarket_OfferBadSignature(bytes32 offerHash, address operator);
    /// @notice A group has no orders, or more than the limit; or its common terms name parameters, deadline or nonce.
    error JobMarket_BadGroup(uint256 items, uint256 limit);
    /// @notice The order asks for a quorum or for acceptance: it must be opened first.
    error JobMarket_MustBeOpened(uint8 quorum, uint64 acceptBy, uint256 bond);
    /// @notice The receipts of a group that are Ok do not all count the same grants.
    error JobMarket_CountedGrantsDiffer(uint16 first, uint16 other);

    /// @notice A job was opened and its whole cost escrowed: the payer's credit is less by that.
    event JobOpened(
        bytes32 indexed jobId,
        uint256 indexed index,
        address indexed requester,
        JobOrder order,
        string programUri,
        bytes params
    );
    /// @notice An enclave has accepted a job; `bonder` staked the order's bond.
    event JobAccepted(bytes32 indexed jobId, uint256 indexed index, address indexed signer, address bonder);
    /// @notice One of several enclaves has said its word; the job goes on.
    event ReceiptCounted(
        bytes32 indexed jobId,
        uint256 indexed index,
        address indexed signer,
        bytes16 platformId,
        bytes32 receiptHash,
        bytes32 outputCommitment
    );
    /// @notice A job ended with a receipt. `receiptHash` is its EIP-712 hash, which `signer` signed; outcome and signature are
    /// in the transaction.
    event JobSettled(
        bytes32 indexed jobId,
        uint256 indexed index,
        address indexed signer,
        bytes32 receiptHash,
        bytes32 resultHash,
        uint16 countedGrants,
        FailureCode failureCode
    );
    /// @notice A job ended without payment: this receipt is not what the enclaves before it said.
    event JobDisagreed(
        bytes32 indexed jobId,
        uint256 indexed index,
        address indexed signer,
        bytes32 receiptHash,
        bytes32 outputCommitment
    );
    /// @notice The requester took the job back.
    event JobCancelled(bytes32 indexed jobId, uint256 indexed index);
    /// @notice The deadline passed without a receipt, or the time to accept it without an enclave.
    event JobExpired(bytes32 indexed jobId, uint256 indexed index);
    /// @notice A signed order was settled. `receiptHash` is its receipt's EIP-712 hash, which `signer` signed; order, outcome
    /// and signatures are in the transaction.
    event OrderSettled(
        bytes32 indexed jobId,
        address indexed requester,
        address indexed signer,
        uint256 nonce,
        bytes32 receiptHash,
        bytes32 resultHash,
        FailureCode failureCode
    );
    /// @notice The orders of the OrderSettled events before this one, up to the one before it, were paid for: `payer` was
    /// charged for all of them. `source` is the first of them; `grantHashes` are the grants that each of the `okCount` that
    /// ended Ok has used.
    event OrderGroupSettled(
        bytes32 indexed source,
        address indexed payer,
        address indexed token,
        uint256 charged,
        uint64 okCount,
        bytes32[] grantHashes
    );
    /// @notice Whatever `account` signed, or will sign, with `nonce` is worthless: it took that back, or withdrew by it just now.
    event NonceCancelled(address indexed account, uint256 indexed nonce);

    /// @notice Opens a job and takes its whole cost into escrow: the sum of the ceilings, and the operator's fee for each
    /// enclave. What the payer has as credit is used first; what is lacking is taken from it (ERC-20, by allowance) or must
    /// have been sent (native coin); what was sent beyond stays as its credit.
    /// @dev Caller: anyone; requester and payer have sent it or signed. Reverts, in this order: BadDatasetCount,
    /// FailureFeeTooHigh, BadQuorum, BadDeadline, BadAcceptance, InSession, ProgramUriTooLong, ParamsTooLong, ParamsMismatch,
    /// NotSignedBy, NonceUsed, Panic 0x11 (the cost is over 2^256 - 1), NotAContract, ILedger.Ledger_WrongValue,
    /// Ledger_InsufficientCredit, the token's own errors, Ledger_WrongAmountReceived.
    /// That the data sets exist and the grants are good is checked when the job settles, not here: until then money
    /// only waits.
    /// @param programUri Where the program bundle can be fetched; at most 1,024 bytes, not trusted.
    /// @param params Canonical JSON, at most 8,192 bytes.
    /// @param requesterSignature Of the order: ECDSA, or ERC-1271 for contracts. Empty if the requester sends this.
    /// @param payerSignature As that, of the payer; empty if the payer sends this or is the requester.
    function open(
        JobOrder calldata order,
        string calldata programUri,
        bytes calldata params,
        bytes calldata requesterSignature,
        bytes calldata payerSignature
    ) external payable returns (bytes32 jobId, uint256 index);

    /// @notice Ends a job with an enclave's receipt, or counts it towards the job's quorum. Ok: each data set's payees are
    /// credited what its grant's price comes to, the operator its fee. Failed: the operator is credited the failure fee. The
    /// payer is credited the rest. With a quorum, all operators are credited when the last of as many equal output
    /// commitments comes in; the first that differs ends the job, and the payer is credited all.
    /// @dev Caller: anyone; the payees come from the signed terms. Reverts, in this order: UnknownJob, NotOpen,
    /// DeadlinePassed, WrongAcceptance, BadOutcome, BadAnchor, BadSignature, EnclaveNotLive, WrongWorkload, WrongOperator,
    /// AcceptedByOther, SamePlatform; and if Ok is to be paid for OfferMismatch, OfferNotForOrder, OfferBadSignature,
    /// GrantCountMismatch and, for each grant: TooManyResultReaders, GrantMismatch, GrantNotInForce,
    /// IDatasetRegistry.DatasetRegistry_UnknownDataset, GrantRevoked, GrantUsedUp, GrantBadSignature,
    /// PriceTooHigh.
    /// A receipt for another job, program, workload or parameters has another hash: its signer is nobody's enclave.
    /// `inputsRoot`, `grantsRoot`, `policyHash`, `fuelUsed`, `logRoot` and `logSize` are not compared with anything here:
    /// the enclave's signature binds them, and auditors check them off chain.
    /// @param signature 65 bytes r || s || v of the receipt's EIP-712 hash, low s, v 27 or 28.
    /// @param grants One for each bit of `countedGrants`, in the order's order. Not read unless somebody is to be paid for Ok.
    /// @param offer The order's offer; nothing if it names none.
    function settle(
        uint256 index,
        JobOrder calldata order,
        Outcome calldata outcome,
        bytes calldata signature,
        ShownGrant[] calldata grants,
        SignedOffer[] calldata offer
    ) external;

    /// @notice Settles signed orders that were never opened against their payers' credit: each is paid for as by `settle`,
    /// from the order's payer, who is charged no more than that.
    /// @dev Caller: anyone; requester and payer have signed, also if they send this. All or nothing. Reverts for each group with
    /// BadGroup, BadDatasetCount, FailureFeeTooHigh, BadQuorum, MustBeOpened, InSession, OfferMismatch (there must be one or
    /// none); for each item with BadDeadline, NotSignedBy, NonceUsed, and as `settle`, CountedGrantsDiffer; then
    /// ILedger.Ledger_InsufficientCredit.
    /// Credited names the group's first job as its source.
    function settleOrders(OrderGroup[] calldata groups) external;

    /// @notice Where the code of the other functions of IMarket lies, which run in this contract's storage.
    function extension() external view returns (address);
}
