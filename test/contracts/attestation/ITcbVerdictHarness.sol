// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";

/// @notice What TcbVerdictHarness answers.
interface ITcbVerdictHarness {
    function converge(TcbStatus platform, TcbStatus module_, TcbStatus qe) external pure returns (TcbStatus);

    function relaunch(TcbStatus launch, TcbStatus current) external pure returns (TcbStatus);
}
