// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";

/// @title MrConfigId
/// @notice Reads what dstack measured of the app into MRCONFIGID.
/// @custom:source Dstack-TEE/dstack, MRCONFIGID version 1: 0x01 || SHA-256 of the raw app-compose.json || 15 zero bytes
library MrConfigId {
    uint8 private constant VERSION = 1;

    /// @notice SHA-256 of the app's app-compose.json.
    /// @param mrConfigId 48 bytes of a verified report.
    function composeHash(bytes calldata mrConfigId) internal pure returns (bytes32) {
        bytes32 high = bytes32(mrConfigId[:32]);
        bytes16 low = bytes16(mrConfigId[32:48]);
        // The guest boots with whatever app when MRCONFIGID is zero: it would say nothing of what runs.
        require(high != 0 || low != 0, IEnclaveRegistry.EnclaveRegistry_ZeroConfigId());
        uint8 version = uint8(high[0]);
        require(version == VERSION, IEnclaveRegistry.EnclaveRegistry_UnsupportedConfigIdVersion(version));
        require(uint128(low) << 8 == 0, IEnclaveRegistry.EnclaveRegistry_BadConfigIdPadding(low));
        return bytes32(mrConfigId[1:33]);
    }
}
