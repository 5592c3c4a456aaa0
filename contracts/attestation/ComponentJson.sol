// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.31;

import { Json } from "../lib/Json.sol";

/// @notice A list that has been read: others differ from it by their SVNs alone, as a rule.
/// @param size Bytes; 0 if there is none.
/// @param hash keccak256 of its text with '0' for each SVN.
/// @param digits Where the SVNs are, 2 bytes each from the start of the list. All of them have one digit.
struct KnownList {
    uint256 size;
    bytes32 hash;
    uint256 digits;
}

/// @title ComponentJson
/// @notice Reads the SVNs of the 16 components of a TCB level.
/// @custom:source Intel PCS API v4, "TCB info" version 3, sgxtcbcomponents and tdxtcbcomponents
library ComponentJson {
    uint256 private constant COUNT = 16;

    /// @notice Reads 16 of `{"svn":n,"category":"","type":""}`, filled; category and type may be left out.
    /// @param known Is remembered for the next list.
    /// @return svns A byte each.
    /// @return next Where the text goes on.
    function read(bytes memory text, uint256 cursor, KnownList memory known)
        internal
        pure
        returns (uint256 svns, uint256 next)
    {
        if (known.size != 0) {
            bool same;
            (svns, same) = _readKnown(cursor, known);
            unchecked {
                if (same) return (svns, cursor + known.size);
            }
        }
        return _readNew(text, cursor, known);
    }

    /// @dev What is, but for 16 digits, the text of a list that was read element by element, is such a list.
    function _readKnown(uint256 cursor, KnownList memory known) private pure returns (uint256 svns, bool same) {
        uint256 digits = known.digits;
        uint256 size = known.size;
        bytes32 hash;
        uint256 above;
        // Reads `size` bytes from `cursor` on, of the text or of other memory; writes a copy of them to free memory.
        assembly ("memory-safe") {
            let copy := mload(0x40)
            mcopy(copy, cursor, size)
            for { let shift := 256 } shift { } {
                shift := sub(shift, 16)
                let place := add(copy, and(shr(shift, digits), 0xffff))
                let svn := sub(byte(0, mload(place)), 0x30)
                above := or(above, gt(svn, 9))
                svns := or(shl(8, svns), and(svn, 0xff))
                mstore8(place, 0x30)
            }
            hash := keccak256(copy, size)
        }
        same = above == 0 && hash == known.hash;
    }

    function _readNew(bytes memory text, uint256 start, KnownList memory known)
        private
        pure
        returns (uint256 svns, uint256 cursor)
    {
        cursor = start;
        uint256 digits = 0;
        bool short = true;
        unchecked {
            for (uint256 index = 0; index < COUNT; index++) {
                if (index != 0) cursor = Json.skip(text, cursor, ",", 1);
                cursor = Json.skip(text, cursor, '{"svn":', 7);
                // Lists are shorter than 2^16 bytes, as texts are.
                digits = digits << 16 | (cursor - start);
                uint256 svn;
                uint256 end;
                (svn, end) = Json.readUint(text, cursor, type(uint8).max);
                if (end != cursor + 1) short = false;
                cursor = end;
                if (Json.word(cursor) >> 248 == 0x2c) cursor = _skipDescription(text, cursor);
                cursor = Json.skip(text, cursor, "}", 1);
                svns = svns << 8 | svn;
            }
            if (short) _remember(known, start, cursor - start, digits);
        }
    }

    function _remember(KnownList memory known, uint256 start, uint256 size, uint256 digits) private pure {
        bytes32 hash;
        // A copy, as in `_readKnown`.
        assembly ("memory-safe") {
            let copy := mload(0x40)
            mcopy(copy, start, size)
            for { let shift := 0 } lt(shift, 256) { shift := add(shift, 16) } {
                mstore8(add(copy, and(shr(shift, digits), 0xffff)), 0x30)
            }
            hash := keccak256(copy, size)
        }
        (known.size, known.hash, known.digits) = (size, hash, digits);
    }

    /// @dev Who a component belongs to, for people to read.
    function _skipDescription(bytes memory text, uint256 cursor) private pure returns (uint256) {
        unchecked {
            if (Json.word(cursor) >> 152 == uint104(bytes13(',"category":"'))) {
                cursor = Json.skipString(text, cursor + 13) + 1;
            }
            if (Json.word(cursor) >> 184 == uint72(bytes9(',"type":"'))) {
                cursor = Json.skipString(text, cursor + 9) + 1;
            }
            return cursor;
        }
    }
}
