// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobOrder, JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.open.tree that concern who asks and who pays.
contract JobMarketPartiesTest is MarketTest {
    function _notSignedBy(
        JobOrder memory order,
        address account,
        bytes memory ofRequester,
        bytes memory ofPayer,
        address sender
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_NotSignedBy.selector, market.hashOrder(order), account
            )
        );
        vm.prank(sender);
        market.open(order, URI, PARAMS, ofRequester, ofPayer);
    }

    function _sponsored() private returns (JobOrder memory order) {
        _fund(sponsor);
        order = _order(address(token));
        order.payer = sponsor;
    }

    function test_RevertWhen_NotSignedByRequester() public {
        JobOrder memory order = _order(address(token));
        bytes memory ofSponsor = _signature(SPONSOR_KEY, market.hashOrder(order));
        _notSignedBy(order, requester, "", "", stranger);
        _notSignedBy(order, requester, new bytes(65), "", stranger);
        _notSignedBy(order, requester, ofSponsor, ofSponsor, sponsor);
    }

    function test_RevertWhen_NotSignedByPayer() public {
        JobOrder memory order = _sponsored();
        bytes memory ofRequester = _signature(REQUESTER_KEY, market.hashOrder(order));
        _notSignedBy(order, sponsor, "", "", requester);
        _notSignedBy(order, sponsor, ofRequester, ofRequester, stranger);
    }

    /// @dev A sponsor agrees to one order, not to whatever the requester makes of it.
    function test_RevertWhen_PayerSignedAnotherOrder() public {
        JobOrder memory order = _sponsored();
        bytes memory ofPayer = _signature(SPONSOR_KEY, market.hashOrder(order));
        order.operatorFee += 1;
        _notSignedBy(order, sponsor, "", ofPayer, requester);
    }

    function test_RevertWhen_PayerIsZero() public {
        JobOrder memory order = _order(address(token));
        order.payer = address(0);
        _notSignedBy(order, address(0), "", new bytes(65), requester);
    }

    function test_WhenSignedByRequester_ShouldTakeItsMoneyWhoeverSends() public {
        JobOrder memory order = _order(address(token));
        bytes memory signature = _signature(REQUESTER_KEY, market.hashOrder(order));
        vm.prank(stranger);
        market.open(order, URI, PARAMS, signature, "");
        assertEq(token.balanceOf(requester), 1 ether - COST);
    }

    /// @dev Sent by the requester, by the sponsor, or by a relayer: the sponsor pays, and is refunded.
    function test_Sponsor_ShouldPayAndBeRefunded() public {
        JobOrder memory order = _sponsored();
        address[3] memory senders = [requester, sponsor, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            order.nonce = i;
            bytes32 jobId = market.hashOrder(order);
            bytes memory ofRequester = i == 0 ? bytes("") : _signature(REQUESTER_KEY, jobId);
            bytes memory ofPayer = i == 1 ? bytes("") : _signature(SPONSOR_KEY, jobId);
            vm.prank(senders[i]);
            (, uint256 index) = market.open(order, URI, PARAMS, ofRequester, ofPayer);
            // What an earlier round gave back is used first.
            assertEq(token.balanceOf(sponsor), 1 ether - COST);
            assertCredit(sponsor, address(token), 0);
            vm.prank(requester);
            market.cancel(index, order);
            assertCredit(sponsor, address(token), COST);
        }
        assertEq(token.balanceOf(requester), 1 ether);
    }

    function test_GivenContractRequester_ShouldTakeItsWord() public {
        ContractAccount account = new ContractAccount();
        JobOrder memory order = _order(address(0));
        (order.requester, order.payer) = (address(account), address(account));
        bytes32 jobId = market.hashOrder(order);
        account.approveHash(jobId, "as agreed");
        _notSignedBy(order, address(account), "another", "", stranger);
        vm.deal(stranger, COST);
        vm.prank(stranger);
        market.open{ value: COST }(order, URI, PARAMS, "as agreed", "");
        assertState(0, jobId, JobState.Open);
    }
}
