// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Authority, CollateralItem, CollateralKind, ITdxCollateral } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { TestCollateral } from "../../support/TestCollateral.sol";

/// @notice Submits collateral of every kind, truly signed, in any order and of any dates within one month, and keeps books
/// of what must follow. Times are whole hours.
contract CollateralHandler is TestCollateral {
    /// @notice An item as the books know it.
    struct Book {
        uint256 issuedAt;
        uint256 nextUpdate;
        uint256 number;
        uint16 signer;
        uint256 content; // what it says, of a few
        address data;
    }

    /// @notice A certificate as the books know it.
    struct Certified {
        uint160 serial;
        uint256 notAfter;
        bool revoked;
    }

    /// @dev What somebody submits.
    struct Offer {
        uint256 issuedAt;
        uint256 nextUpdate;
        uint256 number;
        uint256 content;
    }

    bytes6 public constant FMSPC = 0x00a06f000000;
    uint16 private constant MINIMUM = 17;
    uint256 private constant HOURS = 30 * 24;
    /// @dev Both may sign TCB info; recorded as 3 and 4.
    uint256 private constant OTHER_SIGNER = 0x2005;
    uint16 public constant AUTHORITIES = 4;

    ITdxCollateral public immutable collateral;

    mapping(CollateralKind kind => mapping(bytes32 id => Book)) private _books;
    mapping(uint16 number => Certified) private _certified;
    mapping(uint160 serial => bool) private _dead;

    uint256[5] public accepted; // by kind; last: certificates
    uint256 public refusals;
    uint256 public revocations;
    /// @notice Calls that ended other than the books say.
    uint256 public wrongs;

    constructor() {
        vm.warp(COLLATERAL_NOW);
        collateral = deployCollateral(MINIMUM);
        for (uint16 number = 1; number <= AUTHORITIES; ++number) {
            _certified[number] = Certified(100 + number, COLLATERAL_NOW + 15 days, false);
            collateral.addAuthority(certificateOf(_specOf(number, 15 days), 100 + number));
        }
    }

    /* SUBMISSIONS */

    function letTimePass(uint256 seed) external {
        uint256 later = vm.getBlockTimestamp() + _pick(seed, 1, 24) * 1 hours;
        if (later < COLLATERAL_NOW + 29 days) vm.warp(later);
    }

    /// @notice A certificate of an authority's key, of one of a few serials, which may be revoked by now.
    function addAuthority(uint256 seed) external {
        uint16 number = uint16(1 + _pick(seed, 1, AUTHORITIES));
        uint160 serial = uint160(100 + number + 10 * _pick(seed, 2, 16));
        uint256 life = (HOURS / 2 + _pick(seed, 3, HOURS / 2)) * 1 hours;
        uint256 notAfter = COLLATERAL_NOW + life;
        Certified storage known = _certified[number];
        bool good = vm.getBlockTimestamp() <= notAfter && !_dead[serial] && (known.revoked || notAfter > known.notAfter);
        try collateral.addAuthority(certificateOf(_specOf(number, life), serial)) {
            if (!good) ++wrongs;
            _certified[number] = Certified(serial, notAfter, false);
            ++accepted[4];
        } catch {
            if (good) ++wrongs;
            ++refusals;
        }
    }

    function upsertRootCrl(uint256 seed) external {
        Offer memory offer = _offerOf(seed);
        uint160[] memory serials = new uint160[](1);
        // A recorded certificate, or one that is none yet.
        uint16 victim = uint16(1 + _pick(seed, 5, AUTHORITIES));
        serials[0] = _pick(seed, 6, 2) == 0 ? _certified[victim].serial : uint160(100 + victim + 10 * _pick(seed, 7, 16));
        bytes memory list = _pick(seed, 9, 6) == 0 ? crlEntries(serials) : bytes("");
        bytes memory crl = certificateOfTbs(_crlTbs("Intel SGX Root CA", offer, list), COLLATERAL_ROOT);
        bool good = _isGood(CollateralKind.RootCrl, 0, 0, offer);
        try collateral.upsertRootCrl(crl) {
            _accept(CollateralKind.RootCrl, 0, 0, offer, good);
            if (list.length != 0) _revoke(serials[0]);
        } catch {
            _refuse(good);
        }
    }

    /// @notice A CA's list, one in four signed by the other CA.
    function upsertPckCrl(uint256 seed) external {
        Offer memory offer = _offerOf(seed);
        uint16 issuer = uint16(1 + _pick(seed, 5, 2));
        string memory name = issuer == 1 ? "Intel SGX PCK Platform CA" : "Intel SGX PCK Processor CA";
        uint160[] memory serials = new uint160[](offer.content);
        for (uint160 i = 0; i < offer.content; ++i) serials[i] = 7 + i;
        bool genuine = _pick(seed, 6, 4) != 0;
        bytes memory tbs = _crlTbs(name, offer, crlEntries(serials));
        bytes memory crl = certificateOfTbs(tbs, _keyOf(genuine ? issuer : 3 - issuer));
        bytes32 id = bytes32(uint256(issuer));
        bool good = genuine && _isGood(CollateralKind.PckCrl, id, issuer, offer);
        try collateral.upsertPckCrl(keyOf(_keyOf(issuer)), crl, orderOf(serials)) {
            _accept(CollateralKind.PckCrl, id, issuer, offer, good);
        } catch {
            _refuse(good);
        }
    }

    function upsertQeIdentity(uint256 seed) external {
        Offer memory offer = _offerOf(seed);
        offer.content = 0;
        uint16 signer = _signerOf(seed);
        bytes memory text = qeIdentityOf(_iso(offer.issuedAt), _iso(offer.nextUpdate), _decimal(offer.number));
        bool good = _isSigner(signer) && _isGood(CollateralKind.QeIdentity, 0, signer, offer);
        try collateral.upsertQeIdentity(keyOf(_keyOf(signer)), text, signatureOf(_keyOf(signer), text)) {
            _accept(CollateralKind.QeIdentity, 0, signer, offer, good);
        } catch {
            _refuse(good);
        }
    }

    function upsertTcbInfo(uint256 seed) external {
        Offer memory offer = _offerOf(seed);
        // Its number is part of what it says.
        offer.content = offer.number;
        uint16 signer = _signerOf(seed);
        bytes memory text = tcbInfoOf(_iso(offer.issuedAt), _iso(offer.nextUpdate), _decimal(offer.number));
        bool good = _isSigner(signer) && _isGood(CollateralKind.TcbInfo, bytes32(FMSPC), signer, offer);
        try collateral.upsertTcbInfo(keyOf(_keyOf(signer)), _literal(text), signatureOf(_keyOf(signer), text)) {
            _accept(CollateralKind.TcbInfo, bytes32(FMSPC), signer, offer, good);
        } catch {
            _refuse(good);
        }
    }

    /* BOOKS */

    function bookOf(CollateralKind kind, bytes32 id) external view returns (Book memory) {
        return _books[kind][id];
    }

    function certifiedOf(uint16 number) external view returns (Certified memory) {
        return _certified[number];
    }

    function recorded(CollateralKind kind, bytes32 id) public view returns (CollateralItem memory) {
        if (kind == CollateralKind.RootCrl) return collateral.rootCrl();
        if (kind == CollateralKind.PckCrl) return collateral.pckCrl(uint16(uint256(id)));
        if (kind == CollateralKind.QeIdentity) return collateral.qeIdentity();
        return collateral.tcbInfo(bytes6(id));
    }

    function authority(uint16 number) external view returns (Authority memory) {
        return collateral.authority(number);
    }

    /// @notice Unix seconds until which a platform of `issuer` can be judged, 0 if it cannot be; written anew.
    function validUntilOf(uint16 issuer) external view returns (uint256 end) {
        end = _certified[issuer].notAfter + 1;
        Book[4] memory books = [
            _books[CollateralKind.RootCrl][0],
            _books[CollateralKind.PckCrl][bytes32(uint256(issuer))],
            _books[CollateralKind.QeIdentity][0],
            _books[CollateralKind.TcbInfo][bytes32(FMSPC)]
        ];
        for (uint256 i = 0; i < 4; ++i) {
            if (books[i].nextUpdate < end) end = books[i].nextUpdate;
            if (i < 2) continue;
            Certified storage signer = _certified[books[i].signer];
            if (signer.revoked) return 0;
            if (signer.notAfter + 1 < end) end = signer.notAfter + 1;
        }
        if (end <= vm.getBlockTimestamp()) return 0;
    }

    function _accept(CollateralKind kind, bytes32 id, uint16 signer, Offer memory offer, bool good) private {
        Book storage book = _books[kind][id];
        CollateralItem memory item = recorded(kind, id);
        // Never back, unless its signer is revoked; the content is written anew if, and only if, it is another.
        bool same = book.data != address(0) && book.content == offer.content;
        bool kept = item.data == book.data;
        bool back = item.issuedAt <= book.issuedAt || item.number < book.number;
        if (!good || (back && !_certified[book.signer].revoked)) ++wrongs;
        if (kind != CollateralKind.RootCrl && kept != same) ++wrongs;
        _books[kind][id] = Book(offer.issuedAt, offer.nextUpdate, offer.number, signer, offer.content, item.data);
        ++accepted[uint256(kind)];
    }

    function _refuse(bool good) private {
        if (good) ++wrongs;
        ++refusals;
    }

    function _revoke(uint160 serial) private {
        _dead[serial] = true;
        for (uint16 number = 1; number <= AUTHORITIES; ++number) {
            if (_certified[number].serial != serial) continue;
            if (!_certified[number].revoked) ++revocations;
            _certified[number].revoked = true;
        }
    }

    /// @param signer 0: the root.
    function _isGood(CollateralKind kind, bytes32 id, uint16 signer, Offer memory offer) private view returns (bool) {
        uint256 time = vm.getBlockTimestamp();
        Certified storage certified = _certified[signer];
        if (signer != 0 && (certified.revoked || time > certified.notAfter)) return false;
        bool isList = kind == CollateralKind.RootCrl || kind == CollateralKind.PckCrl;
        if (!isList && offer.number < MINIMUM) return false;
        if (offer.issuedAt >= offer.nextUpdate || offer.issuedAt > time || offer.nextUpdate <= time) return false;
        Book storage book = _books[kind][id];
        // The root, 0, is never revoked.
        return (offer.issuedAt > book.issuedAt && offer.number >= book.number) || _certified[book.signer].revoked;
    }

    /* TERMS */

    /// @dev Mostly issued in the last hours, for the next days; some to come, past, or the wrong way round.
    function _offerOf(uint256 seed) private view returns (Offer memory offer) {
        uint256 hour = (vm.getBlockTimestamp() - COLLATERAL_NOW) / 1 hours;
        uint256 issued = hour + 2 - _pick(seed, 1, hour < 24 ? hour + 3 : 24);
        uint256 next = issued + _pick(seed, 2, 480);
        if (next >= HOURS) next = HOURS - 1;
        offer.issuedAt = COLLATERAL_NOW + issued * 1 hours;
        offer.nextUpdate = COLLATERAL_NOW + next * 1 hours;
        offer.number = MINIMUM - 1 + (_pick(seed, 3, 4) == 0 ? _pick(seed, 4, 4) : 1 + hour / 360);
        offer.content = _pick(seed, 8, 3);
    }

    /// @dev One in eight is a CA, which may not sign this.
    function _signerOf(uint256 seed) private pure returns (uint16) {
        uint256 picked = _pick(seed, 5, 8);
        return picked == 0 ? 1 : uint16(3 + picked % 2);
    }

    function _isSigner(uint16 number) private pure returns (bool) {
        return number > 2;
    }

    function _keyOf(uint16 number) private pure returns (uint256) {
        return PLATFORM_CA + number - 1;
    }

    function _specOf(uint16 number, uint256 life) private pure returns (CertificateSpec memory spec) {
        spec = number == 1 ? platformCaSpec() : number == 2 ? processorCaSpec() : tcbSigningSpec();
        spec.publicKey = _keyOf(number);
        spec.validity = validityOf("260101000000Z", _utc(COLLATERAL_NOW + life));
    }

    function _crlTbs(string memory name, Offer memory offer, bytes memory list) private pure returns (bytes memory) {
        bytes memory dates = validityOf(_utc(offer.issuedAt), _utc(offer.nextUpdate));
        return crlTbs(intelName(name), dates, list, crlExtensions(offer.number));
    }

    /// @dev Unpacks to `text`: 32 bytes at a time as they are.
    function _literal(bytes memory text) private pure returns (bytes memory packed_) {
        uint256 whole = text.length / 32;
        uint256 rest = text.length % 32;
        packed_ = new bytes(whole * 33 + (rest == 0 ? 0 : rest + 1));
        for (uint256 i = 0; i <= whole; ++i) {
            uint256 size = i < whole ? 32 : rest;
            if (size == 0) break;
            packed_[33 * i] = bytes1(uint8(size - 1));
            assembly ("memory-safe") {
                mcopy(add(add(packed_, 33), mul(33, i)), add(add(text, 32), mul(32, i)), size)
            }
        }
    }

    /// @dev An hour of June 2026.
    function _iso(uint256 time) private pure returns (string memory) {
        (bytes2 day, bytes2 hour) = _dayAndHour(time);
        return string(abi.encodePacked("2026-06-", day, "T", hour, ":00:00Z"));
    }

    function _utc(uint256 time) private pure returns (string memory) {
        (bytes2 day, bytes2 hour) = _dayAndHour(time);
        return string(abi.encodePacked("2606", day, hour, "0000Z"));
    }

    function _dayAndHour(uint256 time) private pure returns (bytes2, bytes2) {
        uint256 hour = (time - COLLATERAL_NOW) / 1 hours;
        return (_twoDigits(1 + hour / 24), _twoDigits(hour % 24));
    }

    function _decimal(uint256 number) private pure returns (string memory) {
        return string(abi.encodePacked(_twoDigits(number)));
    }

    function _twoDigits(uint256 number) private pure returns (bytes2) {
        return bytes2(uint16((0x30 + number / 10) << 8 | (0x30 + number % 10)));
    }

    /// @dev A number below `limit` from one seed, another for each `salt`.
    function _pick(uint256 seed, uint256 salt, uint256 limit) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % limit;
    }
}
