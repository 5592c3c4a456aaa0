// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ConsentState, IDatasetRegistry } from "../interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { DatasetUse, JobOrder, ShownGrant } from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { Signed } from "./Signed.sol";

/// @title Consent
/// @notice Part of JobMarket: whether a provider's grant covers a job, and how often it was used. Moves no money.
/// Calls the data set registry and, for owners that are contracts, their `isValidSignature`; all of it as static calls.
abstract contract Consent is Signed {
    /// @dev `signer`: the owner whose ECDSA signature of the grant was seen; its key vouches for it as long as the owner is
    /// the same. A contract's word may change, and is asked for each time.
    struct GrantRecord {
        address signer;
        uint64 uses;
    }

    /// @dev Most readers that a grant may add to a result.
    uint256 private constant MAX_RESULT_READERS = 16;

    address internal immutable _datasets;

    mapping(bytes32 grantHash => GrantRecord) private _grants;

    constructor(address datasetRegistry) {
        require(datasetRegistry.code.length != 0, IJobMarket.JobMarket_NotAContract(datasetRegistry));
        _datasets = datasetRegistry;
    }

    function _usesOf(bytes32 grantHash) internal view returns (uint64) {
        return _grants[grantHash].uses;
    }

    /// @dev Checks the grant of the data set at `position` against the order, and counts the uses.
    /// @param operator Of the enclave whose receipt is being settled.
    /// @param uses Not zero.
    function _useGrant(
        uint256 position,
        JobOrder calldata order,
        DatasetUse calldata use,
        address operator,
        ShownGrant calldata grant,
        uint64 uses
    ) internal returns (ConsentState memory state) {
        uint256 readers = grant.resultReaders.length;
        require(
            readers <= MAX_RESULT_READERS,
            IJobMarket.JobMarket_TooManyResultReaders(position, readers, MAX_RESULT_READERS)
        );
        // Made of the order's own words: a grant for anything else has another hash.
        bytes32 grantHash = _hashTypedDataV4(JobTypes.hash(grant, order, use.datasetId, operator));
        require(
            grantHash == use.grantHash, IJobMarket.JobMarket_GrantMismatch(position, grantHash, use.grantHash)
        );
        require(
            grant.notBefore <= block.timestamp && block.timestamp <= grant.notAfter,
            IJobMarket.JobMarket_GrantNotInForce(grantHash, grant.notBefore, grant.notAfter, block.timestamp)
        );

        state = IDatasetRegistry(_datasets).consentOf(use.datasetId, grant.nonce);
        require(
            grant.epoch == state.epoch && grant.ownerEpoch == state.ownerEpoch && !state.revoked,
            IJobMarket.JobMarket_GrantRevoked(grantHash)
        );
        _count(grantHash, grant.maxUses, uses, state.owner, grant.signature);
    }

    /// @dev One slot, read once, and written where there is something to count or to remember.
    function _count(bytes32 grantHash, uint64 maxUses, uint64 uses, address owner, bytes calldata signature) private {
        GrantRecord storage record = _grants[grantHash];
        (address signer, uint64 used) = (record.signer, record.uses);
        bool changed = maxUses != 0;
        if (changed) {
            used += uses;
            require(used <= maxUses, IJobMarket.JobMarket_GrantUsedUp(grantHash, maxUses));
        }
        if (signer != owner) {
            (bool signed, bool byKey) = _isSignedBy(owner, grantHash, signature);
            require(signed, IJobMarket.JobMarket_GrantBadSignature(grantHash, owner));
            if (byKey) (signer, changed) = (owner, true);
        }
        if (changed) (record.signer, record.uses) = (signer, used);
    }
}
