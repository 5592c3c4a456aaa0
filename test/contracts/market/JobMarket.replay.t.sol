// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import { JobOrder, OrderGroup } from "../../../contracts/interfaces/MarketTypes.sol";
import { OrdersTest } from "./OrdersTest.sol";

/// @notice Leaves of JobMarket.replay.tree: each signature that the market takes, carried to another chain, contract, job or
/// nonce.
contract JobMarketReplayTest is OrdersTest {
    uint256 private constant HOME = 31_337;
    uint256 private constant ABROAD = 2;

    IMarket private _other;

    function setUp() public override {
        super.setUp();
        _other = _newMarket();
    }

    function _notLive(bytes32 digest, bytes memory signature) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, _recover(digest, signature));
    }

    /* RECEIPT */

    function _receiptRefused(Settlement memory it) private {
        bytes32 digest = market.hashReceipt(_receiptOf(it.order, it.outcome));
        _settleReverts(it, _notLive(digest, it.signature));
    }

    function test_Receipt_RevertWhen_ForOtherContract() public {
        Settlement memory it = _replayable();
        it.signature = _signature(ENCLAVE_KEY, _other.hashReceipt(_receiptOf(it.order, it.outcome)));
        _receiptRefused(it);
    }

    /// @dev An open job that needs no more native coin.
    function _replayable() private returns (Settlement memory it) {
        vm.deal(requester, COST);
        return _openJob();
    }

    function test_Receipt_RevertWhen_ForOtherChain() public {
        Settlement memory it = _replayable();
        vm.chainId(ABROAD);
        bytes32 abroad = market.hashReceipt(_receiptOf(it.order, it.outcome));
        vm.chainId(HOME);
        it.signature = _signature(ENCLAVE_KEY, abroad);
        _receiptRefused(it);
    }

    function test_Receipt_RevertWhen_WholeJobCarriedToOtherChain() public {
        Settlement memory it = _replayable();
        bytes32 here = market.hashOrder(it.order);
        vm.chainId(ABROAD);
        bytes32 there = market.hashOrder(it.order);
        assertTrue(here != there);
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, it.index, there));
    }

    /// @dev The same terms once more, under another nonce: the first job's receipt is not the second's.
    function test_Receipt_RevertWhen_OfOtherJob() public {
        Settlement memory first = _replayable();
        Settlement memory second = abi.decode(abi.encode(first), (Settlement));
        second.order.nonce = 2;
        vm.deal(requester, COST);
        second.index = _openNative(second.order);
        _receiptRefused(second);
        _settle(first);
        _receiptRefused(second);
    }

    /* ORDER */

    function _notSigned(JobOrder memory order, bytes memory signature) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_NotSignedBy.selector, market.hashOrder(order), requester
            )
        );
        vm.prank(stranger);
        market.open(order, URI, PARAMS, signature, "");
    }

    function test_Order_RevertWhen_ForOtherContractChainOrNonce() public {
        JobOrder memory order = _order(address(0));
        _notSigned(order, _signature(REQUESTER_KEY, _other.hashOrder(order)));
        vm.chainId(ABROAD);
        bytes32 abroad = market.hashOrder(order);
        vm.chainId(HOME);
        _notSigned(order, _signature(REQUESTER_KEY, abroad));
        bytes memory signature = _signature(REQUESTER_KEY, market.hashOrder(order));
        order.nonce = 2;
        _notSigned(order, signature);
    }

    function test_Order_RevertWhen_OpenedTwice() public {
        JobOrder memory order = _order(address(0));
        bytes memory signature = _signature(REQUESTER_KEY, market.hashOrder(order));
        market.open(order, URI, PARAMS, signature, "");
        vm.prank(requester);
        market.cancel(0, order);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        market.open(order, URI, PARAMS, signature, "");
    }

    function _groupRefused(OrderGroup memory group) private {
        _ordersRevert(
            group,
            abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, _jobId(group, 0), requester)
        );
    }

    function test_UnopenedOrder_RevertWhen_ForOtherContractChainOrNonce() public {
        OrderGroup memory group = _group(2);
        JobOrder memory whole = _whole(group.order, group.items[0]);
        group.items[0].requesterSignature = _signature(REQUESTER_KEY, _other.hashOrder(whole));
        _groupRefused(group);
        vm.chainId(ABROAD);
        bytes32 abroad = market.hashOrder(whole);
        vm.chainId(HOME);
        group.items[0].requesterSignature = _signature(REQUESTER_KEY, abroad);
        _groupRefused(group);
        group.items[0].requesterSignature = group.items[1].requesterSignature;
        _groupRefused(group);
    }

    function test_UnopenedOrder_RevertWhen_CarriedToOtherChain() public {
        OrderGroup memory group = _group(1);
        vm.chainId(ABROAD);
        _groupRefused(group);
    }

    /* GRANT */

    function test_Grant_RevertWhen_ForOtherContractOrChain() public {
        Settlement memory it = _replayable();
        bytes memory expected = abi.encodeWithSelector(
            IJobMarket.JobMarket_GrantBadSignature.selector, it.order.datasets[1].grantHash, _owner(1)
        );
        it.grants[1].signature = _signature(_ownerKey(1), _other.hashGrant(_grant(1, address(0))));
        _settleReverts(it, expected);
        vm.chainId(ABROAD);
        bytes32 abroad = market.hashGrant(_grant(1, address(0)));
        vm.chainId(HOME);
        it.grants[1].signature = _signature(_ownerKey(1), abroad);
        _settleReverts(it, expected);
    }

    /* OFFER */

    function test_Offer_RevertWhen_ForOtherContractOrChain() public {
        JobOrder memory order = _order(address(0));
        order.offerHash = market.hashOffer(_offer(order));
        vm.deal(requester, COST);
        Settlement memory it = _openJob(order);
        it.offer = _signOffer(_offer(order));
        bytes memory expected = abi.encodeWithSelector(
            IJobMarket.JobMarket_OfferBadSignature.selector, order.offerHash, operator
        );
        it.offer[0].signature = _signature(OPERATOR_KEY, _other.hashOffer(it.offer[0].offer));
        _settleReverts(it, expected);
        vm.chainId(ABROAD);
        bytes32 abroad = market.hashOffer(it.offer[0].offer);
        vm.chainId(HOME);
        it.offer[0].signature = _signature(OPERATOR_KEY, abroad);
        _settleReverts(it, expected);
    }

    /* ACCEPTANCE */

    function _acceptRefused(Settlement memory it, bytes32 digest, bytes memory signature) private {
        vm.expectRevert(_notLive(digest, signature));
        vm.prank(operator);
        market.accept(it.index, it.order, signature);
    }

    function _acceptanceHash(bytes32 jobId) private view returns (bytes32) {
        return keccak256(abi.encode(keccak256("JobAcceptance(bytes32 jobId,address bonder)"), jobId, operator));
    }

    function test_Acceptance_RevertWhen_ForOtherContractChainOrJob() public {
        vm.deal(requester, COST);
        Settlement memory it = _openJob(_bonded(address(0)));
        _deposit(operator, BOND);
        bytes32 structHash = _acceptanceHash(market.hashOrder(it.order));
        bytes32 digest = _typed(market, structHash);
        _acceptRefused(it, digest, _signature(ENCLAVE_KEY, _typed(_other, structHash)));
        vm.chainId(ABROAD);
        bytes32 abroad = _typed(market, structHash);
        vm.chainId(HOME);
        _acceptRefused(it, digest, _signature(ENCLAVE_KEY, abroad));
        _acceptRefused(it, digest, _acceptance(ENCLAVE_KEY, keccak256("another job"), operator));
    }

    /// @dev What the enclave signs in one role is nothing in another.
    function test_Acceptance_RevertWhen_SignatureIsOfTheReceipt() public {
        vm.deal(requester, COST);
        Settlement memory it = _openJob(_bonded(address(0)));
        _deposit(operator, BOND);
        bytes32 digest = _typed(market, _acceptanceHash(market.hashOrder(it.order)));
        _acceptRefused(it, digest, it.signature);
        _accept(it);
        it.signature = _acceptance(ENCLAVE_KEY, market.hashOrder(it.order), operator);
        _receiptRefused(it);
    }

    /* WITHDRAWAL */

    function _withdrawalHash(uint256 nonce) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Withdrawal(address account,address token,address to,uint256 amount,uint256 nonce,uint64 deadline)"
                ),
                requester,
                address(0),
                stranger,
                9,
                nonce,
                DEADLINE
            )
        );
    }

    function _withdraw(uint256 nonce, bytes memory signature) private {
        market.withdrawBySignature(requester, address(0), stranger, 9, nonce, DEADLINE, signature);
    }

    function test_Withdrawal_RevertWhen_ForOtherContractChainOrNonce() public {
        bytes memory expected = abi.encodeWithSelector(ILedger.Ledger_BadSignature.selector, requester);
        vm.chainId(ABROAD);
        bytes32 abroad = _typed(market, _withdrawalHash(5));
        vm.chainId(HOME);
        bytes32[3] memory digests =
            [_typed(_other, _withdrawalHash(5)), abroad, _typed(market, _withdrawalHash(6))];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(expected);
            _withdraw(5, _signature(REQUESTER_KEY, digests[i]));
        }
    }

    /// @dev Once; and what is cancelled, or used by an order, not at all.
    function test_Withdrawal_RevertGiven_NonceUsed() public {
        bytes memory signature = _signature(REQUESTER_KEY, _typed(market, _withdrawalHash(5)));
        _withdraw(5, signature);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 5));
        _withdraw(5, signature);
        assertEq(stranger.balance, 9);

        _settleOrders(_group(1));
        signature = _signature(REQUESTER_KEY, _typed(market, _withdrawalHash(1)));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        _withdraw(1, signature);
    }
}
