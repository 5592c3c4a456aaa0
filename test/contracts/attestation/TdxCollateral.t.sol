// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IntelNames } from "../../../contracts/attestation/IntelNames.sol";
import { AuthorityRole, CollateralItem, CollateralKind, ITdxCollateral } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { Crl } from "../../../contracts/lib/Crl.sol";
import { FastLz } from "../../../contracts/lib/FastLz.sol";
import { Json } from "../../../contracts/lib/Json.sol";
import { X509 } from "../../../contracts/lib/X509.sol";
import { deploy } from "../../support/Test.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { TestCollateral } from "../../support/TestCollateral.sol";

/// @notice Who may sign, what is refused, and what is in force.
contract TdxCollateralTest is TestCollateral {
    bytes6 private constant FMSPC = 0x00a06f000000;

    ITdxCollateral private collateral;

    function setUp() public {
        vm.warp(COLLATERAL_NOW);
        collateral = deployCollateral(15);
        addAuthorities(collateral);
    }

    function _submitAll() private {
        uint160[] memory none;
        collateral.upsertRootCrl(rootCrlOf(none, crlDates()));
        collateral.upsertPckCrl(keyOf(PLATFORM_CA), pckCrlOf(none), "");
        submitQeIdentity(collateral, qeIdentityOf(ISSUED, NEXT, "17"));
        submitTcbInfo(collateral, tcbInfoOf(ISSUED, NEXT, "18"));
    }

    /* AUTHORITIES */

    function test_RevertWhen_RootKeyIsNoPoint() public {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadRootKey.selector, bytes32(uint256(1)), bytes32(uint256(2)))
        );
        deploy("TdxCollateral", abi.encode(1, 2, 1));
    }

    function test_AddAuthority() public view {
        assertEq(collateral.authorityCount(), 3, "count");
        assertEq(collateral.authorityNumber(keyOf(PLATFORM_CA)), 1, "number");
        assertEq(collateral.authorityNumber(keyOf(COLLATERAL_ROOT)), 0, "the root is none");
        assertEq(collateral.authority(3).serial, 103, "serial");
        assertEq(collateral.authority(3).notAfter, AUTHORITY_NOT_AFTER, "notAfter");
        assertEq(uint256(collateral.authority(2).role), uint256(AuthorityRole.PckProcessorCa), "role");
        (uint16 number, AuthorityRole role) = collateral.findAuthority(keyOf(PROCESSOR_CA));
        assertEq(number, 2, "found");
        assertEq(uint256(role), uint256(AuthorityRole.PckProcessorCa), "role of the found");
        (number, role) = collateral.findAuthority(keyOf(COLLATERAL_ROOT));
        assertEq(number, 0, "none found");
        assertEq(uint256(role), uint256(AuthorityRole.None), "no role");
        (bytes32 x, bytes32 y) = collateral.rootKey();
        assertEq(x, keyOf(COLLATERAL_ROOT).x, "x");
        assertEq(y, keyOf(COLLATERAL_ROOT).y, "y");
    }

    function _expectAdd(CertificateSpec memory spec, bytes memory reason) private {
        _expectAdd(spec, 200, reason);
    }

    function _expectAdd(CertificateSpec memory spec, uint160 serial, bytes memory reason) private {
        bytes memory certificate = certificateOf(spec, serial);
        vm.expectRevert(reason);
        collateral.addAuthority(certificate);
    }

    function test_RevertWhen_CertificateIsNotAnAuthoritys() public {
        CertificateSpec memory spec = platformCaSpec();
        spec.issuer = nameOf("Test Root");
        _expectAdd(
            spec,
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_WrongIssuer.selector, keccak256(spec.issuer), IntelNames.ROOT_CA
            )
        );
        spec = platformCaSpec();
        spec.subject = nameOf("Intel SGX PCK Platform CA");
        _expectAdd(
            spec,
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_UnknownSubject.selector, keccak256(spec.subject))
        );
        spec = platformCaSpec();
        spec.subject = intelName("Intel SGX Root CA");
        _expectAdd(
            spec, abi.encodeWithSelector(ITdxCollateral.TdxCollateral_UnknownSubject.selector, IntelNames.ROOT_CA)
        );
        spec = platformCaSpec();
        spec.signedBy = PROCESSOR_CA;
        _expectAdd(spec, abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadCertificateSignature.selector));
    }

    function test_RevertWhen_CertificateHasAnotherRole() public {
        // A leaf as CA; a CA that may not sign lists; one that may not certify; a CA as signer; a signer that may not sign.
        CertificateSpec memory spec = platformCaSpec();
        spec.extensions = signerExtensions();
        _expectAdd(spec, _wrongRole(AuthorityRole.PckPlatformCa, false, false, false, true));
        bytes memory ca = extension(BASIC_CONSTRAINTS, true, hex"30060101ff020100");
        spec.extensions = bytes.concat(extension(KEY_USAGE, true, hex"03020204"), ca);
        _expectAdd(spec, _wrongRole(AuthorityRole.PckPlatformCa, true, true, false, false));
        spec.extensions = bytes.concat(extension(KEY_USAGE, true, hex"03020102"), ca);
        _expectAdd(spec, _wrongRole(AuthorityRole.PckPlatformCa, true, false, true, false));
        spec = tcbSigningSpec();
        spec.extensions = caExtensions();
        _expectAdd(spec, _wrongRole(AuthorityRole.TcbSigning, true, true, true, false));
        spec.extensions = bytes.concat(extension(KEY_USAGE, true, hex"03020640"));
        _expectAdd(spec, _wrongRole(AuthorityRole.TcbSigning, false, false, false, false));
    }

    function _wrongRole(AuthorityRole role, bool isCa, bool mayCertify, bool mayRevoke, bool maySign)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            ITdxCollateral.TdxCollateral_WrongCertificateRole.selector, role, isCa, mayCertify, mayRevoke, maySign
        );
    }

    function test_RevertWhen_CertificateIsOutOfDate() public {
        CertificateSpec memory spec = platformCaSpec();
        bytes memory certificate = certificateOf(spec, 200);
        vm.warp(1_767_225_599);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_CertificateNotYetValid.selector, 1_767_225_600, 1_767_225_599
            )
        );
        collateral.addAuthority(certificate);
        vm.warp(AUTHORITY_NOT_AFTER + 1);
        vm.expectRevert(_expired(AUTHORITY_NOT_AFTER));
        collateral.addAuthority(certificate);
    }

    function _expired(uint64 notAfter) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ITdxCollateral.TdxCollateral_CertificateExpired.selector, notAfter, uint256(notAfter) + 1
        );
    }

    function test_WhenCertificateIsRenewed() public {
        CertificateSpec memory spec = platformCaSpec();
        _expectAdd(
            spec,
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_CertificateNotNewer.selector, AUTHORITY_NOT_AFTER, AUTHORITY_NOT_AFTER
            )
        );
        spec.validity = validityOf("260101000000Z", "330101000001Z");
        assertEq(collateral.addAuthority(certificateOf(spec, 200)), 1, "same number");
        assertEq(collateral.authority(1).serial, 200, "serial");
        assertEq(collateral.authority(1).notAfter, AUTHORITY_NOT_AFTER + 1, "notAfter");
        assertEq(collateral.authorityCount(), 3, "count");
        spec.subject = intelName("Intel SGX PCK Processor CA");
        _expectAdd(
            spec,
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_KeyHasAnotherRole.selector,
                1,
                AuthorityRole.PckPlatformCa,
                AuthorityRole.PckProcessorCa
            )
        );
    }

    /// @dev A revoked certificate's successor need not be valid for longer: else the key would be lost for ever.
    function test_WhenCertificateIsRevoked_AnyOtherTakesItsPlace() public {
        uint160[] memory serials = new uint160[](1);
        serials[0] = 101;
        collateral.upsertRootCrl(rootCrlOf(serials, crlDates()));
        CertificateSpec memory spec = platformCaSpec();
        spec.validity = validityOf("260101000000Z", "320101000000Z");
        assertEq(collateral.addAuthority(certificateOf(spec, 200)), 1, "same number");
        assertEq(collateral.authority(1).serial, 200, "serial");
        assertTrue(!collateral.authority(1).revoked, "revoked");
        // The revoked one does not come back, though it is valid for longer.
        _expectAdd(platformCaSpec(), 101, _revoked(1, 101));
    }

    /* REVOCATION BY THE ROOT */

    function test_WhenRootRevokes() public {
        _submitAll();
        uint160[] memory serials = new uint160[](3);
        (serials[0], serials[1], serials[2]) = (101, 300, 103);
        collateral.upsertRootCrl(rootCrlOf(serials, validityOf("260531000001Z", "260630000000Z")));
        assertTrue(collateral.authority(1).revoked && collateral.authority(3).revoked, "revoked");
        assertTrue(!collateral.authority(2).revoked, "not revoked");

        // The issuer by a flag, once the signer is not the reason.
        vm.expectRevert(_revoked(3, 103));
        collateral.inForce(FMSPC, 1);
        vm.expectRevert(_revoked(1, 101));
        collateral.upsertPckCrl(keyOf(PLATFORM_CA), "", "");
        P256Key memory signer = keyOf(TCB_SIGNER);
        vm.expectRevert(_revoked(3, 103));
        collateral.upsertTcbInfo(signer, "", "");

        // A later list without them changes nothing; a serial revoked before it came cannot come.
        uint160[] memory none;
        collateral.upsertRootCrl(rootCrlOf(none, validityOf("260531000002Z", "260630000000Z")));
        assertTrue(collateral.authority(1).revoked, "for ever");
        collateral.upsertRootCrl(rootCrlOf(serials, validityOf("260531000003Z", "260630000000Z")));
        assertTrue(collateral.authority(1).revoked, "once more");
        CertificateSpec memory spec = platformCaSpec();
        spec.validity = validityOf("260101000000Z", "340101000000Z");
        bytes memory certificate = certificateOf(spec, 300);
        vm.expectRevert(_revoked(1, 300));
        collateral.addAuthority(certificate);
        spec.publicKey = 0x3333;
        certificate = certificateOf(spec, 101);
        vm.expectRevert(_revoked(0, 101));
        collateral.addAuthority(certificate);

        // The root certified the key anew.
        spec = tcbSigningSpec();
        spec.validity = validityOf("260101000000Z", "340101000000Z");
        collateral.addAuthority(certificateOf(spec, 104));
        assertTrue(collateral.inForce(FMSPC, 1).issuerRevoked, "the issuer is still revoked");
    }

    /// @dev Else a thief of the key could record the highest number there is, and nothing could ever follow.
    function test_WhenTheSignerIsRevoked_WhatFollowsNeedNotBeNewer() public {
        _submitAll();
        vm.warp(COLLATERAL_NOW + 1);
        submitTcbInfo(collateral, tcbInfoOf("2026-05-31T12:00:00Z", NEXT, "65535"));
        uint160[] memory serials = new uint160[](1);
        serials[0] = 103;
        collateral.upsertRootCrl(rootCrlOf(serials, validityOf("260531000001Z", "260630000000Z")));

        CertificateSpec memory spec = tcbSigningSpec();
        spec.publicKey = 0x4444;
        collateral.addAuthority(certificateOf(spec, 105));
        bytes memory text = tcbInfoOf(ISSUED, NEXT, "18");
        P256Key memory signer = keyOf(0x4444);
        bytes memory signature = signatureOf(0x4444, text);
        collateral.upsertTcbInfo(signer, packed(text), signature);
        assertEq(collateral.tcbInfo(FMSPC).number, 18, "number");
        assertEq(collateral.tcbInfo(FMSPC).signer, 4, "signer");

        // Once only: from there on as ever.
        bytes memory packedText = packed(text);
        uint32 issuedAt = collateral.tcbInfo(FMSPC).issuedAt;
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_NotNewer.selector, CollateralKind.TcbInfo, issuedAt, issuedAt
            )
        );
        collateral.upsertTcbInfo(signer, packedText, signature);
    }

    function _revoked(uint16 number, uint160 serial) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITdxCollateral.TdxCollateral_AuthorityRevoked.selector, number, serial);
    }

    function test_RevertWhen_RootCrlIsNotTheRoots() public {
        uint160[] memory none;
        bytes memory crl = pckCrlOf(none);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_WrongIssuer.selector, IntelNames.PCK_PLATFORM_CA, IntelNames.ROOT_CA
            )
        );
        collateral.upsertRootCrl(crl);
        bytes memory tbs = crlTbs(intelName("Intel SGX Root CA"), crlDates(), "", crlExtensions(1));
        crl = certificateOfTbs(tbs, PLATFORM_CA);
        vm.expectRevert(
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadSignature.selector, CollateralKind.RootCrl)
        );
        collateral.upsertRootCrl(crl);
    }

    /* SIGNERS */

    function test_RevertWhen_SignerMayNotSign() public {
        P256Key memory key = keyOf(0x9999);
        vm.expectRevert(abi.encodeWithSelector(ITdxCollateral.TdxCollateral_UnknownAuthority.selector, key.x, key.y));
        collateral.upsertTcbInfo(key, "", "");
        key = keyOf(PLATFORM_CA);
        vm.expectRevert(_role(1, AuthorityRole.PckPlatformCa, CollateralKind.TcbInfo));
        collateral.upsertTcbInfo(key, "", "");
        vm.expectRevert(_role(1, AuthorityRole.PckPlatformCa, CollateralKind.QeIdentity));
        collateral.upsertQeIdentity(key, "", "");
        key = keyOf(TCB_SIGNER);
        vm.expectRevert(_role(3, AuthorityRole.TcbSigning, CollateralKind.PckCrl));
        collateral.upsertPckCrl(key, "", "");
        vm.warp(AUTHORITY_NOT_AFTER + 1);
        vm.expectRevert(_expired(AUTHORITY_NOT_AFTER));
        collateral.upsertTcbInfo(key, "", "");
    }

    function _role(uint16 number, AuthorityRole role, CollateralKind kind) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITdxCollateral.TdxCollateral_WrongRole.selector, number, role, kind);
    }

    function test_RevertWhen_SignatureIsBad() public {
        P256Key memory key = keyOf(TCB_SIGNER);
        bytes memory text = tcbInfoOf(ISSUED, NEXT, "18");
        bytes memory packedText = packed(text);
        vm.expectRevert(abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadSignatureLength.selector, 63));
        collateral.upsertTcbInfo(key, packedText, new bytes(63));
        bytes memory signature = signatureOf(PLATFORM_CA, text);
        vm.expectRevert(
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadSignature.selector, CollateralKind.TcbInfo)
        );
        collateral.upsertTcbInfo(key, packedText, signature);
        text = qeIdentityOf(ISSUED, NEXT, "18");
        vm.expectRevert(
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadSignature.selector, CollateralKind.QeIdentity)
        );
        collateral.upsertQeIdentity(key, text, signature);
        uint160[] memory none;
        bytes memory crl = certificateOfTbs(
            crlTbs(intelName("Intel SGX PCK Platform CA"), crlDates(), crlEntries(none), crlExtensions(1)), PROCESSOR_CA
        );
        key = keyOf(PLATFORM_CA);
        vm.expectRevert(
            abi.encodeWithSelector(ITdxCollateral.TdxCollateral_BadSignature.selector, CollateralKind.PckCrl)
        );
        collateral.upsertPckCrl(key, crl, "");
        // One CA's list in the other's name.
        crl = pckCrlOf(none);
        key = keyOf(PROCESSOR_CA);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_WrongIssuer.selector,
                IntelNames.PCK_PLATFORM_CA,
                IntelNames.PCK_PROCESSOR_CA
            )
        );
        collateral.upsertPckCrl(key, crl, "");
    }

    /* SIZES */

    function test_RevertWhen_InputIsTooLong() public {
        P256Key memory key = keyOf(TCB_SIGNER);
        vm.expectRevert(abi.encodeWithSelector(Json.Json_TooLong.selector, 4_097, 4_096));
        collateral.upsertQeIdentity(key, new bytes(4_097), "");
        vm.expectRevert(abi.encodeWithSelector(FastLz.FastLz_PackedTooLong.selector, 8_193, 8_192));
        collateral.upsertTcbInfo(key, new bytes(8_193), "");
        // 91 zeros, 264 bytes each.
        bytes memory bomb = hex"0000";
        for (uint256 i = 0; i < 91; i++) bomb = bytes.concat(bomb, hex"e0ff00");
        vm.expectRevert(abi.encodeWithSelector(FastLz.FastLz_TooLong.selector, 24_000));
        collateral.upsertTcbInfo(key, bomb, "");
        bytes memory crl = new bytes(32_769);
        key = keyOf(PLATFORM_CA);
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_TooLong.selector, 32_769, 32_768));
        collateral.upsertPckCrl(key, crl, "");
        vm.expectRevert(abi.encodeWithSelector(X509.X509_TooLong.selector, 4_097, 4_096));
        collateral.addAuthority(new bytes(4_097));
    }

    /// @dev Many repetitions of the same: nothing that is 8,192 bytes long costs more than a block has.
    function test_RevertWhen_BombIsLargest() public {
        P256Key memory key = keyOf(TCB_SIGNER);
        bytes memory bomb = new bytes(8_192);
        for (uint256 i = 2; i + 2 < 8_192; i += 3) (bomb[i], bomb[i + 1]) = (0xe0, 0xff);
        uint256 before = gasleft();
        vm.expectRevert(abi.encodeWithSelector(FastLz.FastLz_TooLong.selector, 24_000));
        collateral.upsertTcbInfo(key, bomb, "");
        assertTrue(before - gasleft() < 400_000, "bounded");
    }

    /* DATES AND NUMBERS */

    function _expectTcb(string memory issued, string memory next, string memory number, bytes memory reason) private {
        bytes memory text = tcbInfoOf(issued, next, number);
        (P256Key memory key, bytes memory data, bytes memory signature) =
            (keyOf(TCB_SIGNER), packed(text), signatureOf(TCB_SIGNER, text));
        vm.expectRevert(reason);
        collateral.upsertTcbInfo(key, data, signature);
    }

    function _reason(bytes4 selector, uint256 first, uint256 second) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, CollateralKind.TcbInfo, first, second);
    }

    function test_RevertWhen_DatesOrNumbersAreBad() public {
        _expectTcb(ISSUED, NEXT, "14", _reason(ITdxCollateral.TdxCollateral_NumberOutOfRange.selector, 14, 15));
        _expectTcb(ISSUED, NEXT, "65536", _reason(ITdxCollateral.TdxCollateral_NumberOutOfRange.selector, 65_536, 15));
        _expectTcb(
            ISSUED, ISSUED, "15", _reason(ITdxCollateral.TdxCollateral_BadDates.selector, ISSUED_SECONDS, ISSUED_SECONDS)
        );
        _expectTcb(
            ISSUED,
            "2106-02-07T06:28:16Z",
            "15",
            _reason(ITdxCollateral.TdxCollateral_BadDates.selector, ISSUED_SECONDS, 1 << 32)
        );
        _expectTcb(
            "2026-06-01T00:00:01Z",
            NEXT,
            "15",
            _reason(ITdxCollateral.TdxCollateral_IssuedInFuture.selector, COLLATERAL_NOW + 1, COLLATERAL_NOW)
        );
        _expectTcb(
            ISSUED,
            "2026-06-01T00:00:00Z",
            "15",
            _reason(ITdxCollateral.TdxCollateral_Expired.selector, COLLATERAL_NOW, COLLATERAL_NOW)
        );
        submitTcbInfo(collateral, tcbInfoOf(ISSUED, NEXT, "18"));
        _expectTcb(
            ISSUED, NEXT, "18", _reason(ITdxCollateral.TdxCollateral_NotNewer.selector, ISSUED_SECONDS, ISSUED_SECONDS)
        );
        _expectTcb(
            "2026-05-31T00:00:01Z", NEXT, "17", _reason(ITdxCollateral.TdxCollateral_LowerNumber.selector, 18, 17)
        );
    }

    /// @dev Whatever comes in whatever order: dates never go back, and nothing changes without success.
    function testFuzz_WhenTcbInfosCome_DatesNeverGoBack(uint8[6] memory days_, uint8[6] memory numbers) public {
        for (uint256 i = 0; i < 6; i++) {
            CollateralItem memory before = collateral.tcbInfo(FMSPC);
            uint256 day = bound(days_[i], 10, 31);
            string memory issued = string(
                abi.encodePacked("2026-05-", uint8(0x30 + day / 10), uint8(0x30 + day % 10), "T00:00:00Z")
            );
            string memory number = string(abi.encodePacked("1", uint8(0x30 + numbers[i] % 10)));
            bytes memory text = tcbInfoOf(issued, NEXT, number);
            try collateral.upsertTcbInfo(keyOf(TCB_SIGNER), packed(text), signatureOf(TCB_SIGNER, text)) {
                CollateralItem memory later = collateral.tcbInfo(FMSPC);
                assertTrue(later.issuedAt > before.issuedAt && later.number >= before.number, "forward");
            } catch {
                assertEq(keccak256(abi.encode(collateral.tcbInfo(FMSPC))), keccak256(abi.encode(before)), "unchanged");
            }
        }
    }

    /* CONTENT */

    function test_TcbInfoContent() public {
        bytes memory text = tcbInfoOf(ISSUED, NEXT, "18");
        submitTcbInfo(collateral, text);
        bytes memory expected = bytes.concat(
            hex"00",
            keccak256(slice(text, 95, text.length)),
            hex"00000102",
            hex"01010b01689bd58000",
            hex"04000000000000000000000000000000000b0500000000000000000000000000000001689bd58000",
            hex"03000000000000000000000000000000000b0500000000000000000000000000000005689bd580020004ddffffff"
        );
        assertEq(collateral.tcbInfo(FMSPC).data.code, expected, "content");
        // The same but for the dates: only those are written.
        address data = collateral.tcbInfo(FMSPC).data;
        submitTcbInfo(collateral, tcbInfoOf("2026-05-31T00:00:01Z", NEXT, "18"));
        assertEq(collateral.tcbInfo(FMSPC).data, data, "kept");
        assertEq(collateral.tcbInfo(FMSPC).issuedAt, ISSUED_SECONDS + 1, "issuedAt");
        submitTcbInfo(collateral, tcbInfoOf("2026-05-31T00:00:02Z", NEXT, "19"));
        assertTrue(collateral.tcbInfo(FMSPC).data != data, "replaced");
    }

    /* IN FORCE */

    function test_InForce() public {
        vm.expectRevert(abi.encodeWithSelector(ITdxCollateral.TdxCollateral_UnknownAuthorityNumber.selector, 9));
        collateral.inForce(FMSPC, 9);
        vm.expectRevert(_role(3, AuthorityRole.TcbSigning, CollateralKind.PckCrl));
        collateral.inForce(FMSPC, 3);
        uint160[] memory none;
        _expectMissing(CollateralKind.RootCrl, 0);
        collateral.upsertRootCrl(rootCrlOf(none, validityOf("260531000000Z", "260629000000Z")));
        _expectMissing(CollateralKind.PckCrl, bytes32(uint256(1)));
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_Missing.selector, CollateralKind.PckCrl, bytes32(uint256(1))
            )
        );
        collateral.revocationHint(1, 5);
        collateral.upsertPckCrl(keyOf(PLATFORM_CA), pckCrlOf(none), "");
        _expectMissing(CollateralKind.QeIdentity, 0);
        submitQeIdentity(collateral, qeIdentityOf(ISSUED, NEXT, "17"));
        _expectMissing(CollateralKind.TcbInfo, bytes32(FMSPC));
        submitTcbInfo(collateral, tcbInfoOf(ISSUED, NEXT, "18"));
        assertEq(collateral.inForce(FMSPC, 1).validUntil, NEXT_SECONDS - 86_400, "the root CRL is the first");
        vm.warp(NEXT_SECONDS - 86_400);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_Expired.selector,
                CollateralKind.RootCrl,
                NEXT_SECONDS - 86_400,
                uint256(NEXT_SECONDS) - 86_400
            )
        );
        collateral.inForce(FMSPC, 1);
    }

    function _expectMissing(CollateralKind kind, bytes32 id) private {
        vm.expectRevert(abi.encodeWithSelector(ITdxCollateral.TdxCollateral_Missing.selector, kind, id));
        collateral.inForce(FMSPC, 1);
    }

    /* PCK CRL */

    function testFuzz_PckCrl(uint160[12] memory given, uint160 other) public {
        uint160[] memory serials = new uint160[](12);
        // All different, of many lengths.
        for (uint256 i = 0; i < 12; i++) serials[i] = (given[i] >> (8 * i)) << 4 | uint160(i + 1);
        collateral.upsertPckCrl(keyOf(PLATFORM_CA), pckCrlOf(serials), orderOf(serials));
        for (uint256 i = 0; i < 12; i++) {
            (, bool revoked) = collateral.revocationHint(1, serials[i]);
            assertTrue(revoked, "listed");
        }
        (uint16 place, bool listed) = collateral.revocationHint(1, other);
        uint256 below = 0;
        bool expected = false;
        for (uint256 i = 0; i < 12; i++) {
            if (serials[i] < other) below++;
            if (serials[i] == other) expected = true;
        }
        assertEq(place, below, "place");
        assertTrue(listed == expected, "not listed");
    }

    function test_RevertWhen_OrderIsWrong() public {
        uint160[] memory serials = new uint160[](3);
        (serials[0], serials[1], serials[2]) = (7, 5, 9);
        P256Key memory key = keyOf(PLATFORM_CA);
        bytes memory crl = pckCrlOf(serials);
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_NotAscending.selector, 1, 5, 7));
        collateral.upsertPckCrl(key, crl, hex"000000010002");
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_NotAscending.selector, 1, 0, 5));
        collateral.upsertPckCrl(key, crl, hex"000000000002");
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_WrongOrderLength.selector, 8, 6));
        collateral.upsertPckCrl(key, crl, hex"0001000000020003");
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_WrongOrderLength.selector, 7, 6));
        collateral.upsertPckCrl(key, crl, hex"00010000000200");
        bytes memory order = new bytes(2_402);
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_TooManyEntries.selector, 1_201, 1_200));
        collateral.upsertPckCrl(key, crl, order);
        // The same serial twice has no ascending order.
        serials[2] = 5;
        crl = pckCrlOf(serials);
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_NotAscending.selector, 1, 5, 5));
        collateral.upsertPckCrl(key, crl, hex"000200000001");
    }
}
