// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState, IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";

/// @title MockEnclaveRegistry
/// @notice The views of IEnclaveRegistry that JobMarket reads, over entries that a test sets. Attests nothing.
contract MockEnclaveRegistry {
    mapping(address signingKey => Enclave) private _enclaves;

    /// @notice Records `entry` under `signingKey`, unchecked.
    function set(address signingKey, Enclave calldata entry) external {
        _enclaves[signingKey] = entry;
    }

    /// @notice As IEnclaveRegistry.enclave.
    function enclave(address signingKey) external view returns (Enclave memory) {
        require(
            _enclaves[signingKey].operator != address(0), IEnclaveRegistry.EnclaveRegistry_UnknownEnclave(signingKey)
        );
        return _enclaves[signingKey];
    }

    /// @notice As IEnclaveRegistry.isLive.
    function isLive(address signingKey) external view returns (bool) {
        Enclave storage entry = _enclaves[signingKey];
        return entry.state == EnclaveState.Active && block.timestamp < entry.expiresAt;
    }

    /// @notice As IEnclaveRegistry.liveEnclave.
    function liveEnclave(address signingKey) external view returns (address operator, bytes32 workloadId) {
        Enclave storage entry = _enclaves[signingKey];
        if (entry.state == EnclaveState.Active && block.timestamp < entry.expiresAt) {
            return (entry.operator, entry.workloadId);
        }
    }
}
