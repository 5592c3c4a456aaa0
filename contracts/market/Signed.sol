// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";

/// @title Signed
/// @notice Part of JobMarket: who signed what. Calls accounts that are contracts for their word (ERC-1271), as static calls.
abstract contract Signed is EIP712("DataCollabMarket", "1") {
    /// @dev A key is tried first: that spares asking whether the account has code. An account with code may still have a
    /// key (EIP-7702), which commands it; a contract's address has none that anybody knows.
    /// @return signed Whether `account` signed `digest`.
    /// @return byKey Whether with its own key.
    function _isSignedBy(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool signed, bool byKey)
    {
        (address signer, ECDSA.RecoverError recoverError,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recoverError == ECDSA.RecoverError.NoError && signer == account) return (true, true);
        return (SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature), false);
    }

    /// @dev `account` has sent the transaction, or signed `digest`.
    function _requireConsent(address account, bytes32 digest, bytes calldata signature) internal view {
        if (msg.sender != account) _requireSignature(account, digest, signature);
    }

    /// @dev `account` has signed `digest`, whoever sent the transaction.
    function _requireSignature(address account, bytes32 digest, bytes calldata signature) internal view {
        (bool signed,) = _isSignedBy(account, digest, signature);
        require(signed, IJobMarket.JobMarket_NotSignedBy(digest, account));
    }
}
