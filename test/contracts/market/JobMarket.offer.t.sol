// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobOrder, JobState, Offer, ShownGrant, SignedOffer } from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.settle.tree that concern the operator's offer. The usual offer: 10, and 2 for each second.
contract JobMarketOfferTest is MarketTest {
    function _usual() private view returns (Offer memory) {
        return _offer(_order(address(0)));
    }

    /// @dev A job under `offer` whose run took `runSeconds`, at most for `operatorFee`.
    function _jobUnder(Offer memory offer, uint256 operatorFee, uint32 runSeconds)
        private
        returns (Settlement memory it)
    {
        JobOrder memory order = _order(address(0));
        (order.offerHash, order.operatorFee) = (market.hashOffer(offer), operatorFee);
        vm.deal(requester, type(uint256).max / 2);
        it = _openJob(order);
        it.outcome.runSeconds = runSeconds;
        it.offer = _signOffer(offer);
        _sign(it);
    }

    /* PRICE */

    function testFuzz_ShouldChargeTheOffersPriceUpToTheFee(uint64 fee, uint64 perSecond, uint32 time, uint128 limit)
        public
    {
        limit = uint128(bound(limit, FAILURE_FEE, type(uint128).max));
        Offer memory offer = _usual();
        (offer.fee, offer.pricePerSecond) = (fee, perSecond);
        _settle(_jobUnder(offer, limit, time));
        uint256 due = uint256(fee) + uint256(perSecond) * time;
        if (due > limit) due = limit;
        assertCredit(operator, address(0), due);
        assertCredit(requester, address(0), limit - due);
        assertCredit(_owner(1), address(0), 200);
    }

    function test_WhenFailed_ShouldChargeTheFailureFeeAlone() public {
        Settlement memory it = _jobUnder(_usual(), FEE, 5);
        _setFailed(it);
        _settle(it);
        assertCredit(operator, address(0), FAILURE_FEE);
    }

    /// @dev An offer that nobody can count is its operator's loss: the job ends without it.
    function test_RevertWhen_PriceOverflows() public {
        Offer memory offer = _usual();
        offer.pricePerSecond = type(uint256).max;
        Settlement memory it = _jobUnder(offer, FEE, 2);
        _settleReverts(it, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    function test_WhenTheOrderNamesNone_ShouldChargeTheFeeWhateverTheTime() public {
        Settlement memory it = _openJob();
        it.outcome.runSeconds = type(uint32).max;
        _sign(it);
        _settle(it);
        assertCredit(operator, address(0), FEE);
    }

    /* WHICH */

    function _mismatch(Settlement memory it, bytes32 shown) private {
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_OfferMismatch.selector, shown, it.order.offerHash)
        );
    }

    function test_RevertWhen_NotShown() public {
        Settlement memory it = _jobUnder(_usual(), FEE, 5);
        it.offer = new SignedOffer[](0);
        _mismatch(it, 0);
    }

    function test_RevertWhen_ShownTwice() public {
        Settlement memory it = _jobUnder(_usual(), FEE, 5);
        SignedOffer memory offer = it.offer[0];
        it.offer = new SignedOffer[](2);
        (it.offer[0], it.offer[1]) = (offer, offer);
        _mismatch(it, 0);
    }

    function test_RevertWhen_ShownButNotNamed() public {
        Settlement memory it = _openJob();
        it.offer = _signOffer(_usual());
        _mismatch(it, 0);
    }

    /// @dev A dearer offer of the same operator, signed well.
    function test_RevertWhen_NotTheOneNamed() public {
        Settlement memory it = _jobUnder(_usual(), FEE, 5);
        Offer memory dearer = _usual();
        dearer.fee += 1;
        it.offer = _signOffer(dearer);
        _mismatch(it, market.hashOffer(dearer));
    }

    function _notForOrder(Offer memory offer) private {
        _settleReverts(
            _jobUnder(offer, FEE, 5),
            abi.encodeWithSelector(IJobMarket.JobMarket_OfferNotForOrder.selector, market.hashOffer(offer))
        );
    }

    function test_RevertWhen_OfOtherOperator() public {
        Offer memory offer = _usual();
        offer.operator = stranger;
        _notForOrder(offer);
    }

    function test_RevertWhen_ForOtherWorkload() public {
        Offer memory offer = _usual();
        offer.workloadId = keccak256("other");
        _notForOrder(offer);
    }

    function test_RevertWhen_ForOtherToken() public {
        Offer memory offer = _usual();
        offer.token = address(token);
        _notForOrder(offer);
    }

    function test_RevertWhen_EndsBeforeTheDeadline() public {
        Offer memory offer = _usual();
        offer.validUntil = DEADLINE - 1;
        _notForOrder(offer);
    }

    /* SIGNATURE */

    function test_RevertWhen_NotSignedByTheOperator() public {
        Settlement memory it = _jobUnder(_usual(), FEE, 5);
        it.offer[0].signature = _signature(REQUESTER_KEY, it.order.offerHash);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_OfferBadSignature.selector, it.order.offerHash, operator
            )
        );
    }

    function test_GivenContractOperator_ShouldTakeItsWord() public {
        ContractAccount account = new ContractAccount();
        _attest(ENCLAVE_KEY, address(account), "platform");
        JobOrder memory order = _order(address(0));
        Offer memory offer = _usual();
        offer.operator = address(account);
        (order.operator, order.offerHash) = (address(account), market.hashOffer(offer));
        Settlement memory it = _openJob(order);
        it.outcome.countedGrants = 0; // those name another operator
        it.grants = new ShownGrant[](0);
        it.outcome.runSeconds = 4;
        it.offer = new SignedOffer[](1);
        it.offer[0] = SignedOffer(offer, "as agreed");
        _sign(it);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_OfferBadSignature.selector, order.offerHash, address(account)
            )
        );
        account.approveHash(order.offerHash, "as agreed");
        _settle(it);
        assertState(it.index, market.hashOrder(order), JobState.SettledOk);
        assertCredit(address(account), address(0), 10 + 2 * 4);
    }
}
