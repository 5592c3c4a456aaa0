// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket, JobState } from "../interfaces/IJobMarket.sol";

/// @title JobBook
/// @notice Part of JobMarket: which jobs there are and where each stands. Touches no money, calls nobody.
/// @dev First base of JobMarket, so that its storage starts at slot 0 and can be proved: slot 0 holds the number of
/// jobs, slot keccak256(abi.encode(index, 1)) the job at `index`. An entry is the job id with its lowest byte replaced
/// by the state; the 248 bits that are left still name one order.
abstract contract JobBook is IJobMarket {
    uint256 private _jobCount;
    mapping(uint256 index => bytes32 entry) private _jobs;
    /// @dev Bitmap: bit `nonce % 256` of word `nonce / 256`.
    mapping(address requester => mapping(uint256 word => uint256 bits)) private _usedNonces;

    /// @inheritdoc IJobMarket
    function jobCount() external view returns (uint256) {
        return _jobCount;
    }

    /// @inheritdoc IJobMarket
    function jobState(uint256 index, bytes32 jobId) external view returns (JobState) {
        bytes32 entry = _jobs[index];
        return _isFor(entry, jobId) ? _stateOf(entry) : JobState.None;
    }

    /// @inheritdoc IJobMarket
    function isNonceUsed(address requester, uint256 nonce) public view returns (bool) {
        return (_usedNonces[requester][nonce >> 8] >> (nonce & 0xff)) & 1 != 0;
    }

    /// @dev The nonce is part of the job id, so a job id is recorded at most once.
    function _useNonce(address requester, uint256 nonce) internal {
        require(!isNonceUsed(requester, nonce), JobMarket_NonceUsed(requester, nonce));
        _usedNonces[requester][nonce >> 8] |= 1 << (nonce & 0xff);
    }

    function _record(bytes32 jobId) internal returns (uint256 index) {
        index = _jobCount++;
        _jobs[index] = _entryOf(jobId, JobState.Open);
    }

    function _requireOpen(uint256 index, bytes32 jobId) internal view {
        bytes32 entry = _jobs[index];
        require(_isFor(entry, jobId), JobMarket_UnknownJob(index, jobId));
        require(_stateOf(entry) == JobState.Open, JobMarket_NotOpen(jobId, _stateOf(entry)));
    }

    /// @dev The caller has seen `_requireOpen` pass: a job ends once.
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
