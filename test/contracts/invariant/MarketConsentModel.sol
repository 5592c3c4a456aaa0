// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Grant } from "../../../contracts/interfaces/MarketTypes.sol";

/// @notice What IDatasetRegistry promises, written as plainly as it can be: a function reverts where the registry must refuse.
/// `sender` is whoever calls the registry.
abstract contract MarketConsentModel {
    struct Entry {
        address owner;
        address pending;
        uint48 sizeBytes;
        uint32 epoch;
        bool retired;
        Payee[] payees;
    }

    /// @dev Nonces from here on are revoked for ever, those below for an owner's epoch.
    uint256 private constant LARGE_NONCE = 224;
    uint256 private constant FOR_EVER = type(uint256).max;

    mapping(bytes32 datasetId => Entry) private _entries;
    mapping(address owner => uint32) public ownerEpochOf;
    mapping(address owner => mapping(uint256 epoch => mapping(uint256 nonce => bool))) private _revoked;

    function register(address sender, bytes32 contentHash, bytes32 salt, uint48 sizeBytes, Payee[] memory payees)
        external
    {
        Entry storage entry = _entries[keccak256(abi.encode(sender, contentHash, salt))];
        require(entry.owner == address(0) && contentHash != 0 && sizeBytes != 0 && payees.length <= 16);
        uint256 total = 0;
        for (uint256 i = 0; i < payees.length; ++i) {
            require(payees[i].account != address(0) && payees[i].shareBps != 0);
            for (uint256 j = 0; j < i; ++j) {
                require(payees[i].account != payees[j].account);
            }
            total += payees[i].shareBps;
            entry.payees.push(payees[i]);
        }
        require(payees.length == 0 || total == 10_000);
        (entry.owner, entry.sizeBytes) = (sender, sizeBytes);
    }

    function update(address sender, bytes32 datasetId) external view {
        _owned(sender, datasetId, true);
    }

    function offerOwnership(address sender, bytes32 datasetId, address to) external {
        _owned(sender, datasetId, true).pending = to;
    }

    function takeOwnership(address sender, bytes32 datasetId) external {
        Entry storage entry = _entries[datasetId];
        require(entry.owner != address(0) && entry.pending == sender && sender != address(0));
        (entry.owner, entry.pending) = (sender, address(0));
        ++entry.epoch;
    }

    function retire(address sender, bytes32 datasetId) external {
        Entry storage entry = _owned(sender, datasetId, true);
        (entry.retired, entry.pending) = (true, address(0));
    }

    function revokeAllGrants(address sender, bytes32 datasetId) external {
        ++_owned(sender, datasetId, false).epoch;
    }

    function revokeAllOwnGrants(address sender) external {
        ++ownerEpochOf[sender];
    }

    function revokeGrantNonce(address sender, uint256 nonce) external {
        uint256 epoch = _epochFor(sender, nonce);
        require(!_revoked[sender][epoch][nonce]);
        _revoked[sender][epoch][nonce] = true;
    }

    function entryOf(bytes32 datasetId) public view returns (Entry memory) {
        return _entries[datasetId];
    }

    function isNonceRevoked(address owner, uint256 nonce) public view returns (bool) {
        return _revoked[owner][_epochFor(owner, nonce)][nonce];
    }

    /// @dev Whether the owner of the grant's data set has taken nothing back that it rests on.
    function _isInForce(Grant memory grant) internal view returns (bool) {
        Entry storage entry = _entries[grant.datasetId];
        return entry.owner != address(0) && !entry.retired && grant.epoch == entry.epoch
            && grant.ownerEpoch == ownerEpochOf[entry.owner] && !isNonceRevoked(entry.owner, grant.nonce);
    }

    function _owned(address sender, bytes32 datasetId, bool live) private view returns (Entry storage entry) {
        entry = _entries[datasetId];
        require(entry.owner != address(0) && entry.owner == sender && !(live && entry.retired));
    }

    function _epochFor(address owner, uint256 nonce) private view returns (uint256) {
        return nonce < LARGE_NONCE ? ownerEpochOf[owner] : FOR_EVER;
    }
}
