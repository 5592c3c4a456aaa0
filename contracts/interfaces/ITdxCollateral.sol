// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256Key } from "./TcbTypes.sol";

/// @notice What an authority, a certificate right below the root, may sign.
enum AuthorityRole {
    None,
    PckPlatformCa,
    PckProcessorCa,
    TcbSigning
}

/// @notice The kinds of dated collateral.
enum CollateralKind {
    RootCrl,
    PckCrl,
    QeIdentity,
    TcbInfo
}

/// @notice A certificate right below the root. A later certificate of the same key takes its place.
/// @param serial Serial number.
/// @param notAfter Unix seconds, last second of validity.
/// @param role What it may sign.
/// @param revoked Whether a root CRL lists its serial number.
struct Authority {
    uint160 serial;
    uint64 notAfter;
    AuthorityRole role;
    bool revoked;
}

/// @notice One dated item. Dates are Unix seconds below 2^32.
/// @param data Address whose code, after one zero byte, is the item's content; see the libraries named at each getter.
/// @param issuedAt When Intel issued it.
/// @param nextUpdate From this second on it is not used any more.
/// @param number tcbEvaluationDataNumber, or the CRL number.
/// @param signer Number of the authority that signed it; 0: the root.
struct CollateralItem {
    address data;
    uint32 issuedAt;
    uint32 nextUpdate;
    uint16 number;
    uint16 signer;
}

/// @notice What one platform is judged by at this second.
/// @param tcbInfo Code address, for `TcbLevels`.
/// @param qeIdentity Code address, for `QeIdentity`.
/// @param pckCrl Code address, for `RevocationList`.
/// @param validUntil Unix seconds: the first second at which one of these, the root CRL, or an authority is out of date.
/// @param issuerRevoked Whether the PCK CA is revoked.
struct InForce {
    address tcbInfo;
    address qeIdentity;
    address pckCrl;
    uint64 validUntil;
    bool issuerRevoked;
}

/// @title ITdxCollateral
/// @notice Keeps Intel's collateral for TDX: anyone submits it, and nothing is taken without a signature that leads to
/// the root key. No owner; nothing is ever replaced by something older.
/// @custom:source Intel PCS API v4; Intel "SGX PCK Certificate and CRL Profile Specification"; RFC 5280
interface ITdxCollateral {
    /// @notice The root key given at deployment is not a point of P-256.
    error TdxCollateral_BadRootKey(bytes32 x, bytes32 y);
    /// @notice No authority has this key: add its certificate first.
    error TdxCollateral_UnknownAuthority(bytes32 keyX, bytes32 keyY);
    /// @notice No authority has this number.
    error TdxCollateral_UnknownAuthorityNumber(uint16 number);
    /// @notice The certificate's subject, shown as keccak256 of its DER, is none of the authorities Intel has.
    error TdxCollateral_UnknownSubject(bytes32 subjectHash);
    /// @notice The certificate or the list names another issuer than it must. Names are shown as keccak256 of their DER.
    error TdxCollateral_WrongIssuer(bytes32 issuerHash, bytes32 expected);
    /// @notice The certificate's basic constraints or key usage are not what its role asks for.
    error TdxCollateral_WrongCertificateRole(
        AuthorityRole role, bool isCa, bool mayCertify, bool mayRevoke, bool maySign
    );
    /// @notice The certified key is that of an authority with another role.
    error TdxCollateral_KeyHasAnotherRole(uint16 authority, AuthorityRole recorded, AuthorityRole given);
    /// @notice This authority may not sign this.
    error TdxCollateral_WrongRole(uint16 authority, AuthorityRole role, CollateralKind kind);
    /// @notice A root CRL lists the serial number. `authority`: whose key it certifies, 0 for a key not recorded.
    error TdxCollateral_AuthorityRevoked(uint16 authority, uint160 serial);
    /// @notice A certificate's first second of validity is to come. Unix seconds.
    error TdxCollateral_CertificateNotYetValid(uint64 notBefore, uint256 timestamp);
    /// @notice An authority's certificate has expired. Unix seconds.
    error TdxCollateral_CertificateExpired(uint64 notAfter, uint256 timestamp);
    /// @notice The certificate recorded for this key is valid as long or longer, and not revoked. Unix seconds.
    error TdxCollateral_CertificateNotNewer(uint64 recorded, uint64 given);
    /// @notice The certificate is not signed by the root key.
    error TdxCollateral_BadCertificateSignature();
    /// @notice The item is not signed by the authority it should be signed by.
    error TdxCollateral_BadSignature(CollateralKind kind);
    /// @notice A signature is r || s, 64 bytes.
    error TdxCollateral_BadSignatureLength(uint256 length);
    /// @notice The item was issued after this block. Unix seconds.
    error TdxCollateral_IssuedInFuture(CollateralKind kind, uint64 issuedAt, uint256 timestamp);
    /// @notice The item's next update is due. Unix seconds.
    error TdxCollateral_Expired(CollateralKind kind, uint64 nextUpdate, uint256 timestamp);
    /// @notice A date is at or above 2^32, or the next update does not come after the issue.
    error TdxCollateral_BadDates(CollateralKind kind, uint64 issuedAt, uint64 nextUpdate);
    /// @notice What is recorded was issued at the same time or later, and its signer is not revoked. Unix seconds.
    error TdxCollateral_NotNewer(CollateralKind kind, uint64 recorded, uint64 given);
    /// @notice What is recorded has a higher evaluation or CRL number, and its signer is not revoked.
    error TdxCollateral_LowerNumber(CollateralKind kind, uint16 recorded, uint256 given);
    /// @notice The number is below the least that this deployment takes, or above 65,535.
    error TdxCollateral_NumberOutOfRange(CollateralKind kind, uint256 given, uint16 minimum);
    /// @notice Nothing of this kind has been submitted. `id`: the FMSPC, or the authority's number.
    error TdxCollateral_Missing(CollateralKind kind, bytes32 id);

    /// @notice An authority was recorded, or its certificate replaced by a later one.
    event AuthorityRecorded(
        uint16 indexed authority, AuthorityRole indexed role, P256Key key, uint160 serial, uint64 notAfter
    );
    /// @notice The root CRL lists an authority's certificate.
    event AuthorityRevoked(uint16 indexed authority, uint160 serial);
    /// @notice An item was recorded. `id`: the FMSPC (6 bytes, left), the authority's number (PckCrl), or zero.
    /// `data` stays the same where only the dates are newer.
    event CollateralRecorded(
        CollateralKind indexed kind,
        bytes32 indexed id,
        address data,
        uint32 issuedAt,
        uint32 nextUpdate,
        uint16 number,
        uint16 signer
    );

    /// @notice Records a PCK Platform CA, PCK Processor CA or TCB signing certificate. Caller: anyone.
    /// A later certificate of a recorded key takes the place of the former, of a revoked one any that is not: it is then the
    /// one that must not be revoked.
    /// @dev Reverts, in this order: any error of X509 and Der; WrongIssuer, UnknownSubject, WrongCertificateRole,
    /// CertificateNotYetValid, CertificateExpired, BadCertificateSignature, KeyHasAnotherRole, AuthorityRevoked,
    /// CertificateNotNewer.
    /// @param certificate DER, at most 4,096 bytes.
    /// @return authority Its number, from 1.
    function addAuthority(bytes calldata certificate) external returns (uint16 authority);

    /// @notice Records the root CA's revocation list. A serial on it is revoked for ever, whether an authority has it or
    /// not yet, and whatever later lists say. Caller: anyone.
    /// @dev Reverts, in this order: any error of Crl, X509 and Der on all but the entries; WrongIssuer, BadSignature,
    /// NumberOutOfRange, BadDates, IssuedInFuture, Expired, NotNewer, LowerNumber; any error of Crl on an entry.
    /// @param crl DER, at most 32,768 bytes.
    function upsertRootCrl(bytes calldata crl) external;

    /// @notice Records a PCK CA's revocation list. Caller: anyone.
    /// @dev Reverts, in this order: UnknownAuthority, WrongRole, AuthorityRevoked, CertificateExpired; then as
    /// `upsertRootCrl` does.
    /// @param issuer The PCK CA's key.
    /// @param crl DER, at most 32,768 bytes and 1,200 entries.
    /// @param order Two bytes an entry, big-endian: the place of the list's entry among all serials in ascending order. Not
    /// trusted.
    function upsertPckCrl(P256Key calldata issuer, bytes calldata crl, bytes calldata order) external;

    /// @notice Records the TD quoting enclave's identity. Caller: anyone.
    /// @dev Reverts, in this order: UnknownAuthority, WrongRole, AuthorityRevoked, CertificateExpired, Json_TooLong,
    /// BadSignatureLength, BadSignature; any error of Json and TcbLevelJson; NumberOutOfRange, BadDates, IssuedInFuture,
    /// Expired, NotNewer, LowerNumber.
    /// @param signer The TCB signing key.
    /// @param identity The signed JSON bytes, at most 4,096.
    /// @param signature r || s.
    function upsertQeIdentity(P256Key calldata signer, bytes calldata identity, bytes calldata signature) external;

    /// @notice Records the TCB info of one FMSPC. Caller: anyone.
    /// @dev Reverts, in this order: UnknownAuthority, WrongRole, AuthorityRevoked, CertificateExpired; PackedTooLong and
    /// TooLong of FastLz; BadSignatureLength, BadSignature; any error of Json up to the evaluation number; NumberOutOfRange,
    /// BadDates, IssuedInFuture, Expired, NotNewer, LowerNumber; any error of Json, TcbInfoJson and TcbLevelJson.
    /// @param signer The TCB signing key.
    /// @param compressed The signed JSON bytes, packed with FastLZ level 1 (`LibZip.flzCompress` of solady): calldata
    /// costs more than unpacking. At most 8,192 bytes, and 24,000 unpacked.
    /// @param signature r || s.
    function upsertTcbInfo(P256Key calldata signer, bytes calldata compressed, bytes calldata signature) external;

    /// @notice What a platform of `fmspc` whose PCK certificate `issuer` signed is judged by now.
    /// @dev Reverts with UnknownAuthorityNumber, WrongRole and CertificateExpired for the issuer; then with Missing and
    /// Expired for the root CRL, the PCK CRL, the QE identity and the TCB info; the latter two also with AuthorityRevoked
    /// and CertificateExpired for who signed them. A revoked issuer is told by a flag.
    function inForce(bytes6 fmspc, uint16 issuer) external view returns (InForce memory);

    /// @notice The number of the authority with `key`, 0 if there is none.
    function authorityNumber(P256Key calldata key) external view returns (uint16);

    /// @notice Number and role of the authority with `key`; 0 and None if there is none.
    function findAuthority(P256Key calldata key) external view returns (uint16 number, AuthorityRole role);

    /// @notice What is recorded of an authority. Reverts with UnknownAuthorityNumber.
    function authority(uint16 number) external view returns (Authority memory);

    /// @notice How many authorities there are; they are numbered from 1.
    function authorityCount() external view returns (uint16);

    /// @notice The root CRL as recorded; all zero if there is none. `data` is zero: revocations are marked at authorities.
    function rootCrl() external view returns (CollateralItem memory);

    /// @notice A PCK CA's revocation list as recorded. `data`: serials of 20 bytes in ascending order.
    function pckCrl(uint16 issuer) external view returns (CollateralItem memory);

    /// @notice The TD quoting enclave's identity as recorded. `data`: see `QeIdentity`.
    function qeIdentity() external view returns (CollateralItem memory);

    /// @notice The TCB info of `fmspc` as recorded. `data`: see `TcbLevels`.
    function tcbInfo(bytes6 fmspc) external view returns (CollateralItem memory);

    /// @notice How many serials on `issuer`'s list are below `serial`: the hint that the verifier asks for.
    /// @dev Reverts with UnknownAuthorityNumber and Missing.
    /// @return place The hint.
    /// @return revoked Whether `serial` is on the list.
    function revocationHint(uint16 issuer, uint160 serial) external view returns (uint16 place, bool revoked);

    /// @notice The least tcbEvaluationDataNumber that is taken, fixed at deployment.
    function minimumEvaluationNumber() external view returns (uint16);

    /// @notice The pinned P-256 root public key: Intel's, or a simulated platform's.
    function rootKey() external view returns (bytes32 x, bytes32 y);
}
