// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CacheHandler } from "./CacheHandler.sol";

/// @dev Hardhat's runner only fuzzes contracts that the test's own file declares.
contract CacheTarget is CacheHandler { }

/// @notice The invariants A1 and A2 that README.md numbers.
contract CacheInvariantTest {
    /// @notice `invariant` (its number) does not hold.
    error Broken(uint256 invariant, bytes32 actual, bytes32 expected);

    CacheHandler private handler;

    function setUp() public {
        handler = new CacheTarget();
    }

    /// @dev Read by the runner: only the handler is called.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _hold(uint256 invariant, bytes32 actual, bytes32 expected) private pure {
        require(actual == expected, Broken(invariant, actual, expected));
    }

    /// hardhat-config: invariant.runs = 24
    /// hardhat-config: invariant.depth = 64
    function invariant_A1_A2_RecordsStandForWhatIsInForce() public view {
        _hold(1, bytes32(handler.wrongs()), 0);
        _hold(2, handler.record(), handler.expectedRecord());
    }

    /// @dev A fixed walk on which each way must succeed and be refused.
    function test_Handler_ShouldGoEachWay() public {
        for (uint256 i = 0; i < 200; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            uint256 step = seed % 32;
            if (step < 28) handler.verify(seed);
            else if (step == 28) handler.letTimePass(seed);
            else if (step == 29) handler.revoke(seed);
            else if (step == 30) handler.revokeIssuer(seed);
            else handler.changeQeIdentity(seed);
            invariant_A1_A2_RecordsStandForWhatIsInForce();
        }
        for (uint256 way = 0; way < 3; ++way) {
            require(handler.verified(way) != 0, Broken(0, bytes32(way), "verified"));
            require(handler.refused(way) != 0, Broken(0, bytes32(way), "refused"));
        }
    }
}
