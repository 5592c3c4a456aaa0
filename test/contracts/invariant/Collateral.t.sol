// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Authority, CollateralItem, CollateralKind, InForce } from "../../../contracts/interfaces/ITdxCollateral.sol";
import { CollateralHandler } from "./CollateralHandler.sol";

/// @dev Hardhat's runner only fuzzes contracts that the test's own file declares.
contract CollateralTarget is CollateralHandler { }

/// @notice The invariants C1 to C4 that README.md numbers.
contract CollateralInvariantTest {
    /// @notice `invariant` (its number) does not hold for the item or authority at `position`.
    error Broken(uint256 invariant, uint256 position, bytes32 actual, bytes32 expected);

    CollateralHandler private handler;

    function setUp() public {
        handler = new CollateralTarget();
    }

    /// @dev Read by the runner: only the handler is called.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _hold(uint256 invariant, uint256 position, uint256 actual, uint256 expected) private pure {
        require(actual == expected, Broken(invariant, position, bytes32(actual), bytes32(expected)));
    }

    /// hardhat-config: invariant.runs = 24
    /// hardhat-config: invariant.depth = 64
    function invariant_C1_C2_C3_C4_OnlyNewerAndInForce() public view {
        _hold(1, 0, handler.wrongs(), 0);
        _holdItem(0, CollateralKind.RootCrl, 0);
        _holdItem(1, CollateralKind.PckCrl, bytes32(uint256(1)));
        _holdItem(2, CollateralKind.PckCrl, bytes32(uint256(2)));
        _holdItem(3, CollateralKind.QeIdentity, 0);
        _holdItem(4, CollateralKind.TcbInfo, bytes32(handler.FMSPC()));
        for (uint16 number = 1; number <= handler.AUTHORITIES(); ++number) {
            CollateralHandler.Certified memory book = handler.certifiedOf(number);
            Authority memory authority = handler.authority(number);
            _hold(3, number, authority.serial, book.serial);
            _hold(3, number, authority.notAfter, book.notAfter);
            _hold(3, number, authority.revoked ? 1 : 0, book.revoked ? 1 : 0);
        }
        for (uint16 issuer = 1; issuer <= 2; ++issuer) _holdInForce(issuer);
    }

    function _holdItem(uint256 position, CollateralKind kind, bytes32 id) private view {
        CollateralHandler.Book memory book = handler.bookOf(kind, id);
        CollateralItem memory item = handler.recorded(kind, id);
        _hold(2, position, item.issuedAt, book.issuedAt);
        _hold(2, position, item.nextUpdate, book.nextUpdate);
        _hold(2, position, item.number, book.number);
        _hold(2, position, item.signer, book.signer);
        _hold(2, position, uint160(item.data), uint160(book.data));
    }

    function _holdInForce(uint16 issuer) private view {
        uint256 expected = handler.validUntilOf(issuer);
        try handler.collateral().inForce(handler.FMSPC(), issuer) returns (InForce memory result) {
            _hold(4, issuer, result.validUntil, expected);
            _hold(4, issuer, result.issuerRevoked ? 1 : 0, handler.certifiedOf(issuer).revoked ? 1 : 0);
        } catch {
            _hold(4, issuer, 0, expected);
        }
    }

    /// @dev A fixed walk on which each kind must be taken, an authority revoked, and all of it be in force at times.
    function test_Handler_ShouldReachEveryKind() public {
        uint256 good;
        for (uint256 i = 0; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            uint256 step = seed % 8;
            if (step < 2) handler.upsertPckCrl(seed);
            else if (step == 2) handler.upsertRootCrl(seed);
            else if (step == 3) handler.upsertQeIdentity(seed);
            else if (step == 4) handler.upsertTcbInfo(seed);
            else if (step == 5) handler.addAuthority(seed);
            else if (step == 6) handler.letTimePass(seed);
            invariant_C1_C2_C3_C4_OnlyNewerAndInForce();
            if (handler.validUntilOf(1) != 0 && !handler.certifiedOf(1).revoked) ++good;
        }
        for (uint256 kind = 0; kind < 5; ++kind) {
            require(handler.accepted(kind) > 1, Broken(0, kind, bytes32(handler.accepted(kind)), "accepted"));
        }
        require(handler.refusals() != 0 && handler.revocations() != 0, Broken(0, 5, 0, "refused, revoked"));
        require(good > 8, Broken(0, 6, bytes32(good), "in force"));
    }
}
