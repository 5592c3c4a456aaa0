// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISessions } from "../interfaces/ISessions.sol";
import { LeafCounts, Session } from "../interfaces/MarketTypes.sol";

/// @title SessionBook
/// @notice Part of JobMarket: where each session and each leaf of its claim stands. Touches no money, calls nobody.
/// @dev A session of which no leaf is touched takes two slots: `_sessions` and `_roots`.
abstract contract SessionBook {
    /// @dev Bits of a leaf. Both: it was disputed, then shown.
    uint256 internal constant DISPUTED = 1;
    uint256 internal constant SETTLED = 2;

    mapping(bytes32 sessionId => Session) internal _sessions;
    mapping(bytes32 sessionId => bytes32 root) internal _roots;
    mapping(bytes32 sessionId => LeafCounts) internal _leafCounts;
    /// @dev Two bits for each leaf, 128 leaves in a word.
    mapping(bytes32 sessionId => mapping(uint256 word => uint256 bits)) private _leaves;
    /// @dev Of the jobs that were shown: bit `nonce % 256` of word `nonce / 256`.
    mapping(bytes32 sessionId => mapping(uint256 word => uint256 bits)) private _sessionNonces;

    function _leafBits(bytes32 sessionId, uint256 leaf) internal view returns (uint256) {
        return (_leaves[sessionId][leaf >> 7] >> _shiftOf(leaf)) & (DISPUTED | SETTLED);
    }

    function _markLeaf(bytes32 sessionId, uint256 leaf, uint256 bits) internal {
        _leaves[sessionId][leaf >> 7] |= bits << _shiftOf(leaf);
    }

    /// @dev Not the requester's nonces elsewhere: those it can use up, and so would undo a job that was run.
    function _useSessionNonce(bytes32 sessionId, uint256 nonce) internal {
        uint256 bits = _sessionNonces[sessionId][nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        require(bits & bit == 0, ISessions.Sessions_NonceUsed(sessionId, nonce));
        _sessionNonces[sessionId][nonce >> 8] = bits | bit;
    }

    function _shiftOf(uint256 leaf) private pure returns (uint256) {
        return (leaf & 0x7f) << 1;
    }
}
