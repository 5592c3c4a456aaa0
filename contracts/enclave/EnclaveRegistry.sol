// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { TdQuote } from "../attestation/TdQuote.sol";
import { TdReport } from "../attestation/TdReport.sol";
import {
    DemotionReason,
    Enclave,
    EnclaveState,
    IEnclaveRegistry,
    OperatorAuthorization,
    RegistrationRequest,
    RenewalRequest
} from "../interfaces/IEnclaveRegistry.sol";
import { Evidence, ITdxVerifier, QuoteVerdict } from "../interfaces/ITdxVerifier.sol";
import { TcbAssessment, TcbEvidence, TcbStatus } from "../interfaces/TcbTypes.sol";
import { Binding } from "./Binding.sol";
import { MrConfigId } from "./MrConfigId.sol";

/// @title EnclaveRegistry
/// @notice Records the keys of enclaves whose quotes pass a verifier. No owner, no allow list, no upgrade.
/// @custom:source see `IEnclaveRegistry`; hashes: `Binding`; what runs: `MrConfigId`
contract EnclaveRegistry is IEnclaveRegistry, EIP712 {
    uint256 private constant MAX_VAULT_KEY_SIZE = 2_048;
    uint256 private constant MAX_ENDPOINT_SIZE = 256;
    uint256 private constant MAX_AUTHORIZATION_SIZE = 4_096;
    /// @dev How far back BLOCKHASH reaches.
    uint256 private constant MAX_BLOCK_AGE = 256;
    /// @dev Ten years: a sum with any block time fits 40 bits.
    uint64 private constant MAX_LIFE_LIMIT = 3_650 days;
    /// @dev All that a policy may allow: each status but Unsupported and Revoked.
    uint16 private constant ALLOWABLE = uint16(
        ((1 << (uint256(type(TcbStatus).max) + 1)) - 1)
            & ~((1 << uint256(TcbStatus.Unsupported)) | (1 << uint256(TcbStatus.Revoked)))
    );

    /// @inheritdoc IEnclaveRegistry
    address public immutable verifier;
    /// @inheritdoc IEnclaveRegistry
    uint64 public immutable maxLifeSeconds;
    /// @inheritdoc IEnclaveRegistry
    uint16 public immutable allowedTcb;

    mapping(address signingKey => Enclave) private _enclaves;

    /// @param verifier_ An `ITdxVerifier`, for ever.
    /// @param maxLifeSeconds_ Longest life of a registration, in seconds; at most ten years.
    /// @param allowedTcb_ Statuses that may register and stay: bit n stands for `TcbStatus` n.
    constructor(address verifier_, uint64 maxLifeSeconds_, uint16 allowedTcb_) EIP712("DataCollabMarket", "1") {
        require(verifier_.code.length != 0, EnclaveRegistry_NotAContract(verifier_));
        require(
            maxLifeSeconds_ != 0 && maxLifeSeconds_ <= MAX_LIFE_LIMIT, EnclaveRegistry_BadMaxLife(maxLifeSeconds_)
        );
        require(allowedTcb_ != 0 && allowedTcb_ & ~ALLOWABLE == 0, EnclaveRegistry_BadPolicy(allowedTcb_));
        verifier = verifier_;
        maxLifeSeconds = maxLifeSeconds_;
        allowedTcb = allowedTcb_;
    }

    /* REGISTER */

    /// @inheritdoc IEnclaveRegistry
    function register(
        bytes calldata quote,
        Evidence calldata evidence,
        RegistrationRequest calldata request,
        bytes calldata signature,
        OperatorAuthorization calldata authorization
    ) external returns (bytes32 workloadId) {
        // Checks.
        _requireForm(request);
        _requireAuthorized(request.operator, authorization);
        bytes32 vaultKeyHash = keccak256(request.vaultKey);
        bytes32 binding = _binding(request.operator, request.signingKey, vaultKeyHash, request.blockNumber);
        QuoteVerdict memory verdict = ITdxVerifier(verifier).verify(quote, evidence, allowedTcb);
        bytes32 composeHash;
        (composeHash, workloadId) = _readReport(quote, request.appConfig, binding);
        _requireSigned(request, vaultKeyHash, signature);

        // Effects.
        uint40 expiresAt = _expiry(verdict.validUntil);
        bytes16 platformId = verdict.tcb.platform.platformId;
        _enclaves[request.signingKey] = Enclave({
            operator: request.operator,
            expiresAt: expiresAt,
            registeredAtBlock: uint40(block.number), // 40 bits outlast any chain
            tcbStatus: verdict.tcbStatus,
            state: EnclaveState.Active,
            workloadId: workloadId,
            platformId: platformId,
            evidenceHash: Binding.hashEvidence(vaultKeyHash, verdict.tcbEvidenceHash)
        });
        emit EnclaveRegistered(
            request.signingKey,
            request.operator,
            workloadId,
            composeHash,
            platformId,
            verdict.tcbStatus,
            expiresAt,
            request.vaultKey,
            request.endpoint,
            verdict.tcb
        );
    }

    /// @dev What needs no quote to be refused.
    function _requireForm(RegistrationRequest calldata request) private view {
        require(request.operator != address(0) && request.signingKey != address(0), EnclaveRegistry_ZeroAddress());
        require(
            _enclaves[request.signingKey].state == EnclaveState.None,
            EnclaveRegistry_AlreadyRegistered(request.signingKey)
        );
        uint256 size = request.vaultKey.length;
        require(
            size != 0 && size <= MAX_VAULT_KEY_SIZE, EnclaveRegistry_BadVaultKeyLength(size, MAX_VAULT_KEY_SIZE)
        );
        size = bytes(request.endpoint).length;
        require(size <= MAX_ENDPOINT_SIZE, EnclaveRegistry_EndpointTooLong(size, MAX_ENDPOINT_SIZE));
    }

    /// @dev An operator with code is asked by a static call (ERC-1271), which can change nothing here.
    function _requireAuthorized(address operator, OperatorAuthorization calldata authorization) private view {
        if (msg.sender == operator) return;
        uint64 validUntil = authorization.validUntil;
        require(block.timestamp <= validUntil, EnclaveRegistry_AuthorizationExpired(validUntil, block.timestamp));
        bytes32 digest = _hashTypedDataV4(Binding.hashAuthorization(operator, msg.sender, validUntil));
        require(
            authorization.signature.length <= MAX_AUTHORIZATION_SIZE
                && _isSignedBy(operator, digest, authorization.signature),
            EnclaveRegistry_OperatorNotAuthorized(operator, msg.sender)
        );
    }

    /// @dev The key first: asking whether `signer` is a contract would cost a cold look at its account.
    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return recovered == signer || SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }

    function _requireSigned(RegistrationRequest calldata request, bytes32 vaultKeyHash, bytes calldata signature)
        private
        view
    {
        bytes32 digest = _hashTypedDataV4(Binding.hashRegistration(request, vaultKeyHash));
        // OpenZeppelin's recovery refuses high s and any length but 65, and then answers zero, which no key is.
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        require(signer == request.signingKey, EnclaveRegistry_BadSignature(request.signingKey));
    }

    /* RENEW */

    /// @inheritdoc IEnclaveRegistry
    function renew(bytes calldata quote, Evidence calldata evidence, RenewalRequest calldata request)
        external
        returns (uint64 expiresAt)
    {
        // Checks.
        Enclave storage entry = _current(request.signingKey);
        _requireEvidence(entry, request.vaultKeyHash, request.tcbEvidenceHash);
        bytes32 binding = _binding(entry.operator, request.signingKey, request.vaultKeyHash, request.blockNumber);
        QuoteVerdict memory verdict = ITdxVerifier(verifier).verify(quote, evidence, allowedTcb);
        (, bytes32 workloadId) = _readReport(quote, request.appConfig, binding);
        bytes32 registered = entry.workloadId;
        require(workloadId == registered, EnclaveRegistry_WorkloadChanged(registered, workloadId));
        bytes16 platformId = verdict.tcb.platform.platformId;
        bytes16 registeredPlatform = entry.platformId;
        require(
            platformId == registeredPlatform, EnclaveRegistry_PlatformChanged(registeredPlatform, platformId)
        );

        // Effects.
        uint40 end = _expiry(verdict.validUntil);
        (entry.expiresAt, entry.tcbStatus, entry.state) = (end, verdict.tcbStatus, EnclaveState.Active);
        if (verdict.tcbEvidenceHash != request.tcbEvidenceHash) {
            entry.evidenceHash = Binding.hashEvidence(request.vaultKeyHash, verdict.tcbEvidenceHash);
        }
        emit EnclaveRenewed(request.signingKey, verdict.tcbStatus, end, verdict.tcb);
        return end;
    }

    /* RETIRE, DEMOTE */

    /// @inheritdoc IEnclaveRegistry
    function retire(address signingKey) external {
        Enclave storage entry = _known(signingKey);
        address operator = entry.operator;
        require(msg.sender == operator, EnclaveRegistry_NotOperator(signingKey, operator, msg.sender));
        _requireNotEnded(signingKey, entry.state);
        entry.state = EnclaveState.Retired;
        emit EnclaveRetired(signingKey, operator);
    }

    /// @inheritdoc IEnclaveRegistry
    function demote(address signingKey, bytes32 vaultKeyHash, TcbEvidence calldata tcb, uint16 revocationHint)
        external
    {
        Enclave storage entry = _current(signingKey);
        if (block.timestamp >= entry.expiresAt) {
            require(entry.state == EnclaveState.Active, EnclaveRegistry_Ended(signingKey, entry.state));
            entry.state = EnclaveState.Expired;
            emit EnclaveDemoted(signingKey, DemotionReason.Expired, entry.tcbStatus);
            return;
        }
        _requireEvidence(entry, vaultKeyHash, keccak256(abi.encode(tcb)));
        TcbAssessment memory now_ = ITdxVerifier(verifier).assess(tcb, revocationHint);
        require(
            now_.certificateRevoked || !_isAllowed(now_.tcbStatus),
            EnclaveRegistry_StillInGoodStanding(signingKey, now_.tcbStatus)
        );
        entry.state = EnclaveState.Demoted;
        DemotionReason reason =
            now_.certificateRevoked ? DemotionReason.CertificateRevoked : DemotionReason.TcbStatus;
        emit EnclaveDemoted(signingKey, reason, now_.tcbStatus);
    }

    /* VIEWS */

    /// @inheritdoc IEnclaveRegistry
    function enclave(address signingKey) external view returns (Enclave memory) {
        return _known(signingKey);
    }

    /// @inheritdoc IEnclaveRegistry
    function isLive(address signingKey) external view returns (bool) {
        Enclave storage entry = _enclaves[signingKey];
        return entry.state == EnclaveState.Active && block.timestamp < entry.expiresAt;
    }

    /// @inheritdoc IEnclaveRegistry
    function liveEnclave(address signingKey) external view returns (address operator, bytes32 workloadId) {
        Enclave storage entry = _enclaves[signingKey];
        if (entry.state == EnclaveState.Active && block.timestamp < entry.expiresAt) {
            return (entry.operator, entry.workloadId);
        }
    }

    /* COMMON CHECKS */

    function _known(address signingKey) private view returns (Enclave storage entry) {
        entry = _enclaves[signingKey];
        require(entry.state != EnclaveState.None, EnclaveRegistry_UnknownEnclave(signingKey));
    }

    /// @dev Known, and not ended for good.
    function _current(address signingKey) private view returns (Enclave storage entry) {
        entry = _known(signingKey);
        _requireNotEnded(signingKey, entry.state);
    }

    function _requireNotEnded(address signingKey, EnclaveState state) private pure {
        require(
            state != EnclaveState.Demoted && state != EnclaveState.Retired, EnclaveRegistry_Ended(signingKey, state)
        );
    }

    function _requireEvidence(Enclave storage entry, bytes32 vaultKeyHash, bytes32 tcbEvidenceHash) private view {
        bytes16 recorded = entry.evidenceHash;
        bytes16 given = Binding.hashEvidence(vaultKeyHash, tcbEvidenceHash);
        require(given == recorded, EnclaveRegistry_EvidenceMismatch(recorded, given));
    }

    /// @dev The report data that a fresh quote of these keys has. A chain may know fewer hashes than BLOCKHASH promises, and
    /// then answers zero: nothing fresh about that.
    function _binding(address operator, address signingKey, bytes32 vaultKeyHash, uint64 blockNumber)
        private
        view
        returns (bytes32)
    {
        bool recent = blockNumber < block.number && block.number - blockNumber <= MAX_BLOCK_AGE;
        bytes32 blockHash = blockhash(blockNumber);
        require(recent && blockHash != 0, EnclaveRegistry_StaleBlock(blockNumber, block.number));
        return Binding.reportData(operator, signingKey, vaultKeyHash, blockNumber, blockHash);
    }

    /// @dev What a genuine quote says of what runs, once it is known to be of the keys that `binding` stands for.
    function _readReport(bytes calldata quote, bytes calldata appConfig, bytes32 binding)
        private
        pure
        returns (bytes32 composeHash, bytes32 workloadId)
    {
        bytes calldata report = TdQuote.report(quote);
        composeHash = MrConfigId.composeHash(TdReport.mrConfigId(report), appConfig);
        (bytes32 high, bytes32 low) = TdReport.reportData(report);
        require(high == binding && low == 0, EnclaveRegistry_ReportDataMismatch(binding, high, low));
        workloadId = Binding.workloadId(composeHash, report);
    }

    function _isAllowed(TcbStatus status) private view returns (bool) {
        return allowedTcb & (1 << uint256(status)) != 0;
    }

    function _expiry(uint64 validUntil) private view returns (uint40) {
        uint256 latest = block.timestamp + maxLifeSeconds;
        // At most `latest`: see MAX_LIFE_LIMIT.
        return uint40(latest < validUntil ? latest : validUntil);
    }
}
