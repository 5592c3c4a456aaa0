// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IEnclaveRegistry } from "../interfaces/IEnclaveRegistry.sol";
import { IJobMarket } from "../interfaces/IJobMarket.sol";
import { JobOrder } from "../interfaces/MarketTypes.sol";
import { RecentBlock } from "./RecentBlock.sol";

/// @title Attested
/// @notice Part of JobMarket: whether an enclave that the order trusts has signed. Calls the enclave registry, as static calls.
abstract contract Attested {
    address internal immutable _enclaves;

    constructor(address enclaveRegistry) {
        require(enclaveRegistry.code.length != 0, IJobMarket.JobMarket_NotAContract(enclaveRegistry));
        _enclaves = enclaveRegistry;
    }

    function _requireAnchored(uint64 anchorBlock, bytes32 anchorHash) internal view {
        bytes32 actual = RecentBlock.hashOf(anchorBlock);
        require(
            actual != 0 && actual == anchorHash, IJobMarket.JobMarket_BadAnchor(anchorBlock, anchorHash, actual)
        );
    }

    /// @return The key that signed `digest`, whosever it is.
    function _signerOf(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        (address signer, ECDSA.RecoverError recoverError,) = ECDSA.tryRecoverCalldata(digest, signature);
        require(
            recoverError == ECDSA.RecoverError.NoError, IJobMarket.JobMarket_BadSignature(keccak256(signature))
        );
        return signer;
    }

    /// @dev `signer` is an enclave that is live, of the order's workload, and of an operator that the order allows.
    function _requireEnclave(address signer, JobOrder calldata order) internal view returns (address operator) {
        bytes32 workloadId;
        (operator, workloadId) = IEnclaveRegistry(_enclaves).liveEnclave(signer);
        require(operator != address(0), IJobMarket.JobMarket_EnclaveNotLive(signer));
        require(
            workloadId == order.workloadId,
            IJobMarket.JobMarket_WrongWorkload(signer, workloadId, order.workloadId)
        );
        require(
            order.operator == address(0) || order.operator == operator,
            IJobMarket.JobMarket_WrongOperator(signer, operator, order.operator)
        );
    }
}
