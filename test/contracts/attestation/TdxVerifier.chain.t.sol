// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AuthorityRole } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { Evidence, ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @notice Hostile PCK certificates, truly signed: issuers, roles, dates, revocation, and whose signature counts. For the SGX
/// extension see SgxExtension.t.sol.
contract TdxVerifierChainTest is TdxVerifierCase {
    bytes private constant CA_CONSTRAINTS = hex"30030101ff";

    /* ISSUER */

    function test_RevertWhen_IssuerIsUnknown() public {
        Evidence memory evidence = withLeaf();
        evidence.issuerKey = keyOf(ROOT_KEY);
        _expectUnknownIssuer(evidence.issuerKey);
        verifier.verify(quote, evidence, POLICY);
    }

    function test_RevertWhen_IssuerSignsTcbOnly() public {
        collateral.addAuthority(keyOf(0x77), AuthorityRole.TcbSigning);
        Evidence memory evidence = withLeaf();
        evidence.issuerKey = keyOf(0x77);
        _expectUnknownIssuer(evidence.issuerKey);
        verifier.verify(quote, evidence, POLICY);
    }

    function test_RevertWhen_LeafNamesAnotherIssuer() public {
        bytes32 platformCa = keccak256(intelName("Intel SGX PCK Platform CA"));
        bytes[3] memory names =
            [intelName("Intel SGX PCK Processor CA"), intelName("Intel SGX Root CA"), nameOf("Intel SGX PCK Platform CA")];
        for (uint256 i = 0; i < names.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.issuer = names[i];
            Evidence memory evidence = withLeaf(certificateOf(spec));
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongIssuer.selector, keccak256(names[i]), platformCa)
            );
            verifier.verify(quote, evidence, POLICY);
        }
    }

    function test_WhenIssuerIsTheProcessorCa() public {
        uint16 number = collateral.addAuthority(keyOf(0x77), AuthorityRole.PckProcessorCa);
        CertificateSpec memory spec = leafSpec();
        spec.signedBy = 0x77;
        Evidence memory evidence = withLeaf(certificateOf(spec));
        evidence.issuerKey = keyOf(0x77);
        bytes32 processorCa = keccak256(intelName("Intel SGX PCK Processor CA"));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongIssuer.selector, keccak256(spec.issuer), processorCa)
        );
        verifier.verify(quote, evidence, POLICY);

        spec.issuer = intelName("Intel SGX PCK Processor CA");
        evidence.pckLeaf = certificateOf(spec);
        QuoteVerdict memory verdict = verifier.verify(quote, evidence, POLICY);
        assertEq(verdict.tcb.platform.issuer, number, "issuer");
    }

    /// @dev A PCK key signs a leaf for a platform that does not exist.
    function test_RevertWhen_LeafIssuesALeaf() public {
        CertificateSpec memory spec = leafSpec();
        spec.signedBy = PCK_KEY;
        Evidence memory evidence = withLeaf(certificateOf(spec));
        _expectBadSignature();
        verifier.verify(quote, evidence, POLICY);
        evidence.issuerKey = keyOf(PCK_KEY);
        _expectUnknownIssuer(evidence.issuerKey);
        verifier.verify(quote, evidence, POLICY);
    }

    function test_RevertWhen_LeafIsSignedByAnother() public {
        uint256[2] memory signers = [ROOT_KEY, 0xbad];
        for (uint256 i = 0; i < signers.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.signedBy = signers[i];
            Evidence memory evidence = withLeaf(certificateOf(spec));
            _expectBadSignature();
            verifier.verify(quote, evidence, POLICY);
        }
    }

    function test_RevertWhen_QeReportIsSignedByAnotherKey() public {
        CertificateSpec memory spec = leafSpec();
        spec.publicKey = 0xbad;
        Evidence memory evidence = withLeaf(certificateOf(spec));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQeReportSignature.selector));
        verifier.verify(quote, evidence, POLICY);
    }

    /* ROLE */

    function test_RevertWhen_LeafMayBeAnIssuer() public {
        bytes memory usage = extension(KEY_USAGE, true, hex"030206c0");
        bytes memory sgx = extension(SGX_EXTENSIONS, false, pckExtension(pckFields()));
        // A CA; not said; not critical.
        _expectRole(true, true, bytes.concat(usage, extension(BASIC_CONSTRAINTS, true, CA_CONSTRAINTS), sgx));
        _expectRole(true, true, bytes.concat(usage, sgx));
        _expectRole(true, true, bytes.concat(usage, extension(BASIC_CONSTRAINTS, false, hex"3000"), sgx));
    }

    function test_RevertWhen_LeafMayNotSign() public {
        bytes memory noCa = extension(BASIC_CONSTRAINTS, true, hex"3000");
        bytes memory sgx = extension(SGX_EXTENSIONS, false, pckExtension(pckFields()));
        // keyCertSign; not said; not critical.
        _expectRole(false, false, bytes.concat(extension(KEY_USAGE, true, hex"03020106"), noCa, sgx));
        _expectRole(false, false, bytes.concat(noCa, sgx));
        _expectRole(false, false, bytes.concat(extension(KEY_USAGE, false, hex"030206c0"), noCa, sgx));
    }

    function test_RevertWhen_LeafIsNoPckCertificate() public {
        CertificateSpec memory spec = leafSpec();
        spec.extensions =
            bytes.concat(extension(KEY_USAGE, true, hex"030206c0"), extension(BASIC_CONSTRAINTS, true, hex"3000"));
        spec.extensions = bytes.concat(spec.extensions, extension(hex"0603551d1f", false, new bytes(300)));
        Evidence memory evidence = withLeaf(certificateOf(spec));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MissingSgxExtension.selector));
        verifier.verify(quote, evidence, POLICY);
    }

    function test_WhenOtherExtensionsStandBetween() public {
        CertificateSpec memory spec = leafSpec();
        // Of 100, 200 and 300 bytes: each form of a size; with an OID of another arc.
        spec.extensions = bytes.concat(
            extension(hex"0603551d1f", false, new bytes(100)),
            extension(hex"06082b06010505070101", false, new bytes(200)),
            spec.extensions,
            extension(hex"0603551d23", false, new bytes(300))
        );
        verifier.verify(quote, withLeaf(certificateOf(spec)), POLICY);
    }

    function test_RevertWhen_AnExtensionIsRepeatedOrUnknownAndCritical() public {
        bytes memory usage = extension(KEY_USAGE, true, hex"030206c0");
        bytes memory noCa = extension(BASIC_CONSTRAINTS, true, hex"3000");
        bytes memory sgx = extension(SGX_EXTENSIONS, false, pckExtension(pckFields()));
        bytes memory unknown = extension(hex"0603551d1f", true, new bytes(10));
        bytes[5] memory lists = [
            bytes.concat(usage, noCa, sgx, usage),
            bytes.concat(usage, noCa, sgx, noCa),
            bytes.concat(usage, noCa, sgx, sgx),
            bytes.concat(usage, noCa, sgx, unknown),
            bytes.concat(usage, noCa, sgx, extension(SGX_EXTENSIONS, true, pckExtension(pckFields())))
        ];
        bytes memory good = bytes.concat(usage, noCa, sgx);
        for (uint256 i = 0; i < lists.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.extensions = lists[i];
            Evidence memory evidence = withLeaf(certificateOf(spec));
            // What is wrong ends the signed part; in an unknown one it is where the value should stand.
            uint256 offset = 4 + tbsOf(spec).length - (lists[i].length - good.length);
            if (i == 3) offset += 2 + 5;
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MalformedCertificate.selector, offset)
            );
            verifier.verify(quote, evidence, POLICY);
        }
    }

    function test_RevertWhen_LeafIsTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_CertificateTooLong.selector, 4_097, 4_096));
        verifier.verify(quote, withLeaf(new bytes(4_097)), POLICY);
    }

    /* DATES */

    function test_RevertWhen_LeafIsNotValidYet() public {
        vm.warp(NOT_BEFORE_SECONDS);
        verifier.verify(quote, withLeaf(), POLICY);
        vm.warp(NOT_BEFORE_SECONDS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateNotYetValid.selector, NOT_BEFORE_SECONDS, NOT_BEFORE_SECONDS - 1
            )
        );
        verifier.verify(quote, withLeaf(), POLICY);
    }

    function test_WhenLeafEndsBeforeCollateral() public {
        CertificateSpec memory spec = leafSpec();
        spec.validity = validityOf(NOT_BEFORE, "260601000000Z");
        // 2026-06-01 00:00:00 is now, and the last second.
        QuoteVerdict memory verdict = verifier.verify(quote, withLeaf(certificateOf(spec)), POLICY);
        assertEq(verdict.validUntil, NOW + 1, "validUntil");
    }

    /* REVOCATION */

    function test_RevertWhen_LeafIsRevoked_AtAnyPlace() public {
        for (uint256 place = 0; place < 3; place++) {
            bytes memory list;
            for (uint256 i = 0; i < 3; i++) {
                list = bytes.concat(list, bytes20(uint160(SERIAL + i - place)));
            }
            useCrl(list);
            Evidence memory evidence = withLeaf();
            evidence.revocationHint = uint16(place);
            vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_CertificateRevoked.selector, SERIAL));
            verifier.verify(quote, evidence, POLICY);
        }
    }

    /// @dev Only the one right hint is taken, whatever the list; and then the answer is right.
    function testFuzz_RevocationHint(uint8 count, uint16 hint, uint256 seed) public {
        count = uint8(bound(count, 0, 12));
        bytes memory list;
        uint256 serial = 20;
        uint16 below;
        bool listed;
        for (uint256 i = 0; i < count; i++) {
            serial += 1 + uint256(keccak256(abi.encode(seed, i))) % 6;
            list = bytes.concat(list, bytes20(uint160(serial)));
            if (serial < SERIAL) below++;
            if (serial == SERIAL) listed = true;
        }
        useCrl(list);
        Evidence memory evidence = withLeaf();
        for (uint16 i = 0; i <= count; i++) {
            evidence.revocationHint = i;
            if (i != below) {
                _expectWrongHint(i);
            } else if (listed) {
                vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_CertificateRevoked.selector, SERIAL));
            }
            verifier.verify(quote, evidence, POLICY);
        }
        vm.assume(hint > count);
        evidence.revocationHint = hint;
        _expectWrongHint(hint);
        verifier.verify(quote, evidence, POLICY);
    }

    /* HELPERS */

    function _expectRole(bool isCa, bool maySign, bytes memory extensions) private {
        CertificateSpec memory spec = leafSpec();
        spec.extensions = extensions;
        Evidence memory evidence = withLeaf(certificateOf(spec));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongCertificateRole.selector, isCa, maySign)
        );
        verifier.verify(quote, evidence, POLICY);
    }

    function _expectUnknownIssuer(P256Key memory key) private {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnknownIssuer.selector, key.x, key.y));
    }

    function _expectBadSignature() private {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadCertificateSignature.selector));
    }

    function _expectWrongHint(uint16 hint) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongRevocationHint.selector, hint, SERIAL)
        );
    }
}
