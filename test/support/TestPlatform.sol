// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { TdxVerifier } from "../../contracts/attestation/TdxVerifier.sol";
import { CertificateSpec, TestCertificates } from "./TestCertificates.sol";

/// @title TestPlatform
/// @notice A TDX platform in software: truly signed quotes of any content, under a root of its own.
/// @custom:source layout: see contracts/attestation/TdQuote.sol, TdReport.sol, QeReport.sol
abstract contract TestPlatform is TestCertificates {
    uint256 internal constant ROOT_KEY = 0x1001;
    uint256 internal constant ISSUER_KEY = 0x1002;
    uint256 internal constant PCK_KEY = 0x1003;
    uint256 internal constant ATTESTATION_KEY = 0x1004;

    /// @dev 2026-06-01 00:00:00 UTC, and the first and last second of the certificates' validity.
    uint256 internal constant NOW = 1_780_272_000;
    string internal constant NOT_BEFORE = "260101000000Z";
    uint64 internal constant NOT_BEFORE_SECONDS = 1_767_225_600;
    string internal constant LEAF_NOT_AFTER = "270101000000Z";
    uint64 internal constant LEAF_NOT_AFTER_SECONDS = 1_798_761_600;
    string internal constant ISSUER_NOT_AFTER = "330101000000Z";
    uint64 internal constant ISSUER_NOT_AFTER_SECONDS = 1_988_150_400;

    bytes internal constant PPID = hex"000102030405060708090a0b0c0d0e0f";
    bytes internal constant AUTH_DATA = hex"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    // Where fields start in a report body.
    uint256 internal constant MR_SIGNER_SEAM_AT = 64;
    uint256 internal constant SEAM_ATTRIBUTES_AT = 112;
    uint256 internal constant TD_ATTRIBUTES_AT = 120;
    uint256 internal constant XFAM_AT = 128;
    uint256 internal constant MR_TD_AT = 136;
    uint256 internal constant MR_CONFIG_ID_AT = 184;
    uint256 internal constant RT_MR0_AT = 328;
    uint256 internal constant REPORT_DATA_AT = 520;

    function deployVerifier() internal returns (TdxVerifier) {
        (uint256 x, uint256 y) = vm.publicKeyP256(ROOT_KEY);
        return new TdxVerifier(bytes32(x), bytes32(y));
    }

    function issuerSpec() internal pure returns (CertificateSpec memory) {
        return CertificateSpec({
            issuer: nameOf("Test Root"),
            subject: nameOf("Test PCK Platform CA"),
            validity: validityOf(NOT_BEFORE, ISSUER_NOT_AFTER),
            publicKey: ISSUER_KEY,
            extensions: caExtensions(),
            signedBy: ROOT_KEY
        });
    }

    function leafSpec() internal pure returns (CertificateSpec memory) {
        return CertificateSpec({
            issuer: nameOf("Test PCK Platform CA"),
            subject: nameOf("Test PCK Certificate"),
            validity: validityOf(NOT_BEFORE, LEAF_NOT_AFTER),
            publicKey: PCK_KEY,
            extensions: leafExtensions(sgxExtension(PPID)),
            signedBy: ISSUER_KEY
        });
    }

    function header() internal pure returns (bytes memory) {
        return abi.encodePacked(
            hex"0400020081000000", bytes4(0), hex"939a7233f79c4ca9940a0db3957f0607", new bytes(20)
        );
    }

    /// @notice A report body: closed guest, MRCONFIGID of version 1, each measurement another byte repeated.
    function reportBody() internal pure returns (bytes memory body) {
        body = new bytes(584);
        put(body, TD_ATTRIBUTES_AT, hex"0000001000000000");
        put(body, XFAM_AT, hex"e702060000000000");
        fill(body, MR_TD_AT, 48, 0xa0);
        body[MR_CONFIG_ID_AT] = 0x01;
        fill(body, MR_CONFIG_ID_AT + 1, 32, 0xc0);
        for (uint8 i = 0; i < 4; i++) {
            fill(body, RT_MR0_AT + 48 * uint256(i), 48, 0xb0 + i);
        }
    }

    /// @notice A report of Intel's TD quoting enclave that vouches for the attestation key and `authData`.
    function qeReport(bytes memory authData) internal pure returns (bytes memory report) {
        report = new bytes(384);
        put(report, 48, hex"1500000000000000e700000000000000");
        put(report, 128, hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5");
        put(report, 256, hex"02000600");
        (uint256 x, uint256 y) = vm.publicKeyP256(ATTESTATION_KEY);
        put(report, 320, abi.encodePacked(sha256(abi.encodePacked(x, y, authData))));
    }

    /// @notice A quote of `body`, signed all the way.
    function quoteOf(bytes memory body) internal pure returns (bytes memory) {
        return assemble(header(), body, qeReport(AUTH_DATA), AUTH_DATA);
    }

    /// @notice A quote of any parts; both signatures are made over what is given.
    function assemble(bytes memory head, bytes memory body, bytes memory report, bytes memory authData)
        internal
        pure
        returns (bytes memory)
    {
        (uint256 x, uint256 y) = vm.publicKeyP256(ATTESTATION_KEY);
        (bytes32 r, bytes32 s) = vm.signP256(ATTESTATION_KEY, sha256(bytes.concat(head, body)));
        (bytes32 qeR, bytes32 qeS) = vm.signP256(PCK_KEY, sha256(report));
        bytes memory certification = abi.encodePacked(report, qeR, qeS, le16(authData.length), authData);
        // As if a chain of 1,000 bytes followed, with its type and size.
        uint256 size = certification.length + 6 + 1_000;
        return abi.encodePacked(
            head, body, le32(size + 134), r, s, x, y, hex"0600", le32(size), certification
        );
    }

    /// @notice Writes `part` over `data` from `offset`.
    function put(bytes memory data, uint256 offset, bytes memory part) internal pure {
        for (uint256 i = 0; i < part.length; i++) {
            data[offset + i] = part[i];
        }
    }

    function fill(bytes memory data, uint256 offset, uint256 size, uint8 value) internal pure {
        for (uint256 i = 0; i < size; i++) {
            data[offset + i] = bytes1(value);
        }
    }

    function le16(uint256 value) internal pure returns (bytes2) {
        return bytes2(uint16((value >> 8) & 0xff | (value & 0xff) << 8));
    }

    function le32(uint256 value) internal pure returns (bytes4) {
        return bytes4(bytes.concat(le16(value & 0xffff), le16(value >> 16)));
    }
}
