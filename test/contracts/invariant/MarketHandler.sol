// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import {
    DatasetUse,
    FailureCode,
    Grant,
    JobOrder,
    JobState,
    Receipt,
    ReceiptStatus,
    SignedGrant
} from "../../../contracts/interfaces/IJobMarket.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { DatasetRegistry } from "../../../contracts/market/DatasetRegistry.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { Vm } from "../../support/Test.sol";

/// @notice Does whatever users and attackers of the market may do, and keeps books of what must follow.
contract MarketHandler {
    /// @notice A job as the books know it.
    struct Job {
        bytes32 jobId;
        bytes order; // abi.encode(JobOrder)
        bytes grants; // abi.encode(Grant[])
        address token;
        uint64 deadline;
        uint256 cost;
        uint256 credited; // measured on the market, over all accounts
        JobState state;
        uint256 endings;
    }

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant PROGRAM = keccak256("program");
    bytes32 private constant WORKLOAD = keccak256("workload");
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    uint256 private constant NOW = 1_800_000_000;
    uint256 private constant BLOCK = 100_000;

    /// @dev Keys: 1-3 requesters, 4-6 providers, 7-8 enclaves; operators and the stranger have none.
    uint256 private constant FIRST_OWNER = 4;
    uint256 private constant FIRST_ENCLAVE = 7;

    JobMarket public immutable market;
    DatasetRegistry public immutable datasets;
    address[3] public tokens; // the first is the native coin
    address[9] public accounts; // all that may hold credit: requesters, providers, operators, one stranger
    bytes32[3] private _datasetIds;

    Job[] private _jobs;
    bytes32[] private _grantHashes;
    mapping(bytes32 grantHash => uint64) public maxUsesOf;
    mapping(bytes32 grantHash => uint256) public usesOf;
    mapping(address account => mapping(address token => uint256)) public creditOf;
    uint256 public withdrawals;
    uint256 public refusals;
    /// @notice Calls that succeeded and never may.
    uint256 public thefts;

    constructor() {
        vm.warp(NOW);
        vm.roll(BLOCK);
        vm.setBlockhash(BLOCK - 1, keccak256("anchor"));
        MockEnclaveRegistry enclaves = new MockEnclaveRegistry();
        datasets = new DatasetRegistry();
        market = new JobMarket(address(enclaves), address(datasets));
        tokens = [address(0), address(new TestToken()), address(new TestToken())];
        for (uint256 i = 0; i < 6; ++i) {
            accounts[i] = vm.addr(i + 1);
        }
        (accounts[6], accounts[7], accounts[8]) = (address(0x0901), address(0x0902), address(0x57AA));
        for (uint256 i = 0; i < 3; ++i) {
            vm.deal(accounts[i], 1e30);
            TestToken(tokens[1]).mint(accounts[i], 1e30);
            TestToken(tokens[2]).mint(accounts[i], 1e30);
            vm.prank(accounts[i]);
            TestToken(tokens[1]).approve(address(market), type(uint256).max);
            vm.prank(accounts[3 + i]);
            _datasetIds[i] = datasets.register(keccak256("content"), 0, 1, "ipfs://x", "{}");
        }
        for (uint256 i = 0; i < 2; ++i) {
            Enclave memory enclave = Enclave({
                operator: accounts[6 + i],
                expiresAt: uint40(NOW + 3650 days),
                registeredAtBlock: 1,
                tcbStatus: TcbStatus.UpToDate,
                state: EnclaveState.Active,
                workloadId: WORKLOAD,
                platformId: bytes16(uint128(i)),
                evidenceHash: bytes16(uint128(i))
            });
            enclaves.set(vm.addr(FIRST_ENCLAVE + i), enclave);
        }
    }

    /* WHAT USERS DO */

    /// @notice Opens a job; the second token is approved beforehand, the third permitted.
    function open(uint256 seed) external {
        JobOrder memory order = JobOrder({
            requester: accounts[seed % 3],
            programId: PROGRAM,
            workloadId: WORKLOAD,
            paramsHash: keccak256("{}"),
            datasets: new DatasetUse[](1 + _pick(seed, 1, 3)),
            resultKey: bytes32(seed),
            token: tokens[_pick(seed, 2, 3)],
            operatorFee: _pick(seed, 3, 1e18),
            failureFee: 0,
            operator: _pick(seed, 4, 2) == 0 ? address(0) : accounts[6 + _pick(seed, 5, 2)],
            deadline: uint64(block.timestamp + _pick(seed, 6, 6 hours)),
            nonce: _pick(seed, 7, 500)
        });
        order.failureFee = _pick(seed, 8, order.operatorFee + 1);
        Grant[] memory grants = new Grant[](order.datasets.length);
        uint256 cost = order.operatorFee;
        for (uint256 i = 0; i < grants.length; ++i) {
            grants[i] = _grant(uint256(keccak256(abi.encode(seed, i))), order);
            bytes32 grantHash = market.hashGrant(grants[i]);
            order.datasets[i] = DatasetUse(grants[i].datasetId, grantHash, grants[i].pricePerUse);
            cost += grants[i].pricePerUse;
            if (usesOf[grantHash] == 0) _grantHashes.push(grantHash);
            maxUsesOf[grantHash] = grants[i].maxUses;
        }
        if (_open(order, cost)) {
            Job storage job = _jobs.push();
            job.jobId = market.hashOrder(order);
            job.order = abi.encode(order);
            job.grants = abi.encode(grants);
            (job.token, job.deadline, job.cost, job.state) = (order.token, order.deadline, cost, JobState.Open);
        }
    }

    function _open(JobOrder memory order, uint256 cost) private returns (bool) {
        if (order.token == tokens[2]) {
            (uint8 v, bytes32 r, bytes32 s) = _signPermit(order.requester, cost);
            vm.prank(order.requester);
            try market.openWithPermit(order, "", "{}", block.timestamp, v, r, s) {
                return true;
            } catch {
                return _refused();
            }
        }
        vm.prank(order.requester);
        try market.open{ value: order.token == address(0) ? cost : 0 }(order, "", "{}") {
            return true;
        } catch {
            return _refused();
        }
    }

    /// @notice Settles a job with a receipt of either enclave, Ok or Failed, relayed by anyone.
    function settle(uint256 seed) external {
        if (_jobs.length == 0) return;
        uint256 index = _pick(seed, 1, _jobs.length);
        Job storage job = _jobs[index];
        JobOrder memory order = abi.decode(job.order, (JobOrder));
        uint256 enclave = _pick(seed, 2, 2);
        bool ok = _pick(seed, 3, 3) != 0;
        Receipt memory receipt = _receipt(job.jobId, ok);
        SignedGrant[] memory grants = ok ? _signed(abi.decode(job.grants, (Grant[]))) : new SignedGrant[](0);
        bytes memory signature = _sign(FIRST_ENCLAVE + enclave, market.hashReceipt(receipt));

        uint256 before = _credits(job.token);
        vm.prank(accounts[_pick(seed, 4, 9)]);
        try market.settle(index, order, receipt, signature, grants) {
            _ended(job, ok ? JobState.SettledOk : JobState.SettledFailed, before);
            if (ok) {
                _bookResult(order, accounts[6 + enclave], grants);
            } else {
                creditOf[accounts[6 + enclave]][order.token] += order.failureFee;
                creditOf[order.requester][order.token] += job.cost - order.failureFee;
            }
        } catch {
            _refused();
        }
    }

    /// @notice Cancels a job, by whom it may and by others.
    function cancel(uint256 seed) external {
        if (_jobs.length == 0) return;
        uint256 index = _pick(seed, 1, _jobs.length);
        Job storage job = _jobs[index];
        JobOrder memory order = abi.decode(job.order, (JobOrder));
        address caller = _pick(seed, 2, 4) == 0 ? accounts[_pick(seed, 3, 9)] : order.requester;
        uint256 before = _credits(job.token);
        vm.prank(caller);
        try market.cancel(index, order) {
            if (caller != order.requester) ++thefts;
            _ended(job, JobState.Cancelled, before);
            creditOf[order.requester][job.token] += job.cost;
        } catch {
            _refused();
        }
    }

    /// @notice Expires a job, in time and too early.
    function expire(uint256 seed) external {
        if (_jobs.length == 0) return;
        uint256 index = _pick(seed, 1, _jobs.length);
        Job storage job = _jobs[index];
        uint256 before = _credits(job.token);
        JobOrder memory order = abi.decode(job.order, (JobOrder));
        vm.prank(accounts[_pick(seed, 2, 9)]);
        try market.expire(index, order) {
            if (block.timestamp <= job.deadline) ++thefts;
            _ended(job, JobState.Expired, before);
            creditOf[order.requester][job.token] += job.cost;
        } catch {
            _refused();
        }
    }

    /// @notice Takes credit out, up to and beyond what there is.
    function withdraw(uint256 seed) external {
        address account = accounts[_pick(seed, 1, 9)];
        address token = tokens[_pick(seed, 2, 3)];
        uint256 amount = _pick(seed, 3, creditOf[account][token] + 2);
        vm.prank(account);
        try market.withdraw(token, account, amount) {
            creditOf[account][token] -= amount; // panics, and so shows, if it was more than there was
            ++withdrawals;
        } catch {
            _refused();
        }
    }

    /// @notice Takes consent back.
    function revoke(uint256 seed) external {
        uint256 i = _pick(seed, 1, 3);
        vm.prank(accounts[3 + i]);
        if (_pick(seed, 2, 4) == 0) {
            datasets.revokeAllGrants(_datasetIds[i]);
        } else {
            try datasets.revokeGrantNonce(_pick(seed, 3, 6)) { }
            catch {
                _refused();
            }
        }
    }

    /// @notice Lets time pass.
    function letTimePass(uint256 seed) external {
        vm.warp(block.timestamp + _pick(seed, 1, 2 hours));
    }

    /* WHAT ATTACKERS DO */

    /// @notice Presents an order with better terms, a receipt that was not signed, or grants of nobody.
    function steal(uint256 seed) external {
        if (_jobs.length == 0) return;
        uint256 index = _pick(seed, 1, _jobs.length);
        JobOrder memory order = abi.decode(_jobs[index].order, (JobOrder));
        Receipt memory receipt = _receipt(_jobs[index].jobId, true);
        SignedGrant[] memory grants = _signed(abi.decode(_jobs[index].grants, (Grant[])));
        uint256 key = FIRST_ENCLAVE;
        uint256 attack = _pick(seed, 2, 4);
        if (attack == 0) order.operatorFee += 1 + _pick(seed, 3, 1e18);
        if (attack == 1) key = 1 + _pick(seed, 3, 6);
        if (attack == 2) grants[0] = _signGrant(grants[0].grant, 1 + _pick(seed, 3, 3));
        if (attack == 3) receipt.jobId = _jobs[_pick(seed, 3, _jobs.length)].jobId ^ bytes32(uint256(1));
        bytes memory signature = _sign(key, market.hashReceipt(receipt));
        try market.settle(index, order, receipt, signature, grants) {
            ++thefts;
        } catch {
            _refused();
        }
    }

    /* BOOKS */

    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 index) external view returns (Job memory) {
        return _jobs[index];
    }

    function grantHashes() external view returns (bytes32[] memory) {
        return _grantHashes;
    }

    /// @dev All credit in `token`, as the market has it, of everyone who may have any.
    function _credits(address token) private view returns (uint256 sum) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += market.creditOf(accounts[i], token);
        }
    }

    function _ended(Job storage job, JobState state, uint256 creditsBefore) private {
        job.state = state;
        ++job.endings;
        job.credited += _credits(job.token) - creditsBefore;
    }

    function _bookResult(JobOrder memory order, address operator, SignedGrant[] memory grants) private {
        creditOf[operator][order.token] += order.operatorFee;
        for (uint256 i = 0; i < grants.length; ++i) {
            uint256 owner = 3;
            while (_datasetIds[owner - 3] != grants[i].grant.datasetId) ++owner;
            creditOf[accounts[owner]][order.token] += grants[i].grant.pricePerUse;
            ++usesOf[order.datasets[i].grantHash];
        }
    }

    function _refused() private returns (bool) {
        ++refusals;
        return false;
    }

    /* TERMS */

    function _grant(uint256 seed, JobOrder memory order) private view returns (Grant memory) {
        uint256 i = _pick(seed, 1, 3);
        (, uint32 epoch) = datasets.consentOf(_datasetIds[i]);
        return Grant({
            datasetId: _datasetIds[i],
            programId: PROGRAM,
            workloadId: WORKLOAD,
            requester: address(0),
            operator: _pick(seed, 2, 4) == 0 ? accounts[6] : address(0),
            token: order.token,
            pricePerUse: _pick(seed, 3, 2) * 1e15,
            maxUses: uint64(_pick(seed, 4, 3)),
            notBefore: 0,
            notAfter: uint64(NOW + 365 days),
            resultReaders: new bytes32[](0),
            epoch: epoch,
            nonce: _pick(seed, 5, 2)
        });
    }

    function _receipt(bytes32 jobId, bool ok) private pure returns (Receipt memory receipt) {
        receipt.jobId = jobId;
        receipt.status = ok ? ReceiptStatus.Ok : ReceiptStatus.Failed;
        receipt.programId = PROGRAM;
        receipt.workloadId = WORKLOAD;
        receipt.paramsHash = keccak256("{}");
        receipt.resultHash = ok ? keccak256("result") : bytes32(0);
        receipt.outputCommitment = receipt.resultHash;
        receipt.failureCode = ok ? FailureCode.None : FailureCode.FuelExhausted;
        receipt.anchorBlock = uint64(BLOCK - 1);
        receipt.anchorHash = keccak256("anchor");
    }

    function _signed(Grant[] memory grants) private view returns (SignedGrant[] memory signed) {
        signed = new SignedGrant[](grants.length);
        for (uint256 i = 0; i < grants.length; ++i) {
            uint256 owner = 0;
            while (_datasetIds[owner] != grants[i].datasetId) ++owner;
            signed[i] = _signGrant(grants[i], FIRST_OWNER + owner);
        }
    }

    function _signGrant(Grant memory grant, uint256 key) private view returns (SignedGrant memory) {
        return SignedGrant(grant, _sign(key, market.hashGrant(grant)));
    }

    function _signPermit(address owner, uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        uint256 key = owner == accounts[0] ? 1 : owner == accounts[1] ? 2 : 3;
        TestToken token = TestToken(tokens[2]);
        bytes32 structHash =
            keccak256(abi.encode(PERMIT, owner, address(market), value, token.nonces(owner), block.timestamp));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev A number below `limit` from one seed, another for each `salt`.
    function _pick(uint256 seed, uint256 salt, uint256 limit) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % limit;
    }
}
