// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";

/// @title RevocationList
/// @notice Says whether a serial number is on a list that `TdxCollateral` keeps, at the same cost whatever its length.
/// @dev The list is the code of an account: a zero byte, then serials of 20 bytes each in ascending order. Given the place
/// where a serial stands or would stand, only the two serials around that place need a look.
library RevocationList {
    uint256 private constant ENTRY_SIZE = 20;

    /// @notice Whether `serial` is on the list. Reverts unless `hint` is the number of serials on it below `serial`.
    function contains(address list, uint160 serial, uint16 hint) internal view returns (bool) {
        // The code starts with a byte of its own.
        uint256 count = (list.code.length - 1) / ENTRY_SIZE;
        require(hint <= count, ITdxVerifier.TdxVerifier_WrongRevocationHint(hint, serial));
        uint256 below;
        uint256 here;
        assembly ("memory-safe") {
            // Scratch space: the entry before the place in bytes 0-19, the entry at it in bytes 20-39. Nothing is there
            // for the first place's entry before; of the last place's entry at it, the EVM reads zeros.
            mstore(0, 0)
            switch hint
            case 0 { extcodecopy(list, 20, 1, 20) }
            default { extcodecopy(list, 0, sub(mul(hint, 20), 19), 40) }
            below := shr(96, mload(0))
            here := shr(96, mload(20))
        }
        require(
            (hint == 0 || below < serial) && (hint == count || here >= serial),
            ITdxVerifier.TdxVerifier_WrongRevocationHint(hint, serial)
        );
        return hint != count && here == serial;
    }
}
