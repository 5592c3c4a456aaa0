// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { JobEnds } from "./JobEnds.sol";
import { MarketBase } from "./MarketBase.sol";
import { MarketViews } from "./MarketViews.sol";
import { Sessions } from "./Sessions.sol";
import { Treasury } from "./Treasury.sol";

/// @title MarketExtension
/// @notice What does not fit into JobMarket's code. Runs in JobMarket's storage, by delegatecall; called at its own address it
/// is a market of nobody's, with storage of its own.
contract MarketExtension is JobEnds, Sessions, Treasury, MarketViews, Multicall {
    constructor(address enclaveRegistry, address datasetRegistry) MarketBase(enclaveRegistry, datasetRegistry) { }
}
