// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ILedger } from "../../../contracts/interfaces/ILedger.sol";
import {
    DatasetUse,
    JobOrder,
    OrderGroup,
    OrderItem,
    Outcome,
    Receipt,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { OrdersTest } from "./OrdersTest.sol";

/// @notice Leaves of JobMarket.orders.tree that concern a group's terms and its orders.
contract JobMarketOrdersTest is OrdersTest {
    /* GROUP */

    function _badGroup(OrderGroup memory group) private {
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_BadGroup.selector, group.items.length, 256)
        );
    }

    function test_RevertWhen_GroupIsEmpty() public {
        OrderGroup memory group = _group(1);
        group.items = new OrderItem[](0);
        _badGroup(group);
    }

    function test_RevertWhen_GroupIsTooBig() public {
        OrderGroup memory group = _group(1);
        group.items = new OrderItem[](257);
        _badGroup(group);
    }

    /// @dev What the items say is said once.
    function test_RevertWhen_CommonTermsNameWhatItemsName() public {
        for (uint256 i = 0; i < 3; ++i) {
            OrderGroup memory group = _group(1);
            if (i == 0) group.order.paramsHash = bytes32(uint256(1));
            if (i == 1) group.order.deadline = 1;
            if (i == 2) group.order.nonce = 1;
            _badGroup(group);
        }
    }

    function test_RevertWhen_NoDatasets() public {
        OrderGroup memory group = _group(1);
        group.order.datasets = new DatasetUse[](0);
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_BadDatasetCount.selector, 0, 16));
    }

    function test_RevertWhen_FailureFeeTooHigh() public {
        OrderGroup memory group = _group(1);
        group.order.failureFee = FEE + 1;
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_FailureFeeTooHigh.selector, FEE + 1, FEE)
        );
    }

    function test_RevertWhen_QuorumIsZero() public {
        OrderGroup memory group = _group(1);
        group.order.quorum = 0;
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_BadQuorum.selector, 0, 5));
    }

    function test_RevertWhen_QuorumBondOrAcceptance() public {
        for (uint256 i = 0; i < 3; ++i) {
            OrderGroup memory group = _group(1);
            if (i == 0) group.order.quorum = 2;
            if (i == 1) group.order.bond = 1;
            if (i == 2) group.order.acceptBy = DEADLINE;
            JobOrder memory order = group.order;
            _ordersRevert(
                group,
                abi.encodeWithSelector(
                    IJobMarket.JobMarket_MustBeOpened.selector, order.quorum, order.acceptBy, order.bond
                )
            );
        }
    }

    function test_RevertWhen_OfSession() public {
        OrderGroup memory group = _group(1);
        group.order.session = keccak256("session");
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_InSession.selector, group.order.session));
    }

    function test_RevertWhen_OfferIsMissing() public {
        OrderGroup memory group = _group(1);
        group.order.offerHash = keccak256("offer");
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_OfferMismatch.selector, 0, keccak256("offer"))
        );
    }

    /* ORDER */

    function test_RevertWhen_DeadlinePassedOrTooFar() public {
        uint64[2] memory bad = [uint64(NOW - 1), uint64(NOW + 365 days + 1)];
        for (uint256 i = 0; i < 2; ++i) {
            OrderGroup memory group = _group(1);
            group.items[0].deadline = bad[i];
            _signItem(group.order, group.items[0]);
            _ordersRevert(
                group, abi.encodeWithSelector(IJobMarket.JobMarket_BadDeadline.selector, bad[i], NOW, 365 days)
            );
        }
    }

    function _notSignedBy(OrderGroup memory group, address account, address sender) private {
        bytes memory expected =
            abi.encodeWithSelector(IJobMarket.JobMarket_NotSignedBy.selector, _jobId(group, 0), account);
        OrderGroup[] memory groups = new OrderGroup[](1);
        groups[0] = group;
        vm.expectRevert(expected);
        vm.prank(sender);
        market.settleOrders(groups);
    }

    function test_RevertWhen_NotSignedByRequester() public {
        OrderGroup memory group = _group(1);
        group.items[0].requesterSignature = _signature(ENCLAVE_KEY, _jobId(group, 0));
        _notSignedBy(group, requester, stranger);
        group.items[0].requesterSignature = "";
        _notSignedBy(group, requester, stranger);
    }

    /// @dev Nothing of an order can be changed after it was signed.
    function test_RevertWhen_TermsChangedAfterSigning() public {
        OrderGroup memory group = _group(1);
        group.order.operatorFee += 1;
        _notSignedBy(group, requester, stranger);
        group = _group(1);
        group.items[0].deadline += 1;
        _notSignedBy(group, requester, stranger);
        group = _group(1);
        group.items[0].paramsHash = keccak256("other");
        _notSignedBy(group, requester, stranger);
    }

    /// @dev A worker relays what strangers hand it. Were sending it consent, an order that names the worker itself as
    /// requester or payer would spend the worker's fees.
    function test_RevertWhen_PartiesOnlySendIt() public {
        OrderGroup memory group = _group(1);
        group.items[0].requesterSignature = "";
        _notSignedBy(group, requester, requester);

        JobOrder memory order = _order(address(0));
        order.payer = sponsor;
        group = _groupOf(order, 1);
        group.items[0].payerSignature = "";
        _deposit(sponsor, CREDIT);
        _notSignedBy(group, sponsor, sponsor);
        assertCredit(sponsor, address(0), CREDIT);
    }

    function test_RevertWhen_NotSignedByPayer() public {
        JobOrder memory order = _order(address(0));
        order.payer = sponsor;
        OrderGroup memory group = _groupOf(order, 1);
        group.items[0].payerSignature = group.items[0].requesterSignature;
        _notSignedBy(group, sponsor, stranger);
    }

    function test_RevertGiven_NonceUsedOrCancelled() public {
        OrderGroup memory group = _group(2);
        vm.prank(requester);
        market.cancelNonce(2);
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 2));
    }

    function test_RevertWhen_SameOrderTwiceInOneGroup() public {
        OrderGroup memory group = _group(2);
        group.items[1] = group.items[0];
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
    }

    function test_RevertWhen_SettledAgain() public {
        OrderGroup memory group = _group(1);
        _settleOrders(group);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        _settleOrders(group);
        assertCredit(requester, address(0), CREDIT - COST);
    }

    /// @dev One order is opened or settled at once, not both.
    function test_RevertGiven_OpenedBefore() public {
        OrderGroup memory group = _group(1);
        JobOrder memory whole = _whole(group.order, group.items[0]);
        vm.prank(requester);
        market.open(whole, URI, PARAMS, "", ""); // from its credit
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        _settleOrders(group);
    }

    function test_RevertWhen_OpenedAfterwards() public {
        OrderGroup memory group = _group(1);
        JobOrder memory whole = _whole(group.order, group.items[0]);
        _settleOrders(group);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_NonceUsed.selector, requester, 1));
        vm.prank(requester);
        market.open(whole, URI, PARAMS, "", "");
    }

    /// @dev An order that was never opened is not in the book.
    function test_RevertWhen_SettledAsIfOpened() public {
        OrderGroup memory group = _group(1);
        bytes32 jobId = _jobId(group, 0);
        _settleOrders(group);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobMarket_UnknownJob.selector, 0, jobId));
        vm.prank(requester);
        market.cancel(0, _whole(group.order, group.items[0]));
    }

    /* HOSTILE CALLDATA */

    /// @dev The first word of `data`'s arguments that is `value`, with its highest bit set.
    function _outOfRange(bytes memory data, address value) private pure returns (bytes memory) {
        bytes32 word;
        uint256 next = 0x24;
        do {
            assembly ("memory-safe") {
                word := mload(add(data, next))
            }
            next += 0x20;
        } while (word != bytes32(uint256(uint160(value))));
        word |= bytes32(uint256(1) << 255);
        assembly ("memory-safe") {
            mstore(add(data, sub(next, 0x20)), word)
        }
        return data;
    }

    /// @dev Words are hashed as they lie in calldata. One that is out of its type's range makes another order of the same
    /// terms, which its requester can sign, too; it is refused all the same.
    function test_RevertWhen_AWordIsOutOfItsRange() public {
        OrderGroup memory group = _group(1);
        OrderItem memory item = group.items[0];
        JobOrder memory whole = _whole(group.order, item);
        (, bytes memory answer) =
            address(market).staticcall(_outOfRange(abi.encodeCall(market.hashOrder, (whole)), operator));
        bytes32 jobId = abi.decode(answer, (bytes32));
        assertTrue(jobId != market.hashOrder(whole), "another order");
        Receipt memory receipt = _receiptOf(whole, item.outcome);
        receipt.jobId = jobId;
        item.requesterSignature = _signature(REQUESTER_KEY, jobId);
        item.receiptSignature = _signature(ENCLAVE_KEY, market.hashReceipt(receipt));
        OrderGroup[] memory groups = new OrderGroup[](1);
        groups[0] = group;
        bool ok;
        (ok, answer) =
            address(market).call(_outOfRange(abi.encodeCall(market.settleOrders, (groups)), operator));
        assertTrue(!ok, "refused");
        assertEq(answer, "", "error");
        assertCredit(requester, address(0), CREDIT);
    }

    /* RECEIPT */

    function test_RevertWhen_OutcomeContradictsItself() public {
        OrderGroup memory group = _group(2);
        group.items[1].outcome.resultHash = 0;
        _signItem(group.order, group.items[1]);
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_BadOutcome.selector, _jobId(group, 1)));
    }

    function test_RevertWhen_AnchorIsUnknown() public {
        OrderGroup memory group = _group(1);
        Outcome memory outcome = group.items[0].outcome;
        outcome.anchorHash = keccak256("fork");
        _signItem(group.order, group.items[0]);
        _ordersRevert(
            group,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_BadAnchor.selector, BLOCK - 1, keccak256("fork"), keccak256("anchor")
            )
        );
    }

    function test_RevertWhen_ReceiptSignatureIsMalformed() public {
        OrderGroup memory group = _group(1);
        group.items[0].receiptSignature = "short";
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_BadSignature.selector, keccak256("short"))
        );
    }

    /// @dev The receipt of one order does not settle its neighbour.
    function test_RevertWhen_ReceiptOfAnotherOrder() public {
        OrderGroup memory group = _group(2);
        group.items[1].receiptSignature = group.items[0].receiptSignature;
        bytes32 digest =
            market.hashReceipt(_receiptOf(_whole(group.order, group.items[1]), group.items[1].outcome));
        address signer = _recover(digest, group.items[0].receiptSignature);
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, signer));
    }

    function test_RevertWhen_GrantsCountedDiffer() public {
        OrderGroup memory group = _group(2);
        group.items[1].outcome.countedGrants = 1;
        _signItem(group.order, group.items[1]);
        _ordersRevert(group, abi.encodeWithSelector(IJobMarket.JobMarket_CountedGrantsDiffer.selector, 3, 1));
    }

    function test_RevertWhen_TooFewGrants() public {
        OrderGroup memory group = _group(2);
        group.grants = new ShownGrant[](0);
        _ordersRevert(
            group, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, 0, uint16(3))
        );
    }

    function test_RevertWhen_GrantHasTooFewUsesForTheGroup() public {
        OrderGroup memory group = _group(4); // three uses
        _ordersRevert(
            group,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantUsedUp.selector, group.order.datasets[0].grantHash, uint64(3)
            )
        );
    }

    /* PAYER */

    function testFuzz_RevertGiven_CreditTooLow(uint256 left) public {
        left = bound(left, 0, 2 * COST - 1);
        vm.prank(requester);
        market.withdraw(address(0), stranger, CREDIT - left);
        OrderGroup memory group = _group(2);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, requester, address(0), 2 * COST, left
            )
        );
        _settleOrders(group);
    }

    /// @dev Only credit is taken: an allowance that the payer gave for something else is not.
    function test_RevertGiven_AllowanceButNoCredit() public {
        OrderGroup memory group = _groupOf(_order(address(token)), 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.Ledger_InsufficientCredit.selector, requester, address(token), COST, 0
            )
        );
        _settleOrders(group);
    }

    function test_GivenContractRequester_ShouldTakeItsWord() public {
        ContractAccount account = new ContractAccount();
        _deposit(address(account), COST);
        JobOrder memory order = _order(address(0));
        (order.requester, order.payer) = (address(account), address(account));
        OrderGroup memory group = _groupOf(order, 1);
        group.items[0].outcome.countedGrants = 0; // those name another requester
        group.grants = new ShownGrant[](0);
        _signReceipt(group.order, group.items[0], ENCLAVE_KEY);
        group.items[0].requesterSignature = "as agreed";
        _notSignedBy(group, address(account), stranger);
        account.approveHash(_jobId(group, 0), "as agreed");
        _settleOrders(group);
        assertCredit(address(account), address(0), COST - FEE);
    }
}
