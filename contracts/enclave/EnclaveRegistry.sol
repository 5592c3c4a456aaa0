// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { TdQuote } from "../attestation/TdQuote.sol";
import { TdReport } from "../attestation/TdReport.sol";
import { Enclave, IEnclaveRegistry, RegistrationRequest } from "../interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier, QuoteVerdict } from "../interfaces/ITdxVerifier.sol";
import { MrConfigId } from "./MrConfigId.sol";

/// @title EnclaveRegistry
/// @notice Records the keys of enclaves whose quotes pass a verifier. No owner, no allow list, no upgrade.
/// @custom:source binding of keys to quotes: see `IEnclaveRegistry`
contract EnclaveRegistry is IEnclaveRegistry, EIP712 {
    uint256 private constant MAX_VAULT_KEY_SIZE = 2_048;
    uint256 private constant MAX_ENDPOINT_SIZE = 256;
    /// @dev How far back BLOCKHASH reaches.
    uint256 private constant MAX_BLOCK_AGE = 256;
    string private constant REPORT_DATA_TAG = "data-collab-market/enclave/v1";
    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber)");

    /// @inheritdoc IEnclaveRegistry
    address public immutable verifier;
    /// @inheritdoc IEnclaveRegistry
    uint64 public immutable maxLifeSeconds;

    mapping(address signingKey => Enclave) private _enclaves;

    /// @param verifier_ An `ITdxVerifier`, for ever.
    /// @param maxLifeSeconds_ Longest life of a registration, in seconds.
    constructor(address verifier_, uint64 maxLifeSeconds_) EIP712("DataCollabMarket", "1") {
        require(verifier_.code.length != 0, EnclaveRegistry_NotAContract(verifier_));
        require(maxLifeSeconds_ != 0, EnclaveRegistry_ZeroMaxLife());
        verifier = verifier_;
        maxLifeSeconds = maxLifeSeconds_;
    }

    /// @inheritdoc IEnclaveRegistry
    function register(
        bytes calldata quote,
        bytes calldata pckLeaf,
        bytes calldata pckIssuer,
        RegistrationRequest calldata request,
        bytes calldata signature
    ) external returns (bytes32 workloadId) {
        // Checks.
        _requireForm(request);
        bytes32 vaultKeyHash = keccak256(request.vaultKey);
        bytes32 expected = _reportData(request, vaultKeyHash, _recentBlockHash(request.blockNumber));
        QuoteVerdict memory verdict = ITdxVerifier(verifier).verify(quote, pckLeaf, pckIssuer);

        // From here on the quote is genuine; what it says is compared with what is asked for.
        bytes calldata report = TdQuote.report(quote);
        bytes32 composeHash = MrConfigId.composeHash(TdReport.mrConfigId(report));
        (bytes32 high, bytes32 low) = TdReport.reportData(report);
        require(high == expected && low == 0, EnclaveRegistry_ReportDataMismatch(expected, high, low));
        _requireSigned(request, vaultKeyHash, signature);

        // Effects.
        workloadId = _workloadId(composeHash, report);
        uint64 expiresAt = _expiry(verdict.validUntil);
        _enclaves[request.signingKey] = Enclave({
            operator: request.operator,
            expiresAt: expiresAt,
            registeredAtBlock: uint64(block.number),
            tcbStatus: verdict.tcbStatus,
            workloadId: workloadId,
            platformId: verdict.platformId,
            vaultKeyHash: vaultKeyHash
        });
        emit EnclaveRegistered(
            request.signingKey,
            request.operator,
            workloadId,
            composeHash,
            verdict.platformId,
            verdict.tcbStatus,
            expiresAt,
            request.vaultKey,
            request.endpoint
        );
    }

    /// @inheritdoc IEnclaveRegistry
    function enclave(address signingKey) external view returns (Enclave memory found) {
        found = _enclaves[signingKey];
        require(found.operator != address(0), EnclaveRegistry_UnknownEnclave(signingKey));
    }

    /// @inheritdoc IEnclaveRegistry
    function isLive(address signingKey) external view returns (bool) {
        return block.timestamp < _enclaves[signingKey].expiresAt;
    }

    /// @dev What needs no quote to be refused.
    function _requireForm(RegistrationRequest calldata request) private view {
        require(request.operator != address(0) && request.signingKey != address(0), EnclaveRegistry_ZeroAddress());
        require(
            _enclaves[request.signingKey].operator == address(0),
            EnclaveRegistry_AlreadyRegistered(request.signingKey)
        );
        uint256 size = request.vaultKey.length;
        require(
            size != 0 && size <= MAX_VAULT_KEY_SIZE, EnclaveRegistry_BadVaultKeyLength(size, MAX_VAULT_KEY_SIZE)
        );
        size = bytes(request.endpoint).length;
        require(size <= MAX_ENDPOINT_SIZE, EnclaveRegistry_EndpointTooLong(size, MAX_ENDPOINT_SIZE));
    }

    /// @dev A chain may know fewer hashes than BLOCKHASH promises, and then answers zero: nothing fresh about that.
    function _recentBlockHash(uint64 blockNumber) private view returns (bytes32 blockHash) {
        bool recent = blockNumber < block.number && block.number - blockNumber <= MAX_BLOCK_AGE;
        blockHash = blockhash(blockNumber);
        require(recent && blockHash != 0, EnclaveRegistry_StaleBlock(blockNumber, block.number));
    }

    /// @dev First half of the report data that binds the quote to this request, chain and registry. Mirrors
    /// `registrationReportData` in protocol/attestationBinding.ts.
    function _reportData(RegistrationRequest calldata request, bytes32 vaultKeyHash, bytes32 blockHash)
        private
        view
        returns (bytes32)
    {
        bytes memory binding = abi.encode(
            REPORT_DATA_TAG,
            block.chainid,
            address(this),
            request.operator,
            request.signingKey,
            vaultKeyHash,
            uint256(request.blockNumber),
            blockHash
        );
        return sha256(binding);
    }

    /// @dev Proof that the key is held, and what vouches for the endpoint.
    function _requireSigned(RegistrationRequest calldata request, bytes32 vaultKeyHash, bytes calldata signature)
        private
        view
    {
        bytes32 structHash = keccak256(
            abi.encode(
                REGISTRATION_TYPEHASH,
                request.operator,
                vaultKeyHash,
                keccak256(bytes(request.endpoint)),
                request.blockNumber
            )
        );
        // OpenZeppelin's recovery refuses high s and any length but 65.
        (address signer,,) = ECDSA.tryRecoverCalldata(_hashTypedDataV4(structHash), signature);
        require(signer == request.signingKey, EnclaveRegistry_BadSignature(request.signingKey));
    }

    /// @dev Mirrors `workloadIdOf` in protocol/attestationBinding.ts.
    function _workloadId(bytes32 composeHash, bytes calldata report) private pure returns (bytes32) {
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

    function _expiry(uint64 validUntil) private view returns (uint64) {
        // `maxLifeSeconds` is 8 bytes: the sum cannot overflow 32.
        uint256 latest = block.timestamp + maxLifeSeconds;
        // Not above `validUntil`, hence 8 bytes.
        return latest < validUntil ? uint64(latest) : validUntil;
    }
}
