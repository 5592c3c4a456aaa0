// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TestPlatform } from "../../support/TestPlatform.sol";

/// @notice Hostile quotes, truly signed: what a signature alone would let through.
contract TdxVerifierPlatformTest is TestPlatform {
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

    function test_WhenAllIsInOrder() public view {
        QuoteVerdict memory verdict = verifier.verify(quote, leaf, issuer);
        assertEq(verdict.platformId, keccak256(PPID), "platformId");
        assertEq(uint256(verdict.tcbStatus), uint256(TcbStatus.Unevaluated), "tcbStatus");
        assertEq(verdict.validUntil, LEAF_NOT_AFTER_SECONDS, "validUntil");
    }

    /* THE GUEST */

    function test_RevertWhen_AttributesLetTheHostIn_AtEveryBit() public {
        for (uint256 bit = 0; bit < 64; bit++) {
            bytes8 flag = _le64(uint64(1) << uint64(bit));
            bytes8 attributes = flag | 0x0000001000000000;
            bytes memory hostile = quoteOf(_bodyWith(TD_ATTRIBUTES_AT, abi.encodePacked(attributes)));
            if (bit < 8) {
                _expect(ITdxVerifier.TdxVerifier_DebugTd.selector, attributes);
            } else if (bit < 28 || bit == 29 || bit > 31 && bit < 63) {
                _expect(ITdxVerifier.TdxVerifier_ReservedTdAttributes.selector, attributes);
            }
            // 28 is SEPT_VE_DISABLE itself; PKS 30, KL 31 and PERFMON 63 are the guest's own business.
            verifier.verify(hostile, leaf, issuer);
        }
    }

    function test_RevertWhen_SeptVeIsEnabled() public {
        bytes memory hostile = quoteOf(_bodyWith(TD_ATTRIBUTES_AT, new bytes(8)));
        _expect(ITdxVerifier.TdxVerifier_SeptVeEnabled.selector, bytes8(0));
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_SeamModuleIsNotIntels() public {
        bytes memory signer = new bytes(48);
        signer[47] = 0x01;
        bytes memory hostile = quoteOf(_bodyWith(MR_SIGNER_SEAM_AT, signer));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnknownSeamSigner.selector, keccak256(signer))
        );
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_SeamModuleHasAttributes() public {
        bytes memory hostile = quoteOf(_bodyWith(SEAM_ATTRIBUTES_AT, hex"0000000000000080"));
        _expect(ITdxVerifier.TdxVerifier_BadSeamAttributes.selector, bytes8(0x0000000000000080));
        verifier.verify(hostile, leaf, issuer);
    }

    /* THE QUOTING ENCLAVE */

    function test_RevertWhen_QeIsOfAnotherSigner() public {
        bytes memory hostile = _quoteWithQe(128, abi.encodePacked(bytes32(uint256(7))));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongQeSigner.selector, bytes32(uint256(7))));
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_QeIsAnotherProduct() public {
        // 1 is Intel's SGX quoting enclave.
        bytes memory hostile = _quoteWithQe(256, hex"0100");
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongQeProduct.selector, 1));
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_QeIsInDebug() public {
        bytes memory hostile = _quoteWithQe(48, hex"17");
        _expectQeAttributes(0x1700000000000000e700000000000000, 0);
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_QeHasMiscSelect() public {
        bytes memory hostile = _quoteWithQe(16, hex"01");
        _expectQeAttributes(0x1500000000000000e700000000000000, 0x01000000);
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_QeVouchesForAnotherKey() public {
        bytes32 expected = _word(qeReport(AUTH_DATA), 320);
        bytes memory hostile = _quoteWithQe(320, new bytes(32));
        _expectQeReportData(expected, 0, 0);
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_QeSaysMoreThanTheKey() public {
        bytes32 expected = _word(qeReport(AUTH_DATA), 320);
        bytes memory hostile = _quoteWithQe(352, abi.encodePacked(bytes32(uint256(1))));
        _expectQeReportData(expected, expected, bytes32(uint256(1)));
        verifier.verify(hostile, leaf, issuer);
    }

    function testFuzz_WhenAuthenticationDataHaveAnyLength(bytes memory authData) public view {
        // Fuzzed ones are short: stretch some to and beyond the limit.
        if (authData.length % 3 == 0) authData = new bytes(1_024 - authData.length % 8);
        bytes memory hostile = assemble(header(), reportBody(), qeReport(authData), authData);
        verifier.verify(hostile, leaf, issuer);
    }

    function test_RevertWhen_AuthenticationDataAreTooLong() public {
        bytes memory authData = new bytes(1_025);
        bytes memory hostile = assemble(header(), reportBody(), qeReport(authData), authData);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_AuthDataTooLong.selector, 1_025, 1_024));
        verifier.verify(hostile, leaf, issuer);
    }

    /* SIGNATURES OF THE QUOTE */

    /// @dev (r, s) and (r, N - s) are the same signature: Intel's come as either.
    function test_WhenSIsHighOrLow() public view {
        bytes memory hostile = quoteOf(reportBody());
        for (uint256 i = 0; i < 2; i++) {
            verifier.verify(hostile, leaf, issuer);
            put(hostile, 668, abi.encodePacked(P256.N - uint256(_word(hostile, 668))));
            put(hostile, 1_186, abi.encodePacked(P256.N - uint256(_word(hostile, 1_186))));
        }
    }

    function test_RevertWhen_SignatureIsZeroOrOutOfRange() public {
        bytes memory hostile = quoteOf(reportBody());
        uint256[3] memory values = [uint256(0), P256.N, type(uint256).max];
        for (uint256 i = 0; i < values.length; i++) {
            for (uint256 half = 636; half <= 668; half += 32) {
                bytes memory changed = bytes.concat(hostile);
                put(changed, half, abi.encodePacked(values[i]));
                vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
                verifier.verify(changed, leaf, issuer);
            }
        }
    }

    /// @dev r and s all zero under the zero key: what a verifier of P-256 without checks takes for a signature.
    function test_RevertWhen_AttestationKeyIsZero() public {
        bytes memory hostile = quoteOf(reportBody());
        put(hostile, 636, new bytes(128));
        bytes memory report = qeReport(AUTH_DATA);
        put(report, 320, abi.encodePacked(sha256(bytes.concat(new bytes(64), AUTH_DATA))));
        (bytes32 r, bytes32 s) = vm.signP256(PCK_KEY, sha256(report));
        put(hostile, 770, bytes.concat(report, r, s));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        verifier.verify(hostile, leaf, issuer);
    }

    /* HELPERS */

    function _bodyWith(uint256 offset, bytes memory part) private pure returns (bytes memory body) {
        body = reportBody();
        put(body, offset, part);
    }

    function _quoteWithQe(uint256 offset, bytes memory part) private pure returns (bytes memory) {
        bytes memory report = qeReport(AUTH_DATA);
        put(report, offset, part);
        return assemble(header(), reportBody(), report, AUTH_DATA);
    }

    function _expect(bytes4 selector, bytes8 attributes) private {
        vm.expectRevert(abi.encodeWithSelector(selector, attributes));
    }

    function _expectQeAttributes(bytes16 attributes, bytes4 miscSelect) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongQeAttributes.selector, attributes, miscSelect)
        );
    }

    function _expectQeReportData(bytes32 expected, bytes32 high, bytes32 low) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector, expected, high, low)
        );
    }

    function _word(bytes memory data, uint256 offset) private pure returns (bytes32) {
        return bytes32(slice(data, offset, offset + 32));
    }

    /// @dev Eight bytes, the lowest first.
    function _le64(uint64 value) private pure returns (bytes8 bytes_) {
        for (uint256 i = 0; i < 8; i++) {
            bytes_ |= bytes8(uint64(uint8(value >> (8 * i))) << uint64(56 - 8 * i));
        }
    }
}
