// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { JobOrder, OrderGroup, OrderItem, Outcome } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Signed orders that were never opened, paid from the requester's credit in native coin.
abstract contract OrdersTest is MarketTest {
    uint256 internal constant CREDIT = 100_000;

    function setUp() public virtual override {
        super.setUp();
        _deposit(requester, CREDIT);
    }

    /// @dev A group of `count` orders on the usual terms, all Ok, with nonces 1, 2, ...
    function _group(uint256 count) internal view returns (OrderGroup memory group) {
        return _groupOf(_order(address(0)), count);
    }

    function _groupOf(JobOrder memory order, uint256 count) internal view returns (OrderGroup memory group) {
        (order.paramsHash, order.deadline, order.nonce) = (0, 0, 0);
        group.order = order;
        group.grants = _signedGrants(order.token);
        group.items = new OrderItem[](count);
        for (uint256 i = 0; i < count; ++i) {
            group.items[i] = _item(order, i + 1, _okOutcome());
        }
    }

    function _item(JobOrder memory order, uint256 nonce, Outcome memory outcome)
        internal
        view
        returns (OrderItem memory item)
    {
        (item.paramsHash, item.deadline, item.nonce) = (keccak256(PARAMS), DEADLINE, nonce);
        item.outcome = outcome;
        _signItem(order, item);
    }

    /// @dev By the usual requester, sponsor and enclave.
    function _signItem(JobOrder memory order, OrderItem memory item) internal view {
        JobOrder memory whole = _whole(order, item);
        bytes32 jobId = market.hashOrder(whole);
        item.requesterSignature = _signature(REQUESTER_KEY, jobId);
        item.payerSignature = order.payer == order.requester ? bytes("") : _signature(SPONSOR_KEY, jobId);
        _signReceipt(order, item, ENCLAVE_KEY);
    }

    function _signReceipt(JobOrder memory order, OrderItem memory item, uint256 key) internal view {
        item.receiptSignature = _signature(key, market.hashReceipt(_receiptOf(_whole(order, item), item.outcome)));
    }

    /// @dev The order that an item stands for.
    function _whole(JobOrder memory order, OrderItem memory item) internal pure returns (JobOrder memory whole) {
        whole = abi.decode(abi.encode(order), (JobOrder)); // a copy
        (whole.paramsHash, whole.deadline, whole.nonce) = (item.paramsHash, item.deadline, item.nonce);
    }

    function _jobId(OrderGroup memory group, uint256 position) internal view returns (bytes32) {
        return market.hashOrder(_whole(group.order, group.items[position]));
    }

    function _settleOrders(OrderGroup memory group) internal {
        OrderGroup[] memory groups = new OrderGroup[](1);
        groups[0] = group;
        market.settleOrders(groups);
    }

    /// @dev Nothing is paid, no nonce used.
    function _ordersRevert(OrderGroup memory group, bytes memory expected) internal {
        vm.expectRevert(expected);
        _settleOrders(group);
        assertCredit(requester, address(0), CREDIT);
        assertTrue(!market.isNonceUsed(requester, 1));
    }
}
