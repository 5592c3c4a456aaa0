// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { AuthorityRole, InForce } from "../../contracts/interfaces/ITdxCollateral.sol";
import { P256Key } from "../../contracts/interfaces/TcbTypes.sol";

/// @title FixedCollateral
/// @notice Collateral of any content, unsigned: for tests of the verifier on content that Intel never signed. Answers what
/// the verifier asks of `ITdxCollateral`, and nothing else.
contract FixedCollateral {
    InForce private _inForce;
    AuthorityRole[] private _roles;
    mapping(bytes32 keyHash => uint16) private _numbers;

    /// @notice What is in force for every FMSPC and issuer.
    function setInForce(InForce memory inForce_) external {
        _inForce = inForce_;
    }

    /// @notice Content kept as code, as `TdxCollateral` keeps it.
    function store(bytes memory content) external returns (address data) {
        bytes memory code = bytes.concat(hex"00", content);
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: ten bytes, then the code.
        bytes memory creation = abi.encodePacked(hex"61", uint16(code.length), hex"80600a5f395ff3", code);
        assembly ("memory-safe") {
            data := create(0, add(creation, 32), mload(creation))
        }
        require(data != address(0));
    }

    /// @notice Records an authority of `key`.
    function addAuthority(P256Key memory key, AuthorityRole role) external returns (uint16 number) {
        _roles.push(role);
        number = uint16(_roles.length);
        _numbers[keccak256(abi.encode(key))] = number;
    }

    function inForce(bytes6, uint16) external view returns (InForce memory) {
        return _inForce;
    }

    function findAuthority(P256Key calldata key) external view returns (uint16 number, AuthorityRole role) {
        number = _numbers[keccak256(abi.encode(key))];
        if (number != 0) role = _roles[number - 1];
    }

    function rootKey() external pure returns (bytes32, bytes32) {
        return (bytes32(uint256(1)), bytes32(uint256(2)));
    }
}
