// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {
    FailureCode,
    JobOrder,
    LeafCounts,
    OrderItem,
    Session,
    SessionClaim,
    SessionTerms,
    ShownGrant
} from "./MarketTypes.sol";

/// @title ISessions
/// @notice Many jobs on the same terms, paid by one claim: the root of a Merkle tree over their receipts, signed by the
/// enclave that ran them. Part of JobMarket.
/// @dev Prices are flat. sessionId = EIP-712 hash of SessionOrder(JobOrder order,uint32 maxJobs,uint32 challengeSeconds,
/// uint256 disputeBond), where `order`, the template, has no paramsHash, offer, acceptance or session, and a quorum of 1; its
/// deadline is the last second for the claim. A job of the session is the template with its own paramsHash, deadline and nonce
/// and with the session's id, signed by its requester (and payer). Its deadline, too, is the last second for the claim; its
/// nonce is used once in the session, and nothing that is done outside takes it back: a job that was run is paid for.
/// A contract's signature (ERC-1271) holds only as long as the contract says so: an operator runs such jobs on trust.
/// Leaf i = keccak256(bytes.concat(keccak256(abi.encode(uint256 i, bytes32 receiptHash)))), receiptHash being the EIP-712 hash
/// of the receipt; a node is keccak256 of its two children, the smaller first; an odd one goes up as it is.
/// After a claim, the payer may dispute leaves for `challengeSeconds`: it is its money, and it has signed each job. A leaf
/// that is disputed must be shown within as long again: its order, as signed, and its receipt. Else it is not paid.
interface ISessions {
    /// @notice The terms are outside the limits of `SessionTerms`.
    error Sessions_BadTerms(uint32 maxJobs, uint32 challengeSeconds);
    /// @notice The template names parameters, an offer, acceptance, a session, or a quorum other than 1.
    error Sessions_BadTemplate();
    /// @notice The session is not in the state that this needs.
    error Sessions_WrongState(bytes32 sessionId, uint8 state);
    /// @notice The claim is for another session.
    error Sessions_ClaimForOtherSession(bytes32 claimed, bytes32 sessionId);
    /// @notice The claim has no jobs, or more than the session may have.
    error Sessions_BadCount(uint32 okCount, uint32 failedCount, uint32 maxJobs);
    /// @notice The caller is not the session's payer.
    error Sessions_NotPayer(address caller, address payer);
    /// @notice A counted grant's price is not flat and just what the template names, or the template has a price for one
    /// that is not counted.
    error Sessions_PriceMismatch(uint256 position, uint256 price, uint256 maxPrice);
    /// @notice There is no such leaf in the claim.
    error Sessions_NoSuchLeaf(bytes32 sessionId, uint256 leaf, uint256 count);
    /// @notice The leaf was disputed, or shown, before.
    error Sessions_LeafTaken(bytes32 sessionId, uint256 leaf);
    /// @notice The time for this is over, or has not come. Unix seconds.
    error Sessions_WrongTime(bytes32 sessionId, uint256 timestamp, uint256 limit);
    /// @notice The receipt is not in the claim at that leaf.
    error Sessions_NotInClaim(bytes32 sessionId, uint256 leaf, bytes32 receiptHash);
    /// @notice Another leaf of the session with this job's nonce was shown before.
    error Sessions_NonceUsed(bytes32 sessionId, uint256 nonce);

    /// @notice A session was opened and the whole cost of its jobs escrowed: the payer's credit is less by that.
    event SessionOpened(
        bytes32 indexed sessionId, address indexed requester, JobOrder order, SessionTerms terms, string programUri
    );
    /// @notice An enclave claimed its jobs. Its signature is in the transaction.
    event SessionClaimed(
        bytes32 indexed sessionId,
        address indexed signer,
        bytes32 root,
        uint32 okCount,
        uint32 failedCount,
        uint16 countedGrants
    );
    /// @notice The payer, `disputer`, doubts a leaf, and staked the bond.
    event LeafDisputed(bytes32 indexed sessionId, uint256 indexed leaf, address indexed disputer);
    /// @notice A leaf was shown and paid. `receiptHash` is its receipt's EIP-712 hash; order and outcome are in the
    /// transaction.
    event LeafSettled(
        bytes32 indexed sessionId,
        uint256 indexed leaf,
        bytes32 indexed jobId,
        uint256 nonce,
        bytes32 receiptHash,
        bytes32 resultHash,
        FailureCode failureCode
    );
    /// @notice What was not disputed was paid, the rest refunded to the payer, with the bonds of what was not shown.
    event SessionClosed(bytes32 indexed sessionId);
    /// @notice The deadline passed without a claim.
    event SessionExpired(bytes32 indexed sessionId);

    /// @notice Opens a session and takes the cost of `maxJobs` jobs into escrow, as IJobMarket.open does.
    /// @dev Caller: anyone; requester and payer have sent it or signed. Reverts, in this order: BadTerms, BadTemplate, and
    /// as IJobMarket.open where that applies.
    /// @param requesterSignature Of the session's id; empty if the requester sends this.
    /// @param payerSignature As that, of the payer; empty if the payer sends this or is the requester.
    function openSession(
        JobOrder calldata order,
        SessionTerms calldata terms,
        string calldata programUri,
        bytes calldata requesterSignature,
        bytes calldata payerSignature
    ) external payable returns (bytes32 sessionId);

    /// @notice Claims the jobs of a session; counted grants are checked, and used as often as there are Ok jobs.
    /// @dev Caller: anyone. Reverts, in this order: WrongState, IJobMarket.JobMarket_DeadlinePassed,
    /// ClaimForOtherSession, BadCount, JobMarket_BadAnchor, BadSignature, EnclaveNotLive, WrongWorkload, WrongOperator; for each
    /// data set as IJobMarket.settle does for grants, with PriceMismatch in place of PriceTooHigh; GrantCountMismatch.
    /// A claim without Ok jobs counts no grants.
    /// @param signature By the enclave: 65 bytes of the EIP-712 hash of SessionClaim(bytes32 sessionId,bytes32 root,
    /// uint32 okCount,uint32 failedCount,uint16 countedGrants,uint64 anchorBlock,bytes32 anchorHash).
    function claimSession(
        JobOrder calldata order,
        SessionTerms calldata terms,
        SessionClaim calldata claim,
        bytes calldata signature,
        ShownGrant[] calldata grants
    ) external;

    /// @notice Doubts a leaf: it is not paid unless it is shown. Caller: the payer, whose credit is charged the bond.
    /// @dev Reverts, in this order: WrongState, NotPayer, WrongTime, NoSuchLeaf, LeafTaken,
    /// ILedger.Ledger_InsufficientCredit.
    function disputeLeaf(JobOrder calldata order, SessionTerms calldata terms, uint256 leaf) external;

    /// @notice Shows a leaf, disputed or not: it is paid at once, and the bond of its dispute goes to the operator.
    /// @dev Caller: anyone. Reverts, in this order: WrongState, WrongTime, NoSuchLeaf, LeafTaken,
    /// IJobMarket.JobMarket_BadOutcome (also of the wrong kind for its place), JobMarket_DeadlinePassed (before the claim),
    /// NotInClaim, JobMarket_NotSignedBy, NonceUsed.
    /// @param item Its receiptSignature is not read: the claim's signature covers the leaf.
    function settleLeaf(
        JobOrder calldata order,
        SessionTerms calldata terms,
        uint256 leaf,
        OrderItem calldata item,
        bytes32[] calldata proof
    ) external;

    /// @notice Ends a claimed session: pays all leaves but those shown and those disputed and not shown, and credits the payer
    /// the rest, with the bonds of the latter. Data sets are paid to whom the registry names now; a grant that held at the
    /// claim is paid. Caller: anyone, after the time for disputes, and for showing if a leaf is disputed and not shown.
    /// @dev Reverts, in this order: WrongState, WrongTime.
    function closeSession(JobOrder calldata order, SessionTerms calldata terms) external;

    /// @notice Ends a session that nobody claimed in time: full refund to the payer. Caller: anyone.
    /// @dev Reverts, in this order: WrongState, IJobMarket.JobMarket_DeadlineNotPassed.
    function expireSession(JobOrder calldata order, SessionTerms calldata terms) external;

    /// @notice What is stored of a session, and its claim's root.
    function session(bytes32 sessionId) external view returns (Session memory, bytes32 root);

    /// @notice What happened to its leaves, one by one.
    function leafCounts(bytes32 sessionId) external view returns (LeafCounts memory);

    /// @notice Whether a leaf was disputed, and whether it was shown.
    function leafState(bytes32 sessionId, uint256 leaf) external view returns (bool disputed, bool settled);
}
