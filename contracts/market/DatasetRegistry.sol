// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Dataset, IDatasetRegistry } from "../interfaces/IDatasetRegistry.sol";

/// @title DatasetRegistry
/// @notice Who owns which encrypted data set, and what consent was taken back. No owner, no upgrade, no external call.
contract DatasetRegistry is IDatasetRegistry {
    /// @dev Longest URI, in bytes.
    uint256 private constant MAX_URI = 1024;
    /// @dev Longest metadata, in bytes.
    uint256 private constant MAX_METADATA = 8192;

    mapping(bytes32 datasetId => Dataset) private _datasets;
    /// @dev Bitmap: bit `nonce % 256` of word `nonce / 256`.
    mapping(address owner => mapping(uint256 word => uint256 bits)) private _revokedNonces;

    /* REGISTER */

    /// @inheritdoc IDatasetRegistry
    function register(
        bytes32 contentHash,
        bytes32 salt,
        uint64 sizeBytes,
        string calldata uri,
        string calldata metadata
    ) external returns (bytes32 datasetId) {
        uint256 uriLength = bytes(uri).length;
        uint256 metadataLength = bytes(metadata).length;
        require(contentHash != 0, DatasetRegistry_ZeroContentHash());
        require(sizeBytes != 0, DatasetRegistry_ZeroSize());
        require(uriLength != 0 && uriLength <= MAX_URI, DatasetRegistry_BadUriLength(uriLength, MAX_URI));
        require(
            metadataLength != 0 && metadataLength <= MAX_METADATA,
            DatasetRegistry_BadMetadataLength(metadataLength, MAX_METADATA)
        );

        // The caller is in the id: nobody can take another's id by registering first.
        datasetId = keccak256(abi.encode(msg.sender, contentHash, salt));
        require(_datasets[datasetId].owner == address(0), DatasetRegistry_AlreadyRegistered(datasetId));

        _datasets[datasetId] = Dataset({
            owner: msg.sender,
            sizeBytes: sizeBytes,
            epoch: 0,
            contentHash: contentHash,
            metadataHash: keccak256(bytes(metadata)),
            salt: salt,
            uri: uri
        });
        emit DatasetRegistered(datasetId, msg.sender, contentHash, salt, sizeBytes, uri, metadata);
    }

    /* REVOKE */

    /// @inheritdoc IDatasetRegistry
    function revokeAllGrants(bytes32 datasetId) external returns (uint32 newEpoch) {
        Dataset storage registered = _known(datasetId);
        address owner = registered.owner;
        require(msg.sender == owner, DatasetRegistry_NotOwner(datasetId, msg.sender, owner));

        newEpoch = registered.epoch + 1;
        registered.epoch = newEpoch;
        emit GrantsRevoked(datasetId, newEpoch);
    }

    /// @inheritdoc IDatasetRegistry
    function revokeGrantNonce(uint256 nonce) external {
        require(!isGrantNonceRevoked(msg.sender, nonce), DatasetRegistry_NonceAlreadyRevoked(msg.sender, nonce));

        _revokedNonces[msg.sender][nonce >> 8] |= 1 << (nonce & 0xff);
        emit GrantNonceRevoked(msg.sender, nonce);
    }

    /* VIEWS */

    /// @inheritdoc IDatasetRegistry
    function dataset(bytes32 datasetId) external view returns (Dataset memory) {
        return _known(datasetId);
    }

    /// @inheritdoc IDatasetRegistry
    function consentOf(bytes32 datasetId) external view returns (address owner, uint32 epoch) {
        Dataset storage registered = _known(datasetId);
        return (registered.owner, registered.epoch);
    }

    /// @inheritdoc IDatasetRegistry
    function isGrantNonceRevoked(address owner, uint256 nonce) public view returns (bool) {
        return (_revokedNonces[owner][nonce >> 8] >> (nonce & 0xff)) & 1 != 0;
    }

    function _known(bytes32 datasetId) private view returns (Dataset storage registered) {
        registered = _datasets[datasetId];
        require(registered.owner != address(0), DatasetRegistry_UnknownDataset(datasetId));
    }
}
