// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256Key, Platform, TcbAssessment, TcbEvidence, TcbStatus } from "./TcbTypes.sol";

/// @notice What stands beside a quote to verify it. The first quote of a platform needs the PCK certificate; later ones
/// only what is hashed in the record that the first one left.
/// @param pckLeaf PCK certificate, DER, at most 4,096 bytes; empty to rely on the platform's record.
/// @param issuerKey Key of the PCK CA that signed it; not read when relying on the record.
/// @param platform The recorded platform; not read when `pckLeaf` is given.
/// @param attestationKeyHash The attestation key's part of the platform's record; see `PlatformRecorded`. Not read when
/// `pckLeaf` is given, nor when `quote` stops after its attestation key.
/// @param qeIsvSvn The recorded QE's security version; read only when `quote` stops after its attestation key.
/// @param revocationHint See `ITdxCollateral.revocationHint`. Not trusted.
struct Evidence {
    bytes pckLeaf;
    P256Key issuerKey;
    Platform platform;
    bytes32 attestationKeyHash;
    uint16 qeIsvSvn;
    uint16 revocationHint;
}

/// @notice What a verified quote says of its platform.
/// @param tcb What collateral judged.
/// @param tcbEvidenceHash keccak256 of the ABI encoding of `tcb`.
/// @param tcbStatus Converged status, one that the caller allowed.
/// @param validUntil Unix seconds: the first second at which something the verdict rests on is no longer valid.
struct QuoteVerdict {
    TcbEvidence tcb;
    bytes32 tcbEvidenceHash;
    TcbStatus tcbStatus;
    uint64 validUntil;
}

/// @title ITdxVerifier
/// @notice Verifies Intel TDX quotes: version 4 and version 5 with a TD 1.0 or TD 1.5 report body, against the collateral
/// that is in force. Remembers platforms and their attestation keys, so that later quotes cost less.
/// @custom:source Intel "TDX DCAP Quoting Library API", appendix A.3; Intel "SGX PCK Certificate and CRL Profile"
interface ITdxVerifier {
    /// @notice The collateral given at deployment has no code.
    error TdxVerifier_NotAContract(address collateral);
    /// @notice The policy is empty, or allows Unsupported or Revoked. Bit n stands for status n.
    error TdxVerifier_BadPolicy(uint16 allowedTcb);

    /// @notice The quote is longer than the limit, in bytes.
    error TdxVerifier_QuoteTooLong(uint256 length, uint256 limit);
    /// @notice The quote ends before its QE authentication data do, in bytes.
    error TdxVerifier_QuoteTruncated(uint256 length, uint256 needed);
    /// @notice The quote is neither of version 4 nor of version 5.
    error TdxVerifier_UnsupportedVersion(uint16 version);
    /// @notice A version 5 quote states another report body than TD 1.0 (type 2, 584 bytes) or TD 1.5 (type 3, 648 bytes).
    error TdxVerifier_UnsupportedBody(uint16 bodyType, uint32 size);
    /// @notice The attestation key is not of type 2, ECDSA over P-256.
    error TdxVerifier_UnsupportedKeyType(uint16 keyType);
    /// @notice The quote is not of a TDX guest (0x81).
    error TdxVerifier_UnsupportedTeeType(uint32 teeType);
    /// @notice The quoting enclave is not Intel's.
    error TdxVerifier_UnknownQeVendor(bytes16 vendorId);
    /// @notice The certification data are not of type 6, a QE report with its own certification; or theirs, where they are
    /// sent, not of type 5, a PCK certificate chain.
    error TdxVerifier_UnsupportedCertification(uint16 certificationType);
    /// @notice The lengths that the quote states for its signature and certification data contradict each other.
    error TdxVerifier_InconsistentLengths(uint32 signatureData, uint32 certificationData);
    /// @notice The quote goes on with a certificate chain of `chain` bytes, which is not what `certificationData` leaves for it.
    error TdxVerifier_InconsistentChainLength(uint32 chain, uint32 certificationData);
    /// @notice Behind `end`, where the quote's certificate chain ends, there is something else than zeros.
    error TdxVerifier_TrailingBytes(uint256 end, uint256 length);
    /// @notice The QE authentication data are longer than the limit, in bytes.
    error TdxVerifier_AuthDataTooLong(uint256 length, uint256 limit);

    /// @notice The host may read the guest's memory: a bit of the TUD group (DEBUG and its kin) is set.
    error TdxVerifier_DebugTd(bytes8 tdAttributes);
    /// @notice SEPT_VE_DISABLE is not set: the host may take the guest's pages away under it.
    error TdxVerifier_SeptVeEnabled(bytes8 tdAttributes);
    /// @notice An attribute bit is set that is reserved, or of a feature that no guest here needs: ICSSD, LASS, MIGRATABLE, TPA.
    error TdxVerifier_ReservedTdAttributes(bytes8 tdAttributes);
    /// @notice The TDX module is not signed by Intel: MRSIGNERSEAM, shown as its keccak256, is not zero.
    error TdxVerifier_UnknownSeamSigner(bytes32 mrSignerSeamHash);
    /// @notice The TDX module runs with attributes set, e.g. in debug.
    error TdxVerifier_BadSeamAttributes(bytes8 seamAttributes);

    /// @notice A service TD is bound to the guest, which may migrate it: MRSERVICETD, shown as its keccak256, is not zero.
    error TdxVerifier_ServiceTdBound(bytes32 mrServiceTdHash);

    /// @notice The quoting enclave's MRSIGNER is not the identity's.
    error TdxVerifier_WrongQeSigner(bytes32 mrSigner, bytes32 expected);
    /// @notice The quoting enclave's ISVPRODID is not the identity's.
    error TdxVerifier_WrongQeProduct(uint16 productId, uint16 expected);
    /// @notice The quoting enclave's attributes, under the identity's mask, are not the identity's.
    error TdxVerifier_WrongQeAttributes(bytes16 attributes, bytes16 mask, bytes16 expected);
    /// @notice The quoting enclave's MISCSELECT, under the identity's mask, is not the identity's.
    error TdxVerifier_WrongQeMiscSelect(bytes4 miscSelect, bytes4 mask, bytes4 expected);
    /// @notice The QE report does not vouch for the attestation key: its report data are not the key's hash and zeros.
    error TdxVerifier_QeReportDataMismatch(bytes32 expected, bytes32 actualHigh, bytes32 actualLow);

    /// @notice No authority of the collateral has the issuer's key.
    error TdxVerifier_UnknownIssuer(bytes32 keyX, bytes32 keyY);
    /// @notice The leaf names another issuer than the CA that has the key. Names are shown as keccak256 of their DER.
    error TdxVerifier_WrongIssuer(bytes32 issuerNamed, bytes32 expected);
    /// @notice The leaf is no PCK certificate by its subject's name, shown as keccak256 of its DER.
    error TdxVerifier_WrongSubject(bytes32 subject, bytes32 expected);
    /// @notice The leaf is longer than the limit, in bytes.
    error TdxVerifier_CertificateTooLong(uint256 length, uint256 limit);
    /// @notice The leaf is not of the form that Intel gives PCK certificates: look at the element at `offset`, in bytes.
    error TdxVerifier_MalformedCertificate(uint256 offset);
    /// @notice The leaf is not marked as one that is no CA, or not as one that may sign, as Intel marks PCK certificates.
    error TdxVerifier_WrongCertificateRole(bool isCa, bool maySign);
    /// @notice The leaf's first second of validity is to come. Unix seconds.
    error TdxVerifier_CertificateNotYetValid(uint64 notBefore, uint256 timestamp);
    /// @notice The leaf's last second of validity is gone. Unix seconds.
    error TdxVerifier_CertificateExpired(uint64 notAfter, uint256 timestamp);
    /// @notice The leaf does not carry Intel's SGX extension: it is no PCK certificate.
    error TdxVerifier_MissingSgxExtension();
    /// @notice The SGX extension lacks a field, has it twice, in another place, or of another form. `field`: last number of
    /// its OID.
    error TdxVerifier_BadSgxExtension(uint8 field);
    /// @notice The leaf is not signed by the issuer's key.
    error TdxVerifier_BadCertificateSignature();
    /// @notice The issuer revoked the leaf.
    error TdxVerifier_CertificateRevoked(uint160 serial);
    /// @notice The PCK CA is revoked.
    error TdxVerifier_IssuerRevoked(uint16 issuer);
    /// @notice The place does not lie between the list's serials below and above `serial`: ask `revocationHint` anew.
    error TdxVerifier_WrongRevocationHint(uint16 hint, uint160 serial);
    /// @notice The platform's record is another, or there is none: give the PCK certificate. Zero: no record.
    error TdxVerifier_PlatformNotRecorded(bytes32 recorded, bytes32 expected);
    /// @notice The TCB info is for another PCE id than the platform's.
    error TdxVerifier_PceIdMismatch(bytes2 platform, bytes2 tcbInfo);
    /// @notice The TCB status is none that the caller allows.
    error TdxVerifier_TcbStatusNotAllowed(TcbStatus status, uint16 allowedTcb);

    /// @notice The QE report is not signed by the PCK leaf's key.
    error TdxVerifier_BadQeReportSignature();
    /// @notice Header and report body are not signed by the attestation key.
    error TdxVerifier_BadQuoteSignature();

    /// @notice A platform was certified, or its attestation key replaced. The record kept is keccak256 of `platformHash` and
    /// `attestationKeyHash`.
    /// @param pckId keccak256 of the PCK key's coordinates.
    /// @param platformHash keccak256 of the ABI encoding of `Platform`: what the PCK certificate says.
    /// @param attestationKeyHash keccak256 of attestation key x, y, QE ISVSVN (uint16) and the code address of the QE
    /// identity that the QE report was judged by, packed.
    /// @param qeIsvSvn Security version of the quoting enclave.
    event PlatformRecorded(bytes32 indexed pckId, bytes32 platformHash, bytes32 attestationKeyHash, uint16 qeIsvSvn);

    /// @notice Verifies `quote` at the current block time, and records platform and attestation key where they are new.
    /// Caller: anyone; what is recorded is true whoever submits it.
    /// @dev Three ways, by what is given. (1) `evidence.pckLeaf` and a quote through its QE authentication data: all four
    /// signatures. (2) No leaf: the platform's record stands for the leaf. (3) No leaf, and a quote that stops after its
    /// attestation key: the record stands for leaf and QE report, unless the QE identity changed since.
    /// The report's measurements, XFAM and report data are for the caller to judge.
    ///
    /// Reverts, in this order: BadPolicy; the quote's form (QuoteTooLong, QuoteTruncated, UnsupportedVersion,
    /// UnsupportedBody, QuoteTruncated, UnsupportedKeyType, UnsupportedTeeType, UnknownQeVendor,
    /// UnsupportedCertification, AuthDataTooLong, QuoteTruncated, InconsistentLengths; of a whole quote also QuoteTruncated,
    /// UnsupportedCertification, InconsistentChainLength, QuoteTruncated, TrailingBytes); the guest (DebugTd, SeptVeEnabled, ReservedTdAttributes, UnknownSeamSigner, BadSeamAttributes, ServiceTdBound); with a leaf,
    /// QuoteTruncated, UnknownIssuer, CertificateTooLong, and as they come up on the way through the certificate
    /// MalformedCertificate, WrongIssuer, CertificateNotYetValid, CertificateExpired, WrongCertificateRole,
    /// BadSgxExtension, MissingSgxExtension, BadCertificateSignature; any error of `ITdxCollateral.inForce`; without a
    /// leaf, PlatformNotRecorded, CertificateExpired; IssuerRevoked, WrongRevocationHint, CertificateRevoked; the quoting
    /// enclave, unless the record stands for it (WrongQeMiscSelect, WrongQeAttributes, WrongQeSigner, WrongQeProduct,
    /// QeReportDataMismatch, BadQeReportSignature); BadQuoteSignature, PceIdMismatch, TcbStatusNotAllowed.
    /// @param quote Header through attestation key, or through QE authentication data, or whole: with the PEM chain that
    /// platforms append, whose type and size are checked and whose text is neither read nor vouched for, and with zeros as
    /// padding, nothing else. At most 16,384 bytes.
    /// @param evidence What stands beside it.
    /// @param allowedTcb Which statuses to accept: bit n stands for `TcbStatus` n. Unsupported and Revoked cannot be allowed.
    function verify(bytes calldata quote, Evidence calldata evidence, uint16 allowedTcb)
        external
        returns (QuoteVerdict memory);

    /// @notice What collateral says of `tcb` at the current block time, whatever the status. Does not say that any such
    /// platform exists.
    /// @dev Reverts, in this order: CertificateExpired, any error of `ITdxCollateral.inForce`, PceIdMismatch,
    /// WrongRevocationHint.
    function assess(TcbEvidence calldata tcb, uint16 revocationHint) external view returns (TcbAssessment memory);

    /// @notice The record of the platform whose PCK key has this id; zero if there is none. See `PlatformRecorded`.
    function platformRecord(bytes32 pckId) external view returns (bytes32);

    /// @notice The `ITdxCollateral` that quotes are judged by.
    function collateral() external view returns (address);

    /// @notice The pinned P-256 root public key, of the collateral. Intel's or a simulated platform's.
    function rootKey() external view returns (bytes32 x, bytes32 y);
}
