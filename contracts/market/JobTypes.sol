// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { DatasetUse, Grant, JobOrder, Receipt } from "../interfaces/IJobMarket.sol";

/// @title JobTypes
/// @notice EIP-712 struct hashes of what requesters, providers and enclaves sign. Pure; adds no domain.
/// @custom:source EIP-712, "Definition of hashStruct". Mirrored by protocol/eip712.ts; a test compares the two.
library JobTypes {
    bytes32 private constant DATASET_USE = keccak256("DatasetUse(bytes32 datasetId,bytes32 grantHash,uint256 price)");

    bytes32 private constant JOB_ORDER = keccak256(
        "JobOrder(address requester,bytes32 programId,bytes32 workloadId,bytes32 paramsHash,DatasetUse[] datasets,"
        "bytes32 resultKey,address token,uint256 operatorFee,uint256 failureFee,address operator,uint64 deadline,"
        "uint256 nonce)DatasetUse(bytes32 datasetId,bytes32 grantHash,uint256 price)"
    );

    bytes32 private constant GRANT = keccak256(
        "Grant(bytes32 datasetId,bytes32 programId,bytes32 workloadId,address requester,address operator,address token,"
        "uint256 pricePerUse,uint64 maxUses,uint64 notBefore,uint64 notAfter,bytes32[] resultReaders,uint32 epoch,"
        "uint256 nonce)"
    );

    bytes32 private constant RECEIPT = keccak256(
        "Receipt(bytes32 jobId,uint8 status,bytes32 programId,bytes32 workloadId,bytes32 inputsRoot,bytes32 grantsRoot,"
        "bytes32 paramsHash,bytes32 resultHash,bytes32 outputCommitment,bytes32 policyHash,uint64 fuelUsed,"
        "bytes32 logRoot,uint64 logSize,uint64 anchorBlock,bytes32 anchorHash,uint8 failureCode)"
    );

    /// @notice hashStruct of an order. Loops over its data sets: the caller bounds their number.
    function hash(JobOrder calldata order) internal pure returns (bytes32) {
        DatasetUse[] calldata uses = order.datasets;
        bytes32[] memory useHashes = new bytes32[](uses.length);
        for (uint256 i = 0; i < uses.length; ++i) {
            useHashes[i] = keccak256(abi.encode(DATASET_USE, uses[i]));
        }
        return keccak256(
            abi.encode(
                JOB_ORDER,
                order.requester,
                order.programId,
                order.workloadId,
                order.paramsHash,
                keccak256(abi.encodePacked(useHashes)),
                order.resultKey,
                order.token,
                order.operatorFee,
                order.failureFee,
                order.operator,
                order.deadline,
                order.nonce
            )
        );
    }

    /// @notice hashStruct of a grant.
    function hash(Grant calldata grant) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                GRANT,
                grant.datasetId,
                grant.programId,
                grant.workloadId,
                grant.requester,
                grant.operator,
                grant.token,
                grant.pricePerUse,
                grant.maxUses,
                grant.notBefore,
                grant.notAfter,
                keccak256(abi.encodePacked(grant.resultReaders)),
                grant.epoch,
                grant.nonce
            )
        );
    }

    /// @notice hashStruct of a receipt. All its fields are static, so its ABI encoding is the one EIP-712 asks for.
    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT, receipt));
    }
}
