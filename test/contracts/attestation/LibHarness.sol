// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Der } from "../../../contracts/lib/Der.sol";
import { P256Signature } from "../../../contracts/lib/P256Signature.sol";
import { Certificate, X509 } from "../../../contracts/lib/X509.sol";
import { X509Time } from "../../../contracts/lib/X509Time.sol";
import { ILibHarness } from "./ILibHarness.sol";

/// @title LibHarness
/// @notice Lets tests call the libraries from outside, so that calldata and reverts are as in a contract.
contract LibHarness is ILibHarness {
    function open(bytes calldata der, uint256 offset, uint256 limit, uint8 tag)
        external
        pure
        returns (uint256, uint256)
    {
        return Der.open(der, offset, limit, tag);
    }

    function peek(bytes calldata der, uint256 offset, uint256 limit) external pure returns (uint8) {
        return Der.peek(der, offset, limit);
    }

    function shortSlice(bytes calldata der, uint256 offset, uint256 end) external pure returns (bytes32) {
        return Der.shortSlice(der, offset, end);
    }

    function readUint(bytes calldata der) external pure returns (uint256, uint256) {
        return Der.readUint(der, 0, der.length);
    }

    function readBool(bytes calldata der) external pure returns (bool, uint256) {
        return Der.readBool(der, 0, der.length);
    }

    function readTime(bytes calldata der) external pure returns (uint64, uint256) {
        return X509Time.read(der, 0, der.length);
    }

    function parse(bytes calldata der) external pure returns (Certificate memory) {
        return X509.parse(der);
    }

    function isValid(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) external view returns (bool) {
        return P256Signature.isValid(digest, r, s, x, y);
    }
}
