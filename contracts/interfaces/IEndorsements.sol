// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice One auditor's word on one workload.
/// @param sourceHash Hash of the source it was reproduced from: a git commit (20 bytes, left) or a SHA-256.
/// @param endorsedAt Unix seconds; 0: never.
/// @param withdrawnAt Unix seconds; 0: it stands.
struct Endorsement {
    bytes32 sourceHash;
    uint40 endorsedAt;
    uint40 withdrawnAt;
}

/// @title IEndorsements
/// @notice Where auditors say "workload W is built from source S, I reproduced it". Advice: no contract here reads it, and
/// whom to believe is the reader's choice.
interface IEndorsements {
    /// @notice A workload id or source hash is zero.
    error Endorsements_ZeroHash();
    /// @notice The URI is empty or longer than the limit, in bytes.
    error Endorsements_BadUriLength(uint256 length, uint256 limit);
    /// @notice This auditor's endorsement of this workload does not stand.
    error Endorsements_NotEndorsed(address auditor, bytes32 workloadId);

    /// @notice An auditor endorses a workload, or replaces what it said of it before.
    event Endorsed(address indexed auditor, bytes32 indexed workloadId, bytes32 indexed sourceHash, string uri);
    /// @notice An auditor takes its endorsement back.
    event EndorsementWithdrawn(address indexed auditor, bytes32 indexed workloadId, string reasonUri);

    /// @notice Says that the caller reproduced `workloadId` from `sourceHash`. Caller: anyone, for itself.
    /// @dev Reverts, in this order: ZeroHash, BadUriLength.
    /// @param uri Where source and report are, at most 512 bytes.
    function endorse(bytes32 workloadId, bytes32 sourceHash, string calldata uri) external;

    /// @notice Takes the caller's endorsement back. Reverts, in this order: BadUriLength, NotEndorsed.
    /// @param reasonUri Why, at most 512 bytes; may be empty.
    function withdraw(bytes32 workloadId, string calldata reasonUri) external;

    /// @notice What `auditor` last said of `workloadId`; all zero if nothing.
    function endorsement(address auditor, bytes32 workloadId) external view returns (Endorsement memory);
}
