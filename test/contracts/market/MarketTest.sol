// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import {
    DatasetUse,
    FailureCode,
    Grant,
    IJobMarket,
    JobOrder,
    JobState,
    Receipt,
    ReceiptStatus,
    SignedGrant
} from "../../../contracts/interfaces/IJobMarket.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { DatasetRegistry } from "../../../contracts/market/DatasetRegistry.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
import { Test } from "../../support/Test.sol";

/// @notice A market with two providers, one attested enclave and one requester. Every test starts from a job that
/// settles; it changes one thing and states the exact error.
abstract contract MarketTest is Test {
    /// @notice All that one call of `settle` takes.
    struct Settlement {
        uint256 index;
        JobOrder order;
        Receipt receipt;
        bytes signature;
        SignedGrant[] grants;
    }

    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant BLOCK = 100_000;
    uint64 internal constant DEADLINE = uint64(NOW + 1 hours);
    uint256 internal constant REQUESTER_KEY = 0xA11CE;
    uint256 internal constant ENCLAVE_KEY = 0xE9C1A5E;
    bytes32 internal constant PROGRAM = keccak256("program");
    bytes32 internal constant WORKLOAD = keccak256("workload");
    bytes internal constant PARAMS = "{}";
    string internal constant URI = "https://example.org/program.json";
    uint256 internal constant FEE = 30;
    uint256 internal constant FAILURE_FEE = 5;
    /// @dev Price of data set i is 100 * (i + 1), so this is the cost of the usual job: 100 + 200 + 30.
    uint256 internal constant COST = 330;

    address internal immutable requester = vm.addr(REQUESTER_KEY);
    address internal immutable enclaveSigner = vm.addr(ENCLAVE_KEY);
    address internal immutable operator = address(0x0975A708);
    address internal immutable stranger = address(0x57AA);

    MockEnclaveRegistry internal enclaves;
    DatasetRegistry internal datasets;
    JobMarket internal market;
    TestToken internal token;
    bytes32[2] internal datasetIds;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.roll(BLOCK);
        vm.setBlockhash(BLOCK - 1, keccak256("anchor"));
        enclaves = new MockEnclaveRegistry();
        datasets = new DatasetRegistry();
        market = new JobMarket(address(enclaves), address(datasets));
        token = new TestToken();
        enclaves.set(enclaveSigner, _enclave());
        for (uint256 i = 0; i < 2; ++i) {
            datasetIds[i] = _register(_owner(i), i);
        }
        vm.deal(requester, 1 ether);
        token.mint(requester, 1 ether);
        vm.prank(requester);
        token.approve(address(market), type(uint256).max);
    }

    /* ACTORS AND TERMS */

    function _ownerKey(uint256 i) internal pure returns (uint256) {
        return 0xB0B0 + i;
    }

    function _owner(uint256 i) internal pure returns (address) {
        return vm.addr(_ownerKey(i));
    }

    function _enclave() internal view returns (Enclave memory) {
        return Enclave({
            operator: operator,
            expiresAt: uint40(NOW + 1 days),
            registeredAtBlock: 1,
            tcbStatus: TcbStatus.UpToDate,
            state: EnclaveState.Active,
            workloadId: WORKLOAD,
            platformId: bytes16(keccak256("platform")),
            evidenceHash: bytes16(keccak256("evidence"))
        });
    }

    function _register(address owner, uint256 salt) internal returns (bytes32) {
        vm.prank(owner);
        return datasets.register(keccak256("content"), bytes32(salt), 1000, "https://example.org/data.age", "{}");
    }

    function _grant(uint256 i, address payIn) internal view returns (Grant memory) {
        return Grant({
            datasetId: datasetIds[i],
            programId: PROGRAM,
            workloadId: WORKLOAD,
            requester: requester,
            operator: operator,
            token: payIn,
            pricePerUse: 100 * (i + 1),
            maxUses: 3,
            notBefore: uint64(NOW),
            notAfter: uint64(NOW + 2 hours),
            resultReaders: new bytes32[](1),
            epoch: 0,
            nonce: 7
        });
    }

    function _order(address payIn) internal view returns (JobOrder memory order) {
        order = JobOrder({
            requester: requester,
            programId: PROGRAM,
            workloadId: WORKLOAD,
            paramsHash: keccak256(PARAMS),
            datasets: new DatasetUse[](2),
            resultKey: keccak256("age recipient"),
            token: payIn,
            operatorFee: FEE,
            failureFee: FAILURE_FEE,
            operator: operator,
            deadline: DEADLINE,
            nonce: 1
        });
        for (uint256 i = 0; i < 2; ++i) {
            Grant memory grant = _grant(i, payIn);
            order.datasets[i] = DatasetUse(datasetIds[i], market.hashGrant(grant), grant.pricePerUse);
        }
    }

    /* STEPS */

    /// @dev Opens `order` as its requester, paid in native coin.
    function _openNative(JobOrder memory order) internal returns (uint256 index) {
        vm.prank(order.requester);
        (, index) = market.open{ value: _costOf(order) }(order, URI, PARAMS);
    }

    function _open(JobOrder memory order) internal returns (uint256 index) {
        if (order.token == address(0)) return _openNative(order);
        vm.prank(order.requester);
        (, index) = market.open(order, URI, PARAMS);
    }

    /// @dev An open job, paid in native coin, and what settles it.
    function _openJob() internal returns (Settlement memory) {
        return _openJob(_order(address(0)));
    }

    function _openJob(JobOrder memory order) internal returns (Settlement memory settlement) {
        settlement.index = _open(order);
        settlement.order = order;
        settlement.receipt = _okReceipt(order);
        settlement.grants = _signedGrants(order.token);
        _sign(settlement);
    }

    /// @dev An open job and the receipt that says it failed.
    function _failedJob() internal returns (Settlement memory settlement) {
        settlement = _openJob();
        _setFailed(settlement);
    }

    function _setFailed(Settlement memory settlement) internal view {
        settlement.receipt.status = ReceiptStatus.Failed;
        settlement.receipt.failureCode = FailureCode.ProgramTrapped;
        settlement.receipt.resultHash = 0;
        settlement.receipt.outputCommitment = 0;
        settlement.grants = new SignedGrant[](0);
        _sign(settlement);
    }

    function _okReceipt(JobOrder memory order) internal view returns (Receipt memory) {
        uint256 anchor = vm.getBlockNumber() - 1;
        return Receipt({
            jobId: market.hashOrder(order),
            status: ReceiptStatus.Ok,
            programId: order.programId,
            workloadId: order.workloadId,
            inputsRoot: keccak256("inputs"),
            grantsRoot: keccak256("grants"),
            paramsHash: order.paramsHash,
            resultHash: keccak256("result"),
            outputCommitment: keccak256("output"),
            policyHash: keccak256("policy"),
            fuelUsed: 1024,
            logRoot: keccak256("log"),
            logSize: 9,
            anchorBlock: uint64(anchor),
            anchorHash: blockhash(anchor),
            failureCode: FailureCode.None
        });
    }

    function _signedGrants(address payIn) internal view returns (SignedGrant[] memory grants) {
        grants = new SignedGrant[](2);
        for (uint256 i = 0; i < 2; ++i) {
            grants[i] = _signGrant(_grant(i, payIn), _ownerKey(i));
        }
    }

    function _signGrant(Grant memory grant, uint256 key) internal view returns (SignedGrant memory) {
        return SignedGrant(grant, _signature(key, market.hashGrant(grant)));
    }

    /// @dev Signs the receipt anew with the enclave's key.
    function _sign(Settlement memory settlement) internal view {
        settlement.signature = _signature(ENCLAVE_KEY, market.hashReceipt(settlement.receipt));
    }

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _settle(Settlement memory it) internal {
        market.settle(it.index, it.order, it.receipt, it.signature, it.grants);
    }

    /// @dev Settles and expects exactly `expected`; the job must stay as it was.
    function _settleReverts(Settlement memory it, bytes memory expected) internal {
        JobState before = market.jobState(it.index, market.hashOrder(it.order));
        vm.expectRevert(expected);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), before);
    }

    function _costOf(JobOrder memory order) internal pure returns (uint256 cost) {
        cost = order.operatorFee;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            cost += order.datasets[i].price;
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
