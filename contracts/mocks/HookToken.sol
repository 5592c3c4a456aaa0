// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HookToken
/// @notice An ERC-20 that makes a call of the test's choice in the middle of each transfer. For tests only.
contract HookToken is ERC20 {
    address private _target;
    bytes private _data;

    constructor() ERC20("Hook Token", "HOOK") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Calls `target` with `data` on every later transfer; zero for no call.
    function setHook(address target, bytes calldata data) external {
        _target = target;
        _data = data;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_target == address(0)) return;
        (bool ok, bytes memory answer) = _target.call(_data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer)) // the error as it came
            }
        }
    }
}
