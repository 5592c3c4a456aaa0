// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Der } from "./Der.sol";

/// @title X509Time
/// @notice Reads a certificate's dates as Unix seconds.
/// @custom:source RFC 5280, section 4.1.2.5: UTCTime `YYMMDDHHMMSSZ` (00-49 are 20xx), GeneralizedTime
/// `YYYYMMDDHHMMSSZ`
library X509Time {
    /// @notice The time at `offset` is not in the form that RFC 5280 asks for, or names no second since 1970.
    error X509_BadTime(uint256 offset);

    uint256 private constant SECONDS_PER_DAY = 86_400;

    /// @notice Reads the time at `offset`.
    /// @return time Unix seconds.
    /// @return end Where the next element starts.
    function read(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint64 time, uint256 end) {
        bool utc = Der.peek(der, offset, limit) == Der.UTC_TIME;
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, utc ? Der.UTC_TIME : Der.GENERALIZED_TIME);
        require(end - cursor == (utc ? 13 : 15) && der[end - 1] == "Z", X509_BadTime(offset));

        uint256 year = _twoDigits(der, cursor, offset);
        if (utc) {
            year += year < 50 ? 2000 : 1900;
        } else {
            cursor += 2;
            year = year * 100 + _twoDigits(der, cursor, offset);
        }
        uint256 month = _twoDigits(der, cursor + 2, offset);
        uint256 day = _twoDigits(der, cursor + 4, offset);
        uint256 hour = _twoDigits(der, cursor + 6, offset);
        uint256 minute = _twoDigits(der, cursor + 8, offset);
        uint256 second = _twoDigits(der, cursor + 10, offset);

        require(year >= 1970 && month >= 1 && month <= 12, X509_BadTime(offset));
        require(day >= 1 && day <= _daysInMonth(year, month), X509_BadTime(offset));
        require(hour < 24 && minute < 60 && second < 60, X509_BadTime(offset));
        // Years end at 9999: below 2^38 seconds.
        time = uint64(_daysSince1970(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second);
    }

    function _twoDigits(bytes calldata der, uint256 cursor, uint256 offset) private pure returns (uint256) {
        uint8 tens = uint8(der[cursor]);
        uint8 ones = uint8(der[cursor + 1]);
        require(tens >= 0x30 && tens <= 0x39 && ones >= 0x30 && ones <= 0x39, X509_BadTime(offset));
        return uint256(tens - 0x30) * 10 + (ones - 0x30);
    }

    function _daysInMonth(uint256 year, uint256 month) private pure returns (uint256) {
        if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    }

    /// @dev Counts in years that start in March, so that the leap day comes last. 719,468 days lie between 0000-03-01
    /// and 1970-01-01.
    function _daysSince1970(uint256 year, uint256 month, uint256 day) private pure returns (uint256) {
        if (month <= 2) {
            year -= 1;
            month += 12;
        }
        uint256 dayOfYear = (153 * (month - 3) + 2) / 5 + day - 1;
        return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468;
    }
}
