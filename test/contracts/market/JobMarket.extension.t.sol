// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "@openzeppelin/contracts/utils/Errors.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import { JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { deploy } from "../../support/Test.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.extension.tree: two contracts at one address, and calls of many functions at once.
contract JobMarketExtensionTest is MarketTest {
    /* CONSTRUCTOR */

    function _deployReverts(string memory name, bytes memory arguments, bytes memory expected) private {
        vm.expectRevert(expected);
        deploy(name, arguments);
    }

    function test_Constructor_RevertWhen_ARegistryIsNoContract() public {
        bytes memory expected = abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, stranger);
        address its = market.extension();
        _deployReverts("JobMarket", abi.encode(stranger, address(datasets), its), expected);
        _deployReverts("JobMarket", abi.encode(address(enclaves), stranger, its), expected);
        _deployReverts("JobMarket", abi.encode(address(enclaves), address(datasets), stranger), expected);
        _deployReverts("MarketExtension", abi.encode(stranger, address(datasets)), expected);
        _deployReverts("MarketExtension", abi.encode(address(enclaves), stranger), expected);
    }

    /// @dev Else jobs would be accepted by enclaves of one registry and settled by those of another.
    function test_Constructor_RevertWhen_ExtensionAsksOtherRegistries() public {
        address other = address(new MockEnclaveRegistry());
        address its = market.extension();
        bytes memory expected = abi.encodeWithSelector(IJobMarket.JobMarket_WrongExtension.selector, its);
        _deployReverts("JobMarket", abi.encode(other, address(datasets), its), expected);
        _deployReverts("JobMarket", abi.encode(address(enclaves), other, its), expected);
    }

    function test_Constructor_ShouldNameTheRegistries() public view {
        assertEq(market.enclaves(), address(enclaves));
        assertEq(market.datasets(), address(datasets));
        assertTrue(market.extension().code.length != 0);
    }

    /* FALLBACK */

    function _callReverts(address target, uint256 value, bytes memory data, bytes memory expected) private {
        vm.deal(stranger, value);
        vm.prank(stranger);
        (bool ok, bytes memory answer) = target.call{ value: value }(data);
        assertTrue(!ok, "refused");
        assertEq(answer, expected, "error");
        assertEq(target.balance, 0);
    }

    function test_Fallback_RevertWhen_NothingIsCalled() public {
        bytes memory failed = abi.encodeWithSelector(Errors.FailedCall.selector);
        _callReverts(address(market), 0, "", failed);
        _callReverts(address(market), 1, "", failed); // native coin that nobody would be credited
        _callReverts(address(market), 0, hex"01", failed);
        _callReverts(address(market), 0, hex"deadbeef", failed);
    }

    /// @dev Value is taken by `open`, `openSession` and `deposit` alone; elsewhere it would be lost.
    function test_Fallback_RevertWhen_ValueIsSentToWhatTakesNone() public {
        bytes memory failed = abi.encodeWithSelector(Errors.FailedCall.selector);
        _callReverts(address(market), 1, abi.encodeCall(market.jobCount, ()), failed);
        _callReverts(address(market), 1, abi.encodeCall(market.cancelNonce, (1)), failed);
        _callReverts(address(market), 1, abi.encodeCall(market.withdraw, (address(0), stranger, 1)), failed);
        _callReverts(address(market), 1, abi.encodeCall(market.multicall, (new bytes[](0))), failed);
    }

    /// @dev Errors come through as they are, with their arguments.
    function test_Fallback_ShouldPassErrorsOn() public {
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.Ledger_InsufficientCredit.selector, stranger, address(0), 5, 0)
        );
        vm.prank(stranger);
        market.withdraw(address(0), stranger, 5);
    }

    /// @dev Called at its own address it has storage of its own, where there is nobody's job and nobody's money.
    function test_Extension_ShouldNotTouchTheMarket() public {
        Settlement memory it = _openJob();
        IMarket its = IMarket(market.extension());
        assertEq(its.jobCount(), 0);
        assertEq(its.creditOf(requester, address(0)), 0);
        bytes32 jobId = its.hashOrder(it.order);
        assertTrue(jobId != market.hashOrder(it.order), "domain");
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, it.index, jobId));
        vm.prank(requester);
        its.cancel(it.index, it.order);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.Ledger_InsufficientCredit.selector, requester, address(0), COST, 0)
        );
        vm.prank(requester);
        its.withdraw(address(0), requester, COST);
        assertEq(address(market).balance, COST);
    }

    /// @dev What is paid in there is not lost.
    function test_Extension_ShouldGiveBackWhatIsPaidInThere() public {
        IMarket its = IMarket(market.extension());
        vm.prank(requester);
        its.deposit{ value: 9 }(address(0), requester, 9);
        assertCredit(requester, address(0), 0);
        vm.prank(requester);
        its.withdraw(address(0), stranger, 9);
        assertEq(stranger.balance, 9);
    }

    /* MULTICALL */

    function _two(bytes memory first, bytes memory second) private pure returns (bytes[] memory calls) {
        calls = new bytes[](2);
        (calls[0], calls[1]) = (first, second);
    }

    /// @dev One transaction for the caller: pay in, open; the functions of both contracts, whose caller is the requester.
    function test_Multicall_ShouldPayInAndOpen() public {
        JobOrder memory order = _order(address(token));
        bytes[] memory calls = _two(
            abi.encodeCall(market.deposit, (address(token), requester, 2 * COST)),
            abi.encodeCall(market.open, (order, URI, PARAMS, "", ""))
        );
        vm.prank(requester);
        bytes[] memory answers = market.multicall(calls);
        (bytes32 jobId, uint256 index) = abi.decode(answers[1], (bytes32, uint256));
        assertEq(jobId, market.hashOrder(order));
        assertState(index, jobId, JobState.Open);
        assertCredit(requester, address(token), COST);
    }

    function test_Multicall_ShouldSettleSeveralJobs() public {
        Settlement memory first = _openJob();
        JobOrder memory order = _order(address(0));
        order.nonce = 2;
        Settlement memory second = _openJob(order);
        bytes[] memory calls = _two(_settleCall(first), _settleCall(second));
        vm.prank(stranger);
        market.multicall(calls);
        assertCredit(operator, address(0), 2 * FEE);
    }

    function _settleCall(Settlement memory it) private view returns (bytes memory) {
        return abi.encodeCall(
            market.settle, (it.index, it.order, it.outcome, it.signature, it.grants, it.offer)
        );
    }

    function test_Multicall_RevertWhen_OneCallFails() public {
        Settlement memory it = _openJob();
        bytes[] memory calls = _two(_settleCall(it), _settleCall(it));
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_NotOpen.selector, market.hashOrder(it.order), JobState.SettledOk
            )
        );
        market.multicall(calls);
        assertState(it.index, market.hashOrder(it.order), JobState.Open);
        assertCredit(operator, address(0), 0);
    }

    /// @dev It calls for its caller, nobody else.
    function test_Multicall_ShouldNotSpeakForOthers() public {
        Settlement memory it = _openJob();
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(market.cancel, (it.index, it.order));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NotRequester.selector, stranger, requester));
        vm.prank(stranger);
        market.multicall(calls);
    }

    /// @dev One value would be counted by each call; so there is none.
    function test_Multicall_RevertWhen_NativeCoinIsCountedTwice() public {
        bytes memory pay = abi.encodeCall(market.deposit, (address(0), stranger, 1));
        _callReverts(
            address(market),
            1,
            abi.encodeCall(market.multicall, (_two(pay, pay))),
            abi.encodeWithSelector(Errors.FailedCall.selector)
        );
        bytes[] memory calls = _two(pay, pay);
        vm.expectRevert(abi.encodeWithSelector(ILedger.Ledger_WrongValue.selector, 0, 1));
        market.multicall(calls);
    }

    function test_Multicall_ShouldNest() public {
        bytes[] memory inner = new bytes[](1);
        inner[0] = abi.encodeCall(market.cancelNonce, (3));
        bytes[] memory calls = _two(
            abi.encodeCall(market.multicall, (inner)), abi.encodeCall(market.isNonceUsed, (requester, 3))
        );
        vm.prank(requester);
        bytes[] memory answers = market.multicall(calls);
        assertTrue(abi.decode(answers[1], (bool)), "used");
    }
}
