// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { IDatasetCouncil } from "../../../contracts/interfaces/IDatasetCouncil.sol";
import { IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { deploy } from "../../support/Test.sol";
import { DatasetCouncilTest } from "./DatasetCouncilTest.sol";

/// @notice Leaves of DatasetCouncil.tree: who is in, and what they consent to.
contract DatasetCouncilConsentTest is DatasetCouncilTest {
    function _expectBadMember(uint256 position, address member) private {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_BadMember.selector, position, member)
        );
    }

    /* CONSTRUCTOR */

    function test_Constructor_RevertWhen_NoRegistry() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_NoRegistry.selector, stranger));
        deploy("DatasetCouncil", abi.encode(stranger, new address[](0), 0));
    }

    function test_Constructor_RevertWhen_BadMemberCount() public {
        for (uint256 count = 0; count <= 17; count += 17) {
            vm.expectRevert(
                abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_BadMemberCount.selector, count, uint256(16))
            );
            _found(new address[](count), 0);
        }
    }

    function test_Constructor_RevertWhen_MemberIsZero() public {
        address[] memory members = new address[](1);
        _expectBadMember(0, address(0));
        _found(members, 0);
    }

    function test_Constructor_RevertWhen_MembersDoNotAscend() public {
        address[] memory members = _members();
        members[3] = members[2];
        _expectBadMember(3, members[3]);
        _found(members, 0);
        members[3] = members[0];
        _expectBadMember(3, members[3]);
        _found(members, 0);
    }

    function test_Constructor_RevertWhen_MemberIsTheCouncil() public {
        Founder founder = new Founder();
        // The address of its first contract: RLP of its address and nonce 1.
        address itself =
            address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(founder), hex"01")))));
        address[] memory members = new address[](1);
        members[0] = itself;
        _expectBadMember(0, itself);
        founder.found(registry, members, 1);
    }

    function test_Constructor_RevertWhen_BadThreshold() public {
        for (uint8 threshold = 0; threshold <= 6; threshold += 6) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IDatasetCouncil.DatasetCouncil_BadThreshold.selector, uint256(threshold), MEMBERS
                )
            );
            _found(_members(), threshold);
        }
    }

    function test_Constructor_ShouldKeepAll() public {
        Founder founder = new Founder();
        address formed =
            address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(founder), hex"01")))));
        vm.expectEmit(formed);
        emit IDatasetCouncil.CouncilFormed(address(registry), _members(), 5);
        IDatasetCouncil all = founder.found(registry, _members(), 5);

        assertEq(address(all.datasets()), address(registry), "registry");
        assertEq(abi.encode(all.members()), abi.encode(_members()), "members");
        assertEq(all.threshold(), 5, "threshold");
        assertEq(all.nonce(), 0, "nonce");
        assertTrue(all.isMember(_member(4)) && !all.isMember(stranger), "is a member");
    }

    function test_Constructor_WhenSixteenOrOne_ShouldForm() public {
        address[] memory members = new address[](16);
        for (uint160 i = 0; i < 16; ++i) {
            members[i] = address(i + 1);
        }
        assertEq(_found(members, 16).members().length, 16, "sixteen");
        assertEq(_found(members, 1).threshold(), 1, "one");
    }

    /* IS VALID SIGNATURE */

    function test_Approval_ShouldBeTypedData() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataCollabMarket"),
                keccak256("1"),
                block.chainid,
                address(council)
            )
        );
        bytes32 approval = keccak256(abi.encode(keccak256("CouncilApproval(bytes32 hash)"), HASH));
        assertEq(
            council.approvalHashOf(HASH), keccak256(abi.encodePacked(hex"1901", domain, approval)), "approval hash"
        );
    }

    /// @dev Every set of members, and no other reason to accept or to refuse.
    function test_WhenMembersSigned_ShouldBeTrueFromThresholdOn() public view {
        for (uint256 who = 0; who < 32; ++who) {
            uint256 count = 0;
            for (uint256 bits = who; bits != 0; bits &= bits - 1) {
                ++count;
            }
            assertValid(HASH, _signatures(who, council.approvalHashOf(HASH)), count >= THRESHOLD);
        }
    }

    function test_WhenMemberSignedTwice_ShouldBeFalse() public view {
        bytes32 digest = council.approvalHashOf(HASH);
        assertValid(HASH, bytes.concat(_signed(0, digest), _signed(1, digest), _signed(1, digest)), false);
        assertValid(HASH, bytes.concat(_signatures(7, digest), _signed(2, digest)), false);
    }

    function test_WhenOutOfOrder_ShouldBeFalse() public view {
        bytes32 digest = council.approvalHashOf(HASH);
        assertValid(HASH, bytes.concat(_signed(0, digest), _signed(2, digest), _signed(1, digest)), false);
    }

    function test_WhenStrangerSignedToo_ShouldBeFalse() public view {
        bytes32 digest = council.approvalHashOf(HASH);
        uint256 key = 0xDEAD;
        bytes memory entry = _entry(vm.addr(key), _ecdsa(key, digest));
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory signatures;
            for (uint256 j = 0; j < 4; ++j) {
                signatures = bytes.concat(signatures, j == i ? entry : bytes(""), j < 3 ? _signed(j, digest) : bytes(""));
            }
            assertValid(HASH, signatures, false);
        }
    }

    function test_WhenAnotherSignedForTheMember_ShouldBeFalse() public view {
        bytes32 digest = council.approvalHashOf(HASH);
        bytes memory forged = _entry(_member(2), _ecdsa(keys[3], digest));
        assertValid(HASH, bytes.concat(_signatures(3, digest), forged), false);
    }

    function test_WhenCutOrFollowed_ShouldBeFalse() public view {
        bytes memory signatures = _signatures(7, council.approvalHashOf(HASH));
        for (uint256 length = 0; length < signatures.length; ++length) {
            assertValid(HASH, slice(signatures, 0, length), false);
        }
        assertValid(HASH, bytes.concat(signatures, hex"00"), false);
        assertValid(HASH, bytes.concat(signatures, new bytes(22)), false);
        assertValid(HASH, bytes.concat(signatures, abi.encodePacked(type(uint160).max, uint16(0))), false);
    }

    function testFuzz_WhenOneByteIsChanged_ShouldBeFalse(uint256 position, bytes1 change) public view {
        vm.assume(change != 0);
        bytes memory signatures = _signatures(7, council.approvalHashOf(HASH));
        signatures[position % signatures.length] ^= change;
        assertValid(HASH, signatures, false);
    }

    function testFuzz_WhenAnything_ShouldBeFalseAndNotRevert(bytes32 hash, bytes calldata signatures) public view {
        assertValid(hash, signatures, false);
    }

    function test_WhenHighS_ShouldBeFalse() public view {
        bytes32 digest = council.approvalHashOf(HASH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[2], digest);
        bytes memory high = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? 28 : 27);
        assertValid(HASH, bytes.concat(_signatures(3, digest), _entry(_member(2), high)), false);
    }

    function test_WhenSomethingElseIsSigned_ShouldBeFalse() public {
        assertValid(HASH, _signatures(7, HASH), false);
        assertValid(HASH, _signatures(7, council.approvalHashOf(keccak256("another"))), false);
        bytes memory call = _approvedCall(address(registry), 0, "");
        assertValid(HASH, call, false);
        assertValid(council.callHashOf(address(registry), 0, "", 0, DEADLINE), call, false);

        IDatasetCouncil twin = _found(_members(), THRESHOLD);
        bytes memory forTwin = _signatures(7, twin.approvalHashOf(HASH));
        assertEq(bytes32(twin.isValidSignature(HASH, forTwin)), bytes32(bytes4(0x1626ba7e)), "the twin's");
        assertValid(HASH, forTwin, false);

        vm.chainId(77);
        bytes memory forOneChain = _signatures(7, council.approvalHashOf(HASH));
        assertValid(HASH, forOneChain, true);
        vm.chainId(78);
        assertValid(HASH, forOneChain, false);
    }

    function test_GivenMemberIsContract_ShouldAskIt() public {
        ContractAccount account = new ContractAccount();
        IDatasetCouncil pair = _pair(address(account));
        bytes32 digest = pair.approvalHashOf(HASH);
        bytes memory its = _entry(address(account), "its word");
        bytes memory both = vm.addr(keys[0]) < address(account)
            ? bytes.concat(_signed(0, digest), its)
            : bytes.concat(its, _signed(0, digest));
        assertTrue(!SignatureChecker.isValidSignatureNow(address(pair), HASH, both), "refuses");
        account.approveHash(HASH, "its word");
        assertTrue(!SignatureChecker.isValidSignatureNow(address(pair), HASH, both), "approves the bare hash only");
        account.approveHash(digest, "its word");
        assertTrue(SignatureChecker.isValidSignatureNow(address(pair), HASH, both), "approves");
    }

    function test_GivenMemberIsCouncil_ShouldAskItsMembers() public {
        IDatasetCouncil pair = _pair(address(council));
        bytes32 digest = pair.approvalHashOf(HASH);
        for (uint256 who = 1; who <= 7; who += 6) {
            bytes memory its = _entry(address(council), _signatures(who, council.approvalHashOf(digest)));
            bytes memory both = vm.addr(keys[0]) < address(council)
                ? bytes.concat(_signed(0, digest), its)
                : bytes.concat(its, _signed(0, digest));
            assertTrue(SignatureChecker.isValidSignatureNow(address(pair), HASH, both) == (who == 7), "council");
        }
    }

    /// @dev A council of member 0 and `other`; both must sign.
    function _pair(address other) private returns (IDatasetCouncil) {
        address[] memory members = new address[](2);
        (members[0], members[1]) = _member(0) < other ? (_member(0), other) : (other, _member(0));
        return _found(members, 2);
    }
}

/// @notice Its first contract's address is known beforehand.
contract Founder {
    function found(IDatasetRegistry registry, address[] calldata members, uint8 threshold)
        external
        returns (IDatasetCouncil)
    {
        return IDatasetCouncil(deploy("DatasetCouncil", abi.encode(registry, members, threshold)));
    }
}
