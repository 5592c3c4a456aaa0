// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { Test, deploy } from "../../support/Test.sol";
import { ILibHarness } from "./ILibHarness.sol";

/// @notice Signatures with the chain's precompile, and on chains without it.
contract P256SignatureTest is Test {
    address private constant PRECOMPILE = address(0x100);
    bytes32 private constant DIGEST = keccak256("message");

    ILibHarness private lib;
    bytes32 private r;
    bytes32 private s;
    bytes32 private x;
    bytes32 private y;

    function setUp() public {
        lib = ILibHarness(deploy("LibHarness", ""));
        (r, s) = vm.signP256(0x77, DIGEST);
        (uint256 x_, uint256 y_) = vm.publicKeyP256(0x77);
        (x, y) = (bytes32(x_), bytes32(y_));
    }

    function testFuzz_WhenKeyAndMessageAreAny(uint256 key, bytes32 digest) public view {
        key = bound(key, 1, P256.N - 1);
        (bytes32 r_, bytes32 s_) = vm.signP256(key, digest);
        (uint256 x_, uint256 y_) = vm.publicKeyP256(key);
        assertTrue(lib.isValid(digest, r_, s_, bytes32(x_), bytes32(y_)), "valid");
        assertTrue(lib.isValid(digest, r_, _other(s_), bytes32(x_), bytes32(y_)), "valid with the other s");
        assertTrue(!lib.isValid(~digest, r_, s_, bytes32(x_), bytes32(y_)), "another digest");
    }

    function test_WithThePrecompile() public view {
        _assertJudgesRightly();
    }

    /// @dev A call to an address without code succeeds and returns nothing.
    function test_WithoutThePrecompile() public {
        _answer("");
        _assertJudgesRightly();
    }

    /// @dev Anything but 32 bytes of value 1 is not the precompile's yes, and whoever answers so is not asked again.
    function test_WhenThePrecompileIsSomethingElse() public {
        bytes[4] memory answers = [
            abi.encode(uint256(0)), abi.encode(uint256(2)), abi.encode(uint256(1), uint256(0)), abi.encodePacked(true)
        ];
        for (uint256 i = 0; i < answers.length; i++) {
            _answer(answers[i]);
            _assertJudgesRightly();
        }
    }

    /// @dev The precompile judges, then this contract's own code.
    function test_WhenValuesAreOutOfRange() public {
        _assertRangesAreKept();
        _answer("");
        _assertRangesAreKept();
    }

    function _assertRangesAreKept() private view {
        bytes32[4] memory bad = [bytes32(0), bytes32(P256.N), bytes32(P256.N + 1), bytes32(type(uint256).max)];
        for (uint256 i = 0; i < bad.length; i++) {
            assertTrue(!lib.isValid(DIGEST, bad[i], s, x, y), "r");
            assertTrue(!lib.isValid(DIGEST, r, bad[i], x, y), "s");
        }
        // s and s + N would be the same number modulo N.
        assertTrue(!lib.isValid(DIGEST, 0, 0, 0, 0), "all zero");
    }

    function test_WhenKeyIsOffTheCurve() public view {
        assertTrue(!lib.isValid(DIGEST, r, s, x, bytes32(uint256(y) ^ 1)), "off the curve");
        assertTrue(!lib.isValid(DIGEST, r, s, 0, 0), "infinity");
        // The same point modulo p.
        assertTrue(!lib.isValid(DIGEST, r, s, bytes32(P256.P), y), "not reduced");
    }

    function _assertJudgesRightly() private view {
        assertTrue(lib.isValid(DIGEST, r, s, x, y), "valid");
        assertTrue(lib.isValid(DIGEST, r, _other(s), x, y), "valid with the other s");
        assertTrue(!lib.isValid(~DIGEST, r, s, x, y), "another digest");
        assertTrue(!lib.isValid(DIGEST, s, r, x, y), "r and s swapped");
        assertTrue(!lib.isValid(DIGEST, r, bytes32(uint256(s) ^ 1), x, y), "another s");
    }

    function _answer(bytes memory answer) private {
        vm.clearMockedCalls();
        vm.mockCall(PRECOMPILE, "", answer);
        (, bytes memory got) = PRECOMPILE.staticcall("");
        assertEq(got, answer, "the precompile is replaced");
    }

    function _other(bytes32 s_) private pure returns (bytes32) {
        return bytes32(P256.N - uint256(s_));
    }
}
