// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title RecentBlock
/// @notice Hashes of the last 8,191 blocks. Calls the chain's history contract, a system contract, as a static call.
/// @custom:source EIP-2935, "Specification": HISTORY_STORAGE_ADDRESS, HISTORY_SERVE_WINDOW.
library RecentBlock {
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 internal constant WINDOW = 8191;
    /// @dev How far BLOCKHASH itself looks back, in blocks.
    uint256 private constant OPCODE_WINDOW = 256;

    /// @notice The hash of block `number`; zero if it is not before the current one, older than the window, or if the
    /// chain does not tell.
    /// @dev OpenZeppelin's `Blockhash` takes the revert data of the history contract for a hash; this asks whether
    /// the call succeeded. Chains without EIP-2935 (Hardhat among them) still serve the last 256 blocks.
    function hashOf(uint256 number) internal view returns (bytes32) {
        if (number >= block.number || block.number - number > WINDOW) return 0;
        if (block.number - number <= OPCODE_WINDOW) return blockhash(number);
        (bool ok, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        return ok && answer.length == 32 ? bytes32(answer) : bytes32(0);
    }
}
