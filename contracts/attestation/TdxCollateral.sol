// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SSTORE2 } from "solady/src/utils/SSTORE2.sol";
import {
    Authority,
    AuthorityRole,
    CollateralItem,
    CollateralKind,
    InForce,
    ITdxCollateral
} from "../interfaces/ITdxCollateral.sol";
import { P256Key } from "../interfaces/TcbTypes.sol";
import { Crl, RevocationListDer } from "../lib/Crl.sol";
import { FastLz } from "../lib/FastLz.sol";
import { Json } from "../lib/Json.sol";
import { P256Signature } from "../lib/P256Signature.sol";
import { Authorities } from "./Authorities.sol";
import { IntelNames } from "./IntelNames.sol";
import { QeIdentityHeader, QeIdentityJson } from "./QeIdentityJson.sol";
import { TcbInfoHeader, TcbInfoJson } from "./TcbInfoJson.sol";

/// @title TdxCollateral
/// @notice See `ITdxCollateral`. One storage slot an item; contents are code of their own, written once.
/// @custom:source Intel PCS API v4; Intel "SGX PCK Certificate and CRL Profile Specification"; RFC 5280
contract TdxCollateral is Authorities {
    /// @inheritdoc ITdxCollateral
    uint16 public immutable minimumEvaluationNumber;

    /// @dev `id` as in `CollateralRecorded`.
    mapping(CollateralKind kind => mapping(bytes32 id => CollateralItem)) private _items;

    /// @dev What someone submits, on its way to be recorded.
    struct Offer {
        CollateralKind kind;
        bytes32 id;
        uint16 signer;
        uint64 issuedAt;
        uint64 nextUpdate;
        uint256 number;
        uint16 minimum;
    }

    constructor(bytes32 rootX, bytes32 rootY, uint16 minimumEvaluationNumber_) Authorities(rootX, rootY) {
        minimumEvaluationNumber = minimumEvaluationNumber_;
    }

    /* REVOCATION LISTS */

    /// @inheritdoc ITdxCollateral
    function upsertRootCrl(bytes calldata crl) external {
        (bytes32 x, bytes32 y) = rootKey();
        Offer memory offer;
        RevocationListDer memory list = _readCrl(offer, crl, IntelNames.ROOT_CA, P256Key(x, y));
        CollateralItem memory item = _judge(offer);

        uint256 cursor = list.entries;
        while (cursor < list.entriesEnd) {
            uint160 serial;
            (serial, cursor,) = Crl.readEntry(crl, cursor, list.entriesEnd);
            _revoke(serial);
        }
        if (list.entries < list.entriesEnd) _markRevoked();
        _record(offer, item);
    }

    /// @inheritdoc ITdxCollateral
    function upsertPckCrl(P256Key calldata issuer, bytes calldata crl, bytes calldata order) external {
        Offer memory offer;
        offer.kind = CollateralKind.PckCrl;
        AuthorityRole role = _readSigner(offer, issuer);
        offer.id = bytes32(uint256(offer.signer));
        bytes32 name =
            role == AuthorityRole.PckPlatformCa ? IntelNames.PCK_PLATFORM_CA : IntelNames.PCK_PROCESSOR_CA;
        RevocationListDer memory list = _readCrl(offer, crl, name, issuer);
        CollateralItem memory item = _judge(offer);

        item.data = _store(item.data, Crl.sortedSerials(crl, list, order));
        _record(offer, item);
    }

    /* TCB */

    /// @inheritdoc ITdxCollateral
    function upsertQeIdentity(P256Key calldata signer, bytes calldata identity, bytes calldata signature) external {
        Offer memory offer;
        offer.kind = CollateralKind.QeIdentity;
        offer.minimum = minimumEvaluationNumber;
        _readSigner(offer, signer);
        uint256 limit = QeIdentityJson.MAX_SIZE;
        require(identity.length <= limit, Json.Json_TooLong(identity.length, limit));
        bytes memory text = Json.load(identity);
        _requireSigned(offer, signer, text, signature);
        (QeIdentityHeader memory header, bytes memory content) = QeIdentityJson.pack(text);
        (offer.issuedAt, offer.nextUpdate, offer.number) = (header.issuedAt, header.nextUpdate, header.number);
        CollateralItem memory item = _judge(offer);

        item.data = _store(item.data, content);
        _record(offer, item);
    }

    /// @inheritdoc ITdxCollateral
    function upsertTcbInfo(P256Key calldata signer, bytes calldata compressed, bytes calldata signature) external {
        Offer memory offer;
        offer.kind = CollateralKind.TcbInfo;
        offer.minimum = minimumEvaluationNumber;
        _readSigner(offer, signer);
        // Whatever it unpacks to must be signed.
        bytes memory text = FastLz.unpack(compressed);
        _requireSigned(offer, signer, text, signature);
        (TcbInfoHeader memory header, uint256 cursor) = TcbInfoJson.readHeader(text);
        offer.id = bytes32(header.fmspc);
        (offer.issuedAt, offer.nextUpdate, offer.number) = (header.issuedAt, header.nextUpdate, header.number);
        CollateralItem memory item = _judge(offer);

        // Same text but for the dates: it has been read already.
        if (item.data == address(0) || _contentHash(item.data) != header.contentHash) {
            item.data = SSTORE2.write(TcbInfoJson.pack(text, cursor, header));
        }
        _record(offer, item);
    }

    /* VIEWS */

    /// @inheritdoc ITdxCollateral
    function inForce(bytes6 fmspc, uint16 issuer) external view returns (InForce memory result) {
        Authority memory ca = _authorityOf(issuer);
        _requireRole(issuer, ca.role, CollateralKind.PckCrl);
        _requireUnexpired(ca.notAfter);
        result.issuerRevoked = ca.revoked;
        // Dates of certificates are below 2^38, and name a last second.
        result.validUntil = ca.notAfter + 1;

        _useItem(CollateralKind.RootCrl, 0, result);
        (result.pckCrl,) = _useItem(CollateralKind.PckCrl, bytes32(uint256(issuer)), result);
        uint16 qeSigner;
        (result.qeIdentity, qeSigner) = _useItem(CollateralKind.QeIdentity, 0, result);
        _useSigner(qeSigner, result);
        uint16 tcbSigner;
        (result.tcbInfo, tcbSigner) = _useItem(CollateralKind.TcbInfo, bytes32(fmspc), result);
        if (tcbSigner != qeSigner) _useSigner(tcbSigner, result);
    }

    /// @dev An item that must be in force; `result` is not valid for longer.
    function _useItem(CollateralKind kind, bytes32 id, InForce memory result)
        private
        view
        returns (address data, uint16 signer)
    {
        CollateralItem storage item = _items[kind][id];
        uint32 nextUpdate = item.nextUpdate;
        require(nextUpdate != 0, TdxCollateral_Missing(kind, id));
        require(block.timestamp < nextUpdate, TdxCollateral_Expired(kind, nextUpdate, block.timestamp));
        if (nextUpdate < result.validUntil) result.validUntil = nextUpdate;
        return (item.data, item.signer);
    }

    /// @dev An authority that must be in force; `result` is not valid for longer.
    function _useSigner(uint16 number, InForce memory result) private view {
        Authority memory signer = _authorityOf(number);
        _requireInForce(number, signer);
        if (signer.notAfter < result.validUntil) result.validUntil = signer.notAfter + 1;
    }

    /// @inheritdoc ITdxCollateral
    function rootCrl() external view returns (CollateralItem memory) {
        return _items[CollateralKind.RootCrl][0];
    }

    /// @inheritdoc ITdxCollateral
    function pckCrl(uint16 issuer) external view returns (CollateralItem memory) {
        return _items[CollateralKind.PckCrl][bytes32(uint256(issuer))];
    }

    /// @inheritdoc ITdxCollateral
    function qeIdentity() external view returns (CollateralItem memory) {
        return _items[CollateralKind.QeIdentity][0];
    }

    /// @inheritdoc ITdxCollateral
    function tcbInfo(bytes6 fmspc) external view returns (CollateralItem memory) {
        return _items[CollateralKind.TcbInfo][bytes32(fmspc)];
    }

    /// @inheritdoc ITdxCollateral
    function revocationHint(uint16 issuer, uint160 serial) external view returns (uint16 place, bool revoked) {
        _authorityOf(issuer);
        bytes32 id = bytes32(uint256(issuer));
        address data = _items[CollateralKind.PckCrl][id].data;
        require(data != address(0), TdxCollateral_Missing(CollateralKind.PckCrl, id));
        return Crl.placeOf(SSTORE2.read(data), serial);
    }

    /* INTERNALS */

    /// @dev Who signed, if it may do so now.
    function _readSigner(Offer memory offer, P256Key calldata key) private view returns (AuthorityRole role) {
        (offer.signer, role) = _requireSigner(key, offer.kind);
    }

    function _readCrl(Offer memory offer, bytes calldata crl, bytes32 name, P256Key memory key)
        private
        view
        returns (RevocationListDer memory list)
    {
        list = Crl.parse(crl);
        require(list.issuerHash == name, TdxCollateral_WrongIssuer(list.issuerHash, name));
        require(
            P256Signature.isValid(list.tbsHash, list.r, list.s, key.x, key.y), TdxCollateral_BadSignature(offer.kind)
        );
        (offer.issuedAt, offer.nextUpdate, offer.number) = (list.thisUpdate, list.nextUpdate, list.number);
    }

    function _requireSigned(
        Offer memory offer,
        P256Key calldata key,
        bytes memory text,
        bytes calldata signature
    ) private view {
        require(signature.length == 64, TdxCollateral_BadSignatureLength(signature.length));
        bool valid = P256Signature.isValid(
            sha256(text), bytes32(signature[:32]), bytes32(signature[32:]), key.x, key.y
        );
        require(valid, TdxCollateral_BadSignature(offer.kind));
    }

    /// @dev The item that `offer` makes, still with the content of the recorded one.
    function _judge(Offer memory offer) private view returns (CollateralItem memory item) {
        CollateralKind kind = offer.kind;
        uint256 number = offer.number;
        (uint64 issuedAt, uint64 nextUpdate) = (offer.issuedAt, offer.nextUpdate);
        require(
            number >= offer.minimum && number <= type(uint16).max,
            TdxCollateral_NumberOutOfRange(kind, number, offer.minimum)
        );
        require(
            issuedAt < nextUpdate && nextUpdate <= type(uint32).max,
            TdxCollateral_BadDates(kind, issuedAt, nextUpdate)
        );
        require(issuedAt <= block.timestamp, TdxCollateral_IssuedInFuture(kind, issuedAt, block.timestamp));
        require(block.timestamp < nextUpdate, TdxCollateral_Expired(kind, nextUpdate, block.timestamp));
        item = _items[kind][offer.id];
        // What a stolen key has signed must not stand in the way of what replaces it.
        if ((issuedAt <= item.issuedAt || number < item.number) && !_isRevoked(item.signer)) {
            require(issuedAt > item.issuedAt, TdxCollateral_NotNewer(kind, item.issuedAt, issuedAt));
            revert TdxCollateral_LowerNumber(kind, item.number, number);
        }
        // All within range, see above.
        item.issuedAt = uint32(issuedAt);
        item.nextUpdate = uint32(nextUpdate);
        item.number = uint16(number);
        item.signer = offer.signer;
    }

    function _record(Offer memory offer, CollateralItem memory item) private {
        _items[offer.kind][offer.id] = item;
        emit CollateralRecorded(
            offer.kind, offer.id, item.data, item.issuedAt, item.nextUpdate, item.number, item.signer
        );
    }

    /// @dev Where `content` is code: `recorded`, if it is there already.
    function _store(address recorded, bytes memory content) private returns (address) {
        if (recorded != address(0)) {
            // As SSTORE2 stores it: after one zero byte.
            if (recorded.codehash == keccak256(bytes.concat(hex"00", content))) return recorded;
        }
        return SSTORE2.write(content);
    }

    /// @dev The first word of packed TCB info.
    function _contentHash(address data) private view returns (bytes32) {
        return bytes32(SSTORE2.read(data, 0, 32));
    }
}
