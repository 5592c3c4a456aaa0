// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Test } from "./Test.sol";

/// @notice A certificate to be made. Every field is written as it is, so that hostile ones can be made too.
/// @param issuer Name, DER.
/// @param subject Name, DER.
/// @param validity Content of the validity sequence: two times, DER.
/// @param publicKey Private key whose public key is certified.
/// @param extensions Content of the sequence of extensions, DER.
/// @param signedBy Private key of the issuer.
struct CertificateSpec {
    bytes issuer;
    bytes subject;
    bytes validity;
    uint256 publicKey;
    bytes extensions;
    uint256 signedBy;
}

/// @title TestCertificates
/// @notice Writes certificates, DER, truly signed by whatever key.
/// @custom:source RFC 5280, section 4; Intel "SGX PCK Certificate and CRL Profile Specification"
abstract contract TestCertificates is Test {
    bytes internal constant ECDSA_WITH_SHA256 = hex"300a06082a8648ce3d040302";
    bytes internal constant BASIC_CONSTRAINTS = hex"0603551d13";
    bytes internal constant KEY_USAGE = hex"0603551d0f";
    bytes internal constant SGX_EXTENSIONS = hex"06092a864886f84d010d01";
    bytes internal constant TRUE = hex"0101ff";

    /// @notice One DER element, with the shortest form of its length.
    function tlv(uint8 tag, bytes memory content) internal pure returns (bytes memory) {
        uint256 size = content.length;
        if (size < 0x80) return abi.encodePacked(tag, uint8(size), content);
        if (size < 0x100) return abi.encodePacked(tag, uint8(0x81), uint8(size), content);
        return abi.encodePacked(tag, uint8(0x82), uint16(size), content);
    }

    /// @notice A name with a common name only.
    function nameOf(string memory commonName) internal pure returns (bytes memory) {
        bytes memory attribute = bytes.concat(hex"0603550403", tlv(0x0c, bytes(commonName)));
        return tlv(0x30, tlv(0x31, tlv(0x30, attribute)));
    }

    /// @notice Two UTC times.
    function validityOf(string memory notBefore, string memory notAfter) internal pure returns (bytes memory) {
        return bytes.concat(tlv(0x17, bytes(notBefore)), tlv(0x17, bytes(notAfter)));
    }

    /// @notice An extension, critical or not.
    function extension(bytes memory id, bool critical, bytes memory value) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(id, critical ? TRUE : bytes(""), tlv(0x04, value)));
    }

    /// @notice Extensions of a CA, as Intel's Platform CA has them: cA with path length 0, keyCertSign and cRLSign.
    function caExtensions() internal pure returns (bytes memory) {
        return bytes.concat(
            extension(KEY_USAGE, true, hex"03020106"), extension(BASIC_CONSTRAINTS, true, hex"30060101ff020100")
        );
    }

    /// @notice Extensions of a PCK leaf, as Intel's have them.
    function leafExtensions(bytes memory sgx) internal pure returns (bytes memory) {
        return bytes.concat(
            extension(KEY_USAGE, true, hex"030206c0"),
            extension(BASIC_CONSTRAINTS, true, hex"3000"),
            extension(SGX_EXTENSIONS, false, sgx)
        );
    }

    /// @notice Value of the SGX extension: the PPID, then an FMSPC that the verifier passes over.
    function sgxExtension(bytes memory ppid) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(ppidItem(ppid), hex"3014060a2a864886f84d010d01040406b0c06f000000"));
    }

    /// @notice One PPID item of the SGX extension.
    function ppidItem(bytes memory ppid) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(hex"060a2a864886f84d010d0101", tlv(0x04, ppid)));
    }

    /// @notice A name as Intel writes those of its authorities.
    function intelName(string memory commonName) internal pure returns (bytes memory) {
        bytes memory attribute = bytes.concat(hex"0603550403", tlv(0x0c, bytes(commonName)));
        return tlv(
            0x30,
            bytes.concat(
                tlv(0x31, tlv(0x30, attribute)),
                hex"311a3018060355040a0c11496e74656c20436f72706f726174696f6e",
                hex"3114301206035504070c0b53616e746120436c617261310b300906035504080c024341310b3009060355040613025553"
            )
        );
    }

    /// @notice The signed part of a certificate with serial number 42.
    function tbsOf(CertificateSpec memory spec) internal pure returns (bytes memory) {
        return tbsOf(spec, 42);
    }

    /// @notice The signed part of a certificate.
    function tbsOf(CertificateSpec memory spec, uint160 serial) internal pure returns (bytes memory) {
        bytes memory head = bytes.concat(hex"a003020102", integer(serial), ECDSA_WITH_SHA256, spec.issuer);
        bytes memory subject = bytes.concat(tlv(0x30, spec.validity), spec.subject, publicKeyInfo(spec.publicKey));
        return tlv(0x30, bytes.concat(head, subject, tlv(0xa3, tlv(0x30, spec.extensions))));
    }

    /// @notice SubjectPublicKeyInfo of a P-256 secret's public key.
    function publicKeyInfo(uint256 secret) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(secret);
        return abi.encodePacked(hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004", x, y);
    }

    /// @notice The certificate.
    function certificateOf(CertificateSpec memory spec) internal pure returns (bytes memory) {
        return certificateOfTbs(tbsOf(spec), spec.signedBy);
    }

    /// @notice The certificate around any signed part.
    function certificateOfTbs(bytes memory tbs, uint256 signedBy) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(signedBy, sha256(tbs));
        bytes memory pair = tlv(0x30, bytes.concat(integer(uint256(r)), integer(uint256(s))));
        return tlv(0x30, bytes.concat(tbs, ECDSA_WITH_SHA256, tlv(0x03, bytes.concat(hex"00", pair))));
    }

    /// @notice A non-negative DER integer.
    function integer(uint256 value) internal pure returns (bytes memory) {
        uint256 size = 1;
        while (size < 32 && value >> (8 * size) != 0) size++;
        bytes memory digits = new bytes(size);
        for (uint256 i = 0; i < size; i++) {
            digits[i] = bytes1(uint8(value >> (8 * (size - 1 - i))));
        }
        return tlv(0x02, uint8(digits[0]) < 0x80 ? digits : bytes.concat(hex"00", digits));
    }
}
