// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title LowerHex
/// @notice Reads lowercase hex, 32 digits at once: each step works on all bytes of a word. Pure.
/// @custom:source RFC 4648, section 8, in lowercase
library LowerHex {
    uint256 private constant ONES = type(uint256).max / 0xff;

    /// @notice The number that 32 digits stand for, and whether all of them are digits.
    /// @param text 32 characters, as they stand.
    function decode(uint256 text) internal pure returns (uint256 value, bool good) {
        // No byte carries into the next: each sum stays below 256.
        unchecked {
            // '0' is 0x30; 'a' is 0x61, the first with bit 6: its low nibble is 1, and it stands for 10.
            uint256 digits = (text & ONES * 0x0f) + ((text >> 6) & ONES) * 9;
            // Written anew: what comes out the same was lowercase hex.
            uint256 letters = ((digits + ONES * 6) >> 4) & ONES;
            good = digits & ONES * 0xf0 == 0 && digits + ONES * 0x30 + letters * 0x27 == text;
            // Pairs of digits, then of bytes, and so on, until 16 bytes stand at the right.
            value = (digits | digits >> 4) & (type(uint256).max / 0xffff * 0xff);
            value = (value | value >> 8) & (type(uint256).max / 0xffffffff * 0xffff);
            value = (value | value >> 16) & (type(uint256).max / type(uint64).max * 0xffffffff);
            value = (value | value >> 32) & (type(uint256).max / type(uint128).max * type(uint64).max);
            value = (value | value >> 64) & type(uint128).max;
        }
    }
}
