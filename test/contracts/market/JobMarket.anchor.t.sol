// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IJobMarket } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobState } from "../../../contracts/interfaces/MarketTypes.sol";
import { MarketTest } from "./MarketTest.sol";

/// @notice Leaves of JobMarket.settle.tree that concern the anchor, against the real history contract of EIP-2935.
contract JobMarketAnchorTest is MarketTest {
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Source: EIP-2935, "Bytecode": the runtime code of the system contract.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    function setUp() public override {
        super.setUp();
        vm.etch(HISTORY, HISTORY_CODE);
        _setHistory(BLOCK - 8191, keccak256("oldest"));
    }

    /// @dev Stores a hash as the chain itself does: in a ring of 8,191 slots.
    function _setHistory(uint256 number, bytes32 hash) private {
        vm.store(HISTORY, bytes32(number % 8191), hash);
    }

    function _anchored(uint256 number, bytes32 hash) private returns (Settlement memory it) {
        it = _openJob();
        it.outcome.anchorBlock = uint64(number);
        it.outcome.anchorHash = hash;
        _sign(it);
    }

    function _badAnchor(uint256 number, bytes32 hash, bytes32 actual) private {
        _settleReverts(
            _anchored(number, hash),
            abi.encodeWithSelector(IJobMarket.JobMarket_BadAnchor.selector, number, hash, actual)
        );
    }

    function _goodAnchor(uint256 number, bytes32 hash) private {
        Settlement memory it = _anchored(number, hash);
        _settle(it);
        assertState(it.index, market.hashOrder(it.order), JobState.SettledOk);
    }

    function test_RevertWhen_AnchorIsThisBlock() public {
        _badAnchor(BLOCK, keccak256("this"), 0);
    }

    function test_RevertWhen_AnchorIsZeroHashOfThisBlock() public {
        _badAnchor(BLOCK, 0, 0);
    }

    function test_RevertWhen_AnchorIsLater() public {
        _badAnchor(BLOCK + 1, keccak256("later"), 0);
    }

    function test_RevertWhen_AnchorIsTheLastNumberThereIs() public {
        _badAnchor(type(uint64).max, 0, 0);
    }

    function test_RevertWhen_AnchorHasOtherHash() public {
        _badAnchor(BLOCK - 1, keccak256("fork"), keccak256("anchor"));
    }

    function test_RevertWhen_OldAnchorHasOtherHash() public {
        _badAnchor(BLOCK - 8191, keccak256("fork"), keccak256("oldest"));
    }

    function test_RevertWhen_AnchorOlderThanTheWindow() public {
        _setHistory(BLOCK - 8192, keccak256("too old"));
        _badAnchor(BLOCK - 8192, keccak256("too old"), 0);
    }

    function test_RevertGiven_ChainForgotTheHash() public {
        _badAnchor(BLOCK - 5000, 0, 0);
    }

    /// @dev What a history contract answers when it fails is not a hash.
    function test_RevertGiven_HistoryContractFailsWithData() public {
        vm.etch(HISTORY, hex"7f6661696c0000000000000000000000000000000000000000000000000000000060005260206000fd");
        _badAnchor(BLOCK - 300, bytes32("fail"), 0);
    }

    function test_RevertGiven_ChainWithoutHistoryContract() public {
        vm.etch(HISTORY, "");
        _badAnchor(BLOCK - 300, 0, 0);
    }

    function test_WhenAnchorIsTheBlockBefore_ShouldSettle() public {
        _goodAnchor(BLOCK - 1, keccak256("anchor"));
    }

    function test_WhenAnchorIsTheLastOfTheOpcode_ShouldSettle() public {
        vm.setBlockhash(BLOCK - 256, keccak256("256"));
        _goodAnchor(BLOCK - 256, keccak256("256"));
    }

    function test_WhenAnchorIsTheFirstOfTheHistory_ShouldSettle() public {
        _setHistory(BLOCK - 257, keccak256("257"));
        _goodAnchor(BLOCK - 257, keccak256("257"));
    }

    function test_WhenAnchorIsTheOldest_ShouldSettle() public {
        _goodAnchor(BLOCK - 8191, keccak256("oldest"));
    }
}
