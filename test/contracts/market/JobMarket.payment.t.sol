// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { Grant, JobOrder, JobState, PriceUnit, ShownGrant } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.settle.tree that concern who is paid how much.
contract JobMarketPaymentTest is MarketTest {
    function testFuzz_Failed_ShouldRefundAllButTheFailureFee(uint128 fee, uint128 failureFee, uint128 price) public {
        JobOrder memory order = _order(address(0));
        order.operatorFee = fee;
        order.failureFee = bound(failureFee, 0, fee);
        order.datasets[0].maxPrice = price;
        vm.deal(requester, type(uint256).max / 2);
        Settlement memory it = _openJob(order);
        _setFailed(it);
        _settleEmits(it, operator);

        assertState(it.index, market.hashOrder(it.order), JobState.SettledFailed);
        assertCredit(operator, address(0), order.failureFee);
        assertCredit(requester, address(0), _costOf(order) - order.failureFee);
        assertCredit(_owner(0), address(0), 0);
        assertEq(uint256(market.grantUses(order.datasets[0].grantHash)), 0);
    }

    function testFuzz_Ok_ShouldPayEveryPayeeItsTerms(uint128 priceA, uint128 priceB, uint128 fee, bool native) public {
        address payIn = native ? address(0) : address(token);
        JobOrder memory order = _order(payIn);
        ShownGrant[] memory grants = new ShownGrant[](2);
        uint128[2] memory prices = [priceA, priceB];
        order.operatorFee = fee;
        order.failureFee = 0;
        for (uint256 i = 0; i < 2; ++i) {
            Grant memory grant = _grant(i, payIn);
            grant.price = prices[i];
            grants[i] = _signGrant(grant, _ownerKey(i));
            order.datasets[i].maxPrice = prices[i];
            order.datasets[i].grantHash = market.hashGrant(grant);
        }
        vm.deal(requester, type(uint256).max / 2);
        token.mint(requester, type(uint256).max / 2);
        Settlement memory it = _openJob(order);
        it.grants = grants;
        _settleEmits(it, stranger); // anyone may relay

        assertState(it.index, market.hashOrder(it.order), JobState.SettledOk);
        assertCredit(_owner(0), payIn, priceA);
        assertCredit(_owner(1), payIn, priceB);
        assertCredit(operator, payIn, fee);
        assertCredit(requester, payIn, 0);
        assertCredit(stranger, payIn, 0);
        assertEq(uint256(market.grantUses(order.datasets[0].grantHash)), 1);
        assertEq(uint256(market.grantUses(order.datasets[1].grantHash)), 1);
    }

    function test_Ok_ShouldEmitOneCreditedEachPayee() public {
        Settlement memory it = _openJob();
        vm.expectEmit(address(market));
        emit ILedger.Credited(_owner(0), address(0), market.hashOrder(it.order), 100);
        vm.expectEmit(address(market));
        emit ILedger.Credited(_owner(1), address(0), market.hashOrder(it.order), 200);
        vm.expectEmit(address(market));
        emit ILedger.Credited(operator, address(0), market.hashOrder(it.order), FEE);
        _settle(it);
    }

    /// @dev Who pays is refunded, not who asks.
    function test_Sponsor_ShouldBeRefundedWhatIsNotPaid() public {
        JobOrder memory order = _order(address(0));
        order.payer = sponsor;
        bytes memory ofPayer = _signature(SPONSOR_KEY, market.hashOrder(order));
        _deposit(sponsor, COST);
        vm.prank(requester);
        market.open(order, URI, PARAMS, "", ofPayer);
        Settlement memory it;
        it.order = order;
        _setFailed(it);
        _settle(it);
        assertCredit(sponsor, address(0), COST - FAILURE_FEE);
        assertCredit(requester, address(0), 0);
        assertCredit(operator, address(0), FAILURE_FEE);
    }

    /* FREE GRANTS */

    /// @dev Neither shown nor counted, and nothing is paid for them, whatever the order would allow.
    function test_FreeGrant_ShouldNotBeShownNorPaid() public {
        Settlement memory it = _openJob();
        it.outcome.countedGrants = 1;
        ShownGrant[] memory grants = new ShownGrant[](1);
        grants[0] = it.grants[0];
        it.grants = grants;
        _sign(it);
        _settle(it);
        assertCredit(_owner(0), address(0), 100);
        assertCredit(_owner(1), address(0), 0);
        assertCredit(requester, address(0), 200);
        assertEq(uint256(market.grantUses(it.order.datasets[0].grantHash)), 1);
        assertEq(uint256(market.grantUses(it.order.datasets[1].grantHash)), 0);
    }

    function test_WhenNoGrantCounts_ShouldPayTheOperatorAlone() public {
        Settlement memory it = _openJob();
        it.outcome.countedGrants = 0;
        it.grants = new ShownGrant[](0);
        _sign(it);
        _settle(it);
        assertCredit(operator, address(0), FEE);
        assertCredit(requester, address(0), COST - FEE);
    }

    /* METERED PRICES */

    /// @dev A job whose first data set is used under `grant`, at most for `maxPrice`; its result has `rows` rows.
    function _meteredJob(Grant memory grant, uint256 maxPrice, uint64 rows) private returns (Settlement memory it) {
        JobOrder memory order = _order(address(0));
        order.datasets[0].grantHash = market.hashGrant(grant);
        order.datasets[0].maxPrice = maxPrice;
        vm.deal(requester, type(uint256).max / 2);
        it = _openJob(order);
        it.grants[0] = _signGrant(grant, _ownerKey(0));
        it.outcome.outputRows = rows;
        _sign(it);
    }

    function _metered(PriceUnit unit, uint256 price) private view returns (Grant memory grant) {
        grant = _grant(0, address(0));
        (grant.priceUnit, grant.price) = (unit, price);
    }

    function testFuzz_PricedByRow_ShouldPayTheRowsAndRefundTheRest(uint64 price, uint64 rows, uint128 spare) public {
        uint256 due = uint256(price) * rows;
        Settlement memory it = _meteredJob(_metered(PriceUnit.OutputRow, price), due + spare, rows);
        _settle(it);
        assertCredit(_owner(0), address(0), due);
        assertCredit(_owner(1), address(0), 200);
        assertCredit(requester, address(0), spare);
    }

    function testFuzz_PricedByByte_ShouldPayTheRegisteredSize(uint64 price, uint64 rows, uint128 spare) public {
        uint256 due = uint256(price) * SIZE;
        Settlement memory it = _meteredJob(_metered(PriceUnit.InputByte, price), due + spare, rows);
        _settle(it);
        assertCredit(_owner(0), address(0), due);
        assertCredit(requester, address(0), spare);
    }

    function _priceTooHigh(Grant memory grant, uint256 due, uint64 rows) private {
        Settlement memory it = _meteredJob(grant, due - 1, rows);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_PriceTooHigh.selector, market.hashGrant(grant), due, due - 1
            )
        );
    }

    function testFuzz_RevertWhen_PriceAboveItsCeiling(uint64 price, uint64 rows) public {
        price = uint64(bound(price, 1, type(uint64).max));
        rows = uint64(bound(rows, 1, type(uint64).max));
        uint256 snapshot = uint256(rows) * price;
        _priceTooHigh(_metered(PriceUnit.OutputRow, price), snapshot, rows);
    }

    function test_RevertWhen_FlatOrBytePriceAboveItsCeiling() public {
        _priceTooHigh(_metered(PriceUnit.Use, 7), 7, 1);
    }

    function test_RevertWhen_BytePriceAboveItsCeiling() public {
        _priceTooHigh(_metered(PriceUnit.InputByte, 7), 7 * uint256(SIZE), 1);
    }

    /// @dev What cannot be multiplied cannot be paid; the job ends by a receipt that says so, or expires.
    function test_RevertWhen_PriceOverflows() public {
        Settlement memory it = _meteredJob(_metered(PriceUnit.OutputRow, type(uint256).max), 1 ether, 2);
        _settleReverts(it, abi.encodeWithSignature("Panic(uint256)", 0x11));
        _setFailed(it);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), JobState.SettledFailed);
    }

    /* PAYEES */

    function _payees(uint16[3] memory shares) private pure returns (Payee[] memory payees) {
        payees = new Payee[](3);
        for (uint160 i = 0; i < 3; ++i) {
            payees[i] = Payee(address(0xAA00 + i), shares[i]);
        }
    }

    /// @dev Shares are rounded down, the last payee gets what is left: all is paid, none to the owner.
    function testFuzz_Payees_ShouldSplitTheWholePrice(uint256 price, uint16 a, uint16 b) public {
        price = bound(price, 0, type(uint256).max / 4);
        a = uint16(bound(a, 1, 9998));
        b = uint16(bound(b, 1, 9999 - a));
        datasetIds[0] = _register(_owner(0), 77, _payees([a, b, 10_000 - a - b]));
        _settle(_meteredJob(_metered(PriceUnit.Use, price), price, 0));

        uint256 first = _share(price, a);
        uint256 second = _share(price, b);
        assertCredit(address(0xAA00), address(0), first);
        assertCredit(address(0xAA01), address(0), second);
        assertCredit(address(0xAA02), address(0), price - first - second);
        assertCredit(_owner(0), address(0), 0);
        assertEq(market.owedOf(address(0)), price + 200 + FEE);
    }

    /// @dev floor(amount * bps / 10,000), by long division.
    function _share(uint256 amount, uint256 bps) private pure returns (uint256) {
        uint256 hundred = amount / 100;
        uint256 rest = amount % 100;
        return hundred / 100 * bps + (hundred % 100 * 100 + rest) * bps / 10_000;
    }

    function test_Payees_ShouldRoundDownAndGiveTheLastTheRest() public {
        datasetIds[0] = _register(_owner(0), 77, _payees([uint16(3333), 3333, 3334]));
        _settle(_meteredJob(_metered(PriceUnit.Use, 100), 100, 0));
        assertCredit(address(0xAA00), address(0), 33);
        assertCredit(address(0xAA01), address(0), 33);
        assertCredit(address(0xAA02), address(0), 34);
    }

    /// @dev One unit: two get nothing, and no event that says so.
    function test_Payees_ShouldGiveTheLastWhatCannotBeSplit() public {
        datasetIds[0] = _register(_owner(0), 77, _payees([uint16(4000), 4000, 2000]));
        _settle(_meteredJob(_metered(PriceUnit.Use, 1), 1, 0));
        assertCredit(address(0xAA00), address(0), 0);
        assertCredit(address(0xAA02), address(0), 1);
    }

    /// @dev A data set that was sold goes on paying its payees, under the new owner's consent.
    function test_Payees_ShouldStayWhenTheOwnerChanges() public {
        datasetIds[0] = _register(stranger, 77, _payees([uint16(4000), 4000, 2000]));
        vm.prank(stranger);
        datasets.offerOwnership(datasetIds[0], _owner(0));
        vm.prank(_owner(0));
        datasets.takeOwnership(datasetIds[0]);
        Grant memory grant = _metered(PriceUnit.Use, 10);
        grant.epoch = 1;
        _settle(_meteredJob(grant, 10, 0));
        assertCredit(address(0xAA00), address(0), 4);
        assertCredit(address(0xAA02), address(0), 2);
        assertCredit(_owner(0), address(0), 0);
    }
}
