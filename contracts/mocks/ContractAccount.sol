// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title ContractAccount
/// @notice A wallet that is a contract: makes calls, approves hashes (ERC-1271), calls back when paid. For tests only.
contract ContractAccount is IERC1271 {
    address private _target;
    bytes private _data;
    bytes private _hookError;
    mapping(bytes32 hash => bytes signature) private _approved;

    /// @notice Runs the hook and keeps what it failed with.
    receive() external payable {
        if (_target == address(0)) return;
        (bool ok, bytes memory answer) = _target.call(_data);
        if (!ok) _hookError = answer;
    }

    /// @notice Calls `target` with `data`; fails as it fails.
    function execute(address target, uint256 value, bytes calldata data) external returns (bytes memory answer) {
        bool ok;
        (ok, answer) = target.call{ value: value }(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer)) // the error as it came
            }
        }
    }

    /// @notice Calls `target` with `data` whenever native coin arrives later; zero for no call.
    function setHook(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    /// @notice Takes `signature` as this account's signature of `hash` from now on.
    function approveHash(bytes32 hash, bytes calldata signature) external {
        _approved[hash] = signature;
    }

    /// @notice What the hook failed with the last time it failed.
    function hookError() external view returns (bytes memory) {
        return _hookError;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes memory approved = _approved[hash];
        bool valid = approved.length != 0 && keccak256(approved) == keccak256(signature);
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
