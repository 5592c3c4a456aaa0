// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FeeToken
/// @notice An ERC-20 that does not move the exact amount: what is asked for, a token may not do. For tests only.
contract FeeToken is ERC20 {
    /// @notice Units that the receiver gets less.
    uint256 public receiverFee;
    /// @notice Units that the sender pays more.
    uint256 public senderFee;

    constructor() ERC20("Fee Token", "FEE") { }

    /// @notice Creates `amount` units for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Sets what each later transfer costs, in units.
    function setFees(uint256 ofReceiver, uint256 ofSender) external {
        receiverFee = ofReceiver;
        senderFee = ofSender;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from == address(0) || to == address(0)) return;
        if (receiverFee != 0) super._update(to, address(0), receiverFee);
        if (senderFee != 0) super._update(from, address(0), senderFee);
    }
}
