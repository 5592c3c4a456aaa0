// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { CivilTime } from "./CivilTime.sol";
import { Der } from "./Der.sol";

/// @title X509Time
/// @notice Reads a certificate's dates as Unix seconds.
/// @custom:source RFC 5280, section 4.1.2.5: UTCTime `YYMMDDHHMMSSZ` (00-49 are 20xx), GeneralizedTime
/// `YYYYMMDDHHMMSSZ`
library X509Time {
    /// @notice The time at `offset` is not in the form that RFC 5280 asks for, or names no second since 1970.
    error X509_BadTime(uint256 offset);

    /// @notice Reads the time at `offset`.
    /// @return time Unix seconds.
    /// @return end Where the next element starts.
    function read(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint64 time, uint256 end) {
        bool utc = Der.peek(der, offset, limit) == Der.UTC_TIME;
        uint256 start;
        (start, end) = Der.open(der, offset, limit, utc ? Der.UTC_TIME : Der.GENERALIZED_TIME);
        bytes32 text = Der.word(der, start);
        uint256 size = utc ? 13 : 15;
        require(end - start == size && text[size - 1] == "Z", X509_BadTime(offset));

        bytes14 digits = bytes14(text);
        if (utc) digits = (digits >> 16) | bytes14(uint8(text[0]) < 0x35 ? bytes2("20") : bytes2("19"));
        bool valid;
        (time, valid) = CivilTime.read(digits);
        require(valid, X509_BadTime(offset));
    }
}
