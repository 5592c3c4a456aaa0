// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";
import { LowerHex } from "./LowerHex.sol";

/// @title MrConfigDocument
/// @notice Finds the compose hash in the document that MRCONFIGID of version 3 commits to. Mirrors
/// protocol/quote/mrConfigId.ts.
/// @custom:source Dstack-TEE/dstack, dstack-types/src/mr_config.rs, `MrConfigV3::to_canonical_json` (RFC 8785)
/// @dev Canonical JSON sorts its keys, and dstack's are known: the compose hash stands first, or second after the app id.
/// The rest is not parsed here, and need not be: the guest, whose measurements stand in the workload id, refuses unknown
/// and duplicate fields however they are escaped, and a document that disagrees with what it boots.
library MrConfigDocument {
    /// @dev Bit n is set if the character n is a lowercase hex digit.
    uint256 private constant DIGITS = (0x3ff << 0x30) | (0x3f << 0x61);
    /// @dev The key, as its 14 characters make a number.
    uint256 private constant KEY = uint112(bytes14('"compose_hash"'));
    uint256 private constant KEY_SIZE = 14;
    uint256 private constant M_AT = 3;
    uint256 private constant ONES = type(uint256).max / 0xff;
    /// @dev Hex digits of a compose hash.
    uint256 private constant HASH_DIGITS = 64;
    uint256 private constant MAX_APP_ID_DIGITS = 64;

    /// @notice The compose hash.
    /// @dev Reverts with BadConfigDocument: the offset is where the piece begins that is another than dstack writes.
    /// @param document At most 4,096 bytes: no sum of offsets below overflows.
    function composeHash(bytes calldata document) internal pure returns (bytes32 hash) {
        unchecked {
            uint256 cursor;
            if (_has(document, 0, '{"app_id":"')) {
                cursor = _skipAppId(document, 11);
                cursor = _skip(document, cursor, '","compose_hash":"');
            } else {
                cursor = _skip(document, 0, '{"compose_hash":"');
            }
            hash = _readHash(document, cursor);
            cursor += HASH_DIGITS;
            bool ends = _has(document, cursor, '",') || _has(document, cursor, '"}');
            require(ends, IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(cursor));
            _requireNoOther(document, cursor);
        }
    }

    /// @dev An even count of lowercase hex digits, up to the first byte that is none.
    function _skipAppId(bytes calldata document, uint256 start) private pure returns (uint256 cursor) {
        unchecked {
            cursor = start;
            while (cursor < document.length && (DIGITS >> (_word(document, cursor) >> 248)) & 1 == 1) ++cursor;
            uint256 count = cursor - start;
            bool good = count % 2 == 0 && count <= MAX_APP_ID_DIGITS;
            require(good, IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(start));
        }
    }

    function _readHash(bytes calldata document, uint256 start) private pure returns (bytes32) {
        unchecked {
            require(
                start + HASH_DIGITS <= document.length, IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(start)
            );
            (uint256 high, bool highGood) = LowerHex.decode(_word(document, start));
            (uint256 low, bool lowGood) = LowerHex.decode(_word(document, start + 32));
            require(highGood && lowGood, IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(start));
            return bytes32(high << 128 | low);
        }
    }

    /// @dev Which of two a lenient reader would take must not be a question. The key has an 'm', and hardly anything else
    /// has: 32 bytes without one are passed over at once.
    function _requireNoOther(bytes calldata document, uint256 start) private pure {
        unchecked {
            for (uint256 block_ = start; block_ < document.length; block_ += 32) {
                // Zero where there is an 'm'; the next line is zero unless some byte is.
                uint256 others = _word(document, block_) ^ (ONES * 0x6d);
                if ((others - ONES) & ~others & (ONES * 0x80) == 0) continue;
                // `start` is beyond the first key, and further from 0 than an 'm' from its key's beginning.
                for (uint256 cursor = block_ - M_AT; cursor < block_ - M_AT + 32; ++cursor) {
                    if (_word(document, cursor) >> (256 - 8 * KEY_SIZE) != KEY) continue;
                    if (cursor + KEY_SIZE > document.length) return;
                    revert IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(cursor);
                }
            }
        }
    }

    function _skip(bytes calldata document, uint256 cursor, bytes memory text) private pure returns (uint256) {
        unchecked {
            require(_has(document, cursor, text), IEnclaveRegistry.EnclaveRegistry_BadConfigDocument(cursor));
            return cursor + text.length;
        }
    }

    function _has(bytes calldata document, uint256 cursor, bytes memory text) private pure returns (bool) {
        unchecked {
            uint256 end = cursor + text.length;
            return end <= document.length && keccak256(document[cursor:end]) == keccak256(text);
        }
    }

    /// @dev 32 bytes. The caller uses none beyond the end of `document`.
    function _word(bytes calldata document, uint256 cursor) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(document.offset, cursor))
        }
    }
}
