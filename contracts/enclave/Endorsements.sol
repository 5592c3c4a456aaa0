// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Endorsement, IEndorsements } from "../interfaces/IEndorsements.sol";

/// @title Endorsements
/// @notice Keeps what each auditor last said of each workload. Nobody speaks for another; nothing reads it but people.
contract Endorsements is IEndorsements {
    uint256 private constant MAX_URI_SIZE = 512;

    mapping(address auditor => mapping(bytes32 workloadId => Endorsement)) private _endorsements;

    /// @inheritdoc IEndorsements
    function endorse(bytes32 workloadId, bytes32 sourceHash, string calldata uri) external {
        require(workloadId != 0 && sourceHash != 0, Endorsements_ZeroHash());
        uint256 size = bytes(uri).length;
        require(size != 0 && size <= MAX_URI_SIZE, Endorsements_BadUriLength(size, MAX_URI_SIZE));

        // 40 bits of seconds outlast any chain.
        _endorsements[msg.sender][workloadId] = Endorsement(sourceHash, uint40(block.timestamp), 0);
        emit Endorsed(msg.sender, workloadId, sourceHash, uri);
    }

    /// @inheritdoc IEndorsements
    function withdraw(bytes32 workloadId, string calldata reasonUri) external {
        uint256 size = bytes(reasonUri).length;
        require(size <= MAX_URI_SIZE, Endorsements_BadUriLength(size, MAX_URI_SIZE));
        Endorsement storage entry = _endorsements[msg.sender][workloadId];
        require(
            entry.endorsedAt != 0 && entry.withdrawnAt == 0, Endorsements_NotEndorsed(msg.sender, workloadId)
        );

        entry.withdrawnAt = uint40(block.timestamp); // as above
        emit EndorsementWithdrawn(msg.sender, workloadId, reasonUri);
    }

    /// @inheritdoc IEndorsements
    function endorsement(address auditor, bytes32 workloadId) external view returns (Endorsement memory) {
        return _endorsements[auditor][workloadId];
    }
}
