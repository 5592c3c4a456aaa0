// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import { LeafCounts, SessionState } from "../../../contracts/interfaces/MarketTypes.sol";
import { SessionsTest } from "./SessionsTest.sol";

contract SessionsEndTest is SessionsTest {
    uint256 private constant LEFT = FUNDS - MAX_JOBS * COST;

    bytes32 private _sessionId;

    function setUp() public override {
        super.setUp();
        _sessionId = _open();
    }

    function _closeReverts(bytes memory expected) private {
        vm.expectRevert(expected);
        market.closeSession(story.order, story.terms);
    }

    function _expireReverts(bytes memory expected) private {
        vm.expectRevert(expected);
        market.expireSession(story.order, story.terms);
    }

    function _wrongTime(uint256 timestamp, uint256 limit) private view returns (bytes memory) {
        return abi.encodeWithSelector(ISessions.Sessions_WrongTime.selector, _sessionId, timestamp, limit);
    }

    /* CLOSE */

    function test_Close_RevertWhen_AnotherSession() public {
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        story.terms.disputeBond = 0;
        _closeReverts(_wrongState(market.hashSession(story.order, story.terms), SessionState.None));
        story.terms.disputeBond = BOND;
        story.order.payer = stranger;
        _closeReverts(_wrongState(market.hashSession(story.order, story.terms), SessionState.None));
    }

    function test_Close_RevertGiven_OpenOrEnded() public {
        vm.warp(DEADLINE + 1);
        _closeReverts(_wrongState(_sessionId, SessionState.Open));
        market.expireSession(story.order, story.terms);
        _closeReverts(_wrongState(_sessionId, SessionState.Expired));
    }

    function test_Close_RevertGiven_Closed() public {
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        _closeReverts(_wrongState(_sessionId, SessionState.Closed));
    }

    function test_Close_RevertWhen_DisputesMayCome() public {
        _claim(story);
        vm.warp(NOW + CHALLENGE);
        _closeReverts(_wrongTime(NOW + CHALLENGE, NOW + CHALLENGE));
    }

    function test_Close_RevertWhen_LeavesMayBeShown() public {
        _claim(story);
        _dispute(story, 0);
        vm.warp(NOW + 2 * CHALLENGE);
        _closeReverts(_wrongTime(NOW + 2 * CHALLENGE, NOW + 2 * CHALLENGE));
    }

    function test_Close_WhenNothingWasDisputed() public {
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        vm.expectEmit(address(market));
        emit ISessions.SessionClosed(_sessionId);
        vm.expectEmit(address(market));
        emit ILedger.Credited(_owner(0), address(token), _sessionId, 300);
        _close(story);
        assertState(_sessionId, SessionState.Closed);
        assertPayees(300, 609);
        assertCredit(operator, 3 * FEE + 2 * FAILURE_FEE);
        assertCredit(payer, FUNDS - 3 * COST - 2 * FAILURE_FEE);
        assertEq(market.owedOf(address(token)), FUNDS, "owed");
    }

    function test_Close_GivenDisputedLeavesAreNotShown() public {
        _claim(story);
        _dispute(story, 0);
        _dispute(story, 1);
        _dispute(story, 4);
        _show(story, 1);
        vm.warp(NOW + 2 * CHALLENGE + 1);
        _close(story);
        assertCounts(_sessionId, LeafCounts(1, 0, 1, 1));
        // Leaves 1 and 2 of those that are Ok, 3 of those that failed; the bond of leaf 1.
        assertCredit(_owner(0), 200);
        assertCredit(operator, 2 * FEE + FAILURE_FEE + BOND);
        assertCredit(payer, FUNDS - 2 * COST - FAILURE_FEE - BOND);
    }

    function test_Close_GivenDisputedLeavesAreShown() public {
        _claim(story);
        _dispute(story, 0);
        _show(story, 0);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertCredit(_owner(0), 300);
        assertCredit(operator, 3 * FEE + 2 * FAILURE_FEE + BOND);
        assertCredit(payer, FUNDS - 3 * COST - 2 * FAILURE_FEE - BOND);
    }

    function test_Close_GivenAllIsShown() public {
        _claim(story);
        for (uint256 i = 0; i < 5; ++i) {
            _show(story, i);
        }
        assertCredit(payer, LEFT);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertCredit(_owner(0), 300);
        assertCredit(operator, 3 * FEE + 2 * FAILURE_FEE);
        assertCredit(payer, FUNDS - 3 * COST - 2 * FAILURE_FEE);
    }

    function test_Close_GivenDatasetHasAnotherOwner() public {
        _claim(story);
        _show(story, 0);
        vm.prank(_owner(0));
        datasets.offerOwnership(datasetIds[0], stranger);
        vm.prank(stranger);
        datasets.takeOwnership(datasetIds[0]);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertCredit(_owner(0), 100);
        assertCredit(stranger, 200);
    }

    function test_Close_GivenDatasetIsRetiredAndGrantRevoked() public {
        _claim(story);
        vm.prank(_owner(0));
        datasets.retire(datasetIds[0]);
        vm.prank(_owner(2));
        datasets.revokeAllOwnGrants();
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertPayees(300, 609);
    }

    function test_Close_GivenAllJobsFailed() public {
        _tell(MAX_JOBS, 0);
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertPaid(0, MAX_JOBS, 0, FUNDS - MAX_JOBS * FAILURE_FEE);
    }

    function test_Close_GivenTheSessionIsFull() public {
        _tell(MAX_JOBS, MAX_JOBS);
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        assertPaid(MAX_JOBS, 0, 0, FUNDS - MAX_JOBS * COST);
    }

    /* EXPIRE */

    function test_Expire_RevertWhen_AnotherSession() public {
        vm.warp(DEADLINE + 1);
        story.terms.maxJobs += 1;
        _expireReverts(_wrongState(market.hashSession(story.order, story.terms), SessionState.None));
    }

    function test_Expire_RevertGiven_Claimed() public {
        vm.warp(DEADLINE);
        _claim(story);
        vm.warp(DEADLINE + 365 days);
        _expireReverts(_wrongState(_sessionId, SessionState.Claimed));
        _close(story);
        _expireReverts(_wrongState(_sessionId, SessionState.Closed));
    }

    function test_Expire_RevertWhen_DeadlineNotPassed() public {
        vm.warp(DEADLINE);
        _expireReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlineNotPassed.selector, _sessionId, DEADLINE, DEADLINE
            )
        );
    }

    function test_Expire_WhenDeadlinePassed() public {
        vm.warp(DEADLINE + 1);
        vm.expectEmit(address(market));
        emit ISessions.SessionExpired(_sessionId);
        vm.expectEmit(address(market));
        emit ILedger.Credited(payer, address(token), _sessionId, MAX_JOBS * COST);
        market.expireSession(story.order, story.terms);
        assertState(_sessionId, SessionState.Expired);
        assertCredit(payer, FUNDS);
        _expireReverts(_wrongState(_sessionId, SessionState.Expired));
    }

    /* ANY COURSE */

    /// @dev Leaves are disputed and shown at random; what is paid is exact, and the market owes what it did.
    function testFuzz_PaysExactly(uint256 okCount, uint256 failedCount, uint256 disputed, uint256 shown, uint256 late)
        public
    {
        okCount = bound(okCount, 0, MAX_JOBS);
        failedCount = bound(failedCount, okCount == 0 ? 1 : 0, MAX_JOBS - okCount);
        _tell(okCount + failedCount, okCount);
        _claim(story);
        uint256[4] memory tally; // paid Ok, paid Failed, bonds to the operator, leaves that wait
        for (uint256 leaf = 0; leaf < okCount + failedCount; ++leaf) {
            bool doubted = (disputed >> leaf) & 1 != 0;
            bool proven = (shown >> leaf) & 1 != 0;
            if (doubted) _dispute(story, leaf);
            if (proven) _show(story, leaf);
            if (doubted && proven) ++tally[2];
            if (doubted && !proven) ++tally[3];
            else ++tally[leaf < okCount ? 0 : 1];
        }
        vm.warp(NOW + bound(late, tally[3] == 0 ? CHALLENGE + 1 : 2 * CHALLENGE + 1, 365 days));
        _close(story);

        // The shares of the third data set are rounded at each payment; together they are exact.
        assertCredit(_owner(0), tally[0] * 100);
        uint256 shares = market.creditOf(payeeA, address(token)) + market.creditOf(payeeB, address(token));
        assertEq(shares, tally[0] * 203, "shares");
        assertCredit(operator, tally[0] * FEE + tally[1] * FAILURE_FEE + tally[2] * BOND);
        assertCredit(payer, FUNDS - tally[0] * COST - tally[1] * FAILURE_FEE - tally[2] * BOND);
        assertEq(market.owedOf(address(token)), FUNDS, "owed");
    }
}
