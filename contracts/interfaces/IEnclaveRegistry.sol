// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Intel's verdict on the platform's TCB, in the words of the PCS API.
/// `Unevaluated`: the verifier did not look at TCB collateral.
enum TcbStatus {
    Unevaluated,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked
}

/// @notice What the chain knows of an attested enclave.
/// @param operator Who is paid its fees, as its host named it: no proof that this account runs it.
/// @param expiresAt Unix seconds; from this second on its receipts are refused.
/// @param registeredAtBlock Block number of the registration.
/// @param tcbStatus Status of the platform when the quote was verified.
/// @param workloadId What code runs on what OS and VM shape.
/// @param platformId keccak256 of the platform's PPID (16 bytes).
/// @param vaultKeyHash keccak256 of the HPKE public key that data set keys are sealed to.
struct Enclave {
    address operator;
    uint64 expiresAt;
    uint64 registeredAtBlock;
    TcbStatus tcbStatus;
    bytes32 workloadId;
    bytes32 platformId;
    bytes32 vaultKeyHash;
}

/// @notice What the enclave asks to have recorded.
/// @param operator Who is paid the enclave's fees. The host chooses it, and its owner is not asked.
/// @param signingKey Address of the secp256k1 key made inside the enclave.
/// @param vaultKey HPKE public key made inside the enclave; at most 2,048 bytes.
/// @param endpoint URL under which the worker answers; at most 256 bytes, not trusted by anyone.
/// @param blockNumber A block whose hash is in the quote's report data; among the last 256.
struct RegistrationRequest {
    address operator;
    address signingKey;
    bytes vaultKey;
    string endpoint;
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
    /// @notice The longest life given at deployment is zero.
    error EnclaveRegistry_ZeroMaxLife();
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
    /// @notice MRCONFIGID is of a version that is not supported yet; only version 1 is.
    error EnclaveRegistry_UnsupportedConfigIdVersion(uint8 version);
    /// @notice MRCONFIGID does not end in 15 zero bytes; its last 16 bytes are given.
    error EnclaveRegistry_BadConfigIdPadding(bytes16 tail);
    /// @notice The quote's report data is not the binding of this request to this chain and registry.
    error EnclaveRegistry_ReportDataMismatch(bytes32 expected, bytes32 actualHigh, bytes32 actualLow);
    /// @notice The request is not signed by the key it names.
    error EnclaveRegistry_BadSignature(address signingKey);
    /// @notice No such enclave.
    error EnclaveRegistry_UnknownEnclave(address signingKey);

    /// @notice An enclave's key was recorded. With the transaction's calldata (the quote) it can be verified anew.
    event EnclaveRegistered(
        address indexed signingKey,
        address indexed operator,
        bytes32 indexed workloadId,
        bytes32 composeHash,
        bytes32 platformId,
        TcbStatus tcbStatus,
        uint64 expiresAt,
        bytes vaultKey,
        string endpoint
    );

    /// @notice Verifies a quote and records the keys it binds. Caller: anyone; the operator comes from the quote.
    /// @dev Reverts, in this order: ZeroAddress, AlreadyRegistered, BadVaultKeyLength, EndpointTooLong, StaleBlock,
    /// any error of `ITdxVerifier.verify`, ZeroConfigId, UnsupportedConfigIdVersion, BadConfigIdPadding,
    /// ReportDataMismatch, BadSignature.
    /// @param quote TD quote v4, header through QE authentication data; see `ITdxVerifier.verify` for what may follow.
    /// @param pckLeaf PCK leaf certificate, DER.
    /// @param pckIssuer PCK Platform or Processor CA certificate, DER.
    /// @param request What to record.
    /// @param signature EIP-712 signature of `request` by `request.signingKey`, 65 bytes, low s:
    /// EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber).
    /// @return workloadId What runs in the enclave.
    function register(
        bytes calldata quote,
        bytes calldata pckLeaf,
        bytes calldata pckIssuer,
        RegistrationRequest calldata request,
        bytes calldata signature
    ) external returns (bytes32 workloadId);

    /// @notice What is recorded of `signingKey`. Reverts with UnknownEnclave.
    function enclave(address signingKey) external view returns (Enclave memory);

    /// @notice Whether `signingKey` is registered and has not expired.
    function isLive(address signingKey) external view returns (bool);

    /// @notice The verifier that every registration passed.
    function verifier() external view returns (address);

    /// @notice The longest life of a registration, in seconds.
    function maxLifeSeconds() external view returns (uint64);
}
