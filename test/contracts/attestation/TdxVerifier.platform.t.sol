// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { deploy } from "../../support/Test.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @notice Hostile quotes, truly signed: what a signature alone would let through.
contract TdxVerifierPlatformTest is TdxVerifierCase {
    bytes16 private constant QE_ATTRIBUTES = 0x11000000000000000000000000000000;
    bytes16 private constant QE_MASK = 0xfbffffffffffffff0000000000000000;
    bytes32 private constant QE_SIGNER = 0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5;
    bytes16 private constant OLD_SVN = 0x0a010400000000000000000000000000;

    /* POLICY */

    function test_RevertWhen_PolicyIsEmptyOrAllowsWhatCannotBe() public {
        uint16[5] memory policies = [uint16(0), 1, 1 << 7, 1 << 10, ANY_STATUS | 1 << 15];
        for (uint256 i = 0; i < policies.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadPolicy.selector, policies[i]));
            verifier.verify(quote, withLeaf(), policies[i]);
        }
        verifier.verify(quote, withLeaf(), ANY_STATUS);
    }

    function test_RevertWhen_CollateralIsNoContract() public {
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_NotAContract.selector, address(0xabc)));
        deploy("TdxVerifier", abi.encode(address(0xabc)));
    }

    function test_Views() public view {
        assertEq(verifier.collateral(), address(collateral), "collateral");
        (bytes32 x, bytes32 y) = verifier.rootKey();
        (bytes32 expectedX, bytes32 expectedY) = collateral.rootKey();
        assertEq(x, expectedX, "x");
        assertEq(y, expectedY, "y");
    }

    /* THE GUEST */

    function test_RevertWhen_AttributesLetTheHostIn_AtEveryBit() public {
        for (uint256 version = 4; version <= 5; version++) {
            for (uint256 bit = 0; bit < 64; bit++) {
                bytes8 flag = _le64(uint64(1) << uint64(bit));
                bytes8 attributes = flag | 0x0000001000000000;
                bytes memory body = version == 4 ? reportBody() : reportBody15(TEE_TCB_SVN);
                put(body, TD_ATTRIBUTES_AT, abi.encodePacked(attributes));
                bytes memory hostile = quoteOf(body);
                if (bit < 8) {
                    _expect(ITdxVerifier.TdxVerifier_DebugTd.selector, attributes);
                } else if (bit < 28 || bit == 29 || bit > 31 && bit < 63) {
                    _expect(ITdxVerifier.TdxVerifier_ReservedTdAttributes.selector, attributes);
                }
                // 28 is SEPT_VE_DISABLE itself; PKS 30, KL 31 and PERFMON 63 are the guest's own business.
                verifier.verify(hostile, withLeaf(), POLICY);
            }
        }
    }

    function test_RevertWhen_SeptVeIsEnabled() public {
        bytes memory hostile = quoteOf(_bodyWith(TD_ATTRIBUTES_AT, new bytes(8)));
        _expect(ITdxVerifier.TdxVerifier_SeptVeEnabled.selector, bytes8(0));
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_SeamModuleIsNotIntels_AtEveryByte() public {
        for (uint256 i = 0; i < 48; i++) {
            bytes memory signer = new bytes(48);
            signer[i] = 0x01;
            bytes memory hostile = quoteOf(_bodyWith(MR_SIGNER_SEAM_AT, signer));
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnknownSeamSigner.selector, keccak256(signer))
            );
            verifier.verify(hostile, withLeaf(), POLICY);
        }
    }

    function test_RevertWhen_SeamModuleHasAttributes() public {
        bytes memory hostile = quoteOf(_bodyWith(SEAM_ATTRIBUTES_AT, hex"0000000000000080"));
        _expect(ITdxVerifier.TdxVerifier_BadSeamAttributes.selector, bytes8(0x0000000000000080));
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_ServiceTdIsBound_AtEveryByte() public {
        for (uint256 i = 0; i < 48; i++) {
            bytes memory service = new bytes(48);
            service[i] = 0x80;
            bytes memory body = reportBody15(TEE_TCB_SVN);
            put(body, MR_SERVICE_TD_AT, service);
            bytes memory hostile = quoteOf(body);
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_ServiceTdBound.selector, keccak256(service))
            );
            verifier.verify(hostile, withLeaf(), POLICY);
        }
    }

    /* VERSION 5 */

    function test_WhenVersionIs5_WithEitherBody() public {
        bytes memory expected = abi.encode(verifier.verify(quote, withLeaf(), POLICY));
        bytes memory td10 = assemble(header5(2, 584), reportBody(), qeReport(AUTH_DATA), AUTH_DATA);
        assertEq(abi.encode(verifier.verify(td10, withLeaf(), POLICY)), expected, "TD 1.0");
        assertEq(abi.encode(verifier.verify(cut(td10), withRecord(), POLICY)), expected, "TD 1.0, recorded");
        bytes memory td15 = quoteOf(reportBody15(TEE_TCB_SVN));
        assertEq(abi.encode(verifier.verify(td15, withLeaf(), POLICY)), expected, "TD 1.5");
        assertEq(abi.encode(verifier.verify(cut(td15), withRecord(), POLICY)), expected, "TD 1.5, recorded");
    }

    function test_WhenTdxModuleWasUpdatedSince() public {
        bytes memory body = reportBody15(TEE_TCB_SVN);
        put(body, 0, abi.encodePacked(OLD_SVN));
        useTcbInfo(
            abi.encodePacked(
                bytes32(0),
                hex"0000",
                uint8(1),
                uint8(1),
                hex"0102",
                moduleLevel(11, TcbStatus.UpToDate, ""),
                moduleLevel(10, TcbStatus.OutOfDate, ""),
                platformLevel(COMPONENT_SVNS, PCE_SVN, 0, TcbStatus.UpToDate, "")
            )
        );
        bytes memory hostile = quoteOf(body);
        QuoteVerdict memory verdict = verifier.verify(hostile, withLeaf(), ANY_STATUS);
        assertEq(uint8(verdict.tcbStatus), uint8(TcbStatus.TDRelaunchAdvised), "tcbStatus");
        assertEq(bytes32(verdict.tcb.teeTcbSvn), bytes32(OLD_SVN), "teeTcbSvn");
        assertEq(bytes32(verdict.tcb.currentTeeTcbSvn), bytes32(TEE_TCB_SVN), "currentTeeTcbSvn");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, TcbStatus.TDRelaunchAdvised, POLICY
            )
        );
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_BodyIsOfAnotherTypeOrSize() public {
        uint16[5] memory types = [uint16(1), 2, 3, 3, 4];
        uint32[5] memory sizes = [uint32(384), 648, 584, 649, 648];
        for (uint256 i = 0; i < types.length; i++) {
            bytes memory hostile =
                assemble(header5(types[i], sizes[i]), reportBody15(TEE_TCB_SVN), qeReport(AUTH_DATA), AUTH_DATA);
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_UnsupportedBody.selector, types[i], sizes[i])
            );
            verifier.verify(hostile, withLeaf(), POLICY);
        }
    }

    /* THE QUOTING ENCLAVE */

    function test_RevertWhen_QeIsOfAnotherSigner() public {
        bytes memory hostile = _quoteWithQe(128, abi.encodePacked(bytes32(uint256(7))));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongQeSigner.selector, bytes32(uint256(7)), QE_SIGNER)
        );
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_QeIsAnotherProduct() public {
        // 1 is Intel's SGX quoting enclave.
        bytes memory hostile = _quoteWithQe(256, hex"0100");
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongQeProduct.selector, 1, 2));
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_QeIsInDebug() public {
        bytes memory hostile = _quoteWithQe(48, hex"17");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_WrongQeAttributes.selector,
                bytes16(0x1700000000000000e700000000000000),
                QE_MASK,
                QE_ATTRIBUTES
            )
        );
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_QeHasMiscSelect() public {
        bytes memory hostile = _quoteWithQe(16, hex"01");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_WrongQeMiscSelect.selector, bytes4(0x01000000), bytes4(0xffffffff), bytes4(0)
            )
        );
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_QeIsBelowEveryLevel() public {
        bytes memory hostile = _quoteWithQe(258, hex"0300");
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, TcbStatus.Unsupported, POLICY)
        );
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    function test_RevertWhen_QeVouchesForAnotherKeyOrForMore() public {
        bytes32 expected = bytes32(slice(qeReport(AUTH_DATA), 320, 352));
        bytes memory hostile = _quoteWithQe(320, new bytes(32));
        _expectQeReportData(expected, 0, 0);
        verifier.verify(hostile, withLeaf(), POLICY);
        for (uint256 i = 0; i < 32; i++) {
            bytes memory tail = new bytes(32);
            tail[i] = 0x01;
            hostile = _quoteWithQe(352, tail);
            _expectQeReportData(expected, expected, bytes32(tail));
            verifier.verify(hostile, withLeaf(), POLICY);
        }
    }

    function testFuzz_WhenAuthenticationDataHaveAnyLength(bytes memory authData) public {
        // Fuzzed ones are short: stretch some to the limit.
        if (authData.length % 3 == 0) authData = new bytes(1_024 - authData.length % 8);
        verifier.verify(assemble(header(), reportBody(), qeReport(authData), authData), withLeaf(), POLICY);
    }

    function test_RevertWhen_AuthenticationDataAreTooLong() public {
        bytes memory authData = new bytes(1_025);
        bytes memory hostile = assemble(header(), reportBody(), qeReport(authData), authData);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_AuthDataTooLong.selector, 1_025, 1_024));
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    /* SIGNATURES OF THE QUOTE */

    /// @dev (r, s) and (r, N - s) are the same signature: Intel's come as either.
    function test_WhenSIsHighOrLow() public {
        for (uint256 i = 0; i < 2; i++) {
            verifier.verify(quote, withLeaf(), POLICY);
            bytes memory other = quote;
            put(other, 668, abi.encodePacked(P256.N - uint256(bytes32(slice(other, 668, 700)))));
            put(other, 1_186, abi.encodePacked(P256.N - uint256(bytes32(slice(other, 1_186, 1_218)))));
            quote = other;
        }
    }

    function test_RevertWhen_SignatureIsZeroOrOutOfRange() public {
        uint256[3] memory values = [uint256(0), P256.N, type(uint256).max];
        for (uint256 i = 0; i < values.length; i++) {
            for (uint256 half = 636; half <= 668; half += 32) {
                bytes memory changed = quote;
                put(changed, half, abi.encodePacked(values[i]));
                vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
                verifier.verify(changed, withLeaf(), POLICY);
            }
        }
    }

    /// @dev r and s all zero under the zero key: what a verifier of P-256 without checks takes for a signature.
    function test_RevertWhen_AttestationKeyIsZero() public {
        bytes memory hostile = quote;
        put(hostile, 636, new bytes(128));
        bytes memory report = qeReport(AUTH_DATA);
        put(report, 320, abi.encodePacked(sha256(bytes.concat(new bytes(64), AUTH_DATA))));
        (bytes32 r, bytes32 s) = vm.signP256(PCK_KEY, sha256(report));
        put(hostile, 770, bytes.concat(report, r, s));
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        verifier.verify(hostile, withLeaf(), POLICY);
    }

    /// @dev A call to an address without code succeeds and returns nothing: signatures are verified in Solidity.
    function test_WithoutThePrecompile() public {
        vm.mockCall(address(0x100), "", "");
        verifier.verify(quote, withLeaf(), POLICY);
        bytes memory hostile = quote;
        hostile[MR_TD_AT + 48] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        verifier.verify(hostile, withLeaf(), POLICY);
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

    function _expectQeReportData(bytes32 expected, bytes32 high, bytes32 low) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_QeReportDataMismatch.selector, expected, high, low)
        );
    }

    /// @dev Eight bytes, the lowest first.
    function _le64(uint64 value) private pure returns (bytes8 bytes_) {
        for (uint256 i = 0; i < 8; i++) {
            bytes_ |= bytes8(uint64(uint8(value >> (8 * i))) << uint64(56 - 8 * i));
        }
    }
}
