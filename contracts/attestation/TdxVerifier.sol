// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Hashes } from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import { AuthorityRole, InForce, ITdxCollateral } from "../interfaces/ITdxCollateral.sol";
import { Evidence, ITdxVerifier, QuoteVerdict } from "../interfaces/ITdxVerifier.sol";
import { P256Key, Platform, TcbAssessment, TcbEvidence, TcbStatus } from "../interfaces/TcbTypes.sol";
import { P256Signature } from "../lib/P256Signature.sol";
import { Blob } from "./Blob.sol";
import { PckCertificate } from "./PckCertificate.sol";
import { QeIdentity } from "./QeIdentity.sol";
import { QeReport } from "./QeReport.sol";
import { RevocationList } from "./RevocationList.sol";
import { Levels, TcbLevels } from "./TcbLevels.sol";
import { TcbVerdict } from "./TcbVerdict.sol";
import { TdQuote } from "./TdQuote.sol";
import { TdReport } from "./TdReport.sol";

/// @title TdxVerifier
/// @notice Verifies TD quotes from the quote's signature up to the root key of the collateral it is deployed with. Keeps one
/// word a platform, has no owner.
/// @custom:source see `ITdxVerifier`
contract TdxVerifier is ITdxVerifier {
    ITdxCollateral private immutable COLLATERAL;
    /// @dev All statuses but Unsupported and Revoked.
    uint16 private constant ALLOWABLE = 0x37e;

    mapping(bytes32 pckId => bytes32 record) private _records;

    /// @param collateral_ The `ITdxCollateral` to judge by, for ever.
    constructor(address collateral_) {
        require(collateral_.code.length != 0, TdxVerifier_NotAContract(collateral_));
        COLLATERAL = ITdxCollateral(collateral_);
    }

    /* VERIFICATION */

    /// @inheritdoc ITdxVerifier
    function verify(bytes calldata quote, Evidence calldata evidence, uint16 allowedTcb)
        external
        returns (QuoteVerdict memory verdict)
    {
        // What costs little first; nothing read is believed until the last signature has been verified.
        require(allowedTcb != 0 && allowedTcb & ~ALLOWABLE == 0, TdxVerifier_BadPolicy(allowedTcb));
        uint256 e = TdQuote.requireForm(quote);
        bytes calldata report = TdQuote.report(quote);
        TdReport.requireClosed(report);

        bool hasLeaf = evidence.pckLeaf.length != 0;
        if (hasLeaf) TdQuote.requireCertified(quote, e);
        TcbEvidence memory tcb = verdict.tcb;
        if (hasLeaf) _certify(evidence, tcb.platform);
        else tcb.platform = evidence.platform;
        (tcb.teeTcbSvn, tcb.currentTeeTcbSvn) = TdReport.teeTcbSvns(report);
        tcb.qeIsvSvn = TdQuote.isCertified(quote, e) ? QeReport.isvSvn(TdQuote.qeReport(quote, e)) : evidence.qeIsvSvn;
        InForce memory inForce = COLLATERAL.inForce(tcb.platform.fmspc, tcb.platform.issuer);
        bytes memory qeIdentity = inForce.qeIdentity.code;

        _requireQuote(quote, e, hasLeaf, evidence, tcb, inForce, qeIdentity);
        Levels memory levels;
        (verdict.tcbStatus,) = _judge(tcb, inForce, qeIdentity, levels);
        require(
            allowedTcb & (1 << uint8(verdict.tcbStatus)) != 0,
            TdxVerifier_TcbStatusNotAllowed(verdict.tcbStatus, allowedTcb)
        );
        verdict.tcbEvidenceHash = keccak256(abi.encode(tcb));
        verdict.validUntil = _validUntil(tcb.platform, inForce);
    }

    /// @dev Writes into `platform` what its certificate says.
    function _certify(Evidence calldata evidence, Platform memory platform) private view {
        P256Key calldata key = evidence.issuerKey;
        (uint16 issuer, AuthorityRole role) = COLLATERAL.findAuthority(key);
        require(
            role == AuthorityRole.PckPlatformCa || role == AuthorityRole.PckProcessorCa,
            TdxVerifier_UnknownIssuer(key.x, key.y)
        );
        platform.issuer = issuer;
        PckCertificate.certify(evidence.pckLeaf, key, role, platform);
    }

    /// @dev Every link below the PCK certificate, always: platform -> QE report -> attestation key -> header and report;
    /// the platform's record stands for those that were seen before.
    function _requireQuote(
        bytes calldata quote,
        uint256 e,
        bool hasLeaf,
        Evidence calldata evidence,
        TcbEvidence memory tcb,
        InForce memory inForce,
        bytes memory qeIdentity
    ) private {
        Platform memory platform = tcb.platform;
        bytes32 pckId = Hashes.efficientKeccak256(platform.pckKey.x, platform.pckKey.y);
        bytes32 platformHash = keccak256(abi.encode(platform));
        (bytes32 x, bytes32 y) = TdQuote.attestationKey(quote, e);
        bytes32 keyHash = keccak256(abi.encodePacked(x, y, tcb.qeIsvSvn, inForce.qeIdentity));
        bytes32 record = Hashes.efficientKeccak256(platformHash, keyHash);
        bytes32 recorded = _records[pckId];
        bool isCertified = TdQuote.isCertified(quote, e);

        if (!hasLeaf) {
            bytes32 expected =
                isCertified ? Hashes.efficientKeccak256(platformHash, evidence.attestationKeyHash) : record;
            require(recorded == expected, TdxVerifier_PlatformNotRecorded(recorded, expected));
            PckCertificate.requireInForce(platform.notAfter);
        }
        require(!inForce.issuerRevoked, TdxVerifier_IssuerRevoked(platform.issuer));
        require(
            !RevocationList.contains(inForce.pckCrl, platform.serial, evidence.revocationHint),
            TdxVerifier_CertificateRevoked(platform.serial)
        );

        if (isCertified) _requireQuotingEnclave(quote, e, platform, qeIdentity);
        (bytes32 r, bytes32 s) = TdQuote.signature(quote, e);
        require(P256Signature.isValid(TdQuote.digest(quote, e), r, s, x, y), TdxVerifier_BadQuoteSignature());

        // Never so where the record stood for the QE report.
        if (record != recorded) {
            _records[pckId] = record;
            emit PlatformRecorded(pckId, platformHash, keyHash, tcb.qeIsvSvn);
        }
    }

    function _requireQuotingEnclave(bytes calldata quote, uint256 e, Platform memory platform, bytes memory qeIdentity)
        private
        view
    {
        bytes calldata qeReport = TdQuote.qeReport(quote, e);
        QeIdentity.requireMatch(qeIdentity, qeReport);
        QeReport.requireVouchesFor(qeReport, TdQuote.vouchedHash(quote, e));
        (bytes32 r, bytes32 s) = TdQuote.qeSignature(quote, e);
        require(
            P256Signature.isValid(sha256(qeReport), r, s, platform.pckKey.x, platform.pckKey.y),
            TdxVerifier_BadQeReportSignature()
        );
    }

    /* JUDGEMENT BY COLLATERAL */

    /// @inheritdoc ITdxVerifier
    function assess(TcbEvidence calldata tcb, uint16 revocationHint)
        external
        view
        returns (TcbAssessment memory assessment)
    {
        Platform memory platform = tcb.platform;
        PckCertificate.requireInForce(platform.notAfter);
        InForce memory inForce = COLLATERAL.inForce(platform.fmspc, platform.issuer);
        bytes memory qeIdentity = inForce.qeIdentity.code;
        Levels memory levels;
        uint256 qeAdvisories;
        (assessment.tcbStatus, qeAdvisories) = _judge(tcb, inForce, qeIdentity, levels);
        (assessment.qe,) = QeIdentity.statusOf(qeIdentity, tcb.qeIsvSvn);
        (assessment.platform, assessment.module_) = (levels.platform, levels.module_);
        assessment.certificateRevoked =
            inForce.issuerRevoked || RevocationList.contains(inForce.pckCrl, platform.serial, revocationHint);
        assessment.validUntil = _validUntil(platform, inForce);

        bytes memory tcbInfo = inForce.tcbInfo.code;
        assessment.advisoryIds = new uint24[](
            Blob.advisoryCount(tcbInfo, levels.platformAdvisories)
                + Blob.advisoryCount(tcbInfo, levels.moduleAdvisories) + Blob.advisoryCount(qeIdentity, qeAdvisories)
        );
        uint256 index = Blob.readAdvisories(tcbInfo, levels.platformAdvisories, assessment.advisoryIds, 0);
        index = Blob.readAdvisories(tcbInfo, levels.moduleAdvisories, assessment.advisoryIds, index);
        Blob.readAdvisories(qeIdentity, qeAdvisories, assessment.advisoryIds, index);
    }

    /// @param levels The levels under the TDX module that started the guest are written into it.
    /// @return status The converged status.
    /// @return qeAdvisories Where the advisories of the quoting enclave's level stand in `qeIdentity`; 0: nowhere.
    function _judge(TcbEvidence memory tcb, InForce memory inForce, bytes memory qeIdentity, Levels memory levels)
        private
        view
        returns (TcbStatus status, uint256 qeAdvisories)
    {
        bytes memory tcbInfo = inForce.tcbInfo.code;
        bytes2 pceId = TcbLevels.pceId(tcbInfo);
        require(tcb.platform.pceId == pceId, TdxVerifier_PceIdMismatch(tcb.platform.pceId, pceId));

        TcbStatus qe;
        (qe, qeAdvisories) = QeIdentity.statusOf(qeIdentity, tcb.qeIsvSvn);
        TcbLevels.find(tcbInfo, tcb.platform, tcb.teeTcbSvn, levels);
        status = TcbVerdict.converge(levels.platform, levels.module_, qe);
        if (tcb.currentTeeTcbSvn != tcb.teeTcbSvn) {
            Levels memory current;
            TcbLevels.find(tcbInfo, tcb.platform, tcb.currentTeeTcbSvn, current);
            status = TcbVerdict.relaunch(status, TcbVerdict.converge(current.platform, current.module_, qe));
        }
    }

    /// @dev A certificate's last second is valid, the first after it is not.
    function _validUntil(Platform memory platform, InForce memory inForce) private pure returns (uint64) {
        // The dates that certificates can have are below 2^38.
        uint64 leafEnd = platform.notAfter + 1;
        return leafEnd < inForce.validUntil ? leafEnd : inForce.validUntil;
    }

    /* VIEWS */

    /// @inheritdoc ITdxVerifier
    function platformRecord(bytes32 pckId) external view returns (bytes32) {
        return _records[pckId];
    }

    /// @inheritdoc ITdxVerifier
    function collateral() external view returns (address) {
        return address(COLLATERAL);
    }

    /// @inheritdoc ITdxVerifier
    function rootKey() external view returns (bytes32 x, bytes32 y) {
        return COLLATERAL.rootKey();
    }
}
