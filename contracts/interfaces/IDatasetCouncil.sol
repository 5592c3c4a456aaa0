// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import { IDatasetRegistry } from "./IDatasetRegistry.sol";

/// @title IDatasetCouncil
/// @notice Several who own data sets together: N of M members must consent, each alone may take consent back. An account
/// that owns data sets, signs grants (ERC-1271) and holds money. Members and threshold are fixed; no upgrade.
///
/// `signatures`, wherever one is asked for, are those of at least N members one after the other, by ascending address:
/// member (20 bytes) | length (2 bytes, big-endian) | its signature, ECDSA, or ERC-1271 if the member is a contract.
/// All of them must hold. What members sign is EIP-712 in the council's own domain (name "DataCollabMarket", version "1"),
/// so that no signature serves another council, chain or purpose:
/// - consent: CouncilApproval(bytes32 hash), `hash` being what is asked about, e.g. the EIP-712 hash of a grant;
/// - calls: CouncilCall(address target,uint256 value,bytes data,uint256 nonce,uint64 deadline).
/// An approval holds for ever: end what was consented to by revoking it.
interface IDatasetCouncil is IERC1271 {
    /// @notice There are no members or more than the limit.
    error DatasetCouncil_BadMemberCount(uint256 count, uint256 limit);
    /// @notice A member is the zero address, the council itself, or not above the one before.
    error DatasetCouncil_BadMember(uint256 position, address member);
    /// @notice The threshold is zero or above the number of members.
    error DatasetCouncil_BadThreshold(uint256 threshold, uint256 members);
    /// @notice There is no contract at the registry's address.
    error DatasetCouncil_NoRegistry(address registry);
    /// @notice Only a member may do this.
    error DatasetCouncil_NotMember(address caller);
    /// @notice The members approved the call up to an earlier time.
    error DatasetCouncil_TooLate(uint64 deadline, uint256 time);
    /// @notice Too few members signed this hash, or one of the signatures does not hold.
    error DatasetCouncil_NotApproved(bytes32 hash);
    /// @notice There is no contract that could take the data.
    error DatasetCouncil_NoContract(address target);
    /// @notice The call failed and gave no reason.
    error DatasetCouncil_CallFailed(address target);

    /// @notice The council was formed.
    event CouncilFormed(address indexed registry, address[] members, uint8 threshold);
    /// @notice The members' call number `nonce` was made.
    event CouncilCalled(uint256 indexed nonce, address indexed target, uint256 value, bytes data);
    /// @notice `member` alone took consent back; what of it, the registry's own event says.
    event CouncilConsentRevoked(address indexed member);

    /// @notice Makes a call as the council. Caller: anyone who has the signatures.
    /// @dev The nonce goes up before the call: one that re-enters needs the signatures for the next. Nothing is used up by a
    /// call that fails. Reverts, in this order: TooLate, NotApproved, NoContract, the target's own error, CallFailed.
    /// @param target Who is called.
    /// @param value Wei that go with it, out of the council's balance.
    /// @param data Calldata; none for a mere payment.
    /// @param deadline Unix seconds, the last second in which the call may be made.
    /// @param signatures Of the call under the present nonce; see above.
    /// @return answer What the target returned.
    function execute(address target, uint256 value, bytes calldata data, uint64 deadline, bytes calldata signatures)
        external
        payable
        returns (bytes memory answer);

    /// @notice Voids every grant given for a data set of the council so far. Caller: any member.
    /// @dev Reverts with NotMember, then as IDatasetRegistry.revokeAllGrants.
    function revokeAllGrants(bytes32 datasetId) external returns (uint32 newEpoch);

    /// @notice Voids every grant that the council has given so far. Caller: any member.
    /// @dev Reverts with NotMember, then as IDatasetRegistry.revokeAllOwnGrants.
    function revokeAllOwnGrants() external returns (uint32 newOwnerEpoch);

    /// @notice Voids the council's grants that carry `grantNonce`. Caller: any member.
    /// @dev Reverts with NotMember, then as IDatasetRegistry.revokeGrantNonce.
    function revokeGrantNonce(uint256 grantNonce) external;

    /// @notice The registry in which a member alone may revoke.
    function datasets() external view returns (IDatasetRegistry);

    /// @notice The members, by ascending address.
    function members() external view returns (address[] memory);

    /// @notice Whether `account` is one.
    function isMember(address account) external view returns (bool);

    /// @notice How many members must sign: N.
    function threshold() external view returns (uint8);

    /// @notice Number of the next call.
    function nonce() external view returns (uint256);

    /// @notice What members sign to consent to `hash`.
    function approvalHashOf(bytes32 hash) external view returns (bytes32);

    /// @notice What members sign for a call.
    function callHashOf(address target, uint256 value, bytes calldata data, uint256 nonce_, uint64 deadline)
        external
        view
        returns (bytes32);
}
