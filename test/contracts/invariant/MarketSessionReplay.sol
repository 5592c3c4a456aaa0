// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import {
    JobOrder,
    LeafCounts,
    Session,
    SessionState,
    SessionTerms
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketReplay } from "./MarketReplay.sol";
import { Log } from "./RegistryReplay.sol";

/// @notice The part of the listener that hears of sessions; see MarketReplay.
contract MarketSessionReplay is MarketReplay {
    mapping(bytes32 sessionId => Session) private _sessions;
    mapping(bytes32 sessionId => bytes32) private _roots;
    mapping(bytes32 sessionId => LeafCounts) private _counts;
    mapping(bytes32 sessionId => bytes order) private _orders;
    mapping(bytes32 sessionId => mapping(uint256 leaf => bool)) private _disputed;
    mapping(bytes32 sessionId => mapping(uint256 leaf => bool)) private _shown;

    constructor(address market, address datasets) MarketReplay(market, datasets) { }

    function _readSession(bytes32 topic, Log memory log) internal override returns (bool) {
        bytes32 id = log.topics[1];
        if (topic == ISessions.SessionOpened.selector) {
            _readOpened(id, log);
        } else if (topic == ISessions.SessionClaimed.selector) {
            _move(id, topic, SessionState.Open, SessionState.Claimed);
            _readClaimed(_sessions[id], id, log);
        } else if (topic == ISessions.LeafDisputed.selector) {
            _readLeaf(_sessions[id], id, topic, uint256(log.topics[2]), false);
        } else if (topic == ISessions.LeafSettled.selector) {
            _readLeaf(_sessions[id], id, topic, uint256(log.topics[2]), true);
        } else if (topic == ISessions.SessionClosed.selector) {
            _move(id, topic, SessionState.Claimed, SessionState.Closed);
        } else if (topic == ISessions.SessionExpired.selector) {
            _move(id, topic, SessionState.Open, SessionState.Expired);
        } else {
            return false;
        }
        return true;
    }

    function _readOpened(bytes32 id, Log memory log) private {
        (JobOrder memory order, SessionTerms memory terms,) = abi.decode(log.data, (JobOrder, SessionTerms, string));
        _move(id, log.topics[0], SessionState.None, SessionState.Open);
        _orders[id] = abi.encode(order);
        _charge(order.payer, order.token, id, terms.maxJobs * _costOf(order));
    }

    function _readClaimed(Session storage session_, bytes32 id, Log memory log) private {
        (bytes32 root, uint32 okCount, uint32 failedCount, uint16 countedGrants) =
            abi.decode(log.data, (bytes32, uint32, uint32, uint16));
        session_.claimedAt = uint40(vm.getBlockTimestamp());
        (session_.okCount, session_.failedCount) = (uint16(okCount), uint16(failedCount));
        session_.operator = _operatorOf[address(uint160(uint256(log.topics[2])))];
        _roots[id] = root;
        _countUses(abi.decode(_orders[id], (JobOrder)), countedGrants, uint64(okCount));
    }

    /// @dev A leaf is disputed once at most and shown once at most, and not disputed once it is shown.
    function _readLeaf(Session storage session_, bytes32 id, bytes32 topic, uint256 leaf, bool shown) private {
        bool sound = session_.state == SessionState.Claimed && !_shown[id][leaf] && (shown || !_disputed[id][leaf]);
        require(sound, ImpossibleEvent(topic, id));
        session_.touched = true;
        LeafCounts storage counts = _counts[id];
        bool ok = leaf < session_.okCount;
        if (!shown) {
            _disputed[id][leaf] = true;
            if (ok) ++counts.disputedOk;
            else ++counts.disputedFailed;
            return;
        }
        _shown[id][leaf] = true;
        if (ok) ++counts.settledOk;
        else ++counts.settledFailed;
        if (!_disputed[id][leaf]) return;
        if (ok) --counts.disputedOk;
        else --counts.disputedFailed;
    }

    function _move(bytes32 id, bytes32 topic, SessionState from, SessionState to) private {
        require(_sessions[id].state == from, ImpossibleEvent(topic, id));
        _sessions[id].state = to;
    }

    function session(bytes32 id) external view returns (Session memory, bytes32 root) {
        return (_sessions[id], _roots[id]);
    }

    function leafCounts(bytes32 id) external view returns (LeafCounts memory) {
        return _counts[id];
    }

    function leafState(bytes32 id, uint256 leaf) external view returns (bool disputed, bool settled) {
        return (_disputed[id][leaf], _shown[id][leaf]);
    }
}
