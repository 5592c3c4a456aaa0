// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState, IEnclaveRegistry } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { RenewalCase } from "./RenewalCase.sol";

/// @notice EnclaveRegistry.renew.tree.
contract EnclaveRegistryRenewTest is RenewalCase {
    /* IN ORDER */

    function test_WhenAllIsInOrder() public {
        Enclave memory expected = registry.enclave(signer);
        _goOn();
        Renewal memory it = _renewal();
        it.evidence.attestationKeyHash = keccak256("attestation key");
        it.evidence.revocationHint = 57;
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        _expectVerify(quote, it.evidence);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveRenewed(signer, TcbStatus.UpToDate, LATER + MAX_LIFE, _tcb());
        vm.prank(ANYONE);
        uint64 returned = registry.renew(quote, it.evidence, it.request);

        assertEq(returned, LATER + MAX_LIFE, "expiresAt");
        expected.expiresAt = uint40(LATER + MAX_LIFE);
        assertEq(abi.encode(registry.enclave(signer)), abi.encode(expected), "nothing else changed");
        assertTrue(registry.isLive(signer), "isLive");
    }

    function test_WhenStatusAndEvidenceChanged() public {
        Enclave memory expected = registry.enclave(signer);
        _goOn();
        Renewal memory it = _renewal();
        it.verdict.tcbStatus = TcbStatus.SWHardeningNeeded;
        it.verdict.tcb.qeIsvSvn = 9;
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveRenewed(
            signer, TcbStatus.SWHardeningNeeded, LATER + MAX_LIFE, it.verdict.tcb
        );
        registry.renew(quote, it.evidence, it.request);

        expected.expiresAt = uint40(LATER + MAX_LIFE);
        expected.tcbStatus = TcbStatus.SWHardeningNeeded;
        expected.evidenceHash = bytes16(keccak256(abi.encode(VAULT_KEY_HASH, _hashTcb(it.verdict.tcb))));
        assertEq(abi.encode(registry.enclave(signer)), abi.encode(expected), "enclave");
        // What was recorded before no longer opens anything; what is recorded now does.
        _refuseRenewal(_renewal(), _evidenceMismatch(expected.evidenceHash, VAULT_KEY_HASH, _hashTcb(_tcb())));
        it.request.tcbEvidenceHash = _hashTcb(it.verdict.tcb);
        _renew(it);
    }

    function test_WhenEvidenceEndsFirst() public {
        _goOn();
        Renewal memory it = _renewal();
        it.verdict.validUntil = LATER + 1;
        assertEq(_renew(it), LATER + 1, "expiresAt");
        assertEq(registry.enclave(signer).expiresAt, LATER + 1, "recorded");
    }

    function testFuzz_WhenValidityIsAny(uint64 validUntil) public {
        _goOn();
        if (validUntil <= LATER) validUntil += LATER + 1;
        Renewal memory it = _renewal();
        it.verdict.validUntil = validUntil;
        uint256 latest = LATER + MAX_LIFE;
        assertEq(_renew(it), latest < validUntil ? latest : validUntil, "expiresAt");
    }

    function test_GivenExpired() public {
        vm.warp(NOW + MAX_LIFE + 365 days);
        _renewExpired();
    }

    function test_GivenExpiryIsRecorded() public {
        vm.warp(NOW + MAX_LIFE + 365 days);
        registry.demote(signer, 0, _tcb(), 0);
        _requireState(signer, EnclaveState.Expired);
        _renewExpired();
    }

    function _renewExpired() private {
        assertTrue(!registry.isLive(signer), "expired");
        uint256 now_ = vm.getBlockTimestamp();
        vm.roll(LATER_BLOCK + 1);
        vm.setBlockhash(LATER_BLOCK, LATER_HASH);
        Renewal memory it = _renewal();
        it.verdict.validUntil = uint64(now_ + 30 days);
        assertEq(_renew(it), now_ + MAX_LIFE, "expiresAt");
        _requireState(signer, EnclaveState.Active);
        assertTrue(registry.isLive(signer), "live again");
    }

    /// @dev Quote and evidence of the registration are fresh for 256 blocks: who repeats them gains nothing but time that
    /// the enclave has anyway.
    function test_WhenTheRegistrationsQuoteIsShownAgain() public {
        Renewal memory it = _renewal();
        it.body = _registration().body;
        it.request.blockNumber = BLOCK;
        assertEq(_renew(it), NOW + MAX_LIFE, "expiresAt");
        vm.roll(BLOCK + 257);
        _refuseRenewal(
            it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector, BLOCK, BLOCK + 257)
        );
    }

    /* STATES */

    function test_RevertGiven_Unknown() public {
        _goOn();
        Renewal memory it = _renewal();
        it.request.signingKey = vm.addr(SIGNING_KEY + 1);
        _refuseRenewal(it, _unknown(it.request.signingKey));
    }

    function test_RevertGiven_Retired() public {
        vm.prank(operator);
        registry.retire(signer);
        _goOn();
        _refuseRenewal(_renewal(), _ended(EnclaveState.Retired));
    }

    function test_RevertGiven_Demoted() public {
        verifier.judge(_tcb(), _assessment(TcbStatus.OutOfDate), 0);
        registry.demote(signer, VAULT_KEY_HASH, _tcb(), 0);
        // Not even when collateral finds it in order again.
        verifier.judge(_tcb(), _assessment(TcbStatus.UpToDate), 0);
        _goOn();
        _refuseRenewal(_renewal(), _ended(EnclaveState.Demoted));
    }

    /* EVIDENCE, BLOCK, VERIFIER, MRCONFIGID */

    function test_RevertWhen_EvidenceIsNotWhatIsRecorded() public {
        _goOn();
        bytes16 recorded = registry.enclave(signer).evidenceHash;
        Renewal memory it = _renewal();
        it.request.vaultKeyHash = keccak256("another vault key");
        _refuseRenewal(it, _evidenceMismatch(recorded, it.request.vaultKeyHash, it.request.tcbEvidenceHash));
        it = _renewal();
        it.request.tcbEvidenceHash = 0;
        _refuseRenewal(it, _evidenceMismatch(recorded, VAULT_KEY_HASH, 0));
        // Both right, in the wrong order.
        (it.request.vaultKeyHash, it.request.tcbEvidenceHash) = (_hashTcb(_tcb()), VAULT_KEY_HASH);
        _refuseRenewal(it, _evidenceMismatch(recorded, _hashTcb(_tcb()), VAULT_KEY_HASH));
    }

    function test_RevertWhen_BlockIsStaleOrUnknown() public {
        _goOn();
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector;
        Renewal memory it = _renewal();
        it.request.blockNumber = BLOCK;
        _refuseRenewal(it, abi.encodeWithSelector(selector, BLOCK, LATER_BLOCK + 1));
        it.request.blockNumber = LATER_BLOCK + 1;
        _refuseRenewal(it, abi.encodeWithSelector(selector, LATER_BLOCK + 1, LATER_BLOCK + 1));
        vm.setBlockhash(LATER_BLOCK, 0);
        _refuseRenewal(_renewal(), abi.encodeWithSelector(selector, LATER_BLOCK, LATER_BLOCK + 1));
    }

    function test_RevertWhen_VerifierRefuses() public {
        _goOn();
        Renewal memory it = _renewal();
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        registry.renew(_quoteOf(it.body), it.evidence, it.request);
    }

    function test_RevertWhen_StatusIsNotAllowed() public {
        _goOn();
        Renewal memory it = _renewal();
        it.verdict.tcbStatus = TcbStatus.OutOfDate;
        _refuseRenewal(
            it,
            abi.encodeWithSelector(
                ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, TcbStatus.OutOfDate, POLICY
            )
        );
    }

    function test_RevertWhen_ConfigIdIsZero() public {
        _goOn();
        Renewal memory it = _renewal();
        _put(it.body, MR_CONFIG_ID_AT, new bytes(48));
        _refuseRenewal(it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroConfigId.selector));
    }

    function test_RevertWhen_AppConfigIsNotAskedFor() public {
        _goOn();
        Renewal memory it = _renewal();
        it.request.appConfig = new bytes(53);
        _refuseRenewal(
            it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadAppConfigLength.selector, 1, 53)
        );
    }

    /* ANOTHER ENCLAVE */

    function test_RevertWhen_ReportDataBindSomethingElse_FieldByField() public {
        _goOn();
        bytes32 expected = _hashOf(_laterBinding());
        for (uint256 field = 0; field < 9; ++field) {
            EnclaveBinding memory other = _laterBinding();
            if (field == 0) other.tag = "data-collab-market/attestation/v1";
            else if (field == 1) other.chainId += 1;
            else if (field == 2) other.registry = address(0xdead);
            else if (field == 3) other.operator = ANYONE;
            else if (field == 4) other.signingKey = vm.addr(SIGNING_KEY + 1);
            else if (field == 5) other.vaultKeyHash = keccak256("another vault key");
            else if (field == 6) other.blockNumber = BLOCK;
            else if (field == 7) other.blockHash = BLOCK_HASH;
            Renewal memory it = _renewal();
            it.body = _bodyFor(other);
            if (field == 8) it.body[REPORT_DATA_AT + 63] = 0x01;
            bytes32 low = bytes32(slice(it.body, REPORT_DATA_AT + 32, BODY_SIZE));
            _refuseRenewal(
                it,
                abi.encodeWithSelector(
                    IEnclaveRegistry.EnclaveRegistry_ReportDataMismatch.selector, expected, _hashOf(other), low
                )
            );
        }
    }

    /// @dev An upgrade, another OS or another VM shape is another enclave: it registers keys of its own.
    function test_RevertWhen_AnyMeasurementDiffers() public {
        _goOn();
        bytes32 registered = registry.enclave(signer).workloadId;
        uint16[7] memory offsets = [uint16(120), 128, 136, 185, 328, 376, 424];
        for (uint256 i = 0; i < offsets.length; ++i) {
            Renewal memory it = _renewal();
            it.body[offsets[i]] ^= 0x40;
            bytes32 composeHash = bytes32(slice(it.body, MR_CONFIG_ID_AT + 1, MR_CONFIG_ID_AT + 33));
            _refuseRenewal(
                it,
                abi.encodeWithSelector(
                    IEnclaveRegistry.EnclaveRegistry_WorkloadChanged.selector,
                    registered,
                    _workloadId(composeHash, it.body)
                )
            );
        }
    }

    function test_RevertWhen_PlatformIsAnother() public {
        _goOn();
        Renewal memory it = _renewal();
        it.verdict.tcb.platform.platformId = bytes16(keccak256("another ppid"));
        _refuseRenewal(
            it,
            abi.encodeWithSelector(
                IEnclaveRegistry.EnclaveRegistry_PlatformChanged.selector, PLATFORM_ID, bytes16(keccak256("another ppid"))
            )
        );
    }
}
