// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Der
/// @notice Reads tag-length-value elements of strict DER in place. Knows nothing of certificates.
/// @custom:source ITU-T X.690 (02/2021), sections 8.1 and 10.1
/// @dev Offsets count bytes from the start of `der`. Each reader is given a `limit`, the end of the enclosing element,
/// so that no element can reach beyond its parent. One-byte tags only, lengths up to 65,535.
/// Arithmetic is unchecked: an offset is compared with a limit, which is at most `der.length`, before anything is added
/// to it, and what is added is below 2^17.
library Der {
    /// @notice The element at `offset` would end at `end`, beyond the `limit` of its parent.
    error Der_Truncated(uint256 offset, uint256 end, uint256 limit);
    /// @notice The element at `offset` is of another type.
    error Der_UnexpectedTag(uint256 offset, uint8 tag, uint8 expected);
    /// @notice The length at `offset` is indefinite, not minimal, or above 65,535.
    error Der_BadLength(uint256 offset);
    /// @notice Bytes follow where the parent, which ends at `limit`, should end.
    error Der_TrailingBytes(uint256 offset, uint256 limit);
    /// @notice The integer at `offset` is empty, negative, not minimal, or above 32 bytes.
    error Der_BadInteger(uint256 offset);
    /// @notice The boolean at `offset` is not one byte of 0x00 or 0xff.
    error Der_BadBoolean(uint256 offset);

    uint8 internal constant BOOLEAN = 0x01;
    uint8 internal constant INTEGER = 0x02;
    uint8 internal constant BIT_STRING = 0x03;
    uint8 internal constant OCTET_STRING = 0x04;
    uint8 internal constant OBJECT_IDENTIFIER = 0x06;
    uint8 internal constant ENUMERATED = 0x0a;
    uint8 internal constant UTC_TIME = 0x17;
    uint8 internal constant GENERALIZED_TIME = 0x18;
    uint8 internal constant SEQUENCE = 0x30;

    /// @notice Opens the element at `offset`, which must carry `tag`.
    /// @dev Reverts, in this order: Der_Truncated, Der_BadLength, Der_Truncated, Der_UnexpectedTag.
    /// @return start Where its content starts.
    /// @return end Where its content ends and the next element starts; at most `limit`.
    function open(bytes calldata der, uint256 offset, uint256 limit, uint8 tag)
        internal
        pure
        returns (uint256 start, uint256 end)
    {
        uint8 actual;
        (actual, start, end) = _header(der, offset, limit);
        if (actual != tag) _failTag(offset, actual, tag);
    }

    /// @notice Passes over the element at `offset`, whatever its type.
    /// @return end Where the next element starts; at most `limit`.
    function skip(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint256 end) {
        (,, end) = _header(der, offset, limit);
    }

    /// @notice The tag of the element at `offset`.
    function peek(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint8) {
        // The caller may name any limit: an element is never read from outside `der`.
        if (limit > der.length) limit = der.length;
        if (offset >= limit) revert Der_Truncated(offset, offset + 1, limit);
        return uint8(bytes1(word(der, offset)));
    }

    /// @notice The 32 bytes from `offset` on. Where `der` ends earlier, the rest is whatever follows in calldata: the
    /// caller must know how many of them lie within the element that it reads.
    /// @param offset Not beyond `der`.
    function word(bytes calldata der, uint256 offset) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(add(der.offset, offset))
        }
    }

    /// @notice The bytes from `offset` up to `end`, left-aligned and followed by zeros; all zero for more than 32.
    /// @dev Elements are equal if and only if their first 32 bytes, tag and length included, are: a mere content could be
    /// another with zeros added.
    function shortSlice(bytes calldata der, uint256 offset, uint256 end) internal pure returns (bytes32 value) {
        unchecked {
            uint256 size = end - offset;
            if (size == 0 || size > 32) return 0;
            // 8 to 256 bits are kept: the shift is below 256.
            uint256 unused = 256 - 8 * size;
            value = (word(der, offset) >> unused) << unused;
        }
    }

    /// @notice Reverts unless the parent that ends at `limit` has been read to its end.
    function requireEnd(uint256 offset, uint256 limit) internal pure {
        require(offset == limit, Der_TrailingBytes(offset, limit));
    }

    /// @notice Reads a non-negative integer of up to 32 bytes.
    function readUint(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (uint256 value, uint256 end)
    {
        uint256 start;
        (start, end) = open(der, offset, limit, INTEGER);
        uint256 first = uint8(bytes1(word(der, start)));
        require(start < end && first < 0x80, Der_BadInteger(offset));
        unchecked {
            // A leading zero is there only to keep the sign, and must not be there otherwise.
            if (first == 0 && end - start > 1) {
                start++;
                require(uint8(bytes1(word(der, start))) >= 0x80, Der_BadInteger(offset));
            }
            uint256 size = end - start;
            require(size <= 32, Der_BadInteger(offset));
            // size is 1 to 32: the shift is below 256.
            value = uint256(word(der, start)) >> (256 - 8 * size);
        }
    }

    /// @notice Reads a boolean.
    function readBool(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (bool value, uint256 end)
    {
        uint256 start;
        (start, end) = open(der, offset, limit, BOOLEAN);
        bytes1 content = bytes1(word(der, start));
        require(end - start == 1 && (content == 0x00 || content == 0xff), Der_BadBoolean(offset));
        value = content == 0xff;
    }

    function _header(bytes calldata der, uint256 offset, uint256 limit)
        private
        pure
        returns (uint8 tag, uint256 start, uint256 end)
    {
        // The caller may name any limit: an element is never read from outside `der`.
        if (limit > der.length) limit = der.length;
        unchecked {
            // Beyond `der` this may read anything; an end within the limit says that it did not.
            uint256 header = uint256(word(der, offset)) >> 224;
            tag = uint8(header >> 24);
            uint256 length = (header >> 16) & 0xff;
            start = offset + 2;
            if (length >= 0x80) {
                if (start > limit) _failTruncated(offset, start, limit);
                uint256 size = length - 0x80;
                start += size;
                // Minimal: one byte only from 128, two bytes only from 256.
                if (size == 1) length = (header >> 8) & 0xff;
                else if (size == 2) length = header & 0xffff;
                else revert Der_BadLength(offset);
                if (start > limit) _failTruncated(offset, start, limit);
                require(length >= (size == 1 ? 0x80 : 0x100), Der_BadLength(offset));
            }
            end = start + length;
            if (end > limit) _failTruncated(offset, start > limit ? start : end, limit);
        }
    }

    // Errors thrown from many places are written once: inlined, they would make up most of the code.

    function _failTag(uint256 offset, uint8 actual, uint8 expected) private pure {
        revert Der_UnexpectedTag(offset, actual, expected);
    }

    function _failTruncated(uint256 offset, uint256 end, uint256 limit) private pure {
        revert Der_Truncated(offset, end, limit);
    }
}
