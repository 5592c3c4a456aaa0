// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Evidence, ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { IntelQuotes } from "./IntelQuotes.sol";

/// @notice A real quote and its leaf, cut, extended, and with other lengths in them.
contract TdxVerifierLengthsTest is IntelQuotes {
    /// @dev End of the certificate chain; the vector has 70 zeros behind it.
    uint256 private constant WHOLE_END = 4_936;

    function test_RevertWhen_QuoteIsTruncated_AtEveryLength() public {
        Evidence memory evidence = intelEvidence(leaf);
        for (uint256 length = 0; length < QUOTE_END; length++) {
            bytes memory shorter = slice(quote, 0, length);
            uint256 needed = length < 1_220 ? 1_220 : QUOTE_END;
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTruncated.selector, length, needed)
            );
            verifier.verify(shorter, evidence, POLICY);
        }
    }

    /// @dev Without a leaf a quote may end in one other place, after its attestation key.
    function test_RevertWhen_ShortQuoteIsTruncatedOrExtended() public {
        Evidence memory evidence;
        uint256[4] memory lengths = [uint256(763), 765, 766, 1_219];
        for (uint256 i = 0; i < lengths.length; i++) {
            bytes memory other = slice(quote, 0, lengths[i]);
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTruncated.selector, lengths[i], 1_220)
            );
            verifier.verify(other, evidence, POLICY);
        }
    }

    /// @dev A quote may come whole, as platforms give it: the chain's text is not read, all around it is.
    function test_WhenTheQuoteIsWhole() public {
        bytes memory expected = abi.encode(verifier.verify(quote, intelEvidence(leaf), POLICY));
        bytes memory whole = slice(readVector("nearmpc.quote.bin"), 0, WHOLE_END);
        assertEq(abi.encode(verifier.verify(whole, intelEvidence(leaf), POLICY)), expected, "whole");
        for (uint256 zeros = 1; zeros < 70; zeros++) {
            bytes memory padded = bytes.concat(whole, new bytes(zeros));
            assertEq(abi.encode(verifier.verify(padded, intelEvidence(leaf), POLICY)), expected, "padded");
        }
    }

    function test_RevertWhen_TheQuoteGoesOnAndIsNotWhole_AtEveryLength() public {
        bytes memory whole = slice(readVector("nearmpc.quote.bin"), 0, WHOLE_END);
        for (uint256 length = QUOTE_END + 1; length < WHOLE_END; length += length < QUOTE_END + 8 ? 1 : 97) {
            uint256 needed = length < QUOTE_END + 6 ? QUOTE_END + 6 : WHOLE_END;
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTruncated.selector, length, needed)
            );
            verifier.verify(slice(whole, 0, length), intelEvidence(leaf), POLICY);
        }
    }

    function test_RevertWhen_BytesFollowThePadding_AtEveryPlace() public {
        bytes memory whole = slice(readVector("nearmpc.quote.bin"), 0, WHOLE_END);
        for (uint256 zeros = 0; zeros < 70; zeros++) {
            bytes memory longer = bytes.concat(whole, new bytes(zeros), hex"01");
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_TrailingBytes.selector, WHOLE_END, longer.length)
            );
            verifier.verify(longer, intelEvidence(leaf), POLICY);
        }
        // A cut quote has no padding: what follows is read as the header of a chain.
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnsupportedCertification.selector, 0xadde));
        verifier.verify(bytes.concat(quote, hex"deadbeef0000"), intelEvidence(leaf), POLICY);
    }

    function test_RevertWhen_TheChainHasAnotherTypeOrSize() public {
        bytes memory whole = slice(readVector("nearmpc.quote.bin"), 0, WHOLE_END);
        uint32 size = uint32(WHOLE_END - QUOTE_END - 6);
        bytes memory hostile = bytes.concat(whole);
        put(hostile, QUOTE_END, bytes.concat(le16(4)));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnsupportedCertification.selector, 4));
        verifier.verify(hostile, intelEvidence(leaf), POLICY);

        uint32[4] memory sizes = [size - 1, size + 1, 0, type(uint32).max];
        for (uint256 i = 0; i < sizes.length; i++) {
            hostile = bytes.concat(whole);
            put(hostile, QUOTE_END + 2, bytes.concat(le32(sizes[i])));
            vm.expectRevert(
                abi.encodeWithSelector(
                    ITdxVerifier.TdxVerifier_InconsistentChainLength.selector, sizes[i], 482 + 6 + size
                )
            );
            verifier.verify(hostile, intelEvidence(leaf), POLICY);
        }
    }

    function test_RevertWhen_QuoteIsTooLong() public {
        bytes memory whole = slice(readVector("nearmpc.quote.bin"), 0, WHOLE_END);
        bytes memory longer = bytes.concat(whole, new bytes(16_385 - WHOLE_END));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QuoteTooLong.selector, 16_385, 16_384));
        verifier.verify(longer, intelEvidence(leaf), POLICY);
        verifier.verify(slice(longer, 0, 16_384), intelEvidence(leaf), POLICY);
    }

    /// @dev A leaf cut anywhere, or with a byte after it, is no leaf; of length 0 it is none at all.
    function test_RevertWhen_LeafIsCutOrExtended_AtEveryLength() public {
        for (uint256 length = 0; length < leaf.length; length++) {
            _assertRefused(quote, intelEvidence(slice(leaf, 0, length)), length);
        }
        _assertRefused(quote, intelEvidence(bytes.concat(leaf, hex"00")), leaf.length);
    }

    /// @dev A leaf without its last byte, which happens to follow in calldata: what lies outside is not read.
    function test_RevertWhen_LeafGoesOnBeyondItsLength() public {
        bytes memory data = abi.encodeCall(verifier.verify, (quote, intelEvidence(leaf), POLICY));
        // The leaf is the last of the data: its length stands before it and its padding.
        uint256 cursor = data.length - (leaf.length + 31) / 32 * 32 - 32;
        assertEq(uint256(bytes32(slice(data, cursor, cursor + 32))), leaf.length, "length of the leaf");
        put(data, cursor, abi.encode(leaf.length - 1));
        (bool ok, bytes memory reason) = address(verifier).call(data);
        assertTrue(!ok, "refused");
        assertEq(
            reason, abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MalformedCertificate.selector, 0), "reason"
        );
    }

    /// @dev Whatever the lengths, a typed error and never a panic or a failed allocation.
    function testFuzz_RevertWhen_BytesAreAny(bytes memory other, bytes memory otherLeaf, bytes32 random) public {
        _assertRefused(other, intelEvidence(otherLeaf), 0);
        vm.assume(otherLeaf.length != 0);
        _assertRefused(quote, intelEvidence(otherLeaf), 1);
        Evidence memory evidence;
        evidence.platform.pckKey = P256Key(random, keccak256(abi.encode(random)));
        evidence.platform.fmspc = bytes6(random);
        evidence.platform.notAfter = type(uint64).max;
        evidence.revocationHint = uint16(uint256(random));
        evidence.attestationKeyHash = random;
        _assertRefused(quote, evidence, 2);
        _assertRefused(cut(quote), evidence, 3);
    }

    function testFuzz_RevertWhen_LeafHasBytesOfAny(uint16 start, bytes memory part) public {
        vm.assume(part.length != 0 && part.length < 200);
        uint256 offset = bound(start, 0, leaf.length - part.length);
        bytes memory hostile = leaf;
        put(hostile, offset, part);
        if (keccak256(hostile) != keccak256(leaf)) _assertRefused(quote, intelEvidence(hostile), offset);
    }

    function testFuzz_RevertWhen_StatedLengthsAreAny(uint32 signatureData, uint32 certificationData, uint16 authData)
        public
    {
        bytes memory hostile = quote;
        put(hostile, 632, bytes.concat(le32(signatureData)));
        put(hostile, 766, bytes.concat(le32(certificationData)));
        put(hostile, 1_218, bytes.concat(le16(authData)));
        // Lengths are not signed: consistent ones that leave the authentication data alone say nothing else.
        bool harmless = authData == 32 && uint256(signatureData) == uint256(certificationData) + 134
            && certificationData >= 482;
        if (!harmless) _assertRefused(hostile, intelEvidence(leaf), 0);
    }

    /// @dev The QE report, its signature and the authentication data are 482 bytes: less cannot hold them.
    function test_RevertWhen_StatedLengthsAreTooSmall() public {
        bytes memory hostile = quote;
        for (uint32 size = 482; size > 480; size--) {
            put(hostile, 632, bytes.concat(le32(size + 134)));
            put(hostile, 766, bytes.concat(le32(size)));
            // The first time round they are just enough.
            if (size == 481) {
                vm.expectRevert(
                    abi.encodeWithSelector(ITdxVerifier.TdxVerifier_InconsistentLengths.selector, size + 134, size)
                );
            }
            verifier.verify(hostile, intelEvidence(leaf), POLICY);
        }
    }

    function _assertRefused(bytes memory quote_, Evidence memory evidence, uint256 index) private {
        try verifier.verify(quote_, evidence, POLICY) {
            revert AssertionFailed("accepted", bytes32(index), 0);
        } catch (bytes memory reason) {
            assertTyped(reason, index);
        }
    }
}
