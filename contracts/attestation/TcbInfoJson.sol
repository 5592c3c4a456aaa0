// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.31;

import { Json } from "../lib/Json.sol";
import { ComponentJson, KnownList } from "./ComponentJson.sol";
import { TcbLevelJson } from "./TcbLevelJson.sol";

/// @notice What tells one TCB info from another.
/// @param issuedAt Unix seconds.
/// @param nextUpdate Unix seconds.
/// @param fmspc The platforms it is for.
/// @param pceId Their provisioning certification enclave.
/// @param number tcbEvaluationDataNumber.
/// @param contentHash keccak256 of the text from `"fmspc"` on: all but the dates.
struct TcbInfoHeader {
    uint64 issuedAt;
    uint64 nextUpdate;
    bytes6 fmspc;
    bytes2 pceId;
    uint256 number;
    bytes32 contentHash;
}

/// @title TcbInfoJson
/// @notice Reads and packs Intel's TCB info for TDX. Verifies no signature.
/// @custom:source Intel PCS API v4, "Get TCB info" for TDX, TCB info version 3
/// @dev Field by field in the one order and spelling that Intel writes. The packed form is read by `TcbLevels`.
library TcbInfoJson {
    /// @notice The TDX module at `offset` has another signer than Intel (zero), attributes, or a mask that leaves some
    /// out: quotes are held to zeros here.
    error TcbInfoJson_UnsupportedModule(uint256 offset);
    /// @notice The TDX module version at `offset` has been described already.
    error TcbInfoJson_DuplicateModule(uint256 offset, uint256 version);

    /// @dev Real ones have up to 5,524 bytes. The packed form is shorter: it fits into one contract's code.
    uint256 internal constant MAX_SIZE = 24_000;

    /// @dev The largest number that is read; what is accepted is for the caller to say.
    uint256 private constant MAX_NUMBER = type(uint32).max;

    uint256 private constant MODULE_SIZE = 177;
    bytes32 private constant MODULE_HASH = keccak256(
        '"mrsigner":"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"'
        ',"attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"'
    );

    /// @notice Reads from the start through tcbEvaluationDataNumber.
    /// @return header What was read; believe nothing of it before the signature has been verified.
    /// @return next Where the text goes on.
    function readHeader(bytes memory text) internal pure returns (TcbInfoHeader memory header, uint256 next) {
        require(text.length <= MAX_SIZE, Json.Json_TooLong(text.length, MAX_SIZE));
        unchecked {
            uint256 cursor = Json.begin(text);
            cursor = Json.skip(text, cursor, '{"id":"TDX","version":3,', 24);
            cursor = Json.skip(text, cursor, '"issueDate":"', 13);
            header.issuedAt = Json.readDate(text, cursor);
            cursor = Json.skip(text, cursor + Json.DATE_SIZE, '","nextUpdate":"', 16);
            header.nextUpdate = Json.readDate(text, cursor);
            cursor = Json.skip(text, cursor + Json.DATE_SIZE, '",', 2);
            uint256 contentAt = cursor;
            cursor = Json.skip(text, cursor, '"fmspc":"', 9);
            // 12 and 4 hexadecimal digits: 48 and 16 bits.
            header.fmspc = bytes6(uint48(Json.readHex(text, cursor, 12)));
            cursor = Json.skip(text, cursor + 12, '","pceId":"', 11);
            header.pceId = bytes2(uint16(Json.readHex(text, cursor, 4)));
            cursor = Json.skip(text, cursor + 4, '","tcbType":0,', 14);
            cursor = Json.skip(text, cursor, '"tcbEvaluationDataNumber":', 26);
            (header.number, next) = Json.readUint(text, cursor, MAX_NUMBER);

            uint256 size = text.length - Json.offsetOf(text, contentAt);
            bytes32 contentHash;
            // Hashes bytes of `text`: contentAt is within it, or the literals and digits read since would not have been.
            assembly ("memory-safe") {
                contentHash := keccak256(contentAt, size)
            }
            header.contentHash = contentHash;
        }
    }

    /// @notice Reads all that follows the header, and packs it.
    /// @param cursor Where the header ended.
    function pack(bytes memory text, uint256 cursor, TcbInfoHeader memory header)
        internal
        pure
        returns (bytes memory content)
    {
        // Longer than what is written: each item is written shorter than it is read. See `TcbLevelJson`.
        content = new bytes(text.length + 32);
        unchecked {
            uint256 out = Json.begin(content);
            out = TcbLevelJson.put(out, uint256(header.contentHash), 32);
            out = TcbLevelJson.put(out, uint256(uint16(header.pceId)) << 16, 4);
            uint256 counts = out - 2;

            cursor = Json.skip(text, cursor, ',"tdxModule":{', 14);
            cursor = Json.skip(text, _skipModule(text, cursor), '},"tdxModuleIdentities":[', 25);
            (cursor, out) = _packModules(text, cursor, out, counts);
            cursor = Json.skip(text, cursor, '],"tcbLevels":[', 15);
            uint256 count = 0;
            KnownList memory sgx;
            KnownList memory tdx;
            while (true) {
                (cursor, out) = _packLevel(text, cursor, out, sgx, tdx);
                count++;
                if (Json.word(cursor) >> 248 != 0x2c) break;
                cursor++;
            }
            TcbLevelJson.putCount(text, cursor, counts + 1, count);
            Json.requireEnd(text, Json.skip(text, cursor, "]}", 2));

            uint256 size = out - Json.begin(content);
            // Shortens what was allocated.
            assembly ("memory-safe") {
                mstore(content, size)
            }
        }
    }

    function _packModules(bytes memory text, uint256 cursor, uint256 out, uint256 counts)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            if (Json.word(cursor) >> 248 == 0x5d) return (cursor, out);
            uint256 count = 0;
            uint256 seen = 0;
            while (true) {
                cursor = Json.skip(text, cursor, '{"id":"TDX_', 11);
                uint256 version = Json.readHex(text, cursor, 2);
                require(seen >> version & 1 == 0, TcbInfoJson_DuplicateModule(Json.offsetOf(text, cursor), version));
                seen |= 1 << version;
                out = TcbLevelJson.put(out, version << 8, 2);
                cursor = Json.skip(text, cursor + 2, '",', 2);
                cursor = Json.skip(text, _skipModule(text, cursor), ',"tcbLevels":[', 14);
                (cursor, out) = TcbLevelJson.packIsvLevels(text, cursor, out, 1);
                cursor = Json.skip(text, cursor, "]}", 2);
                count++;
                if (Json.word(cursor) >> 248 != 0x2c) break;
                cursor++;
            }
            TcbLevelJson.putCount(text, cursor, counts, count);
            return (cursor, out);
        }
    }

    function _packLevel(bytes memory text, uint256 cursor, uint256 out, KnownList memory sgx, KnownList memory tdx)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            uint256 svns;
            uint256 pceSvn;
            cursor = Json.skip(text, cursor, '{"tcb":{"sgxtcbcomponents":[', 28);
            (svns, cursor) = ComponentJson.read(text, cursor, sgx);
            cursor = Json.skip(text, cursor, '],"pcesvn":', 11);
            (pceSvn, cursor) = Json.readUint(text, cursor, type(uint16).max);
            out = TcbLevelJson.put(out, svns << 16 | pceSvn, 18);
            cursor = Json.skip(text, cursor, ',"tdxtcbcomponents":[', 21);
            (svns, cursor) = ComponentJson.read(text, cursor, tdx);
            out = TcbLevelJson.put(out, svns, 16);
            return TcbLevelJson.pack(text, Json.skip(text, cursor, "]},", 3), out);
        }
    }

    function _skipModule(bytes memory text, uint256 cursor) private pure returns (uint256) {
        bytes32 actual;
        // May read beyond the text: the end of the text is no module, whatever follows it.
        assembly ("memory-safe") {
            actual := keccak256(cursor, MODULE_SIZE)
        }
        require(actual == MODULE_HASH, TcbInfoJson_UnsupportedModule(Json.offsetOf(text, cursor)));
        unchecked {
            return cursor + MODULE_SIZE;
        }
    }
}
