// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Der
/// @notice Reads tag-length-value elements of strict DER in place. Knows nothing of certificates.
/// @custom:source ITU-T X.690 (02/2021), sections 8.1 and 10.1
/// @dev Offsets count bytes from the start of `der`. Each reader is given a `limit`, the end of the enclosing element,
/// so that no element can reach beyond its parent. One-byte tags only, lengths up to 65,535.
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
    uint8 internal constant UTC_TIME = 0x17;
    uint8 internal constant GENERALIZED_TIME = 0x18;
    uint8 internal constant SEQUENCE = 0x30;

    /// @notice Opens the element at `offset`, which must carry `tag`.
    /// @dev Reverts, in this order: Der_Truncated, Der_UnexpectedTag, Der_Truncated, Der_BadLength, Der_Truncated.
    /// @return start Where its content starts.
    /// @return end Where its content ends and the next element starts; at most `limit`.
    function open(bytes calldata der, uint256 offset, uint256 limit, uint8 tag)
        internal
        pure
        returns (uint256 start, uint256 end)
    {
        uint8 actual = peek(der, offset, limit);
        require(actual == tag, Der_UnexpectedTag(offset, actual, tag));
        return _content(der, offset, limit);
    }

    /// @notice Passes over the element at `offset`, whatever its type.
    /// @return end Where the next element starts; at most `limit`.
    function skip(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint256 end) {
        peek(der, offset, limit);
        (, end) = _content(der, offset, limit);
    }

    /// @notice The tag of the element at `offset`.
    function peek(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint8) {
        // The caller may name any limit: an element is never read from outside `der`.
        if (limit > der.length) limit = der.length;
        require(offset < limit, Der_Truncated(offset, offset + 1, limit));
        return uint8(der[offset]);
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
        require(start < end && uint8(der[start]) < 0x80, Der_BadInteger(offset));
        // A leading zero is there only to keep the sign, and must not be there otherwise.
        if (der[start] == 0 && end - start > 1) {
            start++;
            require(uint8(der[start]) >= 0x80, Der_BadInteger(offset));
        }
        uint256 size = end - start;
        require(size <= 32, Der_BadInteger(offset));
        // bytes32 of a shorter slice pads on the right; size is 1 to 32, so the shift is below 256.
        value = uint256(bytes32(der[start:end])) >> (8 * (32 - size));
    }

    /// @notice Reads a boolean.
    function readBool(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (bool value, uint256 end)
    {
        uint256 start;
        (start, end) = open(der, offset, limit, BOOLEAN);
        require(end - start == 1 && (der[start] == 0x00 || der[start] == 0xff), Der_BadBoolean(offset));
        value = der[start] == 0xff;
    }

    /// @dev `offset` has been peeked at: it is within `der` and below `limit`.
    function _content(bytes calldata der, uint256 offset, uint256 limit)
        private
        pure
        returns (uint256 start, uint256 end)
    {
        if (limit > der.length) limit = der.length;
        require(offset + 2 <= limit, Der_Truncated(offset, offset + 2, limit));
        uint256 length = uint8(der[offset + 1]);
        start = offset + 2;
        if (length >= 0x80) {
            uint256 size = length - 0x80;
            require(size == 1 || size == 2, Der_BadLength(offset));
            start += size;
            require(start <= limit, Der_Truncated(offset, start, limit));
            length = uint8(der[offset + 2]);
            if (size == 2) length = (length << 8) | uint8(der[offset + 3]);
            // Minimal: one byte only from 128, two bytes only from 256.
            require(length >= (size == 1 ? 0x80 : 0x100), Der_BadLength(offset));
        }
        end = start + length;
        require(end <= limit, Der_Truncated(offset, end, limit));
    }
}
