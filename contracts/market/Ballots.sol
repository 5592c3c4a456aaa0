// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../interfaces/IJobMarket.sol";

/// @title Ballots
/// @notice Part of JobMarket: what enclaves have said of jobs that several must agree on. Touches no money, calls nobody.
abstract contract Ballots {
    struct Vote {
        bytes16 platformId;
        address operator;
    }

    struct Ballot {
        bytes32 outputCommitment;
        Vote[] votes;
    }

    mapping(bytes32 jobId => Ballot) private _ballots;

    function _ballotOf(bytes32 jobId) internal view returns (Ballot storage) {
        return _ballots[jobId];
    }

    /// @dev Casts a vote. At most as many as the order's quorum are ever cast.
    /// @param outputCommitment Zero for Failed.
    /// @return agrees Whether it is what those before have said; if not, it is not counted.
    /// @return votes How many have said so, with this.
    function _vote(bytes32 jobId, bytes32 outputCommitment, bytes16 platformId, address operator)
        internal
        returns (bool agrees, uint256 votes)
    {
        Ballot storage ballot = _ballots[jobId];
        votes = ballot.votes.length;
        for (uint256 i = 0; i < votes; ++i) {
            require(
                ballot.votes[i].platformId != platformId, IJobMarket.JobMarket_SamePlatform(jobId, platformId)
            );
        }
        if (votes == 0) ballot.outputCommitment = outputCommitment;
        else if (ballot.outputCommitment != outputCommitment) return (false, votes);
        ballot.votes.push(Vote(platformId, operator));
        return (true, votes + 1);
    }
}
