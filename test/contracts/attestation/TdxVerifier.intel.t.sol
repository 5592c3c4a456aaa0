// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TdxVerifier } from "../../../contracts/attestation/TdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { ITdxVerifier, PckCertificate, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { IntelQuotes } from "./IntelQuotes.sol";

/// @notice Real quotes under Intel's real root: what is accepted, what is refused, and when.
contract TdxVerifierIntelTest is IntelQuotes {
    // 2032-11-06 07:37:34, 2031-02-14 12:05:18, 2032-02-06 23:25:51: the leaves end before the Platform CA does.
    uint64 private constant NEARMPC_NOT_BEFORE = 1_762_414_654;
    uint64 private constant NEARMPC_NOT_AFTER = 1_983_339_454;
    uint64 private constant GCP_NOT_AFTER = 1_928_837_118;
    uint64 private constant PHALA_NOT_AFTER = 1_959_722_751;

    function _assertVerifies(string memory name, bytes memory ppid, uint64 validUntil) private view {
        QuoteVerdict memory cut = verifier.verify(quoteOf(name), leafOf(name), issuer);
        assertEq(cut.platformId, keccak256(ppid), "platformId");
        assertEq(uint256(cut.tcbStatus), uint256(TcbStatus.Unevaluated), "tcbStatus");
        assertEq(cut.validUntil, validUntil, "validUntil");

        // As the platform gave it, with PEM chain and padding: the same verdict.
        QuoteVerdict memory whole =
            verifier.verify(read(string.concat(name, ".quote.bin")), leafOf(name), issuer);
        assertEq(abi.encode(whole), abi.encode(cut), "verdict of the whole quote");
    }

    function test_WhenQuoteIsOfNearMpc() public view {
        _assertVerifies("nearmpc", hex"d208dfb1002346ae1bb4ef2a3c055292", NEARMPC_NOT_AFTER);
    }

    function test_WhenQuoteIsOfGoogleCloud() public view {
        _assertVerifies("gcp", hex"85d50af2ad61799ebce974b7b0978b46", GCP_NOT_AFTER);
    }

    function test_WhenQuoteIsOfPhala() public view {
        _assertVerifies("phala", hex"811dca2a26b952e85bb6448b097ba4fd", PHALA_NOT_AFTER);
    }

    function test_RootKey() public view {
        (bytes32 x, bytes32 y) = verifier.rootKey();
        assertEq(x, INTEL_X, "x");
        assertEq(y, INTEL_Y, "y");
    }
}
