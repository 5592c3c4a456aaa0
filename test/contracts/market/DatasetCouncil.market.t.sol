// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import {
    DatasetUse,
    Grant,
    JobOrder,
    Outcome,
    Receipt,
    ReceiptStatus,
    ShownGrant,
    SignedOffer
} from "../../../contracts/interfaces/MarketTypes.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { deployMarket } from "../../support/deployMarket.sol";
import { DatasetCouncilTest } from "./DatasetCouncilTest.sol";

/// @notice A story: a council owns a data set, N of its members consent to a paid use, the market pays the council, and the
/// members take the money out. With fewer signatures, or once a single member has revoked, nobody is paid.
contract DatasetCouncilMarketTest is DatasetCouncilTest {
    uint256 private constant ENCLAVE_KEY = 0xE9C1A5E;
    uint256 private constant PRICE = 100;
    uint256 private constant FEE = 30;
    bytes32 private constant PROGRAM = keccak256("program");
    bytes32 private constant WORKLOAD = keccak256("workload");

    MockEnclaveRegistry private enclaves;
    IMarket private market;
    JobOrder private order;
    Grant private grant;
    bytes32 private grantHash;

    function setUp() public override {
        super.setUp();
        vm.roll(100);
        vm.setBlockhash(99, keccak256("anchor"));
        enclaves = new MockEnclaveRegistry();
        enclaves.set(vm.addr(ENCLAVE_KEY), _enclave());
        market = deployMarket(address(enclaves), address(registry));

        bytes memory data =
            abi.encodeCall(IDatasetRegistry.register, (keccak256("c"), 0, 5, "ipfs://x", "{}", new Payee[](0)));
        grant.datasetId = abi.decode(_execute(address(registry), 0, data), (bytes32));
        (grant.programId, grant.workloadId) = (PROGRAM, WORKLOAD);
        (grant.price, grant.maxUses) = (PRICE, 2);
        (grant.notAfter, grant.nonce) = (DEADLINE, 7);
        grantHash = market.hashGrant(grant);

        (order.requester, order.payer) = (address(this), address(this));
        (order.programId, order.workloadId, order.paramsHash) = (PROGRAM, WORKLOAD, keccak256("{}"));
        order.datasets.push(DatasetUse(grant.datasetId, grantHash, PRICE));
        (order.operatorFee, order.deadline, order.quorum) = (FEE, DEADLINE, 1);
        vm.deal(address(this), 1 ether);
        market.open{ value: PRICE + FEE }(order, "", "{}", "", "");
    }

    function test_GrantOfThreeMembers_ShouldPayTheCouncilWhoseMembersTakeItOut() public {
        _settle(_signatures(7, council.approvalHashOf(grantHash)));
        assertEq(market.creditOf(address(council), address(0)), PRICE, "credit");
        assertEq(market.grantUses(grantHash), 1, "uses");

        _execute(address(market), 0, abi.encodeCall(market.withdraw, (address(0), stranger, PRICE)));
        assertEq(stranger.balance, PRICE, "taken out");
    }

    function test_GrantOfTwoMembers_ShouldPayNobody() public {
        bytes memory two = _signatures(3, council.approvalHashOf(grantHash));
        _settleReverts(
            two,
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantBadSignature.selector, grantHash, address(council))
        );
    }

    function test_GrantSignedAsMembersOnly_ShouldPayNobody() public {
        _settleReverts(
            _signatures(31, grantHash),
            abi.encodeWithSelector(IJobMarket.JobMarket_GrantBadSignature.selector, grantHash, address(council))
        );
    }

    function test_GivenOneMemberRevoked_ShouldPayNobody() public {
        bytes memory revoked = abi.encodeWithSelector(IJobMarket.JobMarket_GrantRevoked.selector, grantHash);
        bytes memory all = _signatures(31, council.approvalHashOf(grantHash));
        vm.prank(_member(4));
        council.revokeGrantNonce(7);
        _settleReverts(all, revoked);
    }

    function test_GivenOneMemberRevokedTheDatasetOrAll_ShouldPayNobody() public {
        bytes memory revoked = abi.encodeWithSelector(IJobMarket.JobMarket_GrantRevoked.selector, grantHash);
        bytes memory all = _signatures(31, council.approvalHashOf(grantHash));
        vm.prank(_member(3));
        council.revokeAllOwnGrants();
        _settleReverts(all, revoked);
        vm.prank(_member(2));
        council.revokeAllGrants(grant.datasetId);
        _settleReverts(all, revoked);
    }

    /* STEPS */

    function _settle(bytes memory signatures) private {
        (Outcome memory outcome, bytes memory signature) = _outcome();
        market.settle(0, order, outcome, signature, _shown(signatures), new SignedOffer[](0));
    }

    function _settleReverts(bytes memory signatures, bytes memory expected) private {
        (Outcome memory outcome, bytes memory signature) = _outcome();
        ShownGrant[] memory grants = _shown(signatures);
        vm.expectRevert(expected);
        market.settle(0, order, outcome, signature, grants, new SignedOffer[](0));
        assertEq(market.creditOf(address(council), address(0)), 0, "credit");
    }

    function _outcome() private view returns (Outcome memory outcome, bytes memory signature) {
        outcome.resultHash = keccak256("result");
        outcome.outputCommitment = keccak256("output");
        outcome.countedGrants = 1;
        outcome.anchorBlock = 99;
        outcome.anchorHash = blockhash(99);
        Receipt memory receipt;
        receipt.jobId = market.hashOrder(order);
        receipt.status = ReceiptStatus.Ok;
        (receipt.programId, receipt.workloadId, receipt.paramsHash) = (PROGRAM, WORKLOAD, order.paramsHash);
        (receipt.resultHash, receipt.outputCommitment) = (outcome.resultHash, outcome.outputCommitment);
        receipt.countedGrants = 1;
        (receipt.anchorBlock, receipt.anchorHash) = (outcome.anchorBlock, outcome.anchorHash);
        signature = _ecdsa(ENCLAVE_KEY, market.hashReceipt(receipt));
    }

    function _shown(bytes memory signature) private view returns (ShownGrant[] memory grants) {
        grants = new ShownGrant[](1);
        (grants[0].anyRequester, grants[0].anyOperator) = (true, true);
        (grants[0].price, grants[0].maxUses) = (grant.price, grant.maxUses);
        (grants[0].notAfter, grants[0].nonce) = (grant.notAfter, grant.nonce);
        grants[0].signature = signature;
    }

    function _enclave() private pure returns (Enclave memory enclave) {
        enclave.operator = address(0x0975A708);
        enclave.expiresAt = uint40(NOW + 1 days);
        enclave.registeredAtBlock = 1;
        enclave.tcbStatus = TcbStatus.UpToDate;
        enclave.state = EnclaveState.Active;
        enclave.workloadId = WORKLOAD;
        enclave.platformId = bytes16(keccak256("platform"));
        enclave.evidenceHash = bytes16(keccak256("evidence"));
    }

}
