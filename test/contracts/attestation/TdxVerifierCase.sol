// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AuthorityRole, InForce } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { Evidence, ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { Platform, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { FixedCollateral } from "../../support/FixedCollateral.sol";
import { deploy } from "../../support/Test.sol";
import { TestPlatform } from "../../support/TestPlatform.sol";

/// @title TdxVerifierCase
/// @notice Base of the verifier's tests on hostile content: a verifier, collateral under which the software platform is up
/// to date, and what a test changes of it.
abstract contract TdxVerifierCase is TestPlatform {
    uint16 internal constant POLICY = uint16((1 << uint8(TcbStatus.UpToDate)) | (1 << uint8(TcbStatus.SWHardeningNeeded)));
    uint16 internal constant ANY_STATUS = 0x37e;
    uint64 internal constant VALID_UNTIL = uint64(NOW + 20 days);
    /// @dev Of all certificates that `TestCertificates` makes.
    uint160 internal constant SERIAL = 42;

    FixedCollateral internal collateral;
    ITdxVerifier internal verifier;
    InForce internal inForce;
    uint16 internal issuer;
    bytes internal quote;
    /// @dev Made beforehand: nothing may be called between an expected revert and what reverts.
    bytes private _leaf;

    function setUp() public virtual {
        vm.warp(NOW);
        collateral = new FixedCollateral();
        verifier = ITdxVerifier(deploy("TdxVerifier", abi.encode(collateral)));
        issuer = collateral.addAuthority(keyOf(ISSUER_KEY), AuthorityRole.PckPlatformCa);
        inForce.validUntil = VALID_UNTIL;
        inForce.pckCrl = collateral.store("");
        inForce.qeIdentity = collateral.store(qeIdentityBlob(qeLevel(4, TcbStatus.UpToDate, "")));
        inForce.tcbInfo = collateral.store(tcbInfoBlob(TcbStatus.UpToDate, TcbStatus.UpToDate));
        collateral.setInForce(inForce);
        quote = quoteOf(reportBody());
        _leaf = certificateOf(leafSpec());
    }

    /* COLLATERAL; layouts: contracts/attestation/QeIdentity.sol, TcbLevels.sol */

    function qeIdentityBlob(bytes memory level) internal pure returns (bytes memory) {
        return qeIdentityBlob(1, level);
    }

    function qeIdentityBlob(uint8 count, bytes memory levels) internal pure returns (bytes memory) {
        return abi.encodePacked(
            hex"00000000ffffffff",
            hex"11000000000000000000000000000000fbffffffffffffff0000000000000000",
            hex"dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5",
            uint16(2),
            count,
            levels
        );
    }

    /// @param advisories Three bytes each.
    function qeLevel(uint16 isvSvn, TcbStatus status, bytes memory advisories) internal pure returns (bytes memory) {
        return abi.encodePacked(isvSvn, status, uint32(NOW), uint8(advisories.length / 3), advisories);
    }

    function moduleLevel(uint8 isvSvn, TcbStatus status, bytes memory advisories) internal pure returns (bytes memory) {
        return abi.encodePacked(isvSvn, status, uint32(NOW), uint8(advisories.length / 3), advisories);
    }

    function platformLevel(bytes16 sgx, uint16 pceSvn, bytes16 tdx, TcbStatus status, bytes memory advisories)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(sgx, pceSvn, tdx, status, uint32(NOW), uint8(advisories.length / 3), advisories);
    }

    /// @notice TCB info with one module of version 1 and one platform level, both just met by the software platform.
    function tcbInfoBlob(TcbStatus platform, TcbStatus module_) internal pure returns (bytes memory) {
        return abi.encodePacked(
            keccak256("content"),
            hex"0000",
            uint8(1),
            uint8(1),
            hex"0101",
            moduleLevel(11, module_, hex"0004dd"),
            platformLevel(
                COMPONENT_SVNS, PCE_SVN, 0x05000400000000000000000000000000, platform, hex"00000100ffff"
            )
        );
    }

    function useTcbInfo(bytes memory blob) internal {
        inForce.tcbInfo = collateral.store(blob);
        collateral.setInForce(inForce);
    }

    function useQeIdentity(bytes memory blob) internal {
        inForce.qeIdentity = collateral.store(blob);
        collateral.setInForce(inForce);
    }

    function useCrl(bytes memory serials) internal {
        inForce.pckCrl = collateral.store(serials);
        collateral.setInForce(inForce);
    }

    /* EVIDENCE */

    /// @notice What a first quote of the platform needs.
    function withLeaf() internal view returns (Evidence memory) {
        return withLeaf(_leaf);
    }

    function withLeaf(bytes memory leaf) internal pure returns (Evidence memory evidence) {
        evidence.pckLeaf = leaf;
        evidence.issuerKey = keyOf(ISSUER_KEY);
    }

    /// @notice What a later quote needs, of the platform and attestation key as they are recorded.
    function withRecord() internal view returns (Evidence memory evidence) {
        evidence.platform = platformOf();
        evidence.attestationKeyHash = keyHashOf(ATTESTATION_KEY, inForce.qeIdentity);
        evidence.qeIsvSvn = QE_ISV_SVN;
    }

    function platformOf() internal view returns (Platform memory) {
        return Platform({
            pckKey: keyOf(PCK_KEY),
            platformId: bytes16(keccak256(PPID)),
            serial: SERIAL,
            notAfter: LEAF_NOT_AFTER_SECONDS,
            issuer: issuer,
            fmspc: PLATFORM_FMSPC,
            pceId: 0,
            pceSvn: PCE_SVN,
            componentSvns: COMPONENT_SVNS
        });
    }

    function keyHashOf(uint256 attestationKey, address qeIdentity) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(keyOf(attestationKey).x, keyOf(attestationKey).y, QE_ISV_SVN, qeIdentity)
        );
    }

    function pckIdOf() internal pure returns (bytes32) {
        return keccak256(abi.encode(keyOf(PCK_KEY)));
    }

    /// @notice The quote up to the end of its attestation key.
    function cut(bytes memory whole) internal pure returns (bytes memory) {
        uint256 e = whole[0] == 0x04 ? 632 : 54 + uint256(uint8(whole[51])) * 256 + uint8(whole[50]);
        return slice(whole, 0, e + 132);
    }
}
