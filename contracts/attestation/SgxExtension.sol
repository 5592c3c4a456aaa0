// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { Der } from "../lib/Der.sol";

/// @title SgxExtension
/// @notice Reads Intel's extension of PCK certificates: what is known of the platform.
/// @custom:source Intel "SGX PCK Certificate and CRL Profile Specification", section 1.3.5, OID 1.2.840.113741.1.13.1
/// @dev `SEQUENCE OF SEQUENCE { OID, value }`. Only the PPID is read; what else collateral is matched by (TCB 2,
/// PCE-ID 3, FMSPC 4) stands in the same list.
library SgxExtension {
    /// @dev 1.2.840.113741.1.13.1.1
    bytes32 private constant PPID = keccak256(hex"2a864886f84d010d0101");
    uint256 private constant PPID_SIZE = 16;

    /// @notice The platform's PPID.
    /// @param leaf PCK certificate, DER.
    /// @param start Where the extension's content starts in `leaf`.
    /// @param end Where it ends.
    function readPpid(bytes calldata leaf, uint256 start, uint256 end) internal pure returns (bytes16 ppid) {
        (uint256 cursor, uint256 limit) = Der.open(leaf, start, end, Der.SEQUENCE);
        Der.requireEnd(limit, end);
        bool seen;
        while (cursor < limit) {
            (uint256 id, uint256 next) = Der.open(leaf, cursor, limit, Der.SEQUENCE);
            (uint256 idStart, uint256 idEnd) = Der.open(leaf, id, next, Der.OBJECT_IDENTIFIER);
            if (keccak256(leaf[idStart:idEnd]) == PPID) {
                (uint256 value, uint256 valueEnd) = Der.open(leaf, idEnd, next, Der.OCTET_STRING);
                Der.requireEnd(valueEnd, next);
                require(!seen && valueEnd - value == PPID_SIZE, ITdxVerifier.TdxVerifier_BadPpid());
                seen = true;
                ppid = bytes16(leaf[value:valueEnd]);
            } else {
                Der.requireEnd(Der.skip(leaf, idEnd, next), next);
            }
            cursor = next;
        }
        require(seen, ITdxVerifier.TdxVerifier_BadPpid());
    }
}
