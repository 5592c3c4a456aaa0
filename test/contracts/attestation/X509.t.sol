// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Der } from "../../../contracts/lib/Der.sol";
import { Certificate, X509 } from "../../../contracts/lib/X509.sol";
import { deploy } from "../../support/Test.sol";
import { CertificateSpec, TestCertificates } from "../../support/TestCertificates.sol";
import { ILibHarness } from "./ILibHarness.sol";

/// @notice What the certificate reader takes and refuses.
contract X509Test is TestCertificates {
    uint256 private constant ISSUER_KEY = 0x1002;

    ILibHarness private lib;

    function setUp() public {
        lib = ILibHarness(deploy("LibHarness", ""));
    }

    function leafSpec() private pure returns (CertificateSpec memory) {
        return CertificateSpec({
            issuer: nameOf("Test PCK Platform CA"),
            subject: nameOf("Test PCK Certificate"),
            validity: validityOf("260101000000Z", "270101000000Z"),
            publicKey: 0x1003,
            extensions: leafExtensions(sgxExtension(hex"000102030405060708090a0b0c0d0e0f")),
            signedBy: ISSUER_KEY
        });
    }

    function test_WhenCertificateIsIntelsLeaf() public view {
        bytes memory der = vm.readFileBinary("test/vectors/tdx/nearmpc.leaf.der");
        Certificate memory leaf = lib.parse(der);
        Certificate memory issuer = lib.parse(vm.readFileBinary("test/vectors/tdx/platform_ca.der"));
        assertEq(leaf.issuerHash, issuer.subjectHash, "names");
        // Places as `openssl asn1parse` shows them.
        assertEq(leaf.tbsHash, sha256(slice(der, 4, 1_182)), "tbsHash");
        assertEq(leaf.keyX, bytes32(slice(der, 334, 366)), "keyX");
        assertEq(leaf.keyY, bytes32(slice(der, 366, 398)), "keyY");
        assertEq(leaf.serial, uint160(bytes20(slice(der, der[14] == 0x15 ? 16 : 15, der[14] == 0x15 ? 36 : 35))), "serial");
        assertTrue(issuer.mayRevoke && !leaf.mayRevoke, "cRLSign");
        assertEq(leaf.sgxStart, 628, "sgxStart");
        assertEq(leaf.sgxEnd, 1_182, "sgxEnd");
        assertEq(leaf.notBefore, 1_762_414_654, "notBefore");
        assertEq(leaf.notAfter, 1_983_339_454, "notAfter");
        assertTrue(!leaf.isCa && leaf.maySign && !leaf.mayCertify, "role of the leaf");
        assertTrue(issuer.isCa && !issuer.maySign && issuer.mayCertify, "role of the issuer");
        assertEq(issuer.sgxStart, 0, "no SGX extension");
    }

    /// @dev A signed part with one piece replaced: `from` occurs in it once.
    function _certificateWith(bytes memory from, bytes memory to) private pure returns (bytes memory) {
        bytes memory tbs = tbsOf(leafSpec());
        uint256 offset = _indexOf(tbs, from);
        // Its header has four bytes.
        bytes memory content =
            bytes.concat(slice(tbs, 4, offset), to, slice(tbs, offset + from.length, tbs.length));
        return certificateOfTbs(tlv(0x30, content), ISSUER_KEY);
    }

    function test_RevertWhen_VersionIsAnother() public {
        bytes memory der = _certificateWith(hex"a003020102", hex"a003020101");
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedVersion.selector));
        lib.parse(der);
        der = _certificateWith(hex"a003020102", "");
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedVersion.selector));
        lib.parse(der);
    }

    /// @dev The signed part ends where a fixed field should be.
    function test_RevertWhen_SignedPartIsCut() public {
        bytes memory der = certificateOfTbs(tlv(0x30, hex"a0030201"), ISSUER_KEY);
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedVersion.selector));
        lib.parse(der);
        der = certificateOfTbs(tlv(0x30, bytes.concat(hex"a003020102", integer(42))), ISSUER_KEY);
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedAlgorithm.selector, _indexOf(der, integer(42)) + 3));
        lib.parse(der);
        bytes memory tbs = tbsOf(leafSpec());
        uint256 key = _indexOf(tbs, publicKeyInfo(0x1003));
        der = certificateOfTbs(tlv(0x30, slice(tbs, 4, key + 90)), ISSUER_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(X509.X509_UnsupportedKey.selector, _indexOf(der, slice(publicKeyInfo(0x1003), 0, 27)))
        );
        lib.parse(der);
    }

    function test_RevertWhen_SignatureIsEmpty() public {
        bytes memory der = tlv(0x30, bytes.concat(tbsOf(leafSpec()), ECDSA_WITH_SHA256, hex"0300"));
        vm.expectRevert(abi.encodeWithSelector(X509.X509_BadSignatureEncoding.selector, der.length - 2));
        lib.parse(der);
    }

    function test_RevertWhen_SerialIsBad() public {
        bytes[7] memory serials = [
            bytes(hex"0200"), // empty
            hex"020100", // zero
            hex"0201ff", // negative
            hex"0202002a", // a zero too many
            tlv(0x02, new bytes(22)),
            tlv(0x02, bytes.concat(hex"01", new bytes(20))), // 161 bits
            tlv(0x02, bytes.concat(hex"007f", new bytes(19)))
        ];
        for (uint256 i = 0; i < serials.length; i++) {
            bytes memory der = _certificateWith(hex"02012a", serials[i]);
            vm.expectRevert(abi.encodeWithSelector(X509.X509_BadSerial.selector, _tbsAt(der) + 5));
            lib.parse(der);
        }
    }

    function test_RevertWhen_AlgorithmIsAnother() public {
        // ecdsa-with-SHA384 inside.
        bytes memory der = _certificateWith(ECDSA_WITH_SHA256, hex"300a06082a8648ce3d040303");
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedAlgorithm.selector, _tbsAt(der) + 8));
        lib.parse(der);

        // ... and outside.
        der = certificateOf(leafSpec());
        uint256 tbsSize = tbsOf(leafSpec()).length;
        der[4 + tbsSize + 11] = 0x03;
        vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedAlgorithm.selector, 4 + tbsSize));
        lib.parse(der);
    }

    function test_RevertWhen_KeyIsNoP256Key() public {
        // Another curve, and a compressed key.
        bytes[2] memory from = [bytes(hex"06082a8648ce3d030107034200"), hex"03420004"];
        bytes[2] memory to = [bytes(hex"06082a8648ce3d030108034200"), hex"03420002"];
        for (uint256 i = 0; i < 2; i++) {
            bytes memory der = _certificateWith(from[i], to[i]);
            uint256 keyAt = _indexOf(der, hex"30593013");
            vm.expectRevert(abi.encodeWithSelector(X509.X509_UnsupportedKey.selector, keyAt));
            lib.parse(der);
        }
    }

    function test_RevertWhen_ExtensionIsDouble() public {
        bytes[3] memory extensions = [
            extension(KEY_USAGE, true, hex"030206c0"),
            extension(BASIC_CONSTRAINTS, true, hex"3000"),
            extension(SGX_EXTENSIONS, false, hex"3000")
        ];
        for (uint256 i = 0; i < 3; i++) {
            bytes memory der = _withExtensions(bytes.concat(extensions[i], extensions[i]));
            uint256 second = _indexOf(der, extensions[i]) + extensions[i].length;
            vm.expectRevert(abi.encodeWithSelector(X509.X509_DuplicateExtension.selector, second));
            lib.parse(der);
        }
    }

    function test_RevertWhen_CriticalExtensionIsUnknown() public {
        // Name constraints.
        bytes memory unknown = extension(hex"0603551d1e", true, hex"3000");
        bytes memory der = _withExtensions(unknown);
        vm.expectRevert(
            abi.encodeWithSelector(X509.X509_UnknownCriticalExtension.selector, _indexOf(der, unknown))
        );
        lib.parse(der);
        lib.parse(_withExtensions(extension(hex"0603551d1e", false, hex"3000")));
    }

    function test_RevertWhen_ExtensionsAreMissing() public {
        bytes memory der = _certificateWith(tlv(0xa3, tlv(0x30, leafSpec().extensions)), "");
        uint256 end = der.length - _signatureSize(der);
        vm.expectRevert(abi.encodeWithSelector(Der.Der_Truncated.selector, end, end + 2, end));
        lib.parse(der);
    }

    function test_RevertWhen_KeyUsageIsBad() public {
        bytes[3] memory values = [bytes(hex"030106"), hex"030206c0", hex"030208c0"];
        for (uint256 i = 0; i < 3; i++) {
            bytes memory usage = extension(KEY_USAGE, true, values[i]);
            bytes memory der = _withExtensions(usage);
            uint256 valueAt = _indexOf(der, usage) + usage.length - values[i].length;
            // The second is good.
            if (i != 1) vm.expectRevert(abi.encodeWithSelector(X509.X509_BadKeyUsage.selector, valueAt));
            lib.parse(der);
        }
    }

    /// @dev cA FALSE may not be written in DER, but it is no lie: read as it stands.
    function test_WhenBasicConstraintsSayFalse() public view {
        assertTrue(!lib.parse(_withExtensions(extension(BASIC_CONSTRAINTS, true, hex"3003010100"))).isCa, "no CA");
    }

    function test_RevertWhen_BasicConstraintsGoOn() public {
        bytes memory constraints = extension(BASIC_CONSTRAINTS, true, hex"30090101ff0201000201ff");
        bytes memory der = _withExtensions(constraints);
        uint256 end = _indexOf(der, constraints) + constraints.length;
        vm.expectRevert(abi.encodeWithSelector(Der.Der_TrailingBytes.selector, end - 3, end));
        lib.parse(der);
    }

    function test_RevertWhen_BytesFollow() public {
        bytes memory der = bytes.concat(certificateOf(leafSpec()), hex"00");
        vm.expectRevert(abi.encodeWithSelector(Der.Der_TrailingBytes.selector, der.length - 1, der.length));
        lib.parse(der);
    }

    /// @dev Two bytes more in any element, truly signed: all that is signed is read, or refused.
    function test_RevertWhen_SignedElementHasTrailingBytes() public {
        bytes memory validity = tlv(0x30, leafSpec().validity);
        bytes memory list = tlv(0x30, leafSpec().extensions);
        bytes memory usage = extension(KEY_USAGE, true, hex"030206c0");
        bytes[6] memory from = [validity, tlv(0xa3, list), tlv(0xa3, list), usage, usage, usage];
        bytes[6] memory to = [
            tlv(0x30, bytes.concat(leafSpec().validity, hex"0500")),
            tlv(0xa3, bytes.concat(list, hex"0500")),
            bytes.concat(tlv(0xa3, list), hex"0500"),
            tlv(0x30, bytes.concat(KEY_USAGE, TRUE, hex"0404030206c0", hex"0500")),
            extension(KEY_USAGE, true, hex"030206c00500"),
            extension(BASIC_CONSTRAINTS, true, hex"30000500")
        ];
        for (uint256 i = 0; i < from.length; i++) {
            // An extension that grows makes its list longer: the list is written anew, of that extension alone.
            bytes memory der = i < 3 ? _certificateWith(from[i], to[i]) : _withExtensions(to[i]);
            _expectTrailing(der, to[i]);
            lib.parse(der);
        }
    }

    /// @dev The signature is not signed: anyone could write a second form of the same certificate.
    function test_RevertWhen_SignatureHasTrailingBytes() public {
        bytes memory tbs = tbsOf(leafSpec());
        bytes memory pair = bytes.concat(integer(1), integer(2));
        bytes[3] memory signatures = [
            tlv(0x03, bytes.concat(hex"00", tlv(0x30, bytes.concat(pair, hex"0500")))),
            tlv(0x03, bytes.concat(hex"00", tlv(0x30, pair), hex"0500")),
            bytes.concat(tlv(0x03, bytes.concat(hex"00", tlv(0x30, pair))), hex"0500")
        ];
        for (uint256 i = 0; i < signatures.length; i++) {
            bytes memory der = tlv(0x30, bytes.concat(tbs, ECDSA_WITH_SHA256, signatures[i]));
            _expectTrailing(der, signatures[i]);
            lib.parse(der);
        }
    }

    function test_RevertWhen_SignatureHasUnusedBits() public {
        bytes memory der = certificateOf(leafSpec());
        uint256 bits = 4 + tbsOf(leafSpec()).length + 12;
        der[bits + 2] = 0x01;
        vm.expectRevert(abi.encodeWithSelector(X509.X509_BadSignatureEncoding.selector, bits));
        lib.parse(der);
    }

    function testFuzz_RevertWhen_BytesAreAny(bytes memory der, uint256 offset, bytes1 value) public view {
        _assertParsesOrTyped(der);
        // And one byte of a good one, to any value.
        bytes memory changed = certificateOf(leafSpec());
        changed[bound(offset, 0, changed.length - 1)] = value;
        _assertParsesOrTyped(changed);
    }

    function _assertParsesOrTyped(bytes memory der) private view {
        try lib.parse(der) returns (Certificate memory certificate) {
            assertTrue(certificate.sgxStart <= certificate.sgxEnd && certificate.sgxEnd <= der.length, "inside");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            assertTrue(reason.length >= 4 && selector != 0x4e487b71 && selector != 0x08c379a0, "a typed error");
        }
    }

    /// @dev `part` ends with the two bytes that should not be there.
    function _expectTrailing(bytes memory der, bytes memory part) private {
        uint256 end = _indexOf(der, part) + part.length;
        vm.expectRevert(abi.encodeWithSelector(Der.Der_TrailingBytes.selector, end - 2, end));
    }

    function _withExtensions(bytes memory extensions) private pure returns (bytes memory) {
        CertificateSpec memory spec = leafSpec();
        spec.extensions = extensions;
        return certificateOf(spec);
    }

    /// @dev Where the content of the signed part starts: after its header and the certificate's.
    function _tbsAt(bytes memory der) private pure returns (uint256) {
        return _indexOf(der, hex"a003020102");
    }

    /// @dev What follows the signed part, in bytes; the certificate's header says its own size in 1 or 2 bytes.
    function _signatureSize(bytes memory der) private pure returns (uint256) {
        uint256 outer = der[1] == 0x81 ? 3 : 4;
        uint256 inner = der[outer + 1] == 0x81 ? 3 : 4;
        uint256 size = inner == 3
            ? uint8(der[outer + 2])
            : uint256(uint8(der[outer + 2])) << 8 | uint8(der[outer + 3]);
        return der.length - outer - inner - size;
    }

    function _indexOf(bytes memory data, bytes memory part) private pure returns (uint256) {
        for (uint256 i = 0; i + part.length <= data.length; i++) {
            if (keccak256(slice(data, i, i + part.length)) == keccak256(part)) return i;
        }
        revert AssertionFailedBytes("no such part", data, part);
    }
}
