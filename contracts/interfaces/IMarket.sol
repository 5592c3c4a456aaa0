// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IJobEnds } from "./IJobEnds.sol";
import { IJobMarket } from "./IJobMarket.sol";
import { ILedger } from "./ILedger.sol";
import { IMarketViews } from "./IMarketViews.sol";
import { ISessions } from "./ISessions.sol";

/// @title IMarket
/// @notice All that JobMarket answers to, its extension's functions included.
interface IMarket is IJobMarket, IJobEnds, ILedger, ISessions, IMarketViews {
    /// @notice Calls several functions of the market for the caller in one transaction, all or nothing: batches of opening
    /// or settling, or a deposit by permit and what it pays for. Takes no native coin.
    function multicall(bytes[] calldata calls) external returns (bytes[] memory results);
}
