// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { DatasetUse, Grant, IJobMarket, JobOrder, JobState, SignedGrant } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.consent.tree. Each grant is signed by its owner and named in the order by its hash:
/// what is refused is refused for its terms.
contract JobMarketConsentTest is MarketTest {
    /// @dev A job whose second data set is used under `grant`, signed by `key`.
    function _jobUnder(Grant memory grant, uint256 key) private returns (Settlement memory it) {
        JobOrder memory order = _order(address(0));
        order.datasets[1].grantHash = market.hashGrant(grant);
        it = _openJob(order);
        it.grants[1] = _signGrant(grant, key);
    }

    function _jobUnder(Grant memory grant) private returns (Settlement memory) {
        return _jobUnder(grant, _ownerKey(1));
    }

    function _usual() private view returns (Grant memory) {
        return _grant(1, address(0));
    }

    function _notForOrder(Grant memory grant) private {
        _settleReverts(
            _jobUnder(grant),
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantNotForOrder.selector, market.hashGrant(grant))
        );
    }

    function _settles(Grant memory grant) private {
        Settlement memory it = _jobUnder(grant);
        _settle(it);
        assertState(it.index, it.receipt.jobId, JobState.SettledOk);
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

    function test_RevertWhen_GrantsSwapped() public {
        Settlement memory it = _openJob();
        (it.grants[0], it.grants[1]) = (it.grants[1], it.grants[0]);
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector,
                0,
                it.order.datasets[1].grantHash,
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

    function testFuzz_RevertWhen_ForOtherPrice(uint256 price) public {
        Grant memory grant = _usual();
        grant.pricePerUse = price == 200 ? 201 : price;
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
        _settleReverts(
            it, abi.encodeWithSelector(IJobMarket.JobMarket_GrantNotForOrder.selector, market.hashGrant(grant))
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

    function _revoked(Settlement memory it) private {
        _settleReverts(
            it,
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantRevoked.selector, it.order.datasets[1].grantHash)
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

    function test_WhenMaxUsesIsZero_ShouldCountWithoutLimit() public {
        Grant memory grant = _usual();
        grant.maxUses = 0;
        bytes32 grantHash = market.hashGrant(grant);
        JobOrder memory order = _order(address(0));
        order.datasets[0].grantHash = grantHash;
        order.datasets[0].datasetId = datasetIds[1];
        order.datasets[0].price = 200;
        order.datasets[1].grantHash = grantHash;
        for (uint256 i = 1; i <= 3; ++i) {
            order.nonce = i;
            Settlement memory it = _openJob(order);
            it.grants[0] = _signGrant(grant, _ownerKey(1));
            it.grants[1] = it.grants[0];
            _settle(it);
        }
        assertEq(uint256(market.grantUses(grantHash)), 6);
        assertCredit(_owner(1), address(0), 1200);
    }

    /// @dev The most work that one settlement can be: 16 data sets whose grants each name 16 readers.
    function test_WhenEverythingIsAtItsLimit_ShouldSettleWithinABlock() public {
        Grant memory grant = _usual();
        grant.maxUses = 0;
        grant.resultReaders = new bytes32[](16);
        SignedGrant memory signed = _signGrant(grant, _ownerKey(1));
        JobOrder memory order = _order(address(0));
        order.datasets = new DatasetUse[](16);
        for (uint256 i = 0; i < 16; ++i) {
            order.datasets[i] = DatasetUse(grant.datasetId, market.hashGrant(grant), grant.pricePerUse);
        }
        Settlement memory it = _openJob(order);
        it.grants = new SignedGrant[](16);
        for (uint256 i = 0; i < 16; ++i) {
            it.grants[i] = signed;
        }
        uint256 gasBefore = gasleft();
        _settle(it);
        assertTrue(gasBefore - gasleft() < 2_000_000);
        assertCredit(_owner(1), address(0), 16 * 200);
    }

    /* SIGNATURE */

    function _badSignature(Settlement memory it, address owner) private {
        _settleReverts(
            it,
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantBadSignature.selector, it.order.datasets[1].grantHash, owner
            )
        );
    }

    function test_RevertWhen_SignedByOtherOwner() public {
        _badSignature(_jobUnder(_usual(), _ownerKey(0)), _owner(1));
    }

    function test_RevertWhen_SignedByRequester() public {
        _badSignature(_jobUnder(_usual(), REQUESTER_KEY), _owner(1));
    }

    function test_RevertWhen_SignatureEmptyOrZero() public {
        Settlement memory it = _openJob();
        it.grants[1].signature = "";
        _badSignature(it, _owner(1));
        it.grants[1].signature = new bytes(65);
        _badSignature(it, _owner(1));
    }

    function test_RevertWhen_SignedForOtherContract() public {
        Settlement memory it = _openJob();
        JobMarket other = new JobMarket(address(enclaves), address(datasets));
        it.grants[1].signature = _signature(_ownerKey(1), other.hashGrant(it.grants[1].grant));
        _badSignature(it, _owner(1));
    }

    function test_RevertWhen_SignedForOtherChain() public {
        Settlement memory it = _openJob();
        vm.chainId(2);
        it.grants[1].signature = _signature(_ownerKey(1), market.hashGrant(it.grants[1].grant));
        vm.chainId(31337);
        _badSignature(it, _owner(1));
    }

    /// @dev A second data set registered for the same file does not borrow the first one's consent.
    function test_RevertWhen_ThiefRegistersTheSameContent() public {
        bytes32 stolen = _register(stranger, 1);
        Grant memory grant = _usual();
        grant.datasetId = stolen;
        JobOrder memory order = _order(address(0));
        order.datasets[1].datasetId = stolen;
        order.datasets[1].grantHash = market.hashGrant(grant);
        Settlement memory it = _openJob(order);
        it.grants[1] = _signGrant(grant, _ownerKey(1));
        _badSignature(it, stranger);
    }

    /* ERC-1271 */

    function _jobOfContractOwner() private returns (Settlement memory it, ContractAccount account) {
        account = new ContractAccount();
        Grant memory grant = _usual();
        grant.datasetId = _register(address(account), 9);
        JobOrder memory order = _order(address(0));
        order.datasets[1].datasetId = grant.datasetId;
        order.datasets[1].grantHash = market.hashGrant(grant);
        it = _openJob(order);
        it.grants[1].grant = grant;
        it.grants[1].signature = "as agreed";
    }

    function test_GivenContractOwnerApproves_ShouldSettleAndPayIt() public {
        (Settlement memory it, ContractAccount account) = _jobOfContractOwner();
        account.approveHash(it.order.datasets[1].grantHash, "as agreed");
        _settle(it);
        assertCredit(address(account), address(0), 200);
    }

    function test_RevertGiven_ContractOwnerDoesNotApprove() public {
        (Settlement memory it, ContractAccount account) = _jobOfContractOwner();
        account.approveHash(it.order.datasets[1].grantHash, "something else");
        _badSignature(it, address(account));
    }

    /// @dev An ECDSA signature by whoever controls it is not the contract's word.
    function test_RevertWhen_KeySignsForContractOwner() public {
        (Settlement memory it, ContractAccount account) = _jobOfContractOwner();
        it.grants[1].signature = _signature(_ownerKey(1), it.order.datasets[1].grantHash);
        _badSignature(it, address(account));
    }

    function test_RevertGiven_ContractOwnerAnswersNothing() public {
        (Settlement memory it, ContractAccount account) = _jobOfContractOwner();
        vm.etch(address(account), hex"00");
        _badSignature(it, address(account));
    }
}
