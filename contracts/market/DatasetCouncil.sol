// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { LowLevelCall } from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { IDatasetCouncil } from "../interfaces/IDatasetCouncil.sol";
import { IDatasetRegistry } from "../interfaces/IDatasetRegistry.sol";

/// @title DatasetCouncil
/// @notice An owner of data sets that is several: N of M consent, one takes back. No upgrade, no change of members.
contract DatasetCouncil is IDatasetCouncil, EIP712 {
    /// @dev Most members.
    uint256 private constant MAX_MEMBERS = 16;
    /// @dev Bytes before each signature: member, length.
    uint256 private constant HEAD = 22;
    bytes32 private constant APPROVAL_TYPEHASH = keccak256("CouncilApproval(bytes32 hash)");
    bytes32 private constant CALL_TYPEHASH =
        keccak256("CouncilCall(address target,uint256 value,bytes data,uint256 nonce,uint64 deadline)");

    /// @inheritdoc IDatasetCouncil
    IDatasetRegistry public immutable datasets;
    /// @inheritdoc IDatasetCouncil
    uint8 public immutable threshold;

    address[] private _members;
    /// @inheritdoc IDatasetCouncil
    mapping(address account => bool) public isMember;
    /// @inheritdoc IDatasetCouncil
    uint256 public nonce;

    /// @notice Forms a council.
    /// @dev Reverts, in this order: NoRegistry, BadMemberCount, BadMember, BadThreshold.
    /// @param registry Where it owns data sets.
    /// @param members_ 1 to 16 accounts, by ascending address.
    /// @param threshold_ How many must sign, 1 to all.
    constructor(IDatasetRegistry registry, address[] memory members_, uint8 threshold_) EIP712("DataCollabMarket", "1") {
        uint256 count = members_.length;
        require(address(registry).code.length != 0, DatasetCouncil_NoRegistry(address(registry)));
        require(count != 0 && count <= MAX_MEMBERS, DatasetCouncil_BadMemberCount(count, MAX_MEMBERS));
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address member = members_[i];
            require(member > previous && member != address(this), DatasetCouncil_BadMember(i, member));
            isMember[member] = true;
            previous = member;
        }
        require(threshold_ != 0 && threshold_ <= count, DatasetCouncil_BadThreshold(threshold_, count));

        datasets = registry;
        threshold = threshold_;
        _members = members_;
        emit CouncilFormed(address(registry), members_, threshold_);
    }

    /// @notice Takes native coin: withdrawn credit, say.
    receive() external payable { }

    modifier onlyMember() {
        require(isMember[msg.sender], DatasetCouncil_NotMember(msg.sender));
        _;
    }

    /* N OF M */

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signatures) external view returns (bytes4) {
        bool approved = _areSigned(approvalHashOf(hash), signatures);
        return approved ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @inheritdoc IDatasetCouncil
    function execute(address target, uint256 value, bytes calldata data, uint64 deadline, bytes calldata signatures)
        external
        payable
        returns (bytes memory answer)
    {
        require(block.timestamp <= deadline, DatasetCouncil_TooLate(deadline, block.timestamp));
        uint256 number = nonce;
        bytes32 callHash = callHashOf(target, value, data, number, deadline);
        require(_areSigned(callHash, signatures), DatasetCouncil_NotApproved(callHash));
        // A call of an address without code would succeed and do nothing.
        require(data.length == 0 || target.code.length != 0, DatasetCouncil_NoContract(target));

        nonce = number + 1;
        emit CouncilCalled(number, target, value, data);

        bool ok;
        (ok, answer) = target.call{ value: value }(data);
        if (!ok && answer.length != 0) LowLevelCall.bubbleRevert(answer);
        require(ok, DatasetCouncil_CallFailed(target));
    }

    /* ONE OF M */

    /// @inheritdoc IDatasetCouncil
    function revokeAllGrants(bytes32 datasetId) external onlyMember returns (uint32 newEpoch) {
        emit CouncilConsentRevoked(msg.sender);
        newEpoch = datasets.revokeAllGrants(datasetId);
    }

    /// @inheritdoc IDatasetCouncil
    function revokeAllOwnGrants() external onlyMember returns (uint32 newOwnerEpoch) {
        emit CouncilConsentRevoked(msg.sender);
        newOwnerEpoch = datasets.revokeAllOwnGrants();
    }

    /// @inheritdoc IDatasetCouncil
    function revokeGrantNonce(uint256 grantNonce) external onlyMember {
        emit CouncilConsentRevoked(msg.sender);
        datasets.revokeGrantNonce(grantNonce);
    }

    /* VIEWS */

    /// @inheritdoc IDatasetCouncil
    function members() external view returns (address[] memory) {
        return _members;
    }

    /// @inheritdoc IDatasetCouncil
    function approvalHashOf(bytes32 hash) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, hash)));
    }

    /// @inheritdoc IDatasetCouncil
    function callHashOf(address target, uint256 value, bytes calldata data, uint256 nonce_, uint64 deadline)
        public
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(
            keccak256(abi.encode(CALL_TYPEHASH, target, value, keccak256(data), nonce_, deadline))
        );
    }

    /* INTERNALS */

    /// @dev Ends after at most MAX_MEMBERS signatures: addresses ascend, and each is a member's.
    function _areSigned(bytes32 digest, bytes calldata signatures) private view returns (bool) {
        uint256 count = 0;
        address previous = address(0);
        while (signatures.length != 0) {
            if (signatures.length < HEAD) return false;
            address member = address(bytes20(signatures));
            uint256 end = HEAD + uint16(bytes2(signatures[20:]));
            if (signatures.length < end || member <= previous || !isMember[member]) return false;
            if (!SignatureChecker.isValidSignatureNowCalldata(member, digest, signatures[HEAD:end])) return false;
            signatures = signatures[end:];
            previous = member;
            ++count;
        }
        return count >= threshold;
    }
}
