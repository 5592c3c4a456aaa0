// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobEnds } from "../interfaces/IJobEnds.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { JobOrder, JobState } from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";

/// @title JobEnds
/// @notice Part of JobMarket's extension: acceptance of jobs, and how they end without a receipt. Calls the enclave registry,
/// as static calls.
abstract contract JobEnds is MarketBase, IJobEnds {
    /* ACCEPT */

    /// @inheritdoc IJobEnds
    function accept(uint256 index, JobOrder calldata order, bytes calldata signature) external nonReentrant {
        bytes32 jobId = _hashTypedDataV4(JobTypes.hash(order));
        _requireOpen(index, jobId);
        require(
            block.timestamp <= order.acceptBy, IJobMarket.JobMarket_WrongAcceptance(jobId, order.acceptBy, block.timestamp)
        );
        address signer = _signerOf(_hashTypedDataV4(JobTypes.hashAcceptance(jobId, msg.sender)), signature);
        _requireEnclave(signer, order);

        _recordAcceptance(index, jobId, signer, msg.sender);
        emit IJobMarket.JobAccepted(jobId, index, signer, msg.sender);
        _stake(msg.sender, order.token, jobId, order.bond);
    }

    /* REFUND */

    /// @inheritdoc IJobEnds
    function cancel(uint256 index, JobOrder calldata order) external nonReentrant {
        bytes32 jobId = _hashTypedDataV4(JobTypes.hash(order));
        _requireOpen(index, jobId);
        require(msg.sender == order.requester, IJobMarket.JobMarket_NotRequester(msg.sender, order.requester));

        _end(index, jobId, JobState.Cancelled);
        emit IJobMarket.JobCancelled(jobId, index);
        _credit(order.payer, order.token, jobId, _costOf(order));
    }

    /// @inheritdoc IJobEnds
    function expire(uint256 index, JobOrder calldata order) external nonReentrant {
        bytes32 jobId = _hashTypedDataV4(JobTypes.hash(order));
        JobState state = _requireUnsettled(index, jobId);
        bool unaccepted = state == JobState.Open && order.acceptBy != 0;
        uint64 limit = unaccepted ? order.acceptBy : order.deadline;
        require(block.timestamp > limit, IJobMarket.JobMarket_DeadlineNotPassed(jobId, limit, block.timestamp));

        _end(index, jobId, JobState.Expired);
        emit IJobMarket.JobExpired(jobId, index);
        _credit(order.payer, order.token, jobId, _costOf(order));
        if (state == JobState.Accepted) _credit(order.requester, order.token, jobId, order.bond);
    }

    /// @inheritdoc IJobEnds
    function cancelNonce(uint256 nonce) external nonReentrant {
        _useNonce(msg.sender, nonce);
        emit IJobMarket.NonceCancelled(msg.sender, nonce);
    }
}
