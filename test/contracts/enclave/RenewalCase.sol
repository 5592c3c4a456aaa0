// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEnclaveRegistry, RenewalRequest } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { Evidence, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { RegistrationCase } from "./RegistrationCase.sol";

/// @title RenewalCase
/// @notice A registered enclave, and a renewal that works a day later.
abstract contract RenewalCase is RegistrationCase {
    /// @notice All that one call of `renew` takes.
    struct Renewal {
        bytes body;
        QuoteVerdict verdict;
        Evidence evidence;
        RenewalRequest request;
    }

    uint64 internal constant LATER = uint64(NOW + 1 days);
    uint64 internal constant LATER_BLOCK = BLOCK + 7_200;
    bytes32 internal constant LATER_HASH = keccak256("a block a day later");
    address internal constant ANYONE = address(0xA11);

    function setUp() public virtual override {
        super.setUp();
        _register(_registration());
    }

    function _goOn() internal {
        vm.warp(LATER);
        vm.roll(LATER_BLOCK + 1);
        vm.setBlockhash(LATER_BLOCK, LATER_HASH);
    }

    function _laterBinding() internal view returns (EnclaveBinding memory binding) {
        binding = _bindingOf(signer);
        (binding.blockNumber, binding.blockHash) = (LATER_BLOCK, LATER_HASH);
    }

    /// @dev For use after `_goOn`.
    function _renewal() internal view returns (Renewal memory it) {
        it.body = _bodyFor(_laterBinding());
        it.verdict = _verdict();
        it.request = RenewalRequest({
            signingKey: signer,
            vaultKeyHash: VAULT_KEY_HASH,
            tcbEvidenceHash: _hashTcb(_tcb()),
            appConfig: "",
            blockNumber: LATER_BLOCK
        });
    }

    function _renew(Renewal memory it) internal returns (uint64) {
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        vm.prank(ANYONE);
        return registry.renew(quote, it.evidence, it.request);
    }

    function _refuseRenewal(Renewal memory it, bytes memory revertData) internal {
        bytes memory quote = _quoteOf(it.body);
        verifier.accept(quote, it.verdict);
        vm.prank(ANYONE);
        vm.expectRevert(revertData);
        registry.renew(quote, it.evidence, it.request);
    }

    function _evidenceMismatch(bytes16 recorded, bytes32 vaultKeyHash, bytes32 tcbEvidenceHash)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IEnclaveRegistry.EnclaveRegistry_EvidenceMismatch.selector,
            recorded,
            bytes16(keccak256(abi.encode(vaultKeyHash, tcbEvidenceHash)))
        );
    }
}
