// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { JobState } from "../interfaces/MarketTypes.sol";

/// @title JobBook
/// @notice Part of JobMarket: which jobs there are, where each stands, who has accepted it, and which nonces are used.
/// Touches no money, calls nobody.
/// @dev First base of MarketBase, so that its storage starts at slot 0 and can be proved: slot 0 holds the number of
/// jobs, slot keccak256(abi.encode(index, 1)) the job at `index`. An entry is the job id with its lowest byte replaced
/// by the state; the 248 bits that are left still name one order.
abstract contract JobBook {
    /// @dev Zeros: nobody has.
    struct Acceptance {
        address signer;
        address bonder;
    }

    uint256 private _jobCount;
    mapping(uint256 index => bytes32 entry) private _jobs;
    /// @dev Bitmap: bit `nonce % 256` of word `nonce / 256`.
    mapping(address account => mapping(uint256 word => uint256 bits)) private _usedNonces;
    mapping(bytes32 jobId => Acceptance) private _acceptances;

    function _count() internal view returns (uint256) {
        return _jobCount;
    }

    function _state(uint256 index, bytes32 jobId) internal view returns (JobState) {
        bytes32 entry = _jobs[index];
        return _isFor(entry, jobId) ? _stateOf(entry) : JobState.None;
    }

    function _acceptanceOf(bytes32 jobId) internal view returns (Acceptance memory) {
        return _acceptances[jobId];
    }

    function _isNonceUsed(address account, uint256 nonce) internal view returns (bool) {
        return (_usedNonces[account][nonce >> 8] >> (nonce & 0xff)) & 1 != 0;
    }

    /// @dev The nonce is part of the job id, so a job id is recorded or settled at most once.
    function _useNonce(address account, uint256 nonce) internal {
        uint256 bits = _usedNonces[account][nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        require(bits & bit == 0, IJobMarket.JobMarket_NonceUsed(account, nonce));
        _usedNonces[account][nonce >> 8] = bits | bit;
    }

    function _record(bytes32 jobId) internal returns (uint256 index) {
        index = _jobCount++;
        _jobs[index] = _entryOf(jobId, JobState.Open);
    }

    function _recordAcceptance(uint256 index, bytes32 jobId, address signer, address bonder) internal {
        _jobs[index] = _entryOf(jobId, JobState.Accepted);
        _acceptances[jobId] = Acceptance(signer, bonder);
    }

    /// @dev Open, or accepted.
    function _requireUnsettled(uint256 index, bytes32 jobId) internal view returns (JobState state) {
        bytes32 entry = _jobs[index];
        require(_isFor(entry, jobId), IJobMarket.JobMarket_UnknownJob(index, jobId));
        state = _stateOf(entry);
        require(state == JobState.Open || state == JobState.Accepted, IJobMarket.JobMarket_NotOpen(jobId, state));
    }

    /// @dev Open, and not accepted.
    function _requireOpen(uint256 index, bytes32 jobId) internal view {
        JobState state = _requireUnsettled(index, jobId);
        require(state == JobState.Open, IJobMarket.JobMarket_NotOpen(jobId, state));
    }

    /// @dev The caller has seen `_requireUnsettled` pass: a job ends once.
    function _end(uint256 index, bytes32 jobId, JobState state) internal {
        _jobs[index] = _entryOf(jobId, state);
    }

    function _entryOf(bytes32 jobId, JobState state) private pure returns (bytes32) {
        return (jobId >> 8 << 8) | bytes32(uint256(state));
    }

    function _isFor(bytes32 entry, bytes32 jobId) private pure returns (bool) {
        return entry >> 8 == jobId >> 8 && entry != 0;
    }

    /// @dev The conversion reverts above the last state, which `_entryOf` never writes.
    function _stateOf(bytes32 entry) private pure returns (JobState) {
        return JobState(uint8(uint256(entry)));
    }
}
