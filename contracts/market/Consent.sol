// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IDatasetRegistry } from "../interfaces/IDatasetRegistry.sol";
import { DatasetUse, Grant, IJobMarket, JobOrder, SignedGrant } from "../interfaces/IJobMarket.sol";
import { JobTypes } from "./JobTypes.sol";

/// @title Consent
/// @notice Part of JobMarket: whether a provider's grant covers a job, and how often it was used. Moves no money.
/// Calls the data set registry and, for owners that are contracts, their `isValidSignature`; all of it as static calls.
abstract contract Consent is IJobMarket, EIP712 {
    /// @dev Most readers that a grant may add to a result.
    uint256 private constant MAX_RESULT_READERS = 16;

    /// @inheritdoc IJobMarket
    address public immutable datasets;

    mapping(bytes32 grantHash => uint64 uses) private _uses;

    constructor(address datasetRegistry) EIP712("DataCollabMarket", "1") {
        require(datasetRegistry.code.length != 0, JobMarket_NotAContract(datasetRegistry));
        datasets = datasetRegistry;
    }

    /// @inheritdoc IJobMarket
    function grantUses(bytes32 grantHash) external view returns (uint64) {
        return _uses[grantHash];
    }

    /// @inheritdoc IJobMarket
    function hashGrant(Grant calldata grant) public view returns (bytes32) {
        return _hashTypedDataV4(JobTypes.hash(grant));
    }

    /// @dev Checks the grant at `position` against the order, counts the use, and says who is to be paid.
    /// @param operator Of the enclave whose receipt is being settled.
    function _useGrant(uint256 position, JobOrder calldata order, address operator, SignedGrant calldata signed)
        internal
        returns (address owner)
    {
        Grant calldata grant = signed.grant;
        DatasetUse calldata use = order.datasets[position];
        require(
            grant.resultReaders.length <= MAX_RESULT_READERS,
            JobMarket_TooManyResultReaders(position, grant.resultReaders.length, MAX_RESULT_READERS)
        );
        bytes32 grantHash = hashGrant(grant);
        require(grantHash == use.grantHash, JobMarket_GrantMismatch(position, grantHash, use.grantHash));
        require(_covers(grant, order, use, operator), JobMarket_GrantNotForOrder(grantHash));
        require(
            grant.notBefore <= block.timestamp && block.timestamp <= grant.notAfter,
            JobMarket_GrantNotInForce(grantHash, grant.notBefore, grant.notAfter, block.timestamp)
        );

        owner = _requireNotRevoked(grant, grantHash);
        _count(grantHash, grant.maxUses);
        require(
            SignatureChecker.isValidSignatureNowCalldata(owner, grantHash, signed.signature),
            JobMarket_GrantBadSignature(grantHash, owner)
        );
    }

    function _covers(Grant calldata grant, JobOrder calldata order, DatasetUse calldata use, address operator)
        private
        pure
        returns (bool)
    {
        return grant.datasetId == use.datasetId && grant.programId == order.programId
            && grant.workloadId == order.workloadId && _isAnyOr(grant.requester, order.requester)
            && _isAnyOr(grant.operator, operator) && grant.token == order.token && grant.pricePerUse == use.price;
    }

    function _isAnyOr(address allowed, address actual) private pure returns (bool) {
        return allowed == address(0) || allowed == actual;
    }

    function _requireNotRevoked(Grant calldata grant, bytes32 grantHash) private view returns (address owner) {
        uint32 epoch;
        (owner, epoch) = IDatasetRegistry(datasets).consentOf(grant.datasetId);
        require(
            grant.epoch == epoch && !IDatasetRegistry(datasets).isGrantNonceRevoked(owner, grant.nonce),
            JobMarket_GrantRevoked(grantHash)
        );
    }

    function _count(bytes32 grantHash, uint64 maxUses) private {
        uint64 uses = _uses[grantHash];
        require(maxUses == 0 || uses < maxUses, JobMarket_GrantUsedUp(grantHash, maxUses));
        _uses[grantHash] = uses + 1;
    }
}
