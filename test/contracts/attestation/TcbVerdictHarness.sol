// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TcbVerdict } from "../../../contracts/attestation/TcbVerdict.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { ITcbVerdictHarness } from "./ITcbVerdictHarness.sol";

/// @title TcbVerdictHarness
/// @notice Lets tests call the rules from outside.
contract TcbVerdictHarness is ITcbVerdictHarness {
    function converge(TcbStatus platform, TcbStatus module_, TcbStatus qe) external pure returns (TcbStatus) {
        return TcbVerdict.converge(platform, module_, qe);
    }

    function relaunch(TcbStatus launch, TcbStatus current) external pure returns (TcbStatus) {
        return TcbVerdict.relaunch(launch, current);
    }
}
