// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title FastLz
/// @notice Unpacks what `LibZip.flzCompress` of solady packs. Calldata costs more than unpacking.
/// @custom:source ariya/FastLZ, "Block Format", level 1
/// @dev Not solady's own `flzDecompress`: that one has no limit, and takes half as much gas again.
library FastLz {
    /// @notice What is packed is longer than the limit, in bytes.
    error FastLz_PackedTooLong(uint256 length, uint256 limit);
    /// @notice It unpacks to more than the limit, in bytes.
    error FastLz_TooLong(uint256 limit);

    uint256 internal constant MAX_PACKED_SIZE = 8_192;
    uint256 internal constant MAX_SIZE = 24_000;

    /// @notice Unpacks `packed` into memory, followed by a zero word.
    /// @dev Packed bytes that are no such packing give some text, never a revert of another kind than lack of gas: an
    /// instruction cut short reads on in calldata, a reference to before the text reads other memory. The caller must know
    /// the text by its hash.
    function unpack(bytes calldata packed) internal pure returns (bytes memory text) {
        require(packed.length <= MAX_PACKED_SIZE, FastLz_PackedTooLong(packed.length, MAX_PACKED_SIZE));
        // Writes from the free memory pointer on, and moves it behind what it wrote. One step writes at most 264 bytes of
        // text and as many beyond them, and none is taken beyond the limit: memory stays bounded.
        assembly ("memory-safe") {
            let out := add(mload(0x40), 0x20)
            let last := add(out, add(MAX_SIZE, 1))
            let at := packed.offset
            let end := add(at, packed.length)
            for { } and(lt(at, end), lt(out, last)) { } {
                let head := calldataload(at)
                let kind := shr(253, head)
                if iszero(kind) {
                    // 000lllll: l + 1 bytes as they are.
                    mstore(out, calldataload(add(at, 1)))
                    at := add(at, add(shr(248, head), 2))
                    out := add(out, add(shr(248, head), 1))
                    continue
                }
                // llldddddd: l + 2 bytes from d + 1 bytes back, d of 13 bits; or l = 7 and one byte more of length, first.
                // Without branches, as most of the gas goes here.
                let long := eq(kind, 7)
                let length := add(add(kind, 2), mul(long, byte(1, head)))
                let from := sub(sub(out, or(and(shr(240, head), 0x1f00), byte(add(1, long), head))), 1)
                at := add(at, add(2, long))
                mcopy(out, from, length)
                let until := add(out, length)
                if gt(length, sub(out, from)) {
                    // The bytes repeat: what has been written is there to be copied next.
                    for { } lt(out, until) { } {
                        let chunk := sub(out, from)
                        mcopy(out, from, chunk)
                        out := add(out, chunk)
                    }
                }
                out := until
            }
            text := mload(0x40)
            mstore(text, sub(out, add(text, 0x20)))
            mstore(out, 0)
            mstore(0x40, add(out, 0x20))
        }
        require(text.length <= MAX_SIZE, FastLz_TooLong(MAX_SIZE));
    }
}
