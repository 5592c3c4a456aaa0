// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import {
    DatasetUse,
    FailureCode,
    Grant,
    JobOrder,
    LeafCounts,
    OrderItem,
    Outcome,
    PriceUnit,
    Session,
    SessionClaim,
    SessionState,
    SessionTerms,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketCase } from "./MarketCase.sol";

/// @notice A market and one session on it: five jobs, three of them Ok, over three data sets. The first is its owner's and
/// costs 100; the second is free, and not counted; the third costs 203, which two payees share. Requester and payer are
/// not the same. Every test starts from a session that can be claimed and closed.
abstract contract SessionsTest is MarketCase {
    /// @notice All that there is of one session: what is signed of it, and what its claim stands for.
    struct Story {
        JobOrder order;
        SessionTerms terms;
        OrderItem[] items;
        bytes32[] receiptHashes;
        SessionClaim claim;
        bytes signature;
        ShownGrant[] grants;
    }

    uint32 internal constant CHALLENGE = 1 hours;
    uint256 internal constant PAYER_KEY = 0x5905;
    uint256 internal constant BOND = 7;
    uint32 internal constant MAX_JOBS = 8;
    /// @dev Of one Ok job: 100 + 0 + 203 + 30.
    uint256 internal constant COST = 333;
    /// @dev What whoever pays has at first.
    uint256 internal constant FUNDS = 1 ether;

    address internal immutable payer = vm.addr(PAYER_KEY);
    address internal immutable payeeA = address(0xAAAA);
    address internal immutable payeeB = address(0xBBBB);

    bytes32[3] internal datasetIds;
    Story internal story;

    function setUp() public virtual override {
        super.setUp();
        enclaves.set(enclaveSigner, _enclave(operator, WORKLOAD));
        Payee[] memory payees = new Payee[](2);
        (payees[0], payees[1]) = (Payee(payeeA, 2500), Payee(payeeB, 7500));
        datasetIds[0] = _register(_owner(0), 0, new Payee[](0));
        datasetIds[1] = _register(_owner(1), 1, new Payee[](0));
        datasetIds[2] = _register(_owner(2), 2, payees);
        _fund(market, payer);
        _save(_newStory(5, 3));
    }

    /* ACTORS AND TERMS */

    /// @dev Credit of `account`: enough for all that the tests do.
    function _fund(IMarket market_, address account) internal {
        token.mint(address(this), FUNDS);
        token.approve(address(market_), FUNDS);
        market_.deposit(address(token), account, FUNDS);
    }

    function _priceOf(uint256 i) internal pure returns (uint256) {
        return i == 0 ? 100 : i == 1 ? 0 : 203;
    }

    function _grant(uint256 i) internal view returns (Grant memory) {
        return Grant({
            datasetId: datasetIds[i],
            programId: PROGRAM,
            workloadId: WORKLOAD,
            requester: requester,
            operator: address(0),
            token: address(token),
            priceUnit: PriceUnit.Use,
            price: _priceOf(i),
            maxUses: i == 0 ? 100 : 0,
            notBefore: uint64(NOW),
            notAfter: uint64(NOW + 2 hours),
            resultReaders: new bytes32[](i),
            epoch: 0,
            ownerEpoch: 0,
            nonce: 7
        });
    }

    function _template() internal view returns (JobOrder memory order) {
        order.requester = requester;
        order.payer = payer;
        order.programId = PROGRAM;
        order.workloadId = WORKLOAD;
        order.datasets = new DatasetUse[](3);
        order.resultKey = keccak256("age recipient");
        order.token = address(token);
        order.operatorFee = FEE;
        order.failureFee = FAILURE_FEE;
        order.deadline = DEADLINE;
        order.quorum = 1;
        order.nonce = 1;
        for (uint256 i = 0; i < 3; ++i) {
            order.datasets[i] = DatasetUse(datasetIds[i], market.hashGrant(_grant(i)), _priceOf(i));
        }
    }

    /// @dev A session of `count` jobs, the first `okCount` of them Ok.
    function _newStory(uint256 count, uint256 okCount) internal view returns (Story memory it) {
        it.order = _template();
        it.terms = SessionTerms(MAX_JOBS, CHALLENGE, BOND);
        it.grants = new ShownGrant[](2);
        (it.grants[0], it.grants[1]) = (_signGrant(_grant(0), _ownerKey(0)), _signGrant(_grant(2), _ownerKey(2)));
        _fill(it, count, okCount);
    }

    /// @dev Jobs and claim of `story` anew, after a change of its template or terms.
    function _tell(uint256 count, uint256 okCount) internal {
        Story memory it = story;
        _fill(it, count, okCount);
        _save(it);
    }

    /// @dev Piece by piece: the compiler's quick way copies no array of structs to storage.
    function _save(Story memory it) internal {
        _saveOrder(it.order);
        _saveGrants(it.grants);
        (story.terms, story.claim, story.signature) = (it.terms, it.claim, it.signature);
        story.receiptHashes = it.receiptHashes;
        delete story.items;
        for (uint256 i = 0; i < it.items.length; ++i) {
            story.items.push(it.items[i]);
        }
    }

    function _saveOrder(JobOrder memory from) internal {
        JobOrder storage to = story.order;
        (to.requester, to.payer, to.operator, to.token) = (from.requester, from.payer, from.operator, from.token);
        (to.programId, to.workloadId, to.paramsHash) = (from.programId, from.workloadId, from.paramsHash);
        (to.resultKey, to.offerHash, to.session) = (from.resultKey, from.offerHash, from.session);
        (to.operatorFee, to.failureFee, to.bond) = (from.operatorFee, from.failureFee, from.bond);
        (to.acceptBy, to.deadline, to.quorum, to.nonce) = (from.acceptBy, from.deadline, from.quorum, from.nonce);
        _saveDatasets(from.datasets);
    }

    function _saveDatasets(DatasetUse[] memory uses) internal {
        delete story.order.datasets;
        for (uint256 i = 0; i < uses.length; ++i) {
            story.order.datasets.push(uses[i]);
        }
    }

    function _saveGrants(ShownGrant[] memory grants) internal {
        delete story.grants;
        for (uint256 i = 0; i < grants.length; ++i) {
            story.grants.push(grants[i]);
        }
    }

    function _fill(Story memory it, uint256 count, uint256 okCount) private view {
        bytes32 sessionId = market.hashSession(it.order, it.terms);
        it.items = new OrderItem[](count);
        it.receiptHashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            it.items[i] = _item(it.order, sessionId, i, i < okCount);
            it.receiptHashes[i] = _receiptHash(it.order, sessionId, it.items[i]);
        }
        it.claim = SessionClaim({
            sessionId: sessionId,
            root: _rootOf(it.receiptHashes),
            okCount: uint32(okCount),
            failedCount: uint32(count - okCount),
            countedGrants: okCount == 0 ? 0 : 5,
            anchorBlock: uint64(BLOCK - 1),
            anchorHash: keccak256("anchor")
        });
        if (okCount == 0) it.grants = new ShownGrant[](0);
        it.signature = _signClaim(it.claim);
    }

    function _item(JobOrder memory order, bytes32 sessionId, uint256 i, bool ok)
        internal
        view
        returns (OrderItem memory item)
    {
        item.paramsHash = keccak256(abi.encode("params", i));
        item.deadline = order.deadline;
        item.nonce = 1000 + i;
        item.outcome = Outcome({
            inputsRoot: keccak256("inputs"),
            grantsRoot: keccak256("grants"),
            resultHash: ok ? keccak256(abi.encode("result", i)) : bytes32(0),
            outputCommitment: ok ? keccak256("output") : bytes32(0),
            policyHash: keccak256("policy"),
            fuelUsed: 1024,
            outputRows: 0,
            runSeconds: 0,
            countedGrants: ok ? 5 : 0,
            logRoot: keccak256("log"),
            logSize: uint64(9 + i),
            anchorBlock: 5,
            anchorHash: keccak256("older anchor"),
            failureCode: ok ? FailureCode.None : FailureCode.ProgramTrapped
        });
        _signItem(order, sessionId, item);
    }

    /// @dev By requester and payer.
    function _signItem(JobOrder memory order, bytes32 sessionId, OrderItem memory item) internal view {
        bytes32 jobId = _jobId(order, sessionId, item);
        item.requesterSignature = _signature(REQUESTER_KEY, jobId);
        item.payerSignature = _signature(PAYER_KEY, jobId);
    }

    /* HASHES */

    function _jobOf(JobOrder memory order, bytes32 sessionId, OrderItem memory item)
        internal
        pure
        returns (JobOrder memory)
    {
        return JobOrder({
            requester: order.requester,
            payer: order.payer,
            programId: order.programId,
            workloadId: order.workloadId,
            paramsHash: item.paramsHash,
            datasets: order.datasets,
            resultKey: order.resultKey,
            token: order.token,
            operatorFee: order.operatorFee,
            failureFee: order.failureFee,
            operator: order.operator,
            offerHash: order.offerHash,
            bond: order.bond,
            acceptBy: order.acceptBy,
            deadline: item.deadline,
            quorum: order.quorum,
            session: sessionId,
            nonce: item.nonce
        });
    }

    function _jobId(JobOrder memory order, bytes32 sessionId, OrderItem memory item) internal view returns (bytes32) {
        return market.hashOrder(_jobOf(order, sessionId, item));
    }

    function _receiptHash(JobOrder memory order, bytes32 sessionId, OrderItem memory item)
        internal
        view
        returns (bytes32)
    {
        return market.hashReceipt(_receiptOf(_jobOf(order, sessionId, item), item.outcome));
    }

    /// @dev Made here, not by the market: EIP-712 from the type's own words.
    function _signClaim(SessionClaim memory claim) internal view returns (bytes memory) {
        return _signature(ENCLAVE_KEY, _hashClaim(claim, block.chainid, address(market)));
    }

    function _hashClaim(SessionClaim memory claim, uint256 chain, address verifier) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "SessionClaim(bytes32 sessionId,bytes32 root,uint32 okCount,uint32 failedCount,uint16 countedGrants,"
            "uint64 anchorBlock,bytes32 anchorHash)"
        );
        return _typed(chain, verifier, keccak256(abi.encode(typeHash, claim)));
    }

    /* TREE */

    /// @dev One level of the tree from that below; the leaves from receipts' hashes.
    function _leavesOf(bytes32[] memory receiptHashes) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](receiptHashes.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(bytes.concat(keccak256(abi.encode(i, receiptHashes[i]))));
        }
    }

    function _levelAbove(bytes32[] memory below) internal pure returns (bytes32[] memory level) {
        level = new bytes32[]((below.length + 1) / 2);
        for (uint256 i = 0; i < level.length; ++i) {
            level[i] = 2 * i + 1 < below.length ? _nodeOf(below[2 * i], below[2 * i + 1]) : below[2 * i];
        }
    }

    function _nodeOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function _rootOf(bytes32[] memory receiptHashes) internal pure returns (bytes32) {
        bytes32[] memory level = _leavesOf(receiptHashes);
        while (level.length > 1) level = _levelAbove(level);
        return level[0];
    }

    function _proofOf(bytes32[] memory receiptHashes, uint256 leaf) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory level = _leavesOf(receiptHashes);
        bytes32[] memory longest = new bytes32[](12);
        uint256 length = 0;
        for (uint256 i = leaf; level.length > 1; i >>= 1) {
            if (i ^ 1 < level.length) longest[length++] = level[i ^ 1];
            level = _levelAbove(level);
        }
        proof = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            proof[i] = longest[i];
        }
    }

    /* STEPS */

    function _open() internal returns (bytes32 sessionId) {
        return _open(story);
    }

    /// @dev A stranger brings what requester and payer have signed.
    function _open(Story memory it) internal returns (bytes32 sessionId) {
        sessionId = market.hashSession(it.order, it.terms);
        vm.prank(stranger);
        market.openSession(it.order, it.terms, URI, _signature(REQUESTER_KEY, sessionId), _signature(PAYER_KEY, sessionId));
    }

    function _claim(Story memory it) internal {
        vm.prank(stranger);
        market.claimSession(it.order, it.terms, it.claim, it.signature, it.grants);
    }

    /// @dev Opened and claimed.
    function _claimed() internal returns (bytes32 sessionId) {
        sessionId = _open();
        _claim(story);
    }

    function _dispute(Story memory it, uint256 leaf) internal {
        vm.prank(payer);
        market.disputeLeaf(it.order, it.terms, leaf);
    }

    function _show(Story memory it, uint256 leaf) internal {
        vm.prank(stranger);
        market.settleLeaf(it.order, it.terms, leaf, it.items[leaf], _proofOf(it.receiptHashes, leaf));
    }

    function _close(Story memory it) internal {
        vm.prank(stranger);
        market.closeSession(it.order, it.terms);
    }

    /* ASSERTIONS */

    function assertCredit(address account, uint256 expected) internal view {
        assertEq(market.creditOf(account, address(token)), expected, "credit");
    }

    /// @dev What each has been paid for `ok` jobs that ended Ok and `failed` that Failed, and what the payer has left.
    function assertPaid(uint256 ok, uint256 failed, uint256 bonds, uint256 payerCredit) internal view {
        assertPayees(ok * 100, ok * 203);
        assertCredit(operator, ok * FEE + failed * FAILURE_FEE + bonds);
        assertCredit(payer, payerCredit);
    }

    /// @dev Where the third data set's payments have been credited at once.
    function assertPayees(uint256 first, uint256 third) internal view {
        assertCredit(_owner(0), first);
        assertCredit(_owner(2), 0);
        assertCredit(payeeA, third / 4);
        assertCredit(payeeB, third - third / 4);
    }

    function assertState(bytes32 sessionId, SessionState expected) internal view {
        (Session memory stored,) = market.session(sessionId);
        assertEq(uint256(stored.state), uint256(expected), "session state");
    }

    function assertLeaf(bytes32 sessionId, uint256 leaf, bool disputed, bool settled) internal view {
        (bool isDisputed, bool isSettled) = market.leafState(sessionId, leaf);
        assertTrue(isDisputed == disputed, "disputed");
        assertTrue(isSettled == settled, "settled");
    }

    function assertCounts(bytes32 sessionId, LeafCounts memory expected) internal view {
        assertEq(abi.encode(market.leafCounts(sessionId)), abi.encode(expected), "leaf counts");
    }

    function _wrongState(bytes32 sessionId, SessionState state) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISessions.Sessions_WrongState.selector, sessionId, uint8(state));
    }
}
