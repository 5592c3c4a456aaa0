// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import { Authority, AuthorityRole, CollateralKind, ITdxCollateral } from "../interfaces/ITdxCollateral.sol";
import { P256Key } from "../interfaces/TcbTypes.sol";
import { P256Signature } from "../lib/P256Signature.sol";
import { Certificate, X509 } from "../lib/X509.sol";
import { IntelNames } from "./IntelNames.sol";

/// @title Authorities
/// @notice Who may sign collateral: the keys that the root certified, and the serials that it revoked.
/// @custom:source RFC 5280, section 6.1.3; Intel "SGX PCK Certificate and CRL Profile Specification", section 1.3
abstract contract Authorities is ITdxCollateral {
    bytes32 private immutable _ROOT_X;
    bytes32 private immutable _ROOT_Y;

    uint16 private _count;
    mapping(bytes32 keyId => uint16 number) private _numbers;
    mapping(uint16 number => Authority) private _authorities;
    mapping(uint160 serial => bool) private _revoked;

    constructor(bytes32 rootX, bytes32 rootY) {
        require(P256.isValidPublicKey(rootX, rootY), TdxCollateral_BadRootKey(rootX, rootY));
        (_ROOT_X, _ROOT_Y) = (rootX, rootY);
    }

    /// @inheritdoc ITdxCollateral
    function addAuthority(bytes calldata certificate) external returns (uint16 number) {
        Certificate memory given = X509.parse(certificate);
        require(
            given.issuerHash == IntelNames.ROOT_CA,
            TdxCollateral_WrongIssuer(given.issuerHash, IntelNames.ROOT_CA)
        );
        AuthorityRole role = _roleOf(given);
        require(
            block.timestamp >= given.notBefore,
            TdxCollateral_CertificateNotYetValid(given.notBefore, block.timestamp)
        );
        _requireUnexpired(given.notAfter);
        require(_isSignedByRoot(given.tbsHash, given.r, given.s), TdxCollateral_BadCertificateSignature());

        P256Key memory key = P256Key(given.keyX, given.keyY);
        bytes32 keyId = _keyId(key);
        number = _numbers[keyId];
        Authority storage recorded = _authorities[number];
        if (number != 0) {
            require(recorded.role == role, TdxCollateral_KeyHasAnotherRole(number, recorded.role, role));
        }
        require(!_revoked[given.serial], TdxCollateral_AuthorityRevoked(number, given.serial));
        if (number == 0) {
            number = ++_count;
            _numbers[keyId] = number;
            recorded = _authorities[number];
        } else {
            // What takes a revoked one's place need not be valid for longer.
            require(
                recorded.revoked || given.notAfter > recorded.notAfter,
                TdxCollateral_CertificateNotNewer(recorded.notAfter, given.notAfter)
            );
        }
        _authorities[number] = Authority(given.serial, given.notAfter, role, false);
        emit AuthorityRecorded(number, role, key, given.serial, given.notAfter);
    }

    /// @inheritdoc ITdxCollateral
    function authorityNumber(P256Key calldata key) external view returns (uint16) {
        return _numbers[_keyId(key)];
    }

    /// @inheritdoc ITdxCollateral
    function findAuthority(P256Key calldata key) external view returns (uint16 number, AuthorityRole role) {
        number = _numbers[_keyId(key)];
        role = _authorities[number].role;
    }

    /// @inheritdoc ITdxCollateral
    function authority(uint16 number) external view returns (Authority memory) {
        return _authorityOf(number);
    }

    /// @inheritdoc ITdxCollateral
    function authorityCount() external view returns (uint16) {
        return _count;
    }

    /// @inheritdoc ITdxCollateral
    function rootKey() public view returns (bytes32 x, bytes32 y) {
        return (_ROOT_X, _ROOT_Y);
    }

    /// @dev Marks the serial for ever; `_markRevoked` is to follow.
    function _revoke(uint160 serial) internal {
        if (!_revoked[serial]) _revoked[serial] = true;
    }

    /// @dev Marks the authorities whose serials have been revoked. The root has certified a handful.
    function _markRevoked() internal {
        for (uint16 number = 1; number <= _count; number++) {
            Authority storage recorded = _authorities[number];
            if (!recorded.revoked && _revoked[recorded.serial]) {
                recorded.revoked = true;
                emit AuthorityRevoked(number, recorded.serial);
            }
        }
    }

    /// @dev The number and role of the authority with `key`, if it may sign now.
    function _requireSigner(P256Key calldata key, CollateralKind kind)
        internal
        view
        returns (uint16 number, AuthorityRole role)
    {
        number = _numbers[_keyId(key)];
        require(number != 0, TdxCollateral_UnknownAuthority(key.x, key.y));
        Authority memory recorded = _authorities[number];
        role = recorded.role;
        _requireRole(number, role, kind);
        _requireInForce(number, recorded);
    }

    function _requireRole(uint16 number, AuthorityRole role, CollateralKind kind) internal pure {
        bool signsTcb = role == AuthorityRole.TcbSigning;
        require(signsTcb == (kind != CollateralKind.PckCrl), TdxCollateral_WrongRole(number, role, kind));
    }

    function _requireInForce(uint16 number, Authority memory recorded) internal view {
        require(!recorded.revoked, TdxCollateral_AuthorityRevoked(number, recorded.serial));
        _requireUnexpired(recorded.notAfter);
    }

    /// @dev False for the root, number 0.
    function _isRevoked(uint16 number) internal view returns (bool) {
        return _authorities[number].revoked;
    }

    function _requireUnexpired(uint64 notAfter) internal view {
        require(block.timestamp <= notAfter, TdxCollateral_CertificateExpired(notAfter, block.timestamp));
    }

    function _authorityOf(uint16 number) internal view returns (Authority memory recorded) {
        recorded = _authorities[number];
        require(recorded.role != AuthorityRole.None, TdxCollateral_UnknownAuthorityNumber(number));
    }

    function _isSignedByRoot(bytes32 digest, bytes32 r, bytes32 s) internal view returns (bool) {
        return P256Signature.isValid(digest, r, s, _ROOT_X, _ROOT_Y);
    }

    /// @dev The subject says the role; basic constraints and key usage must fit it.
    function _roleOf(Certificate memory given) private pure returns (AuthorityRole role) {
        bytes32 subject = given.subjectHash;
        if (subject == IntelNames.PCK_PLATFORM_CA) role = AuthorityRole.PckPlatformCa;
        else if (subject == IntelNames.PCK_PROCESSOR_CA) role = AuthorityRole.PckProcessorCa;
        else if (subject == IntelNames.TCB_SIGNING) role = AuthorityRole.TcbSigning;
        else revert TdxCollateral_UnknownSubject(subject);
        require(
            role == AuthorityRole.TcbSigning
                ? !given.isCa && given.maySign
                : given.isCa && given.mayCertify && given.mayRevoke,
            TdxCollateral_WrongCertificateRole(role, given.isCa, given.mayCertify, given.mayRevoke, given.maySign)
        );
    }

    function _keyId(P256Key memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }
}
