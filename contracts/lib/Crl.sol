// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Der } from "./Der.sol";
import { X509 } from "./X509.sol";
import { X509Time } from "./X509Time.sol";

/// @notice What is read of a revocation list. Nothing of it is to be believed before its signature has been verified.
/// @param tbsHash SHA-256 of the signed part.
/// @param issuerHash keccak256 of the issuer's name, DER.
/// @param thisUpdate Unix seconds.
/// @param nextUpdate Unix seconds.
/// @param number CRL number.
/// @param entries Where the first entry starts.
/// @param entriesEnd Where the last entry ends; equal to `entries` for an empty list.
/// @param r Signature by the issuer over `tbsHash`.
/// @param s Signature by the issuer over `tbsHash`.
struct RevocationListDer {
    bytes32 tbsHash;
    bytes32 issuerHash;
    uint64 thisUpdate;
    uint64 nextUpdate;
    uint256 number;
    uint256 entries;
    uint256 entriesEnd;
    bytes32 r;
    bytes32 s;
}

/// @title Crl
/// @notice Reads a complete X.509 revocation list of version 2, signed by ECDSA with SHA-256. Verifies no signature.
/// @custom:source RFC 5280, section 5; Intel "SGX PCK Certificate and CRL Profile Specification", section 2
library Crl {
    /// @notice The list is longer than the limit, in bytes.
    error Crl_TooLong(uint256 length, uint256 limit);
    /// @notice The list is not of version 2.
    error Crl_UnsupportedVersion(uint256 offset);
    /// @notice The extension at `offset` appeared before.
    error Crl_DuplicateExtension(uint256 offset);
    /// @notice The extension at `offset` is critical and not known here: a delta list or an indirect one, say.
    error Crl_UnknownCriticalExtension(uint256 offset);
    /// @notice The list has no number.
    error Crl_MissingNumber();
    /// @notice A list without entries must leave the field out.
    error Crl_EmptyField(uint256 offset);
    /// @notice The entry at `offset` names another reason than RFC 5280 knows.
    error Crl_BadReason(uint256 offset);
    /// @notice There are more entries than the limit.
    error Crl_TooManyEntries(uint256 count, uint256 limit);
    /// @notice The order is not of two bytes an entry.
    error Crl_WrongOrderLength(uint256 length, uint256 expected);
    /// @notice By the order given, the entry at `offset` goes to a place beyond the last.
    error Crl_WrongPlace(uint256 offset, uint256 place);
    /// @notice By the order given, the serial at `place` is not above the one before: 0 where no entry was put.
    error Crl_NotAscending(uint256 place, uint256 serial, uint256 previous);

    /// @dev Real ones have up to 7,219 bytes, of 129 entries.
    uint256 internal constant MAX_SIZE = 32_768;
    /// @dev 24,000 bytes of serials: what fits into one contract's code.
    uint256 internal constant MAX_ENTRIES = 1_200;

    /// @dev `INTEGER 1`.
    bytes3 private constant VERSION_2 = 0x020101;
    uint8 private constant EXTENSIONS = 0xa0;
    // Object identifiers with tag and length, left-aligned; see `Der.shortSlice`.
    bytes32 private constant CRL_NUMBER = hex"0603551d14";
    bytes32 private constant AUTHORITY_KEY_ID = hex"0603551d23";
    bytes32 private constant REASON_CODE = hex"0603551d15";
    uint256 private constant SERIAL_SIZE = 20;
    /// @dev A date, UTCTime, and a reason code.
    uint256 private constant TAIL_SIZE = 29;
    /// @dev No entry's tail, nor zeros: SHA-256 of "no entry of a revocation list ends like this".
    bytes32 private constant NONE = 0x7c2ca93f67808bf1ab513b0851448028b83357426b2d587fb5d19b7d1c701572;
    // How an entry starts that consists of a serial of 20 bytes, with or without a zero before them, and such a tail: four
    // bytes, then nine bits of the serial, at least and exactly this.
    uint256 private constant ENTRY_OF_20 = 0x30330214 * 0x200 + 2;
    uint256 private constant ENTRY_OF_21 = 0x30340215 * 0x200 + 1;

    /// @notice Reads a list that fills `der` to its last byte, except for its entries.
    function parse(bytes calldata der) internal pure returns (RevocationListDer memory list) {
        require(der.length <= MAX_SIZE, Crl_TooLong(der.length, MAX_SIZE));
        (uint256 tbs, uint256 limit) = Der.open(der, 0, der.length, Der.SEQUENCE);
        Der.requireEnd(limit, der.length);

        uint256 cursor = _readTbs(der, tbs, limit, list);
        list.tbsHash = sha256(der[tbs:cursor]);
        cursor = X509.requireAlgorithm(der, cursor, limit);
        (list.r, list.s, cursor) = X509.readSignature(der, cursor, limit);
        Der.requireEnd(cursor, limit);
    }

    /// @notice The serials of all entries in ascending order, 20 bytes each.
    /// @param order Two bytes an entry, big-endian: its place among them. Not trusted: places filled twice leave another
    /// empty, and an empty one is not above the one before.
    function sortedSerials(bytes calldata der, RevocationListDer memory list, bytes calldata order)
        internal
        pure
        returns (bytes memory packed)
    {
        uint256 count = order.length / 2;
        require(count <= MAX_ENTRIES, Crl_TooManyEntries(count, MAX_ENTRIES));
        // Entries have at least 4 bytes, lists at most 32,768: counts and offsets are below 2^16.
        unchecked {
            packed = new bytes(count * SERIAL_SIZE);
            uint256 cursor = list.entries;
            uint256 limit = list.entriesEnd;
            uint256 index = 0;
            while (cursor < limit) {
                (uint160 serial, uint256 end, bytes32 tail) = readEntry(der, cursor, limit);
                // Read beyond the order's end, if it is too short: the place is refused, or the length below.
                uint256 place = uint256(Der.word(order, 2 * index)) >> 240;
                require(place < count, Crl_WrongPlace(cursor, place));
                // 20 bytes, from the scratch space to their place within `packed`.
                assembly ("memory-safe") {
                    mstore(0x00, shl(96, serial))
                    mcopy(add(add(packed, 0x20), mul(place, SERIAL_SIZE)), 0x00, SERIAL_SIZE)
                }
                (cursor, index) = _copyAlike(der, end, limit, tail, order, index + 1, packed);
            }
            require(order.length == 2 * index, Crl_WrongOrderLength(order.length, 2 * index));
        }
        _requireAscending(packed);
    }

    /// @notice Reads one entry: `SEQUENCE { serial, date, extensions OPTIONAL }`.
    /// @return serial Serial number, never 0.
    /// @return end Where the next entry starts.
    /// @return tail Its last `TAIL_SIZE` bytes, if that many follow the serial, else `NONE`.
    function readEntry(bytes calldata der, uint256 offset, uint256 limit)
        internal
        pure
        returns (uint160 serial, uint256 end, bytes32 tail)
    {
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, Der.SEQUENCE);
        (serial, cursor) = X509.readSerial(der, cursor, end);
        // Der.open gives cursor <= end.
        unchecked {
            tail = end - cursor == TAIL_SIZE ? Der.shortSlice(der, cursor, end) : NONE;
        }

        (, cursor) = X509Time.read(der, cursor, end);
        if (cursor < end) {
            (uint256 start, uint256 listEnd) = Der.open(der, cursor, end, Der.SEQUENCE);
            Der.requireEnd(listEnd, end);
            _readEntryExtensions(der, start, end);
        }
    }

    /// @dev Puts serials in their places for as long as entries are like the one before them, but for the serial: 20 bytes,
    /// with or without a zero before them, then the same tail, which is therefore good. Nearly all are. Returns where the
    /// first other one starts, the last one or one with a wrong place at the latest, and its index.
    function _copyAlike(
        bytes calldata der,
        uint256 offset,
        uint256 limit,
        bytes32 seen,
        bytes calldata order,
        uint256 index,
        bytes memory packed
    ) private pure returns (uint256 cursor, uint256 next) {
        uint256 count = order.length / 2;
        // Reads calldata of `der` from `offset` up to `limit`, and writes to places below `count` in `packed`.
        assembly ("memory-safe") {
            let at := add(der.offset, offset)
            let last := add(der.offset, sub(limit, 53))
            let hint := add(order.offset, mul(2, index))
            let out := add(packed, 0x20)
            for { } lt(at, last) { } {
                // How it starts, and the serial's first nine bits: positive, and in its shortest form.
                let head := shr(215, calldataload(at))
                let long := eq(head, ENTRY_OF_21)
                let end := add(add(at, 53), long)
                let unlike := shr(24, xor(calldataload(sub(end, TAIL_SIZE)), seen))
                let place := shr(240, calldataload(hint))
                let good := and(lt(place, count), or(long, lt(sub(head, ENTRY_OF_20), 0xfe)))
                if or(unlike, iszero(good)) { break }
                calldatacopy(add(out, mul(place, SERIAL_SIZE)), sub(end, 49), SERIAL_SIZE)
                hint := add(hint, 2)
                at := end
            }
            cursor := sub(at, der.offset)
            next := shr(1, sub(hint, order.offset))
        }
    }

    function _requireAscending(bytes memory packed) private pure {
        bool ascending = true;
        // Reads `packed`, as `_serialAt` does. Without branches: see above.
        assembly ("memory-safe") {
            let at := add(packed, 0x20)
            let end := add(at, mload(packed))
            for { let previous := 0 } lt(at, end) { at := add(at, SERIAL_SIZE) } {
                let serial := shr(96, mload(at))
                ascending := and(ascending, gt(serial, previous))
                previous := serial
            }
        }
        if (!ascending) _failAscending(packed);
    }

    /// @dev Names the first serial that is not above the one before.
    function _failAscending(bytes memory packed) private pure {
        uint256 previous = 0;
        for (uint256 place = 0;; place++) {
            uint256 serial = _serialAt(packed, place);
            require(serial > previous, Crl_NotAscending(place, serial, previous));
            previous = serial;
        }
    }

    /// @dev `place` is below the number of serials: a word from there on may end beyond `packed`, what is kept does not.
    function _serialAt(bytes memory packed, uint256 place) private pure returns (uint256 serial) {
        assembly ("memory-safe") {
            serial := shr(96, mload(add(add(packed, 0x20), mul(place, SERIAL_SIZE))))
        }
    }

    /// @notice Where `serial` stands, or would stand, among serials in ascending order.
    /// @param packed 20 bytes each.
    /// @return place How many are below it.
    /// @return listed Whether it is one of them.
    function placeOf(bytes memory packed, uint160 serial) internal pure returns (uint16 place, bool listed) {
        uint256 count = packed.length / SERIAL_SIZE;
        // At most MAX_ENTRIES: `place` stays below 2^16, all reads start within `packed`.
        unchecked {
            for (; place < count; place++) {
                uint256 other = _serialAt(packed, place);
                if (other >= serial) return (place, other == serial);
            }
        }
    }

    /// @dev `version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates OPTIONAL, [0] extensions`.
    function _readTbs(bytes calldata der, uint256 offset, uint256 limit, RevocationListDer memory list)
        private
        pure
        returns (uint256 end)
    {
        uint256 cursor;
        (cursor, end) = Der.open(der, offset, limit, Der.SEQUENCE);
        require(end - cursor >= 3 && bytes3(Der.word(der, cursor)) == VERSION_2, Crl_UnsupportedVersion(cursor));
        cursor = X509.requireAlgorithm(der, cursor + 3, end);
        (list.issuerHash, cursor) = X509.hashName(der, cursor, end);
        (list.thisUpdate, cursor) = X509Time.read(der, cursor, end);
        (list.nextUpdate, cursor) = X509Time.read(der, cursor, end);

        if (Der.peek(der, cursor, end) == Der.SEQUENCE) {
            uint256 field = cursor;
            (list.entries, cursor) = Der.open(der, field, end, Der.SEQUENCE);
            list.entriesEnd = cursor;
            require(list.entries < cursor, Crl_EmptyField(field));
        }

        uint256 wrappedEnd;
        (cursor, wrappedEnd) = Der.open(der, cursor, end, EXTENSIONS);
        Der.requireEnd(wrappedEnd, end);
        (cursor, wrappedEnd) = Der.open(der, cursor, end, Der.SEQUENCE);
        Der.requireEnd(wrappedEnd, end);
        list.number = _readExtensions(der, cursor, end);
    }

    /// @dev The key that signed is found by the caller, and proven by the signature: the authority key identifier, which
    /// only helps finding it, is not read.
    function _readExtensions(bytes calldata der, uint256 cursor, uint256 limit) private pure returns (uint256 number) {
        bool numbered;
        bool keyNamed;
        while (cursor < limit) {
            uint256 offset = cursor;
            (bytes32 id, bool critical, uint256 start, uint256 end) = X509.openExtension(der, offset, limit);
            if (id == CRL_NUMBER) {
                require(!numbered, Crl_DuplicateExtension(offset));
                numbered = true;
                (number, cursor) = Der.readUint(der, start, end);
                Der.requireEnd(cursor, end);
            } else if (id == AUTHORITY_KEY_ID) {
                require(!keyNamed, Crl_DuplicateExtension(offset));
                keyNamed = true;
            } else {
                require(!critical, Crl_UnknownCriticalExtension(offset));
            }
            cursor = end;
        }
        require(numbered, Crl_MissingNumber());
    }

    /// @dev A reason changes nothing: what is listed is revoked.
    function _readEntryExtensions(bytes calldata der, uint256 cursor, uint256 limit) private pure {
        bool reasoned;
        while (cursor < limit) {
            uint256 offset = cursor;
            (bytes32 id, bool critical, uint256 start, uint256 end) = X509.openExtension(der, offset, limit);
            if (id == REASON_CODE) {
                require(!reasoned, Crl_DuplicateExtension(offset));
                reasoned = true;
                (start, cursor) = Der.open(der, start, end, Der.ENUMERATED);
                Der.requireEnd(cursor, end);
                // 0 to 10, but for 7.
                uint8 reason = uint8(Der.word(der, start)[0]);
                require(cursor - start == 1 && reason <= 10 && reason != 7, Crl_BadReason(offset));
            } else {
                require(!critical, Crl_UnknownCriticalExtension(offset));
            }
            cursor = end;
        }
    }
}
