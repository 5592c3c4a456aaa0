// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibZip } from "solady/src/utils/LibZip.sol";
import { TcbInfoHeader, TcbInfoJson } from "../../../contracts/attestation/TcbInfoJson.sol";
import { TcbLevelJson } from "../../../contracts/attestation/TcbLevelJson.sol";
import { Json } from "../../../contracts/lib/Json.sol";
import { deploy } from "../../support/Test.sol";
import { TestCollateral } from "../../support/TestCollateral.sol";
import { IJsonHarness } from "./IJsonHarness.sol";

/// @notice What the readers of Intel's JSON take, and that they take nothing else.
contract JsonTest is TestCollateral {
    IJsonHarness private json;
    bytes private tcb;
    bytes private qe;

    function setUp() public {
        json = IJsonHarness(deploy("JsonHarness", ""));
        tcb = tcbInfoOf(ISSUED, NEXT, "18");
        qe = qeIdentityOf(ISSUED, NEXT, "17");
    }

    /// @dev Refused with an error of this project, or read as something else: never as the same.
    function _assertNotTheSame(bytes memory text, bytes32 original, bool isTcb) private view {
        try this.hashOf(text, isTcb) returns (bytes32 hash) {
            assertTrue(hash != original, string(text));
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            assertTrue(reason.length >= 4 && selector != 0x4e487b71 && selector != 0x08c379a0, "a typed error");
        }
    }

    /// @notice What is read of a text, but for the hash of the text itself.
    function hashOf(bytes memory text, bool isTcb) external view returns (bytes32) {
        if (!isTcb) {
            (, bytes memory identity) = json.qeIdentity(text);
            (bool ok, bytes memory answer) = address(json).staticcall(abi.encodeCall(IJsonHarness.qeIdentity, (text)));
            assertTrue(ok, "again");
            identity;
            return keccak256(answer);
        }
        (TcbInfoHeader memory header, bytes memory content) = json.tcbInfo(text);
        header.contentHash = 0;
        return keccak256(abi.encode(header, slice(content, 32, content.length)));
    }

    /// @dev Letters within descriptions, and the case of hexadecimal digits, are all that may change and be read as before.
    function testFuzz_WhenByteIsChanged(uint256 index, uint8 value) public view {
        _change(tcb, index, value, true);
        _change(qe, index, value, false);
    }

    function _change(bytes memory text, uint256 index, uint8 value, bool isTcb) private view {
        bytes32 original = this.hashOf(text, isTcb);
        index = bound(index, 0, text.length - 1);
        bytes1 was = text[index];
        if (was == bytes1(value)) value ^= 1;
        // Descriptions and hexadecimal letters are judged apart, below.
        bool free = _isIn(text, index, "Early Microcode Update") || _isIn(text, index, '"BIOS"')
            || _isIn(text, index, '"other"') || uint8(was) ^ value == 0x20;
        if (free) return;
        text[index] = bytes1(value);
        _assertNotTheSame(text, original, isTcb);
    }

    function _isIn(bytes memory text, uint256 index, bytes memory part) private pure returns (bool) {
        for (uint256 start = index + 1 > part.length ? index + 1 - part.length : 0; start <= index; start++) {
            if (start + part.length > text.length) return false;
            if (keccak256(slice(text, start, start + part.length)) == keccak256(part)) return true;
        }
        return false;
    }

    function testFuzz_RevertWhen_TextIsCut(uint256 size) public {
        size = bound(size, 0, tcb.length - 1);
        bytes memory cut = slice(tcb, 0, size);
        (bool ok, bytes memory reason) = address(json).staticcall(abi.encodeCall(IJsonHarness.tcbInfo, (cut)));
        assertTrue(!ok && reason.length >= 4 && bytes4(reason) != 0x4e487b71, "typed");
        size = bound(size, 0, qe.length - 1);
        cut = slice(qe, 0, size);
        (ok, reason) = address(json).staticcall(abi.encodeCall(IJsonHarness.qeIdentity, (cut)));
        assertTrue(!ok && reason.length >= 4 && bytes4(reason) != 0x4e487b71, "typed");
    }

    function _expect(bytes memory from, bytes memory to, bytes4 selector, uint256 inside) private {
        uint256 offset = _indexOf(tcb, from);
        bytes memory text = bytes.concat(slice(tcb, 0, offset), to, slice(tcb, offset + from.length, tcb.length));
        vm.expectRevert(abi.encodeWithSelector(selector, offset + inside));
        json.tcbInfo(text);
    }

    function test_RevertWhen_TextIsNotIntels() public {
        bytes4 unexpected = Json.Json_Unexpected.selector;
        _expect('"TDX"', '"SGX"', unexpected, 1);
        _expect('"version":3', '"version":2', unexpected, 10);
        // A key twice, keys in another order, an unknown one, space.
        _expect('"pceId":"0000",', '"pceId":"0000","pceId":"0000",', unexpected, 16);
        _expect('"pceId":"0000","tcbType":0', '"tcbType":0,"pceId":"0000"', unexpected, 1);
        _expect('"tcbType":0,', '"tcbType":0,"x":0,', unexpected, 13);
        _expect('"tcbType":0', '"tcbType": 0', unexpected, 10);
        _expect('Number":18', 'Number":018', unexpected, 9);
        _expect('Number":18', 'Number":-18', unexpected, 8);
        _expect('Number":18', 'Number":1.8', unexpected, 9);
        _expect('"issueDate":"2026-05-31T00:00:00Z"', '"issueDate":"2026-05-31 00:00:00Z"', Json.Json_BadDate.selector, 13);
        _expect('"issueDate":"2026-05-31T00:00:00Z"', '"issueDate":"2026-06-31T00:00:00Z"', Json.Json_BadDate.selector, 13);
        // Packed as four bytes.
        _expect('"tcbDate":"2025-08-13', '"tcbDate":"2106-02-08', Json.Json_BadDate.selector, 11);
        _expect('"00a06f000000"', '"00a06g000000"', Json.Json_BadHex.selector, 1);
        _expect('Number":18', 'Number":4294967296', Json.Json_NumberTooLarge.selector, 8);
        _expect('"isvsvn":11', '"isvsvn":256', Json.Json_NumberTooLarge.selector, 9);
        _expect('"svn":4', '"svn":256', Json.Json_NumberTooLarge.selector, 6);
        _expect('"pcesvn":11', '"pcesvn":65536', Json.Json_NumberTooLarge.selector, 9);
        _expect('"BIOS"', '"BI\\OS"', unexpected, 3);
        _expect('"BIOS"', '"BI\nOS"', unexpected, 3);
        _expect(',{"svn":0}]', "]", unexpected, 0);
        _expect(',{"svn":0}]', ',{"svn":0},{"svn":0}]', unexpected, 10);
        _expect('"UpToDate"', '"UpToDate2"', TcbLevelJson.TcbLevelJson_UnknownStatus.selector, 1);
        _expect('"UpToDate"', '""', TcbLevelJson.TcbLevelJson_UnknownStatus.selector, 1);
        _expect('"other"', '""', unexpected, 1);
        _expect('["INTEL-SA-01245","other"]', "[]", unexpected, 1);
        _expect('"TDX_01"', '"TDX_0x"', Json.Json_BadHex.selector, 5);
        _expect('],"tcbLevels":[', '],"tcbLevels":[]', unexpected, 15);
        tcb = bytes.concat(tcb, " ");
        vm.expectRevert(abi.encodeWithSelector(unexpected, tcb.length - 1));
        json.tcbInfo(tcb);
    }

    function test_RevertWhen_ModuleIsNotIntels() public {
        bytes4 selector = TcbInfoJson.TcbInfoJson_UnsupportedModule.selector;
        _expect('"tdxModule":{"mrsigner":"00', '"tdxModule":{"mrsigner":"01', selector, 13);
        _expect('"id":"TDX_01","mrsigner":"00', '"id":"TDX_01","mrsigner":"01', selector, 14);
        bytes memory changed = moduleBody();
        changed[changed.length - 2] = "E";
        _expect(bytes.concat('"tdxModule":{', moduleBody()), bytes.concat('"tdxModule":{', changed), selector, 13);
    }

    /// @dev What has not five digits is an advisory of another name, of any length.
    function test_WhenAdvisoryIsOfAnotherName() public view {
        bytes memory known = '"INTEL-SA-01245","other"';
        bytes memory others = '"INTEL-SA-0124x","a name that is longer than thirty-two bytes"';
        uint256 offset = _indexOf(tcb, known);
        bytes memory text =
            bytes.concat(slice(tcb, 0, offset), others, slice(tcb, offset + known.length, tcb.length));
        (, bytes memory content) = json.tcbInfo(text);
        (, bytes memory before) = json.tcbInfo(tcb);
        assertEq(content.length, before.length, "two advisories each");
        assertTrue(keccak256(content) != keccak256(before), "another number");
    }

    function test_RevertWhen_TextIsTooLong() public {
        vm.expectRevert(abi.encodeWithSelector(Json.Json_TooLong.selector, 24_001, 24_000));
        json.tcbInfo(new bytes(24_001));
        vm.expectRevert(abi.encodeWithSelector(Json.Json_TooLong.selector, 4_097, 4_096));
        json.qeIdentity(new bytes(4_097));
    }

    function test_RevertWhen_ThereAreTooManyAdvisories() public {
        bytes memory many = '"INTEL-SA-00001"';
        bytes memory one = bytes.concat(",", many);
        for (uint256 i = 1; i < 256; i++) {
            many = bytes.concat(many, one);
        }
        bytes memory list = bytes.concat("[", many, "]");
        _expect('["INTEL-SA-01245","other"]', list, TcbLevelJson.TcbLevelJson_TooMany.selector, list.length - 1);
    }

    function test_WhenThereIsNoModule() public {
        uint256 start = _indexOf(tcb, '{"id":"TDX_01"');
        uint256 end = _indexOf(tcb, '],"tcbLevels":[{"tcb":{"sgx');
        (, bytes memory content) = json.tcbInfo(bytes.concat(slice(tcb, 0, start), slice(tcb, end, tcb.length)));
        assertEq(uint8(content[34]), 0, "no module");
        bytes memory module_ = slice(tcb, start, end);
        // The same twice.
        bytes memory text = bytes.concat(slice(tcb, 0, end), ",", module_, slice(tcb, end, tcb.length));
        vm.expectRevert(
            abi.encodeWithSelector(TcbInfoJson.TcbInfoJson_DuplicateModule.selector, end + 1 + 11, 1)
        );
        json.tcbInfo(text);
    }

    /// @dev Each status; SVNs of any length, so that lists are known again or not.
    function testFuzz_WhenLevelsAreAny(uint8[8] memory svns, uint256 choice) public {
        string[7] memory names = [
            "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
            "OutOfDateConfigurationNeeded", "Revoked"
        ];
        uint256 start = _indexOf(tcb, '{"tcb":{"sgx');
        bytes memory text = slice(tcb, 0, start);
        bytes memory expected;
        for (uint256 i = 0; i < 8; i++) {
            uint256 svn = choice >> i & 1 == 0 ? svns[i] % 10 : svns[i];
            uint256 status = uint256(svns[i]) % 7;
            text = bytes.concat(text, i == 0 ? bytes("") : bytes(","), levelOf(_decimal(svn), names[status], ""));
            expected = abi.encodePacked(
                expected, uint8(svn), bytes15(0), hex"000b05", bytes15(0), uint8(status + 1), hex"689bd58000"
            );
        }
        (, bytes memory content) = json.tcbInfo(bytes.concat(text, "]}"));
        assertEq(slice(content, content.length - expected.length, content.length), expected, "levels");
    }

    function _decimal(uint256 value) private pure returns (string memory) {
        if (value < 10) return string(abi.encodePacked(uint8(0x30 + value)));
        return string.concat(_decimal(value / 10), _decimal(value % 10));
    }

    /* PACKING */

    function testFuzz_Unpack(bytes memory text, uint8 repeat) public view {
        for (uint256 i = 0; i < repeat % 5; i++) text = bytes.concat(text, text, hex"00", text);
        if (text.length > 20_000) text = slice(text, 0, 20_000);
        bytes memory small = LibZip.flzCompress(text);
        if (small.length > 8_192) return;
        assertEq(json.unpack(small), text, "text");
    }

    /// @dev As solady unpacks, whatever comes; neither reads beyond in these.
    function test_UnpackRunsAndRepetitions() public view {
        assertEq(json.unpack(hex"0061e00000"), "aaaaaaaaaa", "10 a");
        assertEq(json.unpack(hex"0161624001"), "ababab", "ab thrice: 2 and 4 bytes");
    }

    function _indexOf(bytes memory data, bytes memory part) private pure returns (uint256) {
        for (uint256 i = 0; i + part.length <= data.length; i++) {
            bytes32 hash;
            uint256 size = part.length;
            assembly ("memory-safe") {
                hash := keccak256(add(add(data, 0x20), i), size)
            }
            if (hash == keccak256(part)) return i;
        }
        revert AssertionFailedBytes("no such part", data, part);
    }
}
