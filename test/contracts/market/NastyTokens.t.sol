// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import {
    DatasetUse,
    JobOrder,
    OrderGroup,
    OrderItem,
    Outcome,
    SessionClaim,
    SessionTerms,
    ShownGrant,
    SignedOffer
} from "../../../contracts/interfaces/MarketTypes.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { BlockingToken } from "../../../contracts/mocks/BlockingToken.sol";
import { FalseToken } from "../../../contracts/mocks/FalseToken.sol";
import { FeeToken } from "../../../contracts/mocks/FeeToken.sol";
import { HookToken } from "../../../contracts/mocks/HookToken.sol";
import { LyingToken } from "../../../contracts/mocks/LyingToken.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { RebasingToken } from "../../../contracts/mocks/RebasingToken.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { Test, deploy } from "../../support/Test.sol";
import { deployMarket } from "../../support/deployMarket.sol";

/// @dev Whatever tokens can be used by here.
interface IAnyToken {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external;
}

/// @dev Calls back, and goes on whatever comes of it.
contract Shrug {
    bytes public answer;

    function call(address target, bytes calldata data) external {
        bool ok;
        (ok, answer) = target.call(data);
    }
}

/// @notice Leaves of NastyTokens.tree. In every test a bystander holds credit in another token, which must be untouched in
/// the end; most tests have another holder of the same token.
contract NastyTokensTest is Test {
    uint256 private constant NOW = 1_800_000_000;
    uint256 private constant FEE = 100;

    address private immutable alice = vm.addr(0xA11CE);
    address private immutable bob = vm.addr(0xB0B);
    address private constant BYSTANDER = address(0xB757);

    IMarket private market;
    TestToken private good;

    function setUp() public {
        vm.warp(NOW);
        MockEnclaveRegistry enclaves = MockEnclaveRegistry(deploy("MockEnclaveRegistry", ""));
        address datasets = deploy("DatasetRegistry", "");
        market = deployMarket(address(enclaves), datasets);
        good = new TestToken();
        _fund(address(good), BYSTANDER, 777);
        _deposit(address(good), BYSTANDER, 777);
    }

    /// @dev After each test: what others hold is there, and theirs.
    modifier leavesOthersAlone() {
        _;
        assertEq(market.creditOf(BYSTANDER, address(good)), 777, "bystander's credit");
        assertEq(good.balanceOf(address(market)), 777, "good token held");
        vm.prank(BYSTANDER);
        market.withdraw(address(good), BYSTANDER, 777);
        assertEq(good.balanceOf(BYSTANDER), 777, "bystander's money");
    }

    function _fund(address token, address account, uint256 amount) private {
        IAnyToken(token).mint(account, amount);
        vm.prank(account);
        IAnyToken(token).approve(address(market), amount);
    }

    function _deposit(address token, address account, uint256 amount) private {
        vm.prank(account);
        market.deposit(token, account, amount);
    }

    /// @dev Two holders of the same token: alice 600, bob 400.
    function _hold(address token) private {
        _fund(token, alice, 600);
        _deposit(token, alice, 600);
        _fund(token, bob, 400);
        _deposit(token, bob, 400);
    }

    function _order(address token) private view returns (JobOrder memory order) {
        (order.requester, order.payer) = (alice, alice);
        order.paramsHash = keccak256("{}");
        order.datasets = new DatasetUse[](1);
        order.token = token;
        order.operatorFee = FEE;
        order.deadline = uint64(NOW + 1 hours);
        order.quorum = 1;
    }

    function _open(JobOrder memory order) private returns (uint256 index) {
        vm.prank(order.requester);
        (, index) = market.open(order, "", "{}", "", "");
    }

    function _withdraw(address token, address account, uint256 amount) private {
        vm.prank(account);
        market.withdraw(token, account, amount);
    }

    function _refuses(address caller, bytes memory data, bytes memory expected) private {
        vm.expectRevert(expected);
        vm.prank(caller);
        (bool ok,) = address(market).call(data);
        assertTrue(ok, "expectRevert answers true");
    }

    function _refusesDeposit(address token, uint256 amount, bytes memory expected) private {
        _refuses(alice, abi.encodeCall(market.deposit, (token, alice, amount)), expected);
    }

    function _refusesOpen(address token, bytes memory expected) private {
        _refuses(alice, abi.encodeCall(market.open, (_order(token), "", "{}", "", "")), expected);
        assertEq(market.jobCount(), 0, "jobs");
    }

    function _refusesWithdrawal(address token, address to, uint256 amount, bytes memory expected) private {
        uint256 credit = market.creditOf(alice, token);
        _refuses(alice, abi.encodeCall(market.withdraw, (token, to, amount)), expected);
        assertEq(market.creditOf(alice, token), credit, "credit");
    }

    function _wrongAmount(address token, uint256 received, uint256 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.Ledger_WrongAmountReceived.selector, token, received, expected);
    }

    function _short(address token, uint256 held, uint256 owed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.Ledger_TokenShort.selector, token, held, owed);
    }

    function _assertBooks(address token, uint256 ofAlice, uint256 ofBob, uint256 owed) private view {
        assertEq(market.creditOf(alice, token), ofAlice, "alice's credit");
        assertEq(market.creditOf(bob, token), ofBob, "bob's credit");
        assertEq(market.owedOf(token), owed, "owed");
    }

    /* FEES */

    function test_RevertGiven_TokenTakesFeeOfReceiver() public leavesOthersAlone {
        FeeToken token = new FeeToken();
        _fund(address(token), alice, 1_000);
        token.setFees(3, 0);
        _refusesDeposit(address(token), 500, _wrongAmount(address(token), 497, 500));
        _refusesOpen(address(token), _wrongAmount(address(token), FEE - 3, FEE));
        _assertBooks(address(token), 0, 0, 0);
        assertEq(token.balanceOf(alice), 1_000, "alice's money");
    }

    /// @dev What the market sends is what it owes; that the receiver gets less is between it and the token.
    function test_GivenTokenTakesFeeOfReceiver_Withdrawal() public leavesOthersAlone {
        FeeToken token = new FeeToken();
        _hold(address(token));
        token.setFees(3, 0);
        _withdraw(address(token), alice, 600);
        assertEq(token.balanceOf(alice), 597, "alice's money");
        assertEq(token.balanceOf(address(market)), 400, "held");
        _assertBooks(address(token), 0, 400, 400);
    }

    /// @dev The fee would come out of what the others hold.
    function test_RevertGiven_TokenTakesFeeOfSender() public leavesOthersAlone {
        FeeToken token = new FeeToken();
        _hold(address(token));
        token.setFees(0, 3);
        _refusesWithdrawal(address(token), alice, 500, _wrongAmount(address(token), 503, 500));
        _assertBooks(address(token), 600, 400, 1_000);
        assertEq(token.balanceOf(address(market)), 1_000, "held");
    }

    /* NO ANSWER */

    function test_GivenTokenAnswersNothing() public leavesOthersAlone {
        BareToken token = new BareToken();
        _hold(address(token));
        _fund(address(token), alice, 50);
        JobOrder memory order = _order(address(token));
        order.operatorFee = 650;
        uint256 index = _open(order); // 600 of credit, 50 by allowance
        _assertBooks(address(token), 0, 400, 1_050);
        vm.prank(alice);
        market.cancel(index, order);
        _withdraw(address(token), alice, 650);
        assertEq(token.balanceOf(alice), 650, "alice's money");
        _assertBooks(address(token), 0, 400, 400);
    }

    /* REBASING */

    function test_RevertGiven_TokenHasShrunk_Deposit() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        token.rebase(900_000);
        _fund(address(token), alice, 1_000);
        _refusesDeposit(address(token), 90, _short(address(token), 900, 1_000));
        JobOrder memory order = _order(address(token));
        order.operatorFee = 690; // 600 of credit, 90 to pull
        bytes memory open = abi.encodeCall(market.open, (order, "", "{}", "", ""));
        _refuses(alice, open, _short(address(token), 900, 1_000));
        _assertBooks(address(token), 600, 400, 1_000);
    }

    function test_GivenTokenHasShrunk_AllLoseTheSameShare() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        token.rebase(500_000);
        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(bob, address(token), bob, 400, 200);
        _withdraw(address(token), bob, 400);
        _withdraw(address(token), alice, 200);
        _withdraw(address(token), alice, 400);
        assertEq(token.balanceOf(bob), 200, "bob's money");
        assertEq(token.balanceOf(alice), 300, "alice's money");
        assertEq(token.balanceOf(address(market)), 0, "held");
        _assertBooks(address(token), 0, 0, 0);
    }

    /// @dev Whatever the loss and the amounts: nobody gets more than its share, and rounding stays with the others.
    function testFuzz_GivenTokenHasShrunk_NobodyGetsMoreThanItsShare(uint256 worth, uint256 amount) public {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        worth = bound(worth, 1, 999_999);
        amount = bound(amount, 1, 600);
        token.rebase(worth);
        uint256 held = token.balanceOf(address(market));
        vm.prank(alice);
        try market.withdraw(address(token), alice, amount) {
            uint256 sent = held - token.balanceOf(address(market));
            assertTrue(sent <= amount * held / 1_000, "share");
            uint256 left = token.balanceOf(address(market));
            assertTrue(left * 1_000 >= held * (1_000 - amount), "what is left for each unit of credit");
        } catch (bytes memory answer) {
            // Shares do not divide: what moved is not what was asked for, and nothing is paid.
            assertEq(bytes32(bytes4(answer)), bytes32(ILedger.Ledger_WrongAmountReceived.selector), "answer");
            _assertBooks(address(token), 600, 400, 1_000);
        }
    }

    function test_GivenTokenHasShrunk_JobsGoOnByCredit() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        JobOrder memory order = _order(address(token));
        uint256 index = _open(order);
        token.rebase(500_000);
        vm.prank(alice);
        market.cancel(index, order);
        order.nonce = 1;
        index = _open(order);
        vm.warp(order.deadline + 1);
        market.expire(index, order);
        _assertBooks(address(token), 600, 400, 1_000);
    }

    function test_GivenTokenHasShrunk_MadeGood() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        token.rebase(800_000);
        token.mint(address(market), 200); // a gift
        _fund(address(token), alice, 80);
        _deposit(address(token), alice, 80);
        _assertBooks(address(token), 680, 400, 1_080);
        _withdraw(address(token), bob, 400);
        assertEq(token.balanceOf(bob), 400, "bob's money");
    }

    function test_GivenTokenHasShrunk_ToNothing() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        token.rebase(1); // 1,000 shares are worth nothing
        vm.expectEmit(address(market));
        emit ILedger.Withdrawn(alice, address(token), alice, 600, 0);
        _withdraw(address(token), alice, 600);
        _assertBooks(address(token), 0, 400, 400);
    }

    function test_GivenTokenHasGrown() public leavesOthersAlone {
        RebasingToken token = new RebasingToken();
        _hold(address(token));
        token.rebase(2_000_000);
        _fund(address(token), alice, 100);
        _deposit(address(token), alice, 100);
        _withdraw(address(token), bob, 400);
        _withdraw(address(token), alice, 700);
        assertEq(token.balanceOf(bob), 400, "bob's money");
        _assertBooks(address(token), 0, 0, 0);
        assertEq(token.balanceOf(address(market)), 1_000, "what nobody is owed");
    }

    /* REFUSING */

    function test_GivenTokenRefusesAnAccount() public leavesOthersAlone {
        BlockingToken token = new BlockingToken();
        _hold(address(token));
        JobOrder memory order = _order(address(token));
        uint256 index = _open(order);
        token.setBlocked(alice, true);
        vm.prank(alice);
        market.cancel(index, order); // credited all the same
        _assertBooks(address(token), 600, 400, 1_000);

        bytes memory blocked = abi.encodeWithSelector(BlockingToken.BlockingToken_Blocked.selector, alice);
        _refusesWithdrawal(address(token), alice, 600, blocked);
        _withdraw(address(token), bob, 400);
        vm.prank(alice);
        market.withdraw(address(token), address(0xA2), 600);
        assertEq(token.balanceOf(address(0xA2)), 600, "alice's other wallet");
        _assertBooks(address(token), 0, 0, 0);
    }

    function test_RevertGiven_TokenRefusesEveryone() public leavesOthersAlone {
        BlockingToken token = new BlockingToken();
        _hold(address(token));
        _fund(address(token), alice, 500);
        token.setStopped(true);
        bytes memory stopped = abi.encodeWithSelector(BlockingToken.BlockingToken_Stopped.selector);
        _refusesDeposit(address(token), 500, stopped);
        _refusesWithdrawal(address(token), alice, 600, stopped);
        _assertBooks(address(token), 600, 400, 1_000);
        token.setStopped(false);
        _withdraw(address(token), alice, 600);
        _assertBooks(address(token), 0, 400, 400);
    }

    /* CALLING BACK */

    /// @dev Every function that changes state, from within a transfer.
    function test_RevertGiven_TokenCallsBack() public leavesOthersAlone {
        HookToken token = new HookToken();
        _hold(address(token));
        _fund(address(token), alice, 500);
        bytes[] memory calls = _everyCall(address(token));
        bytes memory expected =
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        for (uint256 i = 0; i < calls.length; ++i) {
            token.setHook(address(market), calls[i]);
            _refusesDeposit(address(token), 500, expected);
            _refusesWithdrawal(address(token), alice, 600, expected);
            JobOrder memory order = _order(address(token));
            order.operatorFee = 700; // 100 to pull
            _refuses(alice, abi.encodeCall(market.open, (order, "", "{}", "", "")), expected);
        }
        _assertBooks(address(token), 600, 400, 1_000);
    }

    function _everyCall(address token) private view returns (bytes[] memory calls) {
        JobOrder memory order = _order(token);
        Outcome memory outcome;
        SessionTerms memory terms;
        SessionClaim memory claim;
        OrderItem memory item;
        bytes[] memory one = new bytes[](1);
        one[0] = abi.encodeCall(market.withdraw, (token, alice, 1));
        calls = new bytes[](20);
        calls[0] = abi.encodeCall(market.open, (order, "", "{}", "", ""));
        calls[1] = abi.encodeCall(market.settle, (0, order, outcome, "", new ShownGrant[](0), new SignedOffer[](0)));
        calls[2] = abi.encodeCall(market.settleOrders, (new OrderGroup[](0)));
        calls[3] = abi.encodeCall(market.accept, (0, order, ""));
        calls[4] = abi.encodeCall(market.cancel, (0, order));
        calls[5] = abi.encodeCall(market.expire, (0, order));
        calls[6] = abi.encodeCall(market.cancelNonce, (1));
        calls[7] = abi.encodeCall(market.deposit, (token, alice, 1));
        calls[8] = abi.encodeCall(market.depositWithPermit, (token, 1, 0, 27, 0, 0));
        calls[9] = abi.encodeCall(market.depositWithPermit2, (token, alice, 1, 0, 0, ""));
        calls[10] = abi.encodeCall(market.depositWithAuthorization, (token, alice, 1, 0, 0, 0, ""));
        calls[11] = one[0];
        calls[12] = abi.encodeCall(market.withdrawBySignature, (alice, token, alice, 1, 0, 0, ""));
        calls[13] = abi.encodeCall(market.multicall, (one));
        calls[14] = abi.encodeCall(market.openSession, (order, terms, "", "", ""));
        calls[15] = abi.encodeCall(market.claimSession, (order, terms, claim, "", new ShownGrant[](0)));
        calls[16] = abi.encodeCall(market.disputeLeaf, (order, terms, 0));
        calls[17] = abi.encodeCall(market.settleLeaf, (order, terms, 0, item, new bytes32[](0)));
        calls[18] = abi.encodeCall(market.closeSession, (order, terms));
        calls[19] = abi.encodeCall(market.expireSession, (order, terms));
    }

    /// @dev As by the hooks of ERC-777: the holder is called in the middle, and nothing it tries there has any effect.
    function test_GivenTokenCallsBack_ByOneWhoGoesOn() public leavesOthersAlone {
        HookToken token = new HookToken();
        _hold(address(token));
        Shrug shrug = new Shrug();
        token.mint(address(shrug), 300);
        shrug.call(address(token), abi.encodeCall(IERC20.approve, (address(market), 300)));
        shrug.call(address(market), abi.encodeCall(market.deposit, (address(token), address(shrug), 300)));

        bytes memory again = abi.encodeCall(market.withdraw, (address(token), address(shrug), 300));
        token.setHook(address(shrug), abi.encodeCall(shrug.call, (address(market), again)));
        vm.prank(address(shrug));
        market.withdraw(address(token), address(shrug), 300);
        assertEq(
            shrug.answer(),
            abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "what calling back comes to"
        );
        assertEq(token.balanceOf(address(shrug)), 300, "paid once");
        assertEq(token.balanceOf(address(market)), 1_000, "held");
        _assertBooks(address(token), 600, 400, 1_000);
    }

    /* LYING */

    function test_RevertGiven_TokenAnswersFalse() public leavesOthersAlone {
        FalseToken token = new FalseToken();
        token.mint(alice, 500); // nothing allowed
        bytes memory failed = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        _refusesDeposit(address(token), 500, failed);
        _refusesOpen(address(token), failed);
        _assertBooks(address(token), 0, 0, 0);
    }

    function test_RevertGiven_TokenPretendsToMove() public leavesOthersAlone {
        FalseToken token = new FalseToken();
        _hold(address(token));
        _fund(address(token), alice, 500);
        token.setPretends(true);
        _refusesDeposit(address(token), 500, _wrongAmount(address(token), 0, 500));
        _refusesWithdrawal(address(token), alice, 600, _wrongAmount(address(token), 0, 600));
        _assertBooks(address(token), 600, 400, 1_000);
    }

    function test_RevertGiven_TokenTellsNoBalance() public leavesOthersAlone {
        FalseToken token = new FalseToken();
        _hold(address(token));
        _fund(address(token), alice, 500);
        token.setSilent(true);
        bytes memory silent = abi.encodeWithSelector(FalseToken.FalseToken_NoBalance.selector, address(market));
        _refusesDeposit(address(token), 500, silent);
        _refusesWithdrawal(address(token), alice, 600, silent);
        _assertBooks(address(token), 600, 400, 1_000);
    }

    /// @dev Nobody is kept from trusting such a token; what it makes up is owed in that token alone.
    function test_GivenTokenTellsAWrongBalance_CreditIsInThatToken() public leavesOthersAlone {
        LyingToken token = new LyingToken();
        _deposit(address(token), alice, 1e30); // nothing moved
        _assertBooks(address(token), 1e30, 0, 1e30);
        assertEq(market.creditOf(alice, address(good)), 0, "credit in another token");
        assertEq(market.owedOf(address(good)), 777, "owed of another token");
        // The token itself has nothing to pay it with.
        vm.prank(alice);
        (bool ok,) =
            address(market).call(abi.encodeCall(market.withdraw, (address(token), alice, 1e30)));
        assertTrue(!ok, "nothing comes of nothing");
        _assertBooks(address(token), 1e30, 0, 1e30);
    }

    function test_GivenTokenTellsTooLittle_AllLoseTheSameShare() public leavesOthersAlone {
        LyingToken token = new LyingToken();
        _hold(address(token));
        token.setLie(address(market), -500);
        _withdraw(address(token), alice, 600);
        assertEq(token.balanceOf(alice), 300, "alice's money");
        token.setLie(address(market), 0); // the truth again: what was kept back is bob's to the last unit
        _withdraw(address(token), bob, 400);
        assertEq(token.balanceOf(bob), 400, "bob's money");
        _assertBooks(address(token), 0, 0, 0);
    }

    function test_RevertGiven_NoCode() public leavesOthersAlone {
        address nothing = address(0xDEAD);
        bytes memory expected = abi.encodeWithSelector(IJobMarket.JobMarket_NotAContract.selector, nothing);
        _refusesDeposit(nothing, 1, expected);
        _refusesOpen(nothing, expected);
    }
}
