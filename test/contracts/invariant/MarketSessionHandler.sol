// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DatasetUse,
    Grant,
    JobOrder,
    OrderItem,
    SessionClaim,
    SessionState,
    SessionTerms,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketModel } from "./MarketModel.sol";
import { MarketSessionModel } from "./MarketSessionModel.sol";
import { MarketHandler } from "./MarketHandler.sol";

/// @notice Does whatever users and attackers of sessions may do; see MarketHandler.
contract MarketSessionHandler is MarketHandler {
    /// @dev A job of a session, who signed it, and its leaf of the tree.
    struct Leaf {
        OrderItem item;
        address requesterSigner;
        address payerSigner;
        bytes32 leafHash;
    }

    bytes32 private constant CLAIM = keccak256(
        "SessionClaim(bytes32 sessionId,bytes32 root,uint32 okCount,uint32 failedCount,uint16 countedGrants,"
        "uint64 anchorBlock,bytes32 anchorHash)"
    );

    /// @dev abi.encode(Leaf[]) of what was claimed last.
    mapping(bytes32 sessionId => bytes) private _leaves;

    /// @notice Opens a session.
    function openSession(uint256 seed) external {
        JobOrder memory order = _template(seed);
        SessionTerms memory terms = SessionTerms({
            maxJobs: uint32(1 + _pick(seed, 300, 6)),
            challengeSeconds: uint32(600 + _pick(seed, 301, 3_000)),
            disputeBond: _pick(seed, 302, 1e5)
        });
        uint256 flaw = _pick(seed, 303, 48);
        if (flaw == 0) terms.maxJobs = uint32(_pick(seed, 304, 2) * 4097);
        if (flaw == 1) terms.challengeSeconds = 599;
        if (flaw == 2) order.quorum = 2;
        if (flaw == 3) order.paramsHash = bytes32(seed);
        _run(_opening(seed, order, terms));
    }

    function _opening(uint256 seed, JobOrder memory order, SessionTerms memory terms)
        private
        view
        returns (Act memory act)
    {
        act.sender = _pick(seed, 305, 4) == 0 ? accounts[_pick(seed, 306, ACCOUNTS)] : order.requester;
        act.target = address(market);
        act.value = order.token == address(0) ? terms.maxJobs * model.costOf(order) : 0;
        bytes32 sessionId = market.hashSession(order, terms);
        bytes[2] memory signatures;
        address[2] memory signers;
        (signatures[0], signers[0]) = _consent(seed, 307, order.requester, act.sender, sessionId);
        (signatures[1], signers[1]) = _consent(seed, 309, order.payer, act.sender, sessionId);
        act.call = abi.encodeCall(market.openSession, (order, terms, "ipfs://p", signatures[0], signatures[1]));
        act.model =
            abi.encodeCall(model.openSession, (act.sender, act.value, order, terms, signers[0], signers[1]));
    }

    /// @dev Flat prices, each grant counted or free.
    function _template(uint256 seed) private returns (JobOrder memory order) {
        order = _order(seed);
        (order.paramsHash, order.offerHash) = (bytes32(0), bytes32(0));
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            bytes32 grantHash = _newGrant(uint256(keccak256(abi.encode(seed, 310, i))), order, true);
            Grant memory grant = _grantOf(grantHash);
            uint256 price = _pick(seed, 311 + i, 24) == 0 ? grant.price + 1 : grant.price;
            order.datasets[i] = DatasetUse(grant.datasetId, grantHash, price);
        }
    }

    /// @notice Claims a session by jobs that mostly are as they must be.
    function claimSession(uint256 seed) external {
        if (model.sessionCount() == 0) return;
        MarketSessionModel.Session memory it = _sessionIn(seed, SessionState.Open);
        JobOrder memory order = abi.decode(it.order, (JobOrder));
        uint256 count = 1 + _pick(seed, 320, it.terms.maxJobs);
        uint256 okCount = _pick(seed, 321, count + 1);
        Leaf[] memory leaves = new Leaf[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = _leaf(uint256(keccak256(abi.encode(seed, 322, i))), order, it.sessionId, i, i < okCount);
        }
        SessionClaim memory claim = SessionClaim({
            sessionId: it.sessionId,
            root: _rootOf(leaves),
            okCount: uint32(okCount),
            failedCount: uint32(count - okCount),
            countedGrants: okCount == 0 ? 0 : _countedOf(order),
            anchorBlock: uint64(BLOCK - 1),
            anchorHash: ANCHOR_HASH
        });
        if (_pick(seed, 323, 24) == 0) claim.failedCount += it.terms.maxJobs;
        if (_pick(seed, 324, 24) == 0) claim.sessionId = bytes32(seed);
        if (_runOnce(_claim(seed, it, order, claim))) _leaves[it.sessionId] = abi.encode(leaves);
    }

    function _claim(
        uint256 seed,
        MarketSessionModel.Session memory it,
        JobOrder memory order,
        SessionClaim memory claim
    ) private view returns (Act memory act) {
        ShownGrant[] memory shown;
        MarketModel.Given[] memory given;
        if (claim.okCount != 0) (shown, given) = _shown(seed, order);
        address signer = _signer(seed, order);
        bytes memory signature = _sign(signer, _typed(keccak256(abi.encode(CLAIM, claim))));
        act.sender = accounts[_pick(seed, 325, ACCOUNTS)];
        act.target = address(market);
        act.call = abi.encodeCall(market.claimSession, (order, it.terms, claim, signature, shown));
        act.model = abi.encodeCall(model.claimSession, (act.sender, order, it.terms, claim, signer, given));
    }

    /// @notice Disputes or shows a leaf of a claim; at times with another's proof, or one that is in no claim.
    function leaf(uint256 seed) external {
        if (model.sessionCount() == 0) return;
        MarketSessionModel.Session memory it = _sessionIn(seed, SessionState.Claimed);
        if (_leaves[it.sessionId].length == 0) return;
        JobOrder memory order = abi.decode(it.order, (JobOrder));
        Leaf[] memory leaves = abi.decode(_leaves[it.sessionId], (Leaf[]));
        uint256 place = _pick(seed, 330, leaves.length);
        Act memory act;
        act.target = address(market);
        if (_pick(seed, 331, 2) == 0) {
            if (_pick(seed, 332, 16) == 0) place += leaves.length;
            act.sender = _pick(seed, 333, 8) == 0 ? accounts[_pick(seed, 334, ACCOUNTS)] : order.payer;
            act.call = abi.encodeCall(market.disputeLeaf, (order, it.terms, place));
            act.model = abi.encodeCall(model.disputeLeaf, (act.sender, order, it.terms, place));
        } else {
            act.sender = accounts[_pick(seed, 334, ACCOUNTS)];
            _show(seed, act, it, order, leaves, place);
        }
        _run(act);
    }

    function _show(
        uint256 seed,
        Act memory act,
        MarketSessionModel.Session memory it,
        JobOrder memory order,
        Leaf[] memory leaves,
        uint256 place
    ) private view {
        Leaf memory shown = leaves[place];
        bytes32[] memory proof = _proofOf(leaves, place);
        bool inClaim = true;
        uint256 attack = _pick(seed, 335, 16);
        if (attack == 0 && leaves.length > 1) (place, inClaim) = ((place + 1) % leaves.length, false);
        if (attack == 1) (shown.item.nonce, inClaim) = (shown.item.nonce + 1, false);
        if (attack == 2) (shown.item.outcome.outputRows, inClaim) = (7e6, false);
        act.call = abi.encodeCall(market.settleLeaf, (order, it.terms, place, shown.item, proof));
        act.model = abi.encodeCall(
            model.settleLeaf,
            (act.sender, order, it.terms, place, shown.item, inClaim, shown.requesterSigner, shown.payerSigner)
        );
    }

    /// @notice Closes or expires a session, in time and too early.
    function endSession(uint256 seed) external {
        if (model.sessionCount() == 0) return;
        bool close = _pick(seed, 340, 3) != 0;
        MarketSessionModel.Session memory it = _sessionIn(seed, close ? SessionState.Claimed : SessionState.Open);
        JobOrder memory order = abi.decode(it.order, (JobOrder));
        Act memory act;
        (act.sender, act.target) = (accounts[_pick(seed, 341, ACCOUNTS)], address(market));
        if (close) {
            act.call = abi.encodeCall(market.closeSession, (order, it.terms));
            act.model = abi.encodeCall(model.closeSession, (act.sender, order, it.terms));
        } else {
            act.call = abi.encodeCall(market.expireSession, (order, it.terms));
            act.model = abi.encodeCall(model.expireSession, (act.sender, order, it.terms));
        }
        _run(act);
    }

    /* LEAVES */

    /// @dev Few nonces: some jobs of a session share one, and only one of those can be shown.
    function _leaf(uint256 seed, JobOrder memory order, bytes32 sessionId, uint256 place, bool ok)
        private
        view
        returns (Leaf memory it)
    {
        JobOrder memory job = abi.decode(abi.encode(order), (JobOrder));
        job.paramsHash = keccak256("{}");
        job.deadline = uint64(block.timestamp + _pick(seed, 1, 6 hours));
        (job.nonce, job.session) = (_pick(seed, 2, 12), sessionId);
        bytes32 jobId = market.hashOrder(job);
        (it.item.paramsHash, it.item.deadline, it.item.nonce) = (job.paramsHash, job.deadline, job.nonce);
        (it.item.requesterSignature, it.requesterSigner) = _consent(seed, 3, job.requester, address(0), jobId);
        (it.item.payerSignature, it.payerSigner) = _consent(seed, 5, job.payer, address(0), jobId);
        it.item.outcome = _outcome(seed, job, ok);
        bytes32 receiptHash = market.hashReceipt(_receipt(jobId, job, it.item.outcome));
        it.leafHash = keccak256(bytes.concat(keccak256(abi.encode(place, receiptHash))));
    }

    function _rootOf(Leaf[] memory leaves) private pure returns (bytes32) {
        bytes32[] memory level = _hashesOf(leaves);
        while (level.length > 1) level = _above(level);
        return level[0];
    }

    function _proofOf(Leaf[] memory leaves, uint256 place) private pure returns (bytes32[] memory proof) {
        bytes32[] memory level = _hashesOf(leaves);
        for (; level.length > 1; (level, place) = (_above(level), place / 2)) {
            if (place ^ 1 >= level.length) continue; // an odd one goes up as it is
            bytes32[] memory longer = new bytes32[](proof.length + 1);
            for (uint256 i = 0; i < proof.length; ++i) {
                longer[i] = proof[i];
            }
            longer[proof.length] = level[place ^ 1];
            proof = longer;
        }
    }

    function _hashesOf(Leaf[] memory leaves) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = leaves[i].leafHash;
        }
    }

    function _above(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            if (2 * i + 1 == level.length) {
                above[i] = level[2 * i];
                continue;
            }
            (bytes32 a, bytes32 b) = (level[2 * i], level[2 * i + 1]);
            above[i] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        }
    }

    /// @dev Some session, mostly one in `state`.
    function _sessionIn(uint256 seed, SessionState state) private view returns (MarketSessionModel.Session memory it) {
        uint256 count = model.sessionCount();
        uint256 first = _pick(seed, 350, count);
        bool any = _pick(seed, 351, 12) == 0;
        for (uint256 i = 0; i < count; ++i) {
            it = model.sessionAt((first + i) % count);
            if (any || it.state == state) return it;
        }
    }
}
