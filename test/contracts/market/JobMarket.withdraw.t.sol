// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket, JobOrder } from "../../../contracts/interfaces/IJobMarket.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.withdraw.tree. The requester's credit is COST in native coin and in the token.
contract JobMarketWithdrawTest is MarketTest {
    function setUp() public override {
        super.setUp();
        _creditRequester(_order(address(0)));
        JobOrder memory order = _order(address(token));
        order.nonce = 2;
        _creditRequester(order);
    }

    /// @dev By opening a job and taking it back.
    function _creditRequester(JobOrder memory order) private {
        uint256 index = _open(order);
        vm.prank(order.requester);
        market.cancel(index, order);
    }

    function _creditIn(address payIn, uint256 nonce) private {
        JobOrder memory order = _order(payIn);
        order.nonce = nonce;
        _creditRequester(order);
    }

    function _withdrawReverts(address payIn, address to, uint256 amount, bytes memory expected) private {
        uint256 credit = market.creditOf(requester, payIn);
        vm.expectRevert(expected);
        vm.prank(requester);
        market.withdraw(payIn, to, amount);
        assertCredit(requester, payIn, credit);
    }

    function _reentrant() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }

    /* CHECKS */

    function test_RevertWhen_ReceiverIsZero() public {
        _withdrawReverts(
            address(0), address(0), 1, abi.encodeWithSelector(IJobMarket.JobMarket_ZeroReceiver.selector)
        );
    }

    function test_RevertWhen_AmountIsZero() public {
        _withdrawReverts(
            address(token),
            requester,
            0,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_InsufficientCredit.selector, requester, address(token), 0, COST
            )
        );
    }

    function testFuzz_RevertWhen_AmountAboveCredit(uint256 amount, bool native) public {
        amount = bound(amount, COST + 1, type(uint256).max);
        address payIn = native ? address(0) : address(token);
        _withdrawReverts(
            payIn,
            requester,
            amount,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_InsufficientCredit.selector, requester, payIn, amount, COST
            )
        );
    }

    function test_RevertWhen_CallerHasNoCredit() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_InsufficientCredit.selector, stranger, address(token), 1, 0
            )
        );
        vm.prank(stranger);
        market.withdraw(address(token), stranger, 1);
    }

    /* NATIVE COIN */

    function testFuzz_Native_ShouldSendTheAmount(uint256 amount) public {
        amount = bound(amount, 1, COST);
        vm.expectEmit(address(market));
        emit IJobMarket.Withdrawn(requester, address(0), stranger, amount);
        vm.prank(requester);
        market.withdraw(address(0), stranger, amount);
        assertEq(stranger.balance, amount);
        assertEq(address(market).balance, COST - amount);
        assertCredit(requester, address(0), COST - amount);
        assertCredit(requester, address(token), COST);
    }

    function test_RevertWhen_ReceiverRefuses() public {
        _withdrawReverts(
            address(0),
            address(token),
            COST,
            abi.encodeWithSelector(IJobMarket.JobMarket_TransferFailed.selector, address(token), COST)
        );
    }

    function test_RevertWhen_NativeToTheMarketItself() public {
        _withdrawReverts(
            address(0),
            address(market),
            COST,
            abi.encodeWithSelector(IJobMarket.JobMarket_TransferFailed.selector, address(market), COST)
        );
    }

    /// @dev A payee with credit of its own asks for it twice, from within the first payment.
    function test_WhenReceiverReenters_ShouldRefuseTheInnerCall() public {
        ContractAccount account = new ContractAccount();
        JobOrder memory order = _order(address(0));
        order.requester = address(account);
        vm.deal(address(account), COST);
        _creditRequester(order);
        _creditIn(address(0), 3); // money of others, there to be stolen

        account.setHook(address(market), abi.encodeCall(market.withdraw, (address(0), address(account), COST)));
        vm.prank(address(account));
        market.withdraw(address(0), address(account), COST);

        assertEq(keccak256(account.hookError()), keccak256(_reentrant()));
        assertEq(address(account).balance, COST);
        assertCredit(address(account), address(0), 0);
        assertEq(address(market).balance, 2 * COST);
    }

    /* ERC-20 */

    function testFuzz_Token_ShouldSendTheAmount(uint256 amount) public {
        amount = bound(amount, 1, COST);
        vm.expectEmit(address(market));
        emit IJobMarket.Withdrawn(requester, address(token), stranger, amount);
        vm.prank(requester);
        market.withdraw(address(token), stranger, amount);
        assertEq(token.balanceOf(stranger), amount);
        assertEq(token.balanceOf(address(market)), COST - amount);
        assertCredit(requester, address(token), COST - amount);
        assertCredit(requester, address(0), COST);
    }

    function test_RevertWhen_TokenToTheMarketItself() public {
        _withdrawReverts(
            address(token),
            address(market),
            COST,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongAmountReceived.selector, address(token), 0, COST
            )
        );
    }

    function test_RevertWhen_TokenTakesMoreThanTheAmount() public {
        FeeToken feeToken = new FeeToken();
        feeToken.mint(requester, 2 * COST);
        vm.prank(requester);
        feeToken.approve(address(market), 2 * COST);
        _creditIn(address(feeToken), 3);
        _creditIn(address(feeToken), 4);
        feeToken.setFees(0, 1); // from now on the sender pays one unit more
        _withdrawReverts(
            address(feeToken),
            requester,
            COST,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongAmountReceived.selector, address(feeToken), COST + 1, COST
            )
        );
    }

    function test_RevertWhen_TokenReenters() public {
        HookToken hookToken = new HookToken();
        hookToken.mint(requester, COST);
        vm.prank(requester);
        hookToken.approve(address(market), COST);
        _creditIn(address(hookToken), 3);
        hookToken.setHook(
            address(market), abi.encodeCall(market.withdraw, (address(hookToken), requester, COST))
        );
        _withdrawReverts(address(hookToken), requester, COST, _reentrant());
    }

    /* PLAIN TRANSFERS */

    /// @dev Native coin that no job accounts for is not taken in.
    function test_RevertWhen_NativeSentWithoutJob() public {
        vm.deal(stranger, 1);
        vm.prank(stranger);
        (bool ok,) = address(market).call{ value: 1 }("");
        assertTrue(!ok);
    }
}
