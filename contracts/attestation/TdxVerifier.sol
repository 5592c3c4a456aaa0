// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { TcbStatus } from "../interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier, PckCertificate, QuoteVerdict } from "../interfaces/ITdxVerifier.sol";
import { P256Signature } from "../lib/P256Signature.sol";
import { Certificate, X509 } from "../lib/X509.sol";
import { QeReport } from "./QeReport.sol";
import { SgxExtension } from "./SgxExtension.sol";
import { TdQuote } from "./TdQuote.sol";
import { TdReport } from "./TdReport.sol";

/// @title TdxVerifier
/// @notice Verifies TD quotes from the quote's signature up to a root key that is fixed at deployment. Holds no state,
/// has no owner.
/// @custom:source see `ITdxVerifier`
contract TdxVerifier is ITdxVerifier {
    bytes32 private immutable ROOT_X;
    bytes32 private immutable ROOT_Y;

    /// @param rootX Root public key, P-256, big-endian: of Intel's SGX Root CA, or of a simulated platform.
    /// @param rootY The same.
    constructor(bytes32 rootX, bytes32 rootY) {
        require(P256.isValidPublicKey(rootX, rootY), TdxVerifier_BadRootKey(rootX, rootY));
        ROOT_X = rootX;
        ROOT_Y = rootY;
    }

    /// @inheritdoc ITdxVerifier
    function verify(bytes calldata quote, bytes calldata pckLeaf, bytes calldata pckIssuer)
        external
        view
        returns (QuoteVerdict memory)
    {
        // What costs little first; nothing read is believed until the last signature has been verified.
        TdQuote.requireForm(quote);
        TdReport.requireClosed(TdQuote.report(quote));
        QeReport.requireIntelTdQe(TdQuote.qeReport(quote));
        QeReport.requireVouchesFor(TdQuote.qeReport(quote), TdQuote.attestationKeyHash(quote));

        Certificate memory leaf = X509.parse(pckLeaf);
        Certificate memory issuer = X509.parse(pckIssuer);
        _requireChain(leaf, issuer);
        bytes16 ppid = SgxExtension.readPpid(pckLeaf, leaf.sgxStart, leaf.sgxEnd);

        _requireSignatures(quote, leaf, issuer);
        return QuoteVerdict({
            platformId: keccak256(abi.encodePacked(ppid)),
            tcbStatus: TcbStatus.Unevaluated,
            validUntil: leaf.notAfter < issuer.notAfter ? leaf.notAfter : issuer.notAfter
        });
    }

    /// @inheritdoc ITdxVerifier
    function rootKey() external view returns (bytes32 x, bytes32 y) {
        return (ROOT_X, ROOT_Y);
    }

    /// @dev Names, roles and dates; no signature. Names are compared byte by byte, as the same authority wrote both.
    function _requireChain(Certificate memory leaf, Certificate memory issuer) private view {
        require(leaf.issuerHash == issuer.subjectHash, TdxVerifier_WrongIssuer(leaf.issuerHash, issuer.subjectHash));
        require(issuer.isCa && issuer.mayCertify, TdxVerifier_WrongCertificateRole(PckCertificate.Issuer));
        _requireInForce(issuer, PckCertificate.Issuer);
        require(!leaf.isCa && leaf.maySign, TdxVerifier_WrongCertificateRole(PckCertificate.Leaf));
        _requireInForce(leaf, PckCertificate.Leaf);
        require(leaf.sgxStart != 0, TdxVerifier_MissingSgxExtension());
    }

    function _requireInForce(Certificate memory certificate, PckCertificate which) private view {
        require(
            block.timestamp >= certificate.notBefore,
            TdxVerifier_CertificateNotYetValid(which, certificate.notBefore, block.timestamp)
        );
        require(
            block.timestamp <= certificate.notAfter,
            TdxVerifier_CertificateExpired(which, certificate.notAfter, block.timestamp)
        );
    }

    /// @dev Every link, always: root key -> issuer -> leaf -> QE report -> attestation key -> header and report.
    function _requireSignatures(bytes calldata quote, Certificate memory leaf, Certificate memory issuer)
        private
        view
    {
        require(
            P256Signature.isValid(issuer.tbsHash, bytes32(issuer.r), bytes32(issuer.s), ROOT_X, ROOT_Y),
            TdxVerifier_BadCertificateSignature(PckCertificate.Issuer)
        );
        require(
            P256Signature.isValid(leaf.tbsHash, bytes32(leaf.r), bytes32(leaf.s), issuer.keyX, issuer.keyY),
            TdxVerifier_BadCertificateSignature(PckCertificate.Leaf)
        );
        (bytes32 r, bytes32 s) = TdQuote.qeSignature(quote);
        require(
            P256Signature.isValid(sha256(TdQuote.qeReport(quote)), r, s, leaf.keyX, leaf.keyY),
            TdxVerifier_BadQeReportSignature()
        );
        (r, s) = TdQuote.signature(quote);
        (bytes32 x, bytes32 y) = TdQuote.attestationKey(quote);
        require(P256Signature.isValid(sha256(TdQuote.signed(quote)), r, s, x, y), TdxVerifier_BadQuoteSignature());
    }
}
