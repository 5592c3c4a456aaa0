// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EnclaveState,
    IEnclaveRegistry,
    OperatorAuthorization,
    RegistrationRequest
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { Evidence, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { EnclaveCase } from "./EnclaveCase.sol";

/// @title RegistrationCase
/// @notice A registration that works; tests change one thing and state the exact error.
abstract contract RegistrationCase is EnclaveCase {
    /// @notice All that one call of `register` takes.
    struct Registration {
        address sender;
        bytes body;
        QuoteVerdict verdict;
        Evidence evidence;
        RegistrationRequest request;
        bytes signature;
        OperatorAuthorization authorization;
    }

    function setUp() public virtual {
        _deploy();
    }

    /// @dev Sent by the operator itself.
    function _registration() internal view returns (Registration memory) {
        return _registrationOf(_request(SIGNING_KEY), SIGNING_KEY);
    }

    function _request(uint256 key) internal view returns (RegistrationRequest memory) {
        return RegistrationRequest({
            operator: operator,
            signingKey: vm.addr(key),
            vaultKey: VAULT_KEY,
            endpoint: "https://worker.example",
            appConfig: "",
            blockNumber: BLOCK
        });
    }

    /// @dev Quote and signature are right for `request`, whatever it says.
    function _registrationOf(RegistrationRequest memory request, uint256 key)
        internal
        view
        returns (Registration memory it)
    {
        it.sender = request.operator;
        it.body = _bodyFor(_bindingOf(request));
        it.verdict = _verdict();
        it.request = request;
        it.signature = _sign(key, _digest(request));
    }

    function _register(Registration memory it) internal returns (bytes32) {
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        vm.prank(it.sender);
        return registry.register(quote, it.evidence, it.request, it.signature, it.authorization);
    }

    function _refuse(Registration memory it, bytes memory revertData) internal {
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        vm.prank(it.sender);
        vm.expectRevert(revertData);
        registry.register(quote, it.evidence, it.request, it.signature, it.authorization);
    }

    /// @dev The request is wrong, quote and signature are right for it.
    function _refuseRequest(RegistrationRequest memory request, bytes memory revertData) internal {
        _refuse(_registrationOf(request, SIGNING_KEY), revertData);
    }

    function _requireState(address signingKey, EnclaveState state) internal view {
        assertEq(uint256(registry.enclave(signingKey).state), uint256(state), "state");
    }

    function _ended(EnclaveState state) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_Ended.selector, signer, state);
    }

    function _unknown(address signingKey) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_UnknownEnclave.selector, signingKey);
    }
}
