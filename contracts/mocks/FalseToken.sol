// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FalseToken
/// @notice An ERC-20 that answers false where others revert, as the first ones did; or says true and moves nothing; or fails
/// when it is asked for a balance. For tests only.
contract FalseToken is ERC20 {
    /// @notice It tells no balance.
    error FalseToken_NoBalance(address account);

    /// @notice Whether it answers true although nothing has moved.
    bool public pretends;
    /// @notice Whether it refuses to tell balances.
    bool public silent;

    constructor() ERC20("False Token", "FALSE") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Sets whether transfers that move nothing answer true.
    function setPretends(bool pretends_) external {
        pretends = pretends_;
    }

    /// @notice Sets whether balances are refused.
    function setSilent(bool silent_) external {
        silent = silent_;
    }

    /// @notice Moves `amount`, if the caller has it; else says so, or pretends.
    function transfer(address to, uint256 amount) public override returns (bool) {
        if (pretends || super.balanceOf(msg.sender) < amount) return pretends;
        return super.transfer(to, amount);
    }

    /// @notice Moves `amount`, if `from` has it and has allowed it; else says so, or pretends.
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        bool can = super.balanceOf(from) >= amount && allowance(from, msg.sender) >= amount;
        if (pretends || !can) return pretends;
        return super.transferFrom(from, to, amount);
    }

    /// @notice Units held, unless it is silent.
    function balanceOf(address account) public view override returns (uint256) {
        require(!silent, FalseToken_NoBalance(account));
        return super.balanceOf(account);
    }
}
