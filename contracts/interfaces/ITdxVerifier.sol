// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { TcbStatus } from "./IEnclaveRegistry.sol";

/// @notice What a verified quote says of its platform.
/// @param platformId keccak256 of the platform's PPID (16 bytes), read from the PCK leaf certificate.
/// @param tcbStatus Converged TCB status; `Unevaluated` while no collateral is consulted.
/// @param validUntil Unix seconds: the earliest end of validity of what the verdict rests on.
struct QuoteVerdict {
    bytes32 platformId;
    TcbStatus tcbStatus;
    uint64 validUntil;
}

/// @title ITdxVerifier
/// @notice Verifies Intel TDX quotes of version 4 with a TD 1.0 report body.
interface ITdxVerifier {
    /// @notice Verifies `quote` at the current block time and returns what it says of its platform.
    /// @param quote Header through QE authentication data. What follows (the PEM chain) may be cut off.
    /// @param pckLeaf PCK leaf certificate, DER.
    /// @param pckIssuer PCK Platform or Processor CA certificate, DER.
    function verify(bytes calldata quote, bytes calldata pckLeaf, bytes calldata pckIssuer)
        external
        view
        returns (QuoteVerdict memory);

    /// @notice The pinned P-256 root public key, big-endian coordinates. Intel's or a simulated platform's.
    function rootKey() external view returns (bytes32 x, bytes32 y);
}
