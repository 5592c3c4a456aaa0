// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Certificate } from "../../../contracts/lib/X509.sol";

/// @notice What LibHarness answers; apart from it, so that tests do not compile the libraries.
interface ILibHarness {
    function open(bytes calldata der, uint256 offset, uint256 limit, uint8 tag) external pure returns (uint256, uint256);

    function peek(bytes calldata der, uint256 offset, uint256 limit) external pure returns (uint8);

    function shortSlice(bytes calldata der, uint256 offset, uint256 end) external pure returns (bytes32);

    function readUint(bytes calldata der) external pure returns (uint256, uint256);

    function readBool(bytes calldata der) external pure returns (bool, uint256);

    function readTime(bytes calldata der) external pure returns (uint64, uint256);

    function parse(bytes calldata der) external pure returns (Certificate memory);

    function isValid(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) external view returns (bool);
}
