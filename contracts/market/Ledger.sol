// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";

/// @title Ledger
/// @notice Part of JobMarket: money in, credits, money out. The only part that moves tokens.
/// @dev Credits are kept per account and token, so a token that lies can hurt nobody but those who deal in it.
/// Address zero stands for the native coin.
abstract contract Ledger is IJobMarket, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    mapping(address account => mapping(address token => uint256 amount)) private _credits;

    /// @inheritdoc IJobMarket
    function withdraw(address token, address to, uint256 amount) external nonReentrant {
        uint256 credit = _credits[msg.sender][token];
        require(to != address(0), JobMarket_ZeroReceiver());
        require(
            amount != 0 && amount <= credit, JobMarket_InsufficientCredit(msg.sender, token, amount, credit)
        );

        unchecked {
            _credits[msg.sender][token] = credit - amount; // amount <= credit
        }
        emit Withdrawn(msg.sender, token, to, amount);

        if (token == address(0)) {
            (bool ok,) = to.call{ value: amount }("");
            require(ok, JobMarket_TransferFailed(to, amount));
        } else {
            _sendExactly(token, to, amount);
        }
    }

    /// @inheritdoc IJobMarket
    function creditOf(address account, address token) external view returns (uint256) {
        return _credits[account][token];
    }

    function _credit(address account, address token, bytes32 jobId, uint256 amount) internal {
        if (amount == 0) return;
        _credits[account][token] += amount;
        emit Credited(account, token, jobId, amount);
    }

    /// @dev `amount` is not zero: some tokens refuse to move nothing.
    function _takeExactly(address token, address from, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        _requireMoved(token, before, IERC20(token).balanceOf(address(this)), amount);
    }

    /// @dev Measured too: a token that took more than `amount` would take it from the others who hold credit.
    function _sendExactly(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        _requireMoved(token, IERC20(token).balanceOf(address(this)), before, amount);
    }

    /// @dev A balance that went the wrong way counts as nothing moved.
    function _requireMoved(address token, uint256 low, uint256 high, uint256 amount) private pure {
        uint256 moved = high > low ? high - low : 0;
        require(moved == amount, JobMarket_WrongAmountReceived(token, moved, amount));
    }
}
