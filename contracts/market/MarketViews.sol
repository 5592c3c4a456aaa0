// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarketViews } from "../interfaces/IMarketViews.sol";
import { Grant, JobOrder, JobState, Offer, Receipt, SessionTerms } from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";

/// @title MarketViews
/// @notice Part of JobMarket's extension: what is stored, and the EIP-712 hashes for whoever does not make them itself.
abstract contract MarketViews is MarketBase, IMarketViews {
    /// @inheritdoc IMarketViews
    function jobCount() external view returns (uint256) {
        return _count();
    }

    /// @inheritdoc IMarketViews
    function jobState(uint256 index, bytes32 jobId) external view returns (JobState) {
        return _state(index, jobId);
    }

    /// @inheritdoc IMarketViews
    function isNonceUsed(address account, uint256 nonce) external view returns (bool) {
        return _isNonceUsed(account, nonce);
    }

    /// @inheritdoc IMarketViews
    function grantUses(bytes32 grantHash) external view returns (uint64) {
        return _usesOf(grantHash);
    }

    /// @inheritdoc IMarketViews
    function enclaves() external view returns (address) {
        return _enclaves;
    }

    /// @inheritdoc IMarketViews
    function datasets() external view returns (address) {
        return _datasets;
    }

    /// @inheritdoc IMarketViews
    function acceptance(bytes32 jobId) external view returns (address signer, address bonder) {
        Acceptance memory accepted = _acceptanceOf(jobId);
        return (accepted.signer, accepted.bonder);
    }

    /// @inheritdoc IMarketViews
    function ballot(bytes32 jobId)
        external
        view
        returns (bytes32 outputCommitment, bytes16[] memory platformIds, address[] memory operators)
    {
        Ballot storage cast = _ballotOf(jobId);
        uint256 count = cast.votes.length;
        platformIds = new bytes16[](count);
        operators = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            (platformIds[i], operators[i]) = (cast.votes[i].platformId, cast.votes[i].operator);
        }
        return (cast.outputCommitment, platformIds, operators);
    }

    /// @inheritdoc IMarketViews
    function hashOrder(JobOrder calldata order) external view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(order));
    }

    /// @inheritdoc IMarketViews
    function hashGrant(Grant calldata grant) external view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(grant));
    }

    /// @inheritdoc IMarketViews
    function hashOffer(Offer calldata offer) external view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(offer));
    }

    /// @inheritdoc IMarketViews
    function hashReceipt(Receipt calldata receipt) external view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(receipt));
    }

    /// @inheritdoc IMarketViews
    function hashSession(JobOrder calldata order, SessionTerms calldata terms) external view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(order, terms));
    }
}
