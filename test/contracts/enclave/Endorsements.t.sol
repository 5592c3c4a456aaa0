// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Endorsement, IEndorsements } from "../../../contracts/interfaces/IEndorsements.sol";
import { Test, deploy } from "../../support/Test.sol";

/// @notice Endorsements.tree.
contract EndorsementsTest is Test {
    uint256 private constant NOW = 1_780_272_000;
    address private constant AUDITOR = address(0xA0D1);
    address private constant OTHER = address(0x07E5);
    bytes32 private constant WORKLOAD = keccak256("workload");
    bytes32 private constant SOURCE = bytes32(bytes20(hex"0123456789abcdef0123456789abcdef01234567"));
    string private constant URI = "https://auditor.example/report";

    IEndorsements private endorsements;

    function setUp() public {
        vm.warp(NOW);
        endorsements = IEndorsements(deploy("Endorsements", ""));
    }

    /* ENDORSE */

    function test_Endorse_RevertWhen_HashIsZero() public {
        bytes memory revertData = abi.encodeWithSelector(IEndorsements.Endorsements_ZeroHash.selector);
        vm.expectRevert(revertData);
        endorsements.endorse(0, SOURCE, URI);
        vm.expectRevert(revertData);
        endorsements.endorse(WORKLOAD, 0, URI);
    }

    function test_Endorse_RevertWhen_UriIsEmptyOrTooLong() public {
        vm.expectRevert(_badLength(0));
        endorsements.endorse(WORKLOAD, SOURCE, "");
        vm.expectRevert(_badLength(513));
        endorsements.endorse(WORKLOAD, SOURCE, string(new bytes(513)));
    }

    function test_Endorse_ShouldRecordTheCallersWordAlone() public {
        vm.expectEmit(address(endorsements));
        emit IEndorsements.Endorsed(AUDITOR, WORKLOAD, SOURCE, URI);
        _endorse(SOURCE, URI);
        _require(AUDITOR, WORKLOAD, Endorsement(SOURCE, uint40(NOW), 0));
        _require(OTHER, WORKLOAD, Endorsement(0, 0, 0));
        _require(AUDITOR, keccak256("another workload"), Endorsement(0, 0, 0));
    }

    function test_Endorse_WhenUriIsShortestOrLongest() public {
        _endorse(SOURCE, "u");
        _endorse(SOURCE, string(new bytes(512)));
    }

    function test_Endorse_GivenEndorsed_ShouldReplaceTheSource() public {
        _endorse(SOURCE, URI);
        vm.warp(NOW + 1);
        _endorse(keccak256("another source"), URI);
        _require(AUDITOR, WORKLOAD, Endorsement(keccak256("another source"), uint40(NOW + 1), 0));
    }

    function test_Endorse_GivenWithdrawn_ShouldStandAgain() public {
        _endorse(SOURCE, URI);
        _withdraw("");
        vm.warp(NOW + 1);
        _endorse(SOURCE, URI);
        _require(AUDITOR, WORKLOAD, Endorsement(SOURCE, uint40(NOW + 1), 0));
    }

    /* WITHDRAW */

    function test_Withdraw_RevertWhen_UriIsTooLong() public {
        _endorse(SOURCE, URI);
        vm.prank(AUDITOR);
        vm.expectRevert(_badLength(513));
        endorsements.withdraw(WORKLOAD, string(new bytes(513)));
    }

    function test_Withdraw_RevertGiven_NotEndorsedByTheCaller() public {
        _endorse(SOURCE, URI);
        vm.prank(OTHER);
        vm.expectRevert(_notEndorsed(OTHER, WORKLOAD));
        endorsements.withdraw(WORKLOAD, "");
        vm.prank(AUDITOR);
        vm.expectRevert(_notEndorsed(AUDITOR, keccak256("another workload")));
        endorsements.withdraw(keccak256("another workload"), "");
        _require(AUDITOR, WORKLOAD, Endorsement(SOURCE, uint40(NOW), 0));
    }

    function test_Withdraw_RevertGiven_Withdrawn() public {
        _endorse(SOURCE, URI);
        _withdraw(URI);
        vm.prank(AUDITOR);
        vm.expectRevert(_notEndorsed(AUDITOR, WORKLOAD));
        endorsements.withdraw(WORKLOAD, URI);
    }

    function test_Withdraw_ShouldKeepWhatWasSaid() public {
        _endorse(SOURCE, URI);
        vm.warp(NOW + 1);
        string memory reason = string(new bytes(512));
        vm.expectEmit(address(endorsements));
        emit IEndorsements.EndorsementWithdrawn(AUDITOR, WORKLOAD, reason);
        _withdraw(reason);
        _require(AUDITOR, WORKLOAD, Endorsement(SOURCE, uint40(NOW), uint40(NOW + 1)));
    }

    /* HELPERS */

    function _endorse(bytes32 sourceHash, string memory uri) private {
        vm.prank(AUDITOR);
        endorsements.endorse(WORKLOAD, sourceHash, uri);
    }

    function _withdraw(string memory reasonUri) private {
        vm.prank(AUDITOR);
        endorsements.withdraw(WORKLOAD, reasonUri);
    }

    function _require(address auditor, bytes32 workloadId, Endorsement memory expected) private view {
        Endorsement memory actual = endorsements.endorsement(auditor, workloadId);
        assertEq(abi.encode(actual), abi.encode(expected), "endorsement");
    }

    function _badLength(uint256 length) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEndorsements.Endorsements_BadUriLength.selector, length, 512);
    }

    function _notEndorsed(address auditor, bytes32 workloadId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEndorsements.Endorsements_NotEndorsed.selector, auditor, workloadId);
    }
}
