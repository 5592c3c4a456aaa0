// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice A registered data set. The data are elsewhere, encrypted; this says what they must hash to.
/// @param owner Who consents and, unless it has payees, is paid.
/// @param sizeBytes Size of the ciphertext in bytes.
/// @param epoch Consent epoch, from 0: grants of another epoch are void.
/// @param payeeCount How many accounts share its payments, fixed at registration; 0: the owner is paid.
/// @param retired Whether it was retired: no grant of it holds any more.
/// @param contentHash SHA-256 of the ciphertext.
/// @param metadataHash keccak256 of the metadata JSON that the last event carries.
/// @param salt What makes the id of this registration unique.
/// @param uri Where the ciphertext lies.
struct Dataset {
    address owner;
    uint48 sizeBytes;
    uint32 epoch;
    uint8 payeeCount;
    bool retired;
    bytes32 contentHash;
    bytes32 metadataHash;
    bytes32 salt;
    string uri;
}

/// @notice One of those who share a data set's payments.
/// @param account Who is paid.
/// @param shareBps Its share in basis points; all of a data set make 10,000. Shares are rounded down, the last gets the rest.
struct Payee {
    address account;
    uint16 shareBps;
}

/// @notice What a market must know to judge a grant.
/// @param owner Who must have signed.
/// @param sizeBytes Size of the ciphertext in bytes.
/// @param epoch Consent epoch of the data set.
/// @param ownerEpoch Consent epoch of its owner.
/// @param payeeCount How many share the payment; 0: the owner is paid.
/// @param revoked Whether the owner revoked the grant's nonce, or the data set is retired.
struct ConsentState {
    address owner;
    uint48 sizeBytes;
    uint32 epoch;
    uint32 ownerEpoch;
    uint8 payeeCount;
    bool revoked;
}

/// @title IDatasetRegistry
/// @notice Data sets, their owners, and the revocation of consent. No owner of its own, no upgrade, no external call.
/// datasetId = keccak256(abi.encode(owner, contentHash, salt)) of whoever registered it.
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
    /// @notice There are more payees than the limit.
    error DatasetRegistry_TooManyPayees(uint256 count, uint256 limit);
    /// @notice A payee is the zero address, is named before, or has no share.
    error DatasetRegistry_BadPayee(uint256 position, address account, uint16 shareBps);
    /// @notice The payees' shares do not make 10,000 basis points.
    error DatasetRegistry_BadShares(uint256 totalBps);
    /// @notice The same owner registered the same content under the same salt before.
    error DatasetRegistry_AlreadyRegistered(bytes32 datasetId);
    /// @notice No such data set.
    error DatasetRegistry_UnknownDataset(bytes32 datasetId);
    /// @notice Only the owner may do this.
    error DatasetRegistry_NotOwner(bytes32 datasetId, address caller, address owner);
    /// @notice The data set is retired.
    error DatasetRegistry_Retired(bytes32 datasetId);
    /// @notice Only the account that the owner offered it to may take it.
    error DatasetRegistry_NotPendingOwner(bytes32 datasetId, address caller, address pendingOwner);
    /// @notice The grant nonce was revoked before.
    error DatasetRegistry_NonceAlreadyRevoked(address owner, uint256 nonce);

    /// @notice A data set was registered.
    event DatasetRegistered(
        bytes32 indexed datasetId,
        address indexed owner,
        bytes32 contentHash,
        bytes32 salt,
        uint48 sizeBytes,
        string uri,
        string metadata,
        Payee[] payees
    );
    /// @notice Its URI and metadata are others from now on.
    event DatasetUpdated(bytes32 indexed datasetId, string uri, string metadata);
    /// @notice The owner offered it to `to`; zero: offers it to nobody any more.
    event DatasetOffered(bytes32 indexed datasetId, address indexed owner, address indexed to);
    /// @notice It has another owner and, with that, another epoch.
    event DatasetTransferred(bytes32 indexed datasetId, address indexed from, address indexed to, uint32 newEpoch);
    /// @notice It is not on offer any more, for good.
    event DatasetRetired(bytes32 indexed datasetId);
    /// @notice All grants of earlier epochs of this data set are void from now on.
    event GrantsRevoked(bytes32 indexed datasetId, uint32 newEpoch);
    /// @notice All grants that `owner` signed in earlier epochs, for whatever data set, are void from now on.
    event OwnerGrantsRevoked(address indexed owner, uint32 newOwnerEpoch);
    /// @notice All grants that `owner` signed with `nonce` in this owner's epoch or, for nonces from 224 on, in any, are void
    /// from now on.
    event GrantNonceRevoked(address indexed owner, uint256 indexed nonce);

    /// @notice Registers a data set of the caller.
    /// @dev Reverts, in this order: ZeroContentHash, ZeroSize, BadUriLength, BadMetadataLength, TooManyPayees, BadPayee,
    /// BadShares, AlreadyRegistered.
    /// @param contentHash SHA-256 of the ciphertext.
    /// @param salt Any value; another salt gives another id.
    /// @param sizeBytes Size of the ciphertext.
    /// @param uri Where the ciphertext lies, 1 to 1,024 bytes.
    /// @param metadata Public metadata, JSON, 1 to 8,192 bytes; only its hash is stored.
    /// @param payees Who shares its payments, at most 16; none: whoever owns it.
    function register(
        bytes32 contentHash,
        bytes32 salt,
        uint48 sizeBytes,
        string calldata uri,
        string calldata metadata,
        Payee[] calldata payees
    ) external returns (bytes32 datasetId);

    /// @notice Says anew where the ciphertext lies, and what the data set is. Caller: its owner.
    /// @dev Reverts, in this order: UnknownDataset, NotOwner, Retired, BadUriLength, BadMetadataLength.
    function update(bytes32 datasetId, string calldata uri, string calldata metadata) external;

    /// @notice Offers the data set to another owner, who must take it; zero takes the offer back. Caller: its owner.
    /// @dev Reverts, in this order: UnknownDataset, NotOwner, Retired.
    function offerOwnership(bytes32 datasetId, address to) external;

    /// @notice Takes a data set that was offered to the caller: all grants of it are void from then on. Its payees, if it has
    /// any, stay.
    /// @dev Reverts, in this order: UnknownDataset, NotPendingOwner. A data set that was retired is offered to nobody.
    function takeOwnership(bytes32 datasetId) external returns (uint32 newEpoch);

    /// @notice Ends it for good: no grant of it holds any more, none will. Caller: its owner.
    /// @dev Reverts, in this order: UnknownDataset, NotOwner, Retired.
    function retire(bytes32 datasetId) external;

    /// @notice Voids every grant given for `datasetId` so far. Caller: its owner.
    /// @dev Reverts, in this order: UnknownDataset, NotOwner. Panics after 2^32 - 1 revocations.
    /// @return newEpoch What new grants must carry.
    function revokeAllGrants(bytes32 datasetId) external returns (uint32 newEpoch);

    /// @notice Voids every grant that the caller has given so far, for all its data sets.
    /// @dev Panics after 2^32 - 1 revocations.
    /// @return newOwnerEpoch What new grants must carry.
    function revokeAllOwnGrants() external returns (uint32 newOwnerEpoch);

    /// @notice Voids the caller's grants that carry `nonce`, for whatever data set.
    /// @dev Nonces below 224 share a slot with the owner's epoch, and are fresh again in its next.
    /// Reverts with NonceAlreadyRevoked.
    function revokeGrantNonce(uint256 nonce) external;

    /// @notice What is registered under `datasetId`. Reverts with UnknownDataset.
    function dataset(bytes32 datasetId) external view returns (Dataset memory);

    /// @notice Who shares its payments; none: its owner is paid. Reverts with UnknownDataset.
    function payeesOf(bytes32 datasetId) external view returns (Payee[] memory);

    /// @notice Whom its owner offered it to; zero for nobody.
    function pendingOwnerOf(bytes32 datasetId) external view returns (address);

    /// @notice All that a market must know to judge a grant of `datasetId` with `nonce`, for callers that count gas. Reverts
    /// with UnknownDataset.
    function consentOf(bytes32 datasetId, uint256 nonce) external view returns (ConsentState memory);

    /// @notice Consent epoch of an owner.
    function ownerEpochOf(address owner) external view returns (uint32);

    /// @notice Whether `owner` revoked grants with `nonce`.
    function isGrantNonceRevoked(address owner, uint256 nonce) external view returns (bool);
}
