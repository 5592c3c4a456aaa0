// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import {
    FailureCode,
    JobOrder,
    LeafCounts,
    OrderItem,
    SessionState
} from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { SessionsTest } from "./SessionsTest.sol";

contract SessionsLeafTest is SessionsTest {
    uint256 private constant LEFT = FUNDS - MAX_JOBS * COST;

    bytes32 private _sessionId;

    function setUp() public override {
        super.setUp();
        _sessionId = _claimed();
    }

    /* DISPUTE */

    function _disputeReverts(address caller, uint256 leaf, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(caller);
        market.disputeLeaf(story.order, story.terms, leaf);
    }

    function test_Dispute_RevertGiven_NotClaimed() public {
        story.order.nonce = 2;
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        _disputeReverts(payer, 0, _wrongState(sessionId, SessionState.None));
        _open();
        _disputeReverts(payer, 0, _wrongState(sessionId, SessionState.Open));
        vm.warp(DEADLINE + 1);
        market.expireSession(story.order, story.terms);
        _disputeReverts(payer, 0, _wrongState(sessionId, SessionState.Expired));
    }

    function test_Dispute_RevertWhen_NotPayer() public {
        address[3] memory callers = [requester, operator, stranger];
        for (uint256 i = 0; i < callers.length; ++i) {
            _disputeReverts(
                callers[i], 0, abi.encodeWithSelector(ISessions.Sessions_NotPayer.selector, callers[i], payer)
            );
        }
    }

    function test_Dispute_RevertWhen_TimeIsOver() public {
        uint256 limit = NOW + CHALLENGE;
        vm.warp(limit + 1);
        _disputeReverts(
            payer,
            0,
            abi.encodeWithSelector(ISessions.Sessions_WrongTime.selector, _sessionId, limit + 1, limit)
        );
    }

    function test_Dispute_RevertWhen_NoSuchLeaf() public {
        _disputeReverts(payer, 5, abi.encodeWithSelector(ISessions.Sessions_NoSuchLeaf.selector, _sessionId, 5, 5));
        uint256 huge = type(uint256).max;
        _disputeReverts(
            payer, huge, abi.encodeWithSelector(ISessions.Sessions_NoSuchLeaf.selector, _sessionId, huge, 5)
        );
    }

    function test_Dispute_RevertGiven_Taken() public {
        _dispute(story, 0);
        _show(story, 1);
        _dispute(story, 4);
        _show(story, 4);
        uint256[3] memory taken = [uint256(0), 1, 4];
        for (uint256 i = 0; i < taken.length; ++i) {
            _disputeReverts(
                payer, taken[i], abi.encodeWithSelector(ISessions.Sessions_LeafTaken.selector, _sessionId, taken[i])
            );
        }
    }

    function test_Dispute_RevertGiven_NoCreditForTheBond() public {
        vm.prank(payer);
        market.withdraw(address(token), payer, LEFT - BOND + 1);
        _disputeReverts(
            payer,
            0,
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, payer, address(token), BOND, BOND - 1
            )
        );
    }

    function test_Dispute_WhenAllIsWell() public {
        vm.warp(NOW + CHALLENGE);
        vm.expectEmit(address(market));
        emit ISessions.LeafDisputed(_sessionId, 2, payer);
        vm.expectEmit(address(market));
        emit ILedger.Debited(payer, address(token), _sessionId, BOND);
        _dispute(story, 2);
        assertLeaf(_sessionId, 2, true, false);
        assertCounts(_sessionId, LeafCounts(0, 0, 1, 0));
        assertPaid(0, 0, 0, LEFT - BOND);

        _dispute(story, 3);
        assertLeaf(_sessionId, 3, true, false);
        assertLeaf(_sessionId, 4, false, false);
        assertCounts(_sessionId, LeafCounts(0, 0, 1, 1));
        assertPaid(0, 0, 0, LEFT - 2 * BOND);
    }

    /* SHOW */

    function _showReverts(uint256 leaf, OrderItem memory item, bytes32[] memory proof, bytes memory expected) private {
        LeafCounts memory before = market.leafCounts(_sessionId);
        vm.expectRevert(expected);
        market.settleLeaf(story.order, story.terms, leaf, item, proof);
        assertCounts(_sessionId, before);
    }

    function _showReverts(uint256 leaf, bytes memory expected) private {
        uint256 known = leaf < story.items.length ? leaf : 0;
        _showReverts(leaf, story.items[known], _proofOf(story.receiptHashes, known), expected);
    }

    function _notInClaim(uint256 leaf, OrderItem memory item) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            ISessions.Sessions_NotInClaim.selector, _sessionId, leaf, _receiptHash(story.order, _sessionId, item)
        );
    }

    function test_Show_RevertGiven_NotClaimed() public {
        story.order.nonce = 2;
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        _showReverts(0, _wrongState(sessionId, SessionState.None));
        _open();
        _showReverts(0, _wrongState(sessionId, SessionState.Open));
    }

    function test_Show_RevertGiven_Closed() public {
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        _showReverts(0, _wrongState(_sessionId, SessionState.Closed));
    }

    function test_Show_RevertWhen_TimeIsOver() public {
        uint256 limit = NOW + 2 * CHALLENGE;
        vm.warp(limit + 1);
        _showReverts(
            0, abi.encodeWithSelector(ISessions.Sessions_WrongTime.selector, _sessionId, limit + 1, limit)
        );
    }

    function test_Show_RevertWhen_NoSuchLeaf() public {
        _showReverts(5, abi.encodeWithSelector(ISessions.Sessions_NoSuchLeaf.selector, _sessionId, 5, 5));
    }

    function test_Show_RevertGiven_Shown() public {
        _show(story, 0);
        _dispute(story, 3);
        _show(story, 3);
        _showReverts(0, abi.encodeWithSelector(ISessions.Sessions_LeafTaken.selector, _sessionId, 0));
        _showReverts(3, abi.encodeWithSelector(ISessions.Sessions_LeafTaken.selector, _sessionId, 3));
    }

    function test_Show_RevertWhen_OutcomeIsOfTheOtherKind() public {
        bytes32 jobId = _jobId(story.order, _sessionId, story.items[0]);
        bytes memory bad = abi.encodeWithSelector(IJobMarket.JobMarket_BadOutcome.selector, jobId);
        _showReverts(3, story.items[0], _proofOf(story.receiptHashes, 0), bad);
        bytes32 failed = _jobId(story.order, _sessionId, story.items[4]);
        bad = abi.encodeWithSelector(IJobMarket.JobMarket_BadOutcome.selector, failed);
        _showReverts(0, story.items[4], _proofOf(story.receiptHashes, 4), bad);
    }

    function test_Show_RevertWhen_OutcomeContradictsItself() public {
        story.items[0].outcome.resultHash = 0;
        _showReverts(
            0,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_BadOutcome.selector, _jobId(story.order, _sessionId, story.items[0])
            )
        );
        story.items[3].outcome.countedGrants = 1;
        _showReverts(
            3,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_BadOutcome.selector, _jobId(story.order, _sessionId, story.items[3])
            )
        );
    }

    function test_Show_RevertWhen_JobWasOverBeforeTheClaim() public {
        story.order.nonce = 2;
        _sessionId = _open();
        _tell(5, 3);
        story.items[0].deadline = uint64(NOW);
        story.receiptHashes[0] = _receiptHash(story.order, _sessionId, story.items[0]);
        story.claim.root = _rootOf(story.receiptHashes);
        story.signature = _signClaim(story.claim);
        vm.warp(NOW + 1);
        _claim(story);
        _showReverts(
            0,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlinePassed.selector,
                _jobId(story.order, _sessionId, story.items[0]),
                NOW,
                NOW + 1
            )
        );
    }

    function test_Show_RevertWhen_AtAnotherIndex() public {
        _showReverts(1, story.items[0], _proofOf(story.receiptHashes, 0), _notInClaim(1, story.items[0]));
        _showReverts(1, story.items[0], _proofOf(story.receiptHashes, 1), _notInClaim(1, story.items[0]));
    }

    function test_Show_RevertWhen_AnythingIsAnother() public {
        bytes32[] memory proof = _proofOf(story.receiptHashes, 0);
        for (uint256 i = 0; i < 6; ++i) {
            OrderItem memory item = story.items[0];
            if (i == 0) item.paramsHash = keccak256("other");
            if (i == 1) item.deadline += 1;
            if (i == 2) item.nonce += 1;
            if (i == 3) item.outcome.resultHash = keccak256("other");
            if (i == 4) item.outcome.logSize += 1;
            if (i == 5) item.outcome.runSeconds += 1;
            _signItem(story.order, _sessionId, item);
            _showReverts(0, item, proof, _notInClaim(0, item));
        }
    }

    function test_Show_RevertWhen_ProofIsAnother() public {
        bytes32[] memory proof = _proofOf(story.receiptHashes, 0);
        for (uint256 i = 0; i < proof.length; ++i) {
            proof[i] ^= bytes32(uint256(1));
            _showReverts(0, story.items[0], proof, _notInClaim(0, story.items[0]));
            proof[i] ^= bytes32(uint256(1));
        }
        _showReverts(0, story.items[0], new bytes32[](0), _notInClaim(0, story.items[0]));
        bytes32[] memory longer = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            longer[i] = proof[i];
        }
        _showReverts(0, story.items[0], longer, _notInClaim(0, story.items[0]));
    }

    function test_Show_RevertWhen_OfAnotherSession() public {
        Story memory first = story;
        story.order.nonce = 2;
        bytes32 other = _open();
        _tell(5, 3);
        // Even a claim over the very leaves of the first session pays none of them: their jobs are not this session's.
        story.claim.root = first.claim.root;
        story.signature = _signClaim(story.claim);
        _claim(story);
        _sessionId = other;
        _showReverts(0, first.items[0], _proofOf(first.receiptHashes, 0), _notInClaim(0, first.items[0]));
    }

    function test_Show_RevertWhen_NotSigned() public {
        bytes32 jobId = _jobId(story.order, _sessionId, story.items[0]);
        bytes memory byRequester = abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, jobId, requester);
        bytes memory byPayer = abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, jobId, payer);
        story.items[0].requesterSignature = "";
        _showReverts(0, byRequester);
        story.items[0].requesterSignature = story.items[1].requesterSignature;
        _showReverts(0, byRequester);
        _signStory();
        story.items[0].payerSignature = story.items[0].requesterSignature;
        _showReverts(0, byPayer);
    }

    function _signStory() private {
        OrderItem memory item = story.items[0];
        _signItem(story.order, _sessionId, item);
        story.items[0] = item;
    }

    function test_Show_RevertWhen_SignedForAnotherMarket() public {
        JobOrder memory job = _jobOf(story.order, _sessionId, story.items[0]);
        story.items[0].requesterSignature = _signature(REQUESTER_KEY, _newMarket().hashOrder(job));
        _showReverts(
            0,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_NotSignedBy.selector, market.hashOrder(job), requester
            )
        );
    }

    /// @dev On a fork the very session has another id.
    function test_Show_RevertWhen_OnAnotherChain() public {
        vm.chainId(block.chainid + 1);
        _showReverts(0, _wrongState(market.hashSession(story.order, story.terms), SessionState.None));
    }

    function test_Show_RevertGiven_NonceUsedInTheSession() public {
        story.order.nonce = 2;
        _sessionId = _open();
        _tell(5, 3);
        // One job, and the enclave claims it as two.
        story.items[1] = story.items[0];
        story.receiptHashes[1] = story.receiptHashes[0];
        story.claim.root = _rootOf(story.receiptHashes);
        story.signature = _signClaim(story.claim);
        _claim(story);
        _show(story, 1);
        _showReverts(0, abi.encodeWithSelector(ISessions.Sessions_NonceUsed.selector, _sessionId, 1000));
    }

    /// @dev Else a requester could have its jobs run, and then take them back.
    function test_Show_GivenRequesterCancelledTheNonce() public {
        vm.prank(requester);
        market.cancelNonce(1000);
        _dispute(story, 0);
        _show(story, 0);
        assertPaid(1, 0, BOND, LEFT - BOND);
    }

    function test_Show_WhenItIsOkAndNotDisputed() public {
        OrderItem memory item = story.items[1];
        bytes32 jobId = _jobId(story.order, _sessionId, item);
        vm.expectEmit(address(market));
        emit ISessions.LeafSettled(
            _sessionId, 1, jobId, 1001, story.receiptHashes[1], item.outcome.resultHash, FailureCode.None
        );
        _show(story, 1);
        assertLeaf(_sessionId, 1, false, true);
        assertCounts(_sessionId, LeafCounts(1, 0, 0, 0));
        assertPaid(1, 0, 0, LEFT);
        assertTrue(!market.isNonceUsed(requester, 1001), "the nonce outside");
    }

    function test_Show_WhenItFailedAndWasDisputed() public {
        _dispute(story, 4);
        vm.warp(NOW + 2 * CHALLENGE);
        vm.expectEmit(address(market));
        emit ISessions.LeafSettled(
            _sessionId,
            4,
            _jobId(story.order, _sessionId, story.items[4]),
            1004,
            story.receiptHashes[4],
            bytes32(0),
            FailureCode.ProgramTrapped
        );
        _show(story, 4);
        assertLeaf(_sessionId, 4, true, true);
        assertCounts(_sessionId, LeafCounts(0, 1, 0, 0));
        assertPaid(0, 1, BOND, LEFT - BOND);
    }

    /// @dev Whatever the size of the tree: odd nodes go up as they are.
    function test_Show_WhenTheTreeIsOfAnySize() public {
        for (uint256 count = 1; count <= MAX_JOBS; ++count) {
            _save(_newStory(5, 3));
            story.order.nonce = 100 + count;
            _open();
            _tell(count, count - 1);
            _claim(story);
            for (uint256 leaf = 0; leaf < count; ++leaf) {
                _show(story, leaf);
            }
            assertCounts(story.claim.sessionId, LeafCounts(uint32(count - 1), 1, 0, 0));
        }
    }

    /// @dev A wallet that is a contract takes back its word: see ISessions.
    function test_Show_WhenThePayerIsAContract() public {
        ContractAccount wallet = new ContractAccount();
        story.order.payer = address(wallet);
        story.order.nonce = 2;
        _fund(market, address(wallet));
        bytes32 sessionId = market.hashSession(story.order, story.terms);
        wallet.approveHash(sessionId, "yes");
        market.openSession(story.order, story.terms, URI, _signature(REQUESTER_KEY, sessionId), "yes");
        _tell(1, 1);
        _claim(story);
        _sessionId = sessionId;
        bytes32 jobId = _jobId(story.order, sessionId, story.items[0]);
        story.items[0].payerSignature = "yes";
        _showReverts(
            0, abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, jobId, address(wallet))
        );
        wallet.approveHash(jobId, "yes");
        _show(story, 0);
        assertLeaf(sessionId, 0, false, true);
    }
}
