// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ConsentState, Dataset, IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Test, deploy } from "../../support/Test.sol";

/// @notice A registry with one data set of `owner`'s, shared by two payees.
abstract contract DatasetRegistryTest is Test {
    bytes32 internal constant CONTENT = keccak256("ciphertext");
    bytes32 internal constant SALT = keccak256("salt");
    bytes32 internal constant UNKNOWN = keccak256("unknown");
    uint48 internal constant SIZE = 1000;

    address internal immutable owner = address(0x0123);
    address internal immutable stranger = address(0x57AA);
    IDatasetRegistry internal registry;
    bytes32 internal datasetId;

    function setUp() public virtual {
        registry = IDatasetRegistry(deploy("DatasetRegistry", ""));
        vm.prank(owner);
        datasetId = registry.register(CONTENT, SALT, SIZE, "ipfs://x", "{}", _payees(2));
    }

    /* ERRORS */

    function _expectUnknown() internal {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, UNKNOWN));
    }

    function _expectNotOwner(address caller, address actualOwner) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDatasetRegistry.DatasetRegistry_NotOwner.selector, datasetId, caller, actualOwner
            )
        );
        vm.prank(caller);
    }

    function _expectRetired() internal {
        vm.expectRevert(abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_Retired.selector, datasetId));
        vm.prank(owner);
    }

    function _expectOverflow() internal {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    /* STEPS AND CHECKS */

    /// @dev `count` payees that share 10,000 basis points; the first has what the division leaves.
    function _payees(uint256 count) internal pure returns (Payee[] memory payees) {
        payees = new Payee[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 share = 10_000 / count + (i == 0 ? 10_000 % count : 0);
            payees[i] = Payee(address(uint160(0xAA00 + i)), uint16(share)); // at most 10,000
        }
    }

    function _handOver(address from, address to) internal returns (uint32 newEpoch) {
        vm.prank(from);
        registry.offerOwnership(datasetId, to);
        vm.prank(to);
        newEpoch = registry.takeOwnership(datasetId);
    }

    /// @dev The first slot of the data set, where the epoch is: `_datasets` is the contract's first variable.
    function _headSlot() internal view returns (bytes32) {
        return keccak256(abi.encode(datasetId, uint256(0)));
    }

    function assertDataset(Dataset memory expected) internal view {
        assertEq(abi.encode(registry.dataset(datasetId)), abi.encode(expected), "data set");
    }

    function assertPayees(bytes32 id, Payee[] memory expected) internal view {
        assertEq(abi.encode(registry.payeesOf(id)), abi.encode(expected), "payees");
    }

    function assertConsent(uint256 nonce, ConsentState memory expected) internal view {
        assertEq(abi.encode(registry.consentOf(datasetId, nonce)), abi.encode(expected), "consent");
    }
}
