// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    JobOrder,
    OrderItem,
    PriceUnit,
    SessionClaim,
    SessionState,
    SessionTerms
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketModel } from "./MarketModel.sol";

/// @notice What ISessions promises, written as plainly as it can be; see MarketModel.
contract MarketSessionModel is MarketModel {
    struct Session {
        bytes32 sessionId;
        bytes order; // abi.encode(JobOrder)
        SessionTerms terms;
        SessionState state;
        uint256 claimedAt;
        uint256 okCount;
        uint256 failedCount;
        address operator;
        bytes32 root;
    }

    Session[] private _sessions;
    mapping(bytes32 sessionId => uint256) private _places; // from 1
    mapping(bytes32 sessionId => mapping(uint256 leaf => bool)) public isDisputed;
    mapping(bytes32 sessionId => mapping(uint256 leaf => bool)) public isShown;
    mapping(bytes32 sessionId => mapping(uint256 nonce => bool)) private _shownNonces;

    constructor(address market, bytes32 anchorHash) MarketModel(market, anchorHash) { }

    function openSession(
        address sender,
        uint256 value,
        JobOrder memory order,
        SessionTerms memory terms,
        address requesterSigner,
        address payerSigner
    ) external {
        require(terms.maxJobs != 0 && terms.maxJobs <= 4096);
        require(terms.challengeSeconds >= 600 && terms.challengeSeconds <= 30 days);
        require(order.paramsHash == 0 && order.offerHash == 0 && order.session == 0 && order.quorum == 1);
        require(order.bond == 0 && order.acceptBy == 0);
        _requireTerms(order);
        _requireDeadline(order.deadline);
        _requireParties(sender, order, requesterSigner, payerSigner);
        if (sender != order.requester) _useNonce(order.requester, order.nonce);
        require(_places[_views.hashSession(order, terms)] == 0);
        Session storage it = _sessions.push();
        it.sessionId = _views.hashSession(order, terms);
        (it.order, it.terms, it.state) = (abi.encode(order), terms, SessionState.Open);
        _places[it.sessionId] = _sessions.length;
        _escrow(sender, value, order, it.sessionId, terms.maxJobs * costOf(order));
    }

    function claimSession(
        address,
        JobOrder memory order,
        SessionTerms memory terms,
        SessionClaim memory claim,
        address signer,
        Given[] memory given
    ) external {
        Session storage it = _in(order, terms, SessionState.Open);
        require(block.timestamp <= order.deadline && claim.sessionId == it.sessionId);
        uint256 count = uint256(claim.okCount) + claim.failedCount;
        require(count != 0 && count <= terms.maxJobs);
        it.operator = _operatorOf(signer, order);
        (it.state, it.claimedAt, it.root) = (SessionState.Claimed, block.timestamp, claim.root);
        (it.okCount, it.failedCount) = (claim.okCount, claim.failedCount);

        uint256 next = 0;
        for (uint256 i = 0; i < 16; ++i) {
            bool counted = (claim.countedGrants >> i) & 1 != 0;
            if (!counted) {
                require(i >= order.datasets.length || claim.okCount == 0 || order.datasets[i].maxPrice == 0);
                continue;
            }
            Given memory shown = given[next++];
            require(claim.okCount != 0 && shown.grant.priceUnit == PriceUnit.Use);
            require(shown.grant.price == order.datasets[i].maxPrice);
            _useGrant(order, i, it.operator, shown, uint64(claim.okCount));
        }
        require(next == given.length);
    }

    function disputeLeaf(address sender, JobOrder memory order, SessionTerms memory terms, uint256 leaf) external {
        Session storage it = _in(order, terms, SessionState.Claimed);
        require(sender == order.payer && block.timestamp <= it.claimedAt + terms.challengeSeconds);
        require(leaf < it.okCount + it.failedCount && !isDisputed[it.sessionId][leaf] && !isShown[it.sessionId][leaf]);
        isDisputed[it.sessionId][leaf] = true;
        _lock(sender, order.token, it.sessionId, terms.disputeBond);
    }

    /// @param inClaim Whether this item is in the claim, at that leaf.
    function settleLeaf(
        address sender,
        JobOrder memory order,
        SessionTerms memory terms,
        uint256 leaf,
        OrderItem memory item,
        bool inClaim,
        address requesterSigner,
        address payerSigner
    ) external {
        Session storage it = _in(order, terms, SessionState.Claimed);
        require(block.timestamp <= it.claimedAt + 2 * uint256(terms.challengeSeconds));
        require(inClaim && leaf < it.okCount + it.failedCount && !isShown[it.sessionId][leaf]);
        bool ok = leaf < it.okCount;
        require(_requireOutcome(item.outcome) == ok && it.claimedAt <= item.deadline);
        _requireParties(sender, order, requesterSigner, payerSigner);
        require(!_shownNonces[it.sessionId][item.nonce]);
        _shownNonces[it.sessionId][item.nonce] = true;
        isShown[it.sessionId][leaf] = true;
        _payLeaf(it, order, ok);
        if (isDisputed[it.sessionId][leaf]) _release(it.operator, order.token, it.sessionId, terms.disputeBond);
    }

    /// @dev Leaf by leaf, as if each were shown.
    function closeSession(address, JobOrder memory order, SessionTerms memory terms) external {
        Session storage it = _in(order, terms, SessionState.Claimed);
        uint256 count = it.okCount + it.failedCount;
        uint256 time = terms.challengeSeconds;
        for (uint256 leaf = 0; leaf < count; ++leaf) {
            if (isDisputed[it.sessionId][leaf] && !isShown[it.sessionId][leaf]) time = 2 * uint256(terms.challengeSeconds);
        }
        require(block.timestamp > it.claimedAt + time);
        it.state = SessionState.Closed;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            // In one sum: shares are rounded once.
            uint256 amount = order.datasets[i].maxPrice * _unpaid(it, 0, it.okCount);
            if (amount != 0) _payDataset(order.datasets[i].datasetId, order.token, it.sessionId, amount);
        }
        uint256 fees = order.operatorFee * _unpaid(it, 0, it.okCount) + order.failureFee * _unpaid(it, it.okCount, count);
        _release(it.operator, order.token, it.sessionId, fees);
        _release(order.payer, order.token, it.sessionId, lockedOf[it.sessionId]); // whatever is left
    }

    function expireSession(address, JobOrder memory order, SessionTerms memory terms) external {
        Session storage it = _in(order, terms, SessionState.Open);
        require(block.timestamp > order.deadline);
        it.state = SessionState.Expired;
        _release(order.payer, order.token, it.sessionId, lockedOf[it.sessionId]);
    }

    /// @dev Of the leaves from `first` up to, not including, `end`: neither shown nor disputed.
    function _unpaid(Session storage it, uint256 first, uint256 end) private view returns (uint256 count) {
        for (uint256 leaf = first; leaf < end; ++leaf) {
            if (!isDisputed[it.sessionId][leaf] && !isShown[it.sessionId][leaf]) ++count;
        }
    }

    function _payLeaf(Session storage it, JobOrder memory order, bool ok) private {
        _release(it.operator, order.token, it.sessionId, ok ? order.operatorFee : order.failureFee);
        for (uint256 i = 0; ok && i < order.datasets.length; ++i) {
            uint256 price = order.datasets[i].maxPrice;
            if (price != 0) _payDataset(order.datasets[i].datasetId, order.token, it.sessionId, price);
        }
    }

    function _in(JobOrder memory order, SessionTerms memory terms, SessionState state)
        private
        view
        returns (Session storage it)
    {
        uint256 place = _places[_views.hashSession(order, terms)];
        require(place != 0);
        it = _sessions[place - 1];
        require(it.state == state);
    }

    function sessionCount() external view returns (uint256) {
        return _sessions.length;
    }

    function sessionAt(uint256 place) external view returns (Session memory) {
        return _sessions[place];
    }
}
