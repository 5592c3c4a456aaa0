// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { ILedger } from "../interfaces/ILedger.sol";

/// @title Ledger
/// @notice Part of JobMarket: credits, and the only code that moves tokens.
/// @dev Credits are kept per account and token, so a token that lies can hurt nobody but those who deal in it.
/// Address zero stands for the native coin. Escrow is what is owed of a token and nobody's credit. Every change of a credit is
/// in one event: Deposited and Credited add; Debited, Withdrawn, JobOpened, SessionOpened and OrderGroupSettled subtract.
abstract contract Ledger is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    mapping(address account => mapping(address token => uint256 amount)) private _credits;
    /// @dev All credits and all escrow.
    mapping(address token => uint256 amount) private _owed;

    function _creditsOf(address account, address token) internal view returns (uint256) {
        return _credits[account][token];
    }

    function _owedIn(address token) internal view returns (uint256) {
        return _owed[token];
    }

    /// @dev Out of escrow: the caller knows that `source` holds as much.
    function _credit(address account, address token, bytes32 source, uint256 amount) internal {
        if (amount == 0) return;
        _credits[account][token] += amount;
        emit ILedger.Credited(account, token, source, amount);
    }

    /// @dev Into escrow, from credit alone. The caller emits the event.
    function _charge(address account, address token, uint256 amount) internal {
        if (amount == 0) return;
        uint256 credit = _credits[account][token];
        require(amount <= credit, ILedger.Ledger_InsufficientCredit(account, token, amount, credit));
        unchecked {
            _credits[account][token] = credit - amount; // amount <= credit
        }
    }

    /// @dev A bond, into escrow of `source`, from credit alone.
    function _stake(address account, address token, bytes32 source, uint256 amount) internal {
        if (amount == 0) return;
        _charge(account, token, amount);
        emit ILedger.Debited(account, token, source, amount);
    }

    /// @dev Into escrow, from what the caller sends, from credit, and where that is not enough from the account's allowance.
    /// The caller emits the event.
    function _escrow(address account, address token, uint256 amount) internal {
        uint256 credit = _credits[account][token];
        uint256 added = token == address(0) ? _receive(account) : _pull(token, account, amount, credit);
        uint256 total = credit + added;
        require(amount <= total, ILedger.Ledger_InsufficientCredit(account, token, amount, total));
        if (total - amount != credit) _credits[account][token] = total - amount;
    }

    /// @dev What the caller has sent, which the caller must credit to `account`.
    function _receive(address account) internal returns (uint256 amount) {
        amount = msg.value;
        if (amount == 0) return 0;
        _owed[address(0)] += amount;
        emit ILedger.Deposited(account, address(0), msg.sender, amount);
    }

    /// @dev What is lacking of `amount`, by allowance; the caller must credit it to `account`.
    function _pull(address token, address account, uint256 amount, uint256 credit) private returns (uint256) {
        require(msg.value == 0, ILedger.Ledger_WrongValue(msg.value, 0));
        return credit < amount ? _takeIn(token, account, account, amount - credit) : 0;
    }

    /// @dev By allowance of `from`; the caller must credit it to `account`.
    function _takeIn(address token, address from, address account, uint256 amount) internal returns (uint256) {
        uint256 before = _heldBefore(token);
        IERC20(token).safeTransferFrom(from, address(this), amount);
        return _recordIn(token, before, from, account, amount);
    }

    /// @dev What the market holds before it takes more in.
    function _heldBefore(address token) internal view returns (uint256 held) {
        require(token.code.length != 0, IJobMarket.JobMarket_NotAContract(token));
        held = IERC20(token).balanceOf(address(this));
        uint256 owed = _owed[token];
        require(held >= owed, ILedger.Ledger_TokenShort(token, held, owed));
    }

    /// @dev `amount` if that is just what has come in since `_heldBefore`; the caller must credit it to `account`. Nothing
    /// re-enters in between.
    function _recordIn(address token, uint256 before, address from, address account, uint256 amount)
        internal
        returns (uint256)
    {
        _requireMoved(token, before, IERC20(token).balanceOf(address(this)), amount);
        _owed[token] += amount;
        emit ILedger.Deposited(account, token, from, amount);
        return amount;
    }

    /// @dev What `_receive` or `_recordIn` has just taken in for `account`.
    function _addCredit(address account, address token, uint256 amount) internal {
        _credits[account][token] += amount;
    }

    function _payOut(address account, address token, address to, uint256 amount) internal {
        uint256 credit = _credits[account][token];
        require(to != address(0) && to != address(this), ILedger.Ledger_BadReceiver(to));
        require(amount != 0, ILedger.Ledger_ZeroAmount());
        require(amount <= credit, ILedger.Ledger_InsufficientCredit(account, token, amount, credit));

        uint256 owed = _owed[token];
        unchecked {
            _credits[account][token] = credit - amount; // amount <= credit
            _owed[token] = owed - amount; // every credit is part of what is owed
        }
        if (token == address(0)) {
            emit ILedger.Withdrawn(account, token, to, amount, amount);
            (bool ok,) = to.call{ value: amount }("");
            require(ok, ILedger.Ledger_TransferFailed(to, amount));
        } else {
            _send(account, token, to, amount, owed);
        }
    }

    /// @dev Measured: a token that took more than it says would take it from the others who hold credit. Of a token that has
    /// shrunk everybody gets the same share; else those who come last would get nothing.
    function _send(address account, address token, address to, uint256 amount, uint256 owed) private {
        uint256 held = IERC20(token).balanceOf(address(this));
        uint256 sent = held < owed ? Math.mulDiv(amount, held, owed) : amount;
        emit ILedger.Withdrawn(account, token, to, amount, sent);
        if (sent == 0) return; // some tokens refuse to move nothing
        IERC20(token).safeTransfer(to, sent);
        _requireMoved(token, IERC20(token).balanceOf(address(this)), held, sent);
    }

    /// @dev A balance that went the wrong way counts as nothing moved.
    function _requireMoved(address token, uint256 low, uint256 high, uint256 amount) private pure {
        uint256 moved = high > low ? high - low : 0;
        require(moved == amount, ILedger.Ledger_WrongAmountReceived(token, moved, amount));
    }
}
