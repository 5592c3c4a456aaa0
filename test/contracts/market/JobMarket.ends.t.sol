// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.ends.tree: acceptance, and the ends of a job without a receipt.
contract JobMarketEndsTest is MarketTest {
    uint256 private constant OTHER_KEY = 0x07E4;

    function _cancel(Settlement memory it) private {
        vm.prank(requester);
        market.cancel(it.index, it.order);
    }

    function _expire(Settlement memory it) private {
        vm.warp(DEADLINE + 1);
        vm.prank(stranger);
        market.expire(it.index, it.order);
    }

    function _jobId(Settlement memory it) private view returns (bytes32) {
        return market.hashOrder(it.order);
    }

    /* OUT OF STATE */

    /// @dev Whatever would bind or end the job is refused with `expected`.
    function _closed(Settlement memory it, bytes memory expected) private {
        bytes memory signature = _acceptance(ENCLAVE_KEY, _jobId(it), operator);
        JobState state = market.jobState(it.index, _jobId(it));
        vm.warp(NOW);
        vm.expectRevert(expected);
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
        vm.expectRevert(expected);
        vm.prank(requester);
        market.cancel(it.index, it.order);
        _settleReverts(it, expected);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(expected);
        market.expire(it.index, it.order);
        assertState(it.index, _jobId(it), state);
    }

    function _notOpen(Settlement memory it, JobState state) private {
        _closed(it, abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, _jobId(it), state));
        assertState(it.index, _jobId(it), state);
    }

    function test_RevertGiven_UnknownJob() public {
        Settlement memory it = _openJob();
        it.order.nonce = 2;
        _closed(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, it.index, _jobId(it))
        );
    }

    function test_RevertGiven_NoJobAtTheIndex() public {
        Settlement memory it = _openJob();
        it.index = type(uint256).max;
        _closed(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, it.index, _jobId(it))
        );
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

    /// @dev Also what was accepted ends once: the bond comes back once.
    function test_RevertGiven_AcceptedAndEnded() public {
        Settlement memory it = _acceptedJob();
        _settle(it);
        _notOpen(it, JobState.SettledOk);
        assertCredit(operator, address(0), FEE + BOND);
        assertCredit(requester, address(0), 0);
    }

    /* ACCEPT */

    function _acceptReverts(Settlement memory it, bytes memory signature, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
        assertState(it.index, _jobId(it), JobState.Open);
    }

    function _bondedJob() private returns (Settlement memory it, bytes memory signature) {
        it = _openJob(_bonded(address(0)));
        _deposit(operator, BOND);
        signature = _acceptance(ENCLAVE_KEY, _jobId(it), operator);
    }

    function _wrongAcceptance(Settlement memory it, uint256 timestamp) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IJobMarket.JobMarket_WrongAcceptance.selector, _jobId(it), it.order.acceptBy, timestamp
        );
    }

    function test_Accept_RevertGiven_NothingToAccept() public {
        Settlement memory it = _openJob();
        _acceptReverts(it, _acceptance(ENCLAVE_KEY, _jobId(it), operator), _wrongAcceptance(it, NOW));
    }

    function test_Accept_RevertGiven_TooLate() public {
        (Settlement memory it, bytes memory signature) = _bondedJob();
        vm.warp(ACCEPT_BY + 1);
        _acceptReverts(it, signature, _wrongAcceptance(it, ACCEPT_BY + 1));
    }

    function test_Accept_RevertWhen_SignatureIsMalformed() public {
        (Settlement memory it,) = _bondedJob();
        _acceptReverts(
            it, "short", abi.encodeWithSelector(IJobMarket.JobMarket_BadSignature.selector, keccak256("short"))
        );
    }

    /// @dev The enclave names who stakes: nobody else may put itself in its place, to be paid back the bond.
    function test_Accept_RevertWhen_SentByAnotherThanTheBonder() public {
        (Settlement memory it, bytes memory signature) = _bondedJob();
        _deposit(stranger, BOND);
        bytes32 structHash = keccak256(
            abi.encode(keccak256("JobAcceptance(bytes32 jobId,address bonder)"), _jobId(it), stranger)
        );
        address signer = _recover(_typed(market, structHash), signature);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, signer));
        vm.prank(stranger);
        market.accept(it.index, it.order, signature);
    }

    function test_Accept_RevertWhen_SignerIsNoEnclave() public {
        (Settlement memory it,) = _bondedJob();
        _acceptReverts(
            it,
            _acceptance(OTHER_KEY, _jobId(it), operator),
            abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, vm.addr(OTHER_KEY))
        );
    }

    function test_Accept_RevertWhen_EnclaveOfOtherOperator() public {
        (Settlement memory it, bytes memory signature) = _bondedJob();
        _attest(ENCLAVE_KEY, stranger, "platform");
        _acceptReverts(
            it,
            signature,
            abi.encodeWithSelector(IJobMarket.JobMarket_WrongOperator.selector, enclaveSigner, stranger, operator)
        );
    }

    function test_Accept_RevertGiven_CreditBelowTheBond() public {
        (Settlement memory it, bytes memory signature) = _bondedJob();
        vm.prank(operator);
        market.withdraw(address(0), stranger, 1);
        _acceptReverts(
            it,
            signature,
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, operator, address(0), BOND, BOND - 1
            )
        );
    }

    function test_Accept_ShouldBindTheJobAndStakeTheBond() public {
        (Settlement memory it, bytes memory signature) = _bondedJob();
        vm.warp(ACCEPT_BY); // the last second
        vm.expectEmit(address(market));
        emit IJobMarket.JobAccepted(_jobId(it), it.index, enclaveSigner, operator);
        vm.expectEmit(address(market));
        emit ILedger.Debited(operator, address(0), _jobId(it), BOND);
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
        assertState(it.index, _jobId(it), JobState.Accepted);
        assertCredit(operator, address(0), 0);
        (address signer, address bonder) = market.acceptance(_jobId(it));
        assertEq(signer, enclaveSigner);
        assertEq(bonder, operator);
        assertEq(market.owedOf(address(0)), COST + BOND);
    }

    function test_Accept_WhenThereIsNoBond_ShouldNeedNoCredit() public {
        JobOrder memory order = _bonded(address(0));
        order.bond = 0;
        Settlement memory it = _openJob(order);
        _accept(it);
        _settle(it);
        assertCredit(operator, address(0), FEE);
    }

    function test_RevertGiven_AcceptedBefore() public {
        Settlement memory it = _acceptedJob();
        bytes memory expected =
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, _jobId(it), JobState.Accepted);
        bytes memory signature = _acceptance(ENCLAVE_KEY, _jobId(it), operator);
        vm.expectRevert(expected);
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
        vm.expectRevert(expected);
        vm.prank(requester);
        market.cancel(it.index, it.order);
    }

    function test_Settle_RevertGiven_NotAccepted() public {
        Settlement memory it = _openJob(_bonded(address(0)));
        _settleReverts(it, _wrongAcceptance(it, NOW));
    }

    /// @dev Also an enclave of the same operator.
    function test_Settle_RevertWhen_AcceptedByOther() public {
        Settlement memory it = _acceptedJob();
        _attest(OTHER_KEY, operator, "other");
        _signBy(it, OTHER_KEY);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_AcceptedByOther.selector, _jobId(it), vm.addr(OTHER_KEY), enclaveSigner
            )
        );
    }

    function test_Settle_ShouldGiveTheBondBack_AlsoWhenFailed() public {
        Settlement memory it = _acceptedJob();
        _setFailed(it);
        vm.warp(DEADLINE);
        _settle(it);
        assertCredit(operator, address(0), FAILURE_FEE + BOND);
        assertCredit(requester, address(0), COST - FAILURE_FEE);
        assertEq(market.owedOf(address(0)), COST + BOND);
    }

    /* CANCEL */

    function test_RevertWhen_CancelledByAnother() public {
        JobOrder memory order = _order(address(0));
        order.payer = sponsor;
        _deposit(sponsor, COST);
        bytes memory ofPayer = _signature(SPONSOR_KEY, market.hashOrder(order));
        vm.prank(requester);
        market.open(order, URI, PARAMS, "", ofPayer);
        address[2] memory callers = [operator, sponsor];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IJobMarket.JobMarket_NotRequester.selector, callers[i], requester)
            );
            vm.prank(callers[i]);
            market.cancel(0, order);
        }
        vm.prank(requester);
        market.cancel(0, order);
        assertCredit(sponsor, address(0), COST); // who paid, not who asked
        assertCredit(requester, address(0), 0);
    }

    function testFuzz_Cancel_ShouldRefundTheWholeCost(
        uint128 price,
        uint128 fee,
        uint64 time,
        uint8 quorum,
        bool native
    ) public {
        address payIn = native ? address(0) : address(token);
        JobOrder memory order = _order(payIn);
        order.datasets[0].maxPrice = price;
        (order.operatorFee, order.failureFee) = (fee, fee);
        order.quorum = uint8(bound(quorum, 1, 5));
        vm.deal(requester, type(uint256).max / 2);
        token.mint(requester, type(uint256).max / 2);
        uint256 index = _open(order);
        bytes32 jobId = market.hashOrder(order);
        vm.warp(bound(time, NOW, NOW + 700 days)); // also after the deadline
        vm.expectEmit(address(market));
        emit IJobMarket.JobCancelled(jobId, index);
        vm.expectEmit(address(market));
        emit ILedger.Credited(requester, payIn, jobId, _costOf(order));
        vm.prank(requester);
        market.cancel(index, order);
        assertCredit(requester, payIn, _costOf(order));
        assertState(index, jobId, JobState.Cancelled);
    }

    /* EXPIRE */

    function _notPassed(Settlement memory it, uint64 limit) private {
        vm.warp(limit);
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.JobMarket_DeadlineNotPassed.selector, _jobId(it), limit, limit)
        );
        vm.prank(requester);
        market.expire(it.index, it.order);
    }

    function test_RevertGiven_DeadlineNotPassed() public {
        _notPassed(_openJob(), DEADLINE);
    }

    function test_RevertGiven_TimeToAcceptNotPassed() public {
        _notPassed(_openJob(_bonded(address(0))), ACCEPT_BY);
    }

    function test_RevertGiven_AcceptedAndDeadlineNotPassed() public {
        _notPassed(_acceptedJob(), DEADLINE);
    }

    function test_Expire_ShouldRefundThePayerWhoeverCalls() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE + 1);
        vm.expectEmit(address(market));
        emit IJobMarket.JobExpired(_jobId(it), it.index);
        vm.expectEmit(address(market));
        emit ILedger.Credited(requester, address(0), _jobId(it), COST);
        vm.prank(stranger);
        market.expire(it.index, it.order);
        assertCredit(requester, address(0), COST);
        assertCredit(stranger, address(0), 0);
        assertState(it.index, _jobId(it), JobState.Expired);
    }

    function test_Expire_GivenNobodyAccepted_ShouldNotWaitForTheDeadline() public {
        Settlement memory it = _openJob(_bonded(address(0)));
        vm.warp(ACCEPT_BY + 1);
        market.expire(it.index, it.order);
        assertCredit(requester, address(0), COST);
        assertEq(market.owedOf(address(0)), COST);
    }

    /// @dev The cost to who paid it, the bond to who waited.
    function test_Expire_GivenAccepted_ShouldPayTheBondToTheRequester() public {
        JobOrder memory order = _bonded(address(0));
        order.payer = sponsor;
        _deposit(sponsor, COST);
        bytes memory ofPayer = _signature(SPONSOR_KEY, market.hashOrder(order));
        vm.prank(requester);
        market.open(order, URI, PARAMS, "", ofPayer);
        Settlement memory it;
        it.order = order;
        _deposit(operator, BOND);
        _accept(it);
        _expire(it);
        assertCredit(sponsor, address(0), COST);
        assertCredit(requester, address(0), BOND);
        assertCredit(operator, address(0), 0);
    }

    /* CANCEL NONCE */

    function testFuzz_CancelNonce_ShouldMakeTheOrderWorthless(uint256 nonce, uint256 other) public {
        vm.expectEmit(address(market));
        emit IJobMarket.NonceCancelled(requester, nonce);
        vm.prank(requester);
        market.cancelNonce(nonce);
        assertTrue(market.isNonceUsed(requester, nonce));
        assertTrue(nonce == other || !market.isNonceUsed(requester, other));
        assertTrue(!market.isNonceUsed(stranger, nonce));
        JobOrder memory order = _order(address(token));
        order.nonce = nonce;
        bytes memory expected =
            abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, nonce);
        vm.expectRevert(expected);
        vm.prank(requester);
        market.open(order, URI, PARAMS, "", "");
        vm.expectRevert(expected);
        vm.prank(requester);
        market.cancelNonce(nonce);
    }

    /// @dev Too late for a job that is open: that ends as any other.
    function test_CancelNonce_ShouldNotTouchAnOpenJob() public {
        Settlement memory it = _openJob();
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, it.order.nonce));
        vm.prank(requester);
        market.cancelNonce(it.order.nonce);
        _settle(it);
        assertState(it.index, _jobId(it), JobState.SettledOk);
    }
}
