// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Der } from "./Der.sol";
import { X509Time } from "./X509Time.sol";

/// @notice What is read of a certificate. Nothing of it is to be believed before its signature has been verified.
/// @param tbsHash SHA-256 of the signed part.
/// @param serial Serial number, never 0.
/// @param issuerHash keccak256 of the issuer's name, DER.
/// @param subjectHash keccak256 of the subject's name, DER.
/// @param notBefore Unix seconds, first second of validity.
/// @param notAfter Unix seconds, last second of validity.
/// @param keyX Public key, P-256, big-endian.
/// @param keyY Public key, P-256, big-endian.
/// @param r Signature by the issuer over `tbsHash`.
/// @param s Signature by the issuer over `tbsHash`.
/// @param isCa From basic constraints: whether it may be an issuer at all.
/// @param mayCertify From key usage: keyCertSign.
/// @param mayRevoke From key usage: cRLSign.
/// @param maySign From key usage: digitalSignature.
/// @param sgxStart Where the content of Intel's SGX extension starts; 0 if there is none.
/// @param sgxEnd Where it ends.
struct Certificate {
    bytes32 tbsHash;
    uint160 serial;
    bytes32 issuerHash;
    bytes32 subjectHash;
    uint64 notBefore;
    uint64 notAfter;
    bytes32 keyX;
    bytes32 keyY;
    bytes32 r;
    bytes32 s;
    bool isCa;
    bool mayCertify;
    bool mayRevoke;
    bool maySign;
    uint256 sgxStart;
    uint256 sgxEnd;
}

/// @title X509
/// @notice Reads a version 3 certificate with a P-256 key, signed by ECDSA with SHA-256. Verifies no signature.
/// @custom:source RFC 5280, section 4; Intel "SGX PCK Certificate and CRL Profile Specification", section 1.3
library X509 {
    /// @notice The certificate is longer than the limit, in bytes.
    error X509_TooLong(uint256 length, uint256 limit);
    /// @notice The certificate is not of version 3.
    error X509_UnsupportedVersion();
    /// @notice The serial number at `offset` is zero, negative, not minimal, or above 20 bytes.
    error X509_BadSerial(uint256 offset);
    /// @notice The algorithm at `offset` is not ecdsa-with-SHA256.
    error X509_UnsupportedAlgorithm(uint256 offset);
    /// @notice The public key at `offset` is not an uncompressed P-256 key.
    error X509_UnsupportedKey(uint256 offset);
    /// @notice The extension at `offset` appeared before.
    error X509_DuplicateExtension(uint256 offset);
    /// @notice The extension at `offset` is critical and not known here.
    error X509_UnknownCriticalExtension(uint256 offset);
    /// @notice The key usage at `offset` is malformed.
    error X509_BadKeyUsage(uint256 offset);
    /// @notice The signature at `offset` is malformed.
    error X509_BadSignatureEncoding(uint256 offset);

    /// @dev Real ones have up to 1,300 bytes.
    uint256 internal constant MAX_SIZE = 4_096;

    /// @dev `[0] { INTEGER 2 }`.
    bytes5 private constant VERSION_3 = 0xa003020102;
    /// @dev `SEQUENCE { OID 1.2.840.10045.4.3.2 }`.
    bytes12 private constant ECDSA_WITH_SHA256 = 0x300a06082a8648ce3d040302;
    /// @dev `SEQUENCE { SEQUENCE { OID id-ecPublicKey, OID prime256v1 }, BIT STRING { 0 unused bits, 0x04, x, y } }`
    /// up to x.
    bytes27 private constant P256_KEY = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    uint8 private constant EXTENSIONS = 0xa3;

    // Object identifiers with tag and length, left-aligned; see `Der.shortSlice`.
    bytes32 private constant BASIC_CONSTRAINTS = hex"0603551d13";
    bytes32 private constant KEY_USAGE = hex"0603551d0f";
    /// @dev 1.2.840.113741.1.13.1
    bytes32 private constant SGX_EXTENSIONS = hex"06092a864886f84d010d01";

    /// @notice Reads a certificate that fills `der` to its last byte.
    function parse(bytes calldata der) internal pure returns (Certificate memory certificate) {
        require(der.length <= MAX_SIZE, X509_TooLong(der.length, MAX_SIZE));
        (uint256 tbs, uint256 limit) = Der.open(der, 0, der.length, Der.SEQUENCE);
        Der.requireEnd(limit, der.length);

        uint256 cursor = _readTbs(der, tbs, limit, certificate);
        certificate.tbsHash = sha256(der[tbs:cursor]);
        cursor = requireAlgorithm(der, cursor, limit);
        (certificate.r, certificate.s, cursor) = readSignature(der, cursor, limit);
        Der.requireEnd(cursor, limit);
    }

    function _readTbs(bytes calldata der, uint256 offset, uint256 limit, Certificate memory certificate)
        private
        pure
        returns (uint256 end)
    {
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, Der.SEQUENCE);

        require(end - cursor >= 5 && bytes5(Der.word(der, cursor)) == VERSION_3, X509_UnsupportedVersion());
        (certificate.serial, cursor) = readSerial(der, cursor + 5, end);
        cursor = requireAlgorithm(der, cursor, end);
        (certificate.issuerHash, cursor) = hashName(der, cursor, end);
        cursor = _readValidity(der, cursor, end, certificate);
        (certificate.subjectHash, cursor) = hashName(der, cursor, end);
        cursor = _readKey(der, cursor, end, certificate);

        (uint256 wrapped, uint256 wrappedEnd) = Der.open(der, cursor, end, EXTENSIONS);
        Der.requireEnd(wrappedEnd, end);
        (cursor, wrapped) = Der.open(der, wrapped, end, Der.SEQUENCE);
        Der.requireEnd(wrapped, end);
        _readExtensions(der, cursor, end, certificate);
    }

    /// @notice Reads a serial number: a positive integer of up to 20 bytes.
    function readSerial(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (uint160 serial, uint256 end)
    {
        uint256 start;
        (start, end) = Der.open(der, offset, limit, Der.INTEGER);
        unchecked {
            // Der.open gives start <= end.
            uint256 size = end - start;
            require(size != 0 && size <= 21, X509_BadSerial(offset));
            uint256 first = uint256(Der.word(der, start));
            // 1 to 21 bytes: the shift is below 256.
            uint256 value = first >> (256 - 8 * size);
            // Its highest bit is the sign; a leading zero only keeps the next one from being it.
            bool minimal = first >> 247 != 0;
            require(first >> 255 == 0 && minimal && value != 0 && value <= type(uint160).max, X509_BadSerial(offset));
            // At most 160 bits, see above.
            serial = uint160(value);
        }
    }

    /// @notice Reverts unless the algorithm at `offset` is ecdsa-with-SHA256.
    function requireAlgorithm(bytes calldata der, uint256 offset, uint256 limit) internal pure returns (uint256 end) {
        end = offset + 12;
        require(
            end <= limit && bytes12(Der.word(der, offset)) == ECDSA_WITH_SHA256, X509_UnsupportedAlgorithm(offset)
        );
    }

    /// @notice keccak256 of the name at `offset`, DER. Of any element: what is no name has no name's hash.
    function hashName(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (bytes32 hash, uint256 end)
    {
        end = Der.skip(der, offset, limit);
        hash = keccak256(der[offset:end]);
    }

    function _readValidity(bytes calldata der, uint256 offset, uint256 limit, Certificate memory certificate)
        private
        pure
        returns (uint256 end)
    {
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, Der.SEQUENCE);
        (certificate.notBefore, cursor) = X509Time.read(der, cursor, end);
        (certificate.notAfter, cursor) = X509Time.read(der, cursor, end);
        Der.requireEnd(cursor, end);
    }

    function _readKey(bytes calldata der, uint256 offset, uint256 limit, Certificate memory certificate)
        private
        pure
        returns (uint256 end)
    {
        uint256 cursor = offset + 27;
        end = cursor + 64;
        require(end <= limit && bytes27(Der.word(der, offset)) == P256_KEY, X509_UnsupportedKey(offset));
        certificate.keyX = Der.word(der, cursor);
        certificate.keyY = Der.word(der, cursor + 32);
    }

    function _readExtensions(bytes calldata der, uint256 cursor, uint256 limit, Certificate memory certificate)
        private
        pure
    {
        bool seenConstraints;
        bool seenUsage;
        while (cursor < limit) {
            uint256 offset = cursor;
            (bytes32 id, bool critical, uint256 start, uint256 end) = openExtension(der, offset, limit);
            if (id == BASIC_CONSTRAINTS) {
                require(!seenConstraints, X509_DuplicateExtension(offset));
                seenConstraints = true;
                certificate.isCa = _readBasicConstraints(der, start, end);
            } else if (id == KEY_USAGE) {
                require(!seenUsage, X509_DuplicateExtension(offset));
                seenUsage = true;
                _readKeyUsage(der, start, end, certificate);
            } else if (id == SGX_EXTENSIONS) {
                require(certificate.sgxStart == 0, X509_DuplicateExtension(offset));
                (certificate.sgxStart, certificate.sgxEnd) = (start, end);
            } else {
                require(!critical, X509_UnknownCriticalExtension(offset));
            }
            cursor = end;
        }
    }

    /// @notice Opens an extension: `SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING }`.
    /// @return id The OID with tag and length, left-aligned; zero for one of more than 32 bytes.
    /// @return critical Whether who does not know it must refuse it.
    /// @return start Where the octet string's content starts.
    /// @return end Where it ends, and the extension with it.
    function openExtension(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (bytes32 id, bool critical, uint256 start, uint256 end)
    {
        uint256 extensionEnd;
        (start, extensionEnd) = Der.open(der, offset, limit, Der.SEQUENCE);
        (, end) = Der.open(der, start, extensionEnd, Der.OBJECT_IDENTIFIER);
        id = Der.shortSlice(der, start, end);
        if (Der.peek(der, end, extensionEnd) == Der.BOOLEAN) (critical, end) = Der.readBool(der, end, extensionEnd);
        (start, end) = Der.open(der, end, extensionEnd, Der.OCTET_STRING);
        Der.requireEnd(end, extensionEnd);
    }

    /// @dev `SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLen INTEGER OPTIONAL }`. The path length needs no look: no chain
    /// here has a CA below a CA.
    function _readBasicConstraints(bytes calldata der, uint256 offset, uint256 limit)
        private
        pure
        returns (bool isCa)
    {
        (uint256 cursor, uint256 end) = Der.open(der, offset, limit, Der.SEQUENCE);
        Der.requireEnd(end, limit);
        if (cursor < end && Der.peek(der, cursor, end) == Der.BOOLEAN) (isCa, cursor) = Der.readBool(der, cursor, end);
        if (cursor < end) (, cursor) = Der.readUint(der, cursor, end);
        Der.requireEnd(cursor, end);
    }

    /// @dev `BIT STRING`: bit 0, the highest of the first byte, is digitalSignature; bit 5 is keyCertSign, 6 cRLSign.
    function _readKeyUsage(bytes calldata der, uint256 offset, uint256 limit, Certificate memory certificate)
        private
        pure
    {
        (uint256 start, uint256 end) = Der.open(der, offset, limit, Der.BIT_STRING);
        Der.requireEnd(end, limit);
        bytes32 content = Der.word(der, start);
        require(end - start >= 2 && end - start <= 3 && uint8(content[0]) < 8, X509_BadKeyUsage(offset));
        bytes1 bits = content[1];
        certificate.maySign = bits & 0x80 != 0;
        certificate.mayCertify = bits & 0x04 != 0;
        certificate.mayRevoke = bits & 0x02 != 0;
    }

    /// @notice Reads a signature: `BIT STRING { 0 unused bits, SEQUENCE { INTEGER r, INTEGER s } }`.
    function readSignature(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (bytes32 r, bytes32 s, uint256 end)
    {
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, Der.BIT_STRING);
        require(cursor < end && Der.word(der, cursor)[0] == 0x00, X509_BadSignatureEncoding(offset));
        uint256 sequenceEnd;
        (cursor, sequenceEnd) = Der.open(der, cursor + 1, end, Der.SEQUENCE);
        Der.requireEnd(sequenceEnd, end);
        uint256 value;
        (value, cursor) = Der.readUint(der, cursor, end);
        r = bytes32(value);
        (value, cursor) = Der.readUint(der, cursor, end);
        s = bytes32(value);
        Der.requireEnd(cursor, end);
    }
}
