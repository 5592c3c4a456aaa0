// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { Grant, JobOrder } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Jobs under other grants than the usual ones. Each grant is signed by its owner and named in the order by its
/// hash: what is refused is refused for its terms.
abstract contract ConsentTest is MarketTest {
    /// @dev A job whose second data set is used under `grant`, signed by `key`.
    function _jobUnder(Grant memory grant, uint256 key) internal returns (Settlement memory it) {
        JobOrder memory order = _order(address(0));
        order.datasets[1].grantHash = market.hashGrant(grant);
        it = _openJob(order);
        it.grants[1] = _signGrant(grant, key);
    }

    function _jobUnder(Grant memory grant) internal returns (Settlement memory) {
        return _jobUnder(grant, _ownerKey(1));
    }

    /// @dev Under `grant`, which is for something else than the order: the one that the market makes of it is another.
    function _notForOrder(Grant memory grant) internal {
        _notForOrder(_jobUnder(grant), grant);
    }

    function _notForOrder(Settlement memory it, Grant memory grant) internal {
        bytes32 named = market.hashGrant(grant);
        (grant.datasetId, grant.programId, grant.workloadId) = (datasetIds[1], PROGRAM, WORKLOAD);
        (grant.requester, grant.operator, grant.token) = (requester, operator, address(0));
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector, 1, market.hashGrant(grant), named
            )
        );
    }

    function _usual() internal view returns (Grant memory) {
        return _grant(1, address(0));
    }

    function _revoked(Settlement memory it) internal {
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantRevoked.selector, it.order.datasets[1].grantHash)
        );
    }

    function _badSignature(Settlement memory it, address owner) internal {
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantBadSignature.selector, it.order.datasets[1].grantHash, owner
            )
        );
    }
}
