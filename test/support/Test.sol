// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice The cheat codes used by this project's tests; Hardhat's EVM answers them at a fixed address.
interface Vm {
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
    function getBlockNumber() external view returns (uint256);
    function getBlockTimestamp() external view returns (uint256);
    function deal(address account, uint256 amount) external;
    function prank(address sender) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function etch(address target, bytes calldata code) external;
    function mockCall(address target, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
    function record() external;
    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function expectRevert(bytes calldata data) external;
    function expectEmit(address emitter) external;
    function assume(bool condition) external pure;
    function addr(uint256 privateKey) external pure returns (address);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 privateKey, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function publicKeyP256(uint256 privateKey) external pure returns (uint256 x, uint256 y);
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function getCode(string calldata artifact) external view returns (bytes memory creationCode);
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @notice Deploys contract `name` of `name`.sol from its artifact, that is with the bytecode of production: whatever said
/// `new` would embed it as tests are compiled. What its constructor reverts with, this does.
/// @param arguments the constructor's, ABI-encoded.
function deploy(string memory name, bytes memory arguments) returns (address created) {
    bytes memory code = bytes.concat(VM.getCode(string.concat(name, ".sol:", name)), arguments);
    assembly ("memory-safe") {
        created := create(0, add(code, 0x20), mload(code))
        if iszero(created) {
            let free := mload(0x40)
            returndatacopy(free, 0, returndatasize())
            revert(free, returndatasize())
        }
    }
}

/// @title Test
/// @notice Base of the Solidity tests: the cheat codes and a few assertions that say what they saw.
abstract contract Test {
    error AssertionFailed(string what, bytes32 actual, bytes32 expected);
    error AssertionFailedBytes(string what, bytes actual, bytes expected);

    Vm internal constant vm = VM;

    function assertEq(bytes32 actual, bytes32 expected, string memory what) internal pure {
        if (actual != expected) revert AssertionFailed(what, actual, expected);
    }

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        assertEq(bytes32(actual), bytes32(expected), what);
    }

    function assertEq(address actual, address expected, string memory what) internal pure {
        assertEq(uint160(actual), uint160(expected), what);
    }

    function assertEq(bytes memory actual, bytes memory expected, string memory what) internal pure {
        if (keccak256(actual) != keccak256(expected)) revert AssertionFailedBytes(what, actual, expected);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert AssertionFailed(what, bytes32(0), bytes32(uint256(1)));
    }

    /// @notice A number from `low` to `high`, both included, from any fuzzed one.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    /// @notice A copy of `data` from `start` up to, not including, `end`.
    function slice(bytes memory data, uint256 start, uint256 end) internal pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i = start; i < end; i++) {
            part[i - start] = data[i];
        }
    }
}
