// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { EnclaveRegistry } from "../../../contracts/enclave/EnclaveRegistry.sol";
import { IEnclaveRegistry, RegistrationRequest } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { TestPlatform } from "../../support/TestPlatform.sol";

/// @title RegistrationCase
/// @notice Base of the registry's tests: a registry over the real verifier, and right or wrong requests, quotes and
/// signatures for it. Writes hashes anew, from the words of `IEnclaveRegistry`.
abstract contract RegistrationCase is TestPlatform {
    uint64 internal constant MAX_LIFE = 7 days;
    uint256 internal constant SIGNING_KEY = 0x5157;
    uint256 internal constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint64 internal constant BLOCK = 10_000;
    bytes32 internal constant BLOCK_HASH = keccak256("a block");
    bytes32 internal constant COMPOSE_HASH =
        0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0;
    string internal constant TAG = "data-collab-market/enclave/v1";

    TdxVerifier internal verifier;
    EnclaveRegistry internal registry;
    bytes internal leaf;
    bytes internal issuer;

    /// @dev What the report data bind, field by field.
    struct Binding {
        string tag;
        uint256 chainId;
        address registry;
        address operator;
        address signingKey;
        bytes32 vaultKeyHash;
        uint256 blockNumber;
        bytes32 blockHash;
    }

    function setUp() public virtual {
        vm.warp(NOW);
        vm.roll(BLOCK + 1);
        vm.setBlockhash(BLOCK, BLOCK_HASH);
        verifier = deployVerifier();
        registry = new EnclaveRegistry(address(verifier), MAX_LIFE);
        leaf = certificateOf(leafSpec());
        issuer = certificateOf(issuerSpec());
    }

    function _request() internal pure returns (RegistrationRequest memory) {
        return _requestOf(SIGNING_KEY);
    }

    function _requestOf(uint256 signingKey) internal pure returns (RegistrationRequest memory) {
        return RegistrationRequest({
            operator: address(0x0b),
            signingKey: vm.addr(signingKey),
            vaultKey: abi.encodePacked(keccak256("vault key")),
            endpoint: "https://worker.example",
            blockNumber: BLOCK
        });
    }

    function _bindingOf(RegistrationRequest memory request) internal view returns (Binding memory) {
        return Binding({
            tag: TAG,
            chainId: block.chainid,
            registry: address(registry),
            operator: request.operator,
            signingKey: request.signingKey,
            vaultKeyHash: keccak256(request.vaultKey),
            blockNumber: request.blockNumber,
            blockHash: blockhash(request.blockNumber)
        });
    }

    function _hashOf(Binding memory b) internal pure returns (bytes32) {
        return sha256(
            abi.encode(
                b.tag, b.chainId, b.registry, b.operator, b.signingKey, b.vaultKeyHash, b.blockNumber, b.blockHash
            )
        );
    }

    function _bodyFor(Binding memory binding) internal pure returns (bytes memory body) {
        body = reportBody();
        put(body, REPORT_DATA_AT, abi.encodePacked(_hashOf(binding)));
    }

    function _quoteFor(Binding memory binding) internal pure returns (bytes memory) {
        return quoteOf(_bodyFor(binding));
    }

    function _workloadId(bytes memory body) internal pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                slice(body, MR_CONFIG_ID_AT + 1, MR_CONFIG_ID_AT + 33),
                slice(body, MR_TD_AT, MR_TD_AT + 48),
                slice(body, RT_MR0_AT, RT_MR0_AT + 144),
                slice(body, TD_ATTRIBUTES_AT, TD_ATTRIBUTES_AT + 8),
                slice(body, XFAM_AT, XFAM_AT + 8)
            )
        );
    }

    function _digest(RegistrationRequest memory request) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataCollabMarket"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "EnclaveRegistration(address operator,bytes32 vaultKeyHash,string endpoint,uint64 blockNumber)"
                ),
                request.operator,
                keccak256(request.vaultKey),
                keccak256(bytes(request.endpoint)),
                request.blockNumber
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _sign(RegistrationRequest memory request) internal view returns (bytes memory) {
        return _signWith(SIGNING_KEY, request);
    }

    function _signWith(uint256 key, RegistrationRequest memory request) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(request));
        return abi.encodePacked(r, s, v);
    }

    /// @dev For requests of SIGNING_KEY and the one after it.
    function _register(RegistrationRequest memory request) internal {
        uint256 key = request.signingKey == vm.addr(SIGNING_KEY) ? SIGNING_KEY : SIGNING_KEY + 1;
        registry.register(_quoteFor(_bindingOf(request)), leaf, issuer, request, _signWith(key, request));
    }

    /// @dev Quote and signature are right for `request`; the request itself is not.
    function _refuse(RegistrationRequest memory request, bytes memory revertData) internal {
        bytes memory quote = _quoteFor(_bindingOf(request));
        bytes memory signature = _sign(request);
        vm.expectRevert(revertData);
        registry.register(quote, leaf, issuer, request, signature);
    }

    /// @dev A quote of `body` for the usual request.
    function _refuseBody(bytes memory body, bytes memory revertData) internal {
        RegistrationRequest memory request = _request();
        bytes memory quote = quoteOf(body);
        bytes memory signature = _sign(request);
        vm.expectRevert(revertData);
        registry.register(quote, leaf, issuer, request, signature);
    }

    function _refuseReportData(RegistrationRequest memory request, bytes memory body, bytes32 expected) internal {
        bytes32 high = bytes32(slice(body, REPORT_DATA_AT, REPORT_DATA_AT + 32));
        bytes32 low = bytes32(slice(body, REPORT_DATA_AT + 32, REPORT_DATA_AT + 64));
        assertTrue(high != expected || low != 0, "the case differs");
        bytes memory quote = quoteOf(body);
        bytes memory signature = _sign(request);
        vm.expectRevert(
            abi.encodeWithSelector(
                IEnclaveRegistry.EnclaveRegistry_ReportDataMismatch.selector, expected, high, low
            )
        );
        registry.register(quote, leaf, issuer, request, signature);
    }

    function _refuseSignature(bytes memory signature) internal {
        RegistrationRequest memory request = _request();
        bytes memory quote = _quoteFor(_bindingOf(request));
        vm.expectRevert(
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadSignature.selector, request.signingKey)
        );
        registry.register(quote, leaf, issuer, request, signature);
    }
}
