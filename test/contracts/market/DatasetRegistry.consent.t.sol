// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ConsentState, Dataset, IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { DatasetRegistryTest } from "./DatasetRegistryTest.sol";

/// @notice Leaves of DatasetRegistry.tree: taking consent back, and what a market is told.
contract DatasetRegistryConsentTest is DatasetRegistryTest {
    /// @dev First nonce that does not lie in the owner's slot.
    uint256 private constant LARGE = 224;

    function _revokeNonce(uint256 nonce) private {
        vm.prank(owner);
        registry.revokeGrantNonce(nonce);
    }

    function _expectNonceRevoked(uint256 nonce) private {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_NonceAlreadyRevoked.selector, owner, nonce)
        );
        vm.prank(owner);
    }

    function assertRevoked(uint256 nonce, bool expected) private view {
        assertTrue(registry.isGrantNonceRevoked(owner, nonce) == expected, "nonce revoked");
        assertTrue(registry.consentOf(datasetId, nonce).revoked == expected, "consent revoked");
    }

    /* REVOKE ALL GRANTS */

    function test_RevokeAll_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.revokeAllGrants(UNKNOWN);
    }

    function test_RevokeAll_RevertWhen_NotOwner() public {
        _expectNotOwner(stranger, owner);
        registry.revokeAllGrants(datasetId);
    }

    function test_RevokeAll_RevertGiven_LastEpoch() public {
        bytes32 head = vm.load(address(registry), _headSlot()) | bytes32(uint256(type(uint32).max) << 208);
        vm.store(address(registry), _headSlot(), head);
        assertEq(registry.dataset(datasetId).epoch, type(uint32).max, "the slot is the epoch's");
        _expectOverflow();
        vm.prank(owner);
        registry.revokeAllGrants(datasetId);
    }

    function test_RevokeAll_ShouldRaiseTheEpoch() public {
        Dataset memory expected = registry.dataset(datasetId);
        for (uint32 i = 1; i <= 3; ++i) {
            expected.epoch = i;
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.GrantsRevoked(datasetId, i);
            vm.prank(owner);
            assertEq(registry.revokeAllGrants(datasetId), i, "new epoch");
            assertDataset(expected);
        }
        assertEq(registry.ownerEpochOf(owner), 0, "owner epoch");
    }

    function test_RevokeAll_GivenRetired_ShouldRaiseTheEpoch() public {
        vm.prank(owner);
        registry.retire(datasetId);
        vm.prank(owner);
        assertEq(registry.revokeAllGrants(datasetId), 1, "new epoch");
    }

    /* REVOKE ALL OWN GRANTS */

    function test_RevokeAllOwn_RevertGiven_LastEpoch() public {
        vm.store(address(registry), _ownerSlot(owner), bytes32(uint256(type(uint32).max)));
        assertEq(registry.ownerEpochOf(owner), type(uint32).max, "the slot is the epoch's");
        _expectOverflow();
        vm.prank(owner);
        registry.revokeAllOwnGrants();
    }

    function test_RevokeAllOwn_ShouldRaiseTheCallersEpochOnly() public {
        for (uint32 i = 1; i <= 3; ++i) {
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.OwnerGrantsRevoked(owner, i);
            vm.prank(owner);
            assertEq(registry.revokeAllOwnGrants(), i, "new epoch");
            assertEq(registry.ownerEpochOf(owner), i, "epoch");
        }
        assertEq(registry.ownerEpochOf(stranger), 0, "the stranger's");
        assertEq(registry.dataset(datasetId).epoch, 0, "the data set's");
    }

    function testFuzz_RevokeAllOwn_ShouldMakeSmallNoncesFreshAgain(uint256 small, uint256 large) public {
        small = bound(small, 0, LARGE - 1);
        large = bound(large, LARGE, type(uint256).max);
        _revokeNonce(small);
        _revokeNonce(large);
        vm.prank(owner);
        registry.revokeAllOwnGrants();
        assertRevoked(small, false);
        assertRevoked(large, true);
        _revokeNonce(small);
        assertRevoked(small, true);
    }

    /* REVOKE A NONCE */

    function testFuzz_RevokeNonce_RevertGiven_Revoked(uint256 nonce) public {
        _revokeNonce(nonce);
        _expectNonceRevoked(nonce);
        registry.revokeGrantNonce(nonce);
    }

    function testFuzz_RevokeNonce_ShouldMarkThisOneOnly(uint256 nonce, uint256 other, address account) public {
        vm.expectEmit(address(registry));
        emit IDatasetRegistry.GrantNonceRevoked(account, nonce);
        vm.prank(account);
        registry.revokeGrantNonce(nonce);
        assertTrue(registry.isGrantNonceRevoked(account, nonce), "revoked");
        assertTrue(nonce == other || !registry.isGrantNonceRevoked(account, other), "another nonce");
        assertTrue(!registry.isGrantNonceRevoked(address(uint160(account) ^ 1), nonce), "another owner");
        assertEq(registry.ownerEpochOf(account), 0, "owner epoch");
    }

    /// @dev Each nonce around the end of the owner's slot and of the words after it, and their images modulo 224 and 256.
    function test_RevokeNonce_ShouldKeepTheEdgesApart() public {
        uint256[12] memory edges = [uint256(0), 1, 31, 32, 223, 224, 225, 255, 256, 480, 512, type(uint256).max];
        for (uint256 i = 0; i < edges.length; ++i) {
            for (uint256 j = 0; j < edges.length; ++j) {
                assertRevoked(edges[j], j < i);
            }
            _revokeNonce(edges[i]);
        }
        assertEq(registry.ownerEpochOf(owner), 0, "owner epoch");
    }

    /* CONSENT */

    function test_ConsentOf_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.consentOf(UNKNOWN, 0);
    }

    function test_ConsentOf_ShouldSayAllThatIsRegistered() public {
        assertConsent(7, ConsentState(owner, SIZE, 0, 0, 2, false));
        vm.prank(owner);
        registry.revokeAllGrants(datasetId);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(owner);
            registry.revokeAllOwnGrants();
        }
        _revokeNonce(7);
        assertConsent(7, ConsentState(owner, SIZE, 1, 2, 2, true));
        assertConsent(8, ConsentState(owner, SIZE, 1, 2, 2, false));
    }

    /// @dev Every field at both ends of its range, whatever stands beside it.
    function testFuzz_ConsentOf_ShouldKeepFieldsApart(
        address account,
        uint48 sizeBytes,
        uint32 epoch,
        uint32 ownerEpoch,
        uint224 revokedNonces,
        uint256 nonce
    ) public {
        account = account == address(0) ? owner : account;
        bytes32 head = bytes32(uint256(epoch) << 208 | uint256(sizeBytes) << 160 | uint160(account));
        vm.store(address(registry), _headSlot(), head | bytes32(uint256(16) << 240));
        vm.store(address(registry), _ownerSlot(account), bytes32(uint256(revokedNonces) << 32 | ownerEpoch));
        nonce = bound(nonce, 0, LARGE - 1);
        bool revoked = (revokedNonces >> nonce) & 1 != 0;

        assertConsent(nonce, ConsentState(account, sizeBytes, epoch, ownerEpoch, 16, revoked));
        assertConsent(nonce + LARGE, ConsentState(account, sizeBytes, epoch, ownerEpoch, 16, false));
        vm.store(address(registry), _headSlot(), head | bytes32(uint256(1) << 248));
        assertConsent(nonce, ConsentState(account, sizeBytes, epoch, ownerEpoch, 0, true));
        Dataset memory stored = registry.dataset(datasetId);
        assertTrue(stored.retired && stored.payeeCount == 0, "retired");
        assertTrue(stored.owner == account && stored.sizeBytes == sizeBytes && stored.epoch == epoch, "head");
        assertTrue(registry.isGrantNonceRevoked(account, nonce) == revoked, "nonce");
        assertEq(registry.ownerEpochOf(account), ownerEpoch, "owner epoch");
    }

    function test_ConsentOf_ShouldAskTheOwnerOfNow() public {
        _revokeNonce(7);
        vm.prank(stranger);
        registry.revokeAllOwnGrants();
        _handOver(owner, stranger);
        assertConsent(7, ConsentState(stranger, SIZE, 1, 1, 2, false));
    }

    function test_ConsentOf_ShouldReadTwoSlotsOrThree() public {
        assertEq(_slotsRead(0), 2, "nonce 0");
        assertEq(_slotsRead(LARGE - 1), 2, "nonce 223");
        assertEq(_slotsRead(LARGE), 3, "nonce 224");
    }

    /// @dev Where an owner's epoch (the lowest four bytes) and small nonces are: `_owners` is the fourth variable.
    function _ownerSlot(address account) private pure returns (bytes32) {
        return keccak256(abi.encode(account, uint256(3)));
    }

    function _slotsRead(uint256 nonce) private returns (uint256) {
        vm.record();
        registry.consentOf(datasetId, nonce);
        (bytes32[] memory reads,) = vm.accesses(address(registry));
        return reads.length;
    }
}
