// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier, PckCertificate, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { IntelQuotes } from "./IntelQuotes.sol";

/// @notice Real quotes under Intel's real root: what is accepted, what is refused, and when.
contract TdxVerifierIntelTest is IntelQuotes {
    // 2032-11-06 07:37:34, 2031-02-14 12:05:18, 2032-02-06 23:25:51: the leaves end before the Platform CA does.
    uint64 private constant NEARMPC_NOT_BEFORE = 1_762_414_654;
    uint64 private constant NEARMPC_NOT_AFTER = 1_983_339_454;
    uint64 private constant GCP_NOT_AFTER = 1_928_837_118;
    uint64 private constant PHALA_NOT_AFTER = 1_959_722_751;

    function _assertVerifies(string memory name, bytes memory ppid, uint64 validUntil) private view {
        QuoteVerdict memory cut = verifier.verify(quoteOf(name), leafOf(name), issuer);
        assertEq(cut.platformId, keccak256(ppid), "platformId");
        assertEq(uint256(cut.tcbStatus), uint256(TcbStatus.Unevaluated), "tcbStatus");
        assertEq(cut.validUntil, validUntil, "validUntil");

        // As the platform gave it, with PEM chain and padding: the same verdict.
        QuoteVerdict memory whole =
            verifier.verify(read(string.concat(name, ".quote.bin")), leafOf(name), issuer);
        assertEq(abi.encode(whole), abi.encode(cut), "verdict of the whole quote");
    }

    function test_WhenQuoteIsOfNearMpc() public view {
        _assertVerifies("nearmpc", hex"d208dfb1002346ae1bb4ef2a3c055292", NEARMPC_NOT_AFTER);
    }

    function test_WhenQuoteIsOfGoogleCloud() public view {
        _assertVerifies("gcp", hex"85d50af2ad61799ebce974b7b0978b46", GCP_NOT_AFTER);
    }

    function test_WhenQuoteIsOfPhala() public view {
        _assertVerifies("phala", hex"811dca2a26b952e85bb6448b097ba4fd", PHALA_NOT_AFTER);
    }

    function test_RootKey() public view {
        (bytes32 x, bytes32 y) = verifier.rootKey();
        assertEq(x, INTEL_X, "x");
        assertEq(y, INTEL_Y, "y");
    }

    /* REFUSED BY KIND */

    function test_RevertWhen_QuoteIsOfVersion5() public {
        bytes memory quote = read("alibaba_v5.quote.bin");
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnsupportedVersion.selector, 5));
        verifier.verify(quote, leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_QuoteIsOfSgx() public {
        bytes memory quote = read("sgx_v3.quote.bin");
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnsupportedVersion.selector, 3));
        verifier.verify(quote, leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_SeptVeIsEnabled() public {
        bytes memory quote = read("gotdx_sept_ve.quote.bin");
        bytes memory leaf = leafOf("gotdx_sept_ve");
        _expect(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_SeptVeEnabled.selector, bytes8(0x0000004000000000))
        );
        verifier.verify(quote, leaf, issuer);
    }

    function test_RevertWhen_RootIsAnother() public {
        (uint256 x, uint256 y) = vm.publicKeyP256(1);
        TdxVerifier other = new TdxVerifier(bytes32(x), bytes32(y));
        _expectBadCertificate(PckCertificate.Issuer);
        other.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_RootIsNoPoint() public {
        _expect(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_BadRootKey.selector, INTEL_X, bytes32(uint256(INTEL_Y) + 1)
            )
        );
        new TdxVerifier(INTEL_X, bytes32(uint256(INTEL_Y) + 1));
    }

    function test_RevertWhen_LeafIsOfAnotherPlatform() public {
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQeReportSignature.selector));
        verifier.verify(quoteOf("nearmpc"), leafOf("phala"), issuer);
    }

    function test_RevertWhen_LeafAndIssuerAreSwapped() public {
        // Names by their place in the real certificates.
        bytes32 root = keccak256(slice(read("root_ca.der"), 185, 185 + 106));
        bytes32 pck = keccak256(slice(leafOf("nearmpc"), 193, 193 + 114));
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongIssuer.selector, root, pck));
        verifier.verify(quoteOf("nearmpc"), issuer, leafOf("nearmpc"));
    }

    function test_RevertWhen_IssuerIsTheRoot() public {
        bytes memory root = read("root_ca.der");
        bytes32 platformCa = keccak256(slice(issuer, 186, 186 + 114));
        _expect(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_WrongIssuer.selector, platformCa, keccak256(slice(root, 185, 185 + 106))
            )
        );
        verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), root);
    }

    /* DATES: real certificates, to the second */

    function test_RevertWhen_LeafIsNotValidYet() public {
        vm.warp(NEARMPC_NOT_BEFORE - 1);
        _expect(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateNotYetValid.selector,
                PckCertificate.Leaf,
                NEARMPC_NOT_BEFORE,
                NEARMPC_NOT_BEFORE - 1
            )
        );
        verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_LeafHasExpired() public {
        vm.warp(NEARMPC_NOT_AFTER + 1);
        _expect(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateExpired.selector,
                PckCertificate.Leaf,
                NEARMPC_NOT_AFTER,
                NEARMPC_NOT_AFTER + 1
            )
        );
        verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_IssuerHasExpired() public {
        // 2033-05-21 10:50:10; the leaf has expired too, but the chain is looked at from the top.
        uint64 notAfter = 2_000_285_410;
        vm.warp(notAfter + 1);
        _expect(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateExpired.selector, PckCertificate.Issuer, notAfter, notAfter + 1
            )
        );
        verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
    }

    function test_WhenLeafIsInItsFirstOrLastSecond() public {
        vm.warp(NEARMPC_NOT_BEFORE);
        verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
        vm.warp(NEARMPC_NOT_AFTER);
        QuoteVerdict memory verdict = verifier.verify(quoteOf("nearmpc"), leafOf("nearmpc"), issuer);
        assertEq(verdict.validUntil, NEARMPC_NOT_AFTER, "validUntil");
    }

    /* LENGTHS */

    function test_RevertWhen_QuoteIsTruncated_AtEveryLength() public {
        bytes memory quote = quoteOf("nearmpc");
        bytes memory leaf = leafOf("nearmpc");
        for (uint256 length = 0; length < QUOTE_END; length++) {
            bytes memory cut = slice(quote, 0, length);
            uint256 needed = length < 1_220 ? 1_220 : QUOTE_END;
            _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTruncated.selector, length, needed));
            verifier.verify(cut, leaf, issuer);
        }
    }

    function test_WhenBytesFollowTheAuthenticationData() public view {
        // They are not read: whatever they are, the verdict stands on what is signed.
        bytes memory quote = bytes.concat(quoteOf("nearmpc"), hex"deadbeef");
        verifier.verify(quote, leafOf("nearmpc"), issuer);
    }

    function test_RevertWhen_QuoteIsTooLong() public {
        bytes memory quote = bytes.concat(quoteOf("nearmpc"), new bytes(16_385 - QUOTE_END));
        bytes memory leaf = leafOf("nearmpc");
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTooLong.selector, 16_385, 16_384));
        verifier.verify(quote, leaf, issuer);
        verifier.verify(slice(quote, 0, 16_384), leaf, issuer);
    }

    /// @dev A certificate cut anywhere, or with a byte after it, is no certificate.
    function test_RevertWhen_CertificateIsCutOrExtended_AtEveryLength() public view {
        bytes memory quote = quoteOf("nearmpc");
        bytes memory leaf = leafOf("nearmpc");
        for (uint256 length = 0; length < leaf.length; length++) {
            _assertRefused(quote, slice(leaf, 0, length), issuer, length);
        }
        for (uint256 length = 0; length < issuer.length; length++) {
            _assertRefused(quote, leaf, slice(issuer, 0, length), length);
        }
        _assertRefused(quote, bytes.concat(leaf, hex"00"), issuer, leaf.length);
        _assertRefused(quote, leaf, bytes.concat(issuer, hex"00"), issuer.length);
    }

    /// @dev Whatever the lengths, a typed error and never a panic or a failed allocation.
    function testFuzz_RevertWhen_BytesAreAny(bytes memory quote, bytes memory leaf, bytes memory other) public view {
        bytes memory real = quoteOf("nearmpc");
        _assertRefused(quote, leaf, other, 0);
        _assertRefused(real, leaf, other, 1);
        _assertRefused(real, leafOf("nearmpc"), other, 2);
    }

    function testFuzz_RevertWhen_StatedLengthsAreAny(uint32 signatureData, uint32 certificationData, uint16 authData)
        public
        view
    {
        vm.assume(signatureData != 4_300 || certificationData != 4_166 || authData != 32);
        bytes memory quote = quoteOf("nearmpc");
        for (uint256 i = 0; i < 4; i++) {
            quote[632 + i] = bytes1(uint8(signatureData >> (8 * i)));
            quote[766 + i] = bytes1(uint8(certificationData >> (8 * i)));
            if (i < 2) quote[1_218 + i] = bytes1(uint8(authData >> (8 * i)));
        }
        // Lengths are not signed: consistent ones that leave the authentication data alone say nothing else.
        bool harmless = authData == 32 && uint256(signatureData) == uint256(certificationData) + 134
            && certificationData >= 482;
        if (!harmless) _assertRefused(quote, leafOf("nearmpc"), issuer, 0);
    }

    /// @dev The QE report, its signature and the authentication data are 482 bytes: less cannot hold them.
    function test_RevertWhen_StatedLengthsAreTooSmall() public {
        bytes memory quote = quoteOf("nearmpc");
        bytes memory leaf = leafOf("nearmpc");
        (uint16 signatureData, uint16 certificationData) = (482 + 134, 482);
        for (uint256 i = 0; i < 2; i++) {
            (quote[632], quote[633]) = (bytes1(uint8(signatureData)), bytes1(uint8(signatureData >> 8)));
            (quote[766], quote[767]) = (bytes1(uint8(certificationData)), bytes1(uint8(certificationData >> 8)));
            // The first time round they are just enough.
            if (i == 1) {
                _expect(
                    abi.encodeWithSelector(
                        ITdxVerifier.TdxVerifier_InconsistentLengths.selector, signatureData, certificationData
                    )
                );
            }
            verifier.verify(quote, leaf, issuer);
            (signatureData, certificationData) = (signatureData - 1, certificationData - 1);
        }
    }

    function _expect(bytes memory revertData) private {
        vm.expectRevert(revertData);
    }

    function _expectBadCertificate(PckCertificate which) private {
        _expect(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadCertificateSignature.selector, which));
    }

    function _assertRefused(bytes memory quote, bytes memory leaf, bytes memory other, uint256 index) private view {
        try verifier.verify(quote, leaf, other) {
            revert AssertionFailed("accepted", bytes32(index), 0);
        } catch (bytes memory reason) {
            assertTyped(reason, index);
        }
    }
}
