// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ConsentState, IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import { JobOrder, JobState, LeafCounts, Session, SessionState } from "../../../contracts/interfaces/MarketTypes.sol";
import { VM, Vm } from "../../support/Test.sol";
import { MarketHandler } from "./MarketHandler.sol";
import { MarketModel } from "./MarketModel.sol";
import { MarketReplay } from "./MarketReplay.sol";
import { MarketSessionHandler } from "./MarketSessionHandler.sol";
import { MarketSessionModel } from "./MarketSessionModel.sol";
import { MarketSessionReplay } from "./MarketSessionReplay.sol";

/// @dev Hardhat's runner only fuzzes contracts that the test's own file declares.
contract Target is MarketSessionHandler { }

/// @notice The invariants M1 to M16 that README.md numbers.
contract MarketInvariantTest {
    Vm private constant vm = VM;

    /// @notice `invariant` (its number) does not hold for the job, account or token at `position`.
    error Broken(uint256 invariant, uint256 position, bytes32 actual, bytes32 expected);
    /// @notice A call ended otherwise than the model says.
    error Unforeseen(bytes4 selector, bool succeeded, bytes answer, bytes model);

    MarketSessionHandler private handler;
    IMarket private market;
    IDatasetRegistry private datasets;
    MarketSessionModel private model;
    MarketSessionReplay private replay;

    function setUp() public {
        // From the artifact: embedded, all of it would be compiled once more.
        bytes memory code = vm.getCode("Market.t.sol:Target");
        address target;
        assembly ("memory-safe") {
            target := create(0, add(code, 0x20), mload(code))
        }
        _hold(0, 0, target != address(0), true);
        handler = MarketSessionHandler(target);
        (market, datasets, model, replay) =
            (handler.market(), handler.datasets(), handler.model(), handler.replay());
    }

    /// @dev Read by the runner: only the handler is called.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /* AFTER EACH CALL */

    /// hardhat-config: default.invariant.runs = 256
    /// hardhat-config: default.invariant.depth = 128
    /// hardhat-config: deep.invariant.runs = 2048
    /// hardhat-config: deep.invariant.depth = 256
    function invariant_M_Market() public view {
        _requireForeseen();
        for (uint256 t = 0; t < handler.TOKENS(); ++t) {
            _checkMoney(t, handler.tokens(t));
        }
    }

    function _requireForeseen() private view {
        // M9
        if (handler.mismatches() != 0) {
            MarketHandler.Mismatch memory it = handler.mismatch();
            revert Unforeseen(it.selector, it.succeeded, it.answer, it.model);
        }
        _hold(16, 0, handler.untyped(), 0);
    }

    function _checkMoney(uint256 t, address token) private view {
        uint256 credits = 0;
        for (uint256 a = 0; a < handler.ACCOUNTS(); ++a) {
            address account = handler.accounts(a);
            uint256 credit = market.creditOf(account, token);
            _hold(4, a, credit, model.creditOf(account, token));
            _hold(15, a, credit, replay.creditOf(account, token));
            credits += credit;
        }
        uint256 owed = market.owedOf(token);
        _hold(1, t, owed, credits + model.escrowOf(token));
        _hold(1, t, _heldOf(token), owed);
        _hold(15, t, owed, replay.owedOf(token));
    }

    function _heldOf(address token) private view returns (uint256) {
        return _balanceOf(address(market), token);
    }

    function _balanceOf(address account, address token) private view returns (uint256) {
        return token == address(0) ? account.balance : IERC20(token).balanceOf(account);
    }

    function _hold(uint256 invariant, uint256 position, bytes32 actual, bytes32 expected) private pure {
        require(actual == expected, Broken(invariant, position, actual, expected));
    }

    function _hold(uint256 invariant, uint256 position, uint256 actual, uint256 expected) private pure {
        _hold(invariant, position, bytes32(actual), bytes32(expected));
    }

    function _hold(uint256 invariant, uint256 position, bool actual, bool expected) private pure {
        _hold(invariant, position, actual ? 1 : 0, expected ? 1 : 0);
    }

    /* AFTER EACH RUN */

    /// @dev Called by the runner. Looks at all there is, then ends it all.
    function afterInvariant() public {
        _checkWallets();
        _checkJobs();
        _checkSessions();
        _checkGrants();
        _checkNonces();
        _checkDatasets();
        _endEverything();
    }

    function _checkWallets() private view {
        for (uint256 t = 0; t < handler.TOKENS(); ++t) {
            for (uint256 a = 0; a < handler.ACCOUNTS(); ++a) {
                (address account, address token) = (handler.accounts(a), handler.tokens(t));
                int256 expected = int256(handler.WEALTH()) + model.walletOf(account, token);
                _hold(5, a, _balanceOf(account, token), uint256(expected));
            }
        }
    }

    function _checkJobs() private view {
        uint256 count = market.jobCount();
        _hold(2, 0, count, model.jobCount());
        _hold(15, 0, count, replay.jobCount());
        for (uint256 j = 0; j < count; ++j) {
            MarketModel.Job memory job = model.jobAt(j);
            MarketReplay.Job memory heard = replay.jobAt(j);
            _hold(15, j, heard.jobId, job.jobId);
            uint256 state = uint256(market.jobState(j, job.jobId));
            _hold(2, j, state, uint256(job.state));
            _hold(15, j, state, uint256(heard.state));
            _hold(2, j, uint256(market.jobState(j, ~job.jobId)), uint256(JobState.None));

            JobOrder memory order = abi.decode(job.order, (JobOrder));
            uint256 locked = job.state == JobState.Open || job.state == JobState.Accepted ? model.costOf(order) : 0;
            if (job.state == JobState.Accepted) locked += order.bond;
            _hold(3, j, replay.lockedOf(job.jobId), locked);
            _hold(3, j, model.lockedOf(job.jobId), locked);
            _checkVoices(j, job, heard);
        }
    }

    function _checkVoices(uint256 j, MarketModel.Job memory job, MarketReplay.Job memory heard) private view {
        (address signer, address bonder) = market.acceptance(job.jobId);
        _hold(12, j, _word(signer), _word(job.acceptedBy));
        _hold(12, j, _word(bonder), _word(job.bonder));
        _hold(15, j, keccak256(abi.encode(signer, bonder)), keccak256(abi.encode(heard.acceptedBy, heard.bonder)));

        (bytes32 said, bytes16[] memory platformIds, address[] memory operators) = market.ballot(job.jobId);
        bool several = abi.decode(job.order, (JobOrder)).quorum > 1;
        _hold(11, j, said, several ? job.said : bytes32(0));
        _hold(11, j, operators.length, several ? job.voters.length : 0);
        for (uint256 i = 0; i < operators.length; ++i) {
            MarketModel.Enclave memory enclave = model.enclaveOf(job.voters[i]);
            _hold(11, j, _word(operators[i]), _word(enclave.operator));
            _hold(11, j, platformIds[i], enclave.platformId);
            for (uint256 k = 0; k < i; ++k) {
                require(platformIds[i] != platformIds[k], Broken(11, j, platformIds[i], platformIds[k]));
            }
        }
        _hold(
            15,
            j,
            keccak256(abi.encode(said, platformIds, operators)),
            keccak256(abi.encode(heard.said, heard.platformIds, heard.operators))
        );
    }

    function _checkSessions() private view {
        for (uint256 i = 0; i < model.sessionCount(); ++i) {
            MarketSessionModel.Session memory it = model.sessionAt(i);
            (Session memory stored, bytes32 root) = market.session(it.sessionId);
            (Session memory heard, bytes32 heardRoot) = replay.session(it.sessionId);
            _hold(15, i, keccak256(abi.encode(heard, heardRoot)), keccak256(abi.encode(stored, root)));
            _hold(13, i, uint256(stored.state), uint256(it.state));
            _hold(13, i, stored.claimedAt, it.claimedAt);
            _hold(13, i, stored.okCount, it.okCount);
            _hold(13, i, stored.failedCount, it.failedCount);
            _hold(13, i, _word(stored.operator), _word(it.operator));
            _hold(13, i, root, it.root);
            _checkLeaves(i, it);
        }
    }

    /// @dev Each leaf is open, disputed or shown as the model says; what is locked is the cost and the bonds of those disputed
    /// until they are shown, less what those that were shown were paid.
    function _checkLeaves(uint256 i, MarketSessionModel.Session memory it) private view {
        LeafCounts memory counts = market.leafCounts(it.sessionId);
        _hold(15, i, keccak256(abi.encode(replay.leafCounts(it.sessionId))), keccak256(abi.encode(counts)));
        LeafCounts memory expected;
        for (uint256 leaf = 0; leaf < it.okCount + it.failedCount; ++leaf) {
            (bool disputed, bool shown) = market.leafState(it.sessionId, leaf);
            (bool heardDisputed, bool heardShown) = replay.leafState(it.sessionId, leaf);
            _hold(13, i, disputed, model.isDisputed(it.sessionId, leaf));
            _hold(13, i, shown, model.isShown(it.sessionId, leaf));
            _hold(15, i, heardDisputed == disputed && heardShown == shown, true);
            bool ok = leaf < it.okCount;
            if (shown && ok) ++expected.settledOk;
            if (shown && !ok) ++expected.settledFailed;
            if (disputed && !shown && ok) ++expected.disputedOk;
            if (disputed && !shown && !ok) ++expected.disputedFailed;
        }
        _hold(13, i, keccak256(abi.encode(counts)), keccak256(abi.encode(expected)));

        JobOrder memory order = abi.decode(it.order, (JobOrder));
        uint256 locked = 0;
        if (it.state == SessionState.Open || it.state == SessionState.Claimed) {
            locked = (it.terms.maxJobs - counts.settledOk) * model.costOf(order);
            locked -= counts.settledFailed * order.failureFee;
            locked += (uint256(counts.disputedOk) + counts.disputedFailed) * it.terms.disputeBond;
        }
        _hold(3, i, replay.lockedOf(it.sessionId), locked);
        _hold(3, i, model.lockedOf(it.sessionId), locked);
    }

    function _checkGrants() private view {
        for (uint256 i = 0; i < handler.grantCount(); ++i) {
            bytes32 grantHash = handler.grantHashes(i);
            uint256 uses = market.grantUses(grantHash);
            uint256 maxUses = handler.maxUsesOf(grantHash);
            require(uses <= maxUses, Broken(8, i, bytes32(uses), bytes32(maxUses)));
            _hold(8, i, uses, model.grantUses(grantHash));
            _hold(15, i, uses, maxUses == 0 ? 0 : replay.grantUses(grantHash));
        }
    }

    function _checkNonces() private view {
        for (uint256 a = 0; a < handler.ACCOUNTS(); ++a) {
            address account = handler.accounts(a);
            for (uint256 nonce = 0; nonce < handler.NONCES(); ++nonce) {
                bool used = market.isNonceUsed(account, nonce);
                _hold(10, nonce, used, model.isNonceUsed(account, nonce));
                _hold(15, nonce, used, replay.isNonceUsed(account, nonce));
            }
        }
    }

    function _checkDatasets() private view {
        for (uint256 i = 0; i < handler.datasetCount(); ++i) {
            bytes32 datasetId = handler.datasetIds(i);
            MarketModel.Entry memory entry = model.entryOf(datasetId);
            _hold(15, i, keccak256(abi.encode(datasets.dataset(datasetId))), keccak256(abi.encode(replay.dataset(datasetId))));
            _hold(14, i, keccak256(abi.encode(datasets.payeesOf(datasetId))), keccak256(abi.encode(entry.payees)));
            _hold(15, i, keccak256(abi.encode(replay.payeesOf(datasetId))), keccak256(abi.encode(entry.payees)));
            _hold(14, i, _word(datasets.pendingOwnerOf(datasetId)), _word(entry.pending));
            _hold(15, i, _word(replay.pendingOwnerOf(datasetId)), _word(entry.pending));
            for (uint256 n = 0; n < handler.GRANT_NONCES(); ++n) {
                uint256 nonce = handler.grantNonce(n);
                bool revoked = model.isNonceRevoked(entry.owner, nonce);
                _hold(15, i, replay.isGrantNonceRevoked(entry.owner, nonce), revoked);
                ConsentState memory expected = ConsentState({
                    owner: entry.owner,
                    sizeBytes: entry.sizeBytes,
                    epoch: entry.epoch,
                    ownerEpoch: model.ownerEpochOf(entry.owner),
                    payeeCount: uint8(entry.payees.length),
                    revoked: revoked || entry.retired
                });
                _hold(14, i, keccak256(abi.encode(datasets.consentOf(datasetId, nonce))), keccak256(abi.encode(expected)));
                _hold(15, i, replay.ownerEpochOf(entry.owner), expected.ownerEpoch);
            }
        }
    }

    /// @dev Past all deadlines each job that holds money is refunded, and everyone takes out what is theirs.
    function _endEverything() private {
        vm.warp(vm.getBlockTimestamp() + 366 days);
        for (uint256 j = 0; j < model.jobCount(); ++j) {
            MarketModel.Job memory job = model.jobAt(j);
            if (job.state != JobState.Open && job.state != JobState.Accepted) continue;
            market.expire(j, abi.decode(job.order, (JobOrder)));
            _hold(6, j, uint256(market.jobState(j, job.jobId)), uint256(JobState.Expired));
        }
        for (uint256 i = 0; i < model.sessionCount(); ++i) {
            MarketSessionModel.Session memory it = model.sessionAt(i);
            JobOrder memory order = abi.decode(it.order, (JobOrder));
            if (it.state == SessionState.Open) market.expireSession(order, it.terms);
            if (it.state == SessionState.Claimed) market.closeSession(order, it.terms);
        }
        for (uint256 t = 0; t < handler.TOKENS(); ++t) {
            address token = handler.tokens(t);
            for (uint256 a = 0; a < handler.ACCOUNTS(); ++a) {
                address account = handler.accounts(a);
                uint256 credit = market.creditOf(account, token);
                if (credit == 0) continue;
                vm.prank(account);
                market.withdraw(token, account, credit);
            }
            _hold(7, t, market.owedOf(token), 0);
            _hold(7, t, _heldOf(token), 0);
        }
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /* THE HANDLER ITSELF */

    /// @dev A fixed walk on which every kind of call must succeed and be refused, and every state be reached.
    function test_Handler_ShouldReachEveryState() public {
        for (uint256 i = 0; i < 1_500; ++i) {
            _step(uint256(keccak256(abi.encode("walk", i))));
            if (i % 50 == 0) invariant_M_Market();
        }
        uint256[8] memory reached;
        for (uint256 j = 0; j < model.jobCount(); ++j) {
            ++reached[uint256(model.stateAt(j))];
        }
        for (uint256 state = uint256(JobState.Open); state < reached.length; ++state) {
            require(reached[state] != 0, Broken(0, state, 0, bytes32(uint256(1))));
        }
        bytes4[23] memory all = [
            market.open.selector,
            market.accept.selector,
            market.settle.selector,
            market.settleOrders.selector,
            market.cancel.selector,
            market.expire.selector,
            market.cancelNonce.selector,
            market.deposit.selector,
            market.depositWithPermit.selector,
            market.withdraw.selector,
            market.withdrawBySignature.selector,
            market.multicall.selector,
            market.openSession.selector,
            market.claimSession.selector,
            market.disputeLeaf.selector,
            market.settleLeaf.selector,
            market.closeSession.selector,
            market.expireSession.selector,
            datasets.register.selector,
            datasets.offerOwnership.selector,
            datasets.takeOwnership.selector,
            datasets.retire.selector,
            datasets.revokeGrantNonce.selector
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            require(handler.successes(all[i]) != 0, Broken(0, i, all[i], 0));
            require(handler.refusals(all[i]) != 0, Broken(0, i, all[i], bytes32(uint256(1))));
        }
        invariant_M_Market();
        afterInvariant();
    }

    function _step(uint256 seed) private {
        uint256 step = seed % 20;
        if (step == 0) handler.open(seed);
        else if (step == 1) handler.accept(seed);
        else if (step == 2) handler.settle(seed);
        else if (step == 3) handler.settleOrders(seed);
        else if (step == 4) handler.end(seed);
        else if (step == 5) handler.cancelNonce(seed);
        else if (step == 6) handler.deposit(seed);
        else if (step == 7) handler.withdraw(seed);
        else if (step == 8) handler.multicall(seed);
        else if (step == 9) handler.repeat(seed);
        else if (step == 10) handler.letTimePass(seed);
        else if (step == 11) handler.register(seed);
        else if (step == 12) handler.handle(seed);
        else if (step == 13) handler.revoke(seed);
        else if (step == 14) handler.open(seed);
        else if (step == 15) handler.settle(seed);
        else if (step == 16) handler.openSession(seed);
        else if (step == 17) handler.claimSession(seed);
        else if (step == 18) handler.leaf(seed);
        else handler.endSession(seed);
    }
}
