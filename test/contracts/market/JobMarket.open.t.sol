// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { DatasetUse, IJobMarket, JobOrder, JobState } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.open.tree.
contract JobMarketOpenTest is MarketTest {
    /// @dev Opens as the requester with `value` wei and expects exactly `expected`.
    function _openReverts(JobOrder memory order, uint256 value, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(requester);
        market.open{ value: value }(order, URI, PARAMS);
        assertEq(market.jobCount(), 0);
    }

    function test_RevertWhen_RegistryIsNoContract() public {
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, stranger));
        new JobMarket(stranger, address(datasets));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, stranger));
        new JobMarket(address(enclaves), stranger);
    }

    function test_Constructor_ShouldNameTheRegistries() public view {
        assertEq(market.enclaves(), address(enclaves));
        assertEq(market.datasets(), address(datasets));
    }

    /* TERMS */

    function test_RevertWhen_NotRequester() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotRequester.selector, stranger, requester));
        vm.prank(stranger);
        market.open(order, URI, PARAMS);
    }

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
        market.open(order, string(new bytes(1025)), PARAMS);
    }

    function test_RevertWhen_ParamsTooLong() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_ParamsTooLong.selector, 8193, 8192));
        vm.prank(requester);
        market.open(order, URI, new bytes(8193));
    }

    function test_RevertWhen_ParamsMismatch() public {
        JobOrder memory order = _order(address(token));
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_ParamsMismatch.selector, keccak256(PARAMS), keccak256("other")
            )
        );
        vm.prank(requester);
        market.open(order, URI, "other");
    }

    function test_RevertGiven_NonceUsed() public {
        JobOrder memory order = _order(address(0));
        _openNative(order);
        order.operatorFee += 1; // another order altogether, same nonce
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, order.nonce));
        vm.prank(requester);
        market.open{ value: COST + 1 }(order, URI, PARAMS);
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
        order.datasets[0].price = type(uint256).max;
        _openReverts(order, 0, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    /* NATIVE COIN */

    function testFuzz_RevertWhen_ValueIsNotTheCost(uint256 value) public {
        value = bound(value, 0, 1 ether);
        if (value == COST) value = COST - 1;
        _openReverts(
            _order(address(0)), value, abi.encodeWithSelector(IJobMarket.JobMarket_WrongValue.selector, value, COST)
        );
    }

    function testFuzz_Native_ShouldEscrowTheCost(uint128 priceA, uint128 priceB, uint128 fee) public {
        JobOrder memory order = _order(address(0));
        order.datasets[0].price = priceA;
        order.datasets[1].price = priceB;
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
            _order(address(token)), 1, abi.encodeWithSelector(IJobMarket.JobMarket_WrongValue.selector, 1, 0)
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
                IJobMarket.JobMarket_WrongAmountReceived.selector, address(feeToken), COST - 1, COST
            )
        );
    }

    function test_RevertWhen_TokenReenters() public {
        HookToken hookToken = new HookToken();
        hookToken.mint(requester, COST);
        JobOrder memory order = _order(address(hookToken));
        bytes[5] memory calls = [
            abi.encodeCall(market.open, (order, URI, PARAMS)),
            abi.encodeCall(market.openWithPermit, (order, URI, PARAMS, 0, 27, 0, 0)),
            abi.encodeCall(market.cancel, (0, order)),
            abi.encodeCall(market.expire, (0, order)),
            abi.encodeCall(market.withdraw, (address(hookToken), requester, 1))
        ];
        vm.prank(requester);
        hookToken.approve(address(market), COST);
        for (uint256 i = 0; i < calls.length; ++i) {
            hookToken.setHook(address(market), calls[i]);
            _openReverts(
                order, 0, abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
        }
    }

    function test_RevertWhen_TokenReentersSettle() public {
        HookToken hookToken = new HookToken();
        hookToken.mint(requester, 2 * COST);
        vm.prank(requester);
        hookToken.approve(address(market), 2 * COST);
        Settlement memory it = _openJob(_order(address(hookToken)));
        hookToken.setHook(
            address(market),
            abi.encodeCall(market.settle, (it.index, it.order, it.receipt, it.signature, it.grants))
        );
        it.order.nonce = 2;
        vm.expectRevert(
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        vm.prank(requester);
        market.open(it.order, URI, PARAMS);
    }

    function test_WhenCostIsZero_ShouldOpenAndMoveNothing() public {
        JobOrder memory order = _order(address(token));
        order.datasets[0].price = 0;
        order.datasets[1].price = 0;
        order.operatorFee = 0;
        order.failureFee = 0;
        vm.prank(requester);
        token.approve(address(market), 0);
        assertState(_open(order), market.hashOrder(order), JobState.Open);
        assertEq(token.balanceOf(address(market)), 0);
    }

    function testFuzz_Token_ShouldTakeExactlyTheCost(uint64 priceA, uint64 priceB, uint64 fee) public {
        JobOrder memory order = _order(address(token));
        order.datasets[0].price = priceA;
        order.datasets[1].price = priceB;
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

    /* PERMIT */

    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function _signPermit(uint256 key, uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(abi.encode(PERMIT, requester, address(market), value, 0, NOW));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function _noAllowance(uint256 allowance) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IERC20Errors.ERC20InsufficientAllowance.selector, address(market), allowance, COST
        );
    }

    function _withoutAllowance() private returns (JobOrder memory) {
        vm.prank(requester);
        token.approve(address(market), 0);
        return _order(address(token));
    }

    function test_Permit_ShouldOpenWithoutApproval() public {
        JobOrder memory order = _withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(REQUESTER_KEY, COST);
        vm.prank(requester);
        (bytes32 jobId, uint256 index) = market.openWithPermit(order, URI, PARAMS, NOW, v, r, s);
        assertEq(jobId, market.hashOrder(order));
        assertState(index, jobId, JobState.Open);
        assertEq(token.balanceOf(address(market)), COST);
        assertEq(token.allowance(requester, address(market)), 0);
    }

    function test_GivenPermitSubmittedBefore_ShouldOpenAllTheSame() public {
        JobOrder memory order = _withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(REQUESTER_KEY, COST);
        vm.prank(stranger);
        token.permit(requester, address(market), COST, NOW, v, r, s);
        vm.prank(requester);
        (bytes32 jobId, uint256 index) = market.openWithPermit(order, URI, PARAMS, NOW, v, r, s);
        assertState(index, jobId, JobState.Open);
    }

    function test_RevertWhen_PermitSignedByAnother() public {
        JobOrder memory order = _withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(ENCLAVE_KEY, COST);
        vm.expectRevert(_noAllowance(0));
        vm.prank(requester);
        market.openWithPermit(order, URI, PARAMS, NOW, v, r, s);
    }

    function test_RevertWhen_PermitForAnotherAmount() public {
        JobOrder memory order = _withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(REQUESTER_KEY, COST + 1);
        vm.expectRevert(_noAllowance(0));
        vm.prank(requester);
        market.openWithPermit(order, URI, PARAMS, NOW, v, r, s);
    }

    function test_GivenTokenWithoutPermit_ShouldOpenUnderItsApproval() public {
        BareToken bare = new BareToken();
        bare.mint(requester, COST);
        vm.prank(requester);
        bare.approve(address(market), COST);
        JobOrder memory order = _order(address(bare));
        vm.prank(requester);
        (bytes32 jobId, uint256 index) = market.openWithPermit(order, URI, PARAMS, NOW, 27, 0, 0);
        assertState(index, jobId, JobState.Open);
    }

    function test_RevertWhen_PermitForNativeCoin() public {
        JobOrder memory order = _order(address(0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_WrongValue.selector, 0, COST));
        vm.prank(requester);
        market.openWithPermit(order, URI, PARAMS, NOW, 27, 0, 0);
    }

    function test_RevertWhen_PermitForTokenThatIsNoContract() public {
        JobOrder memory order = _order(stranger);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, stranger));
        vm.prank(requester);
        market.openWithPermit(order, URI, PARAMS, NOW, 27, 0, 0);
    }

    /// @dev Nobody spends the allowance of another: only the requester itself opens its orders.
    function test_RevertWhen_PermitUsedByAnother() public {
        JobOrder memory order = _order(address(token));
        (uint8 v, bytes32 r, bytes32 s) = _signPermit(REQUESTER_KEY, COST);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotRequester.selector, stranger, requester));
        vm.prank(stranger);
        market.openWithPermit(order, URI, PARAMS, NOW, v, r, s);
    }
}
