// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256Key } from "../../contracts/interfaces/TcbTypes.sol";
import { CertificateSpec, TestCertificates } from "./TestCertificates.sol";

/// @notice What the SGX extension of a PCK certificate says, field by field.
struct PckFields {
    bytes ppid;
    bytes16 componentSvns;
    uint16 pceSvn;
    bytes pceId;
    bytes fmspc;
}

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
    bytes16 internal constant COMPONENT_SVNS = 0x04040202040100050000000000000000;
    uint16 internal constant PCE_SVN = 11;
    bytes6 internal constant PLATFORM_FMSPC = 0xb0c06f000000;
    bytes16 internal constant TEE_TCB_SVN = 0x0b010400000000000000000000000000;
    uint16 internal constant QE_ISV_SVN = 6;
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
    uint256 internal constant TEE_TCB_SVN_2_AT = 584;
    uint256 internal constant MR_SERVICE_TD_AT = 600;

    /* CERTIFICATES */

    function keyOf(uint256 privateKey) internal pure returns (P256Key memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(privateKey);
        return P256Key(bytes32(x), bytes32(y));
    }

    function issuerSpec() internal pure returns (CertificateSpec memory spec) {
        spec.issuer = intelName("Intel SGX Root CA");
        spec.subject = intelName("Intel SGX PCK Platform CA");
        spec.validity = validityOf(NOT_BEFORE, ISSUER_NOT_AFTER);
        spec.publicKey = ISSUER_KEY;
        spec.extensions = caExtensions();
        spec.signedBy = ROOT_KEY;
    }

    function leafSpec() internal pure returns (CertificateSpec memory spec) {
        spec.issuer = intelName("Intel SGX PCK Platform CA");
        spec.subject = intelName("Intel SGX PCK Certificate");
        spec.validity = validityOf(NOT_BEFORE, LEAF_NOT_AFTER);
        spec.publicKey = PCK_KEY;
        spec.extensions = leafExtensions(pckExtension(pckFields()));
        spec.signedBy = ISSUER_KEY;
    }

    function pckFields() internal pure returns (PckFields memory) {
        return PckFields(PPID, COMPONENT_SVNS, PCE_SVN, hex"0000", abi.encodePacked(PLATFORM_FMSPC));
    }

    /// @notice Value of the SGX extension with all that Intel writes into it.
    function pckExtension(PckFields memory fields) internal pure returns (bytes memory) {
        return tlv(
            0x30,
            bytes.concat(
                pckField(1, tlv(0x04, fields.ppid)),
                pckField(2, tlv(0x30, tcbFields(fields.componentSvns, fields.pceSvn))),
                pckField(3, tlv(0x04, fields.pceId)),
                pckField(4, tlv(0x04, fields.fmspc)),
                // SGX type, scalable; platform instance id.
                pckField(5, hex"0a0101"),
                pckField(6, tlv(0x04, new bytes(16)))
            )
        );
    }

    /// @notice One field of the SGX extension.
    function pckField(uint8 number, bytes memory value) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(tlv(0x06, abi.encodePacked(hex"2a864886f84d010d01", number)), value));
    }

    /// @notice One field of the TCB within the SGX extension.
    function tcbField(uint8 number, bytes memory value) internal pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(tlv(0x06, abi.encodePacked(hex"2a864886f84d010d0102", number)), value));
    }

    /// @notice All fields of the TCB.
    function tcbFields(bytes16 componentSvns, uint16 pceSvn) internal pure returns (bytes memory list) {
        for (uint8 i = 0; i < 16; i++) {
            list = bytes.concat(list, tcbField(i + 1, integer(uint8(componentSvns[i]))));
        }
        return bytes.concat(
            list, tcbField(17, integer(pceSvn)), tcbField(18, tlv(0x04, abi.encodePacked(componentSvns)))
        );
    }

    /* QUOTES */

    function header() internal pure returns (bytes memory) {
        return headerOf(4);
    }

    function headerOf(uint8 version) internal pure returns (bytes memory) {
        return abi.encodePacked(
            version, hex"00020081000000", bytes4(0), hex"939a7233f79c4ca9940a0db3957f0607", new bytes(20)
        );
    }

    /// @notice What stands before a report body in a version 5 quote, with its type: 2 for TD 1.0, 3 for TD 1.5.
    function header5(uint16 bodyType, uint32 size) internal pure returns (bytes memory) {
        return bytes.concat(headerOf(5), le16(bodyType), le32(size));
    }

    /// @notice A report body: closed guest, MRCONFIGID of version 1, each measurement another byte repeated.
    function reportBody() internal pure returns (bytes memory body) {
        body = new bytes(584);
        put(body, 0, abi.encodePacked(TEE_TCB_SVN));
        put(body, TD_ATTRIBUTES_AT, hex"0000001000000000");
        put(body, XFAM_AT, hex"e702060000000000");
        fill(body, MR_TD_AT, 48, 0xa0);
        body[MR_CONFIG_ID_AT] = 0x01;
        fill(body, MR_CONFIG_ID_AT + 1, 32, 0xc0);
        for (uint8 i = 0; i < 4; i++) {
            fill(body, RT_MR0_AT + 48 * uint256(i), 48, 0xb0 + i);
        }
    }

    /// @notice A TD 1.5 body like the other, now under another TDX module.
    function reportBody15(bytes16 teeTcbSvn2) internal pure returns (bytes memory) {
        return bytes.concat(reportBody(), teeTcbSvn2, new bytes(48));
    }

    /// @notice A report of Intel's TD quoting enclave that vouches for the attestation key and `authData`.
    function qeReport(bytes memory authData) internal pure returns (bytes memory) {
        return qeReportFor(ATTESTATION_KEY, authData);
    }

    function qeReportFor(uint256 attestationKey, bytes memory authData) internal pure returns (bytes memory report) {
        report = new bytes(384);
        put(report, 48, hex"1500000000000000e700000000000000");
        put(report, 128, hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5");
        put(report, 256, bytes.concat(le16(2), le16(QE_ISV_SVN)));
        P256Key memory key = keyOf(attestationKey);
        put(report, 320, abi.encodePacked(sha256(abi.encodePacked(key.x, key.y, authData))));
    }

    /// @notice A quote of `body`, signed all the way: version 4, or version 5 for a TD 1.5 body.
    function quoteOf(bytes memory body) internal pure returns (bytes memory) {
        bytes memory head = body.length == 584 ? header() : header5(3, 648);
        return assemble(head, body, qeReport(AUTH_DATA), AUTH_DATA);
    }

    /// @notice A quote of any parts; both signatures are made over what is given.
    function assemble(bytes memory head, bytes memory body, bytes memory report, bytes memory authData)
        internal
        pure
        returns (bytes memory)
    {
        return assembleWith(ATTESTATION_KEY, head, body, report, authData);
    }

    function assembleWith(
        uint256 attestationKey,
        bytes memory head,
        bytes memory body,
        bytes memory report,
        bytes memory authData
    ) internal pure returns (bytes memory) {
        P256Key memory key = keyOf(attestationKey);
        (bytes32 r, bytes32 s) = vm.signP256(attestationKey, sha256(bytes.concat(head, body)));
        (bytes32 qeR, bytes32 qeS) = vm.signP256(PCK_KEY, sha256(report));
        bytes memory certification = abi.encodePacked(report, qeR, qeS, le16(authData.length), authData);
        // As if a chain of 1,000 bytes followed, with its type and size.
        uint256 size = certification.length + 6 + 1_000;
        return abi.encodePacked(
            head, body, le32(size + 134), r, s, key.x, key.y, hex"0600", le32(size), certification
        );
    }

    /* BYTES */

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
