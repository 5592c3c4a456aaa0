// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { IntelQuotes } from "./IntelQuotes.sol";

/// @notice A real quote with one byte changed, for every byte of it, is refused for the reason it should be.
contract TdxVerifierMutationTest is IntelQuotes {
    bytes private quote;
    bytes private leaf;

    function setUp() public override {
        super.setUp();
        quote = quoteOf("nearmpc");
        leaf = leafOf("nearmpc");
    }

    function test_RevertWhen_HeaderIsChanged_AtEveryByte() public view {
        bytes4[48] memory expected;
        for (uint256 i = 0; i < 48; i++) {
            expected[i] = ITdxVerifier.TdxVerifier_BadQuoteSignature.selector;
        }
        expected[0] = expected[1] = ITdxVerifier.TdxVerifier_UnsupportedVersion.selector;
        expected[2] = expected[3] = ITdxVerifier.TdxVerifier_UnsupportedKeyType.selector;
        for (uint256 i = 4; i < 8; i++) {
            expected[i] = ITdxVerifier.TdxVerifier_UnsupportedTeeType.selector;
        }
        for (uint256 i = 12; i < 28; i++) {
            expected[i] = ITdxVerifier.TdxVerifier_UnknownQeVendor.selector;
        }
        for (uint256 i = 0; i < 48; i++) {
            _assertRefusedWith(i, expected[i]);
        }
    }

    function test_RevertWhen_ReportIsChanged_AtEveryByte() public view {
        for (uint256 i = 48; i < 632; i++) {
            bytes4 expected = ITdxVerifier.TdxVerifier_BadQuoteSignature.selector;
            if (i >= 112 && i < 160) expected = ITdxVerifier.TdxVerifier_UnknownSeamSigner.selector;
            else if (i >= 160 && i < 168) expected = ITdxVerifier.TdxVerifier_BadSeamAttributes.selector;
            else if (i == 168) expected = ITdxVerifier.TdxVerifier_DebugTd.selector;
            // The lowest bit of this byte is changed; bit 28, in byte 171, is another.
            else if (i > 168 && i < 176) expected = ITdxVerifier.TdxVerifier_ReservedTdAttributes.selector;
            _assertRefusedWith(i, expected);
        }
    }

    function test_RevertWhen_QuoteSignatureOrKeyIsChanged_AtEveryByte() public view {
        for (uint256 i = 636; i < 700; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_BadQuoteSignature.selector);
        }
        for (uint256 i = 700; i < 764; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector);
        }
    }

    function test_RevertWhen_LengthsOrTypesAreChanged_AtEveryByte() public view {
        for (uint256 i = 632; i < 636; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_InconsistentLengths.selector);
            _assertRefusedWith(i + 134, ITdxVerifier.TdxVerifier_InconsistentLengths.selector);
        }
        for (uint256 i = 764; i < 766; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_UnsupportedCertification.selector);
        }
    }

    function test_RevertWhen_QeReportIsChanged_AtEveryByte() public view {
        for (uint256 i = 0; i < 384; i++) {
            bytes4 expected = ITdxVerifier.TdxVerifier_BadQeReportSignature.selector;
            if (i >= 16 && i < 20 || i >= 48 && i < 56) expected = ITdxVerifier.TdxVerifier_WrongQeAttributes.selector;
            else if (i >= 128 && i < 160) expected = ITdxVerifier.TdxVerifier_WrongQeSigner.selector;
            else if (i >= 256 && i < 258) expected = ITdxVerifier.TdxVerifier_WrongQeProduct.selector;
            else if (i >= 320) expected = ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector;
            _assertRefusedWith(770 + i, expected);
        }
        for (uint256 i = 1_154; i < 1_218; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_BadQeReportSignature.selector);
        }
    }

    function test_RevertWhen_AuthDataIsChanged_AtEveryByte() public view {
        // 33 bytes are more than there are; 32 + 256 likewise.
        _assertRefusedWith(1_218, ITdxVerifier.TdxVerifier_QuoteTruncated.selector);
        _assertRefusedWith(1_219, ITdxVerifier.TdxVerifier_QuoteTruncated.selector);
        for (uint256 i = 1_220; i < QUOTE_END; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector);
        }
    }

    function test_RevertWhen_LeafIsChanged_AtEveryByte() public view {
        for (uint256 i = 0; i < leaf.length; i++) {
            _assertRefused(quote, _flip(leaf, i), issuer, i);
        }
    }

    function test_RevertWhen_IssuerIsChanged_AtEveryByte() public view {
        for (uint256 i = 0; i < issuer.length; i++) {
            _assertRefused(quote, leaf, _flip(issuer, i), i);
        }
    }

    function _assertRefusedWith(uint256 index, bytes4 expected) private view {
        try verifier.verify(_flip(quote, index), leaf, issuer) {
            revert AssertionFailed("accepted", bytes32(index), expected);
        } catch (bytes memory reason) {
            if (bytes4(reason) != expected) revert AssertionFailed("at byte", bytes32(index), bytes4(reason));
        }
    }

    function _assertRefused(bytes memory quote_, bytes memory leaf_, bytes memory issuer_, uint256 index) private view {
        try verifier.verify(quote_, leaf_, issuer_) {
            revert AssertionFailed("accepted", bytes32(index), 0);
        } catch (bytes memory reason) {
            assertTyped(reason, index);
        }
    }

    function _flip(bytes memory data, uint256 index) private pure returns (bytes memory changed) {
        changed = bytes.concat(data);
        changed[index] ^= 0x01;
    }
}
