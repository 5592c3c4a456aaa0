// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { JobOrder, Offer, SignedOffer } from "../interfaces/MarketTypes.sol";
import { JobTypes } from "./JobTypes.sol";
import { Signed } from "./Signed.sol";

/// @title Offers
/// @notice Part of JobMarket: what an operator is paid for a job that ended Ok. Moves no money. Calls operators that are
/// contracts for their word (ERC-1271), as static calls.
abstract contract Offers is Signed {
    /// @dev One offer is shown where the order names one, none where it does not.
    function _requireOfferShown(JobOrder calldata order, SignedOffer[] calldata shown) internal pure {
        require(
            shown.length == (order.offerHash == 0 ? 0 : 1),
            IJobMarket.JobMarket_OfferMismatch(bytes32(0), order.offerHash)
        );
    }

    /// @dev Checks the offer that is shown, if one is.
    /// @param latestDeadline The latest deadline among the orders that are settled.
    function _requireOffer(
        JobOrder calldata order,
        uint64 latestDeadline,
        address operator,
        SignedOffer[] calldata shown
    ) internal view {
        _requireOfferShown(order, shown);
        if (shown.length == 0) return;
        Offer calldata offer = shown[0].offer;
        bytes32 offerHash = _hashTypedDataV4(JobTypes.hash(offer));
        require(offerHash == order.offerHash, IJobMarket.JobMarket_OfferMismatch(offerHash, order.offerHash));
        require(
            offer.operator == operator && offer.workloadId == order.workloadId && offer.token == order.token
                && latestDeadline <= offer.validUntil,
            IJobMarket.JobMarket_OfferNotForOrder(offerHash)
        );
        (bool signed,) = _isSignedBy(operator, offerHash, shown[0].signature);
        require(signed, IJobMarket.JobMarket_OfferBadSignature(offerHash, operator));
    }

    /// @dev What the operator is paid for one job, after `_requireOffer`. Never more than the order's fee, whatever the
    /// offer's price comes to; it panics (0x11) if that is above 2^256 - 1.
    function _feeOf(JobOrder calldata order, uint32 runSeconds, SignedOffer[] calldata shown)
        internal
        pure
        returns (uint256 fee)
    {
        if (order.offerHash == 0) return order.operatorFee;
        fee = shown[0].offer.fee + shown[0].offer.pricePerSecond * runSeconds;
        if (fee > order.operatorFee) fee = order.operatorFee;
    }
}
