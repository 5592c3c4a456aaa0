// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Evidence } from "./ITdxVerifier.sol";
import { TcbEvidence, TcbStatus } from "./TcbTypes.sol";

/// @notice Where a registration stands. `Expired` is recorded when somebody says so; `isLive` needs no such record.
enum EnclaveState {
    None,
    Active,
    Expired,
    Demoted,
    Retired
}

/// @notice Why a registration was demoted.
enum DemotionReason {
    Expired,
    TcbStatus,
    CertificateRevoked
}

/// @notice What the chain knows of an attested enclave.
/// @param operator Who answers for it and is paid its fees; signed its registration or sent it.
/// @param expiresAt Unix seconds; from this second on its receipts are refused.
/// @param registeredAtBlock Block number of the registration.
/// @param tcbStatus Status of the platform when a quote was last verified.
/// @param state Where it stands.
/// @param workloadId What code runs on what OS and VM shape.
/// @param platformId First 16 bytes of keccak256 of the platform's PPID.
/// @param evidenceHash First 16 bytes of keccak256 of vault key hash and TCB evidence hash: what `renew` and `demote` are
/// shown. Who registers could search for two preimages of it, and would only be able to demote itself.
struct Enclave {
    address operator;
    uint40 expiresAt;
    uint40 registeredAtBlock;
    TcbStatus tcbStatus;
    EnclaveState state;
    bytes32 workloadId;
    bytes16 platformId;
    bytes16 evidenceHash;
}

/// @notice What the enclave asks to have recorded.
/// @param operator Who answers for the enclave and is paid its fees.
/// @param signingKey Address of the secp256k1 key made inside the enclave.
/// @param vaultKey HPKE public key made inside the enclave; at most 2,048 bytes.
/// @param endpoint URL under which the worker answers; at most 256 bytes, not trusted by anyone.
/// @param appConfig What MRCONFIGID commits to. Version 1: empty. Version 2: compose hash (32 bytes), app id (20), kind of
/// key provider (1), key provider id (at most 256). Version 3: dstack's document, at most 4,096 bytes.
/// @param blockNumber A block whose hash is in the quote's report data; among the last 256.
struct RegistrationRequest {
    address operator;
    address signingKey;
    bytes vaultKey;
    string endpoint;
    bytes appConfig;
    uint64 blockNumber;
}

/// @notice The operator's word that an account may register enclaves in its name.
/// @param validUntil Unix seconds, the last second at which it holds.
/// @param signature EIP-712 signature by the operator, who may be a contract (ERC-1271), of
/// OperatorAuthorization(address operator,address agent,uint64 validUntil); at most 4,096 bytes. Not read if the operator
/// sends the transaction itself.
struct OperatorAuthorization {
    uint64 validUntil;
    bytes signature;
}

/// @notice What a renewal is for.
/// @param signingKey The registered key.
/// @param vaultKeyHash keccak256 of the registered vault key.
/// @param tcbEvidenceHash The TCB evidence hash recorded last; see the events.
/// @param appConfig As in `RegistrationRequest`.
/// @param blockNumber A block whose hash is in the quote's report data; among the last 256.
struct RenewalRequest {
    address signingKey;
    bytes32 vaultKeyHash;
    bytes32 tcbEvidenceHash;
    bytes appConfig;
    uint64 blockNumber;
}

/// @title IEnclaveRegistry
/// @notice Records any genuine enclave whose quote passes `ITdxVerifier`. No owner, no allow list:
/// which workload is trusted is for the data provider and the requester to say in what they sign.
/// @custom:source DESIGN: reportData = sha256(abi.encode("data-collab-market/enclave/v1", chainId, registry,
/// operator, signingKey, keccak256(vaultKey), blockNumber, blockHash)) followed by 32 zero bytes.
interface IEnclaveRegistry {
    /// @notice The verifier given at deployment has no code.
    error EnclaveRegistry_NotAContract(address verifier);
    /// @notice The longest life given at deployment is zero or above ten years, in seconds.
    error EnclaveRegistry_BadMaxLife(uint64 maxLifeSeconds);
    /// @notice The policy given at deployment is empty, allows Unsupported or Revoked, or a status that there is not.
    error EnclaveRegistry_BadPolicy(uint16 allowedTcb);
    /// @notice An operator or signing key was the zero address.
    error EnclaveRegistry_ZeroAddress();
    /// @notice The key is registered already.
    error EnclaveRegistry_AlreadyRegistered(address signingKey);
    /// @notice The vault key is empty or longer than the limit, in bytes.
    error EnclaveRegistry_BadVaultKeyLength(uint256 length, uint256 limit);
    /// @notice The endpoint is longer than the limit, in bytes.
    error EnclaveRegistry_EndpointTooLong(uint256 length, uint256 limit);
    /// @notice The block is not among the last 256, or the chain does not know its hash: the quote is not fresh.
    error EnclaveRegistry_StaleBlock(uint64 blockNumber, uint256 currentBlock);
    /// @notice The guest was launched without an app configuration: MRCONFIGID is zero and binds no app.
    error EnclaveRegistry_ZeroConfigId();
    /// @notice MRCONFIGID is of a version that is not known: neither 1, 2 nor 3.
    error EnclaveRegistry_UnsupportedConfigIdVersion(uint8 version);
    /// @notice MRCONFIGID does not end in 15 zero bytes; its last 16 bytes are given.
    error EnclaveRegistry_BadConfigIdPadding(bytes16 tail);
    /// @notice The app configuration has a length that this version of MRCONFIGID has no use for, in bytes.
    error EnclaveRegistry_BadAppConfigLength(uint8 version, uint256 length);
    /// @notice The app configuration is not the one that MRCONFIGID commits to.
    error EnclaveRegistry_AppConfigMismatch(bytes32 expected, bytes32 actual);
    /// @notice The key provider's kind is none that dstack has.
    error EnclaveRegistry_UnknownKeyProvider(uint8 kind);
    /// @notice The document does not begin as dstack's does, or names a second compose hash, at the byte given.
    error EnclaveRegistry_BadConfigDocument(uint256 offset);
    /// @notice The quote's report data is not the binding of this request to this chain and registry.
    error EnclaveRegistry_ReportDataMismatch(bytes32 expected, bytes32 actualHigh, bytes32 actualLow);
    /// @notice The request is not signed by the key it names.
    error EnclaveRegistry_BadSignature(address signingKey);
    /// @notice The operator neither sent the registration nor authorised who did.
    error EnclaveRegistry_OperatorNotAuthorized(address operator, address agent);
    /// @notice The operator's authorisation has run out. Unix seconds.
    error EnclaveRegistry_AuthorizationExpired(uint64 validUntil, uint256 timestamp);
    /// @notice Only the enclave's operator may do this.
    error EnclaveRegistry_NotOperator(address signingKey, address operator, address caller);
    /// @notice The registration has ended for good: it was demoted or retired. For `demote` also: its expiry is recorded.
    error EnclaveRegistry_Ended(address signingKey, EnclaveState state);
    /// @notice The evidence is not what is recorded of the enclave.
    error EnclaveRegistry_EvidenceMismatch(bytes16 recorded, bytes16 given);
    /// @notice The quote is of another workload than was registered.
    error EnclaveRegistry_WorkloadChanged(bytes32 registered, bytes32 actual);
    /// @notice The quote is of another platform than was registered.
    error EnclaveRegistry_PlatformChanged(bytes16 registered, bytes16 actual);
    /// @notice The enclave has not expired, its status is allowed, and its certificate is not revoked.
    error EnclaveRegistry_StillInGoodStanding(address signingKey, TcbStatus tcbStatus);
    /// @notice No such enclave.
    error EnclaveRegistry_UnknownEnclave(address signingKey);

    /// @notice An enclave's key was recorded. With the transaction's calldata (the quote) it can be verified anew.
    /// @param signingKey Its secp256k1 key.
    /// @param operator Who answers for it.
    /// @param workloadId What runs in it.
    /// @param composeHash SHA-256 of its app-compose.json.
    /// @param platformId First 16 bytes of keccak256 of the platform's PPID.
    /// @param tcbStatus Status of the platform.
    /// @param expiresAt Unix seconds.
    /// @param vaultKey HPKE public key.
    /// @param endpoint URL, not trusted.
    /// @param tcb What collateral judged: what `renew` and `demote` need again.
    event EnclaveRegistered(
        address indexed signingKey,
        address indexed operator,
        bytes32 indexed workloadId,
        bytes32 composeHash,
        bytes16 platformId,
        TcbStatus tcbStatus,
        uint64 expiresAt,
        bytes vaultKey,
        string endpoint,
        TcbEvidence tcb
    );
    /// @notice A registration was renewed under a fresh quote. `tcb` is what collateral judged this time.
    event EnclaveRenewed(address indexed signingKey, TcbStatus tcbStatus, uint64 expiresAt, TcbEvidence tcb);
    /// @notice The operator ended a registration.
    event EnclaveRetired(address indexed signingKey, address indexed operator);
    /// @notice Somebody showed that a registration is no longer good. `tcbStatus`: the status now, or as it was recorded
    /// when the reason is `Expired`.
    event EnclaveDemoted(address indexed signingKey, DemotionReason indexed reason, TcbStatus tcbStatus);

    /// @notice Verifies a quote and records the keys it binds. Caller: the operator, or whom it authorised.
    /// @dev Reverts, in this order: ZeroAddress, AlreadyRegistered, BadVaultKeyLength, EndpointTooLong,
    /// AuthorizationExpired, OperatorNotAuthorized, StaleBlock, any error of `ITdxVerifier.verify`, ZeroConfigId,
    /// UnsupportedConfigIdVersion, BadConfigIdPadding, BadAppConfigLength, UnknownKeyProvider, AppConfigMismatch,
    /// BadConfigDocument, ReportDataMismatch, BadSignature.
    /// @param quote See `ITdxVerifier.verify`.
    /// @param evidence See `ITdxVerifier.verify`.
    /// @param request What to record.
    /// @param signature EIP-712 signature of `request` by `request.signingKey`, 65 bytes, low s:
    /// EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber).
    /// @param authorization The operator's, for the sender.
    /// @return workloadId What runs in the enclave.
    function register(
        bytes calldata quote,
        Evidence calldata evidence,
        RegistrationRequest calldata request,
        bytes calldata signature,
        OperatorAuthorization calldata authorization
    ) external returns (bytes32 workloadId);

    /// @notice Prolongs a registration under a fresh quote of the same enclave, workload and platform. Caller: anyone.
    /// Expired registrations can be renewed too.
    /// @dev The report data are those of `register`, for the registered operator and keys and a recent block.
    /// Reverts, in this order: UnknownEnclave, Ended, EvidenceMismatch, StaleBlock, any error of `ITdxVerifier.verify`, those
    /// of MRCONFIGID, ReportDataMismatch, WorkloadChanged, PlatformChanged.
    /// @return expiresAt Unix seconds.
    function renew(bytes calldata quote, Evidence calldata evidence, RenewalRequest calldata request)
        external
        returns (uint64 expiresAt);

    /// @notice Ends a registration for good. Caller: its operator.
    /// @dev Reverts, in this order: UnknownEnclave, NotOperator, Ended.
    function retire(address signingKey) external;

    /// @notice Ends a registration that collateral no longer stands behind: for good if its status is no longer allowed or
    /// its certificate is revoked; until renewal if it has merely expired. Caller: anyone. A revoked certificate is the reason
    /// given whatever the status; an expiry is recorded whatever the evidence.
    /// @dev Reverts, in this order: UnknownEnclave, Ended; where it has not expired: EvidenceMismatch, any error of
    /// `ITdxVerifier.assess`, StillInGoodStanding.
    /// @param vaultKeyHash keccak256 of the vault key.
    /// @param tcb As in the last EnclaveRegistered or EnclaveRenewed.
    /// @param revocationHint See `ITdxCollateral.revocationHint`.
    function demote(address signingKey, bytes32 vaultKeyHash, TcbEvidence calldata tcb, uint16 revocationHint) external;

    /// @notice What is recorded of `signingKey`. Reverts with UnknownEnclave.
    function enclave(address signingKey) external view returns (Enclave memory);

    /// @notice Whether `signingKey` is registered, neither demoted nor retired, and has not expired.
    function isLive(address signingKey) external view returns (bool);

    /// @notice Operator and workload of an enclave that is live now; zeros of one that is not. For callers that count gas.
    function liveEnclave(address signingKey) external view returns (address operator, bytes32 workloadId);

    /// @notice The verifier that every registration passed.
    function verifier() external view returns (address);

    /// @notice The longest life of a registration, in seconds.
    function maxLifeSeconds() external view returns (uint64);

    /// @notice The TCB statuses that may register: bit n stands for `TcbStatus` n. Fixed at deployment.
    function allowedTcb() external view returns (uint16);
}
