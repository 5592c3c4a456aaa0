// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Enclave } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import {
    DatasetUse,
    FailureCode,
    Grant,
    JobOrder,
    JobState,
    Offer,
    Outcome,
    PriceUnit,
    ShownGrant,
    SignedOffer
} from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketCase } from "./MarketCase.sol";

/// @notice A market with two providers, one attested enclave and one requester. Every test starts from a job that
/// settles; it changes one thing and states the exact error.
abstract contract MarketTest is MarketCase {
    /// @notice All that one call of `settle` takes.
    struct Settlement {
        uint256 index;
        JobOrder order;
        Outcome outcome;
        bytes signature;
        ShownGrant[] grants;
        SignedOffer[] offer;
    }

    uint64 internal constant ACCEPT_BY = uint64(NOW + 10 minutes);
    uint256 internal constant SPONSOR_KEY = 0x5905;
    bytes internal constant PARAMS = "{}";
    uint256 internal constant BOND = 50;
    /// @dev The price of data set i is 100 * (i + 1), so this is the cost of the usual job: 100 + 200 + 30.
    uint256 internal constant COST = 330;

    address internal immutable sponsor = vm.addr(SPONSOR_KEY);

    bytes32[2] internal datasetIds;

    function setUp() public virtual override {
        super.setUp();
        _attest(ENCLAVE_KEY, operator, "platform");
        for (uint256 i = 0; i < 2; ++i) {
            datasetIds[i] = _register(_owner(i), i);
        }
        _fund(requester);
    }

    function _fund(address account) internal {
        vm.deal(account, 1 ether);
        token.mint(account, 1 ether);
        vm.prank(account);
        token.approve(address(market), type(uint256).max);
    }

    /// @dev Native coin, paid in by `account` for itself.
    function _deposit(address account, uint256 amount) internal {
        vm.deal(account, amount);
        vm.prank(account);
        market.deposit{ value: amount }(address(0), account, amount);
    }

    /* ACTORS AND TERMS */

    function _attest(uint256 key, address itsOperator, string memory platform) internal {
        Enclave memory enclave = _enclave(itsOperator, WORKLOAD);
        enclave.platformId = bytes16(keccak256(bytes(platform)));
        enclaves.set(vm.addr(key), enclave);
    }

    function _register(address owner, uint256 salt) internal returns (bytes32) {
        return _register(owner, salt, new Payee[](0));
    }

    function _grant(uint256 i, address payIn) internal view returns (Grant memory) {
        return Grant({
            datasetId: datasetIds[i],
            programId: PROGRAM,
            workloadId: WORKLOAD,
            requester: requester,
            operator: operator,
            token: payIn,
            priceUnit: PriceUnit.Use,
            price: 100 * (i + 1),
            maxUses: 3,
            notBefore: uint64(NOW),
            notAfter: uint64(NOW + 2 hours),
            resultReaders: new bytes32[](1),
            epoch: 0,
            ownerEpoch: 0,
            nonce: 7
        });
    }

    function _order(address payIn) internal view returns (JobOrder memory order) {
        order.requester = requester;
        order.payer = requester;
        order.programId = PROGRAM;
        order.workloadId = WORKLOAD;
        order.paramsHash = keccak256(PARAMS);
        order.datasets = new DatasetUse[](2);
        order.resultKey = keccak256("age recipient");
        order.token = payIn;
        order.operatorFee = FEE;
        order.failureFee = FAILURE_FEE;
        order.operator = operator;
        order.deadline = DEADLINE;
        order.quorum = 1;
        order.nonce = 1;
        for (uint256 i = 0; i < 2; ++i) {
            Grant memory grant = _grant(i, payIn);
            order.datasets[i] = DatasetUse(datasetIds[i], market.hashGrant(grant), grant.price);
        }
    }

    /// @dev An order that must be accepted, against a bond.
    function _bonded(address payIn) internal view returns (JobOrder memory order) {
        order = _order(payIn);
        (order.acceptBy, order.bond) = (ACCEPT_BY, BOND);
    }

    function _offer(JobOrder memory order) internal view returns (Offer memory) {
        return Offer({
            operator: operator,
            workloadId: WORKLOAD,
            token: order.token,
            fee: 10,
            pricePerSecond: 2,
            validUntil: order.deadline,
            nonce: 4
        });
    }

    /* STEPS */

    /// @dev Opens `order` as its requester, paid in native coin.
    function _openNative(JobOrder memory order) internal returns (uint256 index) {
        vm.prank(order.requester);
        (, index) = market.open{ value: _costOf(order) }(order, URI, PARAMS, "", "");
    }

    function _open(JobOrder memory order) internal returns (uint256 index) {
        if (order.token == address(0)) return _openNative(order);
        vm.prank(order.requester);
        (, index) = market.open(order, URI, PARAMS, "", "");
    }

    /// @dev An open job, paid in native coin, and what settles it.
    function _openJob() internal returns (Settlement memory) {
        return _openJob(_order(address(0)));
    }

    function _openJob(JobOrder memory order) internal returns (Settlement memory it) {
        it.index = _open(order);
        it.order = order;
        it.outcome = _okOutcome();
        it.grants = _signedGrants(order.token);
        _sign(it);
    }

    /// @dev A job that the usual enclave has accepted; `operator` staked the bond.
    function _acceptedJob() internal returns (Settlement memory it) {
        it = _openJob(_bonded(address(0)));
        _deposit(operator, BOND);
        _accept(it);
    }

    function _accept(Settlement memory it) internal {
        bytes memory signature = _acceptance(ENCLAVE_KEY, market.hashOrder(it.order), operator);
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
    }

    /// @dev An open job and the outcome that says it failed.
    function _failedJob() internal returns (Settlement memory it) {
        it = _openJob();
        _setFailed(it);
    }

    function _setFailed(Settlement memory it) internal view {
        it.outcome = _failedOutcome();
        it.grants = new ShownGrant[](0);
        _sign(it);
    }

    function _okOutcome() internal view returns (Outcome memory outcome) {
        uint256 anchor = vm.getBlockNumber() - 1;
        outcome.inputsRoot = keccak256("inputs");
        outcome.grantsRoot = keccak256("grants");
        outcome.resultHash = keccak256("result");
        outcome.outputCommitment = keccak256("output");
        outcome.policyHash = keccak256("policy");
        outcome.fuelUsed = 1024;
        outcome.countedGrants = 3;
        outcome.logRoot = keccak256("log");
        outcome.logSize = 9;
        outcome.anchorBlock = uint64(anchor);
        outcome.anchorHash = blockhash(anchor);
    }

    function _failedOutcome() internal view returns (Outcome memory outcome) {
        outcome = _okOutcome();
        outcome.failureCode = FailureCode.ProgramTrapped;
        (outcome.resultHash, outcome.outputCommitment, outcome.countedGrants) = (0, 0, 0);
    }

    function _signedGrants(address payIn) internal view returns (ShownGrant[] memory grants) {
        grants = new ShownGrant[](2);
        for (uint256 i = 0; i < 2; ++i) {
            grants[i] = _signGrant(_grant(i, payIn), _ownerKey(i));
        }
    }

    function _signOffer(Offer memory offer) internal view returns (SignedOffer[] memory signed) {
        signed = new SignedOffer[](1);
        signed[0] = SignedOffer(offer, _signature(OPERATOR_KEY, market.hashOffer(offer)));
    }

    /// @dev Signs the receipt anew with the enclave's key.
    function _sign(Settlement memory it) internal view {
        _signBy(it, ENCLAVE_KEY);
    }

    function _signBy(Settlement memory it, uint256 key) internal view {
        it.signature = _signature(key, market.hashReceipt(_receiptOf(it.order, it.outcome)));
    }

    /// @dev The account whose signature of `digest` this would be.
    function _recover(bytes32 digest, bytes memory signature) internal pure returns (address) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        return ecrecover(digest, v, r, s);
    }

    function _acceptance(uint256 key, bytes32 jobId, address bonder) internal view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(keccak256("JobAcceptance(bytes32 jobId,address bonder)"), jobId, bonder));
        return _signature(key, _typed(market, structHash));
    }

    function _settle(Settlement memory it) internal {
        market.settle(it.index, it.order, it.outcome, it.signature, it.grants, it.offer);
    }

    /// @dev Settles and expects the event that says so, of the usual enclave.
    function _settleEmits(Settlement memory it, address relayer) internal {
        bytes32 jobId = market.hashOrder(it.order);
        bytes32 receiptHash = market.hashReceipt(_receiptOf(it.order, it.outcome));
        Outcome memory outcome = it.outcome;
        vm.expectEmit(address(market));
        emit IJobMarket.JobSettled(
            jobId,
            it.index,
            enclaveSigner,
            receiptHash,
            outcome.resultHash,
            outcome.countedGrants,
            outcome.failureCode
        );
        vm.prank(relayer);
        _settle(it);
    }

    /// @dev Settles and expects exactly `expected`; the job must stay as it was.
    function _settleReverts(Settlement memory it, bytes memory expected) internal {
        JobState before = market.jobState(it.index, market.hashOrder(it.order));
        vm.expectRevert(expected);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), before);
    }

    function _costOf(JobOrder memory order) internal pure returns (uint256 cost) {
        cost = order.quorum * order.operatorFee;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            cost += order.datasets[i].maxPrice;
        }
    }

    /* ASSERTIONS */

    function assertEq(uint256 actual, uint256 expected) internal pure {
        assertEq(actual, expected, "number");
    }

    function assertEq(bytes32 actual, bytes32 expected) internal pure {
        assertEq(actual, expected, "bytes32");
    }

    function assertEq(address actual, address expected) internal pure {
        assertEq(actual, expected, "address");
    }

    function assertTrue(bool condition) internal pure {
        assertTrue(condition, "condition");
    }

    function assertState(uint256 index, bytes32 jobId, JobState expected) internal view {
        assertEq(uint256(market.jobState(index, jobId)), uint256(expected), "job state");
    }

    function assertCredit(address account, address payIn, uint256 expected) internal view {
        assertEq(market.creditOf(account, payIn), expected, "credit");
    }
}
