// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { TdReport } from "../attestation/TdReport.sol";
import { RegistrationRequest } from "../interfaces/IEnclaveRegistry.sol";

/// @title Binding
/// @notice The hashes that tie an enclave's keys to a quote, to its operator, and to what runs in it. Adds no EIP-712 domain.
/// Mirrors protocol/attestationBinding.ts and protocol/eip712.ts.
/// @custom:source see `IEnclaveRegistry`
library Binding {
    string private constant REPORT_DATA_TAG = "data-collab-market/enclave/v1";
    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber)");
    bytes32 private constant AUTHORIZATION_TYPEHASH =
        keccak256("OperatorAuthorization(address operator,address agent,uint64 validUntil)");

    /// @notice First half of the report data that bind a quote to an enclave of the calling registry on this chain.
    /// @param blockHash Hash of block `blockNumber`: what makes the quote fresh.
    function reportData(
        address operator,
        address signingKey,
        bytes32 vaultKeyHash,
        uint256 blockNumber,
        bytes32 blockHash
    ) internal view returns (bytes32) {
        return sha256(
            abi.encode(
                REPORT_DATA_TAG,
                block.chainid,
                address(this),
                operator,
                signingKey,
                vaultKeyHash,
                blockNumber,
                blockHash
            )
        );
    }

    /// @notice Struct hash of what the signing key signs: proof that it is held, and what vouches for the endpoint.
    function hashRegistration(RegistrationRequest calldata request, bytes32 vaultKeyHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                REGISTRATION_TYPEHASH,
                request.operator,
                vaultKeyHash,
                keccak256(bytes(request.endpoint)),
                request.blockNumber
            )
        );
    }

    /// @notice Struct hash of an operator's word that `agent` may register enclaves in its name.
    function hashAuthorization(address operator, address agent, uint64 validUntil) internal pure returns (bytes32) {
        return keccak256(abi.encode(AUTHORIZATION_TYPEHASH, operator, agent, validUntil));
    }

    /// @notice What `renew` and `demote` are shown, as it is recorded.
    function hashEvidence(bytes32 vaultKeyHash, bytes32 tcbEvidenceHash) internal pure returns (bytes16) {
        return bytes16(keccak256(abi.encode(vaultKeyHash, tcbEvidenceHash)));
    }

    /// @notice What code runs on what OS and VM shape.
    /// @param report Report body of a verified quote.
    function workloadId(bytes32 composeHash, bytes calldata report) internal pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                composeHash,
                TdReport.mrTd(report),
                TdReport.rtMr0To2(report),
                TdReport.tdAttributes(report),
                TdReport.xfam(report)
            )
        );
    }
}
