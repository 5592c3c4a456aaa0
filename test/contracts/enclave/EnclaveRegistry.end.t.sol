// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DemotionReason,
    Enclave,
    EnclaveState,
    IEnclaveRegistry
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { CollateralKind, ITdxCollateral } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbAssessment, TcbEvidence, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { RenewalCase } from "./RenewalCase.sol";

/// @notice EnclaveRegistry.end.tree: how a registration ends.
contract EnclaveRegistryEndTest is RenewalCase {
    uint16 private constant HINT = 57;
    uint256 private constant END = NOW + MAX_LIFE;

    /* RETIRE */

    function test_Retire_ShouldEndForGood() public {
        Enclave memory expected = registry.enclave(signer);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveRetired(signer, operator);
        vm.prank(operator);
        registry.retire(signer);

        expected.state = EnclaveState.Retired;
        assertEq(abi.encode(registry.enclave(signer)), abi.encode(expected), "nothing else changed");
        assertTrue(!registry.isLive(signer), "isLive");
        vm.prank(operator);
        vm.expectRevert(_ended(EnclaveState.Retired));
        registry.retire(signer);
    }

    function test_Retire_GivenExpired() public {
        vm.warp(END);
        registry.demote(signer, 0, _tcb(), 0);
        vm.prank(operator);
        registry.retire(signer);
        _requireState(signer, EnclaveState.Retired);
    }

    function test_Retire_RevertGiven_Unknown() public {
        vm.prank(operator);
        vm.expectRevert(_unknown(ANYONE));
        registry.retire(ANYONE);
    }

    function test_Retire_RevertWhen_CallerIsNotTheOperator() public {
        address[3] memory others = [ANYONE, signer, address(verifier)];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory revertData = abi.encodeWithSelector(
                IEnclaveRegistry.EnclaveRegistry_NotOperator.selector, signer, operator, others[i]
            );
            vm.prank(others[i]);
            vm.expectRevert(revertData);
            registry.retire(signer);
        }
        assertTrue(registry.isLive(signer), "isLive");
    }

    function test_Retire_RevertGiven_Demoted() public {
        _judge(TcbStatus.OutOfDate, false);
        _demote();
        vm.prank(operator);
        vm.expectRevert(_ended(EnclaveState.Demoted));
        registry.retire(signer);
    }

    /* DEMOTE: COLLATERAL */

    /// @dev Every status, allowed or not, revoked or not: what the policy allows, and only that, stays.
    function test_Demote_ByEveryStatus() public {
        for (uint256 i = 0; i <= uint256(type(TcbStatus).max); ++i) {
            for (uint256 revoked = 0; revoked < 2; ++revoked) {
                uint256 key = SIGNING_KEY + 1 + 2 * i + revoked;
                _register(_registrationOf(_request(key), key));
                _judge(TcbStatus(i), revoked == 1);
                if (POLICY & (1 << i) != 0 && revoked == 0) _refuseDemotionOf(vm.addr(key), TcbStatus(i));
                else _demoteForGood(vm.addr(key), TcbStatus(i), revoked == 1);
            }
        }
    }

    function _refuseDemotionOf(address key, TcbStatus status) private {
        _refuseDemotion(
            key,
            _tcb(),
            HINT,
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_StillInGoodStanding.selector, key, status)
        );
        assertTrue(registry.isLive(key), "isLive");
    }

    function _demoteForGood(address key, TcbStatus status, bool revoked) private {
        Enclave memory expected = registry.enclave(key);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveDemoted(
            key, revoked ? DemotionReason.CertificateRevoked : DemotionReason.TcbStatus, status
        );
        vm.prank(ANYONE);
        registry.demote(key, VAULT_KEY_HASH, _tcb(), HINT);
        expected.state = EnclaveState.Demoted;
        assertEq(abi.encode(registry.enclave(key)), abi.encode(expected), "nothing else changed");
        assertTrue(!registry.isLive(key), "isLive");
    }

    /// @dev Twice, after its expiry, and when collateral has changed its mind.
    function test_Demote_RevertGiven_Demoted() public {
        _judge(TcbStatus.OutOfDate, false);
        _demote();
        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Demoted));
        vm.warp(END);
        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Demoted));
        _judge(TcbStatus.UpToDate, false);
        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Demoted));
    }

    function test_Demote_RevertGiven_Retired() public {
        vm.prank(operator);
        registry.retire(signer);
        _judge(TcbStatus.Revoked, true);
        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Retired));
        vm.warp(END);
        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Retired));
    }

    function test_Demote_RevertGiven_Unknown() public {
        _judge(TcbStatus.Revoked, true);
        _refuseDemotion(ANYONE, _tcb(), HINT, _unknown(ANYONE));
    }

    /// @dev No collateral is no reason: who cannot show newer collateral cannot demote.
    function test_Demote_RevertGiven_CollateralIsMissing() public {
        _refuseDemotion(
            signer,
            _tcb(),
            HINT,
            abi.encodeWithSelector(
                ITdxCollateral.TdxCollateral_Missing.selector,
                CollateralKind.TcbInfo,
                bytes32(_tcb().platform.fmspc)
            )
        );
    }

    function test_Demote_RevertWhen_HintIsWrong() public {
        _judge(TcbStatus.UpToDate, true);
        _refuseDemotion(
            signer,
            _tcb(),
            HINT + 1,
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_WrongRevocationHint.selector, HINT + 1, _tcb().platform.serial
            )
        );
    }

    /* DEMOTE: EVIDENCE */

    /// @dev A bad platform's evidence does not demote a good enclave, whichever field is borrowed from it.
    function test_Demote_RevertWhen_AnyFieldOfTheEvidenceIsAnother() public {
        bytes memory right = abi.encode(_tcb());
        bytes16 recorded = registry.enclave(signer).evidenceHash;
        for (uint256 word = 0; word < right.length / 32; ++word) {
            bytes memory wrong = bytes.concat(right);
            // A bit that the field's type has, from whichever end it is aligned to: numbers right, bytesN left.
            bool left = word == 2 || word == 6 || word == 7 || word == 9 || word == 10 || word == 11;
            wrong[32 * word + (left ? 0 : 31)] ^= 0x01;
            TcbEvidence memory tcb = abi.decode(wrong, (TcbEvidence));
            verifier.judge(tcb, _assessment(TcbStatus.Revoked), HINT);
            _refuseDemotion(signer, tcb, HINT, _evidenceMismatch(recorded, VAULT_KEY_HASH, keccak256(wrong)));
        }
        assertEq(right.length / 32, 13, "words");
        assertTrue(registry.isLive(signer), "isLive");
    }

    function test_Demote_RevertWhen_VaultKeyHashIsAnother() public {
        _judge(TcbStatus.Revoked, true);
        bytes16 recorded = registry.enclave(signer).evidenceHash;
        vm.expectRevert(_evidenceMismatch(recorded, 0, _hashTcb(_tcb())));
        registry.demote(signer, 0, _tcb(), HINT);
    }

    /// @dev A platform that was mended and renewed is not demoted by what it was.
    function test_Demote_RevertWhen_EvidenceIsOfBeforeTheRenewal() public {
        _goOn();
        Renewal memory it = _renewal();
        it.verdict.tcb.currentTeeTcbSvn = 0x09010700000000000000000000000000;
        _renew(it);
        _judge(TcbStatus.OutOfDate, false);
        bytes16 recorded = registry.enclave(signer).evidenceHash;
        _refuseDemotion(signer, _tcb(), HINT, _evidenceMismatch(recorded, VAULT_KEY_HASH, _hashTcb(_tcb())));
        // By what it is, it can be.
        verifier.judge(it.verdict.tcb, _assessment(TcbStatus.OutOfDate), HINT);
        registry.demote(signer, VAULT_KEY_HASH, it.verdict.tcb, HINT);
        _requireState(signer, EnclaveState.Demoted);
    }

    /* DEMOTE: EXPIRY */

    function test_Demote_RevertGiven_LastSecond() public {
        vm.warp(END - 1);
        _judge(TcbStatus.UpToDate, false);
        _refuseDemotionOf(signer, TcbStatus.UpToDate);
    }

    /// @dev Not even with evidence that would demote it for good: it is the renewal that has to be refused then.
    function test_Demote_GivenExpired_ShouldLeaveTheWayToRenewalOpen() public {
        Enclave memory expected = registry.enclave(signer);
        _judge(TcbStatus.Revoked, true);
        vm.warp(END);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveDemoted(signer, DemotionReason.Expired, TcbStatus.UpToDate);
        _demote();
        expected.state = EnclaveState.Expired;
        assertEq(abi.encode(registry.enclave(signer)), abi.encode(expected), "nothing else changed");
        assertTrue(!registry.isLive(signer), "isLive");

        _refuseDemotion(signer, _tcb(), HINT, _ended(EnclaveState.Expired));
        vm.roll(LATER_BLOCK + 1);
        vm.setBlockhash(LATER_BLOCK, LATER_HASH);
        _renew(_renewal());
        assertTrue(registry.isLive(signer), "live again");
        // From now on it can be demoted for good.
        _demote();
        _requireState(signer, EnclaveState.Demoted);
    }

    function test_Demote_GivenExpired_ShouldNotReadTheEvidence() public {
        vm.warp(END);
        TcbEvidence memory none;
        registry.demote(signer, 0, none, 0);
        _requireState(signer, EnclaveState.Expired);
    }

    /* HELPERS */

    function _judge(TcbStatus status, bool revoked) private {
        TcbAssessment memory assessment = _assessment(status);
        assessment.certificateRevoked = revoked;
        assessment.advisoryIds = new uint24[](2);
        verifier.judge(_tcb(), assessment, HINT);
    }

    function _demote() private {
        vm.prank(ANYONE);
        registry.demote(signer, VAULT_KEY_HASH, _tcb(), HINT);
    }

    function _refuseDemotion(address key, TcbEvidence memory tcb, uint16 hint, bytes memory revertData) private {
        vm.prank(ANYONE);
        vm.expectRevert(revertData);
        registry.demote(key, VAULT_KEY_HASH, tcb, hint);
    }
}
