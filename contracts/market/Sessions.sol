// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleProof } from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import { ConsentState, IDatasetRegistry } from "../interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { ISessions } from "../interfaces/ISessions.sol";
import {
    DatasetUse,
    JobOrder,
    LeafCounts,
    OrderItem,
    PriceUnit,
    Session,
    SessionClaim,
    SessionState,
    SessionTerms,
    ShownGrant
} from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";

/// @title Sessions
/// @notice Part of JobMarket's extension: many jobs on the same terms, paid by one claim. Calls the registries, and contracts
/// for their word (ERC-1271), as static calls; `openSession` calls the token.
/// @dev A session holds `maxJobs` times the cost of one job from `openSession` on. Each leaf is paid at most once: shown, or
/// by `closeSession` if it was neither shown nor disputed. The rest of the escrow is the payer's.
abstract contract Sessions is MarketBase, ISessions {
    uint256 private constant MAX_JOBS = 4096;
    /// @dev In seconds.
    uint256 private constant MIN_CHALLENGE = 10 minutes;
    /// @dev In seconds.
    uint256 private constant MAX_CHALLENGE = 30 days;

    /* OPEN */

    /// @inheritdoc ISessions
    function openSession(
        JobOrder calldata order,
        SessionTerms calldata terms,
        string calldata programUri,
        bytes calldata requesterSignature,
        bytes calldata payerSignature
    ) external payable nonReentrant returns (bytes32 sessionId) {
        _requireSessionTerms(order, terms);
        _requireTerms(order);
        _requireDeadline(order.deadline);
        _requireProgramUri(programUri);
        sessionId = _hashTypedDataV4(JobTypes.hash(order, terms));
        _requireParties(order, sessionId, requesterSignature, payerSignature);
        _spendSignature(order);
        uint256 cost = terms.maxJobs * _costOf(order);

        // An id is opened once: no session ever goes back to None.
        SessionState state = _sessions[sessionId].state;
        require(state == SessionState.None, Sessions_WrongState(sessionId, uint8(state)));
        _sessions[sessionId].state = SessionState.Open;
        _escrow(order.payer, order.token, cost); // the token's callbacks find every function closed
        emit SessionOpened(sessionId, order.requester, order, terms, programUri);
    }

    /// @dev A requester that sends for itself needs no nonce; one that has signed can take that back by it.
    function _spendSignature(JobOrder calldata order) private {
        if (msg.sender == order.requester) return;
        _useNonce(order.requester, order.nonce);
        emit IJobMarket.NonceCancelled(order.requester, order.nonce);
    }

    function _requireSessionTerms(JobOrder calldata order, SessionTerms calldata terms) private pure {
        require(
            terms.maxJobs != 0 && terms.maxJobs <= MAX_JOBS && terms.challengeSeconds >= MIN_CHALLENGE
                && terms.challengeSeconds <= MAX_CHALLENGE,
            Sessions_BadTerms(terms.maxJobs, terms.challengeSeconds)
        );
        require(
            order.paramsHash == 0 && order.offerHash == 0 && order.bond == 0 && order.acceptBy == 0
                && order.quorum == 1 && order.session == 0,
            Sessions_BadTemplate()
        );
    }

    /* CLAIM */

    /// @inheritdoc ISessions
    function claimSession(
        JobOrder calldata order,
        SessionTerms calldata terms,
        SessionClaim calldata claim,
        bytes calldata signature,
        ShownGrant[] calldata grants
    ) external nonReentrant {
        (bytes32 sessionId,) = _requireSession(order, terms, SessionState.Open);
        require(
            block.timestamp <= order.deadline,
            IJobMarket.JobMarket_DeadlinePassed(sessionId, order.deadline, block.timestamp)
        );
        _requireClaim(sessionId, terms, claim);
        _requireAnchored(claim.anchorBlock, claim.anchorHash);
        address signer = _signerOf(_hashTypedDataV4(JobTypes.hash(claim)), signature);
        address operator = _requireEnclave(signer, order);

        _sessions[sessionId] = Session({
            state: SessionState.Claimed,
            claimedAt: uint40(block.timestamp), // enough for 34,000 years
            okCount: uint16(claim.okCount), // at most MAX_JOBS, both
            failedCount: uint16(claim.failedCount),
            touched: false,
            operator: operator
        });
        _roots[sessionId] = claim.root;
        emit SessionClaimed(sessionId, signer, claim.root, claim.okCount, claim.failedCount, claim.countedGrants);
        _useGrants(order, operator, claim, grants);
    }

    function _requireClaim(bytes32 sessionId, SessionTerms calldata terms, SessionClaim calldata claim) private pure {
        require(claim.sessionId == sessionId, Sessions_ClaimForOtherSession(claim.sessionId, sessionId));
        uint256 count = uint256(claim.okCount) + claim.failedCount;
        require(
            count != 0 && count <= terms.maxJobs,
            Sessions_BadCount(claim.okCount, claim.failedCount, terms.maxJobs)
        );
    }

    /// @dev Checks the grants that are counted, one for each bit, and uses each as often as there are Ok jobs. After this, the
    /// template's ceilings are just what its data sets are paid.
    function _useGrants(
        JobOrder calldata order,
        address operator,
        SessionClaim calldata claim,
        ShownGrant[] calldata grants
    ) private {
        DatasetUse[] calldata uses = order.datasets;
        uint256 rest = claim.countedGrants;
        uint256 next = 0;
        for (uint256 i = 0; claim.okCount != 0 && i < uses.length; ++i) {
            uint256 price = 0;
            bool flat = true;
            if ((rest >> i) & 1 != 0) {
                rest ^= 1 << i;
                require(
                    next < grants.length,
                    IJobMarket.JobMarket_GrantCountMismatch(grants.length, claim.countedGrants)
                );
                ShownGrant calldata grant = grants[next++];
                _useGrant(i, order, uses[i], operator, grant, claim.okCount);
                (price, flat) = (grant.price, grant.priceUnit == PriceUnit.Use);
            }
            require(flat && price == uses[i].maxPrice, Sessions_PriceMismatch(i, price, uses[i].maxPrice));
        }
        require(
            next == grants.length && rest == 0,
            IJobMarket.JobMarket_GrantCountMismatch(grants.length, claim.countedGrants)
        );
    }

    /* LEAVES */

    /// @inheritdoc ISessions
    function disputeLeaf(JobOrder calldata order, SessionTerms calldata terms, uint256 leaf) external nonReentrant {
        (bytes32 sessionId, Session memory claimed) = _requireSession(order, terms, SessionState.Claimed);
        require(msg.sender == order.payer, Sessions_NotPayer(msg.sender, order.payer));
        _requireNotAfter(sessionId, uint256(claimed.claimedAt) + terms.challengeSeconds);
        bool ok = _requireLeaf(sessionId, claimed, leaf, DISPUTED | SETTLED);

        _touch(sessionId, claimed, leaf, DISPUTED);
        LeafCounts storage counts = _leafCounts[sessionId];
        if (ok) ++counts.disputedOk;
        else ++counts.disputedFailed;
        emit LeafDisputed(sessionId, leaf, msg.sender);
        _stake(order.payer, order.token, sessionId, terms.disputeBond);
    }

    /// @inheritdoc ISessions
    function settleLeaf(
        JobOrder calldata order,
        SessionTerms calldata terms,
        uint256 leaf,
        OrderItem calldata item,
        bytes32[] calldata proof
    ) external nonReentrant {
        (bytes32 sessionId, Session memory claimed) = _requireSession(order, terms, SessionState.Claimed);
        _requireNotAfter(sessionId, _endOfShowing(claimed, terms));
        bool ok = _requireLeaf(sessionId, claimed, leaf, SETTLED);
        (bytes32 jobId, bytes32 receiptHash) = _requireShown(order, sessionId, claimed, leaf, item, proof);
        _useSessionNonce(sessionId, item.nonce);

        bool disputed = _recordShown(sessionId, claimed, leaf, ok);
        emit LeafSettled(
            sessionId, leaf, jobId, item.nonce, receiptHash, item.outcome.resultHash, item.outcome.failureCode
        );
        if (ok) _payDatasets(order, sessionId, 1);
        uint256 fee = ok ? order.operatorFee : order.failureFee;
        _credit(claimed.operator, order.token, sessionId, disputed ? fee + terms.disputeBond : fee);
    }

    /// @dev The leaf is this job of the session, as its parties signed it, with this outcome.
    function _requireShown(
        JobOrder calldata order,
        bytes32 sessionId,
        Session memory claimed,
        uint256 leaf,
        OrderItem calldata item,
        bytes32[] calldata proof
    ) private view returns (bytes32 jobId, bytes32 receiptHash) {
        jobId = _hashTypedDataV4(
            JobTypes.hash(JobTypes.encode(order), item.paramsHash, item.deadline, sessionId, item.nonce)
        );
        require(
            _requireOutcome(jobId, item.outcome) == (leaf < claimed.okCount), IJobMarket.JobMarket_BadOutcome(jobId)
        );
        require(
            claimed.claimedAt <= item.deadline,
            IJobMarket.JobMarket_DeadlinePassed(jobId, item.deadline, claimed.claimedAt)
        );
        receiptHash = _hashTypedDataV4(JobTypes.hash(jobId, order, item.paramsHash, item.outcome));
        // Hashed twice: no node of the tree, 64 bytes, can pass for a leaf.
        bytes32 leafHash = keccak256(bytes.concat(keccak256(abi.encode(leaf, receiptHash))));
        require(
            MerkleProof.verifyCalldata(proof, _roots[sessionId], leafHash),
            Sessions_NotInClaim(sessionId, leaf, receiptHash)
        );
        _requireParties(order, jobId, item.requesterSignature, item.payerSignature);
    }

    /// @return disputed Whether it was disputed before.
    function _recordShown(bytes32 sessionId, Session memory claimed, uint256 leaf, bool ok)
        private
        returns (bool disputed)
    {
        disputed = _leafBits(sessionId, leaf) != 0;
        _touch(sessionId, claimed, leaf, SETTLED);
        LeafCounts storage counts = _leafCounts[sessionId];
        if (ok) ++counts.settledOk;
        else ++counts.settledFailed;
        if (!disputed) return false;
        if (ok) --counts.disputedOk;
        else --counts.disputedFailed;
    }

    function _touch(bytes32 sessionId, Session memory claimed, uint256 leaf, uint256 bits) private {
        if (!claimed.touched) _sessions[sessionId].touched = true;
        _markLeaf(sessionId, leaf, bits);
    }

    /* ENDS */

    /// @inheritdoc ISessions
    function closeSession(JobOrder calldata order, SessionTerms calldata terms) external nonReentrant {
        (bytes32 sessionId, Session memory claimed) = _requireSession(order, terms, SessionState.Claimed);
        LeafCounts memory counts;
        if (claimed.touched) counts = _leafCounts[sessionId];
        uint256 disputed = uint256(counts.disputedOk) + counts.disputedFailed;
        _requireAfter(
            sessionId,
            disputed == 0 ? uint256(claimed.claimedAt) + terms.challengeSeconds : _endOfShowing(claimed, terms)
        );

        _sessions[sessionId].state = SessionState.Closed;
        emit SessionClosed(sessionId);
        // Those to pay, with those that are paid already.
        uint256 okCount = claimed.okCount - counts.disputedOk;
        uint256 failedCount = claimed.failedCount - counts.disputedFailed;
        uint256 unpaidOk = okCount - counts.settledOk;
        _payDatasets(order, sessionId, unpaidOk);
        _credit(
            claimed.operator,
            order.token,
            sessionId,
            unpaidOk * order.operatorFee + (failedCount - counts.settledFailed) * order.failureFee
        );
        uint256 rest = (terms.maxJobs - okCount) * _costOf(order) - failedCount * order.failureFee;
        _credit(order.payer, order.token, sessionId, rest + disputed * terms.disputeBond);
    }

    /// @inheritdoc ISessions
    function expireSession(JobOrder calldata order, SessionTerms calldata terms) external nonReentrant {
        (bytes32 sessionId,) = _requireSession(order, terms, SessionState.Open);
        require(
            block.timestamp > order.deadline,
            IJobMarket.JobMarket_DeadlineNotPassed(sessionId, order.deadline, block.timestamp)
        );

        _sessions[sessionId].state = SessionState.Expired;
        emit SessionExpired(sessionId);
        _credit(order.payer, order.token, sessionId, terms.maxJobs * _costOf(order));
    }

    /* VIEWS */

    /// @inheritdoc ISessions
    function session(bytes32 sessionId) external view returns (Session memory, bytes32 root) {
        return (_sessions[sessionId], _roots[sessionId]);
    }

    /// @inheritdoc ISessions
    function leafCounts(bytes32 sessionId) external view returns (LeafCounts memory) {
        return _leafCounts[sessionId];
    }

    /// @inheritdoc ISessions
    function leafState(bytes32 sessionId, uint256 leaf) external view returns (bool disputed, bool settled) {
        uint256 bits = _leafBits(sessionId, leaf);
        return (bits & DISPUTED != 0, bits & SETTLED != 0);
    }

    /* INTERNALS */

    function _requireSession(JobOrder calldata order, SessionTerms calldata terms, SessionState state)
        private
        view
        returns (bytes32 sessionId, Session memory stored)
    {
        sessionId = _hashTypedDataV4(JobTypes.hash(order, terms));
        stored = _sessions[sessionId];
        require(stored.state == state, Sessions_WrongState(sessionId, uint8(stored.state)));
    }

    /// @dev A leaf of the claim of which nothing of `barred` is known.
    /// @return ok Whether it is that of an Ok job.
    function _requireLeaf(bytes32 sessionId, Session memory claimed, uint256 leaf, uint256 barred)
        private
        view
        returns (bool ok)
    {
        uint256 count = uint256(claimed.okCount) + claimed.failedCount;
        require(leaf < count, Sessions_NoSuchLeaf(sessionId, leaf, count));
        require(_leafBits(sessionId, leaf) & barred == 0, Sessions_LeafTaken(sessionId, leaf));
        return leaf < claimed.okCount;
    }

    function _requireNotAfter(bytes32 sessionId, uint256 limit) private view {
        require(block.timestamp <= limit, Sessions_WrongTime(sessionId, block.timestamp, limit));
    }

    function _requireAfter(bytes32 sessionId, uint256 limit) private view {
        require(block.timestamp > limit, Sessions_WrongTime(sessionId, block.timestamp, limit));
    }

    function _endOfShowing(Session memory claimed, SessionTerms calldata terms) private pure returns (uint256) {
        return uint256(claimed.claimedAt) + 2 * uint256(terms.challengeSeconds);
    }

    /// @dev Credits the data sets of `count` Ok jobs. A ceiling that is not zero is the price of a grant that was counted, so
    /// its data set is registered. Whom to pay hangs on no grant's nonce: any serves.
    function _payDatasets(JobOrder calldata order, bytes32 sessionId, uint256 count) private {
        if (count == 0) return;
        DatasetUse[] calldata uses = order.datasets;
        for (uint256 i = 0; i < uses.length; ++i) {
            DatasetUse calldata use = uses[i];
            if (use.maxPrice == 0) continue;
            ConsentState memory state = IDatasetRegistry(_datasets).consentOf(use.datasetId, 0);
            _payDataset(use.datasetId, state, order.token, sessionId, count * use.maxPrice);
        }
    }
}
