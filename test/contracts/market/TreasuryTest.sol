// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { deployMarket } from "../../support/deployMarket.sol";
import { Test, deploy } from "../../support/Test.sol";
import { deployMarket } from "../../support/deployMarket.sol";

/// @notice A market without jobs, and an account with a key, which has tokens, native coin and no credit.
abstract contract TreasuryTest is Test {
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant KEY = 0xA11CE;
    uint256 internal constant OTHER_KEY = 0xB0B;
    uint256 internal constant FUNDS = 1000;

    address internal immutable account = vm.addr(KEY);
    address internal immutable stranger = address(0x57AA);
    address internal immutable nobody = address(0xE0A);

    IMarket internal market;
    TestToken internal token;

    function setUp() public virtual {
        vm.warp(NOW);
        market = _newMarket();
        token = new TestToken();
        token.mint(account, FUNDS);
        vm.deal(account, FUNDS);
    }

    function _newMarket() internal returns (IMarket) {
        return deployMarket(address(new MockEnclaveRegistry()), deploy("DatasetRegistry", ""));
    }

    /// @dev Token and native coin, all of it the account's credit.
    function _depositAll() internal {
        vm.prank(account);
        token.approve(address(market), FUNDS);
        vm.prank(account);
        market.deposit(address(token), account, FUNDS);
        vm.prank(account);
        market.deposit{ value: FUNDS }(address(0), account, FUNDS);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _domain(string memory name, string memory version, uint256 chainId, address verifier)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chainId,
                verifier
            )
        );
    }

    function _digest(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function assertCredit(address holder, address asset, uint256 expected) internal view {
        assertEq(market.creditOf(holder, asset), expected, "credit");
    }
}
