// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { DatasetUse, JobOrder, OrderGroup, OrderItem, Outcome, SignedOffer } from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { MarketBase } from "./MarketBase.sol";
import { Offers } from "./Offers.sol";

/// @title Orders
/// @notice Part of JobMarket: signed orders that are settled in one transaction, without having been opened.
abstract contract Orders is MarketBase, Offers, IJobMarket {
    uint256 private constant MAX_ITEMS = 256;

    /// @dev What is known of a group when all its items are checked.
    /// @param work Of those that are Ok; its operator and source are those of all.
    /// @param signer The enclave that was looked up last.
    /// @param latestDeadline Of all orders.
    /// @param fees Of the operator.
    struct Tally {
        Work work;
        address signer;
        uint64 latestDeadline;
        uint256 fees;
    }

    /// @inheritdoc IJobMarket
    function settleOrders(OrderGroup[] calldata groups) external nonReentrant {
        for (uint256 i = 0; i < groups.length; ++i) {
            _settleGroup(groups[i]);
        }
    }

    function _settleGroup(OrderGroup calldata group) private {
        JobOrder calldata order = group.order;
        OrderItem[] calldata items = group.items;
        SignedOffer[] calldata offer = group.offer;
        _requireGroup(order, items.length);
        _requireOfferShown(order, offer);
        Tally memory tally;
        Work memory work = tally.work;
        bytes32[19] memory words = JobTypes.encode(order);
        for (uint256 i = 0; i < items.length; ++i) {
            _settleItem(order, items[i], offer, words, tally);
        }

        uint256 charged = tally.fees;
        _credit(work.operator, order.token, work.source, charged);
        if (work.uses != 0) {
            _requireOffer(order, tally.latestDeadline, work.operator, offer);
            charged += _payGrants(order, group.grants, work);
        }
        bytes32[] memory grantHashes = _hashesOf(order, work.countedGrants, group.grants.length);
        emit OrderGroupSettled(work.source, order.payer, order.token, charged, work.uses, grantHashes);
        _charge(order.payer, order.token, charged);
    }

    /// @dev The grants that the bits name. `count` is how many they are if any job ended Ok: `_payGrants` has seen to that;
    /// else there are no bits.
    function _hashesOf(JobOrder calldata order, uint256 bits, uint256 count)
        private
        pure
        returns (bytes32[] memory grantHashes)
    {
        if (bits == 0) return grantHashes;
        grantHashes = new bytes32[](count);
        DatasetUse[] calldata uses = order.datasets;
        uint256 next = 0;
        for (uint256 i = 0; next < count; ++i) {
            if ((bits >> i) & 1 != 0) grantHashes[next++] = uses[i].grantHash;
        }
    }

    function _requireGroup(JobOrder calldata order, uint256 count) private pure {
        require(
            count != 0 && count <= MAX_ITEMS && order.paramsHash == 0 && order.deadline == 0 && order.nonce == 0,
            JobMarket_BadGroup(count, MAX_ITEMS)
        );
        _requireTerms(order);
        require(
            order.quorum == 1 && order.acceptBy == 0 && order.bond == 0,
            JobMarket_MustBeOpened(order.quorum, order.acceptBy, order.bond)
        );
        require(order.session == 0, JobMarket_InSession(order.session));
    }

    /// @dev Checks one order and its receipt, and adds it to the tally.
    function _settleItem(
        JobOrder calldata order,
        OrderItem calldata item,
        SignedOffer[] calldata offer,
        bytes32[19] memory words,
        Tally memory tally
    ) private {
        Work memory work = tally.work;
        bytes32 jobId =
            _hashTypedDataV4(JobTypes.hash(words, item.paramsHash, item.deadline, bytes32(0), item.nonce));
        _requireDeadline(item.deadline);
        _requireSignatures(order, jobId, item);
        _useNonce(order.requester, item.nonce);
        if (work.source == 0) work.source = jobId;
        if (item.deadline > tally.latestDeadline) tally.latestDeadline = item.deadline;

        Outcome calldata outcome = item.outcome;
        bool ok = _requireOutcome(jobId, outcome);
        _requireAnchored(outcome.anchorBlock, outcome.anchorHash);
        bytes32 receiptHash = _hashTypedDataV4(JobTypes.hash(jobId, order, item.paramsHash, outcome));
        address signer = _signerOf(receiptHash, item.receiptSignature);
        if (signer != tally.signer) _requireSameOperator(order, signer, tally, work);
        if (ok) _add(work, outcome);
        tally.fees += ok ? _feeOf(order, outcome.runSeconds, offer) : order.failureFee;
        emit OrderSettled(
            jobId, order.requester, signer, item.nonce, receiptHash, outcome.resultHash, outcome.failureCode
        );
    }

    /// @dev Also of whoever sends this: workers relay what strangers ask for, which must not be paid from the worker's credit.
    function _requireSignatures(JobOrder calldata order, bytes32 jobId, OrderItem calldata item) private view {
        _requireSignature(order.requester, jobId, item.requesterSignature);
        if (order.payer != order.requester) _requireSignature(order.payer, jobId, item.payerSignature);
    }

    function _requireSameOperator(JobOrder calldata order, address signer, Tally memory tally, Work memory work)
        private
        view
    {
        address operator = _requireEnclave(signer, order);
        require(
            tally.signer == address(0) || operator == work.operator,
            JobMarket_WrongOperator(signer, operator, work.operator)
        );
        (tally.signer, work.operator) = (signer, operator);
    }

    function _add(Work memory work, Outcome calldata outcome) private pure {
        uint256 rows = outcome.outputRows;
        uint16 counted = outcome.countedGrants;
        if (work.uses == 0) work.countedGrants = counted;
        require(counted == work.countedGrants, JobMarket_CountedGrantsDiffer(work.countedGrants, counted));
        unchecked {
            ++work.uses; // at most as many as there are items
            work.totalRows += rows; // 64 bits each
        }
        if (rows > work.mostRows) work.mostRows = rows;
    }
}
