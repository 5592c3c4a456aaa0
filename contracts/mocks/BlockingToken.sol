// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title BlockingToken
/// @notice An ERC-20 that refuses accounts, as the dollar tokens of companies do, or everyone. For tests only.
contract BlockingToken is ERC20 {
    /// @notice The account may neither send nor receive.
    error BlockingToken_Blocked(address account);
    /// @notice Nothing moves.
    error BlockingToken_Stopped();

    /// @notice Whether the account may neither send nor receive.
    mapping(address account => bool) public isBlocked;
    /// @notice Whether nothing moves.
    bool public stopped;

    constructor() ERC20("Blocking Token", "BLOCK") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Refuses `account` from now on, or no longer.
    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    /// @notice Refuses everyone from now on, or no longer.
    function setStopped(bool stopped_) external {
        stopped = stopped_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!stopped, BlockingToken_Stopped());
        require(!isBlocked[from], BlockingToken_Blocked(from));
        require(!isBlocked[to], BlockingToken_Blocked(to));
        super._update(from, to, amount);
    }
}
