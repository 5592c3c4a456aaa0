// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { JobOrder, JobState } from "../../../contracts/interfaces/IJobMarket.sol";
import { JobMarket } from "../../../contracts/market/JobMarket.sol";
import { Vm } from "../../support/Test.sol";
import { MarketHandler } from "./MarketHandler.sol";

/// @dev Hardhat's runner only fuzzes contracts that the test's own file declares.
contract Target is MarketHandler { }

/// @notice The invariants that README.md numbers.
contract MarketInvariantTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice `invariant` (its number) does not hold for the job, account or token at `position`.
    error Broken(uint256 invariant, uint256 position, uint256 actual, uint256 expected);

    MarketHandler private handler;
    JobMarket private market;

    function setUp() public {
        handler = new Target();
        market = handler.market();
    }

    /// @dev Read by the runner: only the handler is called.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function _hold(uint256 invariant, uint256 position, uint256 actual, uint256 expected) private pure {
        require(actual == expected, Broken(invariant, position, actual, expected));
    }

    function _heldOf(address token) private view returns (uint256) {
        return token == address(0) ? address(market).balance : IERC20(token).balanceOf(address(market));
    }

    /* THE MONEY: I1, I3, I4 */

    /// hardhat-config: invariant.runs = 32
    /// hardhat-config: invariant.depth = 64
    function invariant_I1_I3_I4_Money() public view {
        for (uint256 t = 0; t < 3; ++t) {
            address token = handler.tokens(t);
            uint256 owed = 0;
            for (uint256 a = 0; a < 9; ++a) {
                address account = handler.accounts(a);
                uint256 credit = market.creditOf(account, token);
                _hold(4, a, credit, handler.creditOf(account, token));
                owed += credit;
            }
            for (uint256 j = 0; j < handler.jobCount(); ++j) {
                MarketHandler.Job memory job = handler.jobAt(j);
                bool open = market.jobState(j, job.jobId) == JobState.Open;
                _hold(3, j, job.credited, open ? 0 : job.cost);
                if (open && job.token == token) owed += job.cost;
            }
            _hold(1, t, _heldOf(token), owed);
        }
    }

    /* THE JOBS: I2, I7 */

    /// hardhat-config: invariant.runs = 32
    /// hardhat-config: invariant.depth = 64
    function invariant_I2_I7_JobsAndGrants() public view {
        _hold(2, 0, handler.thefts(), 0);
        _hold(2, 0, market.jobCount(), handler.jobCount());
        for (uint256 j = 0; j < handler.jobCount(); ++j) {
            MarketHandler.Job memory job = handler.jobAt(j);
            _hold(2, j, uint256(market.jobState(j, job.jobId)), uint256(job.state));
            _hold(2, j, job.endings, job.state == JobState.Open ? 0 : 1);
        }
        bytes32[] memory hashes = handler.grantHashes();
        for (uint256 i = 0; i < hashes.length; ++i) {
            uint256 uses = market.grantUses(hashes[i]);
            uint256 maxUses = handler.maxUsesOf(hashes[i]);
            _hold(7, i, uses, handler.usesOf(hashes[i]));
            require(maxUses == 0 || uses <= maxUses, Broken(7, i, uses, maxUses));
        }
    }

    /* THE WAY OUT: I5, I6 */

    /// @dev Runs to the end of time after each call; the runner drops what an invariant changes.
    /// hardhat-config: invariant.runs = 16
    /// hardhat-config: invariant.depth = 48
    function invariant_I5_I6_EveryoneGetsOut() public {
        _closeEverything();
        for (uint256 t = 0; t < 3; ++t) {
            _hold(6, t, _heldOf(handler.tokens(t)), 0);
        }
    }

    function _closeEverything() private {
        vm.warp(vm.getBlockTimestamp() + 365 days);
        for (uint256 j = 0; j < handler.jobCount(); ++j) {
            MarketHandler.Job memory job = handler.jobAt(j);
            if (job.state != JobState.Open) continue;
            market.expire(j, abi.decode(job.order, (JobOrder)));
            _hold(5, j, uint256(market.jobState(j, job.jobId)), uint256(JobState.Expired));
        }
        for (uint256 a = 0; a < 9; ++a) {
            for (uint256 t = 0; t < 3; ++t) {
                address account = handler.accounts(a);
                uint256 credit = market.creditOf(account, handler.tokens(t));
                if (credit == 0) continue;
                address token = handler.tokens(t);
                vm.prank(account);
                market.withdraw(token, account, credit);
            }
        }
    }

    /* THE HANDLER ITSELF */

    /// @dev A fixed walk on which every kind of ending, payment and refusal must occur, and all invariants hold.
    function test_Handler_ShouldReachEveryState() public {
        for (uint256 i = 0; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            uint256 step = seed % 12;
            if (step < 4) handler.open(seed);
            else if (step < 6) handler.settle(seed);
            else if (step == 6) handler.cancel(seed);
            else if (step == 7) handler.expire(seed);
            else if (step == 8) handler.withdraw(seed);
            else if (step == 9) handler.steal(seed);
            else if (step == 10) handler.letTimePass(seed);
            else if (i % 8 == 0) handler.revoke(seed);
        }
        uint256[6] memory reached;
        for (uint256 j = 0; j < handler.jobCount(); ++j) {
            ++reached[uint256(handler.jobAt(j).state)];
        }
        for (uint256 state = uint256(JobState.Open); state <= uint256(JobState.Expired); ++state) {
            require(reached[state] != 0, Broken(0, state, 0, 1));
        }
        require(handler.withdrawals() != 0 && handler.refusals() != 0, Broken(0, 0, 0, 1));
        invariant_I1_I3_I4_Money();
        invariant_I2_I7_JobsAndGrants();
        invariant_I5_I6_EveryoneGetsOut();
    }
}
