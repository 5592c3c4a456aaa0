// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";

/// @title TdReport
/// @notice Reads a TD 1.0 or TD 1.5 report body in place and says whether the guest is closed to its host. Verifies no
/// signature.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3.2 "TD Quote Body", A.4 (TD 1.5); Intel "TDX Module ABI
/// Specification", "ATTRIBUTES"
/// @dev Attributes are little-endian bit fields: bit 28 is 0x10 of byte 3.
///
///   offset  size  field
///   ------  ----  ---------------------------------------------
///        0    16  teeTcbSvn        of the TDX module that started the guest
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
///      584        end of TD 1.0
///      584    16  teeTcbSvn2       of the TDX module that runs now
///      600    48  mrServiceTd      zero: no service TD is bound
///      648        end of TD 1.5
library TdReport {
    /// @notice Bytes of a TD 1.0 body.
    uint256 internal constant SIZE = 584;
    /// @notice Bytes of a TD 1.5 body.
    uint256 internal constant SIZE_15 = 648;

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
    uint256 private constant TEE_TCB_SVN_2_AT = 584;
    uint256 private constant MR_SERVICE_TD_AT = 600;

    /// @dev TUD, bits 0-7: DEBUG and, since TDX 1.5, profiling by the host (HGS+, performance, PMT).
    bytes8 private constant TUD = 0xff00000000000000;
    /// @dev Bit 28.
    bytes8 private constant SEPT_VE_DISABLE = 0x0000001000000000;
    /// @dev Refused: bits 8-27, 29, 32-62. Most are reserved by every TDX module; the rest are of later ones: ICSSD 16,
    /// LASS 27, MIGRATABLE 29 (the guest's memory may be taken to another host), TPA 62. A guest that needs one of them
    /// is told by error. Left to who trusts the workload, whose id they are part of: PKS 30, KL 31, PERFMON 63.
    bytes8 private constant REFUSED = 0x00ffff2fffffff7f;

    /// @notice Reverts unless the guest's memory is closed to its host and the TDX module is Intel's.
    /// @param body `SIZE` or `SIZE_15` bytes.
    function requireClosed(bytes calldata body) internal pure {
        // SEAM attributes and TD attributes stand side by side.
        bytes32 word = _word(body, SEAM_ATTRIBUTES_AT);
        bytes8 attributes = bytes8(word << 64);
        require(attributes & TUD == 0, ITdxVerifier.TdxVerifier_DebugTd(attributes));
        require(attributes & SEPT_VE_DISABLE != 0, ITdxVerifier.TdxVerifier_SeptVeEnabled(attributes));
        require(attributes & REFUSED == 0, ITdxVerifier.TdxVerifier_ReservedTdAttributes(attributes));

        // `if`, for `require` would compute the error's arguments always.
        if (!_isZero48(body, MR_SIGNER_SEAM_AT)) {
            revert ITdxVerifier.TdxVerifier_UnknownSeamSigner(keccak256(body[MR_SIGNER_SEAM_AT:SEAM_ATTRIBUTES_AT]));
        }
        require(bytes8(word) == 0, ITdxVerifier.TdxVerifier_BadSeamAttributes(bytes8(word)));
        if (body.length == SIZE_15 && !_isZero48(body, MR_SERVICE_TD_AT)) {
            revert ITdxVerifier.TdxVerifier_ServiceTdBound(keccak256(body[MR_SERVICE_TD_AT:]));
        }
    }

    /// @notice SVNs of the TDX module that started the guest, and of the one that runs now; the same for TD 1.0.
    function teeTcbSvns(bytes calldata body) internal pure returns (bytes16 launch, bytes16 current) {
        launch = bytes16(_word(body, 0));
        current = body.length == SIZE_15 ? bytes16(_word(body, TEE_TCB_SVN_2_AT)) : launch;
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

    /// @dev Two words that overlap by 16 bytes.
    function _isZero48(bytes calldata body, uint256 offset) private pure returns (bool) {
        return _word(body, offset) | _word(body, offset + 16) == 0;
    }

    /// @dev The 32 bytes from `offset`, a constant from the table above: within the body as far as they are used.
    function _word(bytes calldata body, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(body.offset, offset))
        }
    }
}
