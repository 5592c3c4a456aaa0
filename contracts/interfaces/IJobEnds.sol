// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { JobOrder } from "./MarketTypes.sol";

/// @title IJobEnds
/// @notice How a job is bound to one enclave, and how it ends without a receipt. Part of JobMarket; errors without a prefix
/// are IJobMarket's.
interface IJobEnds {
    /// @notice Binds an open job to one enclave: it cannot be cancelled any more, and no other may settle it. The caller's
    /// credit is charged the bond; it comes back when the job settles, and is the requester's if the job expires.
    /// @dev Caller: anyone who stakes the bond. Reverts, in this order: UnknownJob, NotOpen, WrongAcceptance,
    /// BadSignature, EnclaveNotLive, WrongWorkload, WrongOperator, ILedger.Ledger_InsufficientCredit.
    /// @param signature By the enclave: 65 bytes r || s || v of the EIP-712 hash of JobAcceptance(bytes32 jobId,address bonder).
    function accept(uint256 index, JobOrder calldata order, bytes calldata signature) external;

    /// @notice Takes an open job back that nobody has accepted: full refund. Caller: the requester, until the job settles. It
    /// may overtake a receipt that is on its way: a worker hands nothing out before the settlement is final.
    /// @dev Reverts, in this order: UnknownJob, NotOpen, NotRequester.
    function cancel(uint256 index, JobOrder calldata order) external;

    /// @notice Ends a job after its deadline, or one that had to be accepted and was not in time: full refund to the payer,
    /// and the bond of one that was accepted to the requester. Caller: anyone.
    /// @dev Reverts, in this order: UnknownJob, NotOpen, DeadlineNotPassed.
    function expire(uint256 index, JobOrder calldata order) external;

    /// @notice Makes whatever the caller signed with `nonce`, order or withdrawal, worthless.
    /// @dev Reverts with NonceUsed.
    function cancelNonce(uint256 nonce) external;
}
