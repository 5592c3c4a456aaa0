// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AuthorityRole } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { Evidence } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @title IntelQuotes
/// @notice Base of the tests on a real quote, its leaf and Intel's Platform CA key, under collateral of the tests' own.
abstract contract IntelQuotes is TdxVerifierCase {
    /// @dev 2026-08-20 00:00:00 UTC.
    uint256 internal constant INTEL_NOW = 1_787_184_000;
    /// @dev Where the QE authentication data of every vector of version 4 end: 1,220 and their 32 bytes.
    uint256 internal constant QUOTE_END = 1_252;
    /// @dev 2025-11-06 07:37:34 and 2032-11-06 07:37:34 UTC.
    uint64 internal constant LEAF_FIRST = 1_762_414_654;
    uint64 internal constant LEAF_LAST = 1_983_339_454;
    /// @dev Of Intel's Platform CA.
    bytes32 internal constant CA_X = 0x35207feeddb595748ed82bb3a71c3be1e241ef61320c6816e6b5c2b71dad5532;
    bytes32 internal constant CA_Y = 0xeaea12a4eb3f948916429ea47ba6c3af82a15e4b19664e52657939a2d96633de;

    bytes internal leaf;

    function setUp() public virtual override {
        super.setUp();
        vm.warp(INTEL_NOW);
        inForce.validUntil = uint64(INTEL_NOW + 20 days);
        collateral.setInForce(inForce);
        issuer = collateral.addAuthority(P256Key(CA_X, CA_Y), AuthorityRole.PckPlatformCa);
        quote = slice(readVector("nearmpc.quote.bin"), 0, QUOTE_END);
        leaf = readVector("nearmpc.leaf.der");
    }

    function readVector(string memory name) internal view returns (bytes memory) {
        return vm.readFileBinary(string.concat("test/vectors/tdx/", name));
    }

    function intelEvidence(bytes memory leaf_) internal pure returns (Evidence memory evidence) {
        evidence.pckLeaf = leaf_;
        evidence.issuerKey = P256Key(CA_X, CA_Y);
    }

    /// @notice Asserts that `reason` is an error of this project, and not a panic, a string, or nothing.
    /// @param index What was being tried, for the reader of a failure.
    function assertTyped(bytes memory reason, uint256 index) internal pure {
        bytes4 selector = bytes4(reason);
        bool untyped = reason.length < 4 || selector == bytes4(0x4e487b71) || selector == bytes4(0x08c379a0);
        if (untyped) revert AssertionFailed("untyped error", bytes32(index), bytes32(selector));
    }

    function flip(bytes memory data, uint256 index) internal pure returns (bytes memory changed) {
        changed = bytes.concat(data);
        changed[index] ^= 0x01;
    }
}
