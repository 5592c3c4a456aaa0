// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Grant, JobOrder, JobState, Offer, Receipt, SessionTerms } from "./MarketTypes.sol";

/// @title IMarketViews
/// @notice What the market has stored, and what wallets, providers, operators and enclaves sign, as it hashes it. Part of
/// JobMarket.
interface IMarketViews {
    /// @notice How many jobs were ever opened; indices run from 0.
    function jobCount() external view returns (uint256);

    /// @notice State of the job that `jobId` was given at `index`; None if another or no job is there.
    function jobState(uint256 index, bytes32 jobId) external view returns (JobState);

    /// @notice Whether `account` used or cancelled `nonce`.
    function isNonceUsed(address account, uint256 nonce) external view returns (bool);

    /// @notice How often a grant that is limited in uses was used by jobs that settled Ok; zero for one that is not limited.
    function grantUses(bytes32 grantHash) external view returns (uint64);

    /// @notice The registry whose enclaves may settle.
    function enclaves() external view returns (address);

    /// @notice The registry of data sets and consent.
    function datasets() external view returns (address);

    /// @notice Who has accepted the job, and who staked the bond; zero if nobody has.
    function acceptance(bytes32 jobId) external view returns (address signer, address bonder);

    /// @notice What enclaves have said so far of a job with a quorum: their output commitment, zero for Failed, and each
    /// one's platform and operator.
    function ballot(bytes32 jobId)
        external
        view
        returns (bytes32 outputCommitment, bytes16[] memory platformIds, address[] memory operators);

    /// @notice EIP-712 hash of an order: its job id.
    function hashOrder(JobOrder calldata order) external view returns (bytes32);

    /// @notice EIP-712 hash of a grant.
    function hashGrant(Grant calldata grant) external view returns (bytes32);

    /// @notice EIP-712 hash of an offer.
    function hashOffer(Offer calldata offer) external view returns (bytes32);

    /// @notice EIP-712 hash of a receipt.
    function hashReceipt(Receipt calldata receipt) external view returns (bytes32);

    /// @notice EIP-712 hash of a session's template and terms: its id.
    function hashSession(JobOrder calldata order, SessionTerms calldata terms) external view returns (bytes32);
}
