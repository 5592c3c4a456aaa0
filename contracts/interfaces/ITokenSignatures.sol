// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title IPermit2
/// @notice The one function of Permit2 that the market calls.
/// @custom:source Uniswap Permit2, "SignatureTransfer": permitTransferFrom
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    function permitTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes calldata signature
    ) external;
}

/// @title IReceiveWithAuthorization
/// @notice The one function of EIP-3009 that the market calls. Only the receiver may call it: nobody else can have a signed
/// deposit arrive uncredited.
/// @custom:source EIP-3009, "receiveWithAuthorization"
interface IReceiveWithAuthorization {
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
    ) external;
}
