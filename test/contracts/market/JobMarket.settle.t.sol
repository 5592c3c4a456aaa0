// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import {
    FailureCode,
    IJobMarket,
    JobOrder,
    JobState,
    ReceiptStatus,
    SignedGrant
} from "../../../contracts/interfaces/IJobMarket.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
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
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, it.receipt.jobId, JobState.SettledOk)
        );
        assertCredit(_owner(0), address(0), 100);
    }

    function test_RevertGiven_Cancelled() public {
        Settlement memory it = _openJob();
        vm.prank(requester);
        market.cancel(it.index, it.order);
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_NotOpen.selector, it.receipt.jobId, JobState.Cancelled)
        );
    }

    function test_RevertGiven_DeadlinePassed() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE + 1);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlinePassed.selector, it.receipt.jobId, DEADLINE, DEADLINE + 1
            )
        );
    }

    function test_GivenLastSecondOfDeadline_ShouldSettle() public {
        Settlement memory it = _openJob();
        vm.warp(DEADLINE);
        _settle(it);
        assertState(it.index, it.receipt.jobId, JobState.SettledOk);
    }

    /* RECEIPT */

    function test_RevertWhen_ReceiptForOtherJob() public {
        Settlement memory it = _openJob();
        JobOrder memory other = _order(address(0));
        other.nonce = 2;
        it.receipt = _okReceipt(other);
        _sign(it);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_ReceiptForOtherJob.selector, it.receipt.jobId, market.hashOrder(it.order)
            )
        );
    }

    function _mismatches(Settlement memory it) private {
        _sign(it);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_ReceiptMismatch.selector, it.receipt.jobId));
    }

    function test_RevertWhen_ReceiptOfOtherProgram() public {
        Settlement memory it = _openJob();
        it.receipt.programId = keccak256("other");
        _mismatches(it);
    }

    function test_RevertWhen_ReceiptOfOtherWorkload() public {
        Settlement memory it = _openJob();
        it.receipt.workloadId = keccak256("other");
        _mismatches(it);
    }

    function test_RevertWhen_ReceiptOfOtherParams() public {
        Settlement memory it = _openJob();
        it.receipt.paramsHash = keccak256("other");
        _mismatches(it);
    }

    function test_RevertWhen_StatusIsNone() public {
        Settlement memory it = _openJob();
        it.receipt.status = ReceiptStatus.None;
        _mismatches(it);
    }

    function test_RevertWhen_OkWithoutResultHash() public {
        Settlement memory it = _openJob();
        it.receipt.resultHash = 0;
        _mismatches(it);
    }

    function test_RevertWhen_OkWithoutCommitment() public {
        Settlement memory it = _openJob();
        it.receipt.outputCommitment = 0;
        _mismatches(it);
    }

    function test_RevertWhen_OkWithFailureCode() public {
        Settlement memory it = _openJob();
        it.receipt.failureCode = FailureCode.OutputRefused;
        _mismatches(it);
    }

    function test_RevertWhen_FailedWithResultHash() public {
        Settlement memory it = _failedJob();
        it.receipt.resultHash = keccak256("result");
        _mismatches(it);
    }

    function test_RevertWhen_FailedWithCommitment() public {
        Settlement memory it = _failedJob();
        it.receipt.outputCommitment = keccak256("output");
        _mismatches(it);
    }

    function test_RevertWhen_FailedWithoutFailureCode() public {
        Settlement memory it = _failedJob();
        it.receipt.failureCode = FailureCode.None;
        _mismatches(it);
    }

    /* SIGNATURE */

    function _badSignature(bytes memory signature) private {
        Settlement memory it = _openJob();
        it.signature = signature;
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_BadSignature.selector));
    }

    function _parts() private view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(ENCLAVE_KEY, market.hashReceipt(_okReceipt(_order(address(0)))));
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

    /// @dev The signature is checked over the receipt as given, on this chain and for this contract: another digest
    /// recovers to another address, and that is no enclave.
    function _notLive(Settlement memory it, bytes32 digest) private {
        (uint8 v, bytes32 r, bytes32 s) = _split(it.signature);
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, ecrecover(digest, v, r, s))
        );
    }

    function _split(bytes memory signature) private pure returns (uint8 v, bytes32 r, bytes32 s) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }

    function test_RevertWhen_ReceiptChangedAfterSigning() public {
        Settlement memory it = _openJob();
        it.receipt.fuelUsed += 1;
        _notLive(it, market.hashReceipt(it.receipt));
    }

    function test_RevertWhen_SignedForOtherContract() public {
        Settlement memory it = _openJob();
        JobMarket other = new JobMarket(address(enclaves), address(datasets));
        it.signature = _signature(ENCLAVE_KEY, other.hashReceipt(it.receipt));
        _notLive(it, market.hashReceipt(it.receipt));
    }

    /// @dev Even the same job id does not carry a signature over to another chain.
    function test_RevertWhen_SignedForOtherChain() public {
        Settlement memory it = _openJob();
        vm.chainId(2);
        it.signature = _signature(ENCLAVE_KEY, market.hashReceipt(it.receipt));
        vm.chainId(31337);
        _notLive(it, market.hashReceipt(it.receipt));
    }

    function test_RevertWhen_WholeJobCarriedToOtherChain() public {
        Settlement memory it = _openJob();
        bytes32 here = it.receipt.jobId;
        vm.chainId(2);
        bytes32 there = market.hashOrder(it.order);
        assertTrue(here != there);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, it.index, there));
    }

    /* ENCLAVE */

    function test_RevertWhen_SignerNotRegistered() public {
        Settlement memory it = _openJob();
        it.signature = _signature(REQUESTER_KEY, market.hashReceipt(it.receipt));
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, requester));
    }

    function test_RevertGiven_EnclaveExpired() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave();
        enclave.expiresAt = uint40(NOW + 1);
        enclaves.set(enclaveSigner, enclave);
        vm.warp(NOW + 1);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, enclaveSigner));
    }

    function test_RevertGiven_EnclaveDemotedOrRetired() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave();
        EnclaveState[3] memory ended = [EnclaveState.Expired, EnclaveState.Demoted, EnclaveState.Retired];
        for (uint256 i = 0; i < ended.length; ++i) {
            enclave.state = ended[i];
            enclaves.set(enclaveSigner, enclave);
            _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, enclaveSigner));
        }
    }

    function test_RevertWhen_EnclaveRunsOtherWorkload() public {
        Settlement memory it = _openJob();
        Enclave memory enclave = _enclave();
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
        Enclave memory enclave = _enclave();
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

    /* PAYMENT */

    function test_RevertWhen_FailedWithGrants() public {
        Settlement memory it = _failedJob();
        it.grants = _signedGrants(address(0));
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, 2, 0));
    }

    function test_RevertWhen_TooFewGrants() public {
        Settlement memory it = _openJob();
        it.grants = new SignedGrant[](1);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, 1, 2));
    }

    function test_RevertWhen_TooManyGrants() public {
        Settlement memory it = _openJob();
        it.grants = new SignedGrant[](3);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, 3, 2));
    }

    function testFuzz_Failed_ShouldRefundAllButTheFailureFee(uint128 fee, uint128 failureFee, uint128 price) public {
        JobOrder memory order = _order(address(0));
        order.operatorFee = fee;
        order.failureFee = bound(failureFee, 0, fee);
        order.datasets[0].price = price;
        vm.deal(requester, type(uint256).max / 2);
        Settlement memory it = _openJob(order);
        _setFailed(it);
        vm.expectEmit(address(market));
        emit IJobMarket.JobSettled(it.receipt.jobId, it.index, enclaveSigner, it.receipt, it.signature);
        _settle(it);

        assertState(it.index, it.receipt.jobId, JobState.SettledFailed);
        assertCredit(operator, address(0), order.failureFee);
        assertCredit(requester, address(0), _costOf(order) - order.failureFee);
        assertCredit(_owner(0), address(0), 0);
        assertEq(uint256(market.grantUses(order.datasets[0].grantHash)), 0);
    }

    function testFuzz_Ok_ShouldPayEveryPayeeItsTerms(uint128 priceA, uint128 priceB, uint128 fee, bool native) public {
        address payIn = native ? address(0) : address(token);
        JobOrder memory order = _order(payIn);
        SignedGrant[] memory grants = _signedGrants(payIn);
        uint128[2] memory prices = [priceA, priceB];
        order.operatorFee = fee;
        order.failureFee = 0;
        for (uint256 i = 0; i < 2; ++i) {
            grants[i].grant.pricePerUse = prices[i];
            grants[i] = _signGrant(grants[i].grant, _ownerKey(i));
            order.datasets[i].price = prices[i];
            order.datasets[i].grantHash = market.hashGrant(grants[i].grant);
        }
        vm.deal(requester, type(uint256).max / 2);
        token.mint(requester, type(uint256).max / 2);
        Settlement memory it = _openJob(order);
        it.grants = grants;
        vm.expectEmit(address(market));
        emit IJobMarket.JobSettled(it.receipt.jobId, it.index, enclaveSigner, it.receipt, it.signature);
        vm.prank(stranger); // anyone may relay
        _settle(it);

        assertState(it.index, it.receipt.jobId, JobState.SettledOk);
        assertCredit(_owner(0), payIn, priceA);
        assertCredit(_owner(1), payIn, priceB);
        assertCredit(operator, payIn, fee);
        assertCredit(requester, payIn, 0);
        assertCredit(stranger, payIn, 0);
        assertEq(uint256(market.grantUses(order.datasets[0].grantHash)), 1);
        assertEq(uint256(market.grantUses(order.datasets[1].grantHash)), 1);
    }

    function test_Ok_ShouldEmitOneCreditedEachPayee() public {
        Settlement memory it = _openJob();
        vm.expectEmit(address(market));
        emit IJobMarket.Credited(_owner(0), address(0), it.receipt.jobId, 100);
        vm.expectEmit(address(market));
        emit IJobMarket.Credited(_owner(1), address(0), it.receipt.jobId, 200);
        vm.expectEmit(address(market));
        emit IJobMarket.Credited(operator, address(0), it.receipt.jobId, FEE);
        _settle(it);
    }
}
