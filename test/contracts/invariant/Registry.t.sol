// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { VM, Vm } from "../../support/Test.sol";
import { RegistryHandler } from "./RegistryHandler.sol";

/// @dev Hardhat's runner only fuzzes contracts that the test's own file declares.
contract RegistryTarget is RegistryHandler { }

/// @notice The invariants R1 to R6 that README.md numbers.
contract RegistryInvariantTest {
    Vm private constant vm = VM;

    /// @notice `invariant` (its number) does not hold for the key at `position`.
    error Broken(uint256 invariant, uint256 position, bytes32 actual, bytes32 expected);

    RegistryHandler private handler;

    function setUp() public {
        handler = new RegistryTarget();
    }

    /// @dev Read by the runner: only the handler is called.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _hold(uint256 invariant, uint256 position, bytes32 actual, bytes32 expected) private pure {
        require(actual == expected, Broken(invariant, position, actual, expected));
    }

    function _hold(uint256 invariant, uint256 position, uint256 actual, uint256 expected) private pure {
        _hold(invariant, position, bytes32(actual), bytes32(expected));
    }

    function _hold(uint256 invariant, uint256 position, bool holds) private pure {
        _hold(invariant, position, holds ? 1 : 0, 1);
    }

    /* WHAT IS RECORDED: R1 to R5 */

    /// hardhat-config: invariant.runs = 48
    /// hardhat-config: invariant.depth = 64
    function invariant_R1_R2_R3_R4_R5_Records() public view {
        _hold(2, 0, handler.thefts(), 0);
        for (uint256 k = 0; k < handler.KEYS(); ++k) {
            address key = handler.keyAt(k);
            RegistryHandler.Book memory book = handler.bookOf(key);
            if (book.state == EnclaveState.None) {
                _hold(1, k, !handler.isLive(key));
                continue;
            }
            Enclave memory entry = handler.recorded(key);
            uint256 expiry = handler.expiryOf(book);
            bool live = book.state == EnclaveState.Active && vm.getBlockTimestamp() < expiry;
            _hold(1, k, handler.isLive(key) == live);
            _hold(2, k, uint256(entry.state), uint256(book.state));
            _hold(3, k, entry.expiresAt, expiry);
            _hold(3, k, expiry <= book.validUntil && expiry <= book.writtenAt + 7 days);
            _hold(4, k, entry.workloadId, book.workloadId);
            _hold(4, k, entry.platformId, book.platformId);
            _hold(4, k, uint160(entry.operator), uint160(book.operator));
            _hold(4, k, entry.registeredAtBlock, book.registeredAtBlock);
            _hold(5, k, keccak256(abi.encode(handler.replay().enclave(key))), keccak256(abi.encode(entry)));
        }
    }

    /* THE WAY BACK: R6 */

    /// @dev Lets everything expire after each call; the runner drops what an invariant changes.
    /// hardhat-config: invariant.runs = 16
    /// hardhat-config: invariant.depth = 48
    function invariant_R6_WhatHasExpiredCanBeRenewed() public {
        vm.warp(vm.getBlockTimestamp() + 365 days);
        for (uint256 k = 0; k < handler.KEYS(); ++k) {
            address key = handler.keyAt(k);
            EnclaveState state = handler.bookOf(key).state;
            _hold(6, k, !handler.isLive(key));
            if (state != EnclaveState.Active && state != EnclaveState.Expired) continue;
            handler.renewRightfully(key);
            _hold(6, k, handler.isLive(key));
        }
    }

    /* THE HANDLER ITSELF */

    /// @dev A fixed walk on which every state, a renewal and a refusal must occur, and all invariants hold.
    function test_Handler_ShouldReachEveryState() public {
        for (uint256 i = 0; i < 300; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            uint256 step = seed % 16;
            if (step < 6) handler.register(seed);
            else if (step < 10) handler.renew(seed);
            else if (step == 10) handler.retire(seed);
            else if (step == 11) handler.demote(seed);
            else handler.letTimePass(seed);
            invariant_R1_R2_R3_R4_R5_Records();
        }
        for (uint256 state = uint256(EnclaveState.Active); state <= uint256(EnclaveState.Retired); ++state) {
            _hold(0, state, handler.reached(state) != 0);
        }
        _hold(0, 0, handler.renewals() != 0 && handler.refusals() != 0);
        _hold(0, 0, handler.replay().eventCount() > 20);
        invariant_R6_WhatHasExpiredCanBeRenewed();
    }
}
