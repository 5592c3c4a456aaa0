// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BareToken
/// @notice A token whose transfers answer nothing, as the oldest dollar token's do. For tests only.
contract BareToken {
    /// @notice More is moved than there is, or allowed.
    error BareToken_Insufficient(uint256 available, uint256 needed);

    /// @notice Units held.
    mapping(address account => uint256 amount) public balanceOf;
    /// @notice Units that the second account may take from the first.
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice Lets `spender` take `amount` units from the caller.
    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    /// @notice Moves `amount` units from the caller to `to`.
    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    /// @notice Moves `amount` units from `from` to `to`, within the caller's allowance.
    function transferFrom(address from, address to, uint256 amount) external {
        uint256 allowed = allowance[from][msg.sender];
        require(amount <= allowed, BareToken_Insufficient(allowed, amount));
        allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 held = balanceOf[from];
        require(amount <= held, BareToken_Insufficient(held, amount));
        balanceOf[from] = held - amount;
        balanceOf[to] += amount;
    }
}
