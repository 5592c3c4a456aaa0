// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RebasingToken
/// @notice A token whose balances grow and shrink by themselves: it keeps shares, and says what they are worth. For tests only.
contract RebasingToken {
    /// @notice More is moved than there is, or allowed.
    error RebasingToken_Insufficient(address account, uint256 shares, uint256 needed);

    /// @dev A share is worth as many units at first.
    uint256 private constant UNIT = 1e6;

    /// @notice What 1,000,000 shares are worth, in units.
    uint256 public worth = UNIT;
    mapping(address account => uint256) private _shares;
    /// @notice Units that the second account may take from the first.
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _shares[to] += _sharesFor(amount);
    }

    /// @notice Sets what 1,000,000 shares are worth from now on: all balances change.
    function rebase(uint256 newWorth) external {
        worth = newWorth;
    }

    /// @notice Lets `spender` take `amount` units from the caller.
    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    /// @notice Moves `amount` units from the caller to `to`.
    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    /// @notice Moves `amount` units from `from` to `to`, within the caller's allowance.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(amount <= allowed, RebasingToken_Insufficient(from, allowed, amount));
        allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    /// @notice Units held, rounded down.
    function balanceOf(address account) external view returns (uint256) {
        return _shares[account] * worth / UNIT;
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 shares = _sharesFor(amount);
        require(shares <= _shares[from], RebasingToken_Insufficient(from, _shares[from], shares));
        _shares[from] -= shares;
        _shares[to] += shares;
    }

    /// @dev Rounded down.
    function _sharesFor(uint256 amount) private view returns (uint256) {
        return amount * UNIT / worth;
    }
}
