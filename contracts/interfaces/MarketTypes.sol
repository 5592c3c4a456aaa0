// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Where a job stands. `Open` and `Accepted` hold money, the others do not.
enum JobState {
    None,
    Open,
    SettledOk,
    SettledFailed,
    Cancelled,
    Expired,
    Accepted,
    Disagreed
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
    OutputRefused,
    PriceTooHigh,
    StatementRefused,
    ColumnRefused,
    GroupTooSmall,
    BudgetExceeded
}

/// @notice What a grant's price is for. `OutputRow`: each row of the result, as the receipt counts them. `InputByte`: each
/// byte of the data set's ciphertext, as registered.
enum PriceUnit {
    Use,
    OutputRow,
    InputByte
}

/// @notice One data set of a job and what its use may cost.
/// @param datasetId As registered in IDatasetRegistry.
/// @param grantHash EIP-712 hash of the grant that consents to the use.
/// @param maxPrice The most that is paid for it, in units of the order's token. What the grant's price comes to is paid, the
/// rest stays with the payer; a use that comes to more cannot settle Ok.
struct DatasetUse {
    bytes32 datasetId;
    bytes32 grantHash;
    uint256 maxPrice;
}

/// @notice What the requester asks for. jobId = EIP-712 hash of this.
/// @param requester Who asks: sent `open`, or signed this. May cancel.
/// @param payer Who pays, and is refunded: the requester, or whoever signed this too or sent `open`.
/// @param programId keccak256 of the program's canonical manifest.
/// @param workloadId What enclave code the requester trusts to run it.
/// @param paramsHash keccak256 of the parameters (canonical JSON).
/// @param datasets 1 to 16 data sets, in the order of the program's inputs.
/// @param resultKey X25519 public key (an age recipient) that the result is sealed to.
/// @param token ERC-20, or zero for the native coin. Tokens that take fees are refused.
/// @param operatorFee The most that the operator of each enclave is paid when the job settles Ok. Without an offer, what it
/// is paid.
/// @param failureFee Paid to the operator when the job settles Failed; at most `operatorFee`. An operator can make a
/// job fail (it can cut the enclave off from its inputs): give none to operators you do not know.
/// @param operator Whom an enclave that settles must pay; zero for any.
/// @param offerHash EIP-712 hash of the operator's offer whose prices hold; zero for none.
/// @param bond What whoever accepts the job stakes, and the requester gets if an accepted job expires.
/// @param acceptBy Unix seconds. Zero: any enclave may settle at once. Else an enclave must have accepted by then, and only
/// it may settle.
/// @param deadline Unix seconds; the last second in which the job may settle. At most 365 days ahead at `open`.
/// @param quorum How many enclaves, on as many platforms, must say the same; 1 to 5, and 1 if the order names an offer.
/// @param session Id of the session that the job belongs to; zero for none.
/// @param nonce Chosen by the requester; each is used once, and in the jobs of a session once in it.
struct JobOrder {
    address requester;
    address payer;
    bytes32 programId;
    bytes32 workloadId;
    bytes32 paramsHash;
    DatasetUse[] datasets;
    bytes32 resultKey;
    address token;
    uint256 operatorFee;
    uint256 failureFee;
    address operator;
    bytes32 offerHash;
    uint256 bond;
    uint64 acceptBy;
    uint64 deadline;
    uint8 quorum;
    bytes32 session;
    uint256 nonce;
}

/// @notice A provider's consent to uses of its data set: this program, in this workload, for this price.
/// @param datasetId The data set.
/// @param programId The one program that may run on it.
/// @param workloadId The one enclave code that may open it.
/// @param requester Who may ask; zero for anyone.
/// @param operator Whom an enclave that runs it must pay; zero for any. Not who runs it: a host may name any operator.
/// @param token What the price is paid in; zero for the native coin.
/// @param priceUnit What `price` is for.
/// @param price Per unit, in units of `token`.
/// @param maxUses How many uses may be settled; zero for no limit. A job that names the grant twice uses it twice.
/// @param notBefore Unix seconds, first second of validity.
/// @param notAfter Unix seconds, last second of validity.
/// @param resultReaders X25519 keys that the result must be sealed to besides the requester's; at most 16.
/// @param epoch The data set's consent epoch when signed.
/// @param ownerEpoch The owner's consent epoch when signed.
/// @param nonce Grants of one owner may share it; the owner revokes all that do at once. Below 224 it is cheapest.
struct Grant {
    bytes32 datasetId;
    bytes32 programId;
    bytes32 workloadId;
    address requester;
    address operator;
    address token;
    PriceUnit priceUnit;
    uint256 price;
    uint64 maxUses;
    uint64 notBefore;
    uint64 notAfter;
    bytes32[] resultReaders;
    uint32 epoch;
    uint32 ownerEpoch;
    uint256 nonce;
}

/// @notice A grant as the market is shown it: what it says beyond the order that it is used for. Data set, program, workload
/// and token are the order's.
/// @param anyRequester Whether the grant's requester is zero; else it is the order's.
/// @param anyOperator Whether the grant's operator is zero; else it is the operator of the enclave that signed the receipt.
/// @param priceUnit As all that follow, see `Grant`.
/// @param signature The owner's, of the grant: ECDSA, or ERC-1271 for contracts. May be empty once the market has seen the
/// owner's ECDSA signature of it.
struct ShownGrant {
    bool anyRequester;
    bool anyOperator;
    PriceUnit priceUnit;
    uint256 price;
    uint64 maxUses;
    uint64 notBefore;
    uint64 notAfter;
    bytes32[] resultReaders;
    uint32 epoch;
    uint32 ownerEpoch;
    uint256 nonce;
    bytes signature;
}

/// @notice An operator's prices. An order that names it by its hash is charged by them, up to the order's `operatorFee`.
/// @param operator Who offers.
/// @param workloadId What its enclaves run.
/// @param token What the prices are in; zero for the native coin.
/// @param fee For each job.
/// @param pricePerSecond For each second of the run, as the receipt counts them.
/// @param validUntil Unix seconds: the latest deadline that an order under this offer may have.
/// @param nonce Any number; makes offers distinct.
struct Offer {
    address operator;
    bytes32 workloadId;
    address token;
    uint256 fee;
    uint256 pricePerSecond;
    uint64 validUntil;
    uint256 nonce;
}

/// @notice An offer with its operator's signature: ECDSA, or ERC-1271 for contracts.
struct SignedOffer {
    Offer offer;
    bytes signature;
}

/// @notice What the enclave signs about one run. Valid on chain and offline.
/// @param jobId EIP-712 hash of the order.
/// @param status Ok or Failed.
/// @param programId What ran.
/// @param workloadId Where it ran.
/// @param paramsHash keccak256 of the parameters.
/// @param inputsRoot RFC 9162 tree root over datasetId || contentHash, in the order's order.
/// @param grantsRoot RFC 9162 tree root over the grant hashes, in the order's order.
/// @param resultHash SHA-256 of the sealed result; zero when Failed.
/// @param outputCommitment Salted commitment to the plain output; zero when Failed.
/// @param policyHash keccak256 of the output policy that was enforced.
/// @param fuelUsed Fuel, rounded up to a power of two.
/// @param outputRows Rows of the result if a grant of the job is priced by them, else zero.
/// @param runSeconds Seconds that the program ran, rounded up, if the order names an offer, else zero.
/// @param countedGrants Bit i: the grant of data set i is paid or limited in uses, so the market checks it and counts its uses. The
/// other grants the enclave alone has checked, and nothing is paid for them. Zero when Failed.
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
    bytes32 paramsHash;
    bytes32 inputsRoot;
    bytes32 grantsRoot;
    bytes32 resultHash;
    bytes32 outputCommitment;
    bytes32 policyHash;
    uint64 fuelUsed;
    uint64 outputRows;
    uint32 runSeconds;
    uint16 countedGrants;
    bytes32 logRoot;
    uint64 logSize;
    uint64 anchorBlock;
    bytes32 anchorHash;
    FailureCode failureCode;
}

/// @notice A receipt without what its order says already: the last fields of `Receipt`, in its order. Failed is a `failureCode` that is
/// not None.
struct Outcome {
    bytes32 inputsRoot;
    bytes32 grantsRoot;
    bytes32 resultHash;
    bytes32 outputCommitment;
    bytes32 policyHash;
    uint64 fuelUsed;
    uint64 outputRows;
    uint32 runSeconds;
    uint16 countedGrants;
    bytes32 logRoot;
    uint64 logSize;
    uint64 anchorBlock;
    bytes32 anchorHash;
    FailureCode failureCode;
}

/// @notice One order of a group: what sets it apart, who signed it, and what came of it.
/// @param paramsHash See `JobOrder`.
/// @param deadline See `JobOrder`.
/// @param nonce See `JobOrder`.
/// @param requesterSignature Of the order: ECDSA, or ERC-1271 for contracts. Needed whoever sends the transaction.
/// @param payerSignature As that, of the payer; empty if the payer is the requester.
/// @param outcome What the enclave says.
/// @param receiptSignature By the enclave: 65 bytes r || s || v of the receipt's EIP-712 hash, low s, v 27 or 28.
struct OrderItem {
    bytes32 paramsHash;
    uint64 deadline;
    uint256 nonce;
    bytes requesterSignature;
    bytes payerSignature;
    Outcome outcome;
    bytes receiptSignature;
}

/// @notice Orders that differ in parameters, deadline and nonce alone, to be settled together.
/// @param order What they have in common; `paramsHash`, `deadline` and `nonce` are zero here.
/// @param grants One for each bit of the outcomes' `countedGrants`, which are the same for all that are Ok; none if none is.
/// @param offer The order's offer; nothing if it names none. At most one.
/// @param items 1 to 256 orders.
struct OrderGroup {
    JobOrder order;
    ShownGrant[] grants;
    SignedOffer[] offer;
    OrderItem[] items;
}

/// @notice How a session is run.
/// @param maxJobs The most jobs that it may have; their whole cost is escrowed. 1 to 4,096.
/// @param challengeSeconds How long its payer may dispute leaves of the claim; as long again they may be shown. 600 to
/// 2,592,000.
/// @param disputeBond What a dispute of one leaf stakes: goes to the operator when the leaf is shown, else back.
struct SessionTerms {
    uint32 maxJobs;
    uint32 challengeSeconds;
    uint256 disputeBond;
}

/// @notice What an enclave claims of a session.
/// @param sessionId EIP-712 hash of the session's template order.
/// @param root Root of the Merkle tree over the leaves; see ISessions.
/// @param okCount Jobs that ended Ok: leaves 0 to okCount - 1.
/// @param failedCount Jobs that Failed: the leaves after them.
/// @param countedGrants As in `Receipt`, the same for all jobs of the session.
/// @param anchorBlock As in `Receipt`.
/// @param anchorHash As in `Receipt`.
struct SessionClaim {
    bytes32 sessionId;
    bytes32 root;
    uint32 okCount;
    uint32 failedCount;
    uint16 countedGrants;
    uint64 anchorBlock;
    bytes32 anchorHash;
}

/// @notice Where a session stands.
enum SessionState {
    None,
    Open,
    Claimed,
    Closed,
    Expired
}

/// @notice A session, as stored.
/// @param state Where it stands.
/// @param claimedAt Unix seconds of the claim.
/// @param okCount As claimed.
/// @param failedCount As claimed.
/// @param touched Whether any leaf was disputed or shown.
/// @param operator Who is paid: the operator of the enclave that claimed.
struct Session {
    SessionState state;
    uint40 claimedAt;
    uint16 okCount;
    uint16 failedCount;
    bool touched;
    address operator;
}

/// @notice What happened to leaves one by one.
/// @param settledOk Leaves of Ok jobs that were shown and paid.
/// @param settledFailed Leaves of Failed jobs that were shown and paid.
/// @param disputedOk Leaves of Ok jobs that are disputed and not shown.
/// @param disputedFailed Leaves of Failed jobs that are disputed and not shown.
struct LeafCounts {
    uint32 settledOk;
    uint32 settledFailed;
    uint32 disputedOk;
    uint32 disputedFailed;
}
