// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { LibBit } from "solady/src/utils/LibBit.sol";
import { CivilTime } from "./CivilTime.sol";

/// @title Json
/// @notice Reads JSON of a form known beforehand: what is signed has one writer, and any other spelling is refused.
/// @custom:source RFC 8259
/// @dev `cursor` is a memory address within `text`, or right behind it. The text must be followed by a zero byte: no reader
/// gets past one, so that none reads on in other memory. Addresses and what is added to them are below 2^32: unchecked.
library Json {
    /// @notice The text is longer than the limit, in bytes.
    error Json_TooLong(uint256 length, uint256 limit);
    /// @notice The byte at `offset` is not what has to stand there; the text may have ended.
    error Json_Unexpected(uint256 offset);
    /// @notice The number at `offset` is above what its field can hold.
    error Json_NumberTooLarge(uint256 offset);
    /// @notice There is no date of the form YYYY-MM-DDTHH:MM:SSZ, from 1970 on, at `offset`.
    error Json_BadDate(uint256 offset);
    /// @notice At `offset` something else stands than as many hexadecimal digits as there must be.
    error Json_BadHex(uint256 offset);

    uint256 internal constant DATE_SIZE = 20;

    uint256 private constant LOW_BITS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
    uint256 private constant EACH = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant DATE_FORM = 0x00000000002d00002d00005400003a00003a00005a;
    uint256 private constant DATE_PUNCTUATION = 0x0000000000ff0000ff0000ff0000ff0000ff0000ff;

    /// @notice A copy of `text` that a zero word follows.
    function load(bytes calldata text) internal pure returns (bytes memory copy) {
        copy = bytes.concat(text, bytes32(0));
        assembly ("memory-safe") {
            mstore(copy, text.length)
        }
    }

    /// @notice Where `text` starts.
    function begin(bytes memory text) internal pure returns (uint256 cursor) {
        assembly ("memory-safe") {
            cursor := add(text, 0x20)
        }
    }

    /// @notice Which byte of `text` is at `cursor`.
    function offsetOf(bytes memory text, uint256 cursor) internal pure returns (uint256) {
        unchecked {
            return cursor - begin(text);
        }
    }

    /// @notice The 32 bytes from `cursor` on.
    function word(uint256 cursor) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(cursor)
        }
    }

    /// @notice Reverts unless `text` ends at `cursor`.
    function requireEnd(bytes memory text, uint256 cursor) internal pure {
        if (offsetOf(text, cursor) != text.length) _failAtFirst(text, cursor, type(uint256).max);
    }

    /// @notice Passes over `literal`, of `size` bytes, 1 to 32, none of them zero.
    /// @return next Where the text goes on.
    function skip(bytes memory text, uint256 cursor, bytes32 literal, uint256 size) internal pure returns (uint256 next) {
        unchecked {
            uint256 difference = word(cursor) ^ uint256(literal);
            if (difference >> (256 - 8 * size) != 0) _failAtFirst(text, cursor, difference);
            return cursor + size;
        }
    }

    /// @notice Passes over a string up to its closing quote. Escapes and control characters are refused.
    /// @param cursor After the opening quote.
    /// @return quote Where the closing quote is.
    function skipString(bytes memory text, uint256 cursor) internal pure returns (uint256 quote) {
        unchecked {
            uint256 stops;
            quote = cursor - 32;
            do {
                quote += 32;
                uint256 value = word(quote);
                // Zero ends the text: it is among the bytes below 0x20.
                stops = _zeros(value ^ (EACH * 0x22)) | _zeros(value ^ (EACH * 0x5c)) | _zeros(value & (EACH * 0xe0));
            } while (stops == 0);
            // Not the opcode CLZ: chains without the P-256 precompile do not have it either.
            quote += LibBit.clz(stops) / 8;
            if (word(quote) >> 248 != 0x22) _failAtFirst(text, quote, type(uint256).max);
        }
    }

    /// @notice Reads an integer without sign, fraction or exponent.
    /// @param maximum Below 2^32.
    function readUint(bytes memory text, uint256 cursor, uint256 maximum)
        internal
        pure
        returns (uint256 value, uint256 next)
    {
        (value, next) = _readDigits(text, cursor);
        require(value <= maximum, Json_NumberTooLarge(offsetOf(text, cursor)));
    }

    /// @notice Reads a date, `DATE_SIZE` bytes.
    /// @return time Unix seconds.
    function readDate(bytes memory text, uint256 cursor) internal pure returns (uint64 time) {
        unchecked {
            uint256 value = word(cursor) >> 96;
            // `YYYY-MM-DDTHH:MM:SSZ` without its punctuation.
            uint256 digits = (value >> 128) << 80 | ((value >> 104) & 0xffff) << 64 | ((value >> 80) & 0xffff) << 48
                | ((value >> 56) & 0xffff) << 32 | ((value >> 32) & 0xffff) << 16 | ((value >> 8) & 0xffff);
            bool valid;
            // 112 bits, see above.
            (time, valid) = CivilTime.read(bytes14(uint112(digits)));
            require(valid && value & DATE_PUNCTUATION == DATE_FORM, Json_BadDate(offsetOf(text, cursor)));
        }
    }

    /// @notice Reads a number of 32 hexadecimal digits in upper or lower case.
    function readHex(bytes memory text, uint256 cursor) internal pure returns (uint256 value) {
        return _decodeHex(text, cursor, word(cursor));
    }

    /// @notice Reads a number of 1 to 31 hexadecimal digits in upper or lower case.
    function readHex(bytes memory text, uint256 cursor, uint256 digits) internal pure returns (uint256 value) {
        unchecked {
            // Filled up with '0' on the left.
            uint256 bits = 8 * digits;
            return _decodeHex(text, cursor, (word(cursor) >> (256 - bits)) | ((EACH * 0x30) << bits));
        }
    }

    /// @dev Reads digits until another byte comes, or the number is at or above 2^32.
    function _readDigits(bytes memory text, uint256 cursor) private pure returns (uint256 value, uint256 next) {
        unchecked {
            // A byte below '0' wraps to a large number.
            value = (word(cursor) >> 248) - 0x30;
            if (value > 9) _failAtFirst(text, cursor, type(uint256).max);
            next = cursor + 1;
            // After a leading zero nothing follows: a digit is left to whoever reads on, to be refused.
            if (value == 0) return (0, next);
            uint256 digit = (word(next) >> 248) - 0x30;
            while (digit <= 9 && value <= type(uint32).max) {
                value = value * 10 + digit;
                digit = (word(++next) >> 248) - 0x30;
            }
        }
    }

    function _decodeHex(bytes memory text, uint256 cursor, uint256 ascii) private pure returns (uint256 value) {
        unchecked {
            // Of digits and letters, letters have bit 6. They are 'A' to 'F' or 'a' to 'f': 1 to 6 in the low nibble.
            uint256 letters = (ascii >> 6) & EACH;
            value = (ascii & (EACH * 0x0f)) + letters * 9;
            // Written again, in lower case: no other byte gives the same. A lane holds at most 24 + 0x57.
            uint256 aboveNine = ((value + EACH * 6) >> 4) & EACH;
            bool valid = value & (EACH * 0x10) == 0 && value + EACH * 0x30 + aboveNine * 0x27 == ascii | (letters << 5);
            require(valid, Json_BadHex(offsetOf(text, cursor)));
            // From a nibble a byte to nibbles side by side.
            value = (value | value >> 4) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            value = (value | value >> 8) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            value = (value | value >> 16) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            value = (value | value >> 32) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            value = (value | value >> 64) & 0xffffffffffffffffffffffffffffffff;
        }
    }

    /// @dev `difference`: the text from `cursor` on, XOR what should stand there.
    function _failAtFirst(bytes memory text, uint256 cursor, uint256 difference) private pure {
        unchecked {
            revert Json_Unexpected(offsetOf(text, cursor) + LibBit.clz(difference) / 8);
        }
    }

    /// @dev 0x80 in each byte that is zero in `value`, else 0. No byte carries into another: 0x7f + 0x7f is below 0x100.
    function _zeros(uint256 value) private pure returns (uint256) {
        unchecked {
            return ~(((value & LOW_BITS) + LOW_BITS) | value | LOW_BITS);
        }
    }
}
