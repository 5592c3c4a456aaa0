// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Grant, JobOrder } from "../../../contracts/interfaces/MarketTypes.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { ConsentTest } from "./ConsentTest.sol";

/// @notice Leaves of JobMarket.consent.tree that concern who signed a grant.
contract JobMarketGrantSignatureTest is ConsentTest {
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

    /* SIGNATURE SEEN BEFORE */

    /// @dev The first settlement shows the owner's signature, the second need not.
    function _seenBefore() private returns (Settlement memory it) {
        _settle(_openJob());
        JobOrder memory order = _order(address(0));
        order.nonce = 2;
        it = _openJob(order);
        it.grants[1].signature = "";
    }

    function test_GivenSignatureSeenBefore_ShouldSettleWithoutIt() public {
        _settle(_seenBefore());
        assertCredit(_owner(1), address(0), 400);
    }

    function test_RevertGiven_SignatureSeenButRevokedSince() public {
        Settlement memory it = _seenBefore();
        vm.prank(_owner(1));
        datasets.revokeGrantNonce(7);
        _revoked(it);
    }

    /// @dev The new owner has not signed, and the old one's grants are of another epoch; also once it has it back.
    function test_RevertGiven_SignatureSeenButSoldSince() public {
        Settlement memory it = _seenBefore();
        _sell(_owner(1), stranger);
        _revoked(it);
        _sell(stranger, _owner(1));
        _revoked(it);
    }

    function _sell(address from, address to) private {
        vm.prank(from);
        datasets.offerOwnership(datasetIds[1], to);
        vm.prank(to);
        datasets.takeOwnership(datasetIds[1]);
    }

    /// @dev EIP-7702: the key still speaks for an account that has code, and is believed again without being shown.
    function test_GivenKeyWithCode_ShouldTakeTheKeysWord() public {
        vm.etch(_owner(1), hex"ef0100000000000000000000000000000000000000beef");
        _settle(_seenBefore());
        assertCredit(_owner(1), address(0), 400);
    }

    /// @dev What a contract said once is asked again: it may have changed its mind.
    function test_RevertGiven_ContractOwnerChangedItsMind() public {
        (Settlement memory it, ContractAccount account) = _jobOfContractOwner();
        account.approveHash(it.order.datasets[1].grantHash, "as agreed");
        _settle(it);
        it.order.nonce = 2;
        it.index = _openNative(it.order);
        _sign(it);
        account.approveHash(it.order.datasets[1].grantHash, "");
        _badSignature(it, address(account));
        it.grants[1].signature = "";
        _badSignature(it, address(account));
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
        it.grants[1] = _shown(grant, "as agreed");
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
