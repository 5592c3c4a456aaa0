// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { TreasuryTest } from "./TreasuryTest.sol";

/// @notice An account that takes no native coin.
contract Refuser { }

contract TreasuryWithdrawTest is TreasuryTest {
    function setUp() public override {
        super.setUp();
        _depositAll();
    }

    function _withdrawReverts(address asset, address to, uint256 amount, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(account);
        market.withdraw(asset, to, amount);
        assertCredit(account, address(token), FUNDS);
        assertCredit(account, address(0), FUNDS);
    }

    function _insufficient(address who, address asset, uint256 amount, uint256 credit)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(ILedger.Ledger_InsufficientCredit.selector, who, asset, amount, credit);
    }

    /* FOR ONESELF */

    function test_Withdraw_RevertWhen_BadReceiver() public {
        address[2] memory receivers = [address(0), address(market)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory expected = abi.encodeWithSelector(ILedger.Ledger_BadReceiver.selector, receivers[i]);
            _withdrawReverts(address(token), receivers[i], 1, expected);
            _withdrawReverts(address(0), receivers[i], 1, expected);
        }
    }

    function test_Withdraw_RevertWhen_ZeroAmount() public {
        _withdrawReverts(address(token), nobody, 0, abi.encodeWithSelector(ILedger.Ledger_ZeroAmount.selector));
    }

    function test_Withdraw_RevertWhen_MoreThanTheCredit() public {
        _withdrawReverts(
            address(token), nobody, FUNDS + 1, _insufficient(account, address(token), FUNDS + 1, FUNDS)
        );
        vm.expectRevert(_insufficient(stranger, address(token), 1, 0));
        vm.prank(stranger);
        market.withdraw(address(token), stranger, 1);
        _withdrawReverts(nobody, nobody, 1, _insufficient(account, nobody, 1, 0));
    }

    function test_Withdraw_RevertWhen_ReceiverRefuses() public {
        address refuser = address(new Refuser());
        _withdrawReverts(
            address(0), refuser, 10, abi.encodeWithSelector(ILedger.Ledger_TransferFailed.selector, refuser, 10)
        );
    }

    function test_Withdraw_WhenReceiverCallsBack() public {
        ContractAccount wallet = new ContractAccount();
        bytes[3] memory calls = [
            abi.encodeCall(ILedger.deposit, (address(0), account, 1)),
            abi.encodeCall(ILedger.withdraw, (address(0), address(wallet), 1)),
            abi.encodeCall(ILedger.withdrawBySignature, (account, address(0), account, 1, 0, uint64(NOW), ""))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            wallet.setHook(address(market), calls[i]);
            vm.prank(account);
            market.withdraw(address(0), address(wallet), 10);
            assertEq(
                wallet.hookError(),
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "hook"
            );
        }
        assertEq(address(wallet).balance, 30, "received");
        assertCredit(account, address(0), FUNDS - 30);
    }

    function test_Withdraw_RevertWhen_TokenTakesMore() public {
        FeeToken fee = new FeeToken();
        fee.mint(address(this), FUNDS);
        fee.approve(address(market), FUNDS);
        market.deposit(address(fee), account, FUNDS);
        fee.setFees(0, 1);
        _withdrawReverts(
            address(fee),
            nobody,
            10,
            abi.encodeWithSelector(ILedger.Ledger_WrongAmountReceived.selector, address(fee), 11, 10)
        );
    }

    function test_Withdraw_GivenTokenHasTakenSomeAway() public {
        token.mint(address(this), FUNDS);
        token.approve(address(market), FUNDS);
        market.deposit(address(token), stranger, FUNDS);
        vm.prank(address(market));
        token.transfer(nobody, FUNDS); // half of all

        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(stranger, address(token), stranger, FUNDS, FUNDS / 2);
        vm.prank(stranger);
        market.withdraw(address(token), stranger, FUNDS);
        vm.prank(account);
        market.withdraw(address(token), account, FUNDS);
        assertEq(token.balanceOf(stranger), FUNDS / 2, "first");
        assertEq(token.balanceOf(account), FUNDS / 2, "last");
        assertEq(market.owedOf(address(token)), 0, "owed");
    }

    function test_Withdraw_WhenAllIsWell() public {
        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(account, address(token), nobody, 10, 10);
        vm.prank(account);
        market.withdraw(address(token), nobody, 10);
        assertEq(token.balanceOf(nobody), 10, "token");
        assertCredit(account, address(token), FUNDS - 10);
        assertEq(market.owedOf(address(token)), FUNDS - 10, "owed");

        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(account, address(0), nobody, FUNDS, FUNDS);
        vm.prank(account);
        market.withdraw(address(0), nobody, FUNDS);
        assertEq(nobody.balance, FUNDS, "native coin");
        assertCredit(account, address(0), 0);
    }

    function test_Withdraw_WhenTokenAnswersNothing() public {
        BareToken bare = new BareToken();
        bare.mint(address(this), 10);
        bare.approve(address(market), 10);
        market.deposit(address(bare), account, 10);
        vm.prank(account);
        market.withdraw(address(bare), nobody, 10);
        assertEq(bare.balanceOf(nobody), 10, "token");
    }

    /* BY SIGNATURE */

    /// @dev Made here, not by the market.
    function _withdrawal(address who, address to, uint256 amount, uint256 chainId, address verifier)
        private
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            "Withdrawal(address account,address token,address to,uint256 amount,uint256 nonce,uint64 deadline)"
        );
        return _digest(
            _domain("DataCollabMarket", "1", chainId, verifier),
            keccak256(abi.encode(typeHash, who, address(token), to, amount, 4, NOW))
        );
    }

    function _signed(uint256 key, address to, uint256 amount) private view returns (bytes memory) {
        return _sign(key, _withdrawal(account, to, amount, block.chainid, address(market)));
    }

    function _signedReverts(bytes memory signature, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(stranger);
        market.withdrawBySignature(account, address(token), nobody, 10, 4, uint64(NOW), signature);
        assertCredit(account, address(token), FUNDS);
    }

    function test_Signature_RevertWhen_TooLate() public {
        bytes memory signature = _signed(KEY, nobody, 10);
        vm.warp(NOW + 1);
        _signedReverts(
            signature, abi.encodeWithSelector(ILedger.Ledger_SignatureExpired.selector, NOW, NOW + 1)
        );
    }

    function test_Signature_RevertWhen_NotWhatWasSigned() public {
        bytes memory expected = abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, account);
        _signedReverts("", expected);
        _signedReverts(_signed(OTHER_KEY, nobody, 10), expected);
        _signedReverts(_signed(KEY, stranger, 10), expected);
        _signedReverts(_signed(KEY, nobody, 11), expected);
        _signedReverts(_sign(KEY, _withdrawal(account, nobody, 10, block.chainid + 1, address(market))), expected);
        _signedReverts(
            _sign(KEY, _withdrawal(account, nobody, 10, block.chainid, address(_newMarket()))), expected
        );
    }

    function test_Signature_RevertWhen_NonceOrDeadlineIsAnother() public {
        bytes memory signature = _signed(KEY, nobody, 10);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, account));
        market.withdrawBySignature(account, address(token), nobody, 10, 5, uint64(NOW), signature);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, account));
        market.withdrawBySignature(account, address(token), nobody, 10, 4, uint64(NOW + 1), signature);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, account));
        market.withdrawBySignature(account, address(0), nobody, 10, 4, uint64(NOW), signature);
    }

    function test_Signature_RevertGiven_NonceCancelled() public {
        vm.prank(account);
        market.cancelNonce(4);
        _signedReverts(
            _signed(KEY, nobody, 10), abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, account, 4)
        );
    }

    function test_Signature_WhenAllIsWell() public {
        bytes memory signature = _signed(KEY, nobody, 10);
        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(account, address(token), nobody, 10, 10);
        vm.prank(stranger);
        market.withdrawBySignature(account, address(token), nobody, 10, 4, uint64(NOW), signature);
        assertEq(token.balanceOf(nobody), 10, "token");
        assertCredit(account, address(token), FUNDS - 10);
        assertTrue(market.isNonceUsed(account, 4), "nonce");

        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, account, 4));
        market.withdrawBySignature(account, address(token), nobody, 10, 4, uint64(NOW), signature);
    }

    function test_Signature_WhenTheAccountIsAContract() public {
        ContractAccount wallet = new ContractAccount();
        token.mint(address(this), 10);
        token.approve(address(market), 10);
        market.deposit(address(token), address(wallet), 10);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, address(wallet)));
        market.withdrawBySignature(address(wallet), address(token), nobody, 10, 4, uint64(NOW), "yes");
        wallet.approveHash(_withdrawal(address(wallet), nobody, 10, block.chainid, address(market)), "yes");
        market.withdrawBySignature(address(wallet), address(token), nobody, 10, 4, uint64(NOW), "yes");
        assertEq(token.balanceOf(nobody), 10, "token");
    }
}
