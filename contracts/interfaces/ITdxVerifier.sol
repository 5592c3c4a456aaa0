// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { TcbStatus } from "./IEnclaveRegistry.sol";

/// @notice What a verified quote says of its platform.
/// @param platformId keccak256 of the platform's PPID (16 bytes), read from the PCK leaf certificate.
/// @param tcbStatus Converged TCB status; `Unevaluated` while no collateral is consulted.
/// @param validUntil Unix seconds: the earliest end of validity of what the verdict rests on.
struct QuoteVerdict {
    bytes32 platformId;
    TcbStatus tcbStatus;
    uint64 validUntil;
}

/// @notice The two certificates between a quote and the pinned root key.
enum PckCertificate {
    Leaf,
    Issuer
}

/// @title ITdxVerifier
/// @notice Verifies Intel TDX quotes of version 4 with a TD 1.0 report body.
/// @custom:source Intel "TDX DCAP Quoting Library API", appendix A.3; Intel "SGX PCK Certificate and CRL Profile"
interface ITdxVerifier {
    /// @notice The root key given at deployment is not a point of P-256.
    error TdxVerifier_BadRootKey(bytes32 x, bytes32 y);

    /// @notice The quote is longer than the limit, in bytes.
    error TdxVerifier_QuoteTooLong(uint256 length, uint256 limit);
    /// @notice The quote ends before its QE authentication data do, in bytes.
    error TdxVerifier_QuoteTruncated(uint256 length, uint256 needed);
    /// @notice The quote is not of version 4. Version 5 and TD 1.5 report bodies are not read here.
    error TdxVerifier_UnsupportedVersion(uint16 version);
    /// @notice The attestation key is not of type 2, ECDSA over P-256.
    error TdxVerifier_UnsupportedKeyType(uint16 keyType);
    /// @notice The quote is not of a TDX guest (0x81).
    error TdxVerifier_UnsupportedTeeType(uint32 teeType);
    /// @notice The quoting enclave is not Intel's.
    error TdxVerifier_UnknownQeVendor(bytes16 vendorId);
    /// @notice The certification data are not of type 6, a QE report with its own certification.
    error TdxVerifier_UnsupportedCertification(uint16 certificationType);
    /// @notice The lengths that the quote states for its signature and certification data contradict each other.
    error TdxVerifier_InconsistentLengths(uint32 signatureData, uint32 certificationData);
    /// @notice The QE authentication data are longer than the limit, in bytes.
    error TdxVerifier_AuthDataTooLong(uint256 length, uint256 limit);

    /// @notice The host may read the guest's memory: a bit of the TUD group (DEBUG and its kin) is set.
    error TdxVerifier_DebugTd(bytes8 tdAttributes);
    /// @notice SEPT_VE_DISABLE is not set: the host may take the guest's pages away under it.
    error TdxVerifier_SeptVeEnabled(bytes8 tdAttributes);
    /// @notice An attribute bit is set that TDX 1.0 reserves.
    error TdxVerifier_ReservedTdAttributes(bytes8 tdAttributes);
    /// @notice The TDX module is not signed by Intel: MRSIGNERSEAM, shown as its keccak256, is not zero.
    error TdxVerifier_UnknownSeamSigner(bytes32 mrSignerSeamHash);
    /// @notice The TDX module runs with attributes set, e.g. in debug.
    error TdxVerifier_BadSeamAttributes(bytes8 seamAttributes);

    /// @notice The quoting enclave is signed by somebody else than Intel's TD quoting enclave is.
    error TdxVerifier_WrongQeSigner(bytes32 mrSigner);
    /// @notice The quoting enclave is another product of Intel's than the TD quoting enclave.
    error TdxVerifier_WrongQeProduct(uint16 productId);
    /// @notice The quoting enclave's attributes or MISCSELECT are not as in Intel's QE identity, e.g. it is in debug.
    error TdxVerifier_WrongQeAttributes(bytes16 attributes, bytes4 miscSelect);
    /// @notice The QE report does not vouch for the attestation key: its report data are not the key's hash and zeros.
    error TdxVerifier_QeReportDataMismatch(bytes32 expected, bytes32 actualHigh, bytes32 actualLow);

    /// @notice The leaf names another issuer than the certificate given. Names are shown as their keccak256.
    error TdxVerifier_WrongIssuer(bytes32 issuerNamed, bytes32 issuerGiven);
    /// @notice The certificate's role or key usage is not what its place in the chain asks for.
    error TdxVerifier_WrongCertificateRole(PckCertificate certificate);
    /// @notice The certificate's first second of validity is to come. Unix seconds.
    error TdxVerifier_CertificateNotYetValid(PckCertificate certificate, uint64 notBefore, uint256 timestamp);
    /// @notice The certificate's last second of validity is gone. Unix seconds.
    error TdxVerifier_CertificateExpired(PckCertificate certificate, uint64 notAfter, uint256 timestamp);
    /// @notice The leaf does not carry Intel's SGX extension: it is no PCK certificate.
    error TdxVerifier_MissingSgxExtension();
    /// @notice The SGX extension does not carry the platform's PPID, 16 bytes, exactly once.
    error TdxVerifier_BadPpid();

    /// @notice The certificate is not signed by the one above it: the root key for the issuer, the issuer for the leaf.
    error TdxVerifier_BadCertificateSignature(PckCertificate certificate);
    /// @notice The QE report is not signed by the PCK leaf's key.
    error TdxVerifier_BadQeReportSignature();
    /// @notice Header and report body are not signed by the attestation key.
    error TdxVerifier_BadQuoteSignature();

    /// @notice Verifies `quote` at the current block time and returns what it says of its platform.
    /// @dev Looks at no TCB collateral and no revocation list: the status is `Unevaluated`, and the QE's ISVSVN is not
    /// judged. The report's measurements, XFAM and report data are for the caller to judge.
    ///
    /// Reverts, in this order: the quote's form (QuoteTooLong, QuoteTruncated, UnsupportedVersion, UnsupportedKeyType,
    /// UnsupportedTeeType, UnknownQeVendor, UnsupportedCertification, AuthDataTooLong, QuoteTruncated,
    /// InconsistentLengths); the guest (DebugTd, SeptVeEnabled, ReservedTdAttributes, UnknownSeamSigner,
    /// BadSeamAttributes); the quoting enclave (WrongQeSigner, WrongQeProduct, WrongQeAttributes,
    /// QeReportDataMismatch); the form of leaf and issuer (any error of X509, X509Time, Der); the chain (WrongIssuer,
    /// for issuer and leaf WrongCertificateRole, CertificateNotYetValid, CertificateExpired; MissingSgxExtension,
    /// BadPpid); the signatures, from the root down (BadCertificateSignature of issuer and leaf,
    /// BadQeReportSignature, BadQuoteSignature).
    /// @param quote Header through QE authentication data. The PEM chain that platforms append, and any padding after
    /// it, may be cut off or left: bytes after the authentication data are neither read nor vouched for. At most 16,384
    /// bytes.
    /// @param pckLeaf PCK leaf certificate, DER, at most 4,096 bytes, nothing after it.
    /// @param pckIssuer PCK Platform or Processor CA certificate, DER, at most 4,096 bytes, nothing after it.
    function verify(bytes calldata quote, bytes calldata pckLeaf, bytes calldata pckIssuer)
        external
        view
        returns (QuoteVerdict memory);

    /// @notice The pinned P-256 root public key, big-endian coordinates. Intel's or a simulated platform's.
    function rootKey() external view returns (bytes32 x, bytes32 y);
}
