// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { IDatasetCouncil } from "../../../contracts/interfaces/IDatasetCouncil.sol";
import { IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { DatasetCouncilTest } from "./DatasetCouncilTest.sol";

/// @notice Leaves of DatasetCouncil.tree: what the members do together, and what each alone.
contract DatasetCouncilActTest is DatasetCouncilTest {
    bytes32 private constant CONTENT = keccak256("ciphertext");
    bytes32 private datasetId;

    function setUp() public override {
        super.setUp();
        datasetId = abi.decode(_execute(address(registry), 0, _registration()), (bytes32));
    }

    function _registration() private pure returns (bytes memory) {
        return abi.encodeCall(IDatasetRegistry.register, (CONTENT, 0, 5, "ipfs://x", "{}", new Payee[](0)));
    }

    /* EXECUTE */

    function test_Execute_ShouldRegisterADatasetOfTheCouncil() public view {
        assertEq(datasetId, keccak256(abi.encode(address(council), CONTENT, bytes32(0))), "id");
        assertEq(registry.dataset(datasetId).owner, address(council), "owner");
        assertEq(council.nonce(), 1, "nonce");
    }

    function test_Execute_RevertWhen_TooLate() public {
        bytes memory signatures = _approvedCall(stranger, 0, "");
        vm.warp(DEADLINE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetCouncil.DatasetCouncil_TooLate.selector, DEADLINE, uint256(DEADLINE) + 1
            )
        );
        council.execute(stranger, 0, "", DEADLINE, signatures);
        vm.warp(DEADLINE);
        council.execute(stranger, 0, "", DEADLINE, signatures);
        assertEq(council.nonce(), 2, "nonce");
    }

    function test_Execute_RevertWhen_TooFewSigned() public {
        bytes32 callHash = council.callHashOf(stranger, 0, "", 1, DEADLINE);
        bytes memory approval = _signatures(7, council.approvalHashOf(callHash));
        _expectNotApproved(callHash);
        council.execute(stranger, 0, "", DEADLINE, _signatures(3, callHash));
        _expectNotApproved(callHash);
        council.execute(stranger, 0, "", DEADLINE, "");
        _expectNotApproved(callHash);
        council.execute(stranger, 0, "", DEADLINE, approval);
    }

    function test_Execute_RevertWhen_AnotherCallWasSigned() public {
        bytes memory data = abi.encodeCall(registry.retire, (datasetId));
        bytes memory signatures = _approvedCall(address(registry), 0, data);

        _expectNotApproved(council.callHashOf(stranger, 0, data, 1, DEADLINE));
        council.execute(stranger, 0, data, DEADLINE, signatures);
        _expectNotApproved(council.callHashOf(address(registry), 1, data, 1, DEADLINE));
        council.execute(address(registry), 1, data, DEADLINE, signatures);
        _expectNotApproved(council.callHashOf(address(registry), 0, "", 1, DEADLINE));
        council.execute(address(registry), 0, "", DEADLINE, signatures);
        _expectNotApproved(council.callHashOf(address(registry), 0, data, 1, DEADLINE + 1));
        council.execute(address(registry), 0, data, DEADLINE + 1, signatures);

        IDatasetCouncil twin = _found(_members(), THRESHOLD);
        _expectNotApproved(twin.callHashOf(address(registry), 0, data, 0, DEADLINE));
        twin.execute(address(registry), 0, data, DEADLINE, signatures);

        vm.chainId(block.chainid + 1);
        _expectNotApproved(council.callHashOf(address(registry), 0, data, 1, DEADLINE));
        council.execute(address(registry), 0, data, DEADLINE, signatures);
    }

    function test_Execute_RevertWhen_Repeated() public {
        bytes memory signatures = _approvedCall(stranger, 0, "");
        council.execute(stranger, 0, "", DEADLINE, signatures);
        _expectNotApproved(council.callHashOf(stranger, 0, "", 2, DEADLINE));
        council.execute(stranger, 0, "", DEADLINE, signatures);
    }

    function test_Execute_RevertWhen_NextNonceIsNotDue() public {
        bytes32 later = council.callHashOf(stranger, 0, "", 2, DEADLINE);
        _expectNotApproved(council.callHashOf(stranger, 0, "", 1, DEADLINE));
        council.execute(stranger, 0, "", DEADLINE, _signatures(7, later));
        _execute(stranger, 0, "");
        council.execute(stranger, 0, "", DEADLINE, _signatures(7, later));
        assertEq(council.nonce(), 3, "nonce");
    }

    function test_Execute_RevertWhen_NoContractTakesTheData() public {
        bytes memory signatures = _approvedCall(stranger, 0, hex"01");
        vm.expectRevert(abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_NoContract.selector, stranger));
        council.execute(stranger, 0, hex"01", DEADLINE, signatures);
    }

    function test_Execute_WhenTargetReverts_ShouldRevertAsItDidAndUseNothingUp() public {
        bytes memory signatures = _approvedCall(address(registry), 0, _registration());
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_AlreadyRegistered.selector, datasetId)
        );
        council.execute(address(registry), 0, _registration(), DEADLINE, signatures);
        assertEq(council.nonce(), 1, "nonce");
    }

    function test_Execute_RevertWhen_CallFails() public {
        // The registry takes no coin: it reverts without data. Then the council has none to send.
        vm.deal(address(council), 1);
        bytes memory signatures = _approvedCall(address(registry), 1, "");
        vm.expectRevert(abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_CallFailed.selector, address(registry)));
        council.execute(address(registry), 1, "", DEADLINE, signatures);
        signatures = _approvedCall(stranger, 2, "");
        vm.expectRevert(abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_CallFailed.selector, stranger));
        council.execute(stranger, 2, "", DEADLINE, signatures);
    }

    function test_Execute_ShouldSendTheValueAndSaySo() public {
        vm.deal(address(this), 1 ether);
        (bool paid,) = address(council).call{ value: 0.4 ether }("");
        assertTrue(paid, "the council takes coin");
        bytes memory signatures = _approvedCall(stranger, 1 ether, "");
        vm.expectEmit(address(council));
        emit IDatasetCouncil.CouncilCalled(1, stranger, 1 ether, "");
        bytes memory answer = council.execute{ value: 0.6 ether }(stranger, 1 ether, "", DEADLINE, signatures);
        assertEq(answer.length, 0, "answer");
        assertEq(stranger.balance, 1 ether, "stranger");
        assertEq(address(council).balance, 0, "council");
        assertEq(council.nonce(), 2, "nonce");
    }

    function test_Execute_WhenReentered_ShouldNotRepeat() public {
        ContractAccount thief = new ContractAccount();
        vm.deal(address(council), 3);
        bytes memory signatures = _approvedCall(address(thief), 1, "");
        thief.setHook(
            address(council), abi.encodeCall(council.execute, (address(thief), 1, "", DEADLINE, signatures))
        );
        council.execute(address(thief), 1, "", DEADLINE, signatures);
        bytes32 next = council.callHashOf(address(thief), 1, "", 2, DEADLINE);
        assertEq(
            thief.hookError(),
            abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_NotApproved.selector, next),
            "the repeated call"
        );
        assertEq(address(thief).balance, 1, "paid once");
    }

    function test_Execute_WhenReentered_ShouldMakeTheNextThatMembersSigned() public {
        ContractAccount account = new ContractAccount();
        vm.deal(address(council), 3);
        bytes memory first = _approvedCall(address(account), 1, "");
        bytes memory second = _signatures(7, council.callHashOf(stranger, 2, "", 2, DEADLINE));
        account.setHook(address(council), abi.encodeCall(council.execute, (stranger, 2, "", DEADLINE, second)));
        council.execute(address(account), 1, "", DEADLINE, first);
        assertEq(account.hookError().length, 0, "the next call");
        assertEq(stranger.balance, 2, "paid");
        assertEq(council.nonce(), 3, "nonce");
    }

    function test_Execute_GivenOfferedDataset_ShouldTakeIt() public {
        bytes32 id = registry.register(CONTENT, 0, 5, "ipfs://x", "{}", new Payee[](0));
        registry.offerOwnership(id, address(council));
        bytes memory answer = _execute(address(registry), 0, abi.encodeCall(registry.takeOwnership, (id)));
        assertEq(abi.decode(answer, (uint32)), 1, "new epoch");
        assertEq(registry.dataset(id).owner, address(council), "owner");
    }

    /* ONE ALONE */

    function test_Revoke_RevertWhen_NotMember() public {
        bytes memory notMember = abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_NotMember.selector, stranger);
        vm.expectRevert(notMember);
        vm.prank(stranger);
        council.revokeAllGrants(datasetId);
        vm.expectRevert(notMember);
        vm.prank(stranger);
        council.revokeAllOwnGrants();
        vm.expectRevert(notMember);
        vm.prank(stranger);
        council.revokeGrantNonce(7);
    }

    function test_Revoke_RevertWhen_RegistryRefuses() public {
        bytes32 another = registry.register(CONTENT, 0, 5, "ipfs://x", "{}", new Payee[](0));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotOwner.selector, another, address(council), address(this)
            )
        );
        vm.prank(_member(0));
        council.revokeAllGrants(another);
        vm.prank(_member(0));
        council.revokeGrantNonce(7);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NonceAlreadyRevoked.selector, address(council), uint256(7)
            )
        );
        vm.prank(_member(1));
        council.revokeGrantNonce(7);
    }

    function test_Revoke_EachMemberAlone_ShouldRevokeTheGrantsOfADataset() public {
        for (uint32 i = 0; i < MEMBERS; ++i) {
            _expectRevokedBy(i);
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.GrantsRevoked(datasetId, i + 1);
            vm.prank(_member(i));
            assertEq(council.revokeAllGrants(datasetId), i + 1, "new epoch");
            assertEq(registry.consentOf(datasetId, 0).epoch, i + 1, "epoch");
        }
    }

    function test_Revoke_EachMemberAlone_ShouldRevokeAllGrants() public {
        for (uint32 i = 0; i < MEMBERS; ++i) {
            _expectRevokedBy(i);
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.OwnerGrantsRevoked(address(council), i + 1);
            vm.prank(_member(i));
            assertEq(council.revokeAllOwnGrants(), i + 1, "new epoch");
            assertEq(registry.consentOf(datasetId, 0).ownerEpoch, i + 1, "epoch");
        }
    }

    function test_Revoke_EachMemberAlone_ShouldRevokeANonce() public {
        for (uint256 i = 0; i < MEMBERS; ++i) {
            _expectRevokedBy(i);
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.GrantNonceRevoked(address(council), 222 + i);
            vm.prank(_member(i));
            council.revokeGrantNonce(222 + i);
            assertTrue(registry.consentOf(datasetId, 222 + i).revoked, "revoked");
        }
    }

    function _expectRevokedBy(uint256 i) private {
        vm.expectEmit(address(council));
        emit IDatasetCouncil.CouncilConsentRevoked(_member(i));
    }
}
