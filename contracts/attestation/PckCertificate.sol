// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { AuthorityRole } from "../interfaces/ITdxCollateral.sol";
import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { P256Key, Platform } from "../interfaces/TcbTypes.sol";
import { CivilTime } from "../lib/CivilTime.sol";
import { P256Signature } from "../lib/P256Signature.sol";
import { IntelNames } from "./IntelNames.sol";
import { SgxExtension } from "./SgxExtension.sol";

/// @title PckCertificate
/// @notice Reads and verifies the certificate of a platform's PCK key. Knows no other certificates: it compares the bytes
/// with the form that Intel gives this one, a word at a time, which costs a fifth of taking any X.509 certificate apart.
/// @custom:source Intel "SGX PCK Certificate and CRL Profile Specification", section 1.3; RFC 5280, section 4
/// @dev Offsets count from the certificate's start. They grow by the sizes that elements state, which are below 2^17: no
/// arithmetic wraps. That nothing was read from beyond the end is certain at the end, where the offset must be that of the
/// end of the signed part exactly, and then that of the end of the certificate. In the constants, zeros under a mask are
/// sizes and digits.
library PckCertificate {
    /// @dev Real ones have up to 1,300 bytes.
    uint256 internal constant MAX_SIZE = 4_096;

    uint256 private constant SEQUENCE = 0x30;
    uint256 private constant OCTET_STRING = 0x04;
    /// @dev Certificate and signed part, version 3, the serial number's tag.
    uint256 private constant HEAD = 0x3082000030820000a00302010202;
    uint256 private constant HEAD_MASK = 0xffff0000ffff0000ffffffffffff;
    /// @dev ecdsa-with-SHA256.
    uint256 private constant ALGORITHM = 0x300a06082a8648ce3d040302;
    /// @dev Two UTC times.
    uint256 private constant VALIDITY = 0x301e170d0000000000000000000000005a170d0000000000000000000000005a;
    uint256 private constant VALIDITY_MASK = 0xffffffff000000000000000000000000ffffff000000000000000000000000ff;
    /// @dev A P-256 key up to its x.
    uint256 private constant KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    uint256 private constant EXTENSIONS = 0xa382000030820000;
    uint256 private constant EXTENSIONS_MASK = 0xffff0000ffff0000;
    /// @dev Critical: digitalSignature and nonRepudiation.
    uint256 private constant KEY_USAGE = 0x300e0603551d0f0101ff0404030206c0;
    /// @dev Critical: no CA.
    uint256 private constant NO_CA = 0x300c0603551d130101ff04023000;
    /// @dev The OIDs of the two, tag and size included.
    uint256 private constant KEY_USAGE_ID = 0x0603551d0f;
    uint256 private constant CONSTRAINTS_ID = 0x0603551d13;
    /// @dev The signature up to its first integer.
    uint256 private constant SIGNATURE = 0x0300003000;
    uint256 private constant SIGNATURE_MASK = 0xff00ffff00;

    /// @notice Reads `leaf`, which must be in force and signed by a PCK CA.
    /// @param leaf DER.
    /// @param issuerKey The CA's key.
    /// @param role Which of the two CAs it is.
    /// @param platform What the certificate says is written into it: all but the issuer.
    function certify(bytes calldata leaf, P256Key calldata issuerKey, AuthorityRole role, Platform memory platform)
        internal
        view
    {
        require(leaf.length <= MAX_SIZE, ITdxVerifier.TdxVerifier_CertificateTooLong(leaf.length, MAX_SIZE));
        unchecked {
            uint256 word = _word(leaf, 0);
            uint256 signedEnd = 8 + uint256(uint16(word >> 192));
            _require(
                (word >> 144) & HEAD_MASK == HEAD && signedEnd > 0x107 && 4 + uint256(uint16(word >> 224)) == leaf.length, 0
            );
            uint256 offset = _readSerial(leaf, 15, uint8(word >> 136), platform);
            _require(_word(leaf, offset) >> 160 == ALGORITHM, offset);
            bytes32 name;
            (name, offset) = _hashName(leaf, offset + 12);
            bytes32 expected = _nameOf(role);
            require(name == expected, ITdxVerifier.TdxVerifier_WrongIssuer(name, expected));
            offset = _readValidity(leaf, offset, platform);
            (name, offset) = _hashName(leaf, offset);
            expected = IntelNames.PCK_CERTIFICATE;
            require(name == expected, ITdxVerifier.TdxVerifier_WrongSubject(name, expected));

            _require(_word(leaf, offset) >> 40 == KEY, offset);
            platform.pckKey.x = bytes32(_word(leaf, offset + 27));
            platform.pckKey.y = bytes32(_word(leaf, offset + 59));
            _readExtensions(leaf, offset + 91, signedEnd, platform);
            _requireSignature(leaf, signedEnd, issuerKey);
        }
    }

    function _nameOf(AuthorityRole role) private pure returns (bytes32) {
        return role == AuthorityRole.PckPlatformCa ? IntelNames.PCK_PLATFORM_CA : IntelNames.PCK_PROCESSOR_CA;
    }

    /// @notice Reverts once a certificate's last second is over.
    function requireInForce(uint64 notAfter) internal view {
        require(
            block.timestamp <= notAfter, ITdxVerifier.TdxVerifier_CertificateExpired(notAfter, block.timestamp)
        );
    }

    /// @dev A positive integer of up to 160 bits, in its shortest form.
    function _readSerial(bytes calldata leaf, uint256 offset, uint256 size, Platform memory platform)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 word = _word(leaf, offset);
            // A size of 0 gives 0.
            uint256 serial = size > 21 ? 0 : word >> (256 - 8 * size);
            _require(serial != 0 && serial <= type(uint160).max && word >> 255 == 0 && word >> 247 != 0, offset);
            // See above.
            platform.serial = uint160(serial);
            return offset + size;
        }
    }

    function _hashName(bytes calldata leaf, uint256 offset) private pure returns (bytes32 hash, uint256 end) {
        (, end) = _open(leaf, offset, SEQUENCE);
        _require(end <= leaf.length, offset);
        hash = keccak256(leaf[offset:end]);
    }

    function _readValidity(bytes calldata leaf, uint256 offset, Platform memory platform)
        private
        view
        returns (uint256)
    {
        uint256 word = _word(leaf, offset);
        _require(word & VALIDITY_MASK == VALIDITY, offset);
        uint64 notBefore = _date(uint96(word >> 128), offset);
        platform.notAfter = _date(uint96(word >> 8), offset);
        require(
            block.timestamp >= notBefore,
            ITdxVerifier.TdxVerifier_CertificateNotYetValid(notBefore, block.timestamp)
        );
        requireInForce(platform.notAfter);
        return offset + 32;
    }

    /// @dev `YYMMDDHHMMSS`, from 2000 to 2049.
    function _date(uint96 digits, uint256 offset) private pure returns (uint64) {
        (uint64 time, bool isValid) = CivilTime.read(bytes14(uint112(bytes14("20")) | digits));
        _require(isValid && digits >> 88 < 0x35, offset);
        return time;
    }

    /// @dev Each of Intel's three once, others if not critical; the last must end at `end`.
    function _readExtensions(bytes calldata leaf, uint256 offset, uint256 end, Platform memory platform) private pure {
        unchecked {
            uint256 word = _word(leaf, offset);
            uint256 size = uint16(word >> 192);
            _require(
                (word >> 192) & EXTENSIONS_MASK == EXTENSIONS && size > 0xff && uint16(word >> 224) == size + 4
                    && offset + 8 + size == end,
                offset
            );
            offset += 8;

            bool maySign;
            bool isLeaf;
            bool isPck;
            while (offset < end) {
                word = _word(leaf, offset);
                uint256 start = offset;
                bool repeated;
                if (word >> 128 == KEY_USAGE) {
                    (repeated, maySign) = (maySign, true);
                    offset += 16;
                } else if (word >> 144 == NO_CA) {
                    (repeated, isLeaf) = (isLeaf, true);
                    offset += 14;
                } else if (SgxExtension.isHead(word)) {
                    (repeated, isPck) = (isPck, true);
                    offset = SgxExtension.read(leaf, offset, platform);
                } else {
                    offset = _skipExtension(leaf, offset);
                }
                _require(!repeated, start);
            }
            _require(offset == end, end);
            require(maySign && isLeaf, ITdxVerifier.TdxVerifier_WrongCertificateRole(!isLeaf, maySign));
            require(isPck, ITdxVerifier.TdxVerifier_MissingSgxExtension());
        }
    }

    /// @dev `SEQUENCE { OID, OCTET STRING }`: between the two stands whether it is critical, if it is.
    function _skipExtension(bytes calldata leaf, uint256 offset) private pure returns (uint256 end) {
        unchecked {
            uint256 start;
            (start, end) = _open(leaf, offset, SEQUENCE);
            uint256 id = _word(leaf, start);
            // Not as a PCK certificate has them: see the two constants.
            if (id >> 216 == KEY_USAGE_ID) revert ITdxVerifier.TdxVerifier_WrongCertificateRole(false, false);
            if (id >> 216 == CONSTRAINTS_ID) revert ITdxVerifier.TdxVerifier_WrongCertificateRole(true, true);
            // Nor is Intel's extension passed over for its form: another reader may take it for the platform's.
            _require(id >> 248 == 0x06 && (id >> 240) & 0x80 == 0 && id >> 168 != SgxExtension.ID, start);
            (, start) = _open(leaf, start + 2 + uint8(id >> 240), OCTET_STRING);
            _require(start == end, offset);
        }
    }

    /// @dev `SEQUENCE { OID ecdsa-with-SHA256 }, BIT STRING { 0 unused bits, SEQUENCE { INTEGER r, INTEGER s } }`.
    function _requireSignature(bytes calldata leaf, uint256 signedEnd, P256Key calldata issuerKey) private view {
        unchecked {
            _require(_word(leaf, signedEnd) >> 160 == ALGORITHM, signedEnd);
            uint256 offset = signedEnd + 12;
            uint256 word = _word(leaf, offset);
            uint256 size = uint8(word >> 216);
            _require(
                (word >> 216) & SIGNATURE_MASK == SIGNATURE && uint8(word >> 240) == size + 3
                    && offset + 5 + size == leaf.length,
                offset
            );
            bytes32 r;
            bytes32 s;
            (r, offset) = _integer(leaf, offset + 5);
            (s, offset) = _integer(leaf, offset);
            _require(offset == leaf.length, offset);
            require(
                P256Signature.isValid(sha256(leaf[4:signedEnd]), r, s, issuerKey.x, issuerKey.y),
                ITdxVerifier.TdxVerifier_BadCertificateSignature()
            );
        }
    }

    /// @dev A non-negative integer of up to 32 bytes, in its shortest form.
    function _integer(bytes calldata leaf, uint256 offset) private pure returns (bytes32 value, uint256 end) {
        unchecked {
            uint256 head = _word(leaf, offset) >> 240;
            uint256 size = uint8(head);
            _require(head >> 8 == 0x02 && size != 0 && size < 34, offset);
            uint256 content = _word(leaf, offset + 2);
            // The first bit is the sign; a byte of zero before it is there only to make it so.
            _require(content >> 255 == 0 && (content >> 247 != 0 || size == 1), offset);
            end = offset + 2 + size;
            if (size == 33) {
                _require(content >> 248 == 0, offset);
                return (bytes32(_word(leaf, offset + 3)), end);
            }
            value = bytes32(content >> (256 - 8 * size));
        }
    }

    /// @dev An element of `tag` with a size of one byte, or of two or three, the first of them 0x81 or 0x82.
    function _open(bytes calldata leaf, uint256 offset, uint256 tag) private pure returns (uint256 start, uint256 end) {
        unchecked {
            uint256 head = _word(leaf, offset) >> 224;
            uint256 size = uint8(head >> 16);
            start = offset + 2;
            uint256 least;
            if (size > 0x7f) {
                bool isLong = size == 0x82;
                _require(isLong || size == 0x81, offset);
                (start, size, least) =
                    isLong ? (start + 2, uint256(uint16(head)), 0x100) : (start + 1, uint256(uint8(head >> 8)), 0x80);
            }
            _require(head >> 24 == tag && size >= least, offset);
            end = start + size;
        }
    }

    function _require(bool condition, uint256 offset) private pure {
        require(condition, ITdxVerifier.TdxVerifier_MalformedCertificate(offset));
    }

    /// @dev The 32 bytes from `offset`; see the library's head.
    function _word(bytes calldata leaf, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(leaf.offset, offset))
        }
    }
}
