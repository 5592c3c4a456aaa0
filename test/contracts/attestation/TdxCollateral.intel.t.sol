// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LibZip } from "solady/src/utils/LibZip.sol";
import {
    Authority,
    AuthorityRole,
    CollateralItem,
    CollateralKind,
    InForce,
    ITdxCollateral
} from "../../../contracts/interfaces/ITdxCollateral.sol";
import { P256Key } from "../../../contracts/interfaces/TcbTypes.sol";
import { Json } from "../../../contracts/lib/Json.sol";
import { Test, deploy } from "../../support/Test.sol";

/// @notice Intel's own collateral: what is recorded, byte for byte.
contract TdxCollateralIntelTest is Test {
    bytes32 private constant INTEL_X = 0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5;
    bytes32 private constant INTEL_Y = 0x67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394;
    string private constant AUGUST = "nearmpc_B0C06F_2026-08-14_50328c652_eval20";
    uint256 private constant AUGUST_NOW = 1_786_621_538;
    bytes6 private constant FMSPC = 0xb0c06f000000;

    ITdxCollateral private collateral;
    P256Key private ca;
    P256Key private signer;

    function _start(string memory name, uint256 timestamp) private {
        vm.warp(timestamp);
        collateral = ITdxCollateral(deploy("TdxCollateral", abi.encode(INTEL_X, INTEL_Y, 17)));
        collateral.addAuthority(_read(name, "pck_ca.der"));
        collateral.addAuthority(_read(name, "tcb_signing.der"));
        (ca, signer) = (_keyIn(_read(name, "pck_ca.der")), _keyIn(_read(name, "tcb_signing.der")));
    }

    function _submit(string memory name) private {
        bytes memory crl = _read(name, "pck_crl.der");
        collateral.upsertPckCrl(ca, crl, _orderIn(crl));
        collateral.upsertQeIdentity(signer, _read(name, "qe_identity.json"), _read(name, "qe_identity_signature.bin"));
        collateral.upsertTcbInfo(
            signer, LibZip.flzCompress(_read(name, "tcb_info.json")), _read(name, "tcb_info_signature.bin")
        );
    }

    function test_WhenAugust2026() public {
        _start(AUGUST, AUGUST_NOW);
        collateral.upsertRootCrl(_read(AUGUST, "root_ca_crl.der"));
        _submit(AUGUST);

        Authority memory authority = collateral.authority(1);
        assertEq(authority.serial, uint160(0x00956f5dcdbd1be1e94049c9d4f433ce01570bde54), "CA serial");
        assertEq(authority.notAfter, 2_000_285_410, "CA notAfter");
        assertEq(uint256(authority.role), uint256(AuthorityRole.PckPlatformCa), "CA role");
        authority = collateral.authority(2);
        assertEq(authority.serial, uint160(0x007e3882d5fb55294a40498e458403e91491bdf455), "signer serial");
        assertEq(uint256(authority.role), uint256(AuthorityRole.TcbSigning), "signer role");

        CollateralItem memory item = collateral.tcbInfo(FMSPC);
        _assertItem(item, 1_786_617_938, 1_789_209_938, 20, 2);
        bytes memory content = item.data.code;
        assertEq(uint8(content[0]), 0, "stop");
        bytes memory text = _read(AUGUST, "tcb_info.json");
        // From `"fmspc"` on: 95 bytes of id, version and dates before it.
        assertEq(bytes32(slice(content, 1, 33)), keccak256(slice(text, 95, text.length)), "contentHash");
        // Written out by hand from the JSON.
        bytes memory expected = bytes.concat(
            hex"0000020403020501689bd5800003056823dd00020004dd00052001040b01689bd5800006056823dd00030004a80004dd0005",
            hex"20040565f0ec800500040c00044b0004a80004dd000520020564d2d7000500040c00044b0004a80004dd0005200404020204",
            hex"0100050000000000000000000b0500040000000000000000000000000001689bd580000303020204010005000000000000000000"
        );
        assertEq(slice(content, 33, 33 + expected.length), expected, "modules and levels");
        assertEq(content.length, 396, "size");

        item = collateral.qeIdentity();
        _assertItem(item, 1_786_579_063, 1_789_171_063, 19, 2);
        assertEq(
            item.data.code,
            hex"0000000000ffffffff11000000000000000000000000000000fbffffffffffffff0000000000000000dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c50002010004016823dd0000",
            "QE identity"
        );

        item = collateral.pckCrl(1);
        _assertItem(item, 1_786_579_031, 1_789_171_031, 1, 1);
        assertEq(item.data.code.length, 1 + 57 * 20, "57 serials");
        _assertAscending(item.data.code);
        (uint16 place, bool revoked) = collateral.revocationHint(1, uint160(0x006FC34E5023E728923435D61AA4B83C618166AD35));
        assertTrue(revoked, "listed");
        assertEq(bytes20(slice(item.data.code, 1 + uint256(place) * 20, 21 + uint256(place) * 20)), bytes20(hex"6FC34E5023E728923435D61AA4B83C618166AD35"), "place");
        (, revoked) = collateral.revocationHint(1, uint160(0x006FC34E5023E728923435D61AA4B83C618166AD36));
        assertTrue(!revoked, "not listed");

        item = collateral.rootCrl();
        _assertItem(item, 1_772_111_040, 1_803_647_040, 1, 0);
        assertEq(item.data, address(0), "no content");

        InForce memory inForce = collateral.inForce(FMSPC, 1);
        assertEq(inForce.validUntil, 1_789_171_031, "validUntil");
        assertEq(inForce.tcbInfo, collateral.tcbInfo(FMSPC).data, "tcbInfo");
        assertEq(inForce.qeIdentity, collateral.qeIdentity().data, "qeIdentity");
        assertEq(inForce.pckCrl, item.data == address(0) ? collateral.pckCrl(1).data : address(0), "pckCrl");
        assertTrue(!inForce.issuerRevoked, "issuer");
    }

    /// @dev Each bundle for TDX, one after another: content stays where it is the same.
    function test_WhenBundlesFollowEachOther() public {
        string memory december = "nearmpc_B0C06F_2025-12-11_1b075a77b_eval18";
        string memory january = "nearmpc_B0C06F_2026-01-28_832c32113_eval18";
        _start(december, 1_763_500_336);
        _submit(december);
        address tcbInfo = collateral.tcbInfo(FMSPC).data;
        address qe = collateral.qeIdentity().data;
        address crl = collateral.pckCrl(1).data;

        vm.warp(1_769_417_006);
        _submit(january);
        assertEq(collateral.tcbInfo(FMSPC).data, tcbInfo, "TCB info refreshed");
        assertEq(collateral.qeIdentity().data, qe, "QE identity refreshed");
        assertEq(collateral.pckCrl(1).data, crl, "CRL refreshed");
        _assertItem(collateral.tcbInfo(FMSPC), 1_769_413_406, 1_772_005_406, 18, 2);

        vm.warp(AUGUST_NOW);
        _submit(AUGUST);
        assertTrue(collateral.tcbInfo(FMSPC).data != tcbInfo, "TCB info replaced");
        assertTrue(collateral.qeIdentity().data != qe, "QE identity replaced");

        // And not back.
        vm.warp(1_769_417_006);
        bytes memory text = LibZip.flzCompress(_read(january, "tcb_info.json"));
        bytes memory signature = _read(january, "tcb_info_signature.bin");
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_NotNewer.selector, CollateralKind.TcbInfo, 1_786_617_938, 1_769_413_406
            )
        );
        collateral.upsertTcbInfo(signer, text, signature);
    }

    function test_WhenOtherPlatforms() public {
        _start("automata_gcp_00806F05_2025-06_eval17", 1_749_034_298);
        _submit("automata_gcp_00806F05_2025-06_eval17");
        assertEq(collateral.tcbInfo(0x00806f050000).number, 17, "gcp");
        _start("phala_90C06F_2026-02_eval18", 1_771_415_931);
        _submit("phala_90C06F_2026-02_eval18");
        assertEq(collateral.tcbInfo(0x90c06f000000).number, 18, "phala 90C06F");
        _start("phala_B0C06F_2025-06_eval17", 1_750_332_747);
        _submit("phala_B0C06F_2025-06_eval17");
        assertEq(collateral.tcbInfo(FMSPC).number, 17, "phala B0C06F");
    }

    /// @dev TCB info and QE identity for SGX are no TDX collateral; its Processor CA and empty CRL are.
    function test_WhenBundleIsForSgx() public {
        string memory sgx = "phala_sgx_00A067_2025-06_eval17";
        _start(sgx, 1_750_334_171);
        collateral.upsertPckCrl(ca, _read(sgx, "pck_crl.der"), "");
        assertEq(collateral.pckCrl(1).data.code, hex"00", "an empty list");
        assertEq(uint256(collateral.authority(1).role), uint256(AuthorityRole.PckProcessorCa), "role");
        bytes memory text = LibZip.flzCompress(_read(sgx, "tcb_info.json"));
        bytes memory signature = _read(sgx, "tcb_info_signature.bin");
        vm.expectRevert(abi.encodeWithSelector(Json.Json_Unexpected.selector, 7));
        collateral.upsertTcbInfo(signer, text, signature);
        text = _read(sgx, "qe_identity.json");
        signature = _read(sgx, "qe_identity_signature.bin");
        vm.expectRevert(abi.encodeWithSelector(Json.Json_Unexpected.selector, 7));
        collateral.upsertQeIdentity(signer, text, signature);
    }

    function test_WhenListHas129Entries() public {
        _start(AUGUST, 1_784_246_400);
        bytes memory crl = vm.readFileBinary("test/vectors/tdx/crl/pck_platform_129_entries_20260716.der");
        collateral.upsertPckCrl(ca, crl, _orderIn(crl));
        assertEq(collateral.pckCrl(1).data.code.length, 1 + 129 * 20, "129 serials");
        _assertAscending(collateral.pckCrl(1).data.code);
    }

    /// @dev Any two places swapped, any place changed: refused.
    function testFuzz_RevertWhen_OrderIsWrong(uint256 index, uint16 value) public {
        _start(AUGUST, AUGUST_NOW);
        bytes memory crl = _read(AUGUST, "pck_crl.der");
        bytes memory order = _orderIn(crl);
        index = bound(index, 0, 56);
        value = uint16(bound(value, 0, 70));
        if (uint8(order[2 * index + 1]) == value) value = 57;
        order[2 * index + 1] = bytes1(uint8(value));
        try collateral.upsertPckCrl(ca, crl, order) {
            revert AssertionFailed("taken", bytes32(index), bytes32(uint256(value)));
        } catch (bytes memory reason) {
            // Crl_WrongPlace or Crl_NotAscending.
            assertTrue(bytes4(reason) == 0x92a94adb || bytes4(reason) == 0x8ec55e3f, "typed");
        }
    }

    function _assertItem(CollateralItem memory item, uint256 issuedAt, uint256 next, uint256 number, uint256 by)
        private
        pure
    {
        assertEq(item.issuedAt, issuedAt, "issuedAt");
        assertEq(item.nextUpdate, next, "nextUpdate");
        assertEq(item.number, number, "number");
        assertEq(item.signer, by, "signer");
    }

    function _assertAscending(bytes memory code) private pure {
        bytes20 previous;
        for (uint256 i = 1; i < code.length; i += 20) {
            bytes20 serial = bytes20(slice(code, i, i + 20));
            assertTrue(serial > previous, "ascending");
            previous = serial;
        }
    }

    /// @dev The order of Intel's entries, found by how they look.
    function _orderIn(bytes memory crl) private pure returns (bytes memory order) {
        uint160[] memory serials = new uint160[](200);
        uint256 count = 0;
        for (uint256 i = 0; i + 30 < crl.length; i++) {
            uint256 size = uint8(crl[i + 3]);
            if (crl[i] != 0x30 || crl[i + 2] != 0x02 || uint8(crl[i + 1]) != size + 31) continue;
            if (size != 20 && size != 21) continue;
            serials[count++] = uint160(bytes20(slice(crl, i + size - 16, i + size + 4)));
        }
        for (uint256 i = 0; i < count; i++) {
            uint16 place = 0;
            for (uint256 j = 0; j < count; j++) {
                if (serials[j] < serials[i]) place++;
            }
            order = abi.encodePacked(order, place);
        }
    }

    function _keyIn(bytes memory certificate) private pure returns (P256Key memory key) {
        for (uint256 i = 0; i + 68 < certificate.length; i++) {
            if (bytes4(slice(certificate, i, i + 4)) != 0x03420004) continue;
            return P256Key(bytes32(slice(certificate, i + 4, i + 36)), bytes32(slice(certificate, i + 36, i + 68)));
        }
    }

    function _read(string memory name, string memory file) private view returns (bytes memory) {
        return vm.readFileBinary(string.concat("test/vectors/tdx/collateral/", name, "/", file));
    }
}
