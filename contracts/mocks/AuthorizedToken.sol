// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { IReceiveWithAuthorization } from "../interfaces/ITokenSignatures.sol";

/// @title AuthorizedToken
/// @notice An ERC-20 whose transfers may be signed (EIP-3009), all checks on; anyone may mint it. For tests only.
/// @custom:source EIP-3009, "Specification": receiveWithAuthorization
contract AuthorizedToken is ERC20, EIP712, IReceiveWithAuthorization {
    /// @notice Only the receiver may call this.
    error AuthorizedToken_NotReceiver(address caller, address to);
    /// @notice The block time is not between the two, both excluded. Unix seconds.
    error AuthorizedToken_NotValid(uint256 validAfter, uint256 validBefore, uint256 timestamp);
    /// @notice The authorization was used before.
    error AuthorizedToken_Used(address from, bytes32 nonce);
    /// @notice It is not signed by whom it takes from.
    error AuthorizedToken_NotSigned(address signer, address from);

    /// @notice EIP-712 type of an authorization.
    bytes32 public constant TYPE_HASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
        "bytes32 nonce)"
    );

    /// @notice Whether an account's authorization was used.
    mapping(address from => mapping(bytes32 nonce => bool)) public authorizationState;

    constructor() ERC20("Authorized Dollar", "aUSD") EIP712("Authorized Dollar", "2") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @inheritdoc IReceiveWithAuthorization
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        require(msg.sender == to, AuthorizedToken_NotReceiver(msg.sender, to));
        require(
            validAfter < block.timestamp && block.timestamp < validBefore,
            AuthorizedToken_NotValid(validAfter, validBefore, block.timestamp)
        );
        require(!authorizationState[from][nonce], AuthorizedToken_Used(from, nonce));
        bytes32 digest = hashAuthorization(from, to, value, validAfter, validBefore, nonce);
        (address signer,,) = ECDSA.tryRecover(digest, v, r, s);
        require(signer == from && signer != address(0), AuthorizedToken_NotSigned(signer, from));

        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
    }

    /// @notice What `from` signs.
    function hashAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TYPE_HASH, from, to, value, validAfter, validBefore, nonce)));
    }
}
