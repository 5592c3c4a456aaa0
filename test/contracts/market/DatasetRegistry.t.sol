// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Dataset, IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of DatasetRegistry.tree.
contract DatasetRegistryTest is MarketTest {
    bytes32 private constant CONTENT = keccak256("ciphertext");
    bytes32 private constant SALT = keccak256("salt");
    bytes32 private constant UNKNOWN = keccak256("unknown");

    function _register(string memory uri, string memory metadata) private returns (bytes32) {
        return datasets.register(CONTENT, SALT, 5, uri, metadata);
    }

    /* REGISTER */

    function test_RevertWhen_ContentHashZero() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ZeroContentHash.selector));
        datasets.register(0, SALT, 5, "u", "m");
    }

    function test_RevertWhen_SizeZero() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_ZeroSize.selector));
        datasets.register(CONTENT, SALT, 0, "u", "m");
    }

    function test_RevertWhen_UriEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadUriLength.selector, 0, 1024));
        _register("", "m");
    }

    function test_RevertWhen_UriTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadUriLength.selector, 1025, 1024));
        _register(string(new bytes(1025)), "m");
    }

    function test_RevertWhen_MetadataEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadMetadataLength.selector, 0, 8192));
        _register("u", "");
    }

    function test_RevertWhen_MetadataTooLong() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_BadMetadataLength.selector, 8193, 8192)
        );
        _register("u", string(new bytes(8193)));
    }

    function test_RevertGiven_AlreadyRegistered() public {
        bytes32 datasetId = _register("u", "m");
        vm.expectRevert(
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_AlreadyRegistered.selector, datasetId)
        );
        _register("other uri", "other metadata");
    }

    function test_WhenAtTheLimits_ShouldRegister() public {
        bytes32 datasetId = _register(string(new bytes(1024)), string(new bytes(8192)));
        assertEq(bytes(datasets.dataset(datasetId).uri).length, 1024);
    }

    function testFuzz_ShouldRecordEveryField(
        address owner,
        bytes32 contentHash,
        bytes32 salt,
        uint64 sizeBytes,
        string calldata metadata
    ) public {
        owner = owner == address(0) ? stranger : owner;
        contentHash = contentHash == 0 ? CONTENT : contentHash;
        sizeBytes = sizeBytes == 0 ? 1 : sizeBytes;
        string memory json = bytes(metadata).length == 0 ? "{}" : metadata;
        bytes32 expectedId = keccak256(abi.encode(owner, contentHash, salt));

        vm.expectEmit(address(datasets));
        emit IDatasetRegistry.DatasetRegistered(expectedId, owner, contentHash, salt, sizeBytes, "ipfs://x", json);
        vm.prank(owner);
        bytes32 datasetId = datasets.register(contentHash, salt, sizeBytes, "ipfs://x", json);

        Dataset memory stored = datasets.dataset(datasetId);
        Dataset memory expected = Dataset(owner, sizeBytes, 0, contentHash, keccak256(bytes(json)), salt, "ipfs://x");
        assertEq(datasetId, expectedId);
        assertEq(keccak256(abi.encode(stored)), keccak256(abi.encode(expected)));
    }

    function test_GivenOtherOwnerRegisteredTheSame_ShouldGiveAnotherId() public {
        bytes32 first = _register("u", "m");
        vm.prank(stranger);
        bytes32 second = _register("u", "m");
        assertTrue(first != second);
        assertEq(datasets.dataset(second).owner, stranger);
    }

    /* REVOKE */

    function test_RevertGiven_UnknownDataset() public {
        bytes memory unknown =
            abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, UNKNOWN);
        vm.expectRevert(unknown);
        datasets.revokeAllGrants(UNKNOWN);
        vm.expectRevert(unknown);
        datasets.dataset(UNKNOWN);
        vm.expectRevert(unknown);
        datasets.consentOf(UNKNOWN);
    }

    function test_RevertWhen_NotOwner() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotOwner.selector, datasetIds[0], stranger, _owner(0)
            )
        );
        vm.prank(stranger);
        datasets.revokeAllGrants(datasetIds[0]);
    }

    function test_RevokeAllGrants_ShouldRaiseTheEpoch() public {
        for (uint32 i = 1; i <= 3; ++i) {
            vm.expectEmit(address(datasets));
            emit IDatasetRegistry.GrantsRevoked(datasetIds[0], i);
            vm.prank(_owner(0));
            assertEq(uint256(datasets.revokeAllGrants(datasetIds[0])), i);
        }
        (address owner, uint32 epoch) = datasets.consentOf(datasetIds[0]);
        assertEq(owner, _owner(0));
        assertEq(uint256(epoch), 3);
        (, epoch) = datasets.consentOf(datasetIds[1]);
        assertEq(uint256(epoch), 0);
    }

    function test_RevertGiven_NonceRevoked() public {
        datasets.revokeGrantNonce(5);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NonceAlreadyRevoked.selector, address(this), uint256(5)
            )
        );
        datasets.revokeGrantNonce(5);
    }

    function testFuzz_RevokeGrantNonce_ShouldMarkThisOneOnly(uint256 nonce, uint256 other, address owner) public {
        vm.expectEmit(address(datasets));
        emit IDatasetRegistry.GrantNonceRevoked(owner, nonce);
        vm.prank(owner);
        datasets.revokeGrantNonce(nonce);
        assertTrue(datasets.isGrantNonceRevoked(owner, nonce));
        assertTrue(nonce == other || !datasets.isGrantNonceRevoked(owner, other));
        assertTrue(!datasets.isGrantNonceRevoked(address(uint160(owner) ^ 1), nonce));
    }
}
