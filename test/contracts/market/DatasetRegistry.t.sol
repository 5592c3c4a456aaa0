// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Dataset, IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { DatasetRegistryTest } from "./DatasetRegistryTest.sol";

/// @notice Leaves of DatasetRegistry.tree: what is registered, and whose it is.
contract DatasetRegistryLifeTest is DatasetRegistryTest {
    bytes32 private constant NEW_SALT = keccak256("another salt");

    function _register(string memory uri, string memory metadata) private returns (bytes32) {
        return registry.register(CONTENT, NEW_SALT, SIZE, uri, metadata, new Payee[](0));
    }

    function _registerWith(Payee[] memory payees) private returns (bytes32) {
        return registry.register(CONTENT, NEW_SALT, SIZE, "u", "m", payees);
    }

    function _expectBadUri(uint256 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadUriLength.selector, length, 1024)
        );
    }

    function _expectBadMetadata(uint256 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadMetadataLength.selector, length, 8192)
        );
    }

    function _expectBadPayee(uint256 position, Payee memory payee) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_BadPayee.selector, position, payee.account, payee.shareBps
            )
        );
    }

    /* REGISTER */

    function test_RevertWhen_ContentHashZero() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ZeroContentHash.selector));
        registry.register(0, SALT, 0, "", "", _payees(16));
    }

    function test_RevertWhen_SizeZero() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ZeroSize.selector));
        registry.register(CONTENT, SALT, 0, "", "", _payees(16));
    }

    function test_RevertWhen_UriEmptyOrTooLong() public {
        _expectBadUri(0);
        _register("", "");
        _expectBadUri(1025);
        _register(string(new bytes(1025)), "");
    }

    function test_RevertWhen_MetadataEmptyOrTooLong() public {
        _expectBadMetadata(0);
        registry.register(CONTENT, SALT, SIZE, "u", "", new Payee[](17));
        _expectBadMetadata(8193);
        _register("u", string(new bytes(8193)));
    }

    function test_RevertWhen_TooManyPayees() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_TooManyPayees.selector, uint256(17), uint256(16))
        );
        _registerWith(_payees(17));
    }

    function test_RevertWhen_PayeeIsZeroAddress() public {
        Payee[] memory payees = _payees(3);
        payees[1].account = address(0);
        _expectBadPayee(1, payees[1]);
        _registerWith(payees);
    }

    function test_RevertWhen_PayeeHasNoShare() public {
        Payee[] memory payees = _payees(3);
        (payees[0].shareBps, payees[2].shareBps) = (6667, 0);
        _expectBadPayee(2, payees[2]);
        _registerWith(payees);
    }

    function testFuzz_RevertWhen_PayeeIsNamedBefore(uint256 count, uint256 first, uint256 second) public {
        Payee[] memory payees = _payees(bound(count, 2, 16));
        second = bound(second, 1, payees.length - 1);
        payees[second].account = payees[bound(first, 0, second - 1)].account;
        _expectBadPayee(second, payees[second]);
        _registerWith(payees);
    }

    function testFuzz_RevertWhen_SharesDoNotMakeAll(uint256 count, uint16[16] memory shares) public {
        Payee[] memory payees = _payees(bound(count, 1, 16));
        uint256 total = 0;
        for (uint256 i = 0; i < payees.length; ++i) {
            payees[i].shareBps = shares[i] == 0 ? 1 : shares[i];
            total += payees[i].shareBps;
        }
        vm.assume(total != 10_000);
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadShares.selector, total));
        _registerWith(payees);
    }

    function test_RevertWhen_SharesAreOneOff() public {
        Payee[] memory payees = _payees(2);
        payees[1].shareBps = 4999;
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadShares.selector, uint256(9999)));
        _registerWith(payees);
        payees[1].shareBps = 5001;
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadShares.selector, uint256(10_001)));
        _registerWith(payees);
    }

    function test_RevertGiven_AlreadyRegistered() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_AlreadyRegistered.selector, datasetId)
        );
        vm.prank(owner);
        registry.register(CONTENT, SALT, 7, "other uri", "other metadata", new Payee[](0));
    }

    function test_RevertGiven_RetiredOrHandedOverAndRegisteredAgain() public {
        _handOver(owner, stranger);
        vm.prank(stranger);
        registry.retire(datasetId);
        test_RevertGiven_AlreadyRegistered();
    }

    function test_WhenAtTheLimits_ShouldRegister() public {
        bytes32 id = _register(string(new bytes(1024)), string(new bytes(8192)));
        assertEq(bytes(registry.dataset(id).uri).length, 1024, "URI");
    }

    function testFuzz_ShouldRecordEveryField(
        address caller,
        bytes32 contentHash,
        bytes32 salt,
        uint48 sizeBytes,
        string calldata metadata
    ) public {
        caller = caller == address(0) ? stranger : caller;
        contentHash = contentHash == 0 ? CONTENT : contentHash;
        sizeBytes = sizeBytes == 0 ? 1 : sizeBytes;
        string memory json = bytes(metadata).length == 0 || bytes(metadata).length > 8192 ? "{}" : metadata;
        bytes32 id = keccak256(abi.encode(caller, contentHash, salt));
        Payee[] memory none = new Payee[](0);

        vm.expectEmit(address(registry));
        emit IDatasetRegistry.DatasetRegistered(id, caller, contentHash, salt, sizeBytes, "ipfs://x", json, none);
        vm.prank(caller);
        datasetId = registry.register(contentHash, salt, sizeBytes, "ipfs://x", json, none);

        assertEq(datasetId, id, "id");
        assertDataset(
            Dataset(caller, sizeBytes, 0, 0, false, contentHash, keccak256(bytes(json)), salt, "ipfs://x")
        );
        assertPayees(id, none);
    }

    /// @dev Shares from 1 up, of 1 to 16 payees, that make 10,000.
    function testFuzz_ShouldRecordPayees(uint256 count, uint16[16] memory wanted) public {
        Payee[] memory payees = _payees(bound(count, 1, 16));
        uint256 left = 10_000;
        for (uint256 i = 0; i < payees.length; ++i) {
            uint256 others = payees.length - 1 - i;
            payees[i].shareBps = uint16(others == 0 ? left : bound(wanted[i], 1, left - others));
            left -= payees[i].shareBps;
        }
        bytes32 id = keccak256(abi.encode(address(this), CONTENT, NEW_SALT));

        vm.expectEmit(address(registry));
        emit IDatasetRegistry.DatasetRegistered(id, address(this), CONTENT, NEW_SALT, SIZE, "u", "m", payees);
        _registerWith(payees);

        assertPayees(id, payees);
        assertEq(registry.dataset(id).payeeCount, payees.length, "payee count");
        assertPayees(datasetId, _payees(2));
    }

    function test_GivenOtherOwnerRegisteredTheSame_ShouldGiveAnotherId() public {
        vm.prank(stranger);
        bytes32 second = registry.register(CONTENT, SALT, SIZE, "u", "m", new Payee[](0));
        assertTrue(second != datasetId, "another id");
        assertEq(registry.dataset(second).owner, stranger, "owner");
        assertEq(registry.dataset(datasetId).owner, owner, "owner of the first");
    }

    /* UPDATE */

    function test_Update_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.update(UNKNOWN, "", "");
    }

    function test_Update_RevertWhen_NotOwner() public {
        _expectNotOwner(stranger, owner);
        registry.update(datasetId, "", "");
    }

    function test_Update_RevertGiven_Retired() public {
        vm.prank(owner);
        registry.retire(datasetId);
        _expectRetired();
        registry.update(datasetId, "", "");
    }

    function test_Update_RevertWhen_UriEmptyOrTooLong() public {
        _expectBadUri(0);
        vm.prank(owner);
        registry.update(datasetId, "", "");
        _expectBadUri(1025);
        vm.prank(owner);
        registry.update(datasetId, string(new bytes(1025)), "");
    }

    function test_Update_RevertWhen_MetadataEmptyOrTooLong() public {
        _expectBadMetadata(0);
        vm.prank(owner);
        registry.update(datasetId, "u", "");
        _expectBadMetadata(8193);
        vm.prank(owner);
        registry.update(datasetId, "u", string(new bytes(8193)));
    }

    function testFuzz_Update_ShouldChangeUriAndMetadata(string calldata uri, string calldata metadata) public {
        vm.assume(bytes(uri).length != 0 && bytes(uri).length <= 1024);
        vm.assume(bytes(metadata).length != 0 && bytes(metadata).length <= 8192);
        Dataset memory expected = registry.dataset(datasetId);
        expected.uri = uri;
        expected.metadataHash = keccak256(bytes(metadata));

        vm.expectEmit(address(registry));
        emit IDatasetRegistry.DatasetUpdated(datasetId, uri, metadata);
        vm.prank(owner);
        registry.update(datasetId, uri, metadata);

        assertDataset(expected);
        assertPayees(datasetId, _payees(2));
    }

    /* HAND OVER */

    function test_Offer_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.offerOwnership(UNKNOWN, stranger);
    }

    function test_Offer_RevertWhen_NotOwner() public {
        _expectNotOwner(stranger, owner);
        registry.offerOwnership(datasetId, stranger);
    }

    function test_Offer_RevertGiven_Retired() public {
        vm.prank(owner);
        registry.retire(datasetId);
        _expectRetired();
        registry.offerOwnership(datasetId, stranger);
    }

    function testFuzz_Offer_ShouldReplaceTheOfferBefore(address first, address second) public {
        Dataset memory expected = registry.dataset(datasetId);
        address[2] memory offered = [first, second];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(registry));
            emit IDatasetRegistry.DatasetOffered(datasetId, owner, offered[i]);
            vm.prank(owner);
            registry.offerOwnership(datasetId, offered[i]);
            assertEq(registry.pendingOwnerOf(datasetId), offered[i], "pending owner");
        }
        assertDataset(expected);
    }

    function test_Take_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.takeOwnership(UNKNOWN);
    }

    function test_Take_RevertWhen_NotOffered() public {
        _takeReverts(stranger, address(0));
        _takeReverts(owner, address(0));
    }

    function test_Take_RevertWhen_OfferedToAnother() public {
        vm.prank(owner);
        registry.offerOwnership(datasetId, address(0xB0B));
        _takeReverts(stranger, address(0xB0B));
        _takeReverts(owner, address(0xB0B));
    }

    function test_Take_RevertGiven_OfferTakenBack() public {
        vm.prank(owner);
        registry.offerOwnership(datasetId, stranger);
        vm.prank(owner);
        registry.offerOwnership(datasetId, address(0));
        _takeReverts(stranger, address(0));
    }

    function test_Take_RevertGiven_TakenBefore() public {
        _handOver(owner, stranger);
        _takeReverts(stranger, address(0));
    }

    function test_Take_RevertGiven_Retired() public {
        vm.prank(owner);
        registry.offerOwnership(datasetId, stranger);
        vm.prank(owner);
        registry.retire(datasetId);
        _takeReverts(stranger, address(0));
    }

    function test_Take_ShouldChangeTheOwnerAndTheEpoch() public {
        Dataset memory expected = registry.dataset(datasetId);
        (expected.owner, expected.epoch) = (stranger, 1);
        vm.prank(owner);
        registry.offerOwnership(datasetId, stranger);

        vm.expectEmit(address(registry));
        emit IDatasetRegistry.DatasetTransferred(datasetId, owner, stranger, 1);
        vm.prank(stranger);
        assertEq(registry.takeOwnership(datasetId), 1, "new epoch");

        assertDataset(expected);
        assertPayees(datasetId, _payees(2));
        assertEq(registry.pendingOwnerOf(datasetId), address(0), "pending owner");
    }

    function test_Take_ShouldTakeEveryRightFromTheOwnerBefore() public {
        _handOver(owner, stranger);
        _expectNotOwner(owner, stranger);
        registry.update(datasetId, "u", "m");
        _expectNotOwner(owner, stranger);
        registry.offerOwnership(datasetId, owner);
        _expectNotOwner(owner, stranger);
        registry.retire(datasetId);
        _expectNotOwner(owner, stranger);
        registry.revokeAllGrants(datasetId);
    }

    function test_Take_GivenItComesBack_ShouldBeInAnotherEpoch() public {
        _handOver(owner, stranger);
        assertEq(_handOver(stranger, owner), 2, "epoch");
        assertEq(registry.consentOf(datasetId, 0).epoch, 2, "epoch of consent");
    }

    function test_Take_RevertGiven_LastEpoch() public {
        bytes32 head = vm.load(address(registry), _headSlot()) | bytes32(uint256(type(uint32).max) << 208);
        vm.store(address(registry), _headSlot(), head);
        vm.prank(owner);
        registry.offerOwnership(datasetId, stranger);
        _expectOverflow();
        vm.prank(stranger);
        registry.takeOwnership(datasetId);
    }

    /* RETIRE */

    function test_Retire_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.retire(UNKNOWN);
    }

    function test_Retire_RevertWhen_NotOwner() public {
        _expectNotOwner(stranger, owner);
        registry.retire(datasetId);
    }

    function test_Retire_RevertGiven_Retired() public {
        vm.prank(owner);
        registry.retire(datasetId);
        _expectRetired();
        registry.retire(datasetId);
    }

    function testFuzz_Retire_ShouldEndEveryGrantAndTheOffer(uint256 nonce) public {
        Dataset memory expected = registry.dataset(datasetId);
        expected.retired = true;
        vm.prank(owner);
        registry.offerOwnership(datasetId, stranger);

        vm.expectEmit(address(registry));
        emit IDatasetRegistry.DatasetRetired(datasetId);
        vm.prank(owner);
        registry.retire(datasetId);

        assertDataset(expected);
        assertEq(registry.pendingOwnerOf(datasetId), address(0), "pending owner");
        assertTrue(registry.consentOf(datasetId, nonce).revoked, "revoked");
        assertTrue(!registry.isGrantNonceRevoked(owner, nonce), "nonce of other data sets");
    }

    /* VIEWS */

    function test_Views_RevertGiven_UnknownDataset() public {
        _expectUnknown();
        registry.dataset(UNKNOWN);
        _expectUnknown();
        registry.payeesOf(UNKNOWN);
        assertEq(registry.pendingOwnerOf(UNKNOWN), address(0), "pending owner");
    }

    function _takeReverts(address caller, address pendingOwner) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotPendingOwner.selector, datasetId, caller, pendingOwner
            )
        );
        vm.prank(caller);
        registry.takeOwnership(datasetId);
    }
}
