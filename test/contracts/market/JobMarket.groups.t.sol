// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import {
    Grant,
    JobOrder,
    Offer,
    OrderGroup,
    OrderItem,
    PriceUnit,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { OrdersTest } from "./OrdersTest.sol";

/// @notice Leaves of JobMarket.orders.tree that concern what a group comes to, and groups together.
contract JobMarketGroupsTest is OrdersTest {
    uint256 private constant OTHER_KEY = 0x07E4;

    function test_ShouldPayEveryoneForEachOrder() public {
        OrderGroup memory group = _group(3);
        bytes32[] memory grantHashes = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) {
            grantHashes[i] = group.order.datasets[i].grantHash;
        }
        for (uint256 i = 0; i < 3; ++i) {
            _expectSettled(group, i);
        }
        bytes32 source = _jobId(group, 0);
        vm.expectEmit(address(market));
        emit ILedger.Credited(operator, address(0), source, 3 * FEE);
        vm.expectEmit(address(market));
        emit ILedger.Credited(_owner(0), address(0), source, 300);
        vm.expectEmit(address(market));
        emit ILedger.Credited(_owner(1), address(0), source, 600);
        vm.expectEmit(address(market));
        emit IJobMarket.OrderGroupSettled(source, requester, address(0), 3 * COST, 3, grantHashes);
        vm.prank(stranger); // anyone may relay
        _settleOrders(group);

        assertCredit(requester, address(0), CREDIT - 3 * COST);
        assertEq(market.owedOf(address(0)), CREDIT);
        assertEq(market.jobCount(), 0);
        assertEq(uint256(market.grantUses(group.order.datasets[0].grantHash)), 3);
        for (uint256 i = 1; i <= 3; ++i) {
            assertTrue(market.isNonceUsed(requester, i));
        }
    }

    function _expectSettled(OrderGroup memory group, uint256 position) private {
        OrderItem memory item = group.items[position];
        bytes32 receiptHash = market.hashReceipt(_receiptOf(_whole(group.order, item), item.outcome));
        vm.expectEmit(address(market));
        emit IJobMarket.OrderSettled(
            _jobId(group, position),
            requester,
            enclaveSigner,
            item.nonce,
            receiptHash,
            item.outcome.resultHash,
            item.outcome.failureCode
        );
    }

    function _setFailed(OrderGroup memory group, uint256 position) private view {
        group.items[position].outcome = _failedOutcome();
        _signItem(group.order, group.items[position]);
    }

    function test_WhenSomeFailed_ShouldPayTheFailureFeeForThose() public {
        OrderGroup memory group = _group(3);
        _setFailed(group, 0);
        _setFailed(group, 2);
        _settleOrders(group);
        assertCredit(_owner(0), address(0), 100);
        assertCredit(operator, address(0), FEE + 2 * FAILURE_FEE);
        assertCredit(requester, address(0), CREDIT - COST - 2 * FAILURE_FEE);
        assertEq(uint256(market.grantUses(group.order.datasets[0].grantHash)), 1);
    }

    function test_WhenAllFailedAndThereIsNoFailureFee_ShouldChargeNothing() public {
        OrderGroup memory group = _group(2);
        group.order.failureFee = 0;
        _setFailed(group, 0);
        _setFailed(group, 1);
        _settleOrders(group);
        assertCredit(operator, address(0), 0);
        assertCredit(requester, address(0), CREDIT);
    }

    /// @dev Grants that are shown for nothing are not read.
    function test_WhenAllFailed_ShouldPayTheFailureFeesAlone() public {
        OrderGroup memory group = _group(2);
        _setFailed(group, 0);
        _setFailed(group, 1);
        _settleOrders(group);
        assertCredit(operator, address(0), 2 * FAILURE_FEE);
        assertCredit(_owner(0), address(0), 0);
        assertCredit(requester, address(0), CREDIT - 2 * FAILURE_FEE);
    }

    function test_WhenNoGrantCounts_ShouldPayTheOperatorAlone() public {
        OrderGroup memory group = _group(2);
        group.grants = new ShownGrant[](0);
        for (uint256 i = 0; i < 2; ++i) {
            group.items[i].outcome.countedGrants = 0;
            _signItem(group.order, group.items[i]);
        }
        _settleOrders(group);
        assertCredit(requester, address(0), CREDIT - 2 * FEE);
    }

    /* METERED */

    /// @dev A group whose first data set is priced by rows, 3 for each; item i's result has rows[i].
    function _byRows(uint256 maxPrice, uint64[3] memory rows) private view returns (OrderGroup memory group) {
        JobOrder memory order = _order(address(0));
        Grant memory grant = _grant(0, address(0));
        (grant.priceUnit, grant.price) = (PriceUnit.OutputRow, 3);
        order.datasets[0].grantHash = market.hashGrant(grant);
        order.datasets[0].maxPrice = maxPrice;
        group = _groupOf(order, 3);
        group.grants[0] = _signGrant(grant, _ownerKey(0));
        for (uint256 i = 0; i < 3; ++i) {
            group.items[i].outcome.outputRows = rows[i];
            _signItem(group.order, group.items[i]);
        }
    }

    function test_PricedByRow_ShouldPayEachOrdersRows() public {
        OrderGroup memory group = _byRows(60, [uint64(1), 0, 20]);
        _settleOrders(group);
        assertCredit(_owner(0), address(0), 63);
        assertCredit(requester, address(0), CREDIT - 63 - 600 - 3 * FEE);
    }

    function test_PricedByRow_ShouldPayNothingForThoseThatFailed() public {
        OrderGroup memory group = _byRows(60, [uint64(5), 0, 20]);
        _setFailed(group, 0);
        _settleOrders(group);
        assertCredit(_owner(0), address(0), 60);
    }

    /// @dev The ceiling is each order's: what one leaves, another cannot use.
    function test_RevertWhen_OneOrdersRowsComeToMoreThanItsCeiling() public {
        OrderGroup memory group = _byRows(60, [uint64(0), 0, 21]);
        _ordersRevert(
            group,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_PriceTooHigh.selector, group.order.datasets[0].grantHash, 63, 60
            )
        );
    }

    /* OFFER */

    function _underOffer() private view returns (OrderGroup memory group) {
        JobOrder memory order = _order(address(0));
        Offer memory offer = _offer(order);
        order.offerHash = market.hashOffer(offer);
        group = _groupOf(order, 3);
        group.offer = _signOffer(offer);
        for (uint32 i = 0; i < 3; ++i) {
            group.items[i].outcome.runSeconds = 6 * i; // 10, 22, and 34, which is over the fee
            _signItem(group.order, group.items[i]);
        }
    }

    function test_Offer_ShouldChargeEachOrdersTime() public {
        _settleOrders(_underOffer());
        assertCredit(operator, address(0), 10 + 22 + FEE);
        assertCredit(requester, address(0), CREDIT - 900 - 62);
    }

    /// @dev One order of many outlives the offer: none is settled.
    function test_RevertWhen_OfferEndsBeforeTheLatestDeadline() public {
        OrderGroup memory group = _underOffer();
        group.items[1].deadline = DEADLINE + 1;
        _signItem(group.order, group.items[1]);
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_OfferNotForOrder.selector, group.order.offerHash)
        );
    }

    /* ENCLAVES */

    function test_GivenTwoEnclavesOfOneOperator_ShouldSettle() public {
        _attest(OTHER_KEY, operator, "other");
        OrderGroup memory group = _group(3);
        _signReceipt(group.order, group.items[1], OTHER_KEY);
        _settleOrders(group);
        assertCredit(operator, address(0), 3 * FEE);
    }

    /// @dev Also where the order allows any operator: the fees of a group go to one.
    function test_RevertGiven_EnclavesOfTwoOperators() public {
        _attest(OTHER_KEY, stranger, "other");
        JobOrder memory order = _order(address(0));
        order.operator = address(0);
        OrderGroup memory group = _groupOf(order, 2);
        _signReceipt(group.order, group.items[1], OTHER_KEY);
        _ordersRevert(
            group,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongOperator.selector, vm.addr(OTHER_KEY), stranger, operator
            )
        );
    }

    function test_RevertGiven_SecondEnclaveIsNotLive() public {
        OrderGroup memory group = _group(2);
        _signReceipt(group.order, group.items[1], OTHER_KEY);
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, vm.addr(OTHER_KEY))
        );
    }

    /* SEVERAL GROUPS */

    /// @dev The second group is a sponsor's, in a token; one transaction, two payers, two monies.
    function _twoGroups() private returns (OrderGroup[] memory groups) {
        _fund(sponsor);
        vm.prank(sponsor);
        market.deposit(address(token), sponsor, CREDIT);
        JobOrder memory order = _order(address(token));
        order.payer = sponsor;
        groups = new OrderGroup[](2);
        groups[0] = _group(1);
        groups[1] = _groupOf(order, 3);
        for (uint256 i = 0; i < 3; ++i) {
            groups[1].items[i].nonce = 10 + i;
            _signItem(order, groups[1].items[i]);
        }
    }

    function test_Groups_ShouldBeSettledEachOnItsOwnTerms() public {
        OrderGroup[] memory groups = _twoGroups();
        market.settleOrders(groups);
        assertCredit(requester, address(0), CREDIT - COST);
        assertCredit(requester, address(token), 0);
        assertCredit(sponsor, address(token), CREDIT - 3 * COST);
        assertCredit(operator, address(0), FEE);
        assertCredit(operator, address(token), 3 * FEE);
        assertCredit(_owner(1), address(token), 600);
    }

    function test_Groups_WhenOneIsRefused_ShouldSettleNone() public {
        OrderGroup[] memory groups = _twoGroups();
        vm.prank(sponsor);
        market.withdraw(address(token), sponsor, CREDIT - 3 * COST + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, sponsor, address(token), 3 * COST, 3 * COST - 1
            )
        );
        market.settleOrders(groups);
        assertTrue(!market.isNonceUsed(requester, 1));
        assertCredit(requester, address(0), CREDIT);
    }

    function test_Groups_WhenThereIsNone_ShouldDoNothing() public {
        market.settleOrders(new OrderGroup[](0));
        assertEq(market.owedOf(address(0)), CREDIT);
    }

    /// @dev Who pays and is paid pays itself; what it has not got otherwise it cannot spend.
    function test_GivenPayerIsPaidToo_ShouldChargeTheDifference() public {
        JobOrder memory order = _order(address(0));
        order.payer = _owner(1);
        OrderGroup memory group = _groupOf(order, 1);
        group.items[0].payerSignature = _signature(_ownerKey(1), _jobId(group, 0));
        _deposit(_owner(1), 130);
        _settleOrders(group);
        assertCredit(_owner(1), address(0), 0); // 130 + 200 - 330
        assertCredit(_owner(0), address(0), 100);
        assertEq(market.owedOf(address(0)), CREDIT + 130);
    }

    /* MANY */

    /// @dev The biggest group fits into a transaction (EIP-7825: 16,777,216 gas), what its calldata cost included.
    function test_WhenGroupIsAtItsLimit_ShouldSettleInOneTransaction() public {
        JobOrder memory order = _order(address(0));
        ShownGrant[] memory grants = new ShownGrant[](2);
        for (uint256 i = 0; i < 2; ++i) {
            Grant memory grant = _grant(i, address(0));
            grant.maxUses = 0;
            grants[i] = _signGrant(grant, _ownerKey(i));
            order.datasets[i].grantHash = market.hashGrant(grant);
        }
        OrderGroup memory group = _groupOf(order, 256);
        group.grants = grants;
        uint256 before = gasleft();
        _settleOrders(group);
        assertTrue(before - gasleft() < 10_000_000, "gas");
        assertCredit(requester, address(0), CREDIT - 256 * COST);
        assertCredit(_owner(0), address(0), 256 * 100);
    }
}
