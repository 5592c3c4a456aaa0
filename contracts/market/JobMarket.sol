// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { Enclave, IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";
import {
    FailureCode,
    IJobMarket,
    JobOrder,
    JobState,
    Receipt,
    ReceiptStatus,
    SignedGrant
} from "../interfaces/IJobMarket.sol";
import { Consent } from "./Consent.sol";
import { JobBook } from "./JobBook.sol";
import { JobTypes } from "./JobTypes.sol";
import { Ledger } from "./Ledger.sol";
import { RecentBlock } from "./RecentBlock.sol";

/// @title JobMarket
/// @notice Escrow of jobs and their settlement by receipts of attested enclaves.
/// @dev JobBook keeps the states, Ledger the money, Consent the grants; this contract says when each may change.
/// Every function that changes state is closed to re-entry, also those that call no stranger: a callback of a token
/// or of a receiver of native coin can do nothing here.
contract JobMarket is JobBook, Consent, Ledger {
    using JobTypes for JobOrder;
    using JobTypes for Receipt;

    uint256 private constant MAX_DATASETS = 16;
    /// @dev In bytes.
    uint256 private constant MAX_PROGRAM_URI = 1024;
    /// @dev In bytes.
    uint256 private constant MAX_PARAMS = 8192;
    /// @dev How far ahead a deadline may lie, in seconds: escrow is not locked longer by mistake.
    uint256 private constant MAX_DEADLINE = 365 days;

    /// @inheritdoc IJobMarket
    address public immutable enclaves;

    constructor(address enclaveRegistry, address datasetRegistry) Consent(datasetRegistry) {
        require(enclaveRegistry.code.length != 0, JobMarket_NotAContract(enclaveRegistry));
        enclaves = enclaveRegistry;
    }

    /* OPEN */

    /// @inheritdoc IJobMarket
    function open(JobOrder calldata order, string calldata programUri, bytes calldata params)
        external
        payable
        nonReentrant
        returns (bytes32 jobId, uint256 index)
    {
        uint256 cost;
        (jobId, index, cost) = _open(order, programUri, params);
        if (order.token != address(0) && cost != 0) _takeExactly(order.token, order.requester, cost);
    }

    /// @inheritdoc IJobMarket
    function openWithPermit(
        JobOrder calldata order,
        string calldata programUri,
        bytes calldata params,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (bytes32 jobId, uint256 index) {
        uint256 cost;
        (jobId, index, cost) = _open(order, programUri, params);
        if (order.token != address(0) && cost != 0) {
            // Whether it fails does not matter: the transfer needs the allowance, whoever submitted the permit.
            try IERC20Permit(order.token).permit(order.requester, address(this), cost, permitDeadline, v, r, s) { }
                catch { }
            _takeExactly(order.token, order.requester, cost);
        }
    }

    /// @dev All checks and effects of opening; the caller takes the ERC-20 money after it.
    function _open(JobOrder calldata order, string calldata programUri, bytes calldata params)
        private
        returns (bytes32 jobId, uint256 index, uint256 cost)
    {
        require(msg.sender == order.requester, JobMarket_NotRequester(msg.sender, order.requester));
        uint256 count = order.datasets.length;
        require(count != 0 && count <= MAX_DATASETS, JobMarket_BadDatasetCount(count, MAX_DATASETS));
        require(
            order.failureFee <= order.operatorFee, JobMarket_FailureFeeTooHigh(order.failureFee, order.operatorFee)
        );
        require(
            order.deadline >= block.timestamp && order.deadline <= block.timestamp + MAX_DEADLINE,
            JobMarket_BadDeadline(order.deadline, block.timestamp, MAX_DEADLINE)
        );
        _requireInputs(order, programUri, params);
        _useNonce(order.requester, order.nonce);
        cost = _costOf(order);
        uint256 value = order.token == address(0) ? cost : 0;
        require(msg.value == value, JobMarket_WrongValue(msg.value, value));
        require(order.token == address(0) || order.token.code.length != 0, JobMarket_NotAContract(order.token));

        jobId = hashOrder(order);
        index = _record(jobId);
        emit JobOpened(jobId, index, order.requester, order, programUri, params);
    }

    function _requireInputs(JobOrder calldata order, string calldata programUri, bytes calldata params) private pure {
        uint256 uriLength = bytes(programUri).length;
        require(uriLength <= MAX_PROGRAM_URI, JobMarket_ProgramUriTooLong(uriLength, MAX_PROGRAM_URI));
        require(params.length <= MAX_PARAMS, JobMarket_ParamsTooLong(params.length, MAX_PARAMS));
        bytes32 paramsHash = keccak256(params);
        require(paramsHash == order.paramsHash, JobMarket_ParamsMismatch(order.paramsHash, paramsHash));
    }

    /* SETTLE */

    /// @inheritdoc IJobMarket
    function settle(
        uint256 index,
        JobOrder calldata order,
        Receipt calldata receipt,
        bytes calldata signature,
        SignedGrant[] calldata grants
    ) external nonReentrant {
        bytes32 jobId = hashOrder(order);
        _requireOpen(index, jobId);
        require(
            block.timestamp <= order.deadline, JobMarket_DeadlinePassed(jobId, order.deadline, block.timestamp)
        );
        require(receipt.jobId == jobId, JobMarket_ReceiptForOtherJob(receipt.jobId, jobId));
        require(_matches(receipt, order), JobMarket_ReceiptMismatch(jobId));
        _requireAnchored(receipt.anchorBlock, receipt.anchorHash);
        (address signer, address operator) = _requireEnclave(order, receipt, signature);

        // Ended before anyone is credited; the calls that follow are static.
        bool ok = receipt.status == ReceiptStatus.Ok;
        _end(index, jobId, ok ? JobState.SettledOk : JobState.SettledFailed);
        emit JobSettled(jobId, index, signer, receipt, signature);
        if (ok) {
            _payForResult(jobId, order, operator, grants);
        } else {
            require(grants.length == 0, JobMarket_GrantCountMismatch(grants.length, 0));
            _credit(operator, order.token, jobId, order.failureFee);
            _credit(order.requester, order.token, jobId, _costOf(order) - order.failureFee);
        }
    }

    /// @dev Credits the prices and the fee: exactly what `_open` escrowed.
    function _payForResult(bytes32 jobId, JobOrder calldata order, address operator, SignedGrant[] calldata grants)
        private
    {
        uint256 count = order.datasets.length;
        require(grants.length == count, JobMarket_GrantCountMismatch(grants.length, count));
        for (uint256 i = 0; i < count; ++i) {
            address owner = _useGrant(i, order, operator, grants[i]);
            _credit(owner, order.token, jobId, order.datasets[i].price);
        }
        _credit(operator, order.token, jobId, order.operatorFee);
    }

    /// @dev The inputs' and grants' roots, the policy, the fuel and the log are not compared: auditors check them off
    /// chain against the order and the enclave's log. Here they are only bound by the enclave's signature.
    function _matches(Receipt calldata receipt, JobOrder calldata order) private pure returns (bool) {
        bool ok = receipt.status == ReceiptStatus.Ok && receipt.failureCode == FailureCode.None
            && receipt.resultHash != 0 && receipt.outputCommitment != 0;
        bool failed = receipt.status == ReceiptStatus.Failed && receipt.failureCode != FailureCode.None
            && receipt.resultHash == 0 && receipt.outputCommitment == 0;
        return (ok || failed) && receipt.programId == order.programId && receipt.workloadId == order.workloadId
            && receipt.paramsHash == order.paramsHash;
    }

    function _requireAnchored(uint64 anchorBlock, bytes32 anchorHash) private view {
        bytes32 actual = RecentBlock.hashOf(anchorBlock);
        require(actual != 0 && actual == anchorHash, JobMarket_BadAnchor(anchorBlock, anchorHash, actual));
    }

    function _requireEnclave(JobOrder calldata order, Receipt calldata receipt, bytes calldata signature)
        private
        view
        returns (address signer, address operator)
    {
        ECDSA.RecoverError recoverError;
        (signer, recoverError,) = ECDSA.tryRecoverCalldata(hashReceipt(receipt), signature);
        require(recoverError == ECDSA.RecoverError.NoError, JobMarket_BadSignature());
        require(IEnclaveRegistry(enclaves).isLive(signer), JobMarket_EnclaveNotLive(signer));

        Enclave memory enclave = IEnclaveRegistry(enclaves).enclave(signer);
        operator = enclave.operator;
        require(
            enclave.workloadId == order.workloadId,
            JobMarket_WrongWorkload(signer, enclave.workloadId, order.workloadId)
        );
        require(
            order.operator == address(0) || order.operator == operator,
            JobMarket_WrongOperator(signer, operator, order.operator)
        );
    }

    /* REFUND */

    /// @inheritdoc IJobMarket
    function cancel(uint256 index, JobOrder calldata order) external nonReentrant {
        bytes32 jobId = hashOrder(order);
        _requireOpen(index, jobId);
        require(msg.sender == order.requester, JobMarket_NotRequester(msg.sender, order.requester));

        _end(index, jobId, JobState.Cancelled);
        emit JobCancelled(jobId, index);
        _credit(order.requester, order.token, jobId, _costOf(order));
    }

    /// @inheritdoc IJobMarket
    function expire(uint256 index, JobOrder calldata order) external nonReentrant {
        bytes32 jobId = hashOrder(order);
        _requireOpen(index, jobId);
        require(
            block.timestamp > order.deadline, JobMarket_DeadlineNotPassed(jobId, order.deadline, block.timestamp)
        );

        _end(index, jobId, JobState.Expired);
        emit JobExpired(jobId, index);
        _credit(order.requester, order.token, jobId, _costOf(order));
    }

    /* HASHES */

    /// @inheritdoc IJobMarket
    function hashOrder(JobOrder calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(order.hash());
    }

    /// @inheritdoc IJobMarket
    function hashReceipt(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(receipt.hash());
    }

    /// @dev The sum is checked: an order that overflows panics at `open`, so no stored order does.
    function _costOf(JobOrder calldata order) private pure returns (uint256 cost) {
        cost = order.operatorFee;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            cost += order.datasets[i].price;
        }
    }
}
