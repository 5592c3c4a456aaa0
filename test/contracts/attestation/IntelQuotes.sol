// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { Test } from "../../support/Test.sol";

/// @title IntelQuotes
/// @notice Base of the tests on real quotes: Intel's root and Platform CA, and a clock at which all vectors are valid.
abstract contract IntelQuotes is Test {
    /// @dev 2026-08-20 00:00:00 UTC.
    uint256 internal constant NOW = 1_787_184_000;
    bytes32 internal constant INTEL_X = 0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5;
    bytes32 internal constant INTEL_Y = 0x67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394;
    /// @dev Where the QE authentication data of every vector end: 1,220 and their 32 bytes.
    uint256 internal constant QUOTE_END = 1_252;

    TdxVerifier internal verifier;
    bytes internal issuer;

    function setUp() public virtual {
        vm.warp(NOW);
        verifier = new TdxVerifier(INTEL_X, INTEL_Y);
        issuer = read("platform_ca.der");
    }

    function read(string memory name) internal view returns (bytes memory) {
        return vm.readFileBinary(string.concat("test/vectors/tdx/", name));
    }

    /// @notice The quote of vector `name`, up to the end of its QE authentication data.
    function quoteOf(string memory name) internal view returns (bytes memory) {
        return slice(read(string.concat(name, ".quote.bin")), 0, QUOTE_END);
    }

    function leafOf(string memory name) internal view returns (bytes memory) {
        return read(string.concat(name, ".leaf.der"));
    }

    /// @notice Asserts that `reason` is an error of this project, and not a panic, a string, or nothing.
    /// @param index What was being tried, for the reader of a failure.
    function assertTyped(bytes memory reason, uint256 index) internal pure {
        bytes4 selector = bytes4(reason);
        bool untyped = reason.length < 4 || selector == bytes4(0x4e487b71) || selector == bytes4(0x08c379a0);
        if (untyped) revert AssertionFailed("untyped error", bytes32(index), bytes32(selector));
    }
}
