// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {
    Grant,
    JobOrder,
    JobState,
    OrderGroup,
    OrderItem,
    SessionClaim,
    SessionTerms
} from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice An owner of data that, asked for its word, makes calls of its own. It consents if all are refused as re-entry.
contract CallingOwner {
    address private _target;
    bytes private _calls; // abi.encode(bytes[])

    function setCalls(address target, bytes[] calldata calls) external {
        (_target, _calls) = (target, abi.encode(calls));
    }

    /// @dev As IERC1271.isValidSignature, but for what it says of itself: it is no view.
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        bytes4 refused = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        bytes[] memory calls = abi.decode(_calls, (bytes[]));
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory answer) = _target.call(calls[i]);
            if (ok || answer.length != 4 || bytes4(answer) != refused) return 0;
        }
        return IERC1271.isValidSignature.selector;
    }
}

/// @notice Leaves of JobMarket.reentry.tree: every function that changes state, called from within another by whoever gets to
/// run code there.
contract JobMarketReentryTest is MarketTest {
    HookToken private _hookToken;

    function setUp() public override {
        super.setUp();
        _hookToken = new HookToken();
        _hookToken.mint(requester, 1000 * COST);
        vm.prank(requester);
        _hookToken.approve(address(market), type(uint256).max);
        vm.prank(requester);
        market.deposit(address(_hookToken), requester, COST);
    }

    function _refused() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }

    /// @dev All that changes state, as the job `it` would have it; alone, and in a multicall.
    function _inner(Settlement memory it) private view returns (bytes[] memory calls) {
        address paid = address(_hookToken);
        calls = new bytes[](21);
        calls[0] = abi.encodeCall(market.open, (it.order, URI, PARAMS, "", ""));
        calls[1] = abi.encodeCall(
            market.settle, (it.index, it.order, it.outcome, it.signature, it.grants, it.offer)
        );
        calls[2] = abi.encodeCall(market.settleOrders, (new OrderGroup[](0)));
        calls[3] = abi.encodeCall(market.accept, (it.index, it.order, it.signature));
        calls[4] = abi.encodeCall(market.cancel, (it.index, it.order));
        calls[5] = abi.encodeCall(market.expire, (it.index, it.order));
        calls[6] = abi.encodeCall(market.cancelNonce, (99));
        calls[7] = abi.encodeCall(market.deposit, (paid, requester, 1));
        calls[8] = abi.encodeCall(market.depositWithPermit, (paid, 1, NOW, 27, 0, 0));
        calls[9] = abi.encodeCall(market.depositWithPermit2, (paid, requester, 1, 0, NOW, ""));
        calls[10] =
            abi.encodeCall(market.depositWithAuthorization, (paid, requester, 1, 0, NOW, 0, new bytes(65)));
        calls[11] = abi.encodeCall(market.withdraw, (paid, requester, 1));
        calls[12] =
            abi.encodeCall(market.withdrawBySignature, (requester, paid, requester, 1, 98, DEADLINE, ""));
        calls[13] = abi.encodeCall(market.withdraw, (address(0), requester, 1));
        bytes[] memory one = new bytes[](1);
        one[0] = calls[11];
        calls[14] = abi.encodeCall(market.multicall, (one));
        SessionTerms memory terms;
        SessionClaim memory claim;
        OrderItem memory item;
        calls[15] = abi.encodeCall(market.openSession, (it.order, terms, URI, "", ""));
        calls[16] = abi.encodeCall(market.claimSession, (it.order, terms, claim, "", it.grants));
        calls[17] = abi.encodeCall(market.disputeLeaf, (it.order, terms, 0));
        calls[18] = abi.encodeCall(market.settleLeaf, (it.order, terms, 0, item, new bytes32[](0)));
        calls[19] = abi.encodeCall(market.closeSession, (it.order, terms));
        calls[20] = abi.encodeCall(market.expireSession, (it.order, terms));
    }

    /* FROM A TOKEN */

    function test_RevertWhen_TokenCallsBackWhileItMoves() public {
        JobOrder memory order = _order(address(_hookToken));
        bytes[] memory inner = _inner(_openJob(order));
        order.nonce = 2;
        for (uint256 i = 0; i < inner.length; ++i) {
            _hookToken.setHook(address(market), inner[i]);
            vm.expectRevert(_refused());
            vm.prank(requester);
            market.open(order, URI, PARAMS, "", "");
            vm.expectRevert(_refused());
            vm.prank(requester);
            market.deposit(address(_hookToken), requester, 1);
        }
        assertEq(market.jobCount(), 1);
        assertEq(market.owedOf(address(_hookToken)), COST);
    }

    function test_RevertWhen_TokenCallsBackWhileItIsWithdrawn() public {
        bytes[] memory inner = _inner(_openJob());
        for (uint256 i = 0; i < inner.length; ++i) {
            _hookToken.setHook(address(market), inner[i]);
            vm.expectRevert(_refused());
            vm.prank(requester);
            market.withdraw(address(_hookToken), requester, COST);
        }
        assertCredit(requester, address(_hookToken), COST);
    }

    /* FROM A RECEIVER OF NATIVE COIN */

    /// @dev It holds more credit than it takes out: there is something to be had by taking it again.
    function test_WhenReceiverCallsBack_ShouldRefuseTheInnerCall() public {
        bytes[] memory inner = _inner(_openJob());
        ContractAccount account = new ContractAccount();
        _deposit(address(account), 1000);
        for (uint256 i = 0; i < inner.length; ++i) {
            account.setHook(address(market), inner[i]);
            vm.prank(address(account));
            market.withdraw(address(0), address(account), 1);
            assertEq(account.hookError(), _refused(), "hook");
            account.setHook(address(0), "");
        }
        assertEq(address(account).balance, inner.length);
        assertCredit(address(account), address(0), 1000 - inner.length);
        assertState(0, market.hashOrder(_order(address(0))), JobState.Open);
    }

    /// @dev Nor once more what it is just being paid.
    function test_WhenReceiverWithdrawsAgain_ShouldPayOnce() public {
        _openJob(); // money of others, there to be stolen
        ContractAccount account = new ContractAccount();
        _deposit(address(account), 100);
        account.setHook(address(market), abi.encodeCall(market.withdraw, (address(0), address(account), 100)));
        vm.prank(address(account));
        market.withdraw(address(0), address(account), 100);
        assertEq(account.hookError(), _refused(), "hook");
        assertEq(address(account).balance, 100);
        assertEq(address(market).balance, COST);
    }

    /* FROM AN OWNER THAT IS A CONTRACT */

    function test_WhenOwnerCallsBackWhileItIsAsked_ShouldRefuseTheInnerCalls() public {
        CallingOwner owner = new CallingOwner();
        Grant memory grant = _grant(1, address(0));
        grant.datasetId = _register(address(owner), 9);
        JobOrder memory order = _order(address(0));
        (order.datasets[1].datasetId, order.datasets[1].grantHash) = (grant.datasetId, market.hashGrant(grant));
        Settlement memory it = _openJob(order);
        it.grants[1] = _shown(grant, "");
        owner.setCalls(address(market), _inner(it));
        _settle(it);
        assertState(it.index, market.hashOrder(order), JobState.SettledOk);
        assertCredit(address(owner), address(0), 200);
    }
}
