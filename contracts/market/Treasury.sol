// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { ILedger } from "../interfaces/ILedger.sol";
import { IPermit2, IReceiveWithAuthorization } from "../interfaces/ITokenSignatures.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";

/// @title Treasury
/// @notice Part of JobMarket's extension: paying in and taking out. Calls tokens, Permit2, and receivers of native coin.
abstract contract Treasury is MarketBase, ILedger {
    /// @dev The same on all chains. Source: Uniswap's deployment addresses of Permit2.
    IPermit2 private constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    /* PAY IN */

    /// @inheritdoc ILedger
    function deposit(address token, address account, uint256 amount) external payable nonReentrant {
        require(amount != 0, Ledger_ZeroAmount());
        uint256 value = token == address(0) ? amount : 0;
        require(msg.value == value, Ledger_WrongValue(msg.value, value));
        if (token == address(0)) _addCredit(account, token, _receive(account));
        else _takeFrom(msg.sender, token, account, amount);
    }

    /// @inheritdoc ILedger
    function depositWithPermit(address token, uint256 amount, uint256 permitDeadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
    {
        require(amount != 0, Ledger_ZeroAmount());
        require(token.code.length != 0, IJobMarket.JobMarket_NotAContract(token));
        // Whether it fails does not matter: the transfer needs the allowance, whoever submitted the permit.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, permitDeadline, v, r, s) { } catch { }
        _takeFrom(msg.sender, token, msg.sender, amount);
    }

    /// @inheritdoc ILedger
    function depositWithPermit2(
        address token,
        address account,
        uint256 amount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant {
        require(amount != 0, Ledger_ZeroAmount());
        uint256 before = _heldBefore(token);
        require(address(PERMIT2).code.length != 0, IJobMarket.JobMarket_NotAContract(address(PERMIT2)));
        PERMIT2.permitTransferFrom(
            IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amount), nonce, deadline),
            IPermit2.SignatureTransferDetails(address(this), amount),
            account,
            signature
        );
        _addCredit(account, token, _recordIn(token, before, account, account, amount));
    }

    /// @inheritdoc ILedger
    function depositWithAuthorization(
        address token,
        address account,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external nonReentrant {
        require(amount != 0, Ledger_ZeroAmount());
        uint256 before = _heldBefore(token);
        (uint8 v, bytes32 r, bytes32 s) = _split(account, signature);
        IReceiveWithAuthorization(token).receiveWithAuthorization(
            account, address(this), amount, validAfter, validBefore, nonce, v, r, s
        );
        _addCredit(account, token, _recordIn(token, before, account, account, amount));
    }

    function _takeFrom(address from, address token, address account, uint256 amount) private {
        _addCredit(account, token, _takeIn(token, from, account, amount));
    }

    /// @dev 65 bytes r || s || v.
    function _split(address account, bytes calldata signature) private pure returns (uint8 v, bytes32 r, bytes32 s) {
        require(signature.length == 65, Ledger_BadSignature(account));
        return (uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64]));
    }

    /* TAKE OUT */

    /// @inheritdoc ILedger
    function withdraw(address token, address to, uint256 amount) external nonReentrant {
        _payOut(msg.sender, token, to, amount);
    }

    /// @inheritdoc ILedger
    function withdrawBySignature(
        address account,
        address token,
        address to,
        uint256 amount,
        uint256 nonce,
        uint64 deadline,
        bytes calldata signature
    ) external nonReentrant {
        require(block.timestamp <= deadline, Ledger_SignatureExpired(deadline, block.timestamp));
        bytes32 digest =
            _hashTypedDataV4(JobTypes.hashWithdrawal(account, token, to, amount, nonce, deadline));
        (bool signed,) = _isSignedBy(account, digest, signature);
        require(signed, Ledger_BadSignature(account));
        _useNonce(account, nonce);
        emit IJobMarket.NonceCancelled(account, nonce);
        _payOut(account, token, to, amount);
    }

    /* VIEWS */

    /// @inheritdoc ILedger
    function creditOf(address account, address token) external view returns (uint256) {
        return _creditsOf(account, token);
    }

    /// @inheritdoc ILedger
    function owedOf(address token) external view returns (uint256) {
        return _owedIn(token);
    }
}
