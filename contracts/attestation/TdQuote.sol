// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { TdReport } from "./TdReport.sol";

/// @title TdQuote
/// @notice Takes a TD quote of version 4 apart, in place. Verifies no signature.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3 "Version 4 Quote Format"
/// @dev Integers are little-endian.
///
///   offset  size  field
///   ------  ----  -------------------------------------------------------------
///        0    48  header: version 2, key type 2, TEE type 4, reserved 4,
///                 QE vendor 16, user data 20
///       48   584  TD 1.0 report body           signed: 0 to 632
///      632     4  size of all that follows, but for padding
///      636    64  signature r || s by the attestation key
///      700    64  attestation key x || y
///      764     2  certification data type, 6
///      766     4  certification data size
///      770   384  QE report                    signed: 770 to 1,154
///     1154    64  signature r || s by the PCK key
///     1218     2  size n of the QE authentication data
///     1220     n  QE authentication data
///   1220+n        certification data of the PCK key: not read
library TdQuote {
    uint256 internal constant MAX_SIZE = 16_384;
    /// @dev Intel's QE writes 32 bytes.
    uint256 internal constant MAX_AUTH_DATA_SIZE = 1_024;

    uint256 private constant KEY_TYPE_AT = 2;
    uint256 private constant TEE_TYPE_AT = 4;
    uint256 private constant QE_VENDOR_AT = 12;
    uint256 private constant REPORT_AT = 48;
    uint256 private constant SIGNED_END = REPORT_AT + TdReport.SIZE;
    uint256 private constant SIGNATURE_DATA_AT = SIGNED_END + 4;
    uint256 private constant ATTESTATION_KEY_AT = SIGNATURE_DATA_AT + 64;
    uint256 private constant CERTIFICATION_TYPE_AT = ATTESTATION_KEY_AT + 64;
    uint256 private constant CERTIFICATION_SIZE_AT = CERTIFICATION_TYPE_AT + 2;
    uint256 private constant QE_REPORT_AT = CERTIFICATION_SIZE_AT + 4;
    uint256 private constant QE_SIGNATURE_AT = QE_REPORT_AT + 384;
    uint256 private constant AUTH_SIZE_AT = QE_SIGNATURE_AT + 64;
    uint256 private constant AUTH_DATA_AT = AUTH_SIZE_AT + 2;

    uint16 private constant VERSION = 4;
    uint16 private constant ECDSA_P256 = 2;
    uint32 private constant TDX = 0x81;
    bytes16 private constant INTEL_QE = 0x939a7233f79c4ca9940a0db3957f0607;
    uint16 private constant QE_REPORT_CERTIFICATION = 6;

    /// @notice Reverts unless the readers below may be used on `quote`.
    function requireForm(bytes calldata quote) internal pure {
        require(quote.length <= MAX_SIZE, ITdxVerifier.TdxVerifier_QuoteTooLong(quote.length, MAX_SIZE));
        // The version first, if there is one: another version is another layout.
        require(quote.length >= 2, ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, AUTH_DATA_AT));
        uint16 version = _uint16(quote, 0);
        require(version == VERSION, ITdxVerifier.TdxVerifier_UnsupportedVersion(version));
        require(quote.length >= AUTH_DATA_AT, ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, AUTH_DATA_AT));

        uint16 keyType = _uint16(quote, KEY_TYPE_AT);
        require(keyType == ECDSA_P256, ITdxVerifier.TdxVerifier_UnsupportedKeyType(keyType));
        uint32 teeType = _uint32(quote, TEE_TYPE_AT);
        require(teeType == TDX, ITdxVerifier.TdxVerifier_UnsupportedTeeType(teeType));
        bytes16 vendor = bytes16(quote[QE_VENDOR_AT:]);
        require(vendor == INTEL_QE, ITdxVerifier.TdxVerifier_UnknownQeVendor(vendor));
        uint16 certificationType = _uint16(quote, CERTIFICATION_TYPE_AT);
        require(
            certificationType == QE_REPORT_CERTIFICATION,
            ITdxVerifier.TdxVerifier_UnsupportedCertification(certificationType)
        );
        _requireSizes(quote);
    }

    /// @dev `quote` has at least AUTH_DATA_AT bytes.
    function _requireSizes(bytes calldata quote) private pure {
        uint256 authSize = _uint16(quote, AUTH_SIZE_AT);
        require(
            authSize <= MAX_AUTH_DATA_SIZE, ITdxVerifier.TdxVerifier_AuthDataTooLong(authSize, MAX_AUTH_DATA_SIZE)
        );
        uint256 end = AUTH_DATA_AT + authSize;
        require(quote.length >= end, ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, end));

        // The stated sizes count the PCK chain too, which may have been cut off: they are compared with each other and
        // with what is read here, not with the length of `quote`.
        uint256 signatureData = _uint32(quote, SIGNED_END);
        uint256 certificationData = _uint32(quote, CERTIFICATION_SIZE_AT);
        require(
            signatureData == certificationData + (QE_REPORT_AT - SIGNATURE_DATA_AT)
                && certificationData >= end - QE_REPORT_AT,
            // Both were read as 4 bytes.
            ITdxVerifier.TdxVerifier_InconsistentLengths(uint32(signatureData), uint32(certificationData))
        );
    }

    /// @notice Header and report body: what the attestation key signs.
    function signed(bytes calldata quote) internal pure returns (bytes calldata) {
        return quote[:SIGNED_END];
    }

    /// @notice The TD 1.0 report body, for `TdReport`.
    function report(bytes calldata quote) internal pure returns (bytes calldata) {
        return quote[REPORT_AT:SIGNED_END];
    }

    /// @notice The attestation key's signature over `signed`.
    function signature(bytes calldata quote) internal pure returns (bytes32 r, bytes32 s) {
        return _pair(quote, SIGNATURE_DATA_AT);
    }

    /// @notice The attestation key.
    function attestationKey(bytes calldata quote) internal pure returns (bytes32 x, bytes32 y) {
        return _pair(quote, ATTESTATION_KEY_AT);
    }

    /// @notice The QE report, for `QeReport`: what the PCK key signs.
    function qeReport(bytes calldata quote) internal pure returns (bytes calldata) {
        return quote[QE_REPORT_AT:QE_SIGNATURE_AT];
    }

    /// @notice The PCK key's signature over `qeReport`.
    function qeSignature(bytes calldata quote) internal pure returns (bytes32 r, bytes32 s) {
        return _pair(quote, QE_SIGNATURE_AT);
    }

    /// @notice SHA-256 over attestation key and QE authentication data: what the QE report vouches for.
    function attestationKeyHash(bytes calldata quote) internal pure returns (bytes32) {
        bytes calldata authData = quote[AUTH_DATA_AT:AUTH_DATA_AT + _uint16(quote, AUTH_SIZE_AT)];
        return sha256(bytes.concat(quote[ATTESTATION_KEY_AT:CERTIFICATION_TYPE_AT], authData));
    }

    function _pair(bytes calldata quote, uint256 cursor) private pure returns (bytes32, bytes32) {
        return (bytes32(quote[cursor:cursor + 32]), bytes32(quote[cursor + 32:cursor + 64]));
    }

    function _uint16(bytes calldata quote, uint256 cursor) private pure returns (uint16) {
        return uint16(uint8(quote[cursor])) | (uint16(uint8(quote[cursor + 1])) << 8);
    }

    function _uint32(bytes calldata quote, uint256 cursor) private pure returns (uint32) {
        return uint32(_uint16(quote, cursor)) | (uint32(_uint16(quote, cursor + 2)) << 16);
    }
}
