// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { P256 } from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// @title P256Signature
/// @notice Verifies ECDSA signatures over P-256, by the precompile where the chain has it, else in Solidity.
/// @custom:source EIP-7951 (P256VERIFY at 0x100); FIPS 186-5, section 6.4.2
/// @dev High s is accepted: Intel's signatures are not normalised. A signature must therefore never serve as a key
/// against replay.
library P256Signature {
    address private constant PRECOMPILE = address(0x100);

    /// @notice Whether `(r, s)` is a signature of the key `(x, y)` over the SHA-256 digest `digest`.
    /// False, never a revert, for values out of range and for points off the curve.
    function isValid(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view returns (bool) {
        if (r == 0 || s == 0 || uint256(r) >= P256.N || uint256(s) >= P256.N) return false;
        if (!P256.isValidPublicKey(x, y)) return false;
        // (r, s) and (r, N - s) are equally valid; the Solidity fallback wants the lower. s < N, see above.
        if (uint256(s) > P256.N / 2) s = bytes32(P256.N - uint256(s));
        if (_native(digest, r, s, x, y)) return true;
        // The precompile answers a bad signature as a chain without it does: with nothing.
        return _hasPrecompile() ? false : P256.verifySolidity(digest, r, s, x, y);
    }

    function _native(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) private view returns (bool) {
        (bool ok, bytes memory answer) = PRECOMPILE.staticcall(abi.encode(digest, r, s, x, y));
        return ok && answer.length == 32 && bytes32(answer) == bytes32(uint256(1));
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
