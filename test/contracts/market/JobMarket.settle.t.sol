// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { FailureCode, JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.settle.tree that concern the job, the receipt and the enclave.
contract JobMarketSettleTest is MarketTest {
    /* JOB */

    function test_RevertGiven_OtherIndex() public {
        Settlement memory it = _openJob();
        it.index = 1;
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, 1, market.hashOrder(it.order))
        );
    }

    /// @dev Better terms for the relayer are another order: nothing of it can be changed after `open`.
    function test_RevertWhen_OrderIsNotTheOneOpened() public {
        Settlement memory it = _openJob();
        it.order.operatorFee += 1;
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, 0, market.hashOrder(it.order))
        );
    }

    function test_RevertGiven_ReceiptReplayed() public {
        Settlement memory it = _openJob();
        _settle(it);
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, market.hashOrder(it.order), JobState.SettledOk)
        );
        assertCredit(_owner(0), address(0), 100);
    }

    function test_RevertGiven_Cancelled() public {
        Settlement memory it = _openJob();
        vm.prank(requester);
        market.cancel(it.index, it.order);
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, market.hashOrder(it.order), JobState.Cancelled)
        );
    }

    function test_RevertGiven_DeadlinePassed() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE + 1);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlinePassed.selector, market.hashOrder(it.order), DEADLINE, DEADLINE + 1
            )
        );
    }

    function test_GivenLastSecondOfDeadline_ShouldSettle() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), JobState.SettledOk);
    }

    /* OUTCOME */

    function _badOutcome(Settlement memory it) private {
        _sign(it);
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_BadOutcome.selector, market.hashOrder(it.order))
        );
    }

    function test_RevertWhen_OkWithoutResultHash() public {
        Settlement memory it = _openJob();
        it.outcome.resultHash = 0;
        _badOutcome(it);
    }

    function test_RevertWhen_OkWithoutCommitment() public {
        Settlement memory it = _openJob();
        it.outcome.outputCommitment = 0;
        _badOutcome(it);
    }

    function test_RevertWhen_FailedWithResultHash() public {
        Settlement memory it = _failedJob();
        it.outcome.resultHash = keccak256("result");
        _badOutcome(it);
    }

    function test_RevertWhen_FailedWithCommitment() public {
        Settlement memory it = _failedJob();
        it.outcome.outputCommitment = keccak256("output");
        _badOutcome(it);
    }

    function test_RevertWhen_FailedWithGrantsCounted() public {
        Settlement memory it = _failedJob();
        it.outcome.countedGrants = 1;
        _badOutcome(it);
    }

    function test_RevertWhen_FailedWithRows() public {
        Settlement memory it = _failedJob();
        it.outcome.outputRows = 1;
        _badOutcome(it);
    }

    /// @dev A result under a failure code: a worker cannot hand it out for the failure fee.
    function test_RevertWhen_FailedButTheRestSaysOk() public {
        Settlement memory it = _openJob();
        it.outcome.failureCode = FailureCode.PriceTooHigh;
        _badOutcome(it);
    }

    /* SIGNATURE */

    function _badSignature(bytes memory signature) private {
        Settlement memory it = _openJob();
        it.signature = signature;
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_BadSignature.selector, keccak256(signature)));
    }

    function _parts() private view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(ENCLAVE_KEY, market.hashReceipt(_receiptOf(_order(address(0)), _okOutcome())));
    }

    function test_RevertWhen_SignatureEmpty() public {
        _badSignature("");
    }

    function test_RevertWhen_SignatureAllZero() public {
        _badSignature(new bytes(65));
    }

    function test_RevertWhen_SignatureZeroButV() public {
        _badSignature(abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function test_RevertWhen_SignatureCompact() public {
        (uint8 v, bytes32 r, bytes32 s) = _parts();
        _badSignature(abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255)));
    }

    function test_RevertWhen_SignatureTooLong() public {
        (uint8 v, bytes32 r, bytes32 s) = _parts();
        _badSignature(abi.encodePacked(r, s, v, uint8(0)));
    }

    function test_RevertWhen_SignatureHighS() public {
        (uint8 v, bytes32 r, bytes32 s) = _parts();
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        _badSignature(abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function testFuzz_RevertWhen_VIsNot27Or28(uint8 v) public {
        (, bytes32 r, bytes32 s) = _parts();
        _badSignature(abi.encodePacked(r, s, v == 27 || v == 28 ? uint8(0) : v));
    }

    /// @dev Another digest recovers to another address, and that is no enclave.
    function _notLive(Settlement memory it) private {
        address signer = _recover(market.hashReceipt(_receiptOf(it.order, it.outcome)), it.signature);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, signer));
    }

    function test_RevertWhen_ReceiptChangedAfterSigning() public {
        Settlement memory it = _openJob();
        it.outcome.fuelUsed += 1;
        _notLive(it);
    }

    /* ENCLAVE */

    function test_RevertWhen_SignerNotRegistered() public {
        Settlement memory it = _openJob();
        it.signature = _signature(REQUESTER_KEY, market.hashReceipt(_receiptOf(it.order, it.outcome)));
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, requester));
    }

    function test_RevertGiven_EnclaveExpired() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave(operator, WORKLOAD);
        enclave.expiresAt = uint40(NOW + 1);
        enclaves.set(enclaveSigner, enclave);
        vm.warp(NOW + 1);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, enclaveSigner));
    }

    function test_RevertGiven_EnclaveDemotedOrRetired() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave(operator, WORKLOAD);
        EnclaveState[3] memory ended = [EnclaveState.Expired, EnclaveState.Demoted, EnclaveState.Retired];
        for (uint256 i = 0; i < ended.length; ++i) {
            enclave.state = ended[i];
            enclaves.set(enclaveSigner, enclave);
            _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, enclaveSigner));
        }
    }

    function test_RevertWhen_EnclaveRunsOtherWorkload() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave(operator, WORKLOAD);
        enclave.workloadId = keccak256("other");
        enclaves.set(enclaveSigner, enclave);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongWorkload.selector, enclaveSigner, keccak256("other"), WORKLOAD
            )
        );
    }

    function test_RevertWhen_EnclaveOfOtherOperator() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave(operator, WORKLOAD);
        enclave.operator = stranger;
        enclaves.set(enclaveSigner, enclave);
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_WrongOperator.selector, enclaveSigner, stranger, operator)
        );
    }

    function test_WhenOrderAllowsAnyOperator_ShouldPayTheEnclavesOwn() public {
        JobOrder memory order = _order(address(0));
        order.operator = address(0);
        _settle(_openJob(order));
        assertCredit(operator, address(0), FEE);
    }
}
