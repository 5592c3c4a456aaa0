// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title CivilTime
/// @notice Unix seconds of a UTC date and time written in digits.
/// @custom:source ISO 8601-1:2019, proleptic Gregorian calendar; no leap seconds
library CivilTime {
    uint256 private constant SECONDS_PER_DAY = 86_400;
    uint256 private constant TENS = 0x0f000f000f000f000f000f000f00;
    uint256 private constant ONES = 0x000f000f000f000f000f000f000f;
    uint256 private constant HIGH_NIBBLES = 0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0;
    uint256 private constant ZEROS = 0x3030303030303030303030303030;
    uint256 private constant SIXES = 0x0606060606060606060606060606;

    /// @notice Reads `YYYYMMDDHHMMSS`, ASCII.
    /// @return time Unix seconds; below 2^38, as years end at 9999.
    /// @return valid False, with any time, where a byte is no digit or the digits name no second since 1970.
    function read(bytes14 digits) internal pure returns (uint64 time, bool valid) {
        // All bounds: two digits a lane of 16 bits, so each number is below 100, the year below 10,000.
        unchecked {
            // '0' to '9' are 0x30 to 0x39. Six added to a digit's value stays below 16, to any other low nibble does not.
            uint256 values = uint256(uint112(digits)) ^ ZEROS;
            if ((values | (values + SIXES)) & HIGH_NIBBLES != 0) return (0, false);
            // Tens and ones, joined in lanes of 16 bits.
            uint256 lanes = ((values & TENS) >> 8) * 10 + (values & ONES);

            uint256 year = (lanes >> 96) * 100 + ((lanes >> 80) & 0xff);
            uint256 month = (lanes >> 64) & 0xff;
            uint256 day = (lanes >> 48) & 0xff;
            uint256 hour = (lanes >> 32) & 0xff;
            uint256 minute = (lanes >> 16) & 0xff;
            uint256 second = lanes & 0xff;
            if (year < 1970 || month == 0 || month > 12 || day == 0 || hour > 23 || minute > 59 || second > 59) {
                return (0, false);
            }
            if (day > 28 && day > _daysInMonth(year, month)) return (0, false);
            time = uint64(_daysSince1970(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second);
            valid = true;
        }
    }

    function _daysInMonth(uint256 year, uint256 month) private pure returns (uint256) {
        if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    }

    /// @dev Counts in years that start in March, so that the leap day comes last. 719,468 days lie between 0000-03-01
    /// and 1970-01-01.
    function _daysSince1970(uint256 year, uint256 month, uint256 day) private pure returns (uint256) {
        // 1970 <= year < 10,000, 1 <= month <= 12, 1 <= day <= 31: nothing below wraps.
        unchecked {
            if (month <= 2) {
                year -= 1;
                month += 12;
            }
            uint256 dayOfYear = (153 * (month - 3) + 2) / 5 + day - 1;
            return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468;
        }
    }
}
