// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BareToken
/// @notice A token whose transfers answer nothing, as the oldest dollar token's do. For tests only.
contract BareToken {
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
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice Moves `amount` units from `from` to `to`, within the caller's allowance.
    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
