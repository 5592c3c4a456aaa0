// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { FailureCode, JobOrder, JobState } from "../interfaces/MarketTypes.sol";

/// @title EventEmitter
/// @notice Emits the market's events with any values, true or false, and settles an id once. For tests only.
contract EventEmitter {
    /// @notice Whether `settleOnce` ran for an id.
    mapping(bytes32 jobId => bool) public settled;
    /// @notice How many calls of `settleOnce` succeeded.
    uint256 public settlements;

    /// @notice Emits JobOpened.
    function emitOpened(
        bytes32 jobId,
        uint256 index,
        JobOrder calldata order,
        string calldata programUri,
        bytes calldata params
    ) external {
        emit IJobMarket.JobOpened(jobId, index, order.requester, order, programUri, params);
    }

    /// @notice Emits JobSettled.
    function emitSettled(
        bytes32 jobId,
        uint256 index,
        address signer,
        bytes32 receiptHash,
        bytes32 resultHash,
        uint16 countedGrants,
        FailureCode failureCode
    ) external {
        emit IJobMarket.JobSettled(jobId, index, signer, receiptHash, resultHash, countedGrants, failureCode);
    }

    /// @notice Emits JobCancelled.
    function emitCancelled(bytes32 jobId, uint256 index) external {
        emit IJobMarket.JobCancelled(jobId, index);
    }

    /// @notice Emits JobExpired.
    function emitExpired(bytes32 jobId, uint256 index) external {
        emit IJobMarket.JobExpired(jobId, index);
    }

    /// @notice Settles an id, or reverts as the market does when it is settled already.
    function settleOnce(bytes32 jobId) external payable {
        require(!settled[jobId], IJobMarket.JobMarket_NotOpen(jobId, JobState.SettledOk));
        settled[jobId] = true;
        settlements += 1;
    }
}
