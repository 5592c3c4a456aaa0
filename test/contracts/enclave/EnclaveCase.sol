// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEnclaveRegistry, RegistrationRequest } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { Evidence, ITdxVerifier, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { P256Key, Platform, TcbAssessment, TcbEvidence, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { MockTdxVerifier } from "../../../contracts/mocks/MockTdxVerifier.sol";
import { Test, deploy } from "../../support/Test.sol";

/// @dev A cheat code that only these tests use.
interface CallVm {
    function expectCall(address callee, bytes calldata data) external;
}

/// @title EnclaveCase
/// @notice Base of the registry's tests: a registry over a verifier that a test scripts, an enclave, its operator, and the
/// hashes they sign, written anew from the words of `IEnclaveRegistry`.
abstract contract EnclaveCase is Test {
    /// @dev What the report data bind, field by field.
    struct EnclaveBinding {
        string tag;
        uint256 chainId;
        address registry;
        address operator;
        address signingKey;
        bytes32 vaultKeyHash;
        uint256 blockNumber;
        bytes32 blockHash;
    }

    uint256 internal constant NOW = 1_780_272_000;
    uint64 internal constant BLOCK = 10_000;
    bytes32 internal constant BLOCK_HASH = keccak256("a block");
    uint64 internal constant MAX_LIFE = 7 days;
    /// @dev From when on the usual verdict is no longer valid: later than the longest life.
    uint64 internal constant VALID_UNTIL = uint64(NOW + 30 days);
    uint16 internal constant POLICY =
        uint16((1 << uint256(TcbStatus.UpToDate)) | (1 << uint256(TcbStatus.SWHardeningNeeded)));
    uint256 internal constant SIGNING_KEY = 0x5157;
    uint256 internal constant OPERATOR_KEY = 0x09E7;
    bytes internal constant VAULT_KEY = abi.encodePacked(keccak256("vault key"));
    bytes32 internal constant VAULT_KEY_HASH = keccak256(VAULT_KEY);
    bytes32 internal constant COMPOSE_HASH = bytes32(uint256(type(uint256).max / 0xff * 0xc0));
    bytes16 internal constant PLATFORM_ID = bytes16(keccak256("ppid"));
    string internal constant TAG = "data-collab-market/enclave/v1";
    string internal constant REGISTRATION_TYPE =
        "EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber)";
    string internal constant AUTHORIZATION_TYPE =
        "OperatorAuthorization(address operator,address agent,uint64 validUntil)";

    // Where fields start in a report body.
    uint256 internal constant TD_ATTRIBUTES_AT = 120;
    uint256 internal constant XFAM_AT = 128;
    uint256 internal constant MR_TD_AT = 136;
    uint256 internal constant MR_CONFIG_ID_AT = 184;
    uint256 internal constant RT_MR0_AT = 328;
    uint256 internal constant RT_MR3_AT = 472;
    uint256 internal constant REPORT_DATA_AT = 520;
    uint256 internal constant BODY_SIZE = 584;

    address internal immutable operator = vm.addr(OPERATOR_KEY);
    address internal immutable signer = vm.addr(SIGNING_KEY);

    MockTdxVerifier internal verifier;
    IEnclaveRegistry internal registry;

    function _deploy() internal {
        vm.warp(NOW);
        vm.roll(BLOCK + 1);
        vm.setBlockhash(BLOCK, BLOCK_HASH);
        verifier = new MockTdxVerifier();
        registry = _newRegistry(MAX_LIFE, POLICY);
    }

    function _newRegistry(uint64 maxLife, uint16 policy) internal returns (IEnclaveRegistry) {
        return IEnclaveRegistry(deploy("EnclaveRegistry", abi.encode(verifier, maxLife, policy)));
    }

    /* WHAT COLLATERAL JUDGES */

    function _tcb() internal pure returns (TcbEvidence memory) {
        return TcbEvidence({
            platform: Platform({
                pckKey: P256Key(keccak256("x"), keccak256("y")),
                platformId: PLATFORM_ID,
                serial: 0x5e41a1,
                notAfter: VALID_UNTIL + 1 days,
                issuer: 1,
                fmspc: 0xb0c06f000000,
                pceId: 0x0000,
                pceSvn: 13,
                componentSvns: 0x03030202040100050000000000000000
            }),
            teeTcbSvn: 0x08010700000000000000000000000000,
            currentTeeTcbSvn: 0x08010700000000000000000000000000,
            qeIsvSvn: 8
        });
    }

    function _hashTcb(TcbEvidence memory tcb) internal pure returns (bytes32) {
        return keccak256(abi.encode(tcb));
    }

    function _verdict() internal pure returns (QuoteVerdict memory) {
        return QuoteVerdict({
            tcb: _tcb(), tcbEvidenceHash: _hashTcb(_tcb()), tcbStatus: TcbStatus.UpToDate, validUntil: VALID_UNTIL
        });
    }

    function _assessment(TcbStatus status) internal pure returns (TcbAssessment memory assessment) {
        (assessment.tcbStatus, assessment.platform, assessment.validUntil) = (status, status, VALID_UNTIL);
    }

    /// @dev The next call must have the verifier asked this, and just this.
    function _expectVerify(bytes memory quote, Evidence memory evidence) internal {
        bytes memory call = abi.encodeCall(ITdxVerifier.verify, (quote, evidence, POLICY));
        CallVm(address(vm)).expectCall(address(verifier), call);
    }

    /* QUOTES */

    function _bindingOf(address signingKey) internal view returns (EnclaveBinding memory) {
        return EnclaveBinding({
            tag: TAG,
            chainId: block.chainid,
            registry: address(registry),
            operator: operator,
            signingKey: signingKey,
            vaultKeyHash: VAULT_KEY_HASH,
            blockNumber: BLOCK,
            blockHash: BLOCK_HASH
        });
    }

    function _bindingOf(RegistrationRequest memory request) internal view returns (EnclaveBinding memory binding) {
        binding = _bindingOf(request.signingKey);
        binding.operator = request.operator;
        binding.vaultKeyHash = keccak256(request.vaultKey);
        binding.blockNumber = request.blockNumber;
        binding.blockHash = blockhash(request.blockNumber);
    }

    function _hashOf(EnclaveBinding memory b) internal pure returns (bytes32) {
        return sha256(
            abi.encode(
                b.tag, b.chainId, b.registry, b.operator, b.signingKey, b.vaultKeyHash, b.blockNumber, b.blockHash
            )
        );
    }

    /// @dev A report body: MRCONFIGID of version 1, each measurement another byte repeated.
    function _bodyFor(EnclaveBinding memory binding) internal pure returns (bytes memory) {
        bytes memory attributes = bytes.concat(new bytes(TD_ATTRIBUTES_AT), hex"0000001000000000e702060000000000");
        bytes memory mrConfigId = abi.encodePacked(uint8(1), COMPOSE_HASH, new bytes(15 + 96));
        bytes memory launch = bytes.concat(attributes, _48(0xa0), mrConfigId);
        bytes memory runtime = bytes.concat(_48(0xb0), _48(0xb1), _48(0xb2), _48(0xb3));
        return bytes.concat(launch, runtime, _hashOf(binding), bytes32(0));
    }

    function _48(uint8 value) private pure returns (bytes memory) {
        bytes32 all = bytes32(type(uint256).max / 0xff * value);
        return abi.encodePacked(all, bytes16(all));
    }

    /// @dev Version 4, up to and with an attestation key.
    function _quoteOf(bytes memory body) internal pure returns (bytes memory) {
        bytes memory header = abi.encodePacked(
            hex"0400020081000000", bytes4(0), hex"939a7233f79c4ca9940a0db3957f0607", new bytes(20)
        );
        return bytes.concat(header, body, new bytes(4 + 64 + 64));
    }

    function _workloadId(bytes32 composeHash, bytes memory body) internal pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                composeHash,
                slice(body, MR_TD_AT, MR_TD_AT + 48),
                slice(body, RT_MR0_AT, RT_MR0_AT + 144),
                slice(body, TD_ATTRIBUTES_AT, TD_ATTRIBUTES_AT + 8),
                slice(body, XFAM_AT, XFAM_AT + 8)
            )
        );
    }

    function _put(bytes memory data, uint256 position, bytes memory part) internal pure {
        for (uint256 i = 0; i < part.length; ++i) {
            data[position + i] = part[i];
        }
    }

    /* SIGNATURES */

    function _typed(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataCollabMarket"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _digest(RegistrationRequest memory request) internal view returns (bytes32) {
        return _typed(
            keccak256(
                abi.encode(
                    keccak256(bytes(REGISTRATION_TYPE)),
                    request.operator,
                    keccak256(request.vaultKey),
                    keccak256(bytes(request.endpoint)),
                    request.blockNumber
                )
            )
        );
    }

    function _authorizationDigest(address operator_, address agent, uint64 validUntil)
        internal
        view
        returns (bytes32)
    {
        return
            _typed(keccak256(abi.encode(keccak256(bytes(AUTHORIZATION_TYPE)), operator_, agent, validUntil)));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
