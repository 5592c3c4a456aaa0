// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// @title P256Signature
/// @notice Verifies ECDSA signatures over P-256, by the precompile where the chain has it, else in Solidity.
/// @custom:source EIP-7951 (P256VERIFY at 0x100); FIPS 186-5, section 6.4.2
/// @dev High s is accepted: Intel's signatures are not normalised. A signature must therefore never serve as a key
/// against replay.
library P256Signature {
    /// @notice Whether `(r, s)` is a signature of the key `(x, y)` over the SHA-256 digest `digest`.
    /// False, never a revert, for values out of range and for points off the curve: the precompile checks both.
    function isValid(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view returns (bool) {
        if (_native(digest, r, s, x, y)) return true;
        // The precompile answers a bad signature as a chain without it does: with nothing.
        return _hasPrecompile() ? false : _verify(digest, r, s, x, y);
    }

    function _verify(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) private view returns (bool) {
        if (r == 0 || s == 0 || uint256(r) >= P256.N || uint256(s) >= P256.N) return false;
        // (r, s) and (r, N - s) are equally valid; OpenZeppelin wants the lower. s < N, see above.
        if (uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s));
        return P256.verifySolidity(digest, r, s, x, y);
    }

    /// @dev Yes is exactly one word of value 1.
    function _native(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) private view returns (bool valid) {
        // Writes above the free memory pointer and to scratch space only. Memory that held something else is no answer:
        // without 32 bytes returned, what the scratch space holds is not looked at.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            mstore(add(input, 0x20), r)
            mstore(add(input, 0x40), s)
            mstore(add(input, 0x60), x)
            mstore(add(input, 0x80), y)
            let ok := staticcall(gas(), 0x100, input, 0xa0, 0x00, 0x20)
            valid := and(ok, and(eq(returndatasize(), 0x20), eq(mload(0x00), 1)))
        }
    }

    /// @dev Asks for a signature that is known to be valid.
    /// @custom:source C2SP/wycheproof, ecdsa_secp256r1_sha256_p1363_test.json, message "123400", r = 5, s = 1
    function _hasPrecompile() private view returns (bool) {
        return _native(
            0xbb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023,
            bytes32(uint256(5)),
            bytes32(uint256(1)),
            0xa71af64de5126a4a4e02b7922d66ce9415ce88a4c9d25514d91082c8725ac957,
            0x5d47723c8fbe580bb369fec9c2665d8e30a435b9932645482e7c9f11e872296b
        );
    }
}
