// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDatasetCouncil } from "../../../contracts/interfaces/IDatasetCouncil.sol";
import { IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Test, deploy } from "../../support/Test.sol";

/// @notice A council of five with threshold three, and what its members sign.
abstract contract DatasetCouncilTest is Test {
    uint256 internal constant NOW = 1_800_000_000;
    uint64 internal constant DEADLINE = uint64(NOW + 1 hours);
    uint256 internal constant MEMBERS = 5;
    uint8 internal constant THRESHOLD = 3;
    bytes32 internal constant HASH = keccak256("a grant's hash");
    /// @dev Order of the curve secp256k1. Source: SEC 2 v2, 2.4.1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    address internal immutable stranger = address(0x57AA);
    IDatasetRegistry internal registry;
    IDatasetCouncil internal council;
    /// @dev By ascending address.
    uint256[] internal keys;

    function setUp() public virtual {
        vm.warp(NOW);
        registry = IDatasetRegistry(deploy("DatasetRegistry", ""));
        for (uint256 key = 0xC0; key < 0xC0 + MEMBERS; ++key) {
            keys.push(key);
            for (uint256 i = keys.length - 1; i > 0 && vm.addr(keys[i]) < vm.addr(keys[i - 1]); --i) {
                (keys[i], keys[i - 1]) = (keys[i - 1], keys[i]);
            }
        }
        council = _found(_members(), THRESHOLD);
    }

    function _found(address[] memory members, uint8 threshold) internal returns (IDatasetCouncil) {
        return IDatasetCouncil(deploy("DatasetCouncil", abi.encode(registry, members, threshold)));
    }

    function _member(uint256 i) internal view returns (address) {
        return vm.addr(keys[i]);
    }

    function _members() internal view returns (address[] memory members) {
        members = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            members[i] = _member(i);
        }
    }

    /* SIGNATURES */

    function _ecdsa(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _entry(address member, bytes memory signature) internal pure returns (bytes memory) {
        return abi.encodePacked(member, uint16(signature.length), signature); // shorter than 65,536 bytes
    }

    /// @dev Member i's part.
    function _signed(uint256 i, bytes32 digest) internal view returns (bytes memory) {
        return _entry(_member(i), _ecdsa(keys[i], digest));
    }

    /// @dev The members whose bit is set in `who` have signed `digest`.
    function _signatures(uint256 who, bytes32 digest) internal view returns (bytes memory signatures) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if ((who >> i) & 1 != 0) signatures = bytes.concat(signatures, _signed(i, digest));
        }
    }

    /// @dev Members 0, 1 and 2 approve the call under the present nonce.
    function _approvedCall(address target, uint256 value, bytes memory data) internal view returns (bytes memory) {
        return _signatures(7, council.callHashOf(target, value, data, council.nonce(), DEADLINE));
    }

    function _execute(address target, uint256 value, bytes memory data) internal returns (bytes memory) {
        return council.execute(target, value, data, DEADLINE, _approvedCall(target, value, data));
    }

    /* ASSERTIONS */

    function assertValid(bytes32 hash, bytes memory signatures, bool expected) internal view {
        bytes4 answer = council.isValidSignature(hash, signatures);
        assertEq(bytes32(answer), bytes32(expected ? bytes4(0x1626ba7e) : bytes4(0xffffffff)), "ERC-1271 answer");
    }

    function _expectNotApproved(bytes32 callHash) internal {
        vm.expectRevert(abi.encodeWithSelector(IDatasetCouncil.DatasetCouncil_NotApproved.selector, callHash));
    }
}
