// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Evidence, ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbEvidence } from "../../../contracts/interfaces/TcbTypes.sol";
import { IntelQuotes } from "./IntelQuotes.sol";

/// @notice A real quote with one byte changed, for every byte of it, is refused for the reason it should be; so is its leaf.
contract TdxVerifierMutationTest is IntelQuotes {
    function test_RevertWhen_HeaderIsChanged_AtEveryByte() public {
        bytes4[48] memory expected;
        for (uint256 i = 0; i < 48; i++) {
            expected[i] = ITdxVerifier.TdxVerifier_BadQuoteSignature.selector;
        }
        // 5 is a version too, but this quote's report is not laid out like it.
        expected[0] = ITdxVerifier.TdxVerifier_UnsupportedBody.selector;
        expected[1] = ITdxVerifier.TdxVerifier_UnsupportedVersion.selector;
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

    function test_RevertWhen_ReportIsChanged_AtEveryByte() public {
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

    function test_RevertWhen_QuoteSignatureOrKeyIsChanged_AtEveryByte() public {
        for (uint256 i = 636; i < 700; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_BadQuoteSignature.selector);
        }
        for (uint256 i = 700; i < 764; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector);
        }
    }

    function test_RevertWhen_LengthsOrTypesAreChanged_AtEveryByte() public {
        for (uint256 i = 632; i < 636; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_InconsistentLengths.selector);
            _assertRefusedWith(i + 134, ITdxVerifier.TdxVerifier_InconsistentLengths.selector);
        }
        for (uint256 i = 764; i < 766; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_UnsupportedCertification.selector);
        }
    }

    function test_RevertWhen_QeReportIsChanged_AtEveryByte() public {
        for (uint256 i = 0; i < 384; i++) {
            bytes4 expected = ITdxVerifier.TdxVerifier_BadQeReportSignature.selector;
            if (i >= 16 && i < 20) expected = ITdxVerifier.TdxVerifier_WrongQeMiscSelect.selector;
            else if (i >= 48 && i < 56) expected = ITdxVerifier.TdxVerifier_WrongQeAttributes.selector;
            else if (i >= 128 && i < 160) expected = ITdxVerifier.TdxVerifier_WrongQeSigner.selector;
            else if (i >= 256 && i < 258) expected = ITdxVerifier.TdxVerifier_WrongQeProduct.selector;
            else if (i >= 320) expected = ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector;
            _assertRefusedWith(770 + i, expected);
        }
        for (uint256 i = 1_154; i < 1_218; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_BadQeReportSignature.selector);
        }
    }

    function test_RevertWhen_AuthDataIsChanged_AtEveryByte() public {
        // 33 bytes are more than there are; 32 + 256 likewise.
        _assertRefusedWith(1_218, ITdxVerifier.TdxVerifier_QuoteTruncated.selector);
        _assertRefusedWith(1_219, ITdxVerifier.TdxVerifier_QuoteTruncated.selector);
        for (uint256 i = 1_220; i < QUOTE_END; i++) {
            _assertRefusedWith(i, ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector);
        }
    }

    /// @dev With the attestation key recorded too: the record stands for what was cut off, not for what is left.
    function test_RevertWhen_ShortQuoteIsChanged_AtEveryByte() public {
        TcbEvidence memory tcb = verifier.verify(quote, intelEvidence(leaf), POLICY).tcb;
        Evidence memory evidence;
        (evidence.platform, evidence.qeIsvSvn) = (tcb.platform, tcb.qeIsvSvn);
        quote = cut(quote);
        verifier.verify(quote, evidence, POLICY);
        for (uint256 i = 0; i < quote.length; i++) {
            // The stated length counts what was cut off: nobody looks at it.
            if (i >= 632 && i < 636) continue;
            try verifier.verify(flip(quote, i), evidence, POLICY) {
                revert AssertionFailed("accepted", bytes32(i), 0);
            } catch (bytes memory reason) {
                assertTyped(reason, i);
            }
        }
    }

    function test_RevertWhen_LeafIsChanged_AtEveryByte() public {
        for (uint256 i = 0; i < leaf.length; i++) {
            try verifier.verify(quote, intelEvidence(flip(leaf, i)), POLICY) {
                revert AssertionFailed("accepted", bytes32(i), 0);
            } catch (bytes memory reason) {
                assertTyped(reason, i);
            }
        }
    }

    function _assertRefusedWith(uint256 index, bytes4 expected) private {
        try verifier.verify(flip(quote, index), intelEvidence(leaf), POLICY) {
            revert AssertionFailed("accepted", bytes32(index), expected);
        } catch (bytes memory reason) {
            if (bytes4(reason) != expected) revert AssertionFailed("at byte", bytes32(index), bytes4(reason));
        }
    }
}
