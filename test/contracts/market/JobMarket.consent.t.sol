// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { DatasetUse, Grant, JobOrder, JobState, ShownGrant } from "../../../contracts/interfaces/MarketTypes.sol";
import { ConsentTest } from "./ConsentTest.sol";

/// @notice Leaves of JobMarket.consent.tree that concern what a grant says.
contract JobMarketConsentTest is ConsentTest {
    function _settles(Grant memory grant) private {
        Settlement memory it = _jobUnder(grant);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), JobState.SettledOk);
        assertCredit(_owner(1), address(0), 200);
    }

    /* TERMS */

    function test_RevertWhen_TooManyReaders() public {
        Grant memory grant = _usual();
        grant.resultReaders = new bytes32[](17);
        _settleReverts(
            _jobUnder(grant),
            abi.encodeWithSelector(IJobMarket.JobMarket_TooManyResultReaders.selector, 1, 17, 16)
        );
    }

    function test_WhenSixteenReaders_ShouldSettle() public {
        Grant memory grant = _usual();
        grant.resultReaders = new bytes32[](16);
        _settles(grant);
    }

    function test_RevertWhen_GrantIsNotTheOneNamed() public {
        Settlement memory it = _openJob();
        Grant memory other = _usual();
        other.maxUses = 0;
        it.grants[1] = _signGrant(other, _ownerKey(1));
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector,
                1,
                market.hashGrant(other),
                it.order.datasets[1].grantHash
            )
        );
    }

    /// @dev What the market makes of `grant` where it is shown for data set i.
    function _hashFor(uint256 i, Grant memory grant) private view returns (bytes32) {
        grant.datasetId = datasetIds[i];
        return market.hashGrant(grant);
    }

    function test_RevertWhen_GrantsSwapped() public {
        Settlement memory it = _openJob();
        (it.grants[0], it.grants[1]) = (it.grants[1], it.grants[0]);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector,
                0,
                _hashFor(0, _usual()),
                it.order.datasets[0].grantHash
            )
        );
    }

    function test_RevertWhen_ForOtherDataset() public {
        Grant memory grant = _usual();
        grant.datasetId = datasetIds[0];
        _notForOrder(grant);
    }

    function test_RevertWhen_ForOtherProgram() public {
        Grant memory grant = _usual();
        grant.programId = keccak256("other");
        _notForOrder(grant);
    }

    function test_RevertWhen_ForOtherWorkload() public {
        Grant memory grant = _usual();
        grant.workloadId = keccak256("other");
        _notForOrder(grant);
    }

    function test_RevertWhen_ForOtherRequester() public {
        Grant memory grant = _usual();
        grant.requester = stranger;
        _notForOrder(grant);
    }

    function test_RevertWhen_ForOtherOperator() public {
        Grant memory grant = _usual();
        grant.operator = stranger;
        _notForOrder(grant);
    }

    function test_RevertWhen_ForOtherToken() public {
        Grant memory grant = _usual();
        grant.token = address(token);
        _notForOrder(grant);
    }

    function test_WhenForAnyRequesterAndOperator_ShouldSettle() public {
        Grant memory grant = _usual();
        grant.requester = address(0);
        grant.operator = address(0);
        _settles(grant);
    }

    /// @dev The grant names the operator though the order does not: the enclave's own operator counts.
    function test_RevertWhen_OrderForAnyOperatorButGrantForAnother() public {
        Grant memory grant = _usual();
        grant.operator = stranger;
        JobOrder memory order = _order(address(0));
        order.operator = address(0);
        order.datasets[1].grantHash = market.hashGrant(grant);
        Settlement memory it = _openJob(order);
        it.grants[1] = _signGrant(grant, _ownerKey(1));
        _notForOrder(it, grant);
    }

    /* COUNT */

    function _miscounted(uint256 shown, uint16 countedGrants) private {
        Settlement memory it = _openJob();
        it.outcome.countedGrants = countedGrants;
        _sign(it);
        ShownGrant[] memory grants = new ShownGrant[](shown);
        for (uint256 i = 0; i < shown; ++i) {
            grants[i] = it.grants[i % 2];
        }
        it.grants = grants;
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, shown, countedGrants)
        );
    }

    function test_RevertWhen_GrantsAreNotThoseThatCount() public {
        _miscounted(0, 3);
    }

    function test_RevertWhen_OneGrantTooFew() public {
        _miscounted(1, 3);
    }

    function test_RevertWhen_OneGrantTooMany() public {
        _miscounted(3, 3);
    }

    function test_RevertWhen_GrantShownThatDoesNotCount() public {
        _miscounted(2, 1);
    }

    function test_RevertWhen_CountsADatasetThatTheOrderHasNot() public {
        _miscounted(2, 7);
    }

    function test_RevertWhen_CountsTheSixteenthOfTwo() public {
        _miscounted(2, 0x8003);
    }

    /// @dev Whoever relays cannot put the grant of one data set in the place of another's.
    function test_RevertWhen_GrantShownInThePlaceOfAnother() public {
        Settlement memory it = _openJob();
        it.outcome.countedGrants = 2;
        it.grants = new ShownGrant[](1);
        it.grants[0] = _signGrant(_grant(0, address(0)), _ownerKey(0));
        _sign(it);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector,
                1,
                _hashFor(1, _grant(0, address(0))),
                it.order.datasets[1].grantHash
            )
        );
    }

    /* TIME */

    function _notInForce(Grant memory grant) private {
        _settleReverts(
            _jobUnder(grant),
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantNotInForce.selector,
                market.hashGrant(grant),
                grant.notBefore,
                grant.notAfter,
                NOW
            )
        );
    }

    function test_RevertGiven_NotYetValid() public {
        Grant memory grant = _usual();
        grant.notBefore = uint64(NOW + 1);
        _notInForce(grant);
    }

    function test_RevertGiven_Expired() public {
        Grant memory grant = _usual();
        grant.notBefore = 0;
        grant.notAfter = uint64(NOW - 1);
        _notInForce(grant);
    }

    function test_GivenOnlySecondOfValidity_ShouldSettle() public {
        Grant memory grant = _usual();
        grant.notBefore = uint64(NOW);
        grant.notAfter = uint64(NOW);
        _settles(grant);
    }

    /* REVOCATION */

    function test_RevertGiven_UnknownDataset() public {
        Grant memory grant = _usual();
        grant.datasetId = keccak256("unknown");
        JobOrder memory order = _order(address(0));
        order.datasets[1].datasetId = grant.datasetId;
        order.datasets[1].grantHash = market.hashGrant(grant);
        Settlement memory it = _openJob(order);
        it.grants[1] = _signGrant(grant, _ownerKey(1));
        _settleReverts(
            it, abi.encodeWithSelector(IDatasetRegistry.DatasetRegistry_UnknownDataset.selector, grant.datasetId)
        );
    }

    function test_RevertGiven_EpochRaised() public {
        Settlement memory it = _openJob();
        vm.prank(_owner(1));
        datasets.revokeAllGrants(datasetIds[1]);
        _revoked(it);
    }

    /// @dev A grant cannot be signed ahead for an epoch to come.
    function test_RevertWhen_EpochIsLater() public {
        Grant memory grant = _usual();
        grant.epoch = 1;
        _revoked(_jobUnder(grant));
    }

    function test_RevertGiven_NonceRevoked() public {
        Settlement memory it = _openJob();
        vm.prank(_owner(1));
        datasets.revokeGrantNonce(7);
        _revoked(it);
    }

    function test_GivenOtherOwnerRevokedTheNonce_ShouldSettle() public {
        vm.prank(stranger);
        datasets.revokeGrantNonce(7);
        _settles(_usual());
    }

    function test_RevertGiven_OwnerRaisedItsEpoch() public {
        Settlement memory it = _openJob();
        vm.prank(_owner(1));
        datasets.revokeAllOwnGrants();
        _revoked(it);
    }

    function test_RevertWhen_OwnerEpochIsLater() public {
        Grant memory grant = _usual();
        grant.ownerEpoch = 1;
        _revoked(_jobUnder(grant));
    }

    function test_RevertGiven_DatasetRetired() public {
        Settlement memory it = _openJob();
        vm.prank(_owner(1));
        datasets.retire(datasetIds[1]);
        _revoked(it);
    }

    function test_RevertGiven_LargeNonceRevoked() public {
        Grant memory grant = _usual();
        grant.nonce = type(uint256).max;
        Settlement memory it = _jobUnder(grant);
        vm.prank(_owner(1));
        datasets.revokeGrantNonce(type(uint256).max);
        _revoked(it);
    }

    /* USES */

    function test_RevertGiven_UsedUp() public {
        Grant memory grant = _usual();
        JobOrder memory order = _order(address(0));
        for (uint256 i = 1; i <= 3; ++i) {
            order.nonce = i;
            _settle(_openJob(order));
            assertEq(uint256(market.grantUses(order.datasets[1].grantHash)), i);
        }
        order.nonce = 4;
        Settlement memory it = _openJob(order);
        bytes32 first = order.datasets[0].grantHash; // both have three uses; the first is asked first
        _settleReverts(it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantUsedUp.selector, first, grant.maxUses));
        assertEq(uint256(market.grantUses(first)), 3);
    }

    function test_RevertWhen_OneJobUsesTwiceWhatMayBeUsedOnce() public {
        Grant memory grant = _usual();
        grant.maxUses = 1;
        JobOrder memory order = _order(address(0));
        order.datasets[1].grantHash = market.hashGrant(grant);
        order.datasets[0] = order.datasets[1];
        Settlement memory it = _openJob(order);
        it.grants[0] = _signGrant(grant, _ownerKey(1));
        it.grants[1] = it.grants[0];
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantUsedUp.selector, order.datasets[1].grantHash, uint64(1)
            )
        );
    }

    function test_WhenMaxUsesIsZero_ShouldPayWithoutLimitOrCount() public {
        Grant memory grant = _usual();
        grant.maxUses = 0;
        bytes32 grantHash = market.hashGrant(grant);
        JobOrder memory order = _order(address(0));
        order.datasets[0].grantHash = grantHash;
        order.datasets[0].datasetId = datasetIds[1];
        order.datasets[0].maxPrice = 200;
        order.datasets[1].grantHash = grantHash;
        for (uint256 i = 1; i <= 3; ++i) {
            order.nonce = i;
            Settlement memory it = _openJob(order);
            it.grants[0] = _signGrant(grant, _ownerKey(1));
            it.grants[1] = it.grants[0];
            _settle(it);
        }
        assertEq(uint256(market.grantUses(grantHash)), 0);
        assertCredit(_owner(1), address(0), 1200);
    }

    /// @dev The most work that one settlement can be: 16 data sets whose grants each name 16 readers.
    function test_WhenEverythingIsAtItsLimit_ShouldSettleWithinABlock() public {
        Grant memory grant = _usual();
        grant.maxUses = 0;
        grant.resultReaders = new bytes32[](16);
        ShownGrant memory signed = _signGrant(grant, _ownerKey(1));
        JobOrder memory order = _order(address(0));
        order.datasets = new DatasetUse[](16);
        for (uint256 i = 0; i < 16; ++i) {
            order.datasets[i] = DatasetUse(grant.datasetId, market.hashGrant(grant), grant.price);
        }
        Settlement memory it = _openJob(order);
        it.outcome.countedGrants = type(uint16).max;
        it.grants = new ShownGrant[](16);
        for (uint256 i = 0; i < 16; ++i) {
            it.grants[i] = signed;
        }
        _sign(it);
        uint256 gasBefore = gasleft();
        _settle(it);
        assertTrue(gasBefore - gasleft() < 2_000_000);
        assertCredit(_owner(1), address(0), 16 * 200);
    }
}
