// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.31;

import { TcbStatus } from "../interfaces/TcbTypes.sol";
import { Json } from "../lib/Json.sol";

/// @title TcbLevelJson
/// @notice Packs what all of Intel's TCB levels end with: date, status, advisories.
/// @custom:source Intel PCS API v4, "TCB info" and "QE identity", TCB level
/// @dev Packed: status 1, date 4, advisory count 1, then 3 bytes an advisory. `out` is a memory address; the caller owns
/// at least as many bytes from there on as are left of the text, and 32 more: what is written is shorter than what it
/// was written from.
library TcbLevelJson {
    /// @notice The status at `offset` is none that Intel has.
    error TcbLevelJson_UnknownStatus(uint256 offset);
    /// @notice There are more than 255 items in the list that ends at `offset`.
    error TcbLevelJson_TooMany(uint256 offset);

    /// @dev What stands for an advisory that is not named "INTEL-SA-" and five digits.
    uint256 internal constant OTHER_ADVISORY = 0xffffff;

    uint256 private constant ZEROS = 0x3030303030;
    uint256 private constant SIXES = 0x0606060606;
    uint256 private constant HIGH_NIBBLES = 0xf0f0f0f0f0;

    /// @notice Packs a list of `{"tcb":{"isvsvn":n},` and a level each, at least one: of an enclave or a TDX module.
    /// @param out Where the first goes; their count goes to the byte before.
    /// @param svnSize Bytes that an SVN has, 1 or 2.
    /// @return next Where the text goes on.
    /// @return end Where the packed bytes end.
    function packIsvLevels(bytes memory text, uint256 cursor, uint256 out, uint256 svnSize)
        internal
        pure
        returns (uint256 next, uint256 end)
    {
        unchecked {
            uint256 counts = out - 1;
            uint256 count = 0;
            while (true) {
                cursor = Json.skip(text, cursor, '{"tcb":{"isvsvn":', 17);
                uint256 svn;
                (svn, cursor) = Json.readUint(text, cursor, (1 << 8 * svnSize) - 1);
                out = put(out, svn, svnSize);
                cursor = Json.skip(text, cursor, "},", 2);
                (cursor, out) = pack(text, cursor, out);
                count++;
                if (Json.word(cursor) >> 248 != 0x2c) break;
                cursor++;
            }
            putCount(text, cursor, counts, count);
            return (cursor, out);
        }
    }

    /// @notice Packs `"tcbDate":"","tcbStatus":"","advisoryIDs":[]}`, filled; the last is left out where there are none.
    /// @return next Where the text goes on.
    /// @return end Where the packed bytes end.
    function pack(bytes memory text, uint256 cursor, uint256 out) internal pure returns (uint256 next, uint256 end) {
        unchecked {
            cursor = Json.skip(text, cursor, '"tcbDate":"', 11);
            uint256 date = Json.readDate(text, cursor);
            require(date <= type(uint32).max, Json.Json_BadDate(Json.offsetOf(text, cursor)));
            cursor = Json.skip(text, cursor + Json.DATE_SIZE, '","tcbStatus":"', 15);
            TcbStatus status;
            (status, cursor) = _readStatus(text, cursor);
            end = put(out, uint256(status) << 40 | date << 8, 6);

            uint256 count = 0;
            if (Json.word(cursor) >> 248 == 0x2c) {
                // A comma: the list follows, with at least one item.
                cursor = Json.skip(text, cursor, ',"advisoryIDs":[', 16);
                while (true) {
                    uint256 advisory;
                    (advisory, cursor) = _readAdvisory(text, cursor);
                    end = put(end, advisory, 3);
                    count++;
                    if (Json.word(cursor) >> 248 != 0x2c) break;
                    cursor++;
                }
                putCount(text, cursor, out + 5, count);
                cursor = Json.skip(text, cursor, "]", 1);
            }
            next = Json.skip(text, cursor, "}", 1);
        }
    }

    /// @notice Writes the low `size` bytes of `value`, and zeros or other bytes after them.
    /// @return end Where they end.
    function put(uint256 out, uint256 value, uint256 size) internal pure returns (uint256 end) {
        assembly ("memory-safe") {
            mstore(out, shl(sub(256, shl(3, size)), value))
            end := add(out, size)
        }
    }

    /// @notice Writes a count of items into one byte.
    function putCount(bytes memory text, uint256 cursor, uint256 out, uint256 count) internal pure {
        require(count <= type(uint8).max, TcbLevelJson_TooMany(Json.offsetOf(text, cursor)));
        assembly ("memory-safe") {
            mstore8(out, count)
        }
    }

    /// @dev Returns where the text goes on after the closing quote.
    function _readStatus(bytes memory text, uint256 cursor) private pure returns (TcbStatus, uint256) {
        uint256 word = Json.word(cursor);
        unchecked {
            if (word >> 184 == uint72(bytes9('UpToDate"'))) return (TcbStatus.UpToDate, cursor + 9);
            if (word >> 176 == uint80(bytes10('OutOfDate"'))) return (TcbStatus.OutOfDate, cursor + 10);
            if (word >> 192 == uint64(bytes8('Revoked"'))) return (TcbStatus.Revoked, cursor + 8);
            if (word >> 112 == uint144(bytes18('SWHardeningNeeded"'))) return (TcbStatus.SWHardeningNeeded, cursor + 18);
            if (word >> 96 == uint160(bytes20('ConfigurationNeeded"'))) return (TcbStatus.ConfigurationNeeded, cursor + 20);
            if (word >> 24 == uint232(bytes29('OutOfDateConfigurationNeeded"'))) {
                return (TcbStatus.OutOfDateConfigurationNeeded, cursor + 29);
            }
            // 33 characters.
            if (bytes32(word) == "ConfigurationAndSWHardeningNeede") {
                return (TcbStatus.ConfigurationAndSWHardeningNeeded, Json.skip(text, cursor + 32, 'd"', 2));
            }
        }
        revert TcbLevelJson_UnknownStatus(Json.offsetOf(text, cursor));
    }

    /// @dev Returns the number and where the text goes on after the closing quote.
    function _readAdvisory(bytes memory text, uint256 cursor) private pure returns (uint256 number, uint256 next) {
        unchecked {
            uint256 word = Json.word(cursor);
            // Opening quote, name, five digits, closing quote: 16 bytes.
            if (word >> 176 == uint80(bytes10('"INTEL-SA-')) && (word >> 128) & 0xff == 0x22) {
                uint256 digits = ((word >> 136) & 0xffffffffff) ^ ZEROS;
                if ((digits | (digits + SIXES)) & HIGH_NIBBLES == 0) {
                    number = (digits >> 32) * 10_000 + ((digits >> 24) & 0xf) * 1_000 + ((digits >> 16) & 0xf) * 100
                        + ((digits >> 8) & 0xf) * 10 + (digits & 0xf);
                    return (number, cursor + 16);
                }
            }
            cursor = Json.skip(text, cursor, '"', 1);
            next = Json.skipString(text, cursor);
            // An empty one would be written longer than it is read.
            require(next != cursor, Json.Json_Unexpected(Json.offsetOf(text, cursor)));
            return (OTHER_ADVISORY, next + 1);
        }
    }
}
