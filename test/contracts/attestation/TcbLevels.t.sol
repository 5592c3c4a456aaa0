// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbAssessment, TcbEvidence, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { deploy } from "../../support/Test.sol";
import { ITcbVerdictHarness } from "./ITcbVerdictHarness.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @notice Intel's rules for TCB levels and statuses, seen through `assess`.
contract TcbLevelsTest is TdxVerifierCase {
    TcbStatus private constant NONE = TcbStatus.Unsupported;
    TcbStatus private constant OK = TcbStatus.UpToDate;
    TcbStatus private constant OLD = TcbStatus.OutOfDate;
    TcbStatus private constant REVOKED = TcbStatus.Revoked;
    bytes16 private constant TDX_LEVEL = 0x05000400000000000000000000000000;

    ITcbVerdictHarness private verdict;

    function setUp() public override {
        super.setUp();
        verdict = ITcbVerdictHarness(deploy("TcbVerdictHarness", ""));
    }

    /* CONVERGENCE */

    function test_Converge_InEveryCase() public view {
        // By platform status: with all else up to date, and with the module or the quoting enclave out of date.
        TcbStatus[8] memory outdated = [
            NONE,
            OLD,
            OLD,
            TcbStatus.OutOfDateConfigurationNeeded,
            TcbStatus.OutOfDateConfigurationNeeded,
            OLD,
            TcbStatus.OutOfDateConfigurationNeeded,
            REVOKED
        ];
        for (uint8 i = 0; i < 8; i++) {
            TcbStatus platform = TcbStatus(i);
            _assertStatus(verdict.converge(platform, OK, OK), platform);
            _assertStatus(verdict.converge(platform, OLD, OK), outdated[i]);
            _assertStatus(verdict.converge(platform, OK, OLD), outdated[i]);
            _assertStatus(verdict.converge(platform, OLD, OLD), outdated[i]);
            TcbStatus revoked = platform == NONE ? NONE : REVOKED;
            _assertStatus(verdict.converge(platform, REVOKED, OK), revoked);
            _assertStatus(verdict.converge(platform, OK, REVOKED), revoked);
            _assertStatus(verdict.converge(platform, NONE, OK), NONE);
            _assertStatus(verdict.converge(platform, NONE, REVOKED), NONE);
            _assertStatus(verdict.converge(platform, OK, NONE), platform == REVOKED ? REVOKED : NONE);
        }
    }

    /// @dev Intel gives modules and quoting enclaves three statuses: another is none.
    function test_Converge_WhenModuleOrQeHasAStatusThatIntelDoesNotGive() public view {
        for (uint8 i = 0; i < 10; i++) {
            TcbStatus status = TcbStatus(i);
            if (status == OK || status == OLD || status == REVOKED) continue;
            _assertStatus(verdict.converge(OK, status, OK), NONE);
            _assertStatus(verdict.converge(OK, OK, status), NONE);
        }
    }

    function test_Relaunch_InEveryCase() public view {
        for (uint8 i = 0; i < 8; i++) {
            for (uint8 j = 0; j < 8; j++) {
                (TcbStatus launch, TcbStatus current) = (TcbStatus(i), TcbStatus(j));
                bool clean = current == OK || current == TcbStatus.SWHardeningNeeded;
                bool configure = current == TcbStatus.ConfigurationNeeded
                    || current == TcbStatus.ConfigurationAndSWHardeningNeeded;
                TcbStatus expected = launch;
                if (launch == OLD && clean) expected = TcbStatus.TDRelaunchAdvised;
                if (launch == OLD && configure) expected = TcbStatus.TDRelaunchAdvisedConfigurationNeeded;
                if (launch == TcbStatus.OutOfDateConfigurationNeeded && (clean || configure)) {
                    expected = TcbStatus.TDRelaunchAdvisedConfigurationNeeded;
                }
                if (current == REVOKED) expected = REVOKED;
                if (launch == NONE || current == NONE) expected = NONE;
                _assertStatus(verdict.relaunch(launch, current), expected);
            }
        }
    }

    /* LEVELS */

    /// @dev Each SVN one below what the level asks for: the level is not met, and there is no other.
    function test_Platform_WhenAnSvnIsOneBelow() public {
        bytes16 all = 0x02020202020202020202020202020202;
        useTcbInfo(_info(hex"0101", moduleLevel(2, OK, ""), 1, platformLevel(all, 2, all, OLD, "")));
        TcbEvidence memory tcb = _evidence(all, all);
        tcb.platform.pceSvn = 2;
        // Module version 2 is not known: take version 0, under which all 16 components count.
        tcb.teeTcbSvn = tcb.currentTeeTcbSvn = all & _without(1);
        _assertLevels(tcb, NONE, OK);
        useTcbInfo(_info(hex"0101", moduleLevel(2, OK, ""), 1, platformLevel(all, 2, all & _without(1), OLD, "")));
        _assertLevels(tcb, OLD, OK);
        for (uint256 i = 0; i < 16; i++) {
            bytes16 below = all ^ _at(i, 0x03);
            tcb.platform.componentSvns = below;
            _assertLevels(tcb, NONE, OK);
            tcb.platform.componentSvns = all;
            if (i == 1) continue;
            tcb.teeTcbSvn = tcb.currentTeeTcbSvn = below & _without(1);
            _assertLevels(tcb, NONE, OK);
            tcb.teeTcbSvn = tcb.currentTeeTcbSvn = all & _without(1);
        }
        tcb.platform.pceSvn = 1;
        _assertLevels(tcb, NONE, OK);
    }

    /// @dev For a module of a version above 0 the first two components are the module's own affair.
    function test_Platform_WhenModuleHasAVersion_FirstTwoComponentsDoNotCount() public {
        bytes16 level = 0xffff0400000000000000000000000000;
        useTcbInfo(_info(hex"0101", moduleLevel(11, OK, ""), 1, platformLevel(0, 0, level, OK, "")));
        _assertLevels(_evidence(COMPONENT_SVNS, TEE_TCB_SVN), OK, OK);
        _assertLevels(_evidence(COMPONENT_SVNS, 0xff010300000000000000000000000000), NONE, OK);
        _assertLevels(_evidence(COMPONENT_SVNS, 0x0b000400000000000000000000000000), NONE, OK);
    }

    /// @dev Compared with a comparison byte by byte.
    function testFuzz_Platform_IsTheFirstLevelMet(bytes16 sgx, bytes16 tdx, uint16 pceSvn, bytes32 seed) public {
        bytes memory levels;
        TcbStatus expected = NONE;
        bytes1 version = tdx[1];
        for (uint8 i = 1; i <= 5; i++) {
            bytes32 random = keccak256(abi.encode(seed, i));
            // Near what the platform has, so that some are met.
            bytes16 levelSgx = sgx ^ (bytes16(random) & bytes16(keccak256(abi.encode(random, 1))) & _sparse(random));
            bytes16 levelTdx = tdx ^ (bytes16(random << 128) & _sparse(random));
            uint16 levelPce = uint256(random) % 3 == 0 ? uint16(uint256(random) >> 7) : pceSvn;
            levels = bytes.concat(levels, platformLevel(levelSgx, levelPce, levelTdx, TcbStatus(i), ""));
            bool met = pceSvn >= levelPce;
            for (uint256 j = 0; j < 16; j++) {
                if (sgx[j] < levelSgx[j]) met = false;
                if (tdx[j] < levelTdx[j] && (version == 0 || j > 1)) met = false;
            }
            if (met && expected == NONE) expected = TcbStatus(i);
        }
        useTcbInfo(_info(abi.encodePacked(version, uint8(1)), moduleLevel(0, OK, ""), 5, levels));
        TcbEvidence memory tcb = _evidence(sgx, tdx);
        tcb.platform.pceSvn = pceSvn;
        _assertLevels(tcb, expected, OK);
    }

    function test_Module_IsTheFirstLevelMetOfItsVersion() public {
        bytes memory modules = bytes.concat(
            hex"0302",
            moduleLevel(5, OK, ""),
            moduleLevel(3, OLD, hex"000001"),
            hex"0102",
            moduleLevel(11, OK, ""),
            moduleLevel(4, OLD, hex"000001000002"),
            // Of a version that has been there: never looked at.
            hex"0101",
            moduleLevel(0, OK, "")
        );
        useTcbInfo(_infoOf(3, modules, 1, platformLevel(0, 0, 0, OK, "")));
        _assertLevels(_evidence(0, 0x0b010000000000000000000000000000), OK, OK);
        _assertLevels(_evidence(0, 0x0a010000000000000000000000000000), OK, OLD);
        _assertLevels(_evidence(0, 0x04010000000000000000000000000000), OK, OLD);
        _assertLevels(_evidence(0, 0x03010000000000000000000000000000), OK, NONE);
        _assertLevels(_evidence(0, 0x04030000000000000000000000000000), OK, OLD);
        _assertLevels(_evidence(0, 0x02030000000000000000000000000000), OK, NONE);
        // A version that is not known; and version 0, which has no identity.
        _assertLevels(_evidence(0, 0x0b020000000000000000000000000000), OK, NONE);
        _assertLevels(_evidence(0, 0x00000000000000000000000000000000), OK, OK);
    }

    function test_Qe_IsTheFirstLevelMet() public {
        useQeIdentity(qeIdentityBlob(2, bytes.concat(qeLevel(8, OK, ""), qeLevel(6, OLD, hex"00000a"))));
        TcbEvidence memory tcb = _evidence(COMPONENT_SVNS, TEE_TCB_SVN);
        TcbStatus[4] memory expected = [NONE, OLD, OLD, OK];
        for (uint16 i = 0; i < 4; i++) {
            tcb.qeIsvSvn = 5 + i;
            _assertStatus(verifier.assess(tcb, 0).qe, expected[i]);
        }
    }

    /* ASSESSMENT */

    function test_Assess_GivesAdvisoriesOfAllThreeLevels() public {
        useQeIdentity(qeIdentityBlob(qeLevel(6, OLD, hex"00000a00000b")));
        TcbAssessment memory a = verifier.assess(_evidence(COMPONENT_SVNS, TEE_TCB_SVN), 0);
        uint24[] memory expected = new uint24[](5);
        (expected[0], expected[1], expected[2], expected[3], expected[4]) = (1, 0xffff, 1245, 10, 11);
        // From the platform's level, the module's, and the quoting enclave's.
        assertEq(abi.encode(a.advisoryIds), abi.encode(expected), "advisoryIds");
        _assertStatus(a.tcbStatus, OLD);
        assertEq(a.validUntil, VALID_UNTIL, "validUntil");
        assertTrue(!a.certificateRevoked, "not revoked");
    }

    function test_Assess_WhenNoLevelIsMet_ThereAreNoAdvisories() public {
        TcbEvidence memory tcb = _evidence(0, 0x0b020000000000000000000000000000);
        tcb.qeIsvSvn = 0;
        TcbAssessment memory a = verifier.assess(tcb, 0);
        assertEq(a.advisoryIds.length, 0, "advisoryIds");
        _assertStatus(a.tcbStatus, NONE);
    }

    function test_Assess_SaysWhatIsRevoked() public {
        TcbEvidence memory tcb = _evidence(COMPONENT_SVNS, TEE_TCB_SVN);
        useCrl(abi.encodePacked(SERIAL));
        assertTrue(verifier.assess(tcb, 0).certificateRevoked, "leaf");
        useCrl("");
        inForce.issuerRevoked = true;
        collateral.setInForce(inForce);
        assertTrue(verifier.assess(tcb, 0).certificateRevoked, "issuer");
    }

    function test_RevertWhen_Assess_LeafHasExpired() public {
        TcbEvidence memory tcb = _evidence(COMPONENT_SVNS, TEE_TCB_SVN);
        vm.warp(LEAF_NOT_AFTER_SECONDS + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_CertificateExpired.selector, LEAF_NOT_AFTER_SECONDS, LEAF_NOT_AFTER_SECONDS + 1
            )
        );
        verifier.assess(tcb, 0);
    }

    function test_RevertWhen_Assess_HintIsWrong() public {
        TcbEvidence memory tcb = _evidence(COMPONENT_SVNS, TEE_TCB_SVN);
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_WrongRevocationHint.selector, 1, SERIAL));
        verifier.assess(tcb, 1);
    }

    function test_RevertWhen_PceIdIsAnother() public {
        TcbEvidence memory tcb = _evidence(COMPONENT_SVNS, TEE_TCB_SVN);
        tcb.platform.pceId = 0x0001;
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_PceIdMismatch.selector, bytes2(0x0001), bytes2(0))
        );
        verifier.assess(tcb, 0);
    }

    /* HELPERS */

    function _evidence(bytes16 sgx, bytes16 tdx) private view returns (TcbEvidence memory tcb) {
        tcb.platform = platformOf();
        tcb.platform.componentSvns = sgx;
        (tcb.teeTcbSvn, tcb.currentTeeTcbSvn, tcb.qeIsvSvn) = (tdx, tdx, QE_ISV_SVN);
    }

    function _info(bytes memory moduleHead, bytes memory moduleLevels, uint8 count, bytes memory levels)
        private
        pure
        returns (bytes memory)
    {
        return _infoOf(1, bytes.concat(moduleHead, moduleLevels), count, levels);
    }

    function _infoOf(uint8 moduleCount, bytes memory modules, uint8 count, bytes memory levels)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(bytes32(0), hex"0000", moduleCount, count, modules, levels);
    }

    /// @dev About two bytes of sixteen set.
    function _sparse(bytes32 random) private pure returns (bytes16 mask) {
        return _at(uint8(random[30]) % 16, 0x03) | _at(uint8(random[31]) % 16, 0x01);
    }

    function _at(uint256 index, uint8 value) private pure returns (bytes16) {
        return bytes16(uint128(value) << uint128(8 * (15 - index)));
    }

    function _without(uint256 index) private pure returns (bytes16) {
        return ~_at(index, 0xff);
    }

    function _assertLevels(TcbEvidence memory tcb, TcbStatus platform, TcbStatus module_) private view {
        TcbAssessment memory a = verifier.assess(tcb, 0);
        _assertStatus(a.platform, platform);
        _assertStatus(a.module_, module_);
    }

    function _assertStatus(TcbStatus actual, TcbStatus expected) private pure {
        assertEq(uint8(actual), uint8(expected), "status");
    }
}
