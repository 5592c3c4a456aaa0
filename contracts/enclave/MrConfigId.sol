// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";
import { MrConfigDocument } from "./MrConfigDocument.sol";

/// @title MrConfigId
/// @notice Reads what dstack measured of the app into MRCONFIGID. Mirrors protocol/quote/mrConfigId.ts.
/// @custom:source Dstack-TEE/dstack, dstack-types/src/mr_config.rs at 8bbade47f0bd12e726b810e88ffb5da971478a73
/// @dev 48 bytes: version (1), what it says (32), zeros (15).
///
///   version  says
///   -------  -----------------------------------------------------------------------------------
///         1  SHA-256 of the raw app-compose.json: the compose hash itself
///         2  keccak256(compose hash 32 || app id 20 || kind of key provider 1 || key provider id)
///         3  SHA-256("dstack-mr-config-v3:" || 0x00 || document)
library MrConfigId {
    /// @dev Compose hash, app id and kind.
    uint256 private constant MIN_PREIMAGE_SIZE = 53;
    uint256 private constant KIND_AT = 52;
    uint256 private constant MAX_PREIMAGE_SIZE = MIN_PREIMAGE_SIZE + 256;
    uint256 private constant MAX_DOCUMENT_SIZE = 4_096;
    /// @dev 0 none, 1 local, 2 kms, 3 tpm, 4 snp_derived.
    uint8 private constant LAST_KIND = 4;

    /// @notice SHA-256 of the app's app-compose.json.
    /// @dev Reverts, in this order: ZeroConfigId, UnsupportedConfigIdVersion, BadConfigIdPadding, BadAppConfigLength,
    /// UnknownKeyProvider, AppConfigMismatch, BadConfigDocument.
    /// @param mrConfigId 48 bytes of a verified report.
    /// @param appConfig What it commits to: nothing for version 1, the preimage for 2, the document for 3.
    function composeHash(bytes calldata mrConfigId, bytes calldata appConfig) internal pure returns (bytes32) {
        bytes32 high = bytes32(mrConfigId[:32]);
        bytes16 low = bytes16(mrConfigId[32:48]);
        // The guest boots with whatever app when MRCONFIGID is zero: it would say nothing of what runs.
        require(high != 0 || low != 0, IEnclaveRegistry.EnclaveRegistry_ZeroConfigId());
        uint8 version = uint8(high[0]);
        require(version != 0 && version <= 3, IEnclaveRegistry.EnclaveRegistry_UnsupportedConfigIdVersion(version));
        require(uint128(low) << 8 == 0, IEnclaveRegistry.EnclaveRegistry_BadConfigIdPadding(low));
        _requireLength(version, appConfig.length);

        bytes32 said = bytes32(mrConfigId[1:33]);
        if (version == 1) return said;
        if (version == 2) return _ofPreimage(appConfig, said);
        return _ofDocument(appConfig, said);
    }

    function _requireLength(uint8 version, uint256 length) private pure {
        bool fits = version == 1
            ? length == 0
            : version == 2 ? length >= MIN_PREIMAGE_SIZE && length <= MAX_PREIMAGE_SIZE : length <= MAX_DOCUMENT_SIZE;
        require(fits, IEnclaveRegistry.EnclaveRegistry_BadAppConfigLength(version, length));
    }

    /// @dev The fields before the last have fixed sizes: no two configurations have the same preimage.
    function _ofPreimage(bytes calldata preimage, bytes32 expected) private pure returns (bytes32) {
        uint8 kind = uint8(preimage[KIND_AT]);
        require(kind <= LAST_KIND, IEnclaveRegistry.EnclaveRegistry_UnknownKeyProvider(kind));
        bytes32 actual = keccak256(preimage);
        require(actual == expected, IEnclaveRegistry.EnclaveRegistry_AppConfigMismatch(expected, actual));
        return bytes32(preimage[:32]);
    }

    function _ofDocument(bytes calldata document, bytes32 expected) private pure returns (bytes32) {
        bytes32 actual = sha256(bytes.concat("dstack-mr-config-v3:", hex"00", document));
        require(actual == expected, IEnclaveRegistry.EnclaveRegistry_AppConfigMismatch(expected, actual));
        return MrConfigDocument.composeHash(document);
    }
}
