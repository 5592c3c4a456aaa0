// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { QeIdentityHeader } from "../../../contracts/attestation/QeIdentityJson.sol";
import { TcbInfoHeader } from "../../../contracts/attestation/TcbInfoJson.sol";

/// @notice What JsonHarness answers; apart from it, so that tests do not compile the readers.
interface IJsonHarness {
    function tcbInfo(bytes calldata json) external pure returns (TcbInfoHeader memory header, bytes memory content);

    function qeIdentity(bytes calldata json) external pure returns (QeIdentityHeader memory header, bytes memory content);

    function unpack(bytes calldata packed) external pure returns (bytes memory);
}
