// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Evidence, ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { PckFields } from "../../support/TestPlatform.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @notice What is read of the SGX extension, and what is refused in it, in leaves that are truly signed.
contract SgxExtensionTest is TdxVerifierCase {
    function setUp() public override {
        super.setUp();
        // Whatever the platform's SVNs.
        useTcbInfo(
            abi.encodePacked(
                bytes32(0),
                hex"0000",
                uint8(1),
                uint8(1),
                hex"0101",
                moduleLevel(0, TcbStatus.UpToDate, ""),
                platformLevel(0, 0, 0, TcbStatus.UpToDate, "")
            )
        );
    }

    function testFuzz_Fields(bytes16 ppid, bytes16 componentSvns, uint16 pceSvn, bytes6 fmspc) public {
        PckFields memory fields = PckFields(
            abi.encodePacked(ppid), componentSvns, pceSvn, hex"0000", abi.encodePacked(fmspc)
        );
        QuoteVerdict memory verdict = verifier.verify(quote, _evidence(pckExtension(fields)), POLICY);
        assertEq(verdict.tcb.platform.platformId, bytes16(keccak256(abi.encodePacked(ppid))), "platformId");
        assertEq(bytes32(verdict.tcb.platform.componentSvns), bytes32(componentSvns), "componentSvns");
        assertEq(verdict.tcb.platform.pceSvn, pceSvn, "pceSvn");
        assertEq(bytes32(verdict.tcb.platform.pceId), 0, "pceId");
        assertEq(bytes32(verdict.tcb.platform.fmspc), bytes32(fmspc), "fmspc");
    }

    /// @dev SVNs of one and of two bytes, side by side at every place.
    function test_WhenAComponentIsLarge_AtEveryPlace() public {
        for (uint256 i = 0; i < 16; i++) {
            PckFields memory fields = pckFields();
            fields.componentSvns = bytes16(uint128(0x80) << uint128(8 * (15 - i))) | COMPONENT_SVNS;
            QuoteVerdict memory verdict = verifier.verify(quote, _evidence(pckExtension(fields)), POLICY);
            assertEq(bytes32(verdict.tcb.platform.componentSvns), bytes32(fields.componentSvns), "componentSvns");
        }
    }

    /// @dev A second one, of a form that is not Intel's, before or after the one that is.
    function test_RevertWhen_ExtensionIsThereTwice_InAnotherForm() public {
        bytes memory good = leafExtensions(pckExtension(pckFields()));
        bytes[3] memory others = [
            extension(SGX_EXTENSIONS, false, hex"3000"),
            extension(SGX_EXTENSIONS, false, tlv(0x30, new bytes(0x80))),
            extension(SGX_EXTENSIONS, true, pckExtension(pckFields()))
        ];
        for (uint256 i = 0; i < 6; i++) {
            bytes memory other = others[i / 2];
            CertificateSpec memory spec = leafSpec();
            spec.extensions = i % 2 == 0 ? bytes.concat(other, good) : bytes.concat(good, other);
            bytes memory leaf = certificateOf(spec);
            // By its OID, after a tag and one or two bytes of length; of Intel's length it is known from its start.
            uint256 head = other[1] == 0x82 ? 0 : other[1] == 0x81 ? 3 : 2;
            bytes memory reason = abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_MalformedCertificate.selector, _find(leaf, other) + head
            );
            Evidence memory evidence = withLeaf(leaf);
            vm.expectRevert(reason);
            verifier.verify(quote, evidence, POLICY);
        }
    }

    function _refuse(bytes memory leaf, bytes memory part, uint256 inside) private {
        Evidence memory evidence = withLeaf(leaf);
        uint256 offset = _find(leaf, part) + inside;
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MalformedCertificate.selector, offset));
        verifier.verify(quote, evidence, POLICY);
    }

    function test_RevertWhen_LeafsDateIsNone() public {
        string[3] memory dates = ["260132000000Z", "261301000000Z", "500101000000Z"];
        for (uint256 i = 0; i < dates.length; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.validity = validityOf(dates[i], "330101000000Z");
            _refuse(certificateOf(spec), tlv(0x30, spec.validity), 0);
        }
    }

    /// @dev In a form that DER has not, its parts could be read otherwise by another reader.
    function test_RevertWhen_LeafsSignatureIsNotDer() public {
        bytes[2] memory pairs = [bytes(hex"30060201ff020101"), hex"300702020001020101"]; // negative; a zero too many
        for (uint256 i = 0; i < pairs.length; i++) {
            bytes memory signature = tlv(0x03, bytes.concat(hex"00", pairs[i]));
            bytes memory leaf = tlv(0x30, bytes.concat(tbsOf(leafSpec()), ECDSA_WITH_SHA256, signature));
            _refuse(leaf, pairs[i], 2);
        }
    }

    function _find(bytes memory all, bytes memory part) private pure returns (uint256 at) {
        bytes32 hash = keccak256(part);
        while (keccak256(slice(all, at, at + part.length)) != hash) at++;
    }

    function test_WhenThereAreMoreFields_OrNone() public {
        verifier.verify(quote, _evidence(_list(_four())), POLICY);
        verifier.verify(quote, _evidence(_list(bytes.concat(_four(), pckField(200, hex"0500")))), POLICY);
    }

    function test_RevertWhen_AFieldIsMissing() public {
        bytes[4] memory fields = _fields();
        for (uint8 i = 0; i < 4; i++) {
            bytes memory list;
            for (uint8 j = 0; j < 4; j++) {
                if (i != j) list = bytes.concat(list, fields[j]);
            }
            // Without its largest field the list is not even of the usual size.
            list = bytes.concat(list, pckField(7, new bytes(0)), pckField(8, tlv(0x04, new bytes(100))));
            if (i == 1) list = bytes.concat(list, pckField(9, tlv(0x04, new bytes(100))));
            _expectBadField(i + 1, _list(list));
        }
    }

    function test_RevertWhen_AFieldIsRepeated() public {
        bytes[4] memory fields = _fields();
        _expectBadField(1, _list(bytes.concat(_four(), fields[0])));
        _expectBadField(3, _list(bytes.concat(_four(), fields[2])));
        _expectBadField(4, _list(bytes.concat(_four(), fields[3])));
        _expectBadField(2, _list(bytes.concat(fields[0], fields[0], fields[1], fields[2], fields[3])));
    }

    function test_RevertWhen_AFieldIsOfAnotherSize() public {
        PckFields memory fields = pckFields();
        fields.ppid = new bytes(15);
        _expectBadField(1, pckExtension(fields));
        fields.ppid = new bytes(17);
        _expectBadField(1, pckExtension(fields));
        fields = pckFields();
        fields.pceId = new bytes(3);
        _expectBadField(3, pckExtension(fields));
        fields = pckFields();
        fields.fmspc = new bytes(5);
        _expectBadField(4, pckExtension(fields));
    }

    /// @dev Each field of the TCB left out, twice, and with another number.
    function test_RevertWhen_TheTcbIsAnother_AtEveryField() public {
        for (uint8 i = 1; i <= 18; i++) {
            for (uint8 way = 0; way < 3; way++) {
                bytes memory tcb;
                for (uint8 j = 1; j <= 18; j++) {
                    bytes memory value = j == 18 ? tlv(0x04, new bytes(16)) : integer(1);
                    if (i != j) tcb = bytes.concat(tcb, tcbField(j, value));
                    else if (way == 1) tcb = bytes.concat(tcb, tcbField(j, value), tcbField(j, value));
                    else if (way == 2) tcb = bytes.concat(tcb, tcbField(j + 1, value));
                }
                _expectBadField(2, _withTcb(tcb));
            }
        }
    }

    /// @dev Negative, not in its shortest form, too large, empty, or no integer.
    function test_RevertWhen_AnSvnIsMalformed() public {
        bytes[7] memory values =
            [bytes(hex"020180"), hex"02020001", hex"02020100", hex"0203000080", hex"0200", hex"040101", hex"0204000100ff"];
        for (uint256 i = 0; i < values.length; i++) {
            bytes memory tcb;
            for (uint8 j = 1; j <= 18; j++) {
                bytes memory value = j == 18 ? tlv(0x04, new bytes(16)) : j == 5 ? values[i] : integer(1);
                tcb = bytes.concat(tcb, tcbField(j, value));
            }
            _expectBadField(2, _withTcb(tcb));
        }
    }

    /// @dev Nothing may hide behind what is read.
    function test_RevertWhen_BytesFollow() public {
        bytes[2] memory values = [bytes.concat(_list(_four()), hex"0500"), _list(bytes.concat(_four(), hex"0500"))];
        for (uint256 i = 0; i < 2; i++) {
            CertificateSpec memory spec = leafSpec();
            spec.extensions = leafExtensions(values[i]);
            Evidence memory evidence = withLeaf(certificateOf(spec));
            // The first is seen in the sizes at the extension's head, 15 bytes of which stand before its value's.
            uint256 end = 4 + tbsOf(spec).length;
            uint256 offset = i == 0 ? end - values[i].length - 19 : end - 2;
            vm.expectRevert(
                abi.encodeWithSelector(ITdxVerifier.TdxVerifier_MalformedCertificate.selector, offset)
            );
            verifier.verify(quote, evidence, POLICY);
        }
    }

    /* HELPERS */

    function _fields() private pure returns (bytes[4] memory) {
        return [
            pckField(1, tlv(0x04, PPID)),
            pckField(2, tlv(0x30, tcbFields(COMPONENT_SVNS, PCE_SVN))),
            pckField(3, tlv(0x04, hex"0000")),
            pckField(4, tlv(0x04, abi.encodePacked(PLATFORM_FMSPC)))
        ];
    }

    function _four() private pure returns (bytes memory) {
        bytes[4] memory fields = _fields();
        return bytes.concat(fields[0], fields[1], fields[2], fields[3]);
    }

    function _list(bytes memory fields) private pure returns (bytes memory) {
        return tlv(0x30, fields);
    }

    function _withTcb(bytes memory tcb) private pure returns (bytes memory) {
        bytes[4] memory fields = _fields();
        return _list(bytes.concat(fields[0], pckField(2, tlv(0x30, tcb)), fields[2], fields[3]));
    }

    function _evidence(bytes memory sgx) private pure returns (Evidence memory) {
        CertificateSpec memory spec = leafSpec();
        spec.extensions = leafExtensions(sgx);
        return withLeaf(certificateOf(spec));
    }

    function _expectBadField(uint8 field, bytes memory sgx) private {
        Evidence memory evidence = _evidence(sgx);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadSgxExtension.selector, field));
        verifier.verify(quote, evidence, POLICY);
    }
}
