// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Der } from "../../../contracts/lib/Der.sol";
import { X509Time } from "../../../contracts/lib/X509Time.sol";
import { deploy } from "../../support/Test.sol";
import { TestCertificates } from "../../support/TestCertificates.sol";
import { ILibHarness } from "./ILibHarness.sol";

/// @notice Elements, integers, booleans and times of strict DER.
contract DerTest is TestCertificates {
    ILibHarness private lib;

    function setUp() public {
        lib = ILibHarness(deploy("LibHarness", ""));
    }

    /* ELEMENTS */

    /// @dev Each form of the length at both ends of its range.
    function test_WhenLengthIsMinimal() public view {
        uint256[6] memory sizes = [uint256(0), 127, 128, 255, 256, 65_535];
        for (uint256 i = 0; i < sizes.length; i++) {
            bytes memory der = tlv(0x30, new bytes(sizes[i]));
            (uint256 start, uint256 end) = lib.open(der, 0, der.length, 0x30);
            assertEq(end, der.length, "end");
            assertEq(end - start, sizes[i], "size");
        }
    }

    function test_RevertWhen_LengthIsNotDer() public {
        bytes[6] memory headers = [
            bytes(hex"3080"), // indefinite
            hex"30817f", // fits one byte
            hex"308200ff", // fits two
            hex"3083010000", // three bytes of length
            hex"30ff", // reserved
            hex"30820000" // a long zero
        ];
        for (uint256 i = 0; i < headers.length; i++) {
            bytes memory der = bytes.concat(headers[i], new bytes(66_000));
            vm.expectRevert(abi.encodeWithSelector(Der.Der_BadLength.selector, 0));
            lib.open(der, 0, der.length, 0x30);
        }
    }

    function test_RevertWhen_ElementIsCut() public {
        _expectTruncated(0, 2, 0);
        lib.open("", 0, 0, 0x30);
        _expectTruncated(0, 2, 1);
        lib.open(hex"30", 0, 1, 0x30);
        _expectTruncated(0, 3, 2);
        lib.open(hex"3081", 0, 2, 0x30);
        _expectTruncated(0, 4, 3);
        lib.open(hex"308201", 0, 3, 0x30);
        _expectTruncated(0, 3, 2);
        lib.open(hex"3001", 0, 2, 0x30);
    }

    /// @dev Whatever limit the caller names.
    function test_RevertWhen_TagIsBeyondTheEnd() public {
        assertEq(lib.peek(hex"0030", 1, 9), 0x30, "tag");
        _expectTruncated(2, 3, 2);
        lib.peek(hex"0030", 2, 9);
        _expectTruncated(1, 2, 1);
        lib.peek(hex"0030", 1, 1);
    }

    function test_ShortSlice_ShouldBeZeroUnlessShort() public view {
        bytes memory der = abi.encodePacked(type(uint256).max, type(uint256).max);
        assertEq(lib.shortSlice(der, 3, 3), 0, "none");
        assertEq(lib.shortSlice(der, 3, 4), bytes32(bytes1(0xff)), "one");
        assertEq(lib.shortSlice(der, 3, 35), bytes32(type(uint256).max), "32");
        assertEq(lib.shortSlice(der, 3, 36), 0, "33");
    }

    function test_RevertWhen_ElementReachesBeyondItsParent() public {
        _expectTruncated(1, 5, 4);
        lib.open(hex"00300201020304", 1, 4, 0x30);
    }

    function test_RevertWhen_LimitIsBeyondTheBytes() public {
        _expectTruncated(0, 4, 3);
        lib.open(hex"300200", 0, 100, 0x30);
        _expectTruncated(7, 9, 3);
        lib.open(hex"300200", 7, 100, 0x30);
    }

    function test_RevertWhen_TagIsAnother() public {
        vm.expectRevert(abi.encodeWithSelector(Der.Der_UnexpectedTag.selector, 0, 0x31, 0x30));
        lib.open(hex"3100", 0, 2, 0x30);
    }

    /// @dev Whatever the bytes: a typed error, or an element within its limits.
    function testFuzz_OpenStaysInside(bytes memory der, uint256 offset, uint256 limit) public view {
        offset = bound(offset, 0, der.length + 2);
        limit = bound(limit, 0, der.length + 2);
        if (offset < der.length) der[offset] = 0x30;
        try lib.open(der, offset, limit, 0x30) returns (uint256 start, uint256 end) {
            assertTrue(offset < start && start <= end && end <= limit && end <= der.length, "inside");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            assertTrue(
                selector == Der.Der_Truncated.selector || selector == Der.Der_BadLength.selector, "a typed error"
            );
        }
    }

    /* INTEGERS AND BOOLEANS */

    function testFuzz_WhenIntegerIsAny(uint256 value) public view {
        (uint256 read,) = lib.readUint(integer(value));
        assertEq(read, value, "value");
        (read,) = lib.readUint(integer(value & 0xff));
        assertEq(read, value & 0xff, "one byte");
    }

    function test_RevertWhen_IntegerIsNotDer() public {
        bytes[6] memory integers = [
            bytes(hex"0200"), // empty
            hex"020180", // negative
            hex"02020001", // a zero too many
            hex"02020000",
            hex"022101ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // 33 bytes
            hex"02220001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        ];
        for (uint256 i = 0; i < integers.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(Der.Der_BadInteger.selector, 0));
            lib.readUint(integers[i]);
        }
    }

    function test_ReadBool() public {
        (bool value,) = lib.readBool(hex"0101ff");
        assertTrue(value, "true");
        (value,) = lib.readBool(hex"010100");
        assertTrue(!value, "false");
        bytes[3] memory bad = [bytes(hex"010101"), hex"0100", hex"0102ffff"];
        for (uint256 i = 0; i < bad.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(Der.Der_BadBoolean.selector, 0));
            lib.readBool(bad[i]);
        }
    }

    /* TIMES: expected values from GNU date */

    function test_ReadTime() public view {
        _assertTime(0x17, "700101000000Z", 0);
        _assertTime(0x17, "000229123456Z", 951_827_696);
        _assertTime(0x17, "280229000000Z", 1_835_395_200);
        _assertTime(0x17, "180521104510Z", 1_526_899_510);
        _assertTime(0x17, "491231235959Z", 2_524_607_999);
        _assertTime(0x17, "991231235959Z", 946_684_799);
        _assertTime(0x18, "20500101000000Z", 2_524_608_000);
        _assertTime(0x18, "21000301000000Z", 4_107_542_400);
        _assertTime(0x18, "99991231235959Z", 253_402_300_799);
    }

    function testFuzz_ReadTimeOfAnyDay(uint256 day, uint256 second) public view {
        // By counting, where the library computes.
        day = bound(day, 0, 40_000);
        second = bound(second, 0, 86_399);
        (uint256 year, uint256 month, uint256 left) = (1970, 1, day);
        while (left >= _daysIn(year, month)) {
            left -= _daysIn(year, month);
            if (++month == 13) (year, month) = (year + 1, 1);
        }
        bytes memory text = bytes.concat(
            _two(year / 100), _two(year % 100), _two(month), _two(left + 1), _two(second / 3600),
            _two(second / 60 % 60), _two(second % 60), "Z"
        );
        _assertTime(0x18, string(text), day * 86_400 + second);
    }

    function test_RevertWhen_TimeIsNoTime() public {
        string[15] memory utc = [
            "250229000000Z", // no leap year
            "251301000000Z", "250001000000Z", "250100000000Z", "250132000000Z", "250431000000Z",
            "250101240000Z", "250101006000Z", "250101000060Z", // no leap second
            "2501010000Z", // no seconds
            "250101000000", "250101000000+0000", "25010100000aZ", "690101000000Z", // before 1970
            ""
        ];
        for (uint256 i = 0; i < utc.length; i++) {
            _expectBadTime();
            lib.readTime(tlv(0x17, bytes(utc[i])));
        }
        string[4] memory generalized =
            ["19691231235959Z", "20250101000000.5Z", "21000229000000Z", "250101000000Z"];
        for (uint256 i = 0; i < generalized.length; i++) {
            _expectBadTime();
            lib.readTime(tlv(0x18, bytes(generalized[i])));
        }
        vm.expectRevert(abi.encodeWithSelector(Der.Der_UnexpectedTag.selector, 0, 0x04, 0x18));
        lib.readTime(tlv(0x04, "20250101000000Z"));
    }

    function _assertTime(uint8 tag, string memory text, uint256 expected) private view {
        (uint64 time,) = lib.readTime(tlv(tag, bytes(text)));
        assertEq(time, expected, text);
    }

    function _expectTruncated(uint256 offset, uint256 end, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(Der.Der_Truncated.selector, offset, end, limit));
    }

    function _expectBadTime() private {
        vm.expectRevert(abi.encodeWithSelector(X509Time.X509_BadTime.selector, 0));
    }

    function _daysIn(uint256 year, uint256 month) private pure returns (uint256) {
        uint8[12] memory lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : lengths[month - 1];
    }

    function _two(uint256 value) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(0x30 + value / 10), uint8(0x30 + value % 10));
    }
}
