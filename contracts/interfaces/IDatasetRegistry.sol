// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice A registered data set. The data are elsewhere, encrypted; this says what they must hash to.
/// @param owner Who consents and is paid.
/// @param sizeBytes Size of the ciphertext in bytes.
/// @param epoch Consent epoch, from 0: grants of another epoch are void.
/// @param contentHash SHA-256 of the ciphertext.
/// @param metadataHash keccak256 of the metadata JSON that the registration event carries.
/// @param salt What makes the id of this registration unique.
/// @param uri Where the ciphertext lies.
struct Dataset {
    address owner;
    uint64 sizeBytes;
    uint32 epoch;
    bytes32 contentHash;
    bytes32 metadataHash;
    bytes32 salt;
    string uri;
}

/// @title IDatasetRegistry
/// @notice Data sets, their owners, and the revocation of consent.
/// datasetId = keccak256(abi.encode(owner, contentHash, salt)). An owner stays the owner.
/// That the owner holds the data, or any right to them, is not shown by a registration.
interface IDatasetRegistry {
    /// @notice The content hash is zero.
    error DatasetRegistry_ZeroContentHash();
    /// @notice The ciphertext size is zero.
    error DatasetRegistry_ZeroSize();
    /// @notice The URI is empty or longer than the limit, in bytes.
    error DatasetRegistry_BadUriLength(uint256 length, uint256 limit);
    /// @notice The metadata are empty or longer than the limit, in bytes.
    error DatasetRegistry_BadMetadataLength(uint256 length, uint256 limit);
    /// @notice The same owner registered the same content under the same salt before.
    error DatasetRegistry_AlreadyRegistered(bytes32 datasetId);
    /// @notice No such data set.
    error DatasetRegistry_UnknownDataset(bytes32 datasetId);
    /// @notice Only the owner may do this.
    error DatasetRegistry_NotOwner(bytes32 datasetId, address caller, address owner);
    /// @notice The grant nonce was revoked before.
    error DatasetRegistry_NonceAlreadyRevoked(address owner, uint256 nonce);

    /// @notice A data set was registered.
    event DatasetRegistered(
        bytes32 indexed datasetId,
        address indexed owner,
        bytes32 contentHash,
        bytes32 salt,
        uint64 sizeBytes,
        string uri,
        string metadata
    );
    /// @notice All grants of earlier epochs of this data set are void from now on.
    event GrantsRevoked(bytes32 indexed datasetId, uint32 newEpoch);
    /// @notice All grants that `owner` signed with `nonce` are void from now on.
    event GrantNonceRevoked(address indexed owner, uint256 indexed nonce);

    /// @notice Registers a data set of the caller.
    /// @dev Reverts, in this order: ZeroContentHash, ZeroSize, BadUriLength, BadMetadataLength, AlreadyRegistered.
    /// @param contentHash SHA-256 of the ciphertext.
    /// @param salt Any value; another salt gives another id.
    /// @param sizeBytes Size of the ciphertext.
    /// @param uri Where the ciphertext lies, 1 to 1,024 bytes.
    /// @param metadata Public metadata, JSON, 1 to 8,192 bytes; only its hash is stored.
    function register(
        bytes32 contentHash,
        bytes32 salt,
        uint64 sizeBytes,
        string calldata uri,
        string calldata metadata
    ) external returns (bytes32 datasetId);

    /// @notice Voids every grant given for `datasetId` so far. Caller: its owner.
    /// @dev Reverts, in this order: UnknownDataset, NotOwner. Panics after 2^32 - 1 revocations.
    /// @return newEpoch What new grants must carry.
    function revokeAllGrants(bytes32 datasetId) external returns (uint32 newEpoch);

    /// @notice Voids the caller's grants that carry `nonce`, for whatever data set.
    /// @dev Reverts with NonceAlreadyRevoked.
    function revokeGrantNonce(uint256 nonce) external;

    /// @notice What is registered under `datasetId`. Reverts with UnknownDataset.
    function dataset(bytes32 datasetId) external view returns (Dataset memory);

    /// @notice Owner and epoch alone, for callers that count gas. Reverts with UnknownDataset.
    function consentOf(bytes32 datasetId) external view returns (address owner, uint32 epoch);

    /// @notice Whether `owner` revoked grants with `nonce`.
    function isGrantNonceRevoked(address owner, uint256 nonce) external view returns (bool);
}
