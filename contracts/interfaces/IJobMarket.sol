// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Where a job stands. Only `Open` holds money.
enum JobState {
    None,
    Open,
    SettledOk,
    SettledFailed,
    Cancelled,
    Expired
}

/// @notice What the enclave says of the run.
enum ReceiptStatus {
    None,
    Ok,
    Failed
}

/// @notice Why a run gave no result. One value per cause; `None` with status Ok.
enum FailureCode {
    None,
    ProgramUnavailable,
    ProgramMismatch,
    ParamsRefused,
    InputUnavailable,
    InputMismatch,
    GrantMissing,
    GrantRefused,
    KeyUnavailable,
    DecryptionFailed,
    ProgramTrapped,
    FuelExhausted,
    MemoryExceeded,
    TimeExceeded,
    OutputTooLarge,
    OutputRefused
}

/// @notice One data set of a job and what its use costs.
/// @param datasetId As registered in IDatasetRegistry.
/// @param grantHash EIP-712 hash of the grant that consents to the use.
/// @param price Paid to the data set's owner when the job settles Ok; in units of the order's token.
struct DatasetUse {
    bytes32 datasetId;
    bytes32 grantHash;
    uint256 price;
}

/// @notice What the requester asks for and pays. jobId = EIP-712 hash of this.
/// @param requester Who pays, may cancel, and is refunded.
/// @param programId keccak256 of the program's canonical manifest.
/// @param workloadId What enclave code the requester trusts to run it.
/// @param paramsHash keccak256 of the parameters (canonical JSON).
/// @param datasets 1 to 16 data sets, in the order of the program's inputs.
/// @param resultKey X25519 public key (an age recipient) that the result is sealed to.
/// @param token ERC-20, or zero for the native coin. Tokens that take fees are refused; a token whose balances change
/// by themselves can leave the market short of it: do not price in one.
/// @param operatorFee Paid to the enclave's operator when the job settles Ok.
/// @param failureFee Paid to the operator when the job settles Failed; at most `operatorFee`. An operator can make a
/// job fail (it can cut the enclave off from its inputs): give none to operators you do not know.
/// @param operator Whom an enclave that settles must pay; zero for any. Not who runs it: every host of the workload can
/// name this operator, run the job, make it fail, and end it.
/// @param deadline Unix seconds; the last second in which the job may settle. At most 365 days ahead at `open`.
/// @param nonce Chosen by the requester; each is used once.
struct JobOrder {
    address requester;
    bytes32 programId;
    bytes32 workloadId;
    bytes32 paramsHash;
    DatasetUse[] datasets;
    bytes32 resultKey;
    address token;
    uint256 operatorFee;
    uint256 failureFee;
    address operator;
    uint64 deadline;
    uint256 nonce;
}

/// @notice A provider's consent to one use of its data set: this program, in this workload, for this price.
/// @param datasetId The data set.
/// @param programId The one program that may run on it.
/// @param workloadId The one enclave code that may open it.
/// @param requester Who may ask; zero for anyone.
/// @param operator Whom an enclave that runs it must pay; zero for any. Not who runs it: a host may name any operator.
/// @param token What the price is paid in; zero for the native coin.
/// @param pricePerUse In units of `token`.
/// @param maxUses How many uses may be settled; zero for no limit. A job that names the grant twice uses it twice.
/// @param notBefore Unix seconds, first second of validity.
/// @param notAfter Unix seconds, last second of validity.
/// @param resultReaders X25519 keys that the result must be sealed to besides the requester's; at most 16.
/// @param epoch The data set's consent epoch when signed.
/// @param nonce Grants of one owner may share it; the owner revokes all that do at once.
struct Grant {
    bytes32 datasetId;
    bytes32 programId;
    bytes32 workloadId;
    address requester;
    address operator;
    address token;
    uint256 pricePerUse;
    uint64 maxUses;
    uint64 notBefore;
    uint64 notAfter;
    bytes32[] resultReaders;
    uint32 epoch;
    uint256 nonce;
}

/// @notice A grant with its owner's signature (ECDSA, or ERC-1271 for contracts).
struct SignedGrant {
    Grant grant;
    bytes signature;
}

/// @notice What the enclave signs about one run. Valid on chain and offline.
/// @param jobId EIP-712 hash of the order.
/// @param status Ok or Failed.
/// @param programId What ran.
/// @param workloadId Where it ran.
/// @param inputsRoot RFC 9162 tree root over datasetId || contentHash, in the order's order.
/// @param grantsRoot RFC 9162 tree root over the grant hashes, in the order's order.
/// @param paramsHash keccak256 of the parameters.
/// @param resultHash SHA-256 of the sealed result; zero when Failed.
/// @param outputCommitment Salted commitment to the plain output; zero when Failed.
/// @param policyHash keccak256 of the output policy that was enforced.
/// @param fuelUsed Fuel, rounded up to a power of two.
/// @param logRoot Root of the enclave's log, with this run's entries.
/// @param logSize Number of entries under `logRoot`.
/// @param anchorBlock The block whose state the enclave checked consent against.
/// @param anchorHash That block's hash.
/// @param failureCode Why there is no result; None when Ok.
struct Receipt {
    bytes32 jobId;
    ReceiptStatus status;
    bytes32 programId;
    bytes32 workloadId;
    bytes32 inputsRoot;
    bytes32 grantsRoot;
    bytes32 paramsHash;
    bytes32 resultHash;
    bytes32 outputCommitment;
    bytes32 policyHash;
    uint64 fuelUsed;
    bytes32 logRoot;
    uint64 logSize;
    uint64 anchorBlock;
    bytes32 anchorHash;
    FailureCode failureCode;
}

/// @title IJobMarket
/// @notice Escrow of jobs and their settlement by receipts of attested enclaves.
/// @dev No owner, no upgrade, no pause, no fee. Payments are credited here and withdrawn by each payee.
/// Jobs live in storage under a counter, so that a job and its absence can be shown by a storage proof: slot 0 holds
/// the number of jobs, slot keccak256(abi.encode(index, 1)) the job id with its lowest byte replaced by the state.
/// Every function that changes state refuses re-entry with ReentrancyGuardReentrantCall, besides what it lists.
/// The EIP-712 domain is ("DataCollabMarket", "1", chain id, this contract).
interface IJobMarket {
    /// @notice There is no contract at the address of a token or, at deployment, of a registry.
    error JobMarket_NotAContract(address account);
    /// @notice The caller is not the order's requester.
    error JobMarket_NotRequester(address caller, address requester);
    /// @notice The order names no data set, or more than the limit.
    error JobMarket_BadDatasetCount(uint256 count, uint256 limit);
    /// @notice The failure fee is higher than the operator's fee.
    error JobMarket_FailureFeeTooHigh(uint256 failureFee, uint256 operatorFee);
    /// @notice The deadline has passed, or is further away than the limit, in seconds.
    error JobMarket_BadDeadline(uint64 deadline, uint256 timestamp, uint256 limitSeconds);
    /// @notice The parameters are longer than the limit, in bytes.
    error JobMarket_ParamsTooLong(uint256 length, uint256 limit);
    /// @notice The program URI is longer than the limit, in bytes.
    error JobMarket_ProgramUriTooLong(uint256 length, uint256 limit);
    /// @notice The parameters do not hash to the order's `paramsHash`.
    error JobMarket_ParamsMismatch(bytes32 expected, bytes32 actual);
    /// @notice The requester used this nonce before.
    error JobMarket_NonceUsed(address requester, uint256 nonce);
    /// @notice The value sent is not the escrow (native coin), or not zero (ERC-20).
    error JobMarket_WrongValue(uint256 sent, uint256 expected);
    /// @notice The token did not move the exact amount: it takes a fee, rebases, or lies.
    error JobMarket_WrongAmountReceived(address token, uint256 received, uint256 expected);
    /// @notice The order is not the one stored at `index`.
    error JobMarket_UnknownJob(uint256 index, bytes32 jobId);
    /// @notice The job is not open.
    error JobMarket_NotOpen(bytes32 jobId, JobState state);
    /// @notice The deadline has passed.
    error JobMarket_DeadlinePassed(bytes32 jobId, uint64 deadline, uint256 timestamp);
    /// @notice The deadline has not passed yet.
    error JobMarket_DeadlineNotPassed(bytes32 jobId, uint64 deadline, uint256 timestamp);
    /// @notice The receipt is for another job.
    error JobMarket_ReceiptForOtherJob(bytes32 receiptJobId, bytes32 jobId);
    /// @notice Program, workload or parameters of the receipt are not the order's, or its status and fields contradict.
    error JobMarket_ReceiptMismatch(bytes32 jobId);
    /// @notice The receipt's anchor is not one of the last 8,191 blocks of this chain. `actualHash` is zero where the
    /// chain does not know.
    error JobMarket_BadAnchor(uint64 anchorBlock, bytes32 anchorHash, bytes32 actualHash);
    /// @notice The signature is malformed: wrong length, high s, or no key.
    error JobMarket_BadSignature();
    /// @notice The receipt is not signed by a registered enclave, or its registration has expired.
    error JobMarket_EnclaveNotLive(address signer);
    /// @notice The enclave runs another workload than the order names.
    error JobMarket_WrongWorkload(address signer, bytes32 workloadId, bytes32 expected);
    /// @notice The enclave is run by another operator than the order names.
    error JobMarket_WrongOperator(address signer, address operator, address expected);
    /// @notice There are more or fewer grants than data sets.
    error JobMarket_GrantCountMismatch(uint256 grants, uint256 datasets);
    /// @notice The grant at this position adds more readers to the result than the limit.
    error JobMarket_TooManyResultReaders(uint256 position, uint256 count, uint256 limit);
    /// @notice The grant at this position is not the one the order names.
    error JobMarket_GrantMismatch(uint256 position, bytes32 grantHash, bytes32 expected);
    /// @notice The grant is for another data set, program, workload, requester, operator, token or price.
    error JobMarket_GrantNotForOrder(bytes32 grantHash);
    /// @notice The block time is outside the grant's validity.
    error JobMarket_GrantNotInForce(bytes32 grantHash, uint64 notBefore, uint64 notAfter, uint256 timestamp);
    /// @notice The owner revoked the grant, by epoch or by nonce.
    error JobMarket_GrantRevoked(bytes32 grantHash);
    /// @notice The grant has been used as often as it allows.
    error JobMarket_GrantUsedUp(bytes32 grantHash, uint64 maxUses);
    /// @notice The grant is not signed by the data set's owner.
    error JobMarket_GrantBadSignature(bytes32 grantHash, address owner);
    /// @notice The amount is zero or more than the caller's credit.
    error JobMarket_InsufficientCredit(address account, address token, uint256 amount, uint256 credit);
    /// @notice The receiver is the zero address.
    error JobMarket_ZeroReceiver();
    /// @notice The receiver refused the native coin.
    error JobMarket_TransferFailed(address to, uint256 amount);

    /// @notice A job was opened and its whole cost escrowed.
    event JobOpened(
        bytes32 indexed jobId,
        uint256 indexed index,
        address indexed requester,
        JobOrder order,
        string programUri,
        bytes params
    );
    /// @notice A job ended with a receipt. `receipt` is as signed by `signer`.
    event JobSettled(
        bytes32 indexed jobId, uint256 indexed index, address indexed signer, Receipt receipt, bytes signature
    );
    /// @notice The requester took the job back.
    event JobCancelled(bytes32 indexed jobId, uint256 indexed index);
    /// @notice The deadline passed without a receipt.
    event JobExpired(bytes32 indexed jobId, uint256 indexed index);
    /// @notice `account` was credited from a job: a payment or a refund.
    event Credited(address indexed account, address indexed token, bytes32 indexed jobId, uint256 amount);
    /// @notice `account` took credit out.
    event Withdrawn(address indexed account, address indexed token, address indexed to, uint256 amount);

    /// @notice Opens a job and takes its whole cost into escrow: the sum of prices and the operator's fee.
    /// @dev Caller: the requester. Reverts, in this order: NotRequester, BadDatasetCount, FailureFeeTooHigh, BadDeadline,
    /// ProgramUriTooLong, ParamsTooLong, ParamsMismatch, NonceUsed, Panic 0x11 (the cost is over 2^256 - 1), WrongValue,
    /// NotAContract, the token's own errors, WrongAmountReceived.
    /// That the data sets exist and the grants are good is checked when the job settles, not here: until then money
    /// only waits.
    /// @param programUri Where the program bundle can be fetched; at most 1,024 bytes, not trusted.
    /// @param params Canonical JSON, at most 8,192 bytes.
    function open(JobOrder calldata order, string calldata programUri, bytes calldata params)
        external
        payable
        returns (bytes32 jobId, uint256 index);

    /// @notice `open` after an ERC-2612 permit of exactly the cost to this contract. A permit that was submitted by
    /// someone else before does no harm. Not for the native coin.
    /// @dev Reverts as `open`; a permit that fails is no error by itself, the transfer then lacks the allowance.
    /// @param permitDeadline Unix seconds, as in the permit.
    function openWithPermit(
        JobOrder calldata order,
        string calldata programUri,
        bytes calldata params,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 jobId, uint256 index);

    /// @notice Ends a job with an enclave's receipt. Ok: each data set's owner is credited its price, the operator its
    /// fee. Failed: the operator is credited the failure fee, the requester the rest.
    /// @dev Caller: anyone; the payees come from the signed terms. Reverts, in this order: UnknownJob, NotOpen,
    /// DeadlinePassed, ReceiptForOtherJob, ReceiptMismatch, BadAnchor, BadSignature, EnclaveNotLive, WrongWorkload,
    /// WrongOperator, GrantCountMismatch; then for Ok, for each grant: TooManyResultReaders, GrantMismatch,
    /// GrantNotForOrder, GrantNotInForce, IDatasetRegistry.DatasetRegistry_UnknownDataset, GrantRevoked, GrantUsedUp,
    /// GrantBadSignature.
    /// `inputsRoot`, `grantsRoot`, `policyHash`, `fuelUsed`, `logRoot` and `logSize` are not compared with anything here:
    /// the enclave's signature binds them, and auditors check them off chain.
    /// @param signature 65 bytes r || s || v of the receipt's EIP-712 hash, low s, v 27 or 28.
    /// @param grants One per data set, in the order's order; empty for a Failed receipt.
    function settle(
        uint256 index,
        JobOrder calldata order,
        Receipt calldata receipt,
        bytes calldata signature,
        SignedGrant[] calldata grants
    ) external;

    /// @notice Takes an open job back: full refund. Caller: the requester, until the job settles. It may overtake a
    /// receipt that is on its way: a worker hands nothing out before the settlement is final.
    /// @dev Reverts, in this order: UnknownJob, NotOpen, NotRequester.
    function cancel(uint256 index, JobOrder calldata order) external;

    /// @notice Ends an open job after its deadline: full refund to the requester. Caller: anyone.
    /// @dev Reverts, in this order: UnknownJob, NotOpen, DeadlineNotPassed.
    function expire(uint256 index, JobOrder calldata order) external;

    /// @notice Takes credit of the caller out.
    /// @dev Reverts, in this order: ZeroReceiver, InsufficientCredit; native coin: TransferFailed; ERC-20: the token's
    /// own error, WrongAmountReceived.
    /// @param token ERC-20, or zero for the native coin.
    /// @param amount In units of `token`, not zero.
    function withdraw(address token, address to, uint256 amount) external;

    /// @notice How many jobs were ever opened; indices run from 0.
    function jobCount() external view returns (uint256);

    /// @notice State of the job that `jobId` was given at `index`; None if another or no job is there.
    function jobState(uint256 index, bytes32 jobId) external view returns (JobState);

    /// @notice What `account` may withdraw of `token`.
    function creditOf(address account, address token) external view returns (uint256);

    /// @notice Whether `requester` used `nonce`.
    function isNonceUsed(address requester, uint256 nonce) external view returns (bool);

    /// @notice How many settled jobs used the grant.
    function grantUses(bytes32 grantHash) external view returns (uint64);

    /// @notice EIP-712 hash of an order: its job id.
    function hashOrder(JobOrder calldata order) external view returns (bytes32);

    /// @notice EIP-712 hash of a grant.
    function hashGrant(Grant calldata grant) external view returns (bytes32);

    /// @notice EIP-712 hash of a receipt.
    function hashReceipt(Receipt calldata receipt) external view returns (bytes32);

    /// @notice The registry whose enclaves may settle.
    function enclaves() external view returns (address);

    /// @notice The registry of data sets and consent.
    function datasets() external view returns (address);
}
