// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { ISessions } from "../../../contracts/interfaces/ISessions.sol";
import {
    Grant,
    PriceUnit,
    Session,
    SessionState,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { SessionsTest } from "./SessionsTest.sol";

contract SessionsClaimTest is SessionsTest {
    bytes32 private _sessionId;

    function setUp() public override {
        super.setUp();
        _sessionId = _open();
    }

    /// @dev The session stays open.
    function _claimReverts(bytes memory expected) private {
        vm.expectRevert(expected);
        market.claimSession(story.order, story.terms, story.claim, story.signature, story.grants);
        assertState(_sessionId, SessionState.Open);
    }

    /// @dev After a change of the claim.
    function _signedClaimReverts(bytes memory expected) private {
        story.signature = _signClaim(story.claim);
        _claimReverts(expected);
    }

    /* REFUSED */

    function test_RevertWhen_AnotherSession() public {
        story.terms.maxJobs += 1;
        _claimReverts(_wrongState(market.hashSession(story.order, story.terms), SessionState.None));
        story.terms.maxJobs -= 1;
        story.order.datasets[2].maxPrice += 1;
        _claimReverts(_wrongState(market.hashSession(story.order, story.terms), SessionState.None));
    }

    function test_RevertGiven_Claimed() public {
        _claim(story);
        vm.expectRevert(_wrongState(_sessionId, SessionState.Claimed));
        market.claimSession(story.order, story.terms, story.claim, story.signature, story.grants);
    }

    function test_RevertGiven_Closed() public {
        _claim(story);
        vm.warp(NOW + CHALLENGE + 1);
        _close(story);
        vm.expectRevert(_wrongState(_sessionId, SessionState.Closed));
        market.claimSession(story.order, story.terms, story.claim, story.signature, story.grants);
    }

    function test_RevertGiven_Expired() public {
        vm.warp(DEADLINE + 1);
        market.expireSession(story.order, story.terms);
        vm.expectRevert(_wrongState(_sessionId, SessionState.Expired));
        market.claimSession(story.order, story.terms, story.claim, story.signature, story.grants);
    }

    function test_RevertWhen_DeadlinePassed() public {
        vm.warp(DEADLINE + 1);
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_DeadlinePassed.selector, _sessionId, DEADLINE, DEADLINE + 1
            )
        );
    }

    function test_RevertWhen_ClaimForOtherSession() public {
        story.claim.sessionId = keccak256("other");
        _signedClaimReverts(
            abi.encodeWithSelector(
                ISessions.Sessions_ClaimForOtherSession.selector, keccak256("other"), _sessionId
            )
        );
    }

    function test_RevertWhen_BadCount() public {
        uint32[2][4] memory counts =
            [[uint32(0), 0], [uint32(MAX_JOBS), 1], [uint32(0), MAX_JOBS + 1], [type(uint32).max, 1]];
        for (uint256 i = 0; i < counts.length; ++i) {
            (story.claim.okCount, story.claim.failedCount) = (counts[i][0], counts[i][1]);
            _signedClaimReverts(
                abi.encodeWithSelector(ISessions.Sessions_BadCount.selector, counts[i][0], counts[i][1], MAX_JOBS)
            );
        }
    }

    function test_RevertWhen_BadAnchor() public {
        story.claim.anchorHash = keccak256("forked");
        _signedClaimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_BadAnchor.selector, BLOCK - 1, keccak256("forked"), keccak256("anchor")
            )
        );
    }

    function test_RevertWhen_BadSignature() public {
        story.signature = hex"1234";
        _claimReverts(
            abi.encodeWithSelector(IJobMarket.JobMarket_BadSignature.selector, keccak256(story.signature))
        );
    }

    /// @dev What a signature that is not of this claim recovers to is nobody.
    function _strangersClaimReverts(bytes32 signed) private {
        story.signature = _signature(ENCLAVE_KEY, signed);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ENCLAVE_KEY, signed);
        address recovered = ecrecover(_hashClaim(story.claim, block.chainid, address(market)), v, r, s);
        _claimReverts(abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, recovered));
    }

    function test_RevertWhen_SignedForAnotherChainOrMarket() public {
        _strangersClaimReverts(_hashClaim(story.claim, block.chainid + 1, address(market)));
        _strangersClaimReverts(_hashClaim(story.claim, block.chainid, address(this)));
    }

    function test_RevertWhen_AnyFieldIsNotAsSigned() public {
        bytes32 signed = _hashClaim(story.claim, block.chainid, address(market));
        story.claim.root = keccak256("other root");
        _strangersClaimReverts(signed);
        _save(_newStory(5, 3));
        story.claim.okCount = 4;
        _strangersClaimReverts(signed);
        _save(_newStory(5, 3));
        story.claim.failedCount = 3;
        _strangersClaimReverts(signed);
        _save(_newStory(5, 3));
        story.claim.countedGrants = 4;
        _strangersClaimReverts(signed);
    }

    function test_RevertWhen_AReceiptIsShownAsClaim() public {
        _strangersClaimReverts(story.receiptHashes[0]);
    }

    function test_RevertGiven_EnclaveNotLive() public {
        vm.warp(NOW + 1 hours);
        enclaves.set(enclaveSigner, _enclave(address(0), WORKLOAD));
        _claimReverts(abi.encodeWithSelector(IJobMarket.JobMarket_EnclaveNotLive.selector, enclaveSigner));
    }

    function test_RevertGiven_OtherWorkload() public {
        enclaves.set(enclaveSigner, _enclave(operator, keccak256("other")));
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongWorkload.selector, enclaveSigner, keccak256("other"), WORKLOAD
            )
        );
    }

    function test_RevertGiven_OtherOperator() public {
        story.order.operator = stranger;
        story.order.nonce = 2;
        _sessionId = _open();
        _tell(5, 3);
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_WrongOperator.selector, enclaveSigner, operator, stranger
            )
        );
    }

    /* GRANTS */

    function _countMismatch(uint256 shown, uint16 counted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJobMarket.JobMarket_GrantCountMismatch.selector, shown, counted);
    }

    function test_RevertWhen_TooFewGrants() public {
        ShownGrant[] memory few = new ShownGrant[](1);
        few[0] = story.grants[0];
        _saveGrants(few);
        _claimReverts(_countMismatch(1, 5));
    }

    function test_RevertWhen_TooManyGrants() public {
        ShownGrant[] memory many = new ShownGrant[](3);
        (many[0], many[1], many[2]) = (story.grants[0], story.grants[1], story.grants[1]);
        _saveGrants(many);
        _claimReverts(_countMismatch(3, 5));
    }

    function test_RevertWhen_AGrantThatIsNotThereIsCounted() public {
        story.claim.countedGrants = 5 + 8;
        _signedClaimReverts(_countMismatch(2, 5 + 8));
    }

    function test_RevertWhen_GrantsAreCountedAndNoJobIsOk() public {
        ShownGrant[] memory grants = story.grants;
        _tell(2, 0);
        _saveGrants(grants);
        _claimReverts(_countMismatch(2, 0));
        story.claim.countedGrants = 5;
        _signedClaimReverts(_countMismatch(2, 5));
        _saveGrants(new ShownGrant[](0));
        _claimReverts(_countMismatch(0, 5));
    }

    function test_RevertWhen_GrantMismatch() public {
        Grant memory grant = _grant(2);
        grant.maxUses = 9;
        story.grants[1] = _signGrant(grant, _ownerKey(2));
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantMismatch.selector, 2, market.hashGrant(grant), market.hashGrant(_grant(2))
            )
        );
    }

    function test_RevertWhen_GrantNotSigned() public {
        story.grants[1].signature = "";
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantBadSignature.selector, market.hashGrant(_grant(2)), _owner(2)
            )
        );
    }

    function test_RevertGiven_GrantRevoked() public {
        vm.prank(_owner(0));
        datasets.revokeGrantNonce(7);
        _claimReverts(
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantRevoked.selector, market.hashGrant(_grant(0)))
        );
    }

    /// @dev A session whose first data set is used by `grant`, at a ceiling of `maxPrice`.
    function _openWith(Grant memory grant, uint256 maxPrice) private {
        story.order.datasets[0].grantHash = market.hashGrant(grant);
        story.order.datasets[0].maxPrice = maxPrice;
        story.order.nonce = 2;
        _sessionId = _open();
        _tell(5, 3);
        story.grants[0] = _signGrant(grant, _ownerKey(0));
    }

    function test_RevertGiven_GrantUsedUp() public {
        Grant memory grant = _grant(0);
        grant.maxUses = 2;
        _openWith(grant, 100);
        _claimReverts(
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantUsedUp.selector, market.hashGrant(grant), 2)
        );
    }

    function test_RevertWhen_GrantNotInForce() public {
        Grant memory grant = _grant(0);
        grant.notBefore = uint64(NOW + 1);
        _openWith(grant, 100);
        _claimReverts(
            abi.encodeWithSelector(
                IJobMarket.JobMarket_GrantNotInForce.selector,
                market.hashGrant(grant),
                grant.notBefore,
                grant.notAfter,
                NOW
            )
        );
    }

    function test_RevertWhen_PriceIsUnderOrOverTheCeiling() public {
        _openWith(_grant(0), 101);
        _claimReverts(abi.encodeWithSelector(ISessions.Sessions_PriceMismatch.selector, 0, 100, 101));
        story.order.operatorFee += 1;
        story.order.datasets[0].maxPrice = 99;
        story.order.nonce = 3;
        _sessionId = _open();
        _tell(5, 3);
        _claimReverts(abi.encodeWithSelector(ISessions.Sessions_PriceMismatch.selector, 0, 100, 99));
    }

    function test_RevertWhen_PriceIsNotFlat() public {
        Grant memory grant = _grant(0);
        grant.priceUnit = PriceUnit.OutputRow;
        _openWith(grant, 100);
        _claimReverts(abi.encodeWithSelector(ISessions.Sessions_PriceMismatch.selector, 0, 100, 100));
    }

    function test_RevertWhen_ADatasetWithAPriceIsNotCounted() public {
        story.claim.countedGrants = 1;
        ShownGrant[] memory one = new ShownGrant[](1);
        one[0] = story.grants[0];
        _saveGrants(one);
        _signedClaimReverts(abi.encodeWithSelector(ISessions.Sessions_PriceMismatch.selector, 2, 0, 203));
    }

    /* CLAIMED */

    function test_WhenAllIsWell() public {
        vm.warp(DEADLINE);
        vm.expectEmit(address(market));
        emit ISessions.SessionClaimed(
            _sessionId,
            enclaveSigner,
            story.claim.root,
            story.claim.okCount,
            story.claim.failedCount,
            story.claim.countedGrants
        );
        market.claimSession(story.order, story.terms, story.claim, story.signature, story.grants);

        (Session memory stored, bytes32 root) = market.session(_sessionId);
        assertEq(
            abi.encode(stored),
            abi.encode(Session(SessionState.Claimed, uint40(DEADLINE), 3, 2, false, operator)),
            "session"
        );
        assertEq(root, story.claim.root, "root");
        assertEq(market.grantUses(market.hashGrant(_grant(0))), 3, "uses");
        assertEq(market.grantUses(market.hashGrant(_grant(2))), 0, "uses without limit");
        assertPaid(0, 0, 0, FUNDS - MAX_JOBS * COST);
    }

    function test_WhenAllJobsFailed() public {
        _tell(2, 0);
        _claim(story);
        assertState(_sessionId, SessionState.Claimed);
        assertEq(market.grantUses(market.hashGrant(_grant(0))), 0, "uses");
    }

    function test_WhenTheSessionIsFull() public {
        _tell(MAX_JOBS, MAX_JOBS);
        _claim(story);
        assertState(_sessionId, SessionState.Claimed);
        assertEq(market.grantUses(market.hashGrant(_grant(0))), MAX_JOBS, "uses");
    }
}
