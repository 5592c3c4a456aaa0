// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import {
    DatasetUse,
    JobOrder,
    OrderGroup,
    OrderItem,
    Session,
    SessionState,
    SessionTerms
} from "../../../contracts/interfaces/MarketTypes.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { SessionsTest } from "./SessionsTest.sol";

contract SessionsOpenTest is SessionsTest {
    /* REFUSED */

    function _openReverts(bytes memory expected) private {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        bytes memory requesterSignature = _signature(REQUESTER_KEY, sessionId);
        bytes memory payerSignature = _signature(PAYER_KEY, sessionId);
        vm.expectRevert(expected);
        market.openSession(story.order, story.terms, URI, requesterSignature, payerSignature);
        assertState(sessionId, SessionState.None);
    }

    function _termsRevert(uint32 maxJobs, uint32 challengeSeconds) private {
        story.terms = SessionTerms(maxJobs, challengeSeconds, BOND);
        _openReverts(abi.encodeWithSelector(ISessions.Sessions_BadTerms.selector, maxJobs, challengeSeconds));
    }

    function test_RevertWhen_BadCountOfJobs() public {
        _termsRevert(0, CHALLENGE);
        _termsRevert(4097, CHALLENGE);
    }

    function test_RevertWhen_BadChallengeTime() public {
        _termsRevert(MAX_JOBS, 599);
        _termsRevert(MAX_JOBS, 2_592_001);
    }

    function test_WhenTermsAreAtTheirLimits() public {
        story.terms = SessionTerms(1, 600, 0);
        assertState(_open(), SessionState.Open);
        story.terms = SessionTerms(4096, 2_592_000, 0);
        story.order.nonce = 2;
        assertState(_open(), SessionState.Open);
    }

    function test_RevertWhen_BadTemplate() public {
        bytes memory expected = abi.encodeWithSelector(ISessions.Sessions_BadTemplate.selector);
        story.order.paramsHash = keccak256("{}");
        _openReverts(expected);
        _saveOrder(_template());
        story.order.offerHash = keccak256("offer");
        _openReverts(expected);
        _saveOrder(_template());
        story.order.bond = 1;
        _openReverts(expected);
        _saveOrder(_template());
        story.order.acceptBy = DEADLINE;
        _openReverts(expected);
        _saveOrder(_template());
        story.order.session = keccak256("session");
        _openReverts(expected);
        _saveOrder(_template());
        story.order.quorum = 0;
        _openReverts(expected);
        story.order.quorum = 2;
        _openReverts(expected);
    }

    function test_RevertWhen_BadOrder() public {
        _saveDatasets(new DatasetUse[](0));
        _openReverts(abi.encodeWithSelector(IJobMarket.JobMarket_BadDatasetCount.selector, 0, 16));
        _saveDatasets(new DatasetUse[](17));
        _openReverts(abi.encodeWithSelector(IJobMarket.JobMarket_BadDatasetCount.selector, 17, 16));
        _saveOrder(_template());
        story.order.failureFee = FEE + 1;
        _openReverts(abi.encodeWithSelector(IJobMarket.JobMarket_FailureFeeTooHigh.selector, FEE + 1, FEE));
    }

    function test_RevertWhen_BadDeadline() public {
        story.order.deadline = uint64(NOW - 1);
        _openReverts(abi.encodeWithSelector(IJobMarket.JobMarket_BadDeadline.selector, NOW - 1, NOW, 365 days));
        story.order.deadline = uint64(NOW + 365 days + 1);
        _openReverts(
            abi.encodeWithSelector(IJobMarket.JobMarket_BadDeadline.selector, NOW + 365 days + 1, NOW, 365 days)
        );
    }

    function test_RevertWhen_ProgramUriTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_ProgramUriTooLong.selector, 1025, 1024));
        market.openSession(story.order, story.terms, string(new bytes(1025)), "", "");
    }

    function _signaturesRevert(bytes memory ofRequester, bytes memory ofPayer, address missing) private {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, sessionId, missing));
        market.openSession(story.order, story.terms, URI, ofRequester, ofPayer);
    }

    function test_RevertWhen_NotSigned() public {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        _signaturesRevert("", _signature(PAYER_KEY, sessionId), requester);
        _signaturesRevert(_signature(REQUESTER_KEY, sessionId), "", payer);
        _signaturesRevert(_signature(PAYER_KEY, sessionId), _signature(REQUESTER_KEY, sessionId), requester);
    }

    function test_RevertWhen_OnlyTheTemplateIsSigned() public {
        bytes32 jobId = market.hashOrder(story.order);
        _signaturesRevert(_signature(REQUESTER_KEY, jobId), _signature(PAYER_KEY, jobId), requester);
    }

    function test_RevertWhen_OtherTermsAreSigned() public {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        story.terms.disputeBond = BOND + 1;
        _signaturesRevert(_signature(REQUESTER_KEY, sessionId), _signature(PAYER_KEY, sessionId), requester);
    }

    function test_RevertWhen_SignedForAnotherChain() public {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        vm.chainId(block.chainid + 1);
        _signaturesRevert(_signature(REQUESTER_KEY, sessionId), _signature(PAYER_KEY, sessionId), requester);
    }

    function test_RevertWhen_SignedForAnotherMarket() public {
        bytes32 sessionId = _newMarket().hashSession(story.order, story.terms);
        _signaturesRevert(_signature(REQUESTER_KEY, sessionId), _signature(PAYER_KEY, sessionId), requester);
    }

    function test_RevertGiven_NonceUsed() public {
        bytes32 sessionId = _open();
        bytes memory ofRequester = _signature(REQUESTER_KEY, sessionId);
        bytes memory ofPayer = _signature(PAYER_KEY, sessionId);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        market.openSession(story.order, story.terms, URI, ofRequester, ofPayer);
    }

    function test_RevertGiven_OpenedByTheRequesterBefore() public {
        story.order.payer = requester;
        token.mint(requester, FUNDS);
        vm.prank(requester);
        token.approve(address(market), FUNDS);
        vm.prank(requester);
        bytes32 sessionId = market.openSession(story.order, story.terms, URI, "", "");
        assertTrue(!market.isNonceUsed(requester, 1), "nonce");
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(ISessions.Sessions_WrongState.selector, sessionId, 1));
        market.openSession(story.order, story.terms, URI, "", "");
    }

    function test_RevertGiven_NonceCancelled() public {
        vm.prank(requester);
        market.cancelNonce(1);
        _openReverts(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
    }

    function test_RevertWhen_CostOverflows() public {
        story.order.operatorFee = type(uint256).max / MAX_JOBS;
        _openReverts(abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    function test_RevertGiven_TooLittleCreditAndAllowance() public {
        vm.prank(payer);
        market.withdraw(address(token), payer, FUNDS - 10);
        _openReverts(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, MAX_JOBS * COST - 10
            )
        );
    }

    function test_RevertWhen_TooLittleNativeCoin() public {
        story.order.token = address(0);
        uint256 cost = MAX_JOBS * COST;
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        bytes memory ofRequester = _signature(REQUESTER_KEY, sessionId);
        bytes memory ofPayer = _signature(PAYER_KEY, sessionId);
        vm.deal(address(this), cost);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.Ledger_InsufficientCredit.selector, payer, address(0), cost, cost - 1)
        );
        market.openSession{ value: cost - 1 }(story.order, story.terms, URI, ofRequester, ofPayer);
    }

    /* OPENED */

    function test_WhenAllIsWell() public {
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        bytes memory ofRequester = _signature(REQUESTER_KEY, sessionId);
        bytes memory ofPayer = _signature(PAYER_KEY, sessionId);
        vm.expectEmit(address(market));
        emit ISessions.SessionOpened(sessionId, requester, story.order, story.terms, URI);
        bytes32 opened = market.openSession(story.order, story.terms, URI, ofRequester, ofPayer);

        assertEq(opened, sessionId, "id");
        (Session memory stored, bytes32 root) = market.session(sessionId);
        assertEq(abi.encode(stored), abi.encode(Session(SessionState.Open, 0, 0, 0, false, address(0))), "session");
        assertEq(root, bytes32(0), "root");
        assertCredit(payer, FUNDS - MAX_JOBS * COST);
        assertEq(market.owedOf(address(token)), FUNDS, "owed");
        assertTrue(market.isNonceUsed(requester, 1), "nonce");
    }

    function test_WhenThePayerHasSomeCreditAndAllowsTheRest() public {
        vm.prank(payer);
        market.withdraw(address(token), payer, FUNDS - 10);
        vm.prank(payer);
        token.approve(address(market), MAX_JOBS * COST - 10);
        _open();
        assertCredit(payer, 0);
        assertEq(market.owedOf(address(token)), MAX_JOBS * COST, "owed");
        assertEq(token.balanceOf(address(market)), MAX_JOBS * COST, "held");
    }

    function test_WhenPaidInNativeCoin() public {
        story.order.token = address(0);
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        vm.deal(payer, 1 ether);
        vm.prank(payer);
        market.openSession{ value: MAX_JOBS * COST + 3 }(
            story.order, story.terms, URI, _signature(REQUESTER_KEY, sessionId), ""
        );
        assertEq(market.creditOf(payer, address(0)), 3, "change");
        assertEq(market.owedOf(address(0)), MAX_JOBS * COST + 3, "owed");
    }

    function test_WhenRequesterSendsIt() public {
        bytes memory ofPayer = _signature(PAYER_KEY, market.hashSession(story.order, story.terms));
        vm.prank(requester);
        bytes32 sessionId = market.openSession(story.order, story.terms, URI, "", ofPayer);
        assertState(sessionId, SessionState.Open);
    }

    /* A JOB IS NOT A SESSION, NOR THE OTHER WAY ROUND */

    function test_RevertWhen_TemplateOrJobIsOpenedAsJob() public {
        bytes32 sessionId = _open();
        JobOrder memory job = _jobOf(story.order, sessionId, story.items[0]);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_InSession.selector, sessionId));
        market.open(job, URI, "", "", "");

        // The template's own hash is of no parameters that can exist, and nobody has signed it.
        bytes32 paramsHash = keccak256("");
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.JobMarket_ParamsMismatch.selector, bytes32(0), paramsHash)
        );
        market.open(story.order, URI, "", _signature(REQUESTER_KEY, sessionId), _signature(PAYER_KEY, sessionId));
    }

    function test_RevertWhen_TemplateOrJobIsSettledAsSignedOrder() public {
        bytes32 sessionId = _open();
        OrderGroup[] memory groups = new OrderGroup[](1);
        groups[0].order = story.order;
        groups[0].order.deadline = 0;
        groups[0].order.nonce = 0;
        groups[0].items = new OrderItem[](1);
        groups[0].items[0] = story.items[0];
        groups[0].order.session = sessionId;
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_InSession.selector, sessionId));
        market.settleOrders(groups);

        // Without the session's id it is another order than was signed.
        groups[0].order.session = 0;
        bytes32 jobId = _jobId(groups[0].order, 0, story.items[0]);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, jobId, requester));
        market.settleOrders(groups);

        // Nor does the session's signature open the template.
        groups[0].items[0].paramsHash = 0;
        groups[0].items[0].nonce = story.order.nonce;
        groups[0].items[0].requesterSignature = _signature(REQUESTER_KEY, sessionId);
        jobId = market.hashOrder(story.order);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, jobId, requester));
        market.settleOrders(groups);
    }

    /* RE-ENTRY */

    function test_RevertWhen_TokenCallsBack() public {
        HookToken hook = new HookToken();
        hook.mint(payer, FUNDS);
        vm.prank(payer);
        hook.approve(address(market), FUNDS);
        Story memory other = story;
        bytes[6] memory calls = [
            abi.encodeCall(ISessions.openSession, (other.order, other.terms, URI, "", "")),
            abi.encodeCall(ISessions.claimSession, (other.order, other.terms, other.claim, "", other.grants)),
            abi.encodeCall(ISessions.disputeLeaf, (other.order, other.terms, 0)),
            abi.encodeCall(ISessions.settleLeaf, (other.order, other.terms, 0, other.items[0], new bytes32[](0))),
            abi.encodeCall(ISessions.closeSession, (other.order, other.terms)),
            abi.encodeCall(ISessions.expireSession, (other.order, other.terms))
        ];
        story.order.token = address(hook);
        for (uint256 i = 0; i < calls.length; ++i) {
            hook.setHook(address(market), calls[i]);
            _openReverts(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        }
        hook.setHook(address(0), "");
        assertState(_open(), SessionState.Open);
    }
}
