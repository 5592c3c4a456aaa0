// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Address } from "@openzeppelin/contracts/utils/Address.sol";
import { IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { IMarketViews } from "../interfaces/IMarketViews.sol";
import {
    FailureCode,
    JobOrder,
    JobState,
    Outcome,
    ShownGrant,
    SignedOffer
} from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";
import { Orders } from "./Orders.sol";

/// @title JobMarket
/// @notice Escrow of jobs and their settlement by receipts of attested enclaves.
/// @dev This contract says when states, money and grants may change. What it has no function for runs in the extension, which
/// is fixed at deployment, by delegatecall: deposits, withdrawals and sessions.
/// Every function that changes state is closed to re-entry, also those that call no stranger: a callback of a token
/// or of a receiver of native coin can do nothing here.
contract JobMarket is Orders {
    using JobTypes for JobOrder;

    /// @dev A receipt, whose job stands at `index`, and the enclave and operator whose word it is.
    struct Verdict {
        uint256 index;
        bytes32 jobId;
        bytes32 receiptHash;
        address signer;
        address operator;
    }

    /// @dev In bytes.
    uint256 private constant MAX_PARAMS = 8192;

    /// @inheritdoc IJobMarket
    address public immutable extension;

    constructor(address enclaveRegistry, address datasetRegistry, address extension_)
        MarketBase(enclaveRegistry, datasetRegistry)
    {
        require(extension_.code.length != 0, JobMarket_NotAContract(extension_));
        IMarketViews its = IMarketViews(extension_);
        bool fits = its.enclaves() == enclaveRegistry && its.datasets() == datasetRegistry;
        require(fits, JobMarket_WrongExtension(extension_));
        extension = extension_;
    }

    /// @dev Its errors are passed on as they are.
    fallback(bytes calldata data) external payable returns (bytes memory) {
        return Address.functionDelegateCall(extension, data);
    }

    /* OPEN */

    /// @inheritdoc IJobMarket
    function open(
        JobOrder calldata order,
        string calldata programUri,
        bytes calldata params,
        bytes calldata requesterSignature,
        bytes calldata payerSignature
    ) external payable nonReentrant returns (bytes32 jobId, uint256 index) {
        _requireTerms(order);
        _requireDeadline(order.deadline);
        _requireAcceptable(order);
        require(order.session == 0, JobMarket_InSession(order.session));
        _requireProgramUri(programUri);
        _requireParams(order, params);
        jobId = _hashTypedDataV4(order.hash());
        _requireParties(order, jobId, requesterSignature, payerSignature);
        _useNonce(order.requester, order.nonce);
        uint256 cost = _costOf(order);

        index = _record(jobId);
        _escrow(order.payer, order.token, cost); // the token's callbacks find every function closed
        emit JobOpened(jobId, index, order.requester, order, programUri, params);
    }

    function _requireAcceptable(JobOrder calldata order) private view {
        bool sound = order.acceptBy == 0
            ? order.bond == 0
            : order.acceptBy >= block.timestamp && order.acceptBy <= order.deadline && order.quorum == 1;
        require(sound, JobMarket_BadAcceptance(order.acceptBy, order.bond, order.quorum));
    }

    function _requireParams(JobOrder calldata order, bytes calldata params) private pure {
        require(params.length <= MAX_PARAMS, JobMarket_ParamsTooLong(params.length, MAX_PARAMS));
        bytes32 paramsHash = keccak256(params);
        require(paramsHash == order.paramsHash, JobMarket_ParamsMismatch(order.paramsHash, paramsHash));
    }

    /* SETTLE */

    /// @inheritdoc IJobMarket
    function settle(
        uint256 index,
        JobOrder calldata order,
        Outcome calldata outcome,
        bytes calldata signature,
        ShownGrant[] calldata grants,
        SignedOffer[] calldata offer
    ) external nonReentrant {
        Verdict memory verdict = _judge(index, order, outcome, signature);
        if (order.quorum > 1 && !_isDecided(order, outcome, verdict)) return;

        // Ended before anyone is credited; the calls that follow are static.
        bool ok = outcome.failureCode == FailureCode.None;
        bytes32 jobId = verdict.jobId;
        _end(index, jobId, ok ? JobState.SettledOk : JobState.SettledFailed);
        _emitSettled(verdict, outcome);
        uint256 paid = ok ? _payForResult(order, outcome, verdict, grants, offer) : 0;
        paid += _payOperators(order, verdict, ok ? _feeOf(order, outcome.runSeconds, offer) : order.failureFee);
        _credit(order.payer, order.token, jobId, _costOf(order) - paid);
        if (order.bond != 0) _credit(_acceptanceOf(jobId).bonder, order.token, jobId, order.bond);
    }

    /// @dev Whose word the receipt is, and that it may be said.
    function _judge(uint256 index, JobOrder calldata order, Outcome calldata outcome, bytes calldata signature)
        private
        view
        returns (Verdict memory verdict)
    {
        bytes32 jobId = _hashTypedDataV4(order.hash());
        _requireSettleable(index, jobId, order);
        _requireOutcome(jobId, outcome);
        _requireAnchored(outcome.anchorBlock, outcome.anchorHash);
        bytes32 receiptHash = _hashTypedDataV4(JobTypes.hash(jobId, order, order.paramsHash, outcome));
        address signer = _signerOf(receiptHash, signature);
        address operator = _requireEnclave(signer, order);
        if (order.acceptBy != 0) _requireAcceptedBy(jobId, signer);
        return Verdict(index, jobId, receiptHash, signer, operator);
    }

    function _emitSettled(Verdict memory verdict, Outcome calldata outcome) private {
        emit JobSettled(
            verdict.jobId,
            verdict.index,
            verdict.signer,
            verdict.receiptHash,
            outcome.resultHash,
            outcome.countedGrants,
            outcome.failureCode
        );
    }

    function _requireSettleable(uint256 index, bytes32 jobId, JobOrder calldata order) private view {
        JobState state = _requireUnsettled(index, jobId);
        require(
            block.timestamp <= order.deadline, JobMarket_DeadlinePassed(jobId, order.deadline, block.timestamp)
        );
        require(
            state == JobState.Accepted || order.acceptBy == 0,
            JobMarket_WrongAcceptance(jobId, order.acceptBy, block.timestamp)
        );
    }

    function _requireAcceptedBy(bytes32 jobId, address signer) private view {
        address acceptedBy = _acceptanceOf(jobId).signer;
        require(signer == acceptedBy, JobMarket_AcceptedByOther(jobId, signer, acceptedBy));
    }

    /// @dev Counts a receipt of several. Whether the job is now to be paid for; if not, it goes on or has ended here.
    function _isDecided(JobOrder calldata order, Outcome calldata outcome, Verdict memory verdict)
        private
        returns (bool)
    {
        (bytes32 jobId, address signer) = (verdict.jobId, verdict.signer);
        bytes16 platformId = IEnclaveRegistry(_enclaves).enclave(signer).platformId;
        bytes32 commitment = outcome.outputCommitment;
        (bool agrees, uint256 votes) = _vote(jobId, commitment, platformId, verdict.operator);
        if (!agrees) {
            _end(verdict.index, jobId, JobState.Disagreed);
            emit JobDisagreed(jobId, verdict.index, signer, verdict.receiptHash, commitment);
            _credit(order.payer, order.token, jobId, _costOf(order));
            return false;
        }
        if (votes == order.quorum) return true;
        emit ReceiptCounted(jobId, verdict.index, signer, platformId, verdict.receiptHash, commitment);
        return false;
    }

    /// @dev Credits what the counted grants' prices come to. Each is at most its ceiling, so that `open` escrowed it.
    function _payForResult(
        JobOrder calldata order,
        Outcome calldata outcome,
        Verdict memory verdict,
        ShownGrant[] calldata grants,
        SignedOffer[] calldata offer
    ) private returns (uint256 paid) {
        _requireOffer(order, order.deadline, verdict.operator, offer);
        uint256 rows = outcome.outputRows;
        return _payGrants(
            order, grants, Work(verdict.jobId, verdict.operator, outcome.countedGrants, 1, rows, rows)
        );
    }

    /// @dev Everyone who has voted, or the one operator there is.
    function _payOperators(JobOrder calldata order, Verdict memory verdict, uint256 fee)
        private
        returns (uint256 paid)
    {
        bytes32 jobId = verdict.jobId;
        if (order.quorum == 1) {
            _credit(verdict.operator, order.token, jobId, fee);
            return fee;
        }
        Vote[] storage votes = _ballotOf(jobId).votes;
        for (uint256 i = 0; i < votes.length; ++i) {
            _credit(votes[i].operator, order.token, jobId, fee);
        }
        return votes.length * fee;
    }
}
