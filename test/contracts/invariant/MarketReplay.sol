// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Dataset, IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { FailureCode, JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { Log, LogVm } from "./RegistryReplay.sol";

/// @notice A listener: knows nothing of the market and its data sets but their events, and who runs each enclave, which the
/// enclave registry's events tell (see RegistryReplay). Rebuilds all that the two contracts store.
abstract contract MarketReplay {
    struct Job {
        bytes32 jobId;
        JobState state;
        address acceptedBy;
        address bonder;
        bytes32 said;
        bytes16[] platformIds;
        address[] operators;
    }

    /// @notice An event that this listener does not know.
    error UnknownEvent(bytes32 topic);
    /// @notice An event that cannot follow on those before it.
    error ImpossibleEvent(bytes32 topic, bytes32 id);

    LogVm internal constant vm = LogVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant LARGE_NONCE = 224;

    address private immutable _market;
    address private immutable _datasets;
    mapping(address signer => bytes16) private _platformOf;
    mapping(address signer => address) internal _operatorOf;

    uint256 public eventCount;
    mapping(address account => mapping(address token => uint256)) public creditOf;
    mapping(address token => uint256) public owedOf;
    /// @notice Units that stand in escrow for a job or session.
    mapping(bytes32 source => uint256) public lockedOf;
    mapping(address account => mapping(uint256 nonce => bool)) public isNonceUsed;
    /// @notice Uses of a grant that is paid or limited. The market stores those of limited ones.
    mapping(bytes32 grantHash => uint64) public grantUses;

    Job[] private _jobs;
    mapping(bytes32 jobId => bytes order) private _orders;

    mapping(bytes32 datasetId => Dataset) private _entries;
    mapping(bytes32 datasetId => bytes) private _payees;
    mapping(bytes32 datasetId => address) public pendingOwnerOf;
    mapping(address owner => uint32) public ownerEpochOf;
    mapping(address owner => mapping(uint256 epoch => mapping(uint256 nonce => bool))) private _revoked;

    constructor(address market, address datasets) {
        (_market, _datasets) = (market, datasets);
    }

    function start() external {
        vm.recordLogs();
    }

    function addEnclave(address signer, address operator, bytes16 platformId) external {
        (_operatorOf[signer], _platformOf[signer]) = (operator, platformId);
    }

    /// @notice Forgets what was emitted by a call that was undone.
    function skipEvents() external {
        vm.getRecordedLogs();
    }

    /// @notice Reads what was emitted since it was last asked.
    function readEvents() external {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != _market && logs[i].emitter != _datasets) continue;
            ++eventCount;
            bool known = logs[i].emitter == _datasets
                ? _readDataset(logs[i].topics[0], logs[i])
                : _readMoney(logs[i].topics[0], logs[i]) || _readJob(logs[i].topics[0], logs[i])
                    || _readSettled(logs[i].topics[0], logs[i]) || _readSession(logs[i].topics[0], logs[i]);
            require(known, UnknownEvent(logs[i].topics[0]));
        }
    }

    /* MONEY */

    function _readMoney(bytes32 topic, Log memory log) private returns (bool) {
        if (topic == ILedger.Deposited.selector) {
            uint256 amount = abi.decode(log.data, (uint256));
            unchecked {
                creditOf[_account(log, 1)][_account(log, 2)] += amount;
            }
            owedOf[_account(log, 2)] += amount;
        } else if (topic == ILedger.Withdrawn.selector) {
            (uint256 amount,) = abi.decode(log.data, (uint256, uint256));
            creditOf[_account(log, 1)][_account(log, 2)] -= amount;
            owedOf[_account(log, 2)] -= amount;
        } else if (topic == ILedger.Credited.selector) {
            uint256 amount = abi.decode(log.data, (uint256));
            unchecked {
                creditOf[_account(log, 1)][_account(log, 2)] += amount;
                lockedOf[log.topics[3]] -= amount; // a group of orders is charged after: below zero for a while
            }
        } else if (topic == ILedger.Debited.selector) {
            _charge(_account(log, 1), _account(log, 2), log.topics[3], abi.decode(log.data, (uint256)));
        } else {
            return false;
        }
        return true;
    }

    /// @dev Unchecked: what a job is paid with may be heard of after the job.
    function _charge(address account, address token, bytes32 source, uint256 amount) internal {
        unchecked {
            creditOf[account][token] -= amount;
            lockedOf[source] += amount;
        }
    }

    function _costOf(JobOrder memory order) internal pure returns (uint256 cost) {
        cost = order.quorum * order.operatorFee;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            cost += order.datasets[i].maxPrice;
        }
    }

    /// @dev Whether it is an event of a session, which is then read.
    function _readSession(bytes32 topic, Log memory log) internal virtual returns (bool);

    /* JOBS */

    function _readJob(bytes32 topic, Log memory log) private returns (bool) {
        if (topic == IJobMarket.NonceCancelled.selector) {
            _useNonce(_account(log, 1), uint256(log.topics[2]));
            return true;
        }
        if (topic == IJobMarket.JobOpened.selector) {
            (JobOrder memory order,,) = abi.decode(log.data, (JobOrder, string, bytes));
            require(uint256(log.topics[2]) == _jobs.length, ImpossibleEvent(topic, log.topics[1]));
            require(order.requester == _account(log, 3), ImpossibleEvent(topic, log.topics[1]));
            Job storage opened = _jobs.push();
            (opened.jobId, opened.state) = (log.topics[1], JobState.Open);
            _orders[log.topics[1]] = abi.encode(order);
            _useNonce(order.requester, order.nonce);
            _charge(order.payer, order.token, log.topics[1], _costOf(order));
            return true;
        }
        if (topic == IJobMarket.JobAccepted.selector) {
            Job storage job = _move(log, JobState.Accepted);
            (job.acceptedBy, job.bonder) = (_account(log, 3), abi.decode(log.data, (address)));
        } else if (topic == IJobMarket.JobCancelled.selector) {
            _move(log, JobState.Cancelled);
        } else if (topic == IJobMarket.JobExpired.selector) {
            _move(log, JobState.Expired);
        } else if (topic == IJobMarket.JobDisagreed.selector) {
            _move(log, JobState.Disagreed);
        } else {
            return false;
        }
        return true;
    }

    function _readSettled(bytes32 topic, Log memory log) private returns (bool) {
        if (topic == IJobMarket.ReceiptCounted.selector) {
            (bytes16 platformId,, bytes32 said) = abi.decode(log.data, (bytes16, bytes32, bytes32));
            Job storage job = _jobs[uint256(log.topics[2])];
            if (job.operators.length == 0) job.said = said;
            require(said == job.said, ImpossibleEvent(topic, log.topics[1]));
            _count(job, _account(log, 3));
            require(platformId == _platformOf[_account(log, 3)], ImpossibleEvent(topic, log.topics[1]));
        } else if (topic == IJobMarket.JobSettled.selector) {
            (,, uint16 countedGrants, FailureCode code) =
                abi.decode(log.data, (bytes32, bytes32, uint16, FailureCode));
            Job storage job = _move(log, code == FailureCode.None ? JobState.SettledOk : JobState.SettledFailed);
            JobOrder memory order = abi.decode(_orders[log.topics[1]], (JobOrder));
            if (order.quorum > 1) _count(job, _account(log, 3));
            _countUses(order, countedGrants, 1);
        } else if (topic == IJobMarket.OrderSettled.selector) {
            (uint256 nonce,,,) = abi.decode(log.data, (uint256, bytes32, bytes32, FailureCode));
            _useNonce(_account(log, 2), nonce);
        } else if (topic == IJobMarket.OrderGroupSettled.selector) {
            (uint256 charged, uint64 okCount, bytes32[] memory hashes) =
                abi.decode(log.data, (uint256, uint64, bytes32[]));
            _charge(_account(log, 2), _account(log, 3), log.topics[1], charged);
            for (uint256 i = 0; i < hashes.length; ++i) {
                grantUses[hashes[i]] += okCount;
            }
        } else {
            return false;
        }
        return true;
    }

    /// @dev A job that has ended does not move any more.
    function _move(Log memory log, JobState to) private returns (Job storage job) {
        job = _jobs[uint256(log.topics[2])];
        bool lives = job.state == JobState.Open || job.state == JobState.Accepted;
        require(lives && job.jobId == log.topics[1], ImpossibleEvent(log.topics[0], log.topics[1]));
        job.state = to;
    }

    function _count(Job storage job, address signer) private {
        job.platformIds.push(_platformOf[signer]);
        job.operators.push(_operatorOf[signer]);
    }

    function _countUses(JobOrder memory order, uint16 countedGrants, uint64 uses) internal {
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            if ((countedGrants >> i) & 1 != 0) grantUses[order.datasets[i].grantHash] += uses;
        }
    }

    function _useNonce(address account, uint256 nonce) internal {
        require(!isNonceUsed[account][nonce], ImpossibleEvent(bytes32(nonce), bytes32(uint256(uint160(account)))));
        isNonceUsed[account][nonce] = true;
    }

    /* DATA SETS */

    function _readDataset(bytes32 topic, Log memory log) private returns (bool) {
        if (topic == IDatasetRegistry.OwnerGrantsRevoked.selector) {
            ownerEpochOf[_account(log, 1)] = abi.decode(log.data, (uint32));
            return true;
        }
        if (topic == IDatasetRegistry.GrantNonceRevoked.selector) {
            (address owner, uint256 nonce) = (_account(log, 1), uint256(log.topics[2]));
            _revoked[owner][_epochFor(owner, nonce)][nonce] = true;
            return true;
        }
        bytes32 datasetId = log.topics[1];
        Dataset storage entry = _entries[datasetId];
        if (topic == IDatasetRegistry.DatasetRegistered.selector) {
            _readRegistered(log, entry, datasetId);
        } else if (topic == IDatasetRegistry.DatasetUpdated.selector) {
            (string memory uri, string memory metadata) = abi.decode(log.data, (string, string));
            (entry.uri, entry.metadataHash) = (uri, keccak256(bytes(metadata)));
        } else if (topic == IDatasetRegistry.DatasetOffered.selector) {
            pendingOwnerOf[datasetId] = _account(log, 3);
        } else if (topic == IDatasetRegistry.DatasetTransferred.selector) {
            (entry.owner, entry.epoch) = (_account(log, 3), abi.decode(log.data, (uint32)));
            pendingOwnerOf[datasetId] = address(0);
        } else if (topic == IDatasetRegistry.DatasetRetired.selector) {
            entry.retired = true;
            pendingOwnerOf[datasetId] = address(0);
        } else if (topic == IDatasetRegistry.GrantsRevoked.selector) {
            entry.epoch = abi.decode(log.data, (uint32));
        } else {
            return false;
        }
        return true;
    }

    function _readRegistered(Log memory log, Dataset storage entry, bytes32 datasetId) private {
        string memory metadata;
        Payee[] memory payees;
        (entry.contentHash, entry.salt, entry.sizeBytes, entry.uri, metadata, payees) =
            abi.decode(log.data, (bytes32, bytes32, uint48, string, string, Payee[]));
        entry.owner = _account(log, 2);
        entry.metadataHash = keccak256(bytes(metadata));
        entry.payeeCount = uint8(payees.length);
        _payees[datasetId] = abi.encode(payees);
    }

    /* VIEWS */

    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 index) external view returns (Job memory) {
        return _jobs[index];
    }

    function dataset(bytes32 datasetId) external view returns (Dataset memory) {
        return _entries[datasetId];
    }

    function payeesOf(bytes32 datasetId) external view returns (Payee[] memory) {
        return abi.decode(_payees[datasetId], (Payee[]));
    }

    function isGrantNonceRevoked(address owner, uint256 nonce) external view returns (bool) {
        return _revoked[owner][_epochFor(owner, nonce)][nonce];
    }

    function _epochFor(address owner, uint256 nonce) private view returns (uint256) {
        return nonce < LARGE_NONCE ? ownerEpochOf[owner] : type(uint256).max;
    }

    function _account(Log memory log, uint256 topic) private pure returns (address) {
        return address(uint160(uint256(log.topics[topic])));
    }
}
