// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { FailureCode, JobOrder, JobState, ShownGrant } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.settle.tree that concern jobs that several enclaves must agree on.
contract JobMarketQuorumTest is MarketTest {
    /// @dev Enclave i's; the first is the usual one.
    uint256[5] private _keys = [ENCLAVE_KEY, 0xE2, 0xE3, 0xE4, 0xE5];

    function setUp() public override {
        super.setUp();
        string[5] memory platforms = ["platform", "second", "third", "fourth", "fifth"];
        for (uint256 i = 1; i < 5; ++i) {
            _attest(_keys[i], _operator(i), platforms[i]);
        }
    }

    function _operator(uint256 i) private view returns (address) {
        return i == 0 ? operator : address(uint160(0x0900 + i));
    }

    /// @dev A job for any operator's enclaves.
    function _quorumJob(uint8 quorum) private returns (Settlement memory) {
        JobOrder memory order = _order(address(0));
        (order.quorum, order.operator) = (quorum, address(0));
        return _openJob(order);
    }

    /// @dev Enclave i says what `it` says.
    function _vote(Settlement memory it, uint256 i) private {
        _signBy(it, _keys[i]);
        _settle(it);
    }

    function _jobId(Settlement memory it) private view returns (bytes32) {
        return market.hashOrder(it.order);
    }

    function _expectRefunded(Settlement memory it) private view {
        assertCredit(requester, address(0), 300 + it.order.quorum * FEE);
        assertCredit(_owner(0), address(0), 0);
        for (uint256 i = 0; i < 5; ++i) {
            assertCredit(_operator(i), address(0), 0);
        }
    }

    /* AGREEMENT */

    function test_FirstReceipt_ShouldBeCountedAndPayNobody() public {
        Settlement memory it = _quorumJob(2);
        _signBy(it, _keys[1]);
        vm.expectEmit(address(market));
        emit IJobMarket.ReceiptCounted(
            _jobId(it),
            it.index,
            vm.addr(_keys[1]),
            bytes16(keccak256("second")),
            market.hashReceipt(_receiptOf(it.order, it.outcome)),
            it.outcome.outputCommitment
        );
        _settle(it);
        assertState(it.index, _jobId(it), JobState.Open);
        assertCredit(_owner(0), address(0), 0);
        assertCredit(_operator(1), address(0), 0);
        assertEq(uint256(market.grantUses(it.order.datasets[0].grantHash)), 0);
        (bytes32 commitment, bytes16[] memory platforms, address[] memory operators) = market.ballot(_jobId(it));
        assertEq(commitment, it.outcome.outputCommitment);
        assertEq(platforms.length, 1);
        assertEq(bytes32(platforms[0]), bytes32(bytes16(keccak256("second"))));
        assertEq(operators[0], _operator(1));
    }

    function testFuzz_LastReceipt_ShouldPayAllOperatorsAndTheDataOnce(uint8 quorum) public {
        quorum = uint8(bound(quorum, 1, 5));
        Settlement memory it = _quorumJob(quorum);
        for (uint256 i = quorum; i > 1; --i) {
            _vote(it, i - 1);
        }
        _sign(it);
        _settleEmits(it, stranger);
        assertState(it.index, _jobId(it), JobState.SettledOk);
        assertCredit(_owner(0), address(0), 100);
        assertCredit(_owner(1), address(0), 200);
        for (uint256 i = 0; i < 5; ++i) {
            assertCredit(_operator(i), address(0), i < quorum ? FEE : 0);
        }
        assertCredit(requester, address(0), 0);
        assertEq(uint256(market.grantUses(it.order.datasets[0].grantHash)), 1);
    }

    /// @dev Only the output must agree: logs, anchors and results, which are sealed at random, differ.
    function test_WhenOnlyTheOutputAgrees_ShouldSettle() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        it.outcome.resultHash = keccak256("sealed anew");
        it.outcome.logRoot = keccak256("another log");
        it.outcome.fuelUsed = 2048;
        _vote(it, 0);
        assertState(it.index, _jobId(it), JobState.SettledOk);
    }

    function test_GivenSameOperatorOnTwoPlatforms_ShouldPayItTwice() public {
        _attest(_keys[1], operator, "second");
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        _vote(it, 0);
        assertCredit(operator, address(0), 2 * FEE);
    }

    /// @dev What was said while the enclave was live stays said.
    function test_GivenVoterRetiredSince_ShouldSettle() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        Enclave memory retired = _enclave(operator, WORKLOAD);
        retired.state = EnclaveState.Retired;
        enclaves.set(vm.addr(_keys[1]), retired);
        _vote(it, 0);
        assertCredit(_operator(1), address(0), FEE);
    }

    function test_WhenAllFailed_ShouldPayTheFailureFees_WhateverTheReasons() public {
        Settlement memory it = _quorumJob(3);
        _setFailed(it);
        _vote(it, 2);
        it.outcome.failureCode = FailureCode.InputUnavailable;
        _vote(it, 1);
        _vote(it, 0);
        assertState(it.index, _jobId(it), JobState.SettledFailed);
        for (uint256 i = 0; i < 3; ++i) {
            assertCredit(_operator(i), address(0), FAILURE_FEE);
        }
        assertCredit(requester, address(0), 300 + 3 * FEE - 3 * FAILURE_FEE);
    }

    /* THE SAME PLATFORM */

    function _samePlatform(Settlement memory it, uint256 key, string memory platform) private {
        _signBy(it, key);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_SamePlatform.selector, _jobId(it), bytes16(keccak256(bytes(platform)))
            )
        );
    }

    function test_RevertWhen_SameReceiptAgain() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        _samePlatform(it, _keys[1], "second");
    }

    /// @dev Nor a second enclave there, for another operator; nor to disagree with itself.
    function test_RevertWhen_OtherEnclaveOnThePlatform() public {
        Settlement memory it = _quorumJob(3);
        _vote(it, 1);
        _vote(it, 2);
        _attest(_keys[3], _operator(3), "second");
        _samePlatform(it, _keys[3], "second");
        _setFailed(it);
        _samePlatform(it, _keys[2], "third");
    }

    /* DISAGREEMENT */

    function _disagrees(Settlement memory it) private {
        _sign(it);
        vm.expectEmit(address(market));
        emit IJobMarket.JobDisagreed(
            _jobId(it),
            it.index,
            enclaveSigner,
            market.hashReceipt(_receiptOf(it.order, it.outcome)),
            it.outcome.outputCommitment
        );
        _settle(it);
        assertState(it.index, _jobId(it), JobState.Disagreed);
        _expectRefunded(it);
        bytes memory ended =
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, _jobId(it), JobState.Disagreed);
        _signBy(it, _keys[4]);
        _settleReverts(it, ended);
        vm.expectRevert(ended);
        vm.prank(requester);
        market.cancel(it.index, it.order);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(ended);
        market.expire(it.index, it.order);
        _expectRefunded(it);
    }

    function test_WhenOutputsDiffer_ShouldRefundAllAndPayNobody() public {
        Settlement memory it = _quorumJob(3);
        _vote(it, 1);
        _vote(it, 2);
        it.outcome.outputCommitment = keccak256("another output");
        _disagrees(it);
    }

    function test_WhenOneFailedAndOneDidNot_ShouldRefundAll() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        _setFailed(it);
        _disagrees(it);
    }

    function test_WhenOneDidNotFail_ShouldRefundAll() public {
        Settlement memory it = _quorumJob(2);
        ShownGrant[] memory grants = it.grants;
        _setFailed(it);
        _vote(it, 1);
        (it.outcome, it.grants) = (_okOutcome(), grants);
        _disagrees(it);
    }

    /* BETWEEN THE RECEIPTS */

    function test_GivenCancelledInBetween_ShouldRefundAll() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        vm.prank(requester);
        market.cancel(it.index, it.order);
        _expectRefunded(it);
        _sign(it);
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, _jobId(it), JobState.Cancelled)
        );
    }

    function test_GivenDeadlinePassedInBetween_ShouldRefundAll() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        vm.warp(DEADLINE + 1);
        _sign(it);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlinePassed.selector, _jobId(it), DEADLINE, DEADLINE + 1
            )
        );
        market.expire(it.index, it.order);
        _expectRefunded(it);
    }

    /// @dev A last receipt that cannot be paid for is not counted: whoever relays it must show the grants.
    function test_GivenLastShownWithoutGrants_ShouldNotCountIt() public {
        Settlement memory it = _quorumJob(2);
        _vote(it, 1);
        ShownGrant[] memory grants = it.grants;
        it.grants = new ShownGrant[](0);
        _sign(it);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, 0, 3));
        it.grants = grants;
        _settle(it);
        assertState(it.index, _jobId(it), JobState.SettledOk);
    }
}
