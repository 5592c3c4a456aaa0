// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";

/// @title TdReport
/// @notice Reads a TD 1.0 report body in place and says whether the guest is closed to its host. Verifies no signature.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3.2 "TD Quote Body"; Intel "TDX Module Base Architecture
/// Specification", section "TD Attributes"
/// @dev Attributes are little-endian bit fields: bit 28 is 0x10 of byte 3.
///
///   offset  size  field
///   ------  ----  ---------------------------------------------
///        0    16  teeTcbSvn
///       16    48  mrSeam
///       64    48  mrSignerSeam     zero: Intel
///      112     8  seamAttributes   zero
///      120     8  tdAttributes
///      128     8  xfam
///      136    48  mrTd
///      184    48  mrConfigId
///      232    48  mrOwner
///      280    48  mrOwnerConfig
///      328   192  rtMr0 to rtMr3
///      520    64  reportData
///      584        end
library TdReport {
    uint256 internal constant SIZE = 584;

    uint256 private constant MR_SIGNER_SEAM_AT = 64;
    uint256 private constant SEAM_ATTRIBUTES_AT = 112;
    uint256 private constant TD_ATTRIBUTES_AT = 120;
    uint256 private constant XFAM_AT = 128;
    uint256 private constant MR_TD_AT = 136;
    uint256 private constant MR_CONFIG_ID_AT = 184;
    uint256 private constant MR_OWNER_AT = 232;
    uint256 private constant RT_MR0_AT = 328;
    uint256 private constant RT_MR3_AT = 472;
    uint256 private constant REPORT_DATA_AT = 520;

    /// @dev TUD, bits 0-7: DEBUG and, since TDX 1.5, profiling by the host.
    bytes8 private constant TUD = 0xff00000000000000;
    /// @dev Bit 28.
    bytes8 private constant SEPT_VE_DISABLE = 0x0000001000000000;
    /// @dev All bits that TDX 1.0 reserves: 8-27, 29 (MIGRATABLE since 1.5), 32-62. Not reserved, and left to who
    /// trusts the workload, whose id they are part of: PKS 30, KL 31, PERFMON 63.
    bytes8 private constant RESERVED = 0x00ffff2fffffff7f;
    bytes32 private constant ZERO_48_HASH = keccak256(new bytes(48));

    /// @notice Reverts unless the guest's memory is closed to its host and the TDX module is Intel's.
    /// @param body `SIZE` bytes.
    function requireClosed(bytes calldata body) internal pure {
        bytes8 attributes = bytes8(tdAttributes(body));
        require(attributes & TUD == 0, ITdxVerifier.TdxVerifier_DebugTd(attributes));
        require(attributes & SEPT_VE_DISABLE != 0, ITdxVerifier.TdxVerifier_SeptVeEnabled(attributes));
        require(attributes & RESERVED == 0, ITdxVerifier.TdxVerifier_ReservedTdAttributes(attributes));

        bytes32 seamSigner = keccak256(body[MR_SIGNER_SEAM_AT:SEAM_ATTRIBUTES_AT]);
        require(seamSigner == ZERO_48_HASH, ITdxVerifier.TdxVerifier_UnknownSeamSigner(seamSigner));
        bytes8 seamAttributes = bytes8(body[SEAM_ATTRIBUTES_AT:TD_ATTRIBUTES_AT]);
        require(seamAttributes == 0, ITdxVerifier.TdxVerifier_BadSeamAttributes(seamAttributes));
    }

    /// @notice Attributes of the guest, 8 bytes.
    function tdAttributes(bytes calldata body) internal pure returns (bytes calldata) {
        return body[TD_ATTRIBUTES_AT:XFAM_AT];
    }

    /// @notice Extended CPU features that the guest may use, 8 bytes.
    function xfam(bytes calldata body) internal pure returns (bytes calldata) {
        return body[XFAM_AT:MR_TD_AT];
    }

    /// @notice Measurement of the guest's firmware, 48 bytes.
    function mrTd(bytes calldata body) internal pure returns (bytes calldata) {
        return body[MR_TD_AT:MR_CONFIG_ID_AT];
    }

    /// @notice What the host configured the guest to be at its launch, 48 bytes.
    function mrConfigId(bytes calldata body) internal pure returns (bytes calldata) {
        return body[MR_CONFIG_ID_AT:MR_OWNER_AT];
    }

    /// @notice Measurements of VM shape, kernel, and command line with initrd: RTMR0, RTMR1 and RTMR2, 144 bytes.
    function rtMr0To2(bytes calldata body) internal pure returns (bytes calldata) {
        return body[RT_MR0_AT:RT_MR3_AT];
    }

    /// @notice What the guest itself asked to have signed, 64 bytes in two halves.
    function reportData(bytes calldata body) internal pure returns (bytes32 high, bytes32 low) {
        return (bytes32(body[REPORT_DATA_AT:REPORT_DATA_AT + 32]), bytes32(body[REPORT_DATA_AT + 32:SIZE]));
    }
}
