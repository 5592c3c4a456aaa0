// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { QeIdentityHeader, QeIdentityJson } from "../../../contracts/attestation/QeIdentityJson.sol";
import { TcbInfoHeader, TcbInfoJson } from "../../../contracts/attestation/TcbInfoJson.sol";
import { FastLz } from "../../../contracts/lib/FastLz.sol";
import { Json } from "../../../contracts/lib/Json.sol";
import { IJsonHarness } from "./IJsonHarness.sol";

/// @title JsonHarness
/// @notice Lets tests call the readers of JSON from outside, on text that nobody signed.
contract JsonHarness is IJsonHarness {
    function tcbInfo(bytes calldata json) external pure returns (TcbInfoHeader memory header, bytes memory content) {
        bytes memory text = Json.load(json);
        uint256 cursor;
        (header, cursor) = TcbInfoJson.readHeader(text);
        content = TcbInfoJson.pack(text, cursor, header);
    }

    function qeIdentity(bytes calldata json)
        external
        pure
        returns (QeIdentityHeader memory header, bytes memory content)
    {
        return QeIdentityJson.pack(Json.load(json));
    }

    function unpack(bytes calldata packed) external pure returns (bytes memory) {
        return FastLz.unpack(packed);
    }
}
