// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEnclaveRegistry } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { Test, deploy } from "../../support/Test.sol";
import { IMrConfigIdHarness } from "./IMrConfigIdHarness.sol";

/// @notice MrConfigId.tree.
contract MrConfigIdTest is Test {
    bytes32 private constant HASH = 0x2222222222222222222222222222222222222222222222222222222222222222;
    string private constant HEX = "0123456789abcdef";

    IMrConfigIdHarness private caller;

    function setUp() public {
        caller = IMrConfigIdHarness(deploy("MrConfigIdHarness", ""));
    }

    /* FORM */

    function test_RevertWhen_Zero() public {
        _refuse(new bytes(48), "", abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroConfigId.selector));
    }

    function test_RevertWhen_VersionIsUnknown() public {
        for (uint256 version = 0; version < 256; ++version) {
            if (version != 0 && version < 4) continue;
            _refuse(
                abi.encodePacked(uint8(version), HASH, new bytes(15)),
                "",
                abi.encodeWithSelector(
                    IEnclaveRegistry.EnclaveRegistry_UnsupportedConfigIdVersion.selector, version
                )
            );
        }
    }

    function test_RevertWhen_NotPadded_AtEveryByteOfEveryVersion() public {
        for (uint8 version = 1; version < 4; ++version) {
            for (uint256 i = 33; i < 48; ++i) {
                bytes memory id = _id(version, HASH);
                id[i] = 0x01;
                bytes4 selector = IEnclaveRegistry.EnclaveRegistry_BadConfigIdPadding.selector;
                _refuse(id, "", abi.encodeWithSelector(selector, bytes16(slice(id, 32, 48))));
            }
        }
    }

    /// @dev Padding alone, under version 0.
    function test_RevertWhen_OnlyTheLastByteIsSet() public {
        bytes memory id = new bytes(48);
        id[47] = 0x01;
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_UnsupportedConfigIdVersion.selector;
        _refuse(id, "", abi.encodeWithSelector(selector, 0));
    }

    /* VERSION 1 */

    function testFuzz_Version1(bytes32 hash) public view {
        assertEq(caller.composeHash(_id(1, hash), ""), hash, "compose hash");
    }

    function testFuzz_Version1_RevertWhen_AppConfigIsGiven(bytes calldata config) public {
        vm.assume(config.length != 0);
        _refuse(_id(1, HASH), config, _badLength(1, config.length));
    }

    /* VERSION 2 */

    function testFuzz_Version2(bytes32 hash, bytes20 appId, uint8 kind, bytes32 provider, uint16 size) public view {
        bytes memory providerId = new bytes(size % 257);
        for (uint256 i = 0; i < providerId.length; ++i) {
            providerId[i] = provider[i % 32];
        }
        bytes memory preimage = abi.encodePacked(hash, appId, kind % 5, providerId);
        assertEq(caller.composeHash(_id(2, keccak256(preimage)), preimage), hash, "compose hash");
    }

    /// @dev As the guest would: computed apart from this code, with @noble/hashes.
    function test_Version2_KnownAnswer() public view {
        bytes memory preimage = abi.encodePacked(
            HASH, bytes20(0x1111111111111111111111111111111111111111), uint8(2), bytes32(uint256(HASH) / 2 * 3)
        );
        bytes32 says = 0x7f2ca741da9d356026ab20ca640abf06198829a128817b091bbc9aec1ed97b60;
        assertEq(caller.composeHash(_id(2, says), preimage), HASH, "compose hash");
    }

    function test_Version2_RevertWhen_LengthIsOutOfRange() public {
        uint16[4] memory sizes = [uint16(0), 52, 310, 4_096];
        for (uint256 i = 0; i < sizes.length; ++i) {
            bytes memory preimage = new bytes(sizes[i]);
            _refuse(_id(2, keccak256(preimage)), preimage, _badLength(2, sizes[i]));
        }
    }

    function test_Version2_RevertWhen_KindIsUnknown() public {
        for (uint256 kind = 5; kind < 256; ++kind) {
            bytes memory preimage = abi.encodePacked(HASH, bytes20("app"), uint8(kind));
            _refuse(
                _id(2, keccak256(preimage)),
                preimage,
                abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_UnknownKeyProvider.selector, kind)
            );
        }
    }

    function test_Version2_RevertWhen_AnyByteDiffers() public {
        bytes memory preimage = abi.encodePacked(HASH, bytes20("app"), uint8(2), keccak256("kms"));
        bytes32 expected = keccak256(preimage);
        for (uint256 i = 0; i < preimage.length; ++i) {
            bytes memory wrong = bytes.concat(preimage);
            wrong[i] ^= 0x01; // at the kind: 3, which is one
            _refuse(_id(2, expected), wrong, _mismatch(expected, keccak256(wrong)));
        }
        // Cut, and prolonged.
        bytes memory shorter = slice(preimage, 0, preimage.length - 1);
        _refuse(_id(2, expected), shorter, _mismatch(expected, keccak256(shorter)));
        bytes memory longer = bytes.concat(preimage, hex"00");
        _refuse(_id(2, expected), longer, _mismatch(expected, keccak256(longer)));
        for (uint256 i = 0; i < 32; ++i) {
            bytes32 other = expected ^ bytes32(1 << (8 * i));
            _refuse(_id(2, other), preimage, _mismatch(other, expected));
        }
    }

    /* VERSION 3 */

    /// @dev All fields of a document that dstack writes; its hash computed with sha256sum.
    function test_Version3_KnownAnswer() public view {
        string memory fives = _hex(bytes32(uint256(HASH) / 2 * 5));
        string memory threes = _hex(bytes32(uint256(HASH) / 2 * 3));
        string memory ofApp = string.concat(
            ',"gpu_policy_hash":"', fives, '","instance_id":"4444444444444444444444444444444444444444"'
        );
        string memory ofKeys =
            string.concat(',"key_provider":"kms","key_provider_id":"', threes, '","version":3}');
        bytes memory document =
            bytes(_withAppId("1111111111111111111111111111111111111111", string.concat(ofApp, ofKeys)));
        bytes32 says = 0x90e5cffa571b22c2ca846872d6fb7b071aa1346f1a1f87f72869c47b39d94099;
        assertEq(caller.composeHash(_id(3, says), document), HASH, "compose hash");
    }

    function test_Version3() public view {
        string[6] memory documents = [
            _withAppId("11", ',"init_script_hashes":[],"key_provider":"snp_derived","version":3}'),
            _withAppId("", "}"),
            _withAppId("0011223344556677889900aabbccddeeff00112233445566778899aabbccddee", ',"version":3}'),
            _withoutAppId(',"key_provider":"none"}'),
            _withoutAppId("}"),
            _withoutAppId(string.concat(',"', string(new bytes(4_096 - 85)), '"'))
        ];
        for (uint256 i = 0; i < documents.length; ++i) {
            bytes memory document = bytes(documents[i]);
            assertEq(caller.composeHash(_idOf(document), document), HASH, documents[i]);
        }
    }

    /// @dev What follows the document in calldata is not its: it may complete a second key there.
    function test_Version3_WhenWhatFollowsWouldBeASecondKey() public view {
        bytes memory document = bytes(_withoutAppId(',"compose_'));
        bytes memory data =
            abi.encodeCall(caller.composeHash, (_idOf(document), bytes.concat(document, 'hash":"0"}')));
        uint256 length = document.length;
        assembly ("memory-safe") {
            let content := add(data, 0x24)
            mstore(add(content, mload(add(content, 0x20))), length)
        }
        (bool ok, bytes memory answer) = address(caller).staticcall(data);
        assertTrue(ok, "accepted");
        assertEq(abi.decode(answer, (bytes32)), HASH, "compose hash");
    }

    function testFuzz_Version3(bytes32 hash) public view {
        bytes memory document = abi.encodePacked('{"compose_hash":"', _hex(hash), '","key_provider":"tpm","version":3}');
        assertEq(caller.composeHash(_idOf(document), document), hash, "compose hash");
    }

    function test_Version3_RevertWhen_DocumentIsTooLong() public {
        bytes memory document = new bytes(4_097);
        _refuse(_idOf(document), document, _badLength(3, 4_097));
    }

    function test_Version3_RevertWhen_AnyByteDiffers() public {
        bytes memory document = bytes(_withAppId("1111", ',"version":3}'));
        bytes32 expected = _hashOf(document);
        for (uint256 i = 0; i < document.length; ++i) {
            bytes memory wrong = bytes.concat(document);
            wrong[i] ^= 0x01;
            _refuse(_id(3, expected), wrong, _mismatch(expected, _hashOf(wrong)));
        }
        bytes memory longer = bytes.concat(document, "\n");
        _refuse(_id(3, expected), longer, _mismatch(expected, _hashOf(longer)));
        // Without the domain, as a plain SHA-256.
        _refuse(_id(3, sha256(document)), document, _mismatch(sha256(document), expected));
    }

    /// @dev Every byte of the part that is read, replaced by one that is no hex digit and none of the format's.
    function test_Version3_RevertWhen_AnyByteOfTheBeginningIsAnother() public {
        bytes memory document = bytes(_withAppId("1111", ',"version":3}'));
        uint256 hashAt = 11 + 4 + 18;
        for (uint256 i = 0; i < hashAt + 64 + 2; ++i) {
            bytes memory wrong = bytes.concat(document);
            wrong[i] = "!";
            // An app id that ends at an even digit is one; what should follow it is missed there.
            uint256 appIdAt = i % 2 == 1 ? i : 11;
            uint256 offset =
                i < 11 ? 0 : i < 15 ? appIdAt : i < hashAt ? 15 : i < hashAt + 64 ? hashAt : hashAt + 64;
            _refuse(_idOf(wrong), wrong, _badDocument(offset));
        }
    }

    function test_Version3_RevertWhen_ItBeginsOtherwise() public {
        string memory end = ',"version":3}';
        // Not canonical: space, order, case, odd or too many digits, an escape; and nothing, or cut anywhere.
        _refuseDocument("", 0);
        _refuseDocument("{}", 0);
        _refuseDocument(string.concat(" ", _withoutAppId(end)), 0);
        _refuseDocument(string.concat('{"version":3,"compose_hash":"', _hex(HASH), '"}'), 0);
        _refuseDocument(string.concat('{"app_id": "11","compose_hash":"', _hex(HASH), '"}'), 0);
        _refuseDocument(string.concat('{"app_id":null,"compose_hash":"', _hex(HASH), '"}'), 0);
        _refuseDocument(_withAppId("1", end), 11);
        _refuseDocument(_withAppId("1A", end), 11);
        _refuseDocument(_withAppId("AA", end), 11);
        _refuseDocument(_withAppId(string.concat(_hex(HASH), "11"), end), 11);
        _refuseDocument(string.concat('{"app_id":"11","gpu_policy_hash":"","compose_hash":"', _hex(HASH), '"}'), 13);
        _refuseDocument(string.concat('{"compose_hash":"0x', _hex(HASH), '"}'), 17);
        _refuseDocument(string.concat('{"compose_hash":"', _hex(HASH), '00"}'), 81);
        _refuseDocument(string.concat('{"compose_hash":"', _hex(HASH), '" }'), 81);
        _refuseDocument(string.concat('{"compose_hash":"', _hex(HASH), '"'), 81);
        _refuseDocument('{"compose_hash":""}', 17);
    }

    function test_Version3_RevertWhen_DocumentIsCut_AtEveryByte() public {
        bytes memory document = bytes(_withAppId("1111", "}"));
        for (uint256 size = 0; size < document.length; ++size) {
            uint256 appIdAt = size % 2 == 1 ? size : 11;
            uint256 offset = size < 11 ? 0 : size < 15 ? appIdAt : size < 33 ? 15 : size < 97 ? 33 : 97;
            bytes memory wrong = slice(document, 0, size);
            _refuse(_idOf(wrong), wrong, _badDocument(offset));
        }
    }

    /// @dev At every distance, and as the document's last bytes.
    function test_Version3_RevertWhen_SecondComposeHash() public {
        string memory other = string.concat('"compose_hash":"', _hex(keccak256("other")), '"');
        string memory filler = "";
        for (uint256 i = 0; i < 40; ++i) {
            string memory before = _withoutAppId(string.concat(",", filler));
            _refuseDocument(string.concat(before, other, "}"), bytes(before).length);
            _refuseDocument(string.concat(before, '"compose_hash"'), bytes(before).length);
            filler = string.concat(filler, i % 5 == 4 ? "m" : "c");
        }
    }

    /* HEX */

    /// @dev Every byte at every place of a word, against a table.
    function test_LowerHex_AtEveryByte() public view {
        for (uint256 position = 0; position < 32; ++position) {
            for (uint256 char = 0; char < 256; ++char) {
                uint256 shift = 8 * (31 - position);
                uint256 text = (type(uint256).max / 0xff * 0x30) ^ ((0x30 ^ char) << shift);
                (uint256 value, bool good) = caller.decode(text);
                uint256 digit = 0;
                while (digit < 16 && uint8(bytes(HEX)[digit]) != char) ++digit;
                assertTrue(good == (digit < 16), "good");
                if (good) assertEq(value, digit << (4 * (31 - position)), "value");
            }
        }
    }

    /// @dev Whatever stands beside a wrong byte: a carry must not mend it.
    function testFuzz_LowerHex_AgainstATable(bytes32 text) public view {
        bool all = true;
        uint256 expected = 0;
        for (uint256 i = 0; i < 32; ++i) {
            uint256 digit = 0;
            while (digit < 16 && bytes(HEX)[digit] != text[i]) ++digit;
            all = all && digit < 16;
            expected = expected << 4 | (digit & 15);
        }
        (uint256 value, bool good) = caller.decode(uint256(text));
        assertTrue(good == all, "good");
        if (good) assertEq(value, expected, "value");
    }

    /* HELPERS */

    function _refuse(bytes memory mrConfigId, bytes memory appConfig, bytes memory revertData) private {
        vm.expectRevert(revertData);
        caller.composeHash(mrConfigId, appConfig);
    }

    function _refuseDocument(string memory document, uint256 offset) private {
        _refuse(_idOf(bytes(document)), bytes(document), _badDocument(offset));
    }

    function _withAppId(string memory appId, string memory end) private pure returns (string memory) {
        return string.concat('{"app_id":"', appId, '","compose_hash":"', _hex(HASH), '"', end);
    }

    function _withoutAppId(string memory end) private pure returns (string memory) {
        return string.concat('{"compose_hash":"', _hex(HASH), '"', end);
    }

    function _id(uint8 version, bytes32 says) private pure returns (bytes memory) {
        return abi.encodePacked(version, says, new bytes(15));
    }

    function _idOf(bytes memory document) private pure returns (bytes memory) {
        return _id(3, _hashOf(document));
    }

    function _hashOf(bytes memory document) private pure returns (bytes32) {
        return sha256(abi.encodePacked("dstack-mr-config-v3:", uint8(0), document));
    }

    function _hex(bytes32 value) private pure returns (string memory) {
        bytes memory text = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            text[i] = bytes(HEX)[uint8(value[i / 2]) >> (i % 2 == 0 ? 4 : 0) & 15];
        }
        return string(text);
    }

    function _badLength(uint8 version, uint256 length) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IEnclaveRegistry.EnclaveRegistry_BadAppConfigLength.selector, version, length
        );
    }

    function _mismatch(bytes32 expected, bytes32 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_AppConfigMismatch.selector, expected, actual);
    }

    function _badDocument(uint256 offset) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadConfigDocument.selector, offset);
    }
}
