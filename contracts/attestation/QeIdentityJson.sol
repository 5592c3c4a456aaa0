// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.31;

import { Json } from "../lib/Json.sol";
import { TcbLevelJson } from "./TcbLevelJson.sol";

/// @notice What tells one QE identity from another.
/// @param issuedAt Unix seconds.
/// @param nextUpdate Unix seconds.
/// @param number tcbEvaluationDataNumber.
struct QeIdentityHeader {
    uint64 issuedAt;
    uint64 nextUpdate;
    uint256 number;
}

/// @title QeIdentityJson
/// @notice Reads and packs Intel's identity of the TD quoting enclave. Verifies no signature.
/// @custom:source Intel PCS API v4, "Get TD QE identity", enclave identity version 2
/// @dev Field by field in the one order and spelling that Intel writes. The packed form is read by `QeIdentity`.
library QeIdentityJson {
    /// @dev Real ones have 461 bytes, of one level.
    uint256 internal constant MAX_SIZE = 4_096;

    /// @dev The largest number that is read; what is accepted is for the caller to say.
    uint256 private constant MAX_NUMBER = type(uint32).max;

    /// @notice Reads and packs all of `text`.
    function pack(bytes memory text)
        internal
        pure
        returns (QeIdentityHeader memory header, bytes memory content)
    {
        require(text.length <= MAX_SIZE, Json.Json_TooLong(text.length, MAX_SIZE));
        // Longer than what is written: each item is written shorter than it is read. See `TcbLevelJson`.
        content = new bytes(text.length + 32);
        unchecked {
            uint256 out = Json.begin(content);
            uint256 cursor = _readHeader(text, header);
            (cursor, out) = _packIdentity(text, cursor, out);
            (cursor, out) = TcbLevelJson.packIsvLevels(text, cursor, out + 1, 2);
            cursor = Json.skip(text, cursor, "]}", 2);
            Json.requireEnd(text, cursor);

            uint256 size = out - Json.begin(content);
            // Shortens what was allocated.
            assembly ("memory-safe") {
                mstore(content, size)
            }
        }
    }

    function _readHeader(bytes memory text, QeIdentityHeader memory header) private pure returns (uint256 cursor) {
        unchecked {
            cursor = Json.begin(text);
            cursor = Json.skip(text, cursor, '{"id":"TD_QE","version":2,', 26);
            cursor = Json.skip(text, cursor, '"issueDate":"', 13);
            header.issuedAt = Json.readDate(text, cursor);
            cursor = Json.skip(text, cursor + Json.DATE_SIZE, '","nextUpdate":"', 16);
            header.nextUpdate = Json.readDate(text, cursor);
            cursor = Json.skip(text, cursor + Json.DATE_SIZE, '","tcbEvaluationDataNumber":', 28);
            (header.number, cursor) = Json.readUint(text, cursor, MAX_NUMBER);
        }
    }

    function _packIdentity(bytes memory text, uint256 cursor, uint256 out) private pure returns (uint256, uint256) {
        unchecked {
            cursor = Json.skip(text, cursor, ',"miscselect":"', 15);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor, 8), 4);
            cursor = Json.skip(text, cursor + 8, '","miscselectMask":"', 20);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor, 8), 4);
            cursor = Json.skip(text, cursor + 8, '","attributes":"', 16);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor), 16);
            cursor = Json.skip(text, cursor + 32, '","attributesMask":"', 20);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor), 16);
            cursor = Json.skip(text, cursor + 32, '","mrsigner":"', 14);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor), 16);
            out = TcbLevelJson.put(out, Json.readHex(text, cursor + 32), 16);
            cursor = Json.skip(text, cursor + 64, '","isvprodid":', 14);
            uint256 productId;
            (productId, cursor) = Json.readUint(text, cursor, type(uint16).max);
            return (Json.skip(text, cursor, ',"tcbLevels":[', 14), TcbLevelJson.put(out, productId, 2));
        }
    }
}
