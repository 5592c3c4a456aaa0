// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Evidence, ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { P256Key, Platform, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { TdxVerifierCase } from "./TdxVerifierCase.sol";

/// @notice What the platform's record stands for, and for how long.
contract TdxVerifierCacheTest is TdxVerifierCase {
    uint256 private constant OTHER_ATTESTATION_KEY = 0x2004;

    bytes private otherKeysQuote;

    function setUp() public override {
        super.setUp();
        otherKeysQuote = assembleWith(
            OTHER_ATTESTATION_KEY, header(), reportBody(), qeReportFor(OTHER_ATTESTATION_KEY, AUTH_DATA), AUTH_DATA
        );
    }

    /* THE SAME VERDICT */

    function test_WhenRecorded_AllWaysGiveTheSameVerdict() public {
        QuoteVerdict memory first = verifier.verify(quote, withLeaf(), POLICY);
        QuoteVerdict memory second = verifier.verify(quote, withRecord(), POLICY);
        QuoteVerdict memory third = verifier.verify(cut(quote), withRecord(), POLICY);
        assertEq(abi.encode(second), abi.encode(first), "platform recorded");
        assertEq(abi.encode(third), abi.encode(first), "attestation key recorded");
        assertEq(abi.encode(first.tcb.platform), abi.encode(platformOf()), "platform");
        assertEq(bytes32(first.tcb.teeTcbSvn), bytes32(TEE_TCB_SVN), "teeTcbSvn");
        assertEq(bytes32(first.tcb.currentTeeTcbSvn), bytes32(TEE_TCB_SVN), "currentTeeTcbSvn");
        assertEq(first.tcb.qeIsvSvn, QE_ISV_SVN, "qeIsvSvn");
        assertEq(first.tcbEvidenceHash, keccak256(abi.encode(first.tcb)), "tcbEvidenceHash");
        assertEq(first.validUntil, VALID_UNTIL, "validUntil");
    }

    /// @dev Whatever collateral says, and whatever the policy: the same status or the same error.
    function testFuzz_AllWaysGiveTheSameVerdict(uint8 platform, uint8 module_, uint8 qe, uint16 policy) public {
        policy = uint16(bound(policy, 1, ANY_STATUS)) & ANY_STATUS;
        vm.assume(policy != 0);
        verifier.verify(quote, withLeaf(), POLICY);
        bytes32 formerKeyHash = keyHashOf(ATTESTATION_KEY, inForce.qeIdentity);
        useTcbInfo(tcbInfoBlob(TcbStatus(bound(platform, 1, 7)), TcbStatus(bound(module_, 0, 9))));
        bytes memory level = qeLevel(6, TcbStatus(bound(qe, 0, 9)), "");
        useQeIdentity(qeIdentityBlob(level));

        bytes memory first = _outcome(quote, withLeaf(), policy);
        Evidence memory evidence = withRecord();
        bool isRefused = bytes4(first) == ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector;
        // Then the record is still of the identity before.
        if (isRefused) evidence.attestationKeyHash = formerKeyHash;
        assertEq(_outcome(quote, evidence, policy), first, "platform recorded");
        if (!isRefused) assertEq(_outcome(cut(quote), evidence, policy), first, "attestation key recorded");
    }

    function _outcome(bytes memory quote_, Evidence memory evidence, uint16 policy) private returns (bytes memory) {
        try verifier.verify(quote_, evidence, policy) returns (QuoteVerdict memory verdict) {
            return abi.encode(verdict);
        } catch (bytes memory reason) {
            return reason;
        }
    }

    /* RECORDING */

    function test_WhenFirst_ItRecordsAndEmits() public {
        assertEq(verifier.platformRecord(pckIdOf()), 0, "before");
        bytes32 keyHash = keyHashOf(ATTESTATION_KEY, inForce.qeIdentity);
        vm.expectEmit(address(verifier));
        emit ITdxVerifier.PlatformRecorded(pckIdOf(), keccak256(abi.encode(platformOf())), keyHash, QE_ISV_SVN);
        verifier.verify(quote, withLeaf(), POLICY);
        assertEq(verifier.platformRecord(pckIdOf()), _recordOf(keyHash), "after");
    }

    function test_WhenAttestationKeyIsNew_ItTakesItsPlace() public {
        verifier.verify(quote, withLeaf(), POLICY);
        bytes32 keyHash = keyHashOf(OTHER_ATTESTATION_KEY, inForce.qeIdentity);
        vm.expectEmit(address(verifier));
        emit ITdxVerifier.PlatformRecorded(pckIdOf(), keccak256(abi.encode(platformOf())), keyHash, QE_ISV_SVN);
        verifier.verify(otherKeysQuote, withRecord(), POLICY);
        assertEq(verifier.platformRecord(pckIdOf()), _recordOf(keyHash), "record");
        verifier.verify(cut(otherKeysQuote), withRecord(), POLICY);

        // The former key needs its QE report again.
        bytes32 former = _recordOf(keyHashOf(ATTESTATION_KEY, inForce.qeIdentity));
        _expectNotRecorded(_recordOf(keyHash), former);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    function test_WhenRefused_NothingIsRecorded() public {
        useTcbInfo(tcbInfoBlob(TcbStatus.OutOfDate, TcbStatus.UpToDate));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, TcbStatus.OutOfDate, POLICY)
        );
        verifier.verify(quote, withLeaf(), POLICY);
        assertEq(verifier.platformRecord(pckIdOf()), 0, "record");
    }

    /* WHAT NO RECORD STANDS FOR */

    function test_RevertGiven_NoRecord() public {
        bytes32 expected = _recordOf(keyHashOf(ATTESTATION_KEY, inForce.qeIdentity));
        _expectNotRecorded(0, expected);
        verifier.verify(quote, withRecord(), POLICY);
        _expectNotRecorded(0, expected);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    function test_RevertWhen_PlatformIsForged_InEveryField() public {
        verifier.verify(quote, withLeaf(), POLICY);
        bytes32 keyHash = keyHashOf(ATTESTATION_KEY, inForce.qeIdentity);
        for (uint256 field = 0; field < 9; field++) {
            Evidence memory evidence = withRecord();
            _forge(evidence.platform, field);
            bytes32 forged = _hash(keccak256(abi.encode(evidence.platform)), keyHash);
            // Under another key there is no record at all.
            bytes32 recorded = field == 0 ? bytes32(0) : _recordOf(keyHash);
            _expectNotRecorded(recorded, forged);
            verifier.verify(quote, evidence, POLICY);
            _expectNotRecorded(recorded, forged);
            verifier.verify(cut(quote), evidence, POLICY);
        }
    }

    function test_RevertWhen_QeIsvSvnIsForged() public {
        verifier.verify(quote, withLeaf(), POLICY);
        bytes32 recorded = verifier.platformRecord(pckIdOf());
        Evidence memory evidence = withRecord();
        evidence.qeIsvSvn = QE_ISV_SVN + 1;
        P256Key memory key = keyOf(ATTESTATION_KEY);
        bytes32 keyHash = keccak256(abi.encodePacked(key.x, key.y, evidence.qeIsvSvn, inForce.qeIdentity));
        _expectNotRecorded(recorded, _recordOf(keyHash));
        verifier.verify(cut(quote), evidence, POLICY);
    }

    /// @dev A quote of one platform's attestation key with another platform's record.
    function test_RevertWhen_RecordIsOfAnotherPlatform() public {
        verifier.verify(quote, withLeaf(), POLICY);
        Evidence memory evidence = withRecord();
        bytes32 recorded = verifier.platformRecord(pckIdOf());
        _expectNotRecorded(recorded, _recordOf(keyHashOf(OTHER_ATTESTATION_KEY, inForce.qeIdentity)));
        verifier.verify(cut(otherKeysQuote), evidence, POLICY);
    }

    /// @dev The QE report was judged by the identity before: the new one may know better.
    function test_RevertWhen_QeIdentityHasChanged() public {
        verifier.verify(quote, withLeaf(), POLICY);
        Evidence memory evidence = withRecord();
        bytes32 recorded = verifier.platformRecord(pckIdOf());
        useQeIdentity(qeIdentityBlob(qeLevel(5, TcbStatus.UpToDate, "")));
        _expectNotRecorded(recorded, _recordOf(keyHashOf(ATTESTATION_KEY, inForce.qeIdentity)));
        verifier.verify(cut(quote), evidence, POLICY);

        // With its QE report it is judged anew, and recorded under the new identity.
        verifier.verify(quote, evidence, POLICY);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    /* FOR HOW LONG */

    function test_RevertGiven_LeafHasExpired() public {
        verifier.verify(quote, withLeaf(), POLICY);
        inForce.validUntil = type(uint64).max;
        collateral.setInForce(inForce);
        vm.warp(LEAF_NOT_AFTER_SECONDS);
        QuoteVerdict memory verdict = verifier.verify(cut(quote), withRecord(), POLICY);
        assertEq(verdict.validUntil, LEAF_NOT_AFTER_SECONDS + 1, "validUntil");

        vm.warp(LEAF_NOT_AFTER_SECONDS + 1);
        bytes memory expired = abi.encodeWithSelector(
            ITdxVerifier.TdxVerifier_CertificateExpired.selector, LEAF_NOT_AFTER_SECONDS, LEAF_NOT_AFTER_SECONDS + 1
        );
        vm.expectRevert(expired);
        verifier.verify(quote, withLeaf(), POLICY);
        vm.expectRevert(expired);
        verifier.verify(quote, withRecord(), POLICY);
        vm.expectRevert(expired);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    function test_RevertGiven_LeafIsRevokedSince() public {
        verifier.verify(quote, withLeaf(), POLICY);
        useCrl(abi.encodePacked(SERIAL));
        bytes memory revoked =
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_CertificateRevoked.selector, SERIAL);
        vm.expectRevert(revoked);
        verifier.verify(quote, withLeaf(), POLICY);
        vm.expectRevert(revoked);
        verifier.verify(quote, withRecord(), POLICY);
        vm.expectRevert(revoked);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    function test_RevertGiven_IssuerIsRevokedSince() public {
        verifier.verify(quote, withLeaf(), POLICY);
        inForce.issuerRevoked = true;
        collateral.setInForce(inForce);
        bytes memory revoked = abi.encodeWithSelector(ITdxVerifier.TdxVerifier_IssuerRevoked.selector, issuer);
        vm.expectRevert(revoked);
        verifier.verify(quote, withLeaf(), POLICY);
        vm.expectRevert(revoked);
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    function test_RevertGiven_PlatformIsOutOfDateSince() public {
        verifier.verify(quote, withLeaf(), POLICY);
        useTcbInfo(tcbInfoBlob(TcbStatus.UpToDate, TcbStatus.OutOfDate));
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, TcbStatus.OutOfDate, POLICY)
        );
        verifier.verify(cut(quote), withRecord(), POLICY);
    }

    /* HELPERS */

    function _forge(Platform memory platform, uint256 field) private pure {
        if (field == 0) platform.pckKey.x = bytes32(uint256(platform.pckKey.x) ^ 1);
        else if (field == 1) platform.platformId = bytes16(uint128(platform.platformId) ^ 1);
        else if (field == 2) platform.serial += 1;
        else if (field == 3) platform.notAfter += 1;
        else if (field == 4) platform.issuer += 1;
        else if (field == 5) platform.fmspc = bytes6(uint48(1));
        else if (field == 6) platform.pceId = bytes2(uint16(1));
        else if (field == 7) platform.pceSvn += 1;
        else platform.componentSvns = bytes16(type(uint128).max);
    }

    function _recordOf(bytes32 keyHash) private view returns (bytes32) {
        return _hash(keccak256(abi.encode(platformOf())), keyHash);
    }

    function _hash(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return keccak256(abi.encode(a, b));
    }

    function _expectNotRecorded(bytes32 recorded, bytes32 expected) private {
        vm.expectRevert(
            abi.encodeWithSelector(ITdxVerifier.TdxVerifier_PlatformNotRecorded.selector, recorded, expected)
        );
    }
}
