// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Blob
/// @notice Reads what `TdxCollateral` keeps as contract code, once that code has been copied to memory.
/// @dev The content follows a zero byte; offsets count from its start. Integers are big-endian. A list of advisories is a
/// count (1 byte) and a number (3 bytes) for each. Blobs are written by `TdxCollateral` alone and of the form that each
/// reader states, so that nothing here looks at their end.
library Blob {
    /// @notice The 32 bytes from `offset`.
    function word(bytes memory blob, uint256 offset) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(blob, 33), offset))
        }
    }

    /// @notice The number in the `size` bytes from `offset`; `size` is 1 to 32.
    function number(bytes memory blob, uint256 offset, uint256 size) internal pure returns (uint256) {
        // At most 248.
        return uint256(word(blob, offset)) >> (256 - 8 * size);
    }

    /// @notice Where the list of advisories at `offset` ends.
    function afterAdvisories(bytes memory blob, uint256 offset) internal pure returns (uint256) {
        // The count is one byte, and no blob is longer than a contract may be.
        unchecked {
            return offset + 1 + 3 * number(blob, offset, 1);
        }
    }

    /// @notice Writes the list of advisories at `offset` into `list` from `index` on.
    /// @return next Where the next list goes.
    function readAdvisories(bytes memory blob, uint256 offset, uint24[] memory list, uint256 index)
        internal
        pure
        returns (uint256 next)
    {
        next = index + advisoryCount(blob, offset);
        for (offset += 1; index < next; index++) {
            // 3 bytes.
            list[index] = uint24(number(blob, offset, 3));
            offset += 3;
        }
    }

    /// @notice How many advisories stand at `offset`; none if `offset` is 0, which says that there is no level.
    function advisoryCount(bytes memory blob, uint256 offset) internal pure returns (uint256) {
        return offset == 0 ? 0 : number(blob, offset, 1);
    }
}
