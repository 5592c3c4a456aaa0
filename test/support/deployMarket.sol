// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IMarket } from "../../contracts/interfaces/IMarket.sol";
import { deploy } from "./Test.sol";

/// @notice Deploys a market, both its contracts, on these registries.
function deployMarket(address enclaves, address datasets) returns (IMarket) {
    bytes memory registries = abi.encode(enclaves, datasets);
    address extension = deploy("MarketExtension", registries);
    return IMarket(deploy("JobMarket", bytes.concat(registries, abi.encode(extension))));
}
