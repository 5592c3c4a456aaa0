// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LowerHex } from "../../../contracts/enclave/LowerHex.sol";
import { MrConfigId } from "../../../contracts/enclave/MrConfigId.sol";
import { IMrConfigIdHarness } from "./IMrConfigIdHarness.sol";

/// @title MrConfigIdHarness
/// @notice Lets tests call the libraries from outside, so that calldata and reverts are as in a contract.
contract MrConfigIdHarness is IMrConfigIdHarness {
    function composeHash(bytes calldata mrConfigId, bytes calldata appConfig) external pure returns (bytes32) {
        return MrConfigId.composeHash(mrConfigId, appConfig);
    }

    function decode(uint256 text) external pure returns (uint256 value, bool good) {
        return LowerHex.decode(text);
    }
}
