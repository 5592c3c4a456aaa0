// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What MrConfigIdHarness answers.
interface IMrConfigIdHarness {
    function composeHash(bytes calldata mrConfigId, bytes calldata appConfig) external pure returns (bytes32);

    function decode(uint256 text) external pure returns (uint256 value, bool good);
}
