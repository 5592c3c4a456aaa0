// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Enclave,
    EnclaveState,
    IEnclaveRegistry,
    RegistrationRequest
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { deploy } from "../../support/Test.sol";
import { RegistrationCase } from "./RegistrationCase.sol";

/// @notice EnclaveRegistry.register.tree; authorization: EnclaveRegistry.authorize.t.sol.
contract EnclaveRegistryRegisterTest is RegistrationCase {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /* DEPLOYMENT */

    function test_RevertWhen_VerifierIsNoContract() public {
        vm.expectRevert(
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_NotAContract.selector, address(0xdead))
        );
        deploy("EnclaveRegistry", abi.encode(address(0xdead), MAX_LIFE, POLICY));
    }

    function test_RevertWhen_MaxLifeIsZeroOrAboveTenYears() public {
        uint64[3] memory lives = [uint64(0), 3_650 days + 1, type(uint64).max];
        for (uint256 i = 0; i < lives.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadMaxLife.selector, lives[i]));
            _newRegistry(lives[i], POLICY);
        }
        _newRegistry(3_650 days, POLICY);
    }

    function test_RevertWhen_PolicyAllowsWhatMayNotBe() public {
        // Each bit alone: all statuses but Unsupported (0) and Revoked (7); there are ten.
        for (uint256 i = 0; i < 16; ++i) {
            bool allowable = i != 0 && i != 7 && i < 10;
            uint16 policy = uint16(1 << i);
            if (!allowable) _refusePolicy(policy);
            IEnclaveRegistry made = _newRegistry(1, allowable ? policy : POLICY);
            assertEq(made.allowedTcb(), allowable ? policy : POLICY, "allowedTcb");
        }
        _refusePolicy(0);
        _refusePolicy(POLICY | 1);
        _refusePolicy(type(uint16).max);
    }

    function _refusePolicy(uint16 policy) private {
        vm.expectRevert(abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadPolicy.selector, policy));
        _newRegistry(1, policy);
    }

    function test_WhenDeployed() public view {
        assertEq(registry.verifier(), address(verifier), "verifier");
        assertEq(registry.maxLifeSeconds(), MAX_LIFE, "maxLifeSeconds");
        assertEq(registry.allowedTcb(), POLICY, "allowedTcb");
    }

    /* IN ORDER */

    function test_WhenAllIsInOrder() public {
        Registration memory it = _registration();
        it.verdict.tcbStatus = TcbStatus.SWHardeningNeeded;
        bytes32 workloadId = _workloadId(COMPOSE_HASH, it.body);
        uint40 expiresAt = uint40(NOW + MAX_LIFE);

        bytes memory quote = _quoteOf(it.body);
        it.evidence.pckLeaf = hex"30820102";
        it.evidence.platform = _tcb().platform;
        it.evidence.attestationKeyHash = keccak256("attestation key");
        (it.evidence.qeIsvSvn, it.evidence.revocationHint) = (8, 57);
        verifier.accept(quote, it.verdict);
        _expectVerify(quote, it.evidence);
        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveRegistered(
            signer,
            operator,
            workloadId,
            COMPOSE_HASH,
            PLATFORM_ID,
            TcbStatus.SWHardeningNeeded,
            expiresAt,
            VAULT_KEY,
            "https://worker.example",
            _tcb()
        );
        vm.prank(operator);
        bytes32 returned =
            registry.register(quote, it.evidence, it.request, it.signature, it.authorization);

        assertEq(returned, workloadId, "workloadId");
        Enclave memory expected = Enclave({
            operator: operator,
            expiresAt: expiresAt,
            registeredAtBlock: uint40(BLOCK + 1),
            tcbStatus: TcbStatus.SWHardeningNeeded,
            state: EnclaveState.Active,
            workloadId: workloadId,
            platformId: PLATFORM_ID,
            evidenceHash: bytes16(keccak256(abi.encode(VAULT_KEY_HASH, _hashTcb(_tcb()))))
        });
        assertEq(abi.encode(registry.enclave(signer)), abi.encode(expected), "enclave");
        assertTrue(registry.isLive(signer), "isLive");
    }

    function _requireNoLiveEnclave(address key) private view {
        (address its, bytes32 workloadId) = registry.liveEnclave(key);
        assertEq(its, address(0), "no operator");
        assertEq(workloadId, bytes32(0), "no workload");
    }

    /// @dev The mapping is the contract's first variable but for EIP712's two.
    function test_WhenRecorded_ShouldTakeThreeSlots() public {
        _register(_registration());
        uint256 first;
        bytes32 workloadId = registry.enclave(signer).workloadId;
        for (uint256 base = 0; base < 8 && first == 0; ++base) {
            uint256 slot = uint256(keccak256(abi.encode(signer, base)));
            if (vm.load(address(registry), bytes32(slot + 1)) == workloadId) first = slot;
        }
        assertTrue(first != 0, "found");
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(vm.load(address(registry), bytes32(first + i)) != 0, "used");
        }
        assertEq(vm.load(address(registry), bytes32(first + 3)), bytes32(0), "no fourth slot");
    }

    function test_WhenMaxLifeEndsFirst() public {
        _register(_registration());
        uint64 end = uint64(NOW) + MAX_LIFE;
        assertEq(registry.enclave(signer).expiresAt, end, "expiresAt");
        vm.warp(end - 1);
        assertTrue(registry.isLive(signer), "live in its last second");
        (address its, bytes32 workloadId) = registry.liveEnclave(signer);
        assertEq(its, operator, "operator");
        assertEq(workloadId, registry.enclave(signer).workloadId, "workload");
        vm.warp(end);
        assertTrue(!registry.isLive(signer), "dead from expiresAt on");
        _requireNoLiveEnclave(signer);
        _requireNoLiveEnclave(address(0xbad));
        _requireState(signer, EnclaveState.Active);
    }

    function testFuzz_WhenLifeAndValidityAreAny(uint64 life, uint64 validUntil) public {
        life = uint64(bound(life, 1, 3_650 days));
        if (validUntil <= NOW) validUntil += uint64(NOW) + 1;
        registry = _newRegistry(life, POLICY);
        Registration memory it = _registration();
        it.verdict.validUntil = validUntil;
        _register(it);
        uint256 latest = NOW + life;
        assertEq(registry.enclave(signer).expiresAt, latest < validUntil ? latest : validUntil, "expiresAt");
    }

    function test_WhenEndpointAndVaultKeyAreShortestOrLongest() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        (request.endpoint, request.vaultKey) = ("", hex"00");
        _register(_registrationOf(request, SIGNING_KEY));
        request.signingKey = vm.addr(SIGNING_KEY + 1);
        (request.endpoint, request.vaultKey) = (string(new bytes(256)), new bytes(2_048));
        _register(_registrationOf(request, SIGNING_KEY + 1));
    }

    function test_WhenBlockIsTheOldestAllowed() public {
        vm.roll(BLOCK + 256);
        vm.setBlockhash(BLOCK, BLOCK_HASH);
        _register(_registration());
    }

    /// @dev A change of any measurement is another workload; RTMR3 and the owner fields are not part of it.
    function test_WhenMeasurementDiffers() public {
        bytes32 plain = _workloadId(COMPOSE_HASH, _registration().body);
        // Offset, and whether the workload id depends on it.
        uint16[2][14] memory cases = [
            [uint16(0), 0],
            [uint16(119), 0],
            [uint16(120), 1],
            [uint16(127), 1],
            [uint16(128), 1],
            [uint16(135), 1],
            [uint16(136), 1],
            [uint16(183), 1],
            [uint16(185), 1],
            [uint16(232), 0],
            [uint16(327), 0],
            [uint16(328), 1],
            [uint16(471), 1],
            [uint16(472), 0]
        ];
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 key = SIGNING_KEY + 1 + i;
            Registration memory it = _registrationOf(_request(key), key);
            it.body[cases[i][0]] ^= 0x40;
            bytes32 workloadId = _register(it);
            bytes32 composeHash = bytes32(slice(it.body, MR_CONFIG_ID_AT + 1, MR_CONFIG_ID_AT + 33));
            assertEq(workloadId, _workloadId(composeHash, it.body), "workloadId");
            assertTrue((workloadId != plain) == (cases[i][1] == 1), "what the workload id depends on");
        }
    }

    /// @dev The same compose hash is the same workload, however MRCONFIGID commits to it.
    function test_WhenConfigIdIsOfVersion2() public {
        Registration memory it = _registration();
        it.request.appConfig = abi.encodePacked(COMPOSE_HASH, bytes20("app"), uint8(2), keccak256("kms"));
        bytes32 expected = _workloadId(COMPOSE_HASH, it.body);
        _put(it.body, MR_CONFIG_ID_AT, abi.encodePacked(uint8(2), keccak256(it.request.appConfig)));
        assertEq(_register(it), expected, "workloadId");
    }

    /* FORM */

    function test_RevertWhen_OperatorIsZero() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        request.operator = address(0);
        _refuseRequest(request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroAddress.selector));
    }

    function test_RevertWhen_SigningKeyIsZero() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        request.signingKey = address(0);
        _refuseRequest(request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroAddress.selector));
    }

    function test_RevertGiven_Registered() public {
        Registration memory it = _registration();
        _register(it);
        bytes memory revertData =
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_AlreadyRegistered.selector, signer);
        // The very same call; after its expiry; after that was recorded; after its end.
        _refuse(it, revertData);
        vm.warp(NOW + MAX_LIFE);
        _refuse(it, revertData);
        registry.demote(signer, 0, _tcb(), 0);
        _requireState(signer, EnclaveState.Expired);
        _refuse(it, revertData);
        vm.prank(operator);
        registry.retire(signer);
        _refuse(it, revertData);
    }

    function test_RevertGiven_Demoted() public {
        Registration memory it = _registration();
        _register(it);
        verifier.judge(_tcb(), _assessment(TcbStatus.Revoked), 0);
        registry.demote(signer, VAULT_KEY_HASH, _tcb(), 0);
        _refuse(
            it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_AlreadyRegistered.selector, signer)
        );
    }

    function test_RevertWhen_VaultKeyIsEmptyOrTooLong() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_BadVaultKeyLength.selector;
        request.vaultKey = "";
        _refuseRequest(request, abi.encodeWithSelector(selector, 0, 2_048));
        request.vaultKey = new bytes(2_049);
        _refuseRequest(request, abi.encodeWithSelector(selector, 2_049, 2_048));
    }

    function test_RevertWhen_EndpointIsTooLong() public {
        RegistrationRequest memory request = _request(SIGNING_KEY);
        request.endpoint = string(new bytes(257));
        _refuseRequest(
            request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_EndpointTooLong.selector, 257, 256)
        );
    }

    function test_RevertWhen_BlockIsStaleOrToCome() public {
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector;
        RegistrationRequest memory request = _request(SIGNING_KEY);
        vm.roll(BLOCK + 257);
        _refuseRequest(request, abi.encodeWithSelector(selector, BLOCK, BLOCK + 257));
        vm.roll(BLOCK);
        _refuseRequest(request, abi.encodeWithSelector(selector, BLOCK, BLOCK));
        vm.roll(BLOCK - 1);
        _refuseRequest(request, abi.encodeWithSelector(selector, BLOCK, BLOCK - 1));
        request.blockNumber = type(uint64).max;
        _refuseRequest(request, abi.encodeWithSelector(selector, type(uint64).max, BLOCK - 1));
    }

    /// @dev Report data over a hash that everyone knows would not be fresh.
    function test_RevertWhen_BlockHashIsUnknown() public {
        vm.setBlockhash(BLOCK, 0);
        _refuseRequest(
            _request(SIGNING_KEY),
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector, BLOCK, BLOCK + 1)
        );
    }

    /* VERIFIER, MRCONFIGID */

    function test_RevertWhen_VerifierRefuses() public {
        Registration memory it = _registration();
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        vm.prank(operator);
        registry.register(_quoteOf(it.body), it.evidence, it.request, it.signature, it.authorization);
    }

    function test_RevertWhen_StatusIsNotAllowed() public {
        for (uint256 i = 0; i <= uint256(type(TcbStatus).max); ++i) {
            if (POLICY & (1 << i) != 0) continue;
            Registration memory it = _registration();
            it.verdict.tcbStatus = TcbStatus(i);
            _refuse(it, abi.encodeWithSelector(ITdxVerifier.TdxVerifier_TcbStatusNotAllowed.selector, i, POLICY));
        }
    }

    function test_RevertWhen_ConfigIdIsZero() public {
        Registration memory it = _registration();
        _put(it.body, MR_CONFIG_ID_AT, new bytes(48));
        _refuse(it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroConfigId.selector));
    }

    function test_RevertWhen_AppConfigIsNotAskedFor() public {
        Registration memory it = _registration();
        it.request.appConfig = hex"00";
        _refuse(it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadAppConfigLength.selector, 1, 1));
    }

    /* REPORT DATA */

    function test_RevertWhen_ReportDataBindSomethingElse_FieldByField() public {
        bytes32 expected = _hashOf(_bindingOf(signer));
        for (uint256 field = 0; field < 8; ++field) {
            EnclaveBinding memory other = _bindingOf(signer);
            if (field == 0) other.tag = "data-collab-market/attestation/v1";
            else if (field == 1) other.chainId += 1;
            else if (field == 2) other.registry = address(0xdead);
            else if (field == 3) other.operator = address(0xdead);
            else if (field == 4) other.signingKey = address(0xdead);
            else if (field == 5) other.vaultKeyHash = keccak256("another vault key");
            else if (field == 6) other.blockNumber -= 1;
            else other.blockHash = keccak256("a block of another chain");
            _refuseBody(_bodyFor(other), expected);
        }
    }

    function test_RevertWhen_QuoteIsOfAnotherRequest_FieldByField() public {
        bytes memory body = _registration().body;
        for (uint256 field = 0; field < 4; ++field) {
            RegistrationRequest memory request = _request(SIGNING_KEY);
            uint256 key = SIGNING_KEY;
            if (field == 0) request.operator = address(0xdead);
            else if (field == 1) request.vaultKey = "another vault key";
            else if (field == 2) (request.signingKey, key) = (vm.addr(++key), key);
            else request.blockNumber = BLOCK - 1;
            vm.setBlockhash(BLOCK - 1, keccak256("the block before"));
            Registration memory it = _registrationOf(request, key);
            it.body = body;
            _refuseReportData(it, _hashOf(_bindingOf(request)));
        }
    }

    function test_RevertWhen_ReplayedOnAnotherChainOrRegistry() public {
        bytes memory body = _registration().body;
        vm.chainId(block.chainid + 1);
        _refuseBody(body, _hashOf(_bindingOf(signer)));
        vm.chainId(block.chainid - 1);
        registry = _newRegistry(MAX_LIFE, POLICY);
        _refuseBody(body, _hashOf(_bindingOf(signer)));
    }

    function test_RevertWhen_ReportDataGoOn_AtEveryByte() public {
        for (uint256 i = 32; i < 64; ++i) {
            bytes memory body = _registration().body;
            body[REPORT_DATA_AT + i] = 0x01;
            _refuseBody(body, _hashOf(_bindingOf(signer)));
        }
    }

    /// @dev A right request under a quote of `body`.
    function _refuseBody(bytes memory body, bytes32 expected) private {
        Registration memory it = _registration();
        it.body = body;
        _refuseReportData(it, expected);
    }

    function _refuseReportData(Registration memory it, bytes32 expected) private {
        bytes32 high = bytes32(slice(it.body, REPORT_DATA_AT, REPORT_DATA_AT + 32));
        bytes32 low = bytes32(slice(it.body, REPORT_DATA_AT + 32, REPORT_DATA_AT + 64));
        assertTrue(high != expected || low != 0, "the case differs");
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_ReportDataMismatch.selector;
        _refuse(it, abi.encodeWithSelector(selector, expected, high, low));
    }

    /* SIGNATURE */

    function test_RevertWhen_SignedByAnotherKey() public {
        _refuseSignature(_sign(OPERATOR_KEY, _digest(_request(SIGNING_KEY))));
    }

    function test_RevertWhen_AnotherRequestIsSigned_FieldByField() public {
        for (uint256 field = 0; field < 4; ++field) {
            RegistrationRequest memory other = _request(SIGNING_KEY);
            if (field == 0) other.endpoint = "https://attacker.example";
            else if (field == 1) other.operator = address(0xdead);
            else if (field == 2) other.vaultKey = "another vault key";
            else other.blockNumber -= 1;
            _refuseSignature(_sign(SIGNING_KEY, _digest(other)));
        }
    }

    function test_RevertWhen_SIsHigh() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNING_KEY, _digest(_request(SIGNING_KEY)));
        _refuseSignature(abi.encodePacked(r, CURVE_ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_SignatureIsMalformed() public {
        bytes memory good = _registration().signature;
        _refuseSignature("");
        _refuseSignature(slice(good, 0, 64));
        _refuseSignature(bytes.concat(good, hex"00"));
        _refuseSignature(new bytes(65));
        // v of 0 or 1, as some libraries write it.
        _refuseSignature(bytes.concat(slice(good, 0, 64), bytes1(uint8(good[64]) - 27)));
        // EIP-2098, 64 bytes.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNING_KEY, _digest(_request(SIGNING_KEY)));
        _refuseSignature(abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255));
    }

    function _refuseSignature(bytes memory signature) private {
        Registration memory it = _registration();
        it.signature = signature;
        _refuse(it, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadSignature.selector, signer));
    }

    /* VIEWS */

    function test_RevertGiven_Unknown() public {
        vm.expectRevert(_unknown(address(0xdead)));
        registry.enclave(address(0xdead));
        assertTrue(!registry.isLive(address(0xdead)), "isLive");
        assertTrue(!registry.isLive(address(0)), "isLive of zero");
    }
}
