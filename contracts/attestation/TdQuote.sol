// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { TdReport } from "./TdReport.sol";

/// @title TdQuote
/// @notice Takes a TD quote of version 4 or 5 apart, in place. Verifies no signature.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3 "Version 4 Quote Format", A.4 "Version 5 Quote Format"
/// @dev Integers are little-endian. No arithmetic wraps: lengths are below 2^17, `e` is at most 702. What the attestation key signs differs with the version, all that follows does not:
///
///   offset  size  version 4                version 5
///   ------  ----  -----------------------  ---------------------------------------
///        0    48  header: version 2, key type 2, TEE type 4, reserved 4, QE vendor 16, user data 20
///       48        TD 1.0 report body 584   body type 2, body size 4, report body 584 or 648
///        e        end of what is signed: 632 (version 4); 638 (TD 1.0) or 702 (TD 1.5)
///
///      e+0     4  size of all that follows, but for padding
///      e+4    64  signature r || s by the attestation key
///     e+68    64  attestation key x || y; a quote may stop here
///    e+132     2  certification data type, 6
///    e+134     4  certification data size
///    e+138   384  QE report, signed by the PCK key
///    e+522    64  signature r || s by the PCK key
///    e+586     2  size n of the QE authentication data
///    e+588     n  QE authentication data
///  e+588+n        a quote may stop here
///  e+588+n     2  certification data type of the PCK key, 5
///  e+590+n     4  size m of its certificate chain
///  e+594+n     m  chain, PEM: not read, the leaf is sent apart
///  e+594+n+m      padding, zeros
library TdQuote {
    uint256 internal constant MAX_SIZE = 16_384;
    /// @dev Intel's QE writes 32 bytes.
    uint256 internal constant MAX_AUTH_DATA_SIZE = 1_024;

    uint256 private constant REPORT_AT = 48;
    uint256 private constant REPORT_5_AT = 54;
    uint256 private constant SIGNED_END = REPORT_AT + TdReport.SIZE;

    // Counted from the end of what is signed.
    uint256 private constant SIGNATURE_AT = 4;
    uint256 private constant ATTESTATION_KEY_AT = 68;
    uint256 private constant CERTIFICATION_TYPE_AT = 132;
    uint256 private constant CERTIFICATION_SIZE_AT = 134;
    uint256 private constant QE_REPORT_AT = 138;
    uint256 private constant QE_REPORT_SIZE = 384;
    uint256 private constant QE_SIGNATURE_AT = 522;
    uint256 private constant AUTH_SIZE_AT = 586;
    uint256 private constant AUTH_DATA_AT = 588;
    /// @dev Bytes before the certificate chain: its type and size.
    uint256 private constant CHAIN_HEADER_SIZE = 6;

    // As the bytes stand in the quote.
    uint256 private constant VERSION_4 = 0x0400;
    uint256 private constant VERSION_5 = 0x0500;
    /// @dev Type 2 and size 584, type 3 and size 648.
    uint256 private constant TD_10 = 0x020048020000;
    uint256 private constant TD_15 = 0x030088020000;
    /// @dev What follows the version: ECDSA over P-256; a TDX guest; Intel's quoting enclave.
    uint256 private constant KEY_TYPE = 0x0200;
    uint256 private constant TEE_TYPE = 0x81000000;
    bytes16 private constant QE_VENDOR = 0x939a7233f79c4ca9940a0db3957f0607;
    uint256 private constant QE_REPORT_CERTIFICATION = 0x0600;
    uint256 private constant PEM_CHAIN_CERTIFICATION = 0x0500;

    /// @notice Reverts unless the readers below may be used on `quote`.
    /// @return e Where what is signed ends: what the readers ask for.
    function requireForm(bytes calldata quote) internal pure returns (uint256 e) {
        require(quote.length <= MAX_SIZE, ITdxVerifier.TdxVerifier_QuoteTooLong(quote.length, MAX_SIZE));
        e = _signedEnd(quote);
        _requireIntelHeader(quote);
        if (!isCertified(quote, e)) return e;

        uint256 certificationType = _word(quote, e + CERTIFICATION_TYPE_AT) >> 240;
        if (certificationType != QE_REPORT_CERTIFICATION) {
            revert ITdxVerifier.TdxVerifier_UnsupportedCertification(uint16(_littleEndian(certificationType, 2)));
        }
        _requireSizes(quote, e);
    }

    /// @dev Also makes sure that `quote` reaches to the end of its attestation key, and if it goes on, to the size of its
    /// QE authentication data. The version first: another version is another layout.
    function _signedEnd(bytes calldata quote) private pure returns (uint256 e) {
        unchecked {
            require(
                quote.length >= REPORT_5_AT,
                ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, SIGNED_END + AUTH_DATA_AT)
            );
            uint256 version = _word(quote, 0) >> 240;
            e = SIGNED_END;
            if (version != VERSION_4) {
                if (version != VERSION_5) {
                    revert ITdxVerifier.TdxVerifier_UnsupportedVersion(uint16(_littleEndian(version, 2)));
                }
                uint256 body = _word(quote, REPORT_AT) >> 208;
                if (body != TD_10 && body != TD_15) {
                    revert ITdxVerifier.TdxVerifier_UnsupportedBody(
                        uint16(_littleEndian(body >> 32, 2)), uint32(_littleEndian(body & 0xffffffff, 4))
                    );
                }
                e = REPORT_5_AT + (body == TD_10 ? TdReport.SIZE : TdReport.SIZE_15);
            }
            require(
                quote.length >= e + AUTH_DATA_AT || quote.length == e + CERTIFICATION_TYPE_AT,
                ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, e + AUTH_DATA_AT)
            );
        }
    }

    function _requireIntelHeader(bytes calldata quote) private pure {
        uint256 header = _word(quote, 0);
        uint256 keyType = (header >> 224) & 0xffff;
        if (keyType != KEY_TYPE) {
            revert ITdxVerifier.TdxVerifier_UnsupportedKeyType(uint16(_littleEndian(keyType, 2)));
        }
        uint256 teeType = (header >> 192) & 0xffffffff;
        if (teeType != TEE_TYPE) revert ITdxVerifier.TdxVerifier_UnsupportedTeeType(uint32(_littleEndian(teeType, 4)));
        // The vendor's 16 bytes are followed by 4 of the user data.
        bytes16 vendor = bytes16(uint128(header >> 32));
        require(vendor == QE_VENDOR, ITdxVerifier.TdxVerifier_UnknownQeVendor(vendor));
    }

    /// @dev `quote` reaches at least to AUTH_DATA_AT.
    function _requireSizes(bytes calldata quote, uint256 e) private pure {
        unchecked {
            uint256 authSize = _authSize(quote, e);
            require(
                authSize <= MAX_AUTH_DATA_SIZE, ITdxVerifier.TdxVerifier_AuthDataTooLong(authSize, MAX_AUTH_DATA_SIZE)
            );
            uint256 needed = e + AUTH_DATA_AT + authSize;
            require(quote.length >= needed, ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, needed));

            // The stated sizes count the PCK chain too, which may have been cut off: they are compared with each other and
            // with what is read here, and with the length of `quote` if it goes on.
            uint256 signatureData = _littleEndian(_word(quote, e) >> 224, 4);
            uint256 certificationData = _littleEndian(_word(quote, e + CERTIFICATION_SIZE_AT) >> 224, 4);
            require(
                signatureData == certificationData + (QE_REPORT_AT - SIGNATURE_AT)
                    && certificationData >= AUTH_DATA_AT + authSize - QE_REPORT_AT,
                // Both were read as 4 bytes.
                ITdxVerifier.TdxVerifier_InconsistentLengths(uint32(signatureData), uint32(certificationData))
            );
            if (quote.length != needed) _requireChain(quote, needed, certificationData, e + QE_REPORT_AT + certificationData);
        }
    }

    /// @dev `start` is where the chain's type stands, `end` where the stated sizes say that the quote ends: at most 2^33.
    function _requireChain(bytes calldata quote, uint256 start, uint256 certificationData, uint256 end) private pure {
        unchecked {
            require(
                quote.length >= start + CHAIN_HEADER_SIZE,
                ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, start + CHAIN_HEADER_SIZE)
            );
            uint256 header = _word(quote, start);
            if (header >> 240 != PEM_CHAIN_CERTIFICATION) {
                revert ITdxVerifier.TdxVerifier_UnsupportedCertification(uint16(_littleEndian(header >> 240, 2)));
            }
            uint256 chain = _littleEndian((header >> 208) & 0xffffffff, 4);
            require(
                start + CHAIN_HEADER_SIZE + chain == end,
                // Both were read as 4 bytes.
                ITdxVerifier.TdxVerifier_InconsistentChainLength(uint32(chain), uint32(certificationData))
            );
            require(quote.length >= end, ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, end));
            for (uint256 offset = end; offset < quote.length; offset += 32) {
                uint256 left = quote.length - offset;
                uint256 word = _word(quote, offset);
                // Of the last word only what lies within the quote.
                if (left < 32) word >>= (32 - left) * 8;
                require(word == 0, ITdxVerifier.TdxVerifier_TrailingBytes(end, quote.length));
            }
        }
    }

    /// @notice Whether `quote` goes on after its attestation key.
    function isCertified(bytes calldata quote, uint256 e) internal pure returns (bool) {
        unchecked {
            return quote.length != e + CERTIFICATION_TYPE_AT;
        }
    }

    /// @notice Reverts unless `quote` goes on after its attestation key.
    function requireCertified(bytes calldata quote, uint256 e) internal pure {
        require(
            isCertified(quote, e), ITdxVerifier.TdxVerifier_QuoteTruncated(quote.length, e + AUTH_DATA_AT)
        );
    }

    /// @notice The report body, for `TdReport`. The only reader that needs no `e`; `quote` must have passed
    /// `requireForm` here or elsewhere.
    function report(bytes calldata quote) internal pure returns (bytes calldata) {
        if (_word(quote, 0) >> 240 == VERSION_4) return _part(quote, REPORT_AT, TdReport.SIZE);
        bool isTd10 = _word(quote, REPORT_AT) >> 208 == TD_10;
        return _part(quote, REPORT_5_AT, isTd10 ? TdReport.SIZE : TdReport.SIZE_15);
    }

    /// @notice SHA-256 over header and report body: what the attestation key signs.
    function digest(bytes calldata quote, uint256 e) internal pure returns (bytes32) {
        return sha256(_part(quote, 0, e));
    }

    /// @notice The attestation key's signature over `digest`.
    function signature(bytes calldata quote, uint256 e) internal pure returns (bytes32 r, bytes32 s) {
        unchecked {
            return _pair(quote, e + SIGNATURE_AT);
        }
    }

    /// @notice The attestation key.
    function attestationKey(bytes calldata quote, uint256 e) internal pure returns (bytes32 x, bytes32 y) {
        unchecked {
            return _pair(quote, e + ATTESTATION_KEY_AT);
        }
    }

    /// @notice The QE report, for `QeReport`: what the PCK key signs.
    function qeReport(bytes calldata quote, uint256 e) internal pure returns (bytes calldata) {
        unchecked {
            return _part(quote, e + QE_REPORT_AT, QE_REPORT_SIZE);
        }
    }

    /// @notice The PCK key's signature over `qeReport`.
    function qeSignature(bytes calldata quote, uint256 e) internal pure returns (bytes32 r, bytes32 s) {
        unchecked {
            return _pair(quote, e + QE_SIGNATURE_AT);
        }
    }

    /// @notice SHA-256 over attestation key and QE authentication data: what the QE report vouches for.
    function vouchedHash(bytes calldata quote, uint256 e) internal view returns (bytes32) {
        uint256 size = _authSize(quote, e);
        bytes32 hash;
        bool ok;
        // Above the free memory pointer, which stays. What lies at `e` and beyond is as in the table above. The precompile
        // fails for want of gas only.
        assembly ("memory-safe") {
            let free := mload(0x40)
            let start := add(quote.offset, e)
            calldatacopy(free, add(start, ATTESTATION_KEY_AT), 64)
            calldatacopy(add(free, 64), add(start, AUTH_DATA_AT), size)
            ok := staticcall(gas(), 2, free, add(64, size), 0, 32)
            hash := mload(0)
        }
        assert(ok);
        return hash;
    }

    function _authSize(bytes calldata quote, uint256 e) private pure returns (uint256) {
        unchecked {
            return _littleEndian(_word(quote, e + AUTH_SIZE_AT) >> 240, 2);
        }
    }

    function _pair(bytes calldata quote, uint256 offset) private pure returns (bytes32, bytes32) {
        unchecked {
            return (bytes32(_word(quote, offset)), bytes32(_word(quote, offset + 32)));
        }
    }

    /// @dev The `size` bytes from `start`, which lie within a quote that has passed `requireForm`.
    function _part(bytes calldata quote, uint256 start, uint256 size) private pure returns (bytes calldata part) {
        assembly ("memory-safe") {
            part.offset := add(quote.offset, start)
            part.length := size
        }
    }

    /// @dev The 32 bytes from `offset`, which the caller knows to be within `quote` as far as it uses them.
    function _word(bytes calldata quote, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(quote.offset, offset))
        }
    }

    /// @dev Turns the lowest `size` bytes of `value`, 2 or 4, round.
    function _littleEndian(uint256 value, uint256 size) private pure returns (uint256) {
        value = ((value & 0xff00ff) << 8) | ((value >> 8) & 0xff00ff);
        return size == 2 ? value : (value & 0xffff) << 16 | value >> 16;
    }
}
