// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IMarketViews } from "../../../contracts/interfaces/IMarketViews.sol";
import {
    FailureCode,
    Grant,
    JobOrder,
    JobState,
    Offer,
    OrderGroup,
    OrderItem,
    Outcome,
    PriceUnit
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketConsentModel } from "./MarketConsentModel.sol";

/// @notice What IMarket promises, written as plainly as it can be: a function reverts where the market must refuse, and else
/// books what must follow. Signatures are not read here: whoever calls says who signed. `sender` is whoever calls the market.
abstract contract MarketModel is MarketConsentModel, Multicall {
    /// @notice A grant, and whoever signed it.
    struct Given {
        Grant grant;
        address signer;
    }

    /// @notice Who signed what is in a group of orders, item by item; its grants in full, and who signed those and the offer.
    struct Signers {
        address[] requesters;
        address[] payers;
        address[] receipts;
        Grant[] grants;
        address[] grantSigners;
        address offer;
    }

    /// @dev What is known of a group once all items are checked. `counted`, `rows`: of those that are Ok.
    struct Tally {
        address operator;
        uint16 counted;
        uint64 latest;
        uint64[] rows;
    }

    struct Enclave {
        address operator;
        bytes16 platformId;
        bytes32 workloadId;
        uint256 expiresAt;
    }

    struct Job {
        bytes32 jobId;
        bytes order; // abi.encode(JobOrder)
        JobState state;
        address acceptedBy;
        address bonder;
        bytes32 said;
        address[] voters;
    }

    /// @dev Any source: a group pays out all that it takes in.
    bytes32 private constant GROUP = bytes32(type(uint256).max);

    IMarketViews internal immutable _views;
    bytes32 private immutable _anchorHash;

    mapping(address signer => Enclave) private _enclaves;
    /// @notice Whether the market may take whatever it needs from the account's wallet.
    mapping(address account => bool) public canPull;

    Job[] private _jobs;
    mapping(address account => mapping(address token => uint256)) public creditOf;
    mapping(address token => uint256) public owedOf;
    mapping(bytes32 source => uint256) public lockedOf;
    mapping(address token => uint256) public escrowOf;
    mapping(address account => mapping(address token => int256)) public walletOf; // change since the start
    mapping(address account => mapping(uint256 nonce => bool)) public isNonceUsed;
    mapping(bytes32 grantHash => uint64) public grantUses;
    mapping(bytes32 grantHash => mapping(address owner => bool)) private _seen;

    constructor(address market, bytes32 anchorHash) {
        _views = IMarketViews(market);
        _anchorHash = anchorHash;
    }

    function addEnclave(address signer, Enclave memory enclave) external {
        _enclaves[signer] = enclave;
    }

    function setPull(address account) external {
        canPull[account] = true;
    }

    /* MONEY */

    /// @param permitted Whether the sender's wallet has allowed just this.
    function deposit(address sender, uint256 value, address token, address account, uint256 amount, bool permitted)
        external
    {
        require(amount != 0 && value == (token == address(0) ? amount : 0));
        require(token == address(0) || permitted || canPull[sender]);
        _payIn(sender, token, account, amount);
    }

    function withdraw(address sender, address token, address to, uint256 amount) external {
        _payOut(sender, token, to, amount);
    }

    function withdrawBySignature(
        address,
        address signer,
        address account,
        address token,
        address to,
        uint256 amount,
        uint256 nonce,
        uint64 deadline
    ) external {
        require(block.timestamp <= deadline && signer == account);
        _useNonce(account, nonce);
        _payOut(account, token, to, amount);
    }

    function _payIn(address from, address token, address account, uint256 amount) private {
        walletOf[from][token] -= int256(amount);
        owedOf[token] += amount;
        creditOf[account][token] += amount;
    }

    function _payOut(address account, address token, address to, uint256 amount) private {
        require(to != address(0) && to != address(_views) && amount != 0);
        creditOf[account][token] -= amount;
        owedOf[token] -= amount;
        walletOf[to][token] += int256(amount);
    }

    function _lock(address account, address token, bytes32 source, uint256 amount) internal {
        creditOf[account][token] -= amount;
        escrowOf[token] += amount;
        lockedOf[source] += amount;
    }

    function _release(address account, address token, bytes32 source, uint256 amount) internal {
        lockedOf[source] -= amount;
        escrowOf[token] -= amount;
        creditOf[account][token] += amount;
    }

    /// @dev From what is sent, from credit, and from the payer's wallet.
    function _escrow(address sender, uint256 value, JobOrder memory order, bytes32 source, uint256 amount) internal {
        address token = order.token;
        uint256 credit = creditOf[order.payer][token];
        if (token == address(0)) {
            _payIn(sender, token, order.payer, value);
        } else {
            require(value == 0);
            if (credit < amount) {
                require(canPull[order.payer]);
                _payIn(order.payer, token, order.payer, amount - credit);
            }
        }
        _lock(order.payer, token, source, amount);
    }

    /* JOBS */

    function open(
        address sender,
        uint256 value,
        JobOrder memory order,
        address requesterSigner,
        address payerSigner
    ) external {
        _requireTerms(order);
        _requireDeadline(order.deadline);
        require(order.session == 0);
        if (order.acceptBy == 0) require(order.bond == 0);
        else require(block.timestamp <= order.acceptBy && order.acceptBy <= order.deadline && order.quorum == 1);
        _requireParties(sender, order, requesterSigner, payerSigner);
        _useNonce(order.requester, order.nonce);

        Job storage job = _jobs.push();
        job.jobId = _views.hashOrder(order);
        job.order = abi.encode(order);
        job.state = JobState.Open;
        _escrow(sender, value, order, job.jobId, costOf(order));
    }

    /// @param bonder Whose bond the enclave's signature names.
    function accept(address sender, uint256 index, JobOrder memory order, address signer, address bonder) external {
        Job storage job = _jobAt(index, order);
        require(job.state == JobState.Open && block.timestamp <= order.acceptBy && sender == bonder);
        _operatorOf(signer, order);
        (job.state, job.acceptedBy, job.bonder) = (JobState.Accepted, signer, sender);
        _lock(sender, order.token, job.jobId, order.bond);
    }

    function cancel(address sender, uint256 index, JobOrder memory order) external {
        Job storage job = _jobAt(index, order);
        require(job.state == JobState.Open && sender == order.requester);
        job.state = JobState.Cancelled;
        _release(order.payer, order.token, job.jobId, costOf(order));
    }

    function expire(address, uint256 index, JobOrder memory order) external {
        Job storage job = _jobAt(index, order);
        bool accepted = job.state == JobState.Accepted;
        require(accepted || job.state == JobState.Open);
        require(block.timestamp > (accepted || order.acceptBy == 0 ? order.deadline : order.acceptBy));
        job.state = JobState.Expired;
        _release(order.payer, order.token, job.jobId, costOf(order));
        if (accepted) _release(order.requester, order.token, job.jobId, order.bond);
    }

    function cancelNonce(address sender, uint256 nonce) external {
        _useNonce(sender, nonce);
    }

    function settle(
        address,
        uint256 index,
        JobOrder memory order,
        Outcome memory outcome,
        address signer,
        Given[] memory given,
        Offer[] memory offers,
        address offerSigner
    ) external {
        Job storage job = _jobAt(index, order);
        require(job.state == JobState.Accepted ? signer == job.acceptedBy : order.acceptBy == 0);
        require((job.state == JobState.Accepted || job.state == JobState.Open) && block.timestamp <= order.deadline);
        bool ok = _requireOutcome(outcome);
        address operator = _operatorOf(signer, order);
        job.voters.push(signer);
        if (order.quorum > 1 && !_isDecided(job, order, outcome.outputCommitment, signer)) return;

        job.state = ok ? JobState.SettledOk : JobState.SettledFailed;
        uint256 fee = order.failureFee;
        uint256 rest = costOf(order);
        if (ok) {
            fee = _feeOf(order, order.deadline, operator, outcome.runSeconds, offers, offerSigner);
            uint64[] memory rows = new uint64[](1);
            rows[0] = outcome.outputRows;
            rest -= _payGrants(order, job.jobId, operator, given, outcome.countedGrants, rows);
        }
        for (uint256 i = 0; i < job.voters.length; ++i) {
            _release(_enclaves[job.voters[i]].operator, order.token, job.jobId, fee);
            rest -= fee;
        }
        _release(order.payer, order.token, job.jobId, rest);
        _release(job.bonder, order.token, job.jobId, order.bond);
    }

    /// @dev The last of `voters` has just spoken.
    function _isDecided(Job storage job, JobOrder memory order, bytes32 said, address signer) private returns (bool) {
        uint256 before = job.voters.length - 1;
        for (uint256 i = 0; i < before; ++i) {
            require(_enclaves[job.voters[i]].platformId != _enclaves[signer].platformId);
        }
        if (before == 0) job.said = said;
        if (job.said == said) return before + 1 == order.quorum;
        job.voters.pop(); // not counted
        job.state = JobState.Disagreed;
        _release(order.payer, order.token, job.jobId, costOf(order));
        return false;
    }

    function settleOrders(address, OrderGroup[] memory groups, Signers[] memory signers) external {
        for (uint256 i = 0; i < groups.length; ++i) {
            _settleGroup(groups[i], signers[i]);
        }
    }

    function _settleGroup(OrderGroup memory group, Signers memory signers) private {
        JobOrder memory order = group.order;
        _requireTerms(order);
        require(order.quorum == 1 && order.acceptBy == 0 && order.bond == 0 && order.session == 0);
        require(order.paramsHash == 0 && order.deadline == 0 && order.nonce == 0);
        require(group.items.length != 0 && group.items.length <= 256);
        require(group.offer.length == (order.offerHash == 0 ? 0 : 1));
        Tally memory tally;
        tally.operator = _operatorOf(signers.receipts[0], order);
        _checkItems(group, signers, tally);

        // What its payees are paid may be the payer's own: only what is left in the end must not be less than nothing.
        creditOf[order.payer][order.token] += 1e40;
        _lock(order.payer, order.token, GROUP, 1e40);
        uint256 paid = _payFees(group, signers, tally);
        if (tally.rows.length != 0) {
            Given[] memory given = _givenOf(signers);
            paid += _payGrants(order, GROUP, tally.operator, given, tally.counted, tally.rows);
        }
        _release(order.payer, order.token, GROUP, 1e40 - paid);
        creditOf[order.payer][order.token] -= 1e40;
    }

    function _payFees(OrderGroup memory group, Signers memory signers, Tally memory tally)
        private
        returns (uint256 paid)
    {
        JobOrder memory order = group.order;
        for (uint256 i = 0; i < group.items.length; ++i) {
            Outcome memory outcome = group.items[i].outcome;
            uint256 fee = outcome.failureCode != FailureCode.None
                ? order.failureFee
                : _feeOf(order, tally.latest, tally.operator, outcome.runSeconds, _offersOf(group), signers.offer);
            _release(tally.operator, order.token, GROUP, fee);
            paid += fee;
        }
    }

    /// @dev All that must hold of each item.
    function _checkItems(OrderGroup memory group, Signers memory signers, Tally memory tally) private {
        for (uint256 i = 0; i < group.items.length; ++i) {
            _requireParties(address(0), group.order, signers.requesters[i], signers.payers[i]); // whoever sends them
            require(_operatorOf(signers.receipts[i], group.order) == tally.operator);
            _checkItem(group.order.requester, group.items[i], tally);
        }
    }

    function _checkItem(address requester, OrderItem memory item, Tally memory tally) private {
        _requireDeadline(item.deadline);
        _useNonce(requester, item.nonce);
        if (item.deadline > tally.latest) tally.latest = item.deadline;
        if (!_requireOutcome(item.outcome)) return;
        require(tally.rows.length == 0 || tally.counted == item.outcome.countedGrants);
        tally.counted = item.outcome.countedGrants;
        uint64[] memory rows = new uint64[](tally.rows.length + 1);
        for (uint256 i = 0; i < tally.rows.length; ++i) {
            rows[i] = tally.rows[i];
        }
        rows[tally.rows.length] = item.outcome.outputRows;
        tally.rows = rows;
    }

    function _offersOf(OrderGroup memory group) private pure returns (Offer[] memory offers) {
        offers = new Offer[](group.offer.length);
        for (uint256 i = 0; i < offers.length; ++i) {
            offers[i] = group.offer[i].offer;
        }
    }

    function _givenOf(Signers memory signers) private pure returns (Given[] memory given) {
        given = new Given[](signers.grants.length);
        for (uint256 i = 0; i < given.length; ++i) {
            given[i] = Given(signers.grants[i], signers.grantSigners[i]);
        }
    }

    /* TERMS */

    function costOf(JobOrder memory order) public pure returns (uint256 cost) {
        cost = order.quorum * order.operatorFee;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            cost += order.datasets[i].maxPrice;
        }
    }

    function _requireTerms(JobOrder memory order) internal pure {
        require(order.datasets.length != 0 && order.datasets.length <= 16);
        require(order.failureFee <= order.operatorFee && order.quorum != 0);
        require(order.quorum <= (order.offerHash == 0 ? 5 : 1));
    }

    function _requireDeadline(uint64 deadline) internal view {
        require(block.timestamp <= deadline && deadline <= block.timestamp + 365 days);
    }

    function _requireParties(address sender, JobOrder memory order, address requesterSigner, address payerSigner)
        internal
        pure
    {
        require(sender == order.requester || requesterSigner == order.requester);
        require(order.payer == order.requester || sender == order.payer || payerSigner == order.payer);
    }

    function _useNonce(address account, uint256 nonce) internal {
        require(!isNonceUsed[account][nonce]);
        isNonceUsed[account][nonce] = true;
    }

    function _requireOutcome(Outcome memory outcome) internal view returns (bool ok) {
        require(outcome.anchorHash == _anchorHash);
        ok = outcome.failureCode == FailureCode.None;
        require(ok == (outcome.resultHash != 0) && ok == (outcome.outputCommitment != 0));
        require(ok || (outcome.countedGrants == 0 && outcome.outputRows == 0));
    }

    function _operatorOf(address signer, JobOrder memory order) internal view returns (address operator) {
        Enclave memory enclave = _enclaves[signer];
        operator = enclave.operator;
        require(operator != address(0) && block.timestamp < enclave.expiresAt);
        require(enclave.workloadId == order.workloadId && (order.operator == address(0) || order.operator == operator));
    }

    function _feeOf(
        JobOrder memory order,
        uint64 deadline,
        address operator,
        uint32 runSeconds,
        Offer[] memory offers,
        address offerSigner
    ) private view returns (uint256 fee) {
        require(offers.length == (order.offerHash == 0 ? 0 : 1));
        if (offers.length == 0) return order.operatorFee;
        Offer memory offer = offers[0];
        require(_views.hashOffer(offer) == order.offerHash && offerSigner == operator && offer.operator == operator);
        require(offer.workloadId == order.workloadId && offer.token == order.token && deadline <= offer.validUntil);
        fee = offer.fee + offer.pricePerSecond * runSeconds;
        if (fee > order.operatorFee) fee = order.operatorFee;
    }

    /* GRANTS */

    /// @dev Each grant that is counted, once for each of `rows`.
    function _payGrants(
        JobOrder memory order,
        bytes32 source,
        address operator,
        Given[] memory given,
        uint16 counted,
        uint64[] memory rows
    ) internal returns (uint256 paid) {
        uint256 next = 0;
        for (uint256 i = 0; i < 16; ++i) {
            if ((counted >> i) & 1 == 0) continue;
            Given memory it = given[next++];
            _useGrant(order, i, operator, it, uint64(rows.length));
            uint256 amount = 0;
            for (uint256 j = 0; j < rows.length; ++j) {
                uint256 price = _priceOf(it.grant, rows[j]);
                require(price <= order.datasets[i].maxPrice);
                amount += price;
            }
            _payDataset(it.grant.datasetId, order.token, source, amount);
            paid += amount;
        }
        require(next == given.length);
    }

    function _useGrant(JobOrder memory order, uint256 position, address operator, Given memory it, uint64 uses) internal {
        Grant memory grant = it.grant;
        bytes32 grantHash = _views.hashGrant(grant);
        require(order.datasets[position].grantHash == grantHash && grant.resultReaders.length <= 16);
        require(order.datasets[position].datasetId == grant.datasetId && grant.token == order.token);
        require(grant.programId == order.programId && grant.workloadId == order.workloadId);
        require(grant.requester == address(0) || grant.requester == order.requester);
        require(grant.operator == address(0) || grant.operator == operator);
        require(grant.notBefore <= block.timestamp && block.timestamp <= grant.notAfter && _isInForce(grant));
        if (grant.maxUses != 0) grantUses[grantHash] += uses;
        require(grantUses[grantHash] <= grant.maxUses);
        address owner = entryOf(grant.datasetId).owner;
        if (it.signer == owner) _seen[grantHash][owner] = true;
        require(_seen[grantHash][owner]);
    }

    function _priceOf(Grant memory grant, uint64 rows) internal view returns (uint256) {
        if (grant.priceUnit == PriceUnit.OutputRow) return grant.price * rows;
        if (grant.priceUnit == PriceUnit.InputByte) return grant.price * entryOf(grant.datasetId).sizeBytes;
        return grant.price;
    }

    function _payDataset(bytes32 datasetId, address token, bytes32 source, uint256 amount) internal {
        Entry memory entry = entryOf(datasetId);
        if (entry.payees.length == 0) return _release(entry.owner, token, source, amount);
        uint256 rest = amount;
        for (uint256 i = 1; i < entry.payees.length; ++i) {
            Payee memory payee = entry.payees[i - 1];
            uint256 share = amount * payee.shareBps / 10_000;
            _release(payee.account, token, source, share);
            rest -= share;
        }
        _release(entry.payees[entry.payees.length - 1].account, token, source, rest);
    }

    /* VIEWS */

    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 index) external view returns (Job memory) {
        return _jobs[index];
    }

    function stateAt(uint256 index) external view returns (JobState) {
        return _jobs[index].state;
    }

    function enclaveOf(address signer) external view returns (Enclave memory) {
        return _enclaves[signer];
    }

    function _jobAt(uint256 index, JobOrder memory order) private view returns (Job storage job) {
        require(index < _jobs.length);
        job = _jobs[index];
        require(keccak256(job.order) == keccak256(abi.encode(order)));
    }
}
