// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ConsentState, IDatasetRegistry, Payee } from "../interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import {
    DatasetUse,
    FailureCode,
    JobOrder,
    Outcome,
    PriceUnit,
    ShownGrant
} from "../interfaces/MarketTypes.sol";
import { Attested } from "./Attested.sol";
import { Ballots } from "./Ballots.sol";
import { Consent } from "./Consent.sol";
import { JobBook } from "./JobBook.sol";
import { JobTypes } from "./JobTypes.sol";
import { Ledger } from "./Ledger.sol";
import { SessionBook } from "./SessionBook.sol";

/// @title MarketBase
/// @notice What JobMarket and its extension have in common: all storage, and the rules that both apply.
/// @dev JobBook keeps the states, Ledger the money, Consent the grants. No storage of its own: the extension runs in
/// JobMarket's, so neither may declare any besides what this inherits.
abstract contract MarketBase is JobBook, Consent, Ledger, Ballots, SessionBook, Attested {
    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_DATASETS = 16;
    uint256 private constant MAX_QUORUM = 5;
    /// @dev In bytes.
    uint256 private constant MAX_PROGRAM_URI = 1024;
    /// @dev How far ahead a deadline may lie, in seconds: escrow is not locked longer by mistake.
    uint256 private constant MAX_DEADLINE = 365 days;

    constructor(address enclaveRegistry, address datasetRegistry)
        Consent(datasetRegistry)
        Attested(enclaveRegistry)
    { }

    /* TERMS */

    /// @dev What any order must keep to, whichever way it is settled.
    function _requireTerms(JobOrder calldata order) internal pure {
        uint256 count = order.datasets.length;
        require(count != 0 && count <= MAX_DATASETS, IJobMarket.JobMarket_BadDatasetCount(count, MAX_DATASETS));
        require(
            order.failureFee <= order.operatorFee,
            IJobMarket.JobMarket_FailureFeeTooHigh(order.failureFee, order.operatorFee)
        );
        // An offer is one operator's; enclaves on several platforms have theirs.
        uint256 limit = order.offerHash == 0 ? MAX_QUORUM : 1;
        require(order.quorum != 0 && order.quorum <= limit, IJobMarket.JobMarket_BadQuorum(order.quorum, limit));
    }

    function _requireDeadline(uint64 deadline) internal view {
        require(
            deadline >= block.timestamp && deadline <= block.timestamp + MAX_DEADLINE,
            IJobMarket.JobMarket_BadDeadline(deadline, block.timestamp, MAX_DEADLINE)
        );
    }

    function _requireProgramUri(string calldata programUri) internal pure {
        uint256 length = bytes(programUri).length;
        require(length <= MAX_PROGRAM_URI, IJobMarket.JobMarket_ProgramUriTooLong(length, MAX_PROGRAM_URI));
    }

    /// @dev Requester and payer have sent the transaction, or signed `digest`: an order, or a session.
    function _requireParties(
        JobOrder calldata order,
        bytes32 digest,
        bytes calldata requesterSignature,
        bytes calldata payerSignature
    ) internal view {
        _requireConsent(order.requester, digest, requesterSignature);
        if (order.payer != order.requester) _requireConsent(order.payer, digest, payerSignature);
    }

    /// @dev The most that the data sets of one job are paid. The sum is checked: an order that overflows panics before any
    /// money moves, so no stored order does.
    function _ceilingOf(JobOrder calldata order) internal pure returns (uint256 ceiling) {
        DatasetUse[] calldata uses = order.datasets;
        for (uint256 i = 0; i < uses.length; ++i) {
            ceiling += uses[i].maxPrice;
        }
    }

    /* RECEIPTS */

    /// @dev The inputs' and grants' roots, the policy, the fuel and the log are not compared: auditors check them off
    /// chain against the order and the enclave's log. Here they are only bound by the enclave's signature.
    function _requireOutcome(bytes32 jobId, Outcome calldata outcome) internal pure returns (bool ok) {
        ok = outcome.failureCode == FailureCode.None;
        bool sound = ok
            ? outcome.resultHash != 0 && outcome.outputCommitment != 0
            : outcome.resultHash == 0 && outcome.outputCommitment == 0 && outcome.countedGrants == 0
                && outcome.outputRows == 0;
        require(sound, IJobMarket.JobMarket_BadOutcome(jobId));
    }

    /* PAYMENTS */

    /// @dev What jobs that ended Ok under the same terms come to.
    /// @param source The first of them: what payments are booked under.
    /// @param operator Of the enclaves that ran them.
    /// @param countedGrants As in `Receipt`.
    /// @param uses How many they are.
    /// @param totalRows Rows of all results.
    /// @param mostRows Rows of the longest result.
    struct Work {
        bytes32 source;
        address operator;
        uint16 countedGrants;
        uint64 uses;
        uint256 totalRows;
        uint256 mostRows;
    }

    /// @dev Checks and counts the grants, one for each bit of `countedGrants`, and credits what their prices come to. A price is
    /// at most its ceiling in the order.
    function _payGrants(JobOrder calldata order, ShownGrant[] calldata grants, Work memory work)
        internal
        returns (uint256 paid)
    {
        DatasetUse[] calldata uses = order.datasets;
        uint256 rest = work.countedGrants;
        uint256 next = 0;
        for (uint256 i = 0; i < uses.length; ++i) {
            if ((rest >> i) & 1 == 0) continue;
            rest ^= 1 << i;
            require(
                next < grants.length, IJobMarket.JobMarket_GrantCountMismatch(grants.length, work.countedGrants)
            );
            paid += _payGrant(order, uses[i], i, grants[next], work);
            ++next;
        }
        require(
            next == grants.length && rest == 0,
            IJobMarket.JobMarket_GrantCountMismatch(grants.length, work.countedGrants)
        );
    }

    function _payGrant(
        JobOrder calldata order,
        DatasetUse calldata use,
        uint256 position,
        ShownGrant calldata grant,
        Work memory work
    ) private returns (uint256 amount) {
        ConsentState memory state = _useGrant(position, order, use, work.operator, grant, work.uses);
        uint256 most;
        if (grant.priceUnit == PriceUnit.OutputRow) {
            (amount, most) = (grant.price * work.totalRows, grant.price * work.mostRows);
        } else {
            most = grant.priceUnit == PriceUnit.Use ? grant.price : grant.price * state.sizeBytes;
            amount = most * work.uses;
        }
        require(most <= use.maxPrice, IJobMarket.JobMarket_PriceTooHigh(use.grantHash, most, use.maxPrice));
        _payDataset(use.datasetId, state, order.token, work.source, amount);
    }

    /// @dev The most that a job costs: what it has in escrow.
    function _costOf(JobOrder calldata order) internal pure returns (uint256) {
        return _ceilingOf(order) + order.quorum * order.operatorFee;
    }

    /// @dev Credits who is to be paid for a data set, out of escrow of `source`.
    function _payDataset(
        bytes32 datasetId,
        ConsentState memory state,
        address token,
        bytes32 source,
        uint256 amount
    ) internal {
        if (state.payeeCount == 0) {
            _credit(state.owner, token, source, amount);
            return;
        }
        Payee[] memory payees = IDatasetRegistry(_datasets).payeesOf(datasetId);
        uint256 rest = amount;
        for (uint256 i = 0; i < payees.length - 1; ++i) {
            uint256 share = _shareOf(amount, payees[i].shareBps);
            rest -= share;
            _credit(payees[i].account, token, source, share);
        }
        _credit(payees[payees.length - 1].account, token, source, rest);
    }

    /// @dev Rounded down, without overflow for any amount.
    function _shareOf(uint256 amount, uint256 bps) private pure returns (uint256) {
        return amount / BPS * bps + amount % BPS * bps / BPS;
    }
}
