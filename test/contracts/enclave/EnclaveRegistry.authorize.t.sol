// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IEnclaveRegistry,
    OperatorAuthorization,
    RegistrationRequest
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ContractAccount } from "../../../contracts/mocks/ContractAccount.sol";
import { RegistrationCase } from "./RegistrationCase.sol";

/// @notice Who may register in an operator's name: see EnclaveRegistry.register.tree.
contract EnclaveRegistryAuthorizeTest is RegistrationCase {
    address private constant AGENT = address(0xA6E27);
    uint64 private constant UNTIL = uint64(NOW + 1 hours);

    /// @dev The enclave's quote names an operator who neither sends nor signs: whoever is paid must have said so.
    function test_RevertWhen_OperatorKnowsNothingOfIt() public {
        Registration memory it = _registration();
        it.sender = AGENT;
        // Neither an authorization of no length nor one of the signing key is the operator's.
        it.authorization = OperatorAuthorization(UNTIL, "");
        _refuse(it, _notAuthorized(operator));
        it.authorization = _authorization(SIGNING_KEY, operator, AGENT, UNTIL);
        _refuse(it, _notAuthorized(operator));
        it.authorization = OperatorAuthorization(UNTIL, it.signature);
        _refuse(it, _notAuthorized(operator));
    }

    function test_WhenOperatorSigned() public {
        Registration memory it = _sentByAgent();
        _register(it);
        assertEq(registry.enclave(signer).operator, operator, "operator");
    }

    function test_WhenOperatorSigned_ShouldServeForOtherEnclavesToo() public {
        _register(_sentByAgent());
        Registration memory it = _registrationOf(_request(SIGNING_KEY + 1), SIGNING_KEY + 1);
        (it.sender, it.authorization) = (AGENT, _authorization(OPERATOR_KEY, operator, AGENT, UNTIL));
        _register(it);
    }

    function test_WhenOperatorSends_ShouldNotReadTheAuthorization() public {
        Registration memory it = _registration();
        it.authorization = OperatorAuthorization(0, hex"bad0");
        _register(it);
    }

    function test_WhenLastSecond() public {
        vm.warp(UNTIL);
        _register(_sentByAgent());
    }

    function test_RevertWhen_RunOut() public {
        vm.warp(UNTIL + 1);
        _refuse(_sentByAgent(), _expired(UNTIL, UNTIL + 1));
        Registration memory it = _sentByAgent();
        it.authorization = OperatorAuthorization(0, "");
        _refuse(it, _expired(0, UNTIL + 1));
    }

    /// @dev The date is signed: it cannot be put off.
    function test_RevertWhen_AnyFieldIsAnother() public {
        Registration memory it = _sentByAgent();
        it.authorization.validUntil = UNTIL + 1;
        _refuse(it, _notAuthorized(operator));
        it.authorization = _authorization(OPERATOR_KEY, address(0xdead), AGENT, UNTIL);
        _refuse(it, _notAuthorized(operator));
        it.authorization = _authorization(OPERATOR_KEY, operator, address(0xdead), UNTIL);
        _refuse(it, _notAuthorized(operator));
    }

    function test_RevertWhen_AnotherSenderReplaysIt() public {
        Registration memory it = _sentByAgent();
        it.sender = address(0xbad);
        _refuse(
            it,
            abi.encodeWithSelector(
                IEnclaveRegistry.EnclaveRegistry_OperatorNotAuthorized.selector, operator, address(0xbad)
            )
        );
    }

    function test_RevertWhen_ReplayedOnAnotherRegistryOrChain() public {
        OperatorAuthorization memory here = _sentByAgent().authorization;
        registry = _newRegistry(MAX_LIFE, POLICY);
        Registration memory it = _sentByAgent();
        it.authorization = here;
        _refuse(it, _notAuthorized(operator));

        here = _sentByAgent().authorization;
        vm.chainId(block.chainid + 1);
        it = _sentByAgent();
        it.authorization = here;
        _refuse(it, _notAuthorized(operator));
    }

    function test_RevertWhen_Malformed() public {
        Registration memory it = _sentByAgent();
        bytes memory good = it.authorization.signature;
        bytes[4] memory signatures =
            [slice(good, 0, 64), bytes.concat(good, hex"00"), new bytes(65), new bytes(4_097)];
        for (uint256 i = 0; i < signatures.length; ++i) {
            it.authorization.signature = signatures[i];
            _refuse(it, _notAuthorized(operator));
        }
    }

    /// @dev The enclave is asked last: who may not register learns nothing of the quote, and pays for no verification.
    function test_RevertWhen_NotAuthorized_BeforeTheQuoteIsLookedAt() public {
        Registration memory it = _sentByAgent();
        it.sender = address(0xbad);
        it.request.blockNumber = 0;
        it.body = new bytes(BODY_SIZE);
        _refuse(
            it,
            abi.encodeWithSelector(
                IEnclaveRegistry.EnclaveRegistry_OperatorNotAuthorized.selector, operator, address(0xbad)
            )
        );
    }

    /* CONTRACTS */

    function test_WhenContractVouches_AtAnyLengthUpToTheLimit() public {
        ContractAccount account = new ContractAccount();
        uint16[3] memory sizes = [uint16(1), 65, 4_096];
        for (uint256 i = 0; i < sizes.length; ++i) {
            Registration memory it = _ofContract(account, SIGNING_KEY + i, sizes[i]);
            account.approveHash(
                _authorizationDigest(address(account), AGENT, UNTIL), it.authorization.signature
            );
            _register(it);
            assertEq(registry.enclave(it.request.signingKey).operator, address(account), "operator");
        }
    }

    function test_RevertGiven_ContractDoesNotVouch() public {
        ContractAccount account = new ContractAccount();
        Registration memory it = _ofContract(account, SIGNING_KEY, 65);
        _refuse(it, _notAuthorized(address(account)));
        // For another agent, and with another signature than is shown.
        account.approveHash(
            _authorizationDigest(address(account), address(0xdead), UNTIL), it.authorization.signature
        );
        account.approveHash(_authorizationDigest(address(account), AGENT, UNTIL), "another");
        _refuse(it, _notAuthorized(address(account)));
    }

    /// @dev Vouched for, but longer than is read.
    function test_RevertWhen_ContractsSignatureIsTooLong() public {
        ContractAccount account = new ContractAccount();
        Registration memory it = _ofContract(account, SIGNING_KEY, 4_097);
        account.approveHash(_authorizationDigest(address(account), AGENT, UNTIL), it.authorization.signature);
        _refuse(it, _notAuthorized(address(account)));
    }

    /// @dev A contract that knows nothing of ERC-1271, or answers something else, vouches for nobody.
    function test_RevertGiven_ContractHasNoSignatures() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        request.operator = address(verifier);
        Registration memory it = _registrationOf(request, SIGNING_KEY);
        it.sender = AGENT;
        it.authorization = OperatorAuthorization(UNTIL, new bytes(65));
        _refuse(it, _notAuthorized(address(verifier)));
    }

    function test_WhenContractSendsItself() public {
        ContractAccount account = new ContractAccount();
        Registration memory it = _ofContract(account, SIGNING_KEY, 1);
        it.authorization = OperatorAuthorization(0, "");
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        account.execute(
            address(registry),
            0,
            abi.encodeCall(
                IEnclaveRegistry.register, (quote, it.evidence, it.request, it.signature, it.authorization)
            )
        );
        assertEq(registry.enclave(signer).operator, address(account), "operator");
    }

    /* HELPERS */

    function _sentByAgent() private view returns (Registration memory it) {
        it = _registration();
        (it.sender, it.authorization) = (AGENT, _authorization(OPERATOR_KEY, operator, AGENT, UNTIL));
    }

    function _ofContract(ContractAccount account, uint256 key, uint256 size)
        private
        view
        returns (Registration memory it)
    {
        RegistrationRequest memory request = _request(key);
        request.operator = address(account);
        it = _registrationOf(request, key);
        (it.sender, it.authorization) = (AGENT, OperatorAuthorization(UNTIL, new bytes(size)));
    }

    function _authorization(uint256 key, address operator_, address agent, uint64 validUntil)
        private
        view
        returns (OperatorAuthorization memory)
    {
        return OperatorAuthorization(validUntil, _sign(key, _authorizationDigest(operator_, agent, validUntil)));
    }

    function _notAuthorized(address operator_) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IEnclaveRegistry.EnclaveRegistry_OperatorNotAuthorized.selector, operator_, AGENT
        );
    }

    function _expired(uint64 validUntil, uint256 timestamp) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IEnclaveRegistry.EnclaveRegistry_AuthorizationExpired.selector, validUntil, timestamp
        );
    }
}
