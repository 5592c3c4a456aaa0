// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket, JobOrder, JobState } from "../../../contracts/interfaces/IJobMarket.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.refund.tree.
contract JobMarketRefundTest is MarketTest {
    function _cancel(Settlement memory it) private {
        vm.prank(requester);
        market.cancel(it.index, it.order);
    }

    function _expire(Settlement memory it) private {
        vm.warp(DEADLINE + 1);
        vm.prank(stranger);
        market.expire(it.index, it.order);
    }

    function _notOpen(Settlement memory it, JobState state) private {
        bytes memory expected =
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, it.receipt.jobId, state);
        vm.expectRevert(expected);
        vm.prank(requester);
        market.cancel(it.index, it.order);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(expected);
        market.expire(it.index, it.order);
        assertState(it.index, it.receipt.jobId, state);
    }

    /* OUT OF STATE */

    function test_RevertGiven_UnknownJob() public {
        Settlement memory it = _openJob();
        it.order.nonce = 2;
        bytes memory expected = abi.encodeWithSelector(
            IJobMarket.JobMarket_UnknownJob.selector, it.index, market.hashOrder(it.order)
        );
        vm.expectRevert(expected);
        vm.prank(requester);
        market.cancel(it.index, it.order);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(expected);
        market.expire(it.index, it.order);
    }

    function test_RevertGiven_SettledOk() public {
        Settlement memory it = _openJob();
        _settle(it);
        _notOpen(it, JobState.SettledOk);
        assertCredit(requester, address(0), 0);
    }

    function test_RevertGiven_SettledFailed() public {
        Settlement memory it = _failedJob();
        _settle(it);
        _notOpen(it, JobState.SettledFailed);
        assertCredit(requester, address(0), COST - FAILURE_FEE);
    }

    function test_RevertGiven_Cancelled() public {
        Settlement memory it = _openJob();
        _cancel(it);
        _notOpen(it, JobState.Cancelled);
        assertCredit(requester, address(0), COST);
    }

    function test_RevertGiven_Expired() public {
        Settlement memory it = _openJob();
        _expire(it);
        _notOpen(it, JobState.Expired);
        assertCredit(requester, address(0), COST);
    }

    /* CANCEL */

    function test_RevertWhen_CancelledByAnother() public {
        Settlement memory it = _openJob();
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotRequester.selector, operator, requester));
        vm.prank(operator);
        market.cancel(it.index, it.order);
    }

    function testFuzz_Cancel_ShouldRefundTheWholeCost(uint128 price, uint128 fee, uint64 time, bool native) public {
        address payIn = native ? address(0) : address(token);
        JobOrder memory order = _order(payIn);
        order.datasets[0].price = price;
        order.operatorFee = fee;
        order.failureFee = fee;
        vm.deal(requester, type(uint256).max / 2);
        token.mint(requester, type(uint256).max / 2);
        uint256 index = _open(order);
        bytes32 jobId = market.hashOrder(order);
        vm.warp(bound(time, NOW, NOW + 700 days)); // also after the deadline
        vm.expectEmit(address(market));
        emit IJobMarket.JobCancelled(jobId, index);
        vm.expectEmit(address(market));
        emit IJobMarket.Credited(requester, payIn, jobId, _costOf(order));
        vm.prank(requester);
        market.cancel(index, order);
        assertCredit(requester, payIn, _costOf(order));
        assertState(index, jobId, JobState.Cancelled);
    }

    /* EXPIRE */

    function test_RevertGiven_DeadlineNotPassed() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE);
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlineNotPassed.selector, it.receipt.jobId, DEADLINE, DEADLINE
            )
        );
        vm.prank(requester);
        market.expire(it.index, it.order);
    }

    function test_Expire_ShouldRefundTheRequesterWhoeverCalls() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE + 1);
        vm.expectEmit(address(market));
        emit IJobMarket.JobExpired(it.receipt.jobId, it.index);
        vm.expectEmit(address(market));
        emit IJobMarket.Credited(requester, address(0), it.receipt.jobId, COST);
        vm.prank(stranger);
        market.expire(it.index, it.order);
        assertCredit(requester, address(0), COST);
        assertCredit(stranger, address(0), 0);
        assertState(it.index, it.receipt.jobId, JobState.Expired);
    }
}
