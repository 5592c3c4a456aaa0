// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { DatasetUse, JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.open.tree that concern terms and money.
contract JobMarketOpenTest is MarketTest {
    /// @dev Opens as the requester with `value` wei and expects exactly `expected`.
    function _openReverts(JobOrder memory order, uint256 value, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(requester);
        market.open{ value: value }(order, URI, PARAMS, "", "");
        assertEq(market.jobCount(), 0);
    }

    /* TERMS */

    function test_RevertWhen_NoDatasets() public {
        JobOrder memory order = _order(address(0));
        order.datasets = new DatasetUse[](0);
        _openReverts(order, FEE, abi.encodeWithSelector(IJobMarket.JobMarket_BadDatasetCount.selector, 0, 16));
    }

    function test_RevertWhen_TooManyDatasets() public {
        JobOrder memory order = _order(address(0));
        order.datasets = new DatasetUse[](17);
        _openReverts(order, FEE, abi.encodeWithSelector(IJobMarket.JobMarket_BadDatasetCount.selector, 17, 16));
    }

    function test_WhenSixteenDatasets_ShouldOpen() public {
        JobOrder memory order = _order(address(0));
        order.datasets = new DatasetUse[](16);
        assertState(_openNative(order), market.hashOrder(order), JobState.Open);
    }

    function test_RevertWhen_FailureFeeTooHigh() public {
        JobOrder memory order = _order(address(0));
        order.failureFee = FEE + 1;
        _openReverts(
            order, COST, abi.encodeWithSelector(IJobMarket.JobMarket_FailureFeeTooHigh.selector, FEE + 1, FEE)
        );
    }

    function test_RevertWhen_QuorumIsZeroOrAboveFive() public {
        JobOrder memory order = _order(address(0));
        uint8[2] memory bad = [0, 6];
        for (uint256 i = 0; i < 2; ++i) {
            order.quorum = bad[i];
            _openReverts(order, COST, abi.encodeWithSelector(IJobMarket.JobMarket_BadQuorum.selector, bad[i], 5));
        }
    }

    function test_WhenQuorumIsFive_ShouldEscrowFiveFees() public {
        JobOrder memory order = _order(address(0));
        order.quorum = 5;
        _openNative(order);
        assertEq(address(market).balance, 300 + 5 * FEE);
    }

    function _badAcceptance(JobOrder memory order) private {
        _openReverts(
            order,
            COST,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_BadAcceptance.selector, order.acceptBy, order.bond, order.quorum
            )
        );
    }

    function test_RevertWhen_AcceptanceIsOutOfBounds() public {
        JobOrder memory order = _bonded(address(0));
        order.acceptBy = uint64(NOW - 1);
        _badAcceptance(order);
        order.acceptBy = DEADLINE + 1;
        _badAcceptance(order);
        order.acceptBy = ACCEPT_BY;
        order.quorum = 2;
        _badAcceptance(order);
    }

    function test_RevertWhen_BondWithoutAcceptance() public {
        JobOrder memory order = _order(address(0));
        order.bond = 1;
        _badAcceptance(order);
    }

    function test_WhenAcceptanceAtItsBounds_ShouldOpen() public {
        JobOrder memory order = _bonded(address(0));
        order.acceptBy = uint64(NOW);
        _openNative(order);
        (order.acceptBy, order.bond, order.nonce) = (DEADLINE, 0, 2);
        _openNative(order);
        assertEq(market.jobCount(), 2);
        assertEq(address(market).balance, 2 * COST);
    }

    function test_RevertWhen_OfSession() public {
        JobOrder memory order = _order(address(0));
        order.session = keccak256("session");
        _openReverts(
            order, COST, abi.encodeWithSelector(IJobMarket.JobMarket_InSession.selector, keccak256("session"))
        );
    }

    function test_RevertWhen_DeadlinePassed() public {
        JobOrder memory order = _order(address(0));
        order.deadline = uint64(NOW - 1);
        _openReverts(
            order, COST, abi.encodeWithSelector(IJobMarket.JobMarket_BadDeadline.selector, NOW - 1, NOW, 365 days)
        );
    }

    function test_RevertWhen_DeadlineTooFar() public {
        JobOrder memory order = _order(address(0));
        order.deadline = uint64(NOW + 365 days + 1);
        _openReverts(
            order,
            COST,
            abi.encodeWithSelector(IJobMarket.JobMarket_BadDeadline.selector, NOW + 365 days + 1, NOW, 365 days)
        );
    }

    function test_WhenDeadlineAtItsBounds_ShouldOpen() public {
        JobOrder memory order = _order(address(0));
        order.deadline = uint64(NOW);
        _openNative(order);
        order.deadline = uint64(NOW + 365 days);
        order.nonce = 2;
        _openNative(order);
        assertEq(market.jobCount(), 2);
    }

    function test_RevertWhen_ProgramUriTooLong() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_ProgramUriTooLong.selector, 1025, 1024));
        vm.prank(requester);
        market.open(order, string(new bytes(1025)), PARAMS, "", "");
    }

    function test_RevertWhen_ParamsTooLong() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_ParamsTooLong.selector, 8193, 8192));
        vm.prank(requester);
        market.open(order, URI, new bytes(8193), "", "");
    }

    function test_RevertWhen_ParamsMismatch() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_ParamsMismatch.selector, keccak256(PARAMS), keccak256("other")
            )
        );
        vm.prank(requester);
        market.open(order, URI, "other", "", "");
    }

    function test_RevertGiven_NonceUsed() public {
        JobOrder memory order = _order(address(0));
        _openNative(order);
        order.operatorFee += 1; // another order altogether, same nonce
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, order.nonce));
        vm.prank(requester);
        market.open{ value: COST + 1 }(order, URI, PARAMS, "", "");
    }

    function testFuzz_Nonce_ShouldMarkThisOneOnly(uint256 nonce, uint256 other) public {
        JobOrder memory order = _order(address(0));
        order.nonce = nonce;
        _openNative(order);
        assertTrue(market.isNonceUsed(requester, nonce));
        assertTrue(nonce == other || !market.isNonceUsed(requester, other));
        assertTrue(!market.isNonceUsed(stranger, nonce));
    }

    function test_RevertWhen_CostOverflows() public {
        JobOrder memory order = _order(address(token));
        order.datasets[0].maxPrice = type(uint256).max;
        _openReverts(order, 0, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    /* NATIVE COIN */

    function testFuzz_RevertWhen_NativeIsTooLittle(uint256 credit, uint256 value) public {
        credit = bound(credit, 1, COST - 1);
        value = bound(value, 0, COST - 1 - credit);
        _deposit(requester, credit);
        vm.deal(requester, 1 ether);
        _openReverts(
            _order(address(0)),
            value,
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, requester, address(0), COST, credit + value
            )
        );
    }

    function testFuzz_Native_ShouldUseCreditFirstAndKeepWhatIsBeyond(uint128 credit, uint128 value) public {
        credit = uint128(bound(credit, 1, type(uint128).max));
        value = uint128(bound(value, credit < COST ? COST - credit : 0, type(uint128).max));
        _deposit(requester, credit);
        vm.deal(requester, value);
        JobOrder memory order = _order(address(0));
        bytes32 jobId = market.hashOrder(order);
        if (value != 0) {
            vm.expectEmit(address(market));
            emit ILedger.Deposited(requester, address(0), requester, value);
        }
        vm.expectEmit(address(market));
        emit IJobMarket.JobOpened(jobId, 0, requester, order, URI, PARAMS);
        vm.prank(requester);
        market.open{ value: value }(order, URI, PARAMS, "", "");
        assertCredit(requester, address(0), uint256(credit) + value - COST);
        assertEq(market.owedOf(address(0)), uint256(credit) + value);
    }

    /// @dev The value is the payer's, whoever sends it.
    function test_Native_ShouldCreditThePayerWhatIsBeyond() public {
        JobOrder memory order = _order(address(0));
        order.payer = sponsor;
        bytes memory ofPayer = _signature(SPONSOR_KEY, market.hashOrder(order));
        vm.prank(requester);
        market.open{ value: COST + 7 }(order, URI, PARAMS, "", ofPayer);
        assertCredit(sponsor, address(0), 7);
        assertCredit(requester, address(0), 0);
    }

    function testFuzz_Native_ShouldEscrowTheCost(uint128 priceA, uint128 priceB, uint128 fee) public {
        JobOrder memory order = _order(address(0));
        order.datasets[0].maxPrice = priceA;
        order.datasets[1].maxPrice = priceB;
        order.operatorFee = fee;
        order.failureFee = fee / 2;
        vm.deal(requester, type(uint256).max / 2);
        bytes32 jobId = market.hashOrder(order);

        vm.expectEmit(address(market));
        emit IJobMarket.JobOpened(jobId, 0, requester, order, URI, PARAMS);
        uint256 index = _openNative(order);

        assertEq(index, 0);
        assertEq(market.jobCount(), 1);
        assertEq(address(market).balance, uint256(priceA) + priceB + fee);
        assertState(0, jobId, JobState.Open);
        assertState(1, jobId, JobState.None);
        assertState(0, keccak256("another job"), JobState.None);
    }

    /// @dev What a storage proof of a job relies on; see IJobMarket.
    function test_Storage_ShouldBeWhereTheInterfaceSays() public {
        _openNative(_order(address(0)));
        JobOrder memory order = _order(address(0));
        order.nonce = 2;
        uint256 index = _openNative(order);
        bytes32 jobId = market.hashOrder(order);
        bytes32 entry = vm.load(address(market), keccak256(abi.encode(index, 1)));
        assertEq(uint256(vm.load(address(market), 0)), 2);
        assertEq(entry >> 8, jobId >> 8);
        assertEq(uint256(entry) & 0xff, uint256(JobState.Open));
    }

    /* ERC-20 */

    function test_RevertWhen_ValueSentWithToken() public {
        _openReverts(
            _order(address(token)), 1, abi.encodeWithSelector(ILedger.Ledger_WrongValue.selector, 1, 0)
        );
    }

    function test_RevertWhen_TokenIsNoContract() public {
        _openReverts(
            _order(stranger), 0, abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, stranger)
        );
    }

    function test_RevertGiven_NoAllowance() public {
        vm.prank(requester);
        token.approve(address(market), COST - 1);
        _openReverts(_order(address(token)), 0, _noAllowance(COST - 1));
    }

    function test_RevertWhen_TokenTakesFee() public {
        FeeToken feeToken = new FeeToken();
        feeToken.mint(requester, COST);
        feeToken.setFees(1, 0);
        vm.prank(requester);
        feeToken.approve(address(market), COST);
        _openReverts(
            _order(address(feeToken)),
            0,
            abi.encodeWithSelector(
                ILedger.Ledger_WrongAmountReceived.selector, address(feeToken), COST - 1, COST
            )
        );
    }

    function testFuzz_Token_ShouldUseCreditFirst(uint256 credit) public {
        credit = bound(credit, 1, 2 * COST);
        vm.prank(requester);
        market.deposit(address(token), requester, credit);
        _open(_order(address(token)));
        uint256 taken = credit < COST ? COST : credit;
        assertEq(token.balanceOf(requester), 1 ether - taken);
        assertCredit(requester, address(token), taken - COST);
        assertEq(market.owedOf(address(token)), taken);
    }

    function test_WhenCostIsZero_ShouldOpenAndMoveNothing() public {
        JobOrder memory order = _order(address(token));
        order.datasets[0].maxPrice = 0;
        order.datasets[1].maxPrice = 0;
        order.operatorFee = 0;
        order.failureFee = 0;
        vm.prank(requester);
        token.approve(address(market), 0);
        assertState(_open(order), market.hashOrder(order), JobState.Open);
        assertEq(token.balanceOf(address(market)), 0);
    }

    function testFuzz_Token_ShouldTakeExactlyTheCost(uint64 priceA, uint64 priceB, uint64 fee) public {
        JobOrder memory order = _order(address(token));
        order.datasets[0].maxPrice = priceA;
        order.datasets[1].maxPrice = priceB;
        order.operatorFee = fee;
        order.failureFee = fee;
        token.mint(requester, type(uint128).max);
        uint256 before = token.balanceOf(requester);
        _open(order);
        uint256 cost = uint256(priceA) + priceB + fee;
        assertEq(token.balanceOf(address(market)), cost);
        assertEq(token.balanceOf(requester), before - cost);
    }

    function test_WhenTokenAnswersNothing_ShouldOpenAndPayOut() public {
        BareToken bare = new BareToken();
        bare.mint(requester, COST);
        vm.prank(requester);
        bare.approve(address(market), COST);
        JobOrder memory order = _order(address(bare));
        uint256 index = _open(order);
        assertEq(bare.balanceOf(address(market)), COST);
        vm.prank(requester);
        market.cancel(index, order);
        vm.prank(requester);
        market.withdraw(address(bare), requester, COST);
        assertEq(bare.balanceOf(requester), COST);
    }

    function _noAllowance(uint256 allowance) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector, address(market), allowance, COST
        );
    }
}
