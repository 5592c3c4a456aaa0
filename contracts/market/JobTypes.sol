// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {
    DatasetUse,
    Grant,
    JobOrder,
    Offer,
    Outcome,
    FailureCode,
    Receipt,
    ReceiptStatus,
    SessionClaim,
    SessionTerms,
    ShownGrant
} from "../interfaces/MarketTypes.sol";

/// @title JobTypes
/// @notice EIP-712 struct hashes of what requesters, providers, operators and enclaves sign. Pure; adds no domain.
/// @custom:source EIP-712, "Definition of hashStruct". Mirrored by protocol/eip712.ts; a test compares the two.
/// @dev Types are literals in full: the compiler hashes those, and not what abi.encodePacked puts together.
library JobTypes {
    bytes32 private constant DATASET_USE =
        keccak256("DatasetUse(bytes32 datasetId,bytes32 grantHash,uint256 maxPrice)");

    bytes32 private constant JOB_ORDER = keccak256(
        "JobOrder(address requester,address payer,bytes32 programId,bytes32 workloadId,bytes32 paramsHash,"
        "DatasetUse[] datasets,bytes32 resultKey,address token,uint256 operatorFee,uint256 failureFee,address operator,"
        "bytes32 offerHash,uint256 bond,uint64 acceptBy,uint64 deadline,uint8 quorum,bytes32 session,uint256 nonce)"
        "DatasetUse(bytes32 datasetId,bytes32 grantHash,uint256 maxPrice)"
    );

    bytes32 private constant GRANT = keccak256(
        "Grant(bytes32 datasetId,bytes32 programId,bytes32 workloadId,address requester,address operator,address token,"
        "uint8 priceUnit,uint256 price,uint64 maxUses,uint64 notBefore,uint64 notAfter,bytes32[] resultReaders,"
        "uint32 epoch,uint32 ownerEpoch,uint256 nonce)"
    );

    bytes32 private constant OFFER = keccak256(
        "Offer(address operator,bytes32 workloadId,address token,uint256 fee,uint256 pricePerSecond,uint64 validUntil,"
        "uint256 nonce)"
    );

    bytes32 private constant RECEIPT = keccak256(
        "Receipt(bytes32 jobId,uint8 status,bytes32 programId,bytes32 workloadId,bytes32 paramsHash,bytes32 inputsRoot,"
        "bytes32 grantsRoot,bytes32 resultHash,bytes32 outputCommitment,bytes32 policyHash,uint64 fuelUsed,"
        "uint64 outputRows,uint32 runSeconds,uint16 countedGrants,bytes32 logRoot,uint64 logSize,uint64 anchorBlock,"
        "bytes32 anchorHash,uint8 failureCode)"
    );

    bytes32 private constant ACCEPTANCE = keccak256("JobAcceptance(bytes32 jobId,address bonder)");

    bytes32 private constant WITHDRAWAL = keccak256(
        "Withdrawal(address account,address token,address to,uint256 amount,uint256 nonce,uint64 deadline)"
    );

    bytes32 private constant SESSION_ORDER = keccak256(
        "SessionOrder(JobOrder order,uint32 maxJobs,uint32 challengeSeconds,uint256 disputeBond)"
        "DatasetUse(bytes32 datasetId,bytes32 grantHash,uint256 maxPrice)"
        "JobOrder(address requester,address payer,bytes32 programId,bytes32 workloadId,bytes32 paramsHash,"
        "DatasetUse[] datasets,bytes32 resultKey,address token,uint256 operatorFee,uint256 failureFee,address operator,"
        "bytes32 offerHash,uint256 bond,uint64 acceptBy,uint64 deadline,uint8 quorum,bytes32 session,uint256 nonce)"
    );

    bytes32 private constant SESSION_CLAIM = keccak256(
        "SessionClaim(bytes32 sessionId,bytes32 root,uint32 okCount,uint32 failedCount,uint16 countedGrants,"
        "uint64 anchorBlock,bytes32 anchorHash)"
    );

    /// @dev Which of an order's words differ among the orders of a group or a session, and which stands for an array.
    uint256 private constant PARAMS_HASH = 5;
    uint256 private constant DATASETS = 6;
    uint256 private constant DEADLINE = 15;
    uint256 private constant SESSION = 17;
    uint256 private constant NONCE = 18;

    /// @notice hashStruct of an order. Loops over its data sets: the caller bounds their number.
    function hash(JobOrder calldata order) internal pure returns (bytes32) {
        return hash(encode(order));
    }

    /// @notice What hashStruct of an order hashes: its words as they lie in calldata, but for the data sets.
    function encode(JobOrder calldata order) internal pure returns (bytes32[19] memory words) {
        assembly ("memory-safe") {
            calldatacopy(add(words, 0x20), order, 576) // 18 words, into 19
        }
        words[0] = JOB_ORDER;
        words[DATASETS] = hash(order.datasets);
    }

    /// @notice hashStruct of an order, as encoded.
    function hash(bytes32[19] memory words) internal pure returns (bytes32 structHash) {
        assembly ("memory-safe") {
            structHash := keccak256(words, 608) // 19 words
        }
    }

    /// @notice hashStruct of another order of the same group or session. Overwrites `words`.
    function hash(
        bytes32[19] memory words,
        bytes32 paramsHash,
        uint64 deadline,
        bytes32 session,
        uint256 nonce
    ) internal pure returns (bytes32) {
        words[PARAMS_HASH] = paramsHash;
        words[DEADLINE] = bytes32(uint256(deadline));
        words[SESSION] = session;
        words[NONCE] = bytes32(nonce);
        return hash(words);
    }

    /// @notice Hash of the array of data sets, as EIP-712 encodes it.
    function hash(DatasetUse[] calldata uses) internal pure returns (bytes32 result) {
        uint256 count = uses.length;
        bytes32[] memory hashes = new bytes32[](count);
        bytes32[4] memory words;
        words[0] = DATASET_USE;
        for (uint256 i = 0; i < count; ++i) {
            DatasetUse calldata use = uses[i];
            bytes32 useHash;
            assembly ("memory-safe") {
                calldatacopy(add(words, 0x20), use, 96) // 3 words, into 4
                useHash := keccak256(words, 128)
            }
            hashes[i] = useHash;
        }
        assembly ("memory-safe") {
            result := keccak256(add(hashes, 0x20), shl(5, count)) // as many words as there are hashes
        }
    }

    /// @notice hashStruct of a grant. Copies the readers: the caller bounds their number.
    function hash(Grant calldata grant) internal pure returns (bytes32 structHash) {
        bytes32 readers = keccak256(abi.encodePacked(grant.resultReaders));
        bytes32[16] memory words;
        assembly ("memory-safe") {
            calldatacopy(add(words, 0x20), grant, 480) // 15 words, into 16
        }
        words[0] = GRANT;
        words[12] = readers;
        assembly ("memory-safe") {
            structHash := keccak256(words, 512) // 16 words
        }
    }

    /// @notice hashStruct of the grant for a use in `order` that is shown by what it says beyond that. Its own words are taken
    /// as they lie in calldata. Copies the readers: the caller bounds their number.
    function hash(ShownGrant calldata grant, JobOrder calldata order, bytes32 datasetId, address operator)
        internal
        pure
        returns (bytes32 structHash)
    {
        bytes32 readers = keccak256(abi.encodePacked(grant.resultReaders));
        bytes32[16] memory words;
        words[0] = GRANT;
        words[1] = datasetId;
        words[2] = order.programId;
        words[3] = order.workloadId;
        if (!grant.anyRequester) words[4] = bytes32(uint256(uint160(order.requester)));
        if (!grant.anyOperator) words[5] = bytes32(uint256(uint160(operator)));
        words[6] = bytes32(uint256(uint160(order.token)));
        words[12] = readers;
        assembly ("memory-safe") {
            calldatacopy(add(words, 0xe0), add(grant, 0x40), 160) // words 7 to 11: priceUnit to notAfter
            calldatacopy(add(words, 0x1a0), add(grant, 0x100), 96) // words 13 to 15: epoch to nonce
            structHash := keccak256(words, 512) // 16 words
        }
    }

    /// @notice hashStruct of an offer.
    function hash(Offer calldata offer) internal pure returns (bytes32) {
        return keccak256(abi.encode(OFFER, offer));
    }

    /// @notice hashStruct of a receipt. All its fields are static, so its ABI encoding is the one EIP-712 asks for.
    function hash(Receipt memory receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT, receipt));
    }

    /// @notice hashStruct of an enclave's acceptance of a job whose bond `bonder` stakes.
    function hashAcceptance(bytes32 jobId, address bonder) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE, jobId, bonder));
    }

    /// @notice hashStruct of a withdrawal.
    function hashWithdrawal(
        address account,
        address token,
        address to,
        uint256 amount,
        uint256 nonce,
        uint64 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL, account, token, to, amount, nonce, deadline));
    }

    /// @notice hashStruct of a session's template and terms.
    function hash(JobOrder calldata order, SessionTerms calldata terms) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(SESSION_ORDER, hash(order), terms.maxJobs, terms.challengeSeconds, terms.disputeBond)
        );
    }

    /// @notice hashStruct of a session's claim.
    function hash(SessionClaim calldata claim) internal pure returns (bytes32) {
        return keccak256(abi.encode(SESSION_CLAIM, claim));
    }

    /// @notice hashStruct of the receipt that an order and an outcome make. The outcome's words are taken as they lie in
    /// calldata: if one is out of its type's range, nobody has signed this hash.
    function hash(bytes32 jobId, JobOrder calldata order, bytes32 paramsHash, Outcome calldata outcome)
        internal
        pure
        returns (bytes32 structHash)
    {
        bytes32[20] memory words;
        ReceiptStatus status =
            outcome.failureCode == FailureCode.None ? ReceiptStatus.Ok : ReceiptStatus.Failed;
        words[0] = RECEIPT;
        words[1] = jobId;
        words[2] = bytes32(uint256(status));
        words[3] = order.programId;
        words[4] = order.workloadId;
        words[5] = paramsHash;
        assembly ("memory-safe") {
            calldatacopy(add(words, 0xc0), outcome, 448) // 14 words after 6, into 20
            structHash := keccak256(words, 640) // 20 words
        }
    }
}
