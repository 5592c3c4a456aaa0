// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DemotionReason,
    Enclave,
    EnclaveState,
    IEnclaveRegistry
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { TcbEvidence, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";

/// @notice A log as the test EVM records it.
struct Log {
    bytes32[] topics;
    bytes data;
    address emitter;
}

interface LogVm {
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function getBlockNumber() external view returns (uint256);
    function getBlockTimestamp() external view returns (uint256);
}

/// @notice A listener: knows nothing of the registry but its events, and rebuilds its whole state from them.
contract RegistryReplay {
    error UnknownEvent(bytes32 topic);

    LogVm private constant vm = LogVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address private immutable _registry;
    mapping(address signingKey => Enclave) private _enclaves;
    mapping(address signingKey => bytes32) private _vaultKeyHashes;
    uint256 public eventCount;

    constructor(address registry) {
        _registry = registry;
    }

    function start() external {
        vm.recordLogs();
    }

    /// @notice What the events say is recorded of `signingKey`; all zero if they say nothing.
    function enclave(address signingKey) external view returns (Enclave memory) {
        return _enclaves[signingKey];
    }

    /// @notice Reads what was emitted since it was last asked, all of it in this block.
    function readEvents() external {
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != _registry) continue;
            ++eventCount;
            address signingKey = address(uint160(uint256(logs[i].topics[1])));
            _read(logs[i], _enclaves[signingKey], signingKey);
        }
    }

    function _read(Log memory log, Enclave storage entry, address signingKey) private {
        bytes32 topic = log.topics[0];
        if (topic == IEnclaveRegistry.EnclaveRegistered.selector) {
            _readRegistered(log, entry, signingKey);
        } else if (topic == IEnclaveRegistry.EnclaveRenewed.selector) {
            (TcbStatus status, uint64 expiresAt, TcbEvidence memory tcb) =
                abi.decode(log.data, (TcbStatus, uint64, TcbEvidence));
            _readVerdict(entry, signingKey, status, expiresAt, tcb);
        } else if (topic == IEnclaveRegistry.EnclaveRetired.selector) {
            entry.state = EnclaveState.Retired;
        } else {
            require(topic == IEnclaveRegistry.EnclaveDemoted.selector, UnknownEvent(topic));
            bool expired = DemotionReason(uint256(log.topics[2])) == DemotionReason.Expired;
            entry.state = expired ? EnclaveState.Expired : EnclaveState.Demoted;
        }
    }

    function _readRegistered(Log memory log, Enclave storage entry, address signingKey) private {
        (
            ,
            bytes16 platformId,
            TcbStatus status,
            uint64 expiresAt,
            bytes memory vaultKey,,
            TcbEvidence memory tcb
        ) = abi.decode(log.data, (bytes32, bytes16, TcbStatus, uint64, bytes, string, TcbEvidence));
        entry.operator = address(uint160(uint256(log.topics[2])));
        entry.registeredAtBlock = uint40(vm.getBlockNumber());
        entry.workloadId = log.topics[3];
        entry.platformId = platformId;
        _vaultKeyHashes[signingKey] = keccak256(vaultKey);
        _readVerdict(entry, signingKey, status, expiresAt, tcb);
    }

    function _readVerdict(
        Enclave storage entry,
        address signingKey,
        TcbStatus status,
        uint64 expiresAt,
        TcbEvidence memory tcb
    ) private {
        entry.state = EnclaveState.Active;
        (entry.tcbStatus, entry.expiresAt) = (status, uint40(expiresAt));
        entry.evidenceHash =
            bytes16(keccak256(abi.encode(_vaultKeyHashes[signingKey], keccak256(abi.encode(tcb)))));
    }
}
