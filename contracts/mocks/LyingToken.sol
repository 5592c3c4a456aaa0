// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title LyingToken
/// @notice An ERC-20 that tells any balance its maker likes: one cannot know what it is worth. For tests only.
contract LyingToken is ERC20 {
    /// @notice Units that `account` is told to have besides what it has; below zero: not to have.
    mapping(address account => int256) public lies;

    constructor() ERC20("Lying Token", "LIE") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Tells `account` that it has `lie` units more than it has.
    function setLie(address account, int256 lie) external {
        lies[account] = lie;
    }

    /// @notice Moves `amount` if that is allowed; else nothing, and tells the receiver's balance as if it had.
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (allowance(from, msg.sender) != 0) return super.transferFrom(from, to, amount);
        lies[to] += int256(amount);
        return true;
    }

    /// @notice Units held, as told.
    function balanceOf(address account) public view override returns (uint256) {
        int256 told = int256(super.balanceOf(account)) + lies[account];
        return told < 0 ? 0 : uint256(told);
    }
}
