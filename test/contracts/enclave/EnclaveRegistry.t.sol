// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EnclaveRegistry } from "../../../contracts/enclave/EnclaveRegistry.sol";
import {
    Enclave,
    IEnclaveRegistry,
    RegistrationRequest,
    TcbStatus
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { RegistrationCase } from "./RegistrationCase.sol";

/// @notice The registry over the real verifier, with truly signed quotes of a platform in software.
contract EnclaveRegistryTest is RegistrationCase {
    /* DEPLOYMENT */

    function test_RevertWhen_VerifierIsNoContract() public {
        vm.expectRevert(
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_NotAContract.selector, address(0xdead))
        );
        new EnclaveRegistry(address(0xdead), MAX_LIFE);
    }

    function test_RevertWhen_MaxLifeIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroMaxLife.selector));
        new EnclaveRegistry(address(verifier), 0);
    }

    function test_WhenDeployed() public view {
        assertEq(registry.verifier(), address(verifier), "verifier");
        assertEq(registry.maxLifeSeconds(), MAX_LIFE, "maxLifeSeconds");
    }

    /* REGISTER */

    function test_WhenAllIsInOrder() public {
        RegistrationRequest memory request = _request();
        bytes memory quote = _quoteFor(_bindingOf(request));
        bytes memory signature = _sign(request);
        bytes32 workloadId = _workloadId(reportBody());
        uint64 expiresAt = uint64(NOW) + MAX_LIFE;

        vm.expectEmit(address(registry));
        emit IEnclaveRegistry.EnclaveRegistered(
            request.signingKey,
            request.operator,
            workloadId,
            COMPOSE_HASH,
            keccak256(PPID),
            TcbStatus.Unevaluated,
            expiresAt,
            request.vaultKey,
            request.endpoint
        );
        bytes32 returned = registry.register(quote, leaf, issuer, request, signature);

        assertEq(returned, workloadId, "workloadId");
        Enclave memory expected = Enclave({
            operator: request.operator,
            expiresAt: expiresAt,
            registeredAtBlock: BLOCK + 1,
            tcbStatus: TcbStatus.Unevaluated,
            workloadId: workloadId,
            platformId: keccak256(PPID),
            vaultKeyHash: keccak256(request.vaultKey)
        });
        assertEq(abi.encode(registry.enclave(request.signingKey)), abi.encode(expected), "enclave");
        assertTrue(registry.isLive(request.signingKey), "isLive");
    }

    /// @dev The operator neither calls nor signs: it is what the host put into the report data.
    function test_WhenOperatorKnowsNothingOfIt() public {
        RegistrationRequest memory request = _request();
        request.operator = vm.addr(0x0123);
        bytes memory quote = _quoteFor(_bindingOf(request));
        bytes memory signature = _sign(request);
        vm.prank(address(0xbad));
        registry.register(quote, leaf, issuer, request, signature);
        assertEq(registry.enclave(request.signingKey).operator, request.operator, "operator");
    }

    function test_WhenMaxLifeEndsFirst() public {
        RegistrationRequest memory request = _request();
        _register(request);
        uint64 end = uint64(NOW) + MAX_LIFE;
        assertEq(registry.enclave(request.signingKey).expiresAt, end, "expiresAt");
        vm.warp(end - 1);
        assertTrue(registry.isLive(request.signingKey), "live in its last second");
        vm.warp(end);
        assertTrue(!registry.isLive(request.signingKey), "dead from expiresAt on");
    }

    function test_WhenEvidenceEndsFirst() public {
        vm.warp(LEAF_NOT_AFTER_SECONDS - 1 days);
        RegistrationRequest memory request = _request();
        _register(request);
        assertEq(registry.enclave(request.signingKey).expiresAt, LEAF_NOT_AFTER_SECONDS, "expiresAt");
    }

    function testFuzz_WhenLifeIsAny(uint64 life) public {
        if (life == 0) life = 1;
        registry = new EnclaveRegistry(address(verifier), life);
        RegistrationRequest memory request = _request();
        _register(request);
        uint256 latest = NOW + life;
        uint256 expected = latest < LEAF_NOT_AFTER_SECONDS ? latest : LEAF_NOT_AFTER_SECONDS;
        assertEq(registry.enclave(request.signingKey).expiresAt, expected, "expiresAt");
    }

    function test_WhenEndpointIsEmptyOrLongest() public {
        RegistrationRequest memory request = _request();
        request.endpoint = "";
        _register(request);
        request = _requestOf(SIGNING_KEY + 1);
        request.endpoint = string(new bytes(256));
        request.vaultKey = new bytes(2_048);
        _register(request);
    }

    function test_RevertWhen_OperatorIsZero() public {
        RegistrationRequest memory request = _request();
        request.operator = address(0);
        _refuse(request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroAddress.selector));
    }

    function test_RevertWhen_SigningKeyIsZero() public {
        RegistrationRequest memory request = _request();
        request.signingKey = address(0);
        _refuse(request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroAddress.selector));
    }

    function test_RevertGiven_Registered() public {
        RegistrationRequest memory request = _request();
        _register(request);
        bytes memory revertData =
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_AlreadyRegistered.selector, request.signingKey);
        // The very same call, and a fresh quote of the same key after its expiry.
        _refuse(request, revertData);
        vm.warp(NOW + MAX_LIFE);
        vm.roll(BLOCK + 100);
        vm.setBlockhash(BLOCK + 99, keccak256("another block"));
        request.blockNumber = BLOCK + 99;
        _refuse(request, revertData);
    }

    function test_RevertWhen_VaultKeyIsEmptyOrTooLong() public {
        RegistrationRequest memory request = _request();
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_BadVaultKeyLength.selector;
        request.vaultKey = "";
        _refuse(request, abi.encodeWithSelector(selector, 0, 2_048));
        request.vaultKey = new bytes(2_049);
        _refuse(request, abi.encodeWithSelector(selector, 2_049, 2_048));
    }

    function test_RevertWhen_EndpointIsTooLong() public {
        RegistrationRequest memory request = _request();
        request.endpoint = string(new bytes(257));
        _refuse(
            request, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_EndpointTooLong.selector, 257, 256)
        );
    }

    function test_RevertWhen_BlockIsStaleOrToCome() public {
        bytes4 selector = IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector;
        RegistrationRequest memory request = _request();
        vm.roll(BLOCK + 257);
        _refuse(request, abi.encodeWithSelector(selector, BLOCK, BLOCK + 257));
        vm.roll(BLOCK);
        _refuse(request, abi.encodeWithSelector(selector, BLOCK, BLOCK));
        vm.roll(BLOCK - 1);
        _refuse(request, abi.encodeWithSelector(selector, BLOCK, BLOCK - 1));
        request.blockNumber = type(uint64).max;
        _refuse(request, abi.encodeWithSelector(selector, type(uint64).max, BLOCK - 1));
    }

    /// @dev Report data over a hash that everyone knows would not be fresh.
    function test_RevertWhen_BlockHashIsUnknown() public {
        vm.setBlockhash(BLOCK, 0);
        _refuse(
            _request(), abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_StaleBlock.selector, BLOCK, BLOCK + 1)
        );
    }

    function test_WhenBlockIsTheOldestAllowed() public {
        vm.roll(BLOCK + 256);
        vm.setBlockhash(BLOCK, BLOCK_HASH);
        _register(_request());
    }

    function test_RevertWhen_VerifierRefuses() public {
        RegistrationRequest memory request = _request();
        bytes memory quote = _quoteFor(_bindingOf(request));
        bytes memory signature = _sign(request);
        quote[700 - 1] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(ITdxVerifier.TdxVerifier_BadQuoteSignature.selector));
        registry.register(quote, leaf, issuer, request, signature);
    }

    function test_RevertWhen_GuestIsInDebug() public {
        bytes memory body = _bodyFor(_bindingOf(_request()));
        body[TD_ATTRIBUTES_AT] = 0x01;
        _refuseBody(
            body, abi.encodeWithSelector(ITdxVerifier.TdxVerifier_DebugTd.selector, bytes8(0x0100001000000000))
        );
    }

    /* MRCONFIGID */

    function test_RevertWhen_ConfigIdIsZero() public {
        bytes memory body = _bodyFor(_bindingOf(_request()));
        put(body, MR_CONFIG_ID_AT, new bytes(48));
        _refuseBody(body, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_ZeroConfigId.selector));
    }

    function test_RevertWhen_ConfigIdIsOfAnotherVersion() public {
        bytes memory body = _bodyFor(_bindingOf(_request()));
        uint8[4] memory versions = [0, 2, 3, 255];
        for (uint256 i = 0; i < versions.length; i++) {
            body[MR_CONFIG_ID_AT] = bytes1(versions[i]);
            _refuseBody(
                body,
                abi.encodeWithSelector(
                    IEnclaveRegistry.EnclaveRegistry_UnsupportedConfigIdVersion.selector, versions[i]
                )
            );
        }
    }

    function test_RevertWhen_ConfigIdIsNotPadded_AtEveryByte() public {
        for (uint256 i = 33; i < 48; i++) {
            bytes memory body = _bodyFor(_bindingOf(_request()));
            body[MR_CONFIG_ID_AT + i] = 0x01;
            bytes16 tail = bytes16(slice(body, MR_CONFIG_ID_AT + 32, MR_CONFIG_ID_AT + 48));
            _refuseBody(
                body, abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_BadConfigIdPadding.selector, tail)
            );
        }
    }

    /// @dev A code-only change of any measurement is another workload; RTMR3 and the owner fields are not part of it.
    function test_WhenMeasurementDiffers() public {
        bytes32 plain = _workloadId(reportBody());
        // Offset, and whether the workload id depends on it.
        uint16[2][12] memory cases = [
            [uint16(0), 0],
            [uint16(120 + 3), 1],
            [uint16(128), 1],
            [uint16(136), 1],
            [uint16(183), 1],
            [uint16(185), 1],
            [uint16(232), 0],
            [uint16(280), 0],
            [uint16(328), 1],
            [uint16(328 + 143), 1],
            [uint16(472), 0],
            [uint16(328 + 191), 0]
        ];
        for (uint256 i = 0; i < cases.length; i++) {
            RegistrationRequest memory request = _requestOf(SIGNING_KEY + 1 + i);
            bytes memory body = _bodyFor(_bindingOf(request));
            // PKS in the attributes, another bit elsewhere: nothing that the verifier refuses.
            body[cases[i][0]] ^= 0x40;
            bytes memory quote = quoteOf(body);
            bytes memory signature = _signWith(SIGNING_KEY + 1 + i, request);
            bytes32 workloadId = registry.register(quote, leaf, issuer, request, signature);
            assertEq(workloadId, _workloadId(body), "workloadId");
            assertTrue((workloadId != plain) == (cases[i][1] == 1), "what the workload id depends on");
        }
    }

    /* REPORT DATA */

    function test_RevertWhen_ReportDataBindSomethingElse_FieldByField() public {
        RegistrationRequest memory request = _request();
        bytes32 expected = _hashOf(_bindingOf(request));
        for (uint256 field = 0; field < 8; field++) {
            Binding memory other = _bindingOf(request);
            if (field == 0) other.tag = "data-collab-market/attestation/v1";
            else if (field == 1) other.chainId += 1;
            else if (field == 2) other.registry = address(0xdead);
            else if (field == 3) other.operator = address(0xdead);
            else if (field == 4) other.signingKey = address(0xdead);
            else if (field == 5) other.vaultKeyHash = keccak256("another vault key");
            else if (field == 6) other.blockNumber -= 1;
            else other.blockHash = keccak256("a block of another chain");
            _refuseReportData(request, _bodyFor(other), expected);
        }
    }

    /// @dev A quote and a signature that were good on one chain and registry are worth nothing on another.
    function test_RevertWhen_ReplayedOnAnotherChain() public {
        RegistrationRequest memory request = _request();
        bytes memory body = _bodyFor(_bindingOf(request));
        vm.chainId(block.chainid + 1);
        _refuseReportData(request, body, _hashOf(_bindingOf(request)));
    }

    function test_RevertWhen_ReplayedOnAnotherRegistry() public {
        RegistrationRequest memory request = _request();
        bytes memory body = _bodyFor(_bindingOf(request));
        registry = new EnclaveRegistry(address(verifier), MAX_LIFE);
        _refuseReportData(request, body, _hashOf(_bindingOf(request)));
    }

    function test_RevertWhen_ReportDataGoOn() public {
        RegistrationRequest memory request = _request();
        bytes memory body = _bodyFor(_bindingOf(request));
        body[REPORT_DATA_AT + 63] = 0x01;
        _refuseReportData(request, body, _hashOf(_bindingOf(request)));
    }

    /* SIGNATURE */

    function test_RevertWhen_SignedByAnotherKey() public {
        _refuseSignature(_signWith(0xbad, _request()));
    }

    function test_RevertWhen_AnotherEndpointIsSigned() public {
        RegistrationRequest memory other = _request();
        other.endpoint = "https://attacker.example";
        _refuseSignature(_sign(other));
    }

    function test_RevertWhen_SIsHigh() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNING_KEY, _digest(_request()));
        _refuseSignature(abi.encodePacked(r, CURVE_ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_SignatureIsMalformed() public {
        bytes memory good = _sign(_request());
        _refuseSignature("");
        _refuseSignature(slice(good, 0, 64));
        _refuseSignature(bytes.concat(good, hex"00"));
        _refuseSignature(new bytes(65));
        // v of 0 or 1, as some libraries write it.
        _refuseSignature(bytes.concat(slice(good, 0, 64), bytes1(uint8(good[64]) - 27)));
        // EIP-2098, 64 bytes.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNING_KEY, _digest(_request()));
        _refuseSignature(abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255));
    }

    /* VIEWS */

    function test_RevertGiven_Unknown() public {
        vm.expectRevert(
            abi.encodeWithSelector(IEnclaveRegistry.EnclaveRegistry_UnknownEnclave.selector, address(0xdead))
        );
        registry.enclave(address(0xdead));
        assertTrue(!registry.isLive(address(0xdead)), "isLive");
    }
}
