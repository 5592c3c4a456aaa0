// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CollateralKind, ITdxCollateral } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { Crl } from "../../../contracts/lib/Crl.sol";
import { Der } from "../../../contracts/lib/Der.sol";
import { X509 } from "../../../contracts/lib/X509.sol";
import { X509Time } from "../../../contracts/lib/X509Time.sol";
import { TestCollateral } from "../../support/TestCollateral.sol";

/// @notice What the reader of revocation lists takes and refuses, of lists that are truly signed.
contract CrlTest is TestCollateral {
    bytes private constant TAIL = hex"170d3236303533303030303030305a300c300a0603551d1504030a0101";

    ITdxCollateral private collateral;
    P256Key private key;
    bytes private name;

    function setUp() public {
        vm.warp(COLLATERAL_NOW);
        collateral = deployCollateral(15);
        addAuthorities(collateral);
        key = keyOf(PLATFORM_CA);
        name = intelName("Intel SGX PCK Platform CA");
    }

    function _expect(bytes memory tbs, bytes memory order, bytes4 selector, uint256 offset) private {
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        vm.expectRevert(abi.encodeWithSelector(selector, offset));
        collateral.upsertPckCrl(key, crl, order);
    }

    function _tbs(bytes memory entries, bytes memory extensions) private view returns (bytes memory) {
        return crlTbs(name, crlDates(), entries.length == 0 ? entries : tlv(0x30, entries), extensions);
    }

    function _at(bytes memory tbs, bytes memory part) private pure returns (uint256) {
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        for (uint256 i = 0; i + part.length <= crl.length; i++) {
            if (keccak256(slice(crl, i, i + part.length)) == keccak256(part)) return i;
        }
        revert AssertionFailedBytes("no such part", crl, part);
    }

    function test_RevertWhen_ListIsOfAnotherForm() public {
        bytes memory good = _tbs("", crlExtensions(1));
        // Version 1 leaves the field out, version 3 there is none.
        bytes memory tbs = tlv(0x30, bytes.concat(hex"020102", slice(good, good[1] == 0x81 ? 6 : 7, good.length)));
        _expect(tbs, "", Crl.Crl_UnsupportedVersion.selector, _at(tbs, hex"020102"));
        tbs = hex"30020500";
        _expect(tbs, "", Crl.Crl_UnsupportedVersion.selector, _at(tbs, hex"0500"));
        tbs = _tbs("", "");
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        vm.expectRevert(abi.encodeWithSelector(Crl.Crl_MissingNumber.selector));
        collateral.upsertPckCrl(key, crl, "");
        tbs = crlTbs(name, crlDates(), hex"3000", crlExtensions(1));
        _expect(tbs, "", Crl.Crl_EmptyField.selector, _at(tbs, hex"3000a0"));
        crl = bytes.concat(certificateOfTbs(good, PLATFORM_CA), hex"00");
        vm.expectRevert(abi.encodeWithSelector(Der.Der_TrailingBytes.selector, crl.length - 1, crl.length));
        collateral.upsertPckCrl(key, crl, "");
    }

    function test_RevertWhen_ExtensionIsBad() public {
        bytes memory number = extension(hex"0603551d14", false, integer(1));
        // A delta list; a restricted one; not critical, they are passed over.
        bytes memory delta = extension(hex"0603551d1b", true, integer(1));
        bytes memory tbs = _tbs("", bytes.concat(number, delta));
        _expect(tbs, "", Crl.Crl_UnknownCriticalExtension.selector, _at(tbs, delta));
        bytes memory restricted = extension(hex"0603551d1c", true, hex"3000");
        tbs = _tbs("", bytes.concat(number, restricted));
        _expect(tbs, "", Crl.Crl_UnknownCriticalExtension.selector, _at(tbs, restricted));
        tbs = _tbs("", bytes.concat(number, number));
        _expect(tbs, "", Crl.Crl_DuplicateExtension.selector, _at(tbs, number) + number.length);
        bytes memory authority = extension(hex"0603551d23", false, hex"3000");
        tbs = _tbs("", bytes.concat(number, authority, authority));
        _expect(tbs, "", Crl.Crl_DuplicateExtension.selector, _at(tbs, authority) + authority.length);
        tbs = _tbs("", extension(hex"0603551d14", false, integer(65_536)));
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_NumberOutOfRange.selector, CollateralKind.PckCrl, 65_536, 0
            )
        );
        collateral.upsertPckCrl(key, crl, "");
    }

    function _entry(bytes memory serial, bytes memory tail) private pure returns (bytes memory) {
        return tlv(0x30, bytes.concat(serial, tail));
    }

    /// @dev Each bad entry alone, and after a good one with the same ending.
    function test_RevertWhen_EntryIsBad() public {
        bytes20 long = hex"7fc34e5023e728923435d61aa4b83c618166ad35";
        bytes memory good = _entry(bytes.concat(hex"0214", long), TAIL);
        bytes[6] memory serials = [
            abi.encodePacked(hex"0214ff", bytes19(0)), // negative
            abi.encodePacked(hex"021400", bytes19(0)), // zeros too many
            abi.encodePacked(hex"0215007f", bytes19(0)),
            abi.encodePacked(hex"021501ff", bytes19(0)), // 161 bits
            abi.encodePacked(hex"02158000", bytes19(0)),
            hex"020100" // zero
        ];
        for (uint256 i = 0; i < serials.length; i++) {
            bytes memory bad = _entry(serials[i], TAIL);
            bytes memory tbs = _tbs(bad, crlExtensions(1));
            _expect(tbs, hex"0000", X509.X509_BadSerial.selector, _at(tbs, serials[i]));
            // Last but one too: the quick look leaves the last one to the other reader.
            tbs = _tbs(bytes.concat(good, bad, good), crlExtensions(1));
            _expect(tbs, hex"000100000002", X509.X509_BadSerial.selector, _at(tbs, serials[i]));
        }
    }

    function test_RevertWhen_EntryEndsBadly() public {
        bytes memory serial = hex"02147fc34e5023e728923435d61aa4b83c618166ad35";
        bytes memory good = _entry(serial, TAIL);
        bytes memory tail = TAIL;
        tail[4] = "3"; // month 35
        _expectEnd(good, _entry(serial, tail), hex"170d32363335", X509Time.X509_BadTime.selector);
        tail = TAIL;
        tail[28] = 0x07; // a reason that is none
        _expectEnd(good, _entry(serial, tail), hex"300a0603551d1504030a0107", Crl.Crl_BadReason.selector);
        tail[28] = 0x0b;
        _expectEnd(good, _entry(serial, tail), hex"300a0603551d1504030a010b", Crl.Crl_BadReason.selector);
        bytes memory wide = hex"300b0603551d1504040a020001";
        tail = bytes.concat(slice(TAIL, 0, 15), tlv(0x30, wide));
        _expectEnd(good, _entry(serial, tail), wide, Crl.Crl_BadReason.selector);
        bytes memory reasons = hex"300a0603551d1504030a0101300a0603551d1504030a0102";
        tail = bytes.concat(slice(TAIL, 0, 15), tlv(0x30, reasons));
        _expectEnd(good, _entry(serial, tail), slice(reasons, 12, 24), Crl.Crl_DuplicateExtension.selector);
        // Certificate issuer, critical: an indirect list.
        bytes memory indirect = hex"300e0603551d1d0101ff040430020500";
        tail = bytes.concat(slice(TAIL, 0, 15), tlv(0x30, indirect));
        _expectEnd(good, _entry(serial, tail), indirect, Crl.Crl_UnknownCriticalExtension.selector);
        // The same ending, with zeros more.
        bytes memory crl =
            certificateOfTbs(_tbs(bytes.concat(good, _entry(serial, bytes.concat(TAIL, hex"0000")), good), crlExtensions(1)), PLATFORM_CA);
        (bool ok, bytes memory reason) =
            address(collateral).call(abi.encodeCall(ITdxCollateral.upsertPckCrl, (key, crl, hex"000000010002")));
        assertTrue(!ok && bytes4(reason) == Der.Der_TrailingBytes.selector, "trailing");
    }

    function _expectEnd(bytes memory good, bytes memory bad, bytes memory part, bytes4 selector) private {
        bytes memory tbs = _tbs(bytes.concat(good, bad, good), crlExtensions(1));
        _expect(tbs, hex"000000010002", selector, _at(tbs, part));
    }

    function test_WhenEntriesHaveNoReason() public {
        bytes memory date = slice(TAIL, 0, 15);
        bytes memory entries = bytes.concat(_entry(integer(9), date), _entry(integer(5), TAIL), _entry(integer(7), date));
        collateral.upsertPckCrl(
            key, certificateOfTbs(_tbs(entries, crlExtensions(1)), PLATFORM_CA), hex"000200000001"
        );
        assertEq(
            collateral.pckCrl(1).data.code, abi.encodePacked(hex"00", uint160(5), uint160(7), uint160(9)), "serials"
        );
    }

    /// @dev After an entry of another ending there is no entry to be like: not even one that ends in zeros.
    function test_RevertWhen_EntryEndsInZeros_AfterOneWithoutReason() public {
        bytes memory first = _entry(integer(9), slice(TAIL, 0, 15));
        bytes memory zeros = _entry(hex"02147fc34e5023e728923435d61aa4b83c618166ad35", new bytes(29));
        bytes memory last = _entry(hex"02147fd34e5023e728923435d61aa4b83c618166ad35", TAIL);
        bytes memory tbs = _tbs(bytes.concat(first, zeros, last), crlExtensions(1));
        uint256 offset = _at(tbs, zeros) + 24;
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        vm.expectRevert(abi.encodeWithSelector(Der.Der_UnexpectedTag.selector, offset, 0x00, 0x18));
        collateral.upsertPckCrl(key, crl, hex"000000010002");
    }

    /// @dev One byte of a signed list changed, and signed anew: a typed error, or other content.
    function testFuzz_WhenByteIsChanged(uint256 index, uint8 value) public {
        bytes memory serial = hex"02147fc34e5023e728923435d61aa4b83c618166ad35";
        bytes memory other = hex"02150081c34e5023e728923435d61aa4b83c618166ad";
        bytes memory third = hex"02140fc34e5023e728923435d61aa4b83c618166ad35";
        bytes memory tbs = _tbs(
            bytes.concat(_entry(serial, TAIL), _entry(other, TAIL), _entry(third, TAIL), _entry(hex"020105", TAIL)),
            crlExtensions(1)
        );
        index = bound(index, 0, tbs.length - 1);
        tbs[index] = bytes1(value);
        bytes memory crl = certificateOfTbs(tbs, PLATFORM_CA);
        (bool ok, bytes memory reason) =
            address(collateral).call(abi.encodeCall(ITdxCollateral.upsertPckCrl, (key, crl, hex"0002000300010000")));
        bytes4 selector = bytes4(reason);
        assertTrue(ok || (reason.length >= 4 && selector != 0x4e487b71 && selector != 0x08c379a0), "typed");
        if (ok) assertEq(collateral.pckCrl(1).data.code.length, 81, "four serials");
    }
}
