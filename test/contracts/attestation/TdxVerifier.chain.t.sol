// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { ITdxVerifier, PckCertificate, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { Der } from "../../../contracts/lib/Der.sol";
import { X509 } from "../../../contracts/lib/X509.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { TestPlatform } from "../../support/TestPlatform.sol";

/// @notice Hostile chains, truly signed: roles, names, dates, PPID, and whose signature counts.
contract TdxVerifierChainTest is TestPlatform {
    TdxVerifier private verifier;
    bytes private quote;
    bytes private leaf;
    bytes private issuer;

    function setUp() public {
        vm.warp(NOW);
        verifier = deployVerifier();
        quote = quoteOf(reportBody());
        leaf = certificateOf(leafSpec());
        issuer = certificateOf(issuerSpec());
    }

    function test_WhenIssuerEndsBeforeLeaf() public view {
        CertificateSpec memory spec = leafSpec();
        spec.validity = validityOf(NOT_BEFORE, "340101000000Z");
        QuoteVerdict memory verdict = verifier.verify(quote, certificateOf(spec), issuer);
        assertEq(verdict.validUntil, ISSUER_NOT_AFTER_SECONDS, "validUntil");
    }

    /* ROLES AND NAMES */

    function test_RevertWhen_IssuerIsNoCa() public {
        CertificateSpec memory spec = issuerSpec();
        spec.extensions =
            bytes.concat(extension(KEY_USAGE, true, hex"03020106"), extension(BASIC_CONSTRAINTS, true, hex"3000"));
        bytes memory hostile = certificateOf(spec);
        _expectRole(PckCertificate.Issuer);
        verifier.verify(quote, leaf, hostile);
    }

    function test_RevertWhen_IssuerHasNoBasicConstraints() public {
        CertificateSpec memory spec = issuerSpec();
        spec.extensions = extension(KEY_USAGE, true, hex"03020106");
        bytes memory hostile = certificateOf(spec);
        _expectRole(PckCertificate.Issuer);
        verifier.verify(quote, leaf, hostile);
    }

    function test_RevertWhen_IssuerMayNotCertify() public {
        CertificateSpec memory spec = issuerSpec();
        spec.extensions = bytes.concat(
            extension(KEY_USAGE, true, hex"030206c0"), extension(BASIC_CONSTRAINTS, true, hex"30060101ff020100")
        );
        bytes memory hostile = certificateOf(spec);
        _expectRole(PckCertificate.Issuer);
        verifier.verify(quote, leaf, hostile);
    }

    /// @dev A PCK key signs a leaf for a platform that does not exist.
    function test_RevertWhen_LeafIssuesALeaf() public {
        CertificateSpec memory forged = leafSpec();
        forged.issuer = leafSpec().subject;
        forged.signedBy = PCK_KEY;
        bytes memory hostile = certificateOf(forged);
        _expectRole(PckCertificate.Issuer);
        verifier.verify(quote, hostile, leaf);
    }

    function test_RevertWhen_LeafIsACa() public {
        CertificateSpec memory spec = leafSpec();
        spec.extensions = bytes.concat(
            extension(KEY_USAGE, true, hex"03020284"),
            extension(BASIC_CONSTRAINTS, true, hex"30030101ff"),
            extension(SGX_EXTENSIONS, false, sgxExtension(PPID))
        );
        bytes memory hostile = certificateOf(spec);
        _expectRole(PckCertificate.Leaf);
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_LeafMayNotSign() public {
        CertificateSpec memory spec = leafSpec();
        spec.extensions = extension(SGX_EXTENSIONS, false, sgxExtension(PPID));
        bytes memory hostile = certificateOf(spec);
        _expectRole(PckCertificate.Leaf);
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_LeafIsNoPckCertificate() public {
        CertificateSpec memory spec = leafSpec();
        spec.extensions =
            bytes.concat(extension(KEY_USAGE, true, hex"030206c0"), extension(BASIC_CONSTRAINTS, true, hex"3000"));
        bytes memory hostile = certificateOf(spec);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MissingSgxExtension.selector));
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_LeafNamesAnotherIssuer() public {
        CertificateSpec memory spec = leafSpec();
        spec.issuer = nameOf("Somebody else");
        bytes memory hostile = certificateOf(spec);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_WrongIssuer.selector, keccak256(spec.issuer), keccak256(issuerSpec().subject)
            )
        );
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_PpidIsMissingOrDoubleOrShort() public {
        bytes memory fmspc = hex"3014060a2a864886f84d010d01040406b0c06f000000";
        bytes[3] memory values = [
            tlv(0x30, fmspc),
            tlv(0x30, bytes.concat(ppidItem(PPID), ppidItem(PPID))),
            tlv(0x30, ppidItem(slice(PPID, 0, 15)))
        ];
        for (uint256 i = 0; i < values.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.extensions = leafExtensions(values[i]);
            bytes memory hostile = certificateOf(spec);
            vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadPpid.selector));
            verifier.verify(quote, hostile, issuer);
        }
    }

    /// @dev Nothing may hide behind what is read, at any depth of the extension.
    function test_RevertWhen_SgxExtensionHasTrailingBytes() public {
        bytes memory id = hex"060a2a864886f84d010d0101";
        bytes memory other = hex"060a2a864886f84d010d0104";
        bytes[3] memory values = [
            bytes.concat(sgxExtension(PPID), hex"0500"),
            tlv(0x30, tlv(0x30, bytes.concat(id, tlv(0x04, PPID), hex"0500"))),
            tlv(0x30, bytes.concat(tlv(0x30, bytes.concat(other, hex"0400", hex"0500")), ppidItem(PPID)))
        ];
        // How many bytes of the value are left after the two.
        uint256[3] memory left = [uint256(0), 0, ppidItem(PPID).length];
        for (uint256 i = 0; i < values.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.extensions = leafExtensions(values[i]);
            bytes memory hostile = certificateOf(spec);
            // The extension is the last thing that is signed.
            uint256 end = 4 + tbsOf(spec).length - left[i];
            vm.expectRevert(abi.encodeWithSelector(Der.Der_TrailingBytes.selector, end - 2, end));
            verifier.verify(quote, hostile, issuer);
        }
    }

    /* DATES */

    function test_RevertWhen_IssuerIsNotValidYet() public {
        CertificateSpec memory spec = issuerSpec();
        spec.validity = validityOf("260601000001Z", ISSUER_NOT_AFTER);
        bytes memory hostile = certificateOf(spec);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateNotYetValid.selector, PckCertificate.Issuer, NOW + 1, NOW
            )
        );
        verifier.verify(quote, leaf, hostile);
    }

    function test_RevertWhen_LeafHasExpired() public {
        vm.warp(LEAF_NOT_AFTER_SECONDS + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateExpired.selector,
                PckCertificate.Leaf,
                LEAF_NOT_AFTER_SECONDS,
                LEAF_NOT_AFTER_SECONDS + 1
            )
        );
        verifier.verify(quote, leaf, issuer);
    }

    /* SIGNATURES */

    function test_RevertWhen_IssuerIsSignedByAnotherRoot() public {
        CertificateSpec memory spec = issuerSpec();
        spec.signedBy = 0xbad;
        bytes memory hostile = certificateOf(spec);
        _expectCertificateSignature(PckCertificate.Issuer);
        verifier.verify(quote, leaf, hostile);
    }

    /// @dev A whole chain of the attacker's own, with the same names.
    function test_RevertWhen_IssuerKeyIsTheAttackers() public {
        CertificateSpec memory forgedIssuer = issuerSpec();
        forgedIssuer.publicKey = 0xbad;
        forgedIssuer.signedBy = 0xbad;
        CertificateSpec memory forgedLeaf = leafSpec();
        forgedLeaf.signedBy = 0xbad;
        bytes memory hostileLeaf = certificateOf(forgedLeaf);
        bytes memory hostileIssuer = certificateOf(forgedIssuer);
        _expectCertificateSignature(PckCertificate.Issuer);
        verifier.verify(quote, hostileLeaf, hostileIssuer);
    }

    function test_RevertWhen_LeafIsSignedByTheRoot() public {
        CertificateSpec memory spec = leafSpec();
        spec.signedBy = ROOT_KEY;
        bytes memory hostile = certificateOf(spec);
        _expectCertificateSignature(PckCertificate.Leaf);
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_QeReportIsSignedByAnotherKey() public {
        CertificateSpec memory spec = leafSpec();
        spec.publicKey = 0xbad;
        bytes memory hostile = certificateOf(spec);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQeReportSignature.selector));
        verifier.verify(quote, hostile, issuer);
    }

    function test_RevertWhen_CertificatesAreTooLong() public {
        bytes memory long = new bytes(4_097);
        bytes memory revertData = abi.encodeWithSelector(X509.X509_TooLong.selector, 4_097, 4_096);
        vm.expectRevert(revertData);
        verifier.verify(quote, long, issuer);
        vm.expectRevert(revertData);
        verifier.verify(quote, leaf, long);
    }

    /* HELPERS */

    function _expectRole(PckCertificate which) private {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongCertificateRole.selector, which));
    }

    function _expectCertificateSignature(PckCertificate which) private {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadCertificateSignature.selector, which));
    }
}
