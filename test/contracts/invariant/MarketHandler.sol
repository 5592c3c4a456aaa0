// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import {
    Grant,
    JobOrder,
    JobState,
    Offer,
    OrderGroup,
    OrderItem,
    Outcome,
    ShownGrant,
    SignedOffer
} from "../../../contracts/interfaces/MarketTypes.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { MarketModel } from "./MarketModel.sol";
import { MarketWorld } from "./MarketWorld.sol";

/// @notice Does whatever users and attackers of the market may do, and asks the model whether it may succeed.
abstract contract MarketHandler is MarketWorld {
    /// @dev One call, and what to ask the model. The model's first argument is the sender, the second of those that can be
    /// paid for the value.
    struct Act {
        address sender;
        address target;
        uint256 value;
        bytes call;
        bytes model;
    }

    /// @dev What settles a job, as the market sees it and as the model does.
    struct Settling {
        uint256 index;
        JobOrder order;
        Outcome outcome;
        bytes signature;
        address signer;
        ShownGrant[] shown;
        MarketModel.Given[] given;
        SignedOffer[] offer;
        Offer[] offers;
        address offerSigner;
    }

    /// @notice A call that ended otherwise than the model says.
    struct Mismatch {
        bytes4 selector;
        bool succeeded;
        bytes answer;
        bytes model;
    }

    bytes32 private constant ACCEPTANCE = keccak256("JobAcceptance(bytes32 jobId,address bonder)");
    bytes32 private constant WITHDRAWAL = keccak256(
        "Withdrawal(address account,address token,address to,uint256 amount,uint256 nonce,uint64 deadline)"
    );
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    uint256 private constant MAX_DATASETS = 8;

    Act[] private _done; // those that succeeded, to be tried again
    uint256 public mismatches;
    Mismatch private _mismatch; // the first
    /// @notice Refusals without a reason, or by a panic.
    uint256 public untyped;
    uint256 public calls;
    mapping(bytes4 selector => uint256) public successes;
    mapping(bytes4 selector => uint256) public refusals;

    constructor() {
        for (uint256 i = 0; i < PROVIDERS; ++i) {
            _register(i, i == 0);
        }
    }

    function mismatch() external view returns (Mismatch memory) {
        return _mismatch;
    }

    /* JOBS */

    /// @notice Opens a job: sent by the requester, its sponsor or anyone; signed as it must be, or not.
    function open(uint256 seed) external {
        _run(_open(seed));
    }

    /// @notice Has an enclave accept a job; its operator or somebody else stakes the bond.
    function accept(uint256 seed) external {
        if (model.jobCount() == 0) return;
        (uint256 index, JobOrder memory order) = _live(seed, JobState.Open, true);
        address bonder = accounts[_pick(seed, 2, 2) == 0 ? OPERATOR + _pick(seed, 3, 2) : _pick(seed, 3, PAYERS)];
        address named = _pick(seed, 4, 16) == 0 ? accounts[STRANGER] : bonder;
        address signer = _signer(seed, order);
        bytes32 digest = _typed(keccak256(abi.encode(ACCEPTANCE, market.hashOrder(order), named)));
        _run(
            Act({
                sender: bonder,
                target: address(market),
                value: 0,
                call: abi.encodeCall(market.accept, (index, order, _sign(signer, digest))),
                model: abi.encodeCall(model.accept, (bonder, index, order, signer, named))
            })
        );
    }

    /// @notice Settles a job, or casts a vote, by a receipt of any enclave that anyone relays.
    function settle(uint256 seed) external {
        if (model.jobCount() != 0) _run(_settle(seed));
    }

    /// @notice Settles signed orders.
    function settleOrders(uint256 seed) external {
        uint256 count = 1 + _pick(seed, 1, 2);
        OrderGroup[] memory groups = new OrderGroup[](count);
        MarketModel.Signers[] memory signers = new MarketModel.Signers[](count);
        address sender = accounts[_pick(seed, 2, ACCOUNTS)];
        for (uint256 i = 0; i < count; ++i) {
            (groups[i], signers[i]) = _group(uint256(keccak256(abi.encode(seed, i))));
        }
        _run(
            Act({
                sender: sender,
                target: address(market),
                value: 0,
                call: abi.encodeCall(market.settleOrders, (groups)),
                model: abi.encodeCall(model.settleOrders, (sender, groups, signers))
            })
        );
    }

    /// @notice Cancels or expires a job, by whom and when it may be, and otherwise.
    function end(uint256 seed) external {
        if (model.jobCount() != 0) _run(_end(seed));
    }

    /// @notice Takes a nonce back.
    function cancelNonce(uint256 seed) external {
        address sender = accounts[_pick(seed, 1, PAYERS)];
        uint256 nonce = _pick(seed, 2, NONCES);
        _run(
            Act({
                sender: sender,
                target: address(market),
                value: 0,
                call: abi.encodeCall(market.cancelNonce, (nonce)),
                model: abi.encodeCall(model.cancelNonce, (sender, nonce))
            })
        );
    }

    /* MONEY */

    /// @notice Pays in, for oneself or another: native coin, by allowance, by permit.
    function deposit(uint256 seed) external {
        if (_pick(seed, 1, 4) == 0) _depositWithPermit(seed);
        else _run(_deposit(seed));
    }

    /// @notice Takes credit out, up to and beyond what there is, by call or by signature.
    function withdraw(uint256 seed) external {
        _run(_pick(seed, 1, 2) == 0 ? _withdraw(seed) : _withdrawBySignature(seed));
    }

    /* SEVERAL AT ONCE, AGAIN, LATER */

    /// @notice Makes two or three calls in one, all by the same sender.
    function multicall(uint256 seed) external {
        if (model.jobCount() == 0) return;
        uint256 count = 2 + _pick(seed, 1, 2);
        bytes[] memory marketCalls = new bytes[](count);
        bytes[] memory modelCalls = new bytes[](count);
        address sender = accounts[_pick(seed, 2, PAYERS)];
        for (uint256 i = 0; i < count; ++i) {
            Act memory act = _any(uint256(keccak256(abi.encode(seed, i))));
            (marketCalls[i], modelCalls[i]) = (act.call, _sentBy(act.model, sender));
            if (act.value != 0) return; // takes no native coin
        }
        _run(
            Act({
                sender: sender,
                target: address(market),
                value: 0,
                call: abi.encodeCall(market.multicall, (marketCalls)),
                model: abi.encodeCall(model.multicall, (modelCalls))
            })
        );
    }

    /// @notice Repeats what succeeded before, by the same sender or another.
    function repeat(uint256 seed) external {
        if (_done.length == 0) return;
        Act memory act = _done[_pick(seed, 1, _done.length)];
        if (_pick(seed, 2, 2) == 0 && bytes4(act.model) != model.multicall.selector) {
            act.sender = accounts[_pick(seed, 3, ACCOUNTS)];
            act.model = _sentBy(act.model, act.sender);
        }
        _run(act);
    }

    /// @notice Lets time pass.
    function letTimePass(uint256 seed) external {
        vm.warp(block.timestamp + _pick(seed, 1, _pick(seed, 2, 4) == 0 ? 3 hours : 10 minutes));
    }

    /* DATA SETS */

    /// @notice Registers a data set; some of its payees are not as they must be.
    function register(uint256 seed) external {
        if (datasetIds.length < MAX_DATASETS) _register(seed, _pick(seed, 1, 2) == 0);
    }

    /// @notice Updates, offers, takes or retires a data set, by its owner or by others.
    function handle(uint256 seed) external {
        bytes32 datasetId = datasetIds[_pick(seed, 1, datasetIds.length)];
        MarketModel.Entry memory entry = model.entryOf(datasetId);
        address sender = _pick(seed, 2, 4) == 0 ? accounts[_pick(seed, 3, ACCOUNTS)] : entry.owner;
        address to = accounts[PROVIDER + _pick(seed, 4, PROVIDERS)];
        uint256 what = _pick(seed, 5, 32);
        Act memory act = Act(sender, address(datasets), 0, "", "");
        if (what < 3 || what > 15) {
            string memory uri = what == 0 ? "ipfs://y" : "ipfs://z";
            act.call = abi.encodeCall(datasets.update, (datasetId, uri, "{\"v\":2}"));
            act.model = abi.encodeCall(model.update, (sender, datasetId));
        } else if (what < 9) {
            if (what == 3) to = address(0);
            act.call = abi.encodeCall(datasets.offerOwnership, (datasetId, to));
            act.model = abi.encodeCall(model.offerOwnership, (sender, datasetId, to));
        } else if (what < 15) {
            if (entry.pending != address(0) && what != 9) act.sender = entry.pending;
            act.call = abi.encodeCall(datasets.takeOwnership, (datasetId));
            act.model = abi.encodeCall(model.takeOwnership, (act.sender, datasetId));
        } else {
            act.call = abi.encodeCall(datasets.retire, (datasetId));
            act.model = abi.encodeCall(model.retire, (sender, datasetId));
        }
        _run(act);
    }

    /// @notice Takes consent back: of one data set, of one owner, of one nonce.
    function revoke(uint256 seed) external {
        uint256 what = _pick(seed, 1, 12);
        address sender = accounts[PROVIDER + _pick(seed, 2, PROVIDERS)];
        bytes32 datasetId = datasetIds[_pick(seed, 3, datasetIds.length)];
        uint256 nonce = grantNonce(_pick(seed, 4, GRANT_NONCES));
        Act memory act = Act(sender, address(datasets), 0, "", "");
        if (what == 0) {
            act.call = abi.encodeCall(datasets.revokeAllGrants, (datasetId));
            act.model = abi.encodeCall(model.revokeAllGrants, (sender, datasetId));
        } else if (what == 1) {
            act.call = abi.encodeCall(datasets.revokeAllOwnGrants, ());
            act.model = abi.encodeCall(model.revokeAllOwnGrants, (sender));
        } else {
            act.call = abi.encodeCall(datasets.revokeGrantNonce, (nonce));
            act.model = abi.encodeCall(model.revokeGrantNonce, (sender, nonce));
        }
        _run(act);
    }

    /* CALLS */

    function _any(uint256 seed) private returns (Act memory) {
        uint256 what = _pick(seed, 70, 6);
        if (what == 0) return _open(seed);
        if (what == 1) return _settle(seed);
        if (what == 2) return _end(seed);
        if (what == 3) return _deposit(seed);
        return what == 4 ? _withdraw(seed) : _withdrawBySignature(seed);
    }

    function _open(uint256 seed) private returns (Act memory act) {
        JobOrder memory order = _order(seed);
        _bind(seed, order);
        bytes32 jobId = market.hashOrder(order);
        address sender = _pick(seed, 80, 4) == 0 ? accounts[_pick(seed, 81, ACCOUNTS)] : order.requester;
        (bytes memory byRequester, address requesterSigner) = _consent(seed, 82, order.requester, sender, jobId);
        (bytes memory byPayer, address payerSigner) = _consent(seed, 84, order.payer, sender, jobId);
        uint256 value = 0;
        if (order.token == address(0)) {
            uint256 cost = model.costOf(order);
            uint256 credit = model.creditOf(order.payer, address(0));
            value = _pick(seed, 86, 2) == 0 ? cost : cost > credit ? cost - credit : 0;
            if (_pick(seed, 87, 16) == 0) value = cost / 2;
        } else if (_pick(seed, 87, 16) == 0) {
            value = 1;
        }
        act.sender = sender;
        act.target = address(market);
        act.value = value;
        act.call = abi.encodeCall(market.open, (order, "ipfs://p", "{}", byRequester, byPayer));
        act.model = abi.encodeCall(model.open, (sender, value, order, requesterSigner, payerSigner));
    }

    /// @dev Acceptance with a bond, or a quorum; at times both, or what may not be.
    function _bind(uint256 seed, JobOrder memory order) private view {
        uint256 how = _pick(seed, 90, 8);
        if (how < 3) {
            order.acceptBy = uint64(block.timestamp + _pick(seed, 91, order.deadline - block.timestamp + 1));
            order.bond = _pick(seed, 92, 1e6);
        } else if (how < 5) {
            order.quorum = uint8(2 + _pick(seed, 93, 2));
            if (_pick(seed, 95, 4) != 0) order.operator = address(0);
        }
        uint256 flaw = _pick(seed, 94, 64);
        if (flaw == 0) order.quorum = uint8(_pick(seed, 95, 256));
        if (flaw == 1) order.bond = 1;
        if (flaw == 2) order.deadline = uint64(block.timestamp - 1);
        if (flaw == 3) order.failureFee = order.operatorFee + 1;
        if (flaw == 4) order.session = bytes32(seed);
        if (flaw == 5) order.acceptBy = order.deadline + 1;
    }

    /// @dev None where none is needed; one in sixteen is another's.
    function _consent(uint256 seed, uint256 salt, address account, address sender, bytes32 digest)
        internal
        view
        returns (bytes memory signature, address signer)
    {
        if (account == sender) return ("", address(0));
        signer = _pick(seed, salt, 16) == 0 ? accounts[_pick(seed, salt + 1, PAYERS)] : account;
        signature = _sign(signer, digest);
    }

    function _settle(uint256 seed) private view returns (Act memory act) {
        Settling memory it = _settling(seed);
        act.sender = accounts[_pick(seed, 7, ACCOUNTS)];
        act.target = address(market);
        act.call =
            abi.encodeCall(market.settle, (it.index, it.order, it.outcome, it.signature, it.shown, it.offer));
        act.model = abi.encodeCall(
            model.settle,
            (act.sender, it.index, it.order, it.outcome, it.signer, it.given, it.offers, it.offerSigner)
        );
    }

    function _settling(uint256 seed) private view returns (Settling memory it) {
        (it.index, it.order) = _live(seed, JobState.None, true);
        MarketModel.Job memory job = model.jobAt(it.index);
        bool byAcceptor = job.acceptedBy != address(0) && _pick(seed, 2, 8) != 0;
        it.signer = byAcceptor ? job.acceptedBy : _signer(seed, it.order);
        bool ok = _pick(seed, 3, 4) != 0;
        it.outcome = _outcome(seed, it.order, ok);
        if (it.order.quorum > 1 && ok && _pick(seed, 4, 8) == 0) it.outcome.outputCommitment = keccak256("another");
        (it.shown, it.given) = _shown(seed, it.order);
        (it.offer, it.offers, it.offerSigner) = _shownOffer(seed, it.order);

        uint256 attack = _pick(seed, 5, 40);
        if (attack == 0) it.outcome.anchorHash = bytes32(seed);
        if (attack == 1) it.outcome.resultHash = 0;
        if (attack == 2) it.outcome.countedGrants ^= uint16(1 << _pick(seed, 6, 16));
        it.signature = _sign(it.signer, market.hashReceipt(_receipt(job.jobId, it.order, it.outcome)));
        if (attack == 3) (it.outcome.outputRows, it.signer) = (it.outcome.outputRows + 1, address(0));
        if (attack == 4) it.order.payer = accounts[_pick(seed, 6, PAYERS)];
        if (attack == 4) ++it.order.operatorFee;
        if (attack == 5) it.index = _pick(seed, 6, model.jobCount() + 1);
        if (attack == 6) (it.signature, it.signer) = (bytes.concat(it.signature, hex"00"), address(0));
    }

    function _end(uint256 seed) private view returns (Act memory act) {
        (uint256 index, JobOrder memory order) = _live(seed, JobState.None, false);
        act.target = address(market);
        if (_pick(seed, 2, 3) == 0) {
            act.sender = _pick(seed, 3, 4) == 0 ? accounts[_pick(seed, 4, ACCOUNTS)] : order.requester;
            act.call = abi.encodeCall(market.cancel, (index, order));
            act.model = abi.encodeCall(model.cancel, (act.sender, index, order));
        } else {
            act.sender = accounts[_pick(seed, 4, ACCOUNTS)];
            act.call = abi.encodeCall(market.expire, (index, order));
            act.model = abi.encodeCall(model.expire, (act.sender, index, order));
        }
    }

    /// @dev One to three orders on the same terms.
    function _group(uint256 seed) private returns (OrderGroup memory group, MarketModel.Signers memory signers) {
        JobOrder memory order = _order(seed);
        _addItems(seed, order, group, signers);
        MarketModel.Given[] memory given;
        (group.grants, given) = _shown(seed, order);
        (signers.grants, signers.grantSigners) = (new Grant[](given.length), new address[](given.length));
        for (uint256 i = 0; i < given.length; ++i) {
            (signers.grants[i], signers.grantSigners[i]) = (given[i].grant, given[i].signer);
        }
        (group.offer,, signers.offer) = _shownOffer(seed, order);
        (order.paramsHash, order.deadline, order.nonce) = (bytes32(0), 0, 0);
        if (_pick(seed, 102, 64) == 0) order.bond = 1;
        group.order = order;
    }

    function _addItems(
        uint256 seed,
        JobOrder memory order,
        OrderGroup memory group,
        MarketModel.Signers memory signers
    ) private view {
        uint256 count = 1 + _pick(seed, 100, 3);
        address signer = _signer(seed, order);
        (signers.requesters, signers.payers, signers.receipts) =
            (new address[](count), new address[](count), new address[](count));
        group.items = new OrderItem[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 itemSeed = uint256(keccak256(abi.encode(seed, 101, i)));
            order.nonce = _pick(itemSeed, 1, NONCES);
            order.deadline = uint64(block.timestamp + _pick(itemSeed, 2, 6 hours));
            signers.receipts[i] = _pick(itemSeed, 3, 16) == 0 ? _signer(itemSeed, order) : signer;
            (group.items[i], signers.requesters[i], signers.payers[i]) = _item(itemSeed, order, signers.receipts[i]);
        }
    }

    function _item(uint256 seed, JobOrder memory order, address signer)
        private
        view
        returns (OrderItem memory item, address requesterSigner, address payerSigner)
    {
        bytes32 jobId = market.hashOrder(order);
        (item.paramsHash, item.deadline, item.nonce) = (order.paramsHash, order.deadline, order.nonce);
        // Signed always: nobody knows yet who will send them.
        (item.requesterSignature, requesterSigner) = _consent(seed, 110, order.requester, address(0), jobId);
        (item.payerSignature, payerSigner) = _consent(seed, 112, order.payer, address(0), jobId);
        item.outcome = _outcome(seed, order, _pick(seed, 114, 4) != 0);
        item.receiptSignature = _sign(signer, market.hashReceipt(_receipt(jobId, order, item.outcome)));
    }

    function _deposit(uint256 seed) private view returns (Act memory act) {
        address token = tokens[_pick(seed, 2, TOKENS)];
        address account = accounts[_pick(seed, 3, OPERATOR + 2)];
        uint256 amount = _pick(seed, 4, 1e7);
        act.sender = _pick(seed, 5, 3) == 0 ? accounts[_pick(seed, 6, ACCOUNTS)] : account;
        act.target = address(market);
        act.value = token == address(0) ? amount : 0;
        if (_pick(seed, 7, 32) == 0) act.value += 1;
        act.call = abi.encodeCall(market.deposit, (token, account, amount));
        act.model = abi.encodeCall(model.deposit, (act.sender, act.value, token, account, amount, false));
    }

    /// @dev By those who have allowed the market nothing yet.
    function _depositWithPermit(uint256 seed) private {
        address owner = accounts[PAYERS + _pick(seed, 2, 5)];
        uint256 amount = 1 + _pick(seed, 3, 1e7);
        TestToken token = TestToken(tokens[1]);
        bytes32 structHash =
            keccak256(abi.encode(PERMIT, owner, address(market), amount, token.nonces(owner), block.timestamp));
        bool own = _pick(seed, 4, 8) != 0;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            own ? _keyOf[owner] : 1, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash))
        );
        Act memory act = Act({
            sender: owner,
            target: address(market),
            value: 0,
            call: abi.encodeCall(market.depositWithPermit, (address(token), amount, block.timestamp, v, r, s)),
            model: abi.encodeCall(model.deposit, (owner, 0, address(token), owner, amount, own))
        });
        _runOnce(act);
    }

    function _withdraw(uint256 seed) private view returns (Act memory act) {
        (address account, address token, uint256 amount) = _holding(seed);
        address to = _receiver(seed, account);
        act.sender = account;
        act.target = address(market);
        act.call = abi.encodeCall(market.withdraw, (token, to, amount));
        act.model = abi.encodeCall(model.withdraw, (account, token, to, amount));
    }

    function _withdrawBySignature(uint256 seed) private view returns (Act memory act) {
        (address account, address token, uint256 amount) = _holding(seed);
        address to = _receiver(seed, account);
        uint256 nonce = _pick(seed, 120, NONCES);
        uint64 deadline = uint64(block.timestamp + _pick(seed, 121, 1 hours));
        if (_pick(seed, 122, 16) == 0) deadline = uint64(block.timestamp - 1);
        address signer = _keyOf[account] == 0 || _pick(seed, 123, 16) == 0 ? accounts[0] : account;
        bytes memory signature =
            _sign(signer, _typed(keccak256(abi.encode(WITHDRAWAL, account, token, to, amount, nonce, deadline))));
        act.sender = accounts[_pick(seed, 124, ACCOUNTS)];
        act.target = address(market);
        act.call =
            abi.encodeCall(market.withdrawBySignature, (account, token, to, amount, nonce, deadline, signature));
        act.model = abi.encodeCall(
            model.withdrawBySignature, (act.sender, signer, account, token, to, amount, nonce, deadline)
        );
    }

    /// @dev Some account, a token that it holds if any, and an amount up to and beyond what it has.
    function _holding(uint256 seed) private view returns (address account, address token, uint256 amount) {
        uint256 first = _pick(seed, 130, ACCOUNTS * TOKENS);
        uint256 credit = 0;
        for (uint256 i = 0; i < ACCOUNTS * TOKENS && credit == 0; ++i) {
            uint256 place = (first + i) % (ACCOUNTS * TOKENS);
            (account, token) = (accounts[place / TOKENS], tokens[place % TOKENS]);
            credit = model.creditOf(account, token);
        }
        amount = _pick(seed, 131, 3) == 0 ? credit : _pick(seed, 132, credit + 2);
    }

    function _receiver(uint256 seed, address account) private view returns (address) {
        uint256 which = _pick(seed, 133, 16);
        if (which == 0) return address(0);
        if (which == 1) return address(market);
        return which < 8 ? accounts[_pick(seed, 134, ACCOUNTS)] : account;
    }

    function _register(uint256 seed, bool shared) private {
        address owner = accounts[PROVIDER + _pick(seed, 140, PROVIDERS)];
        Payee[] memory payees = new Payee[](shared ? 2 + _pick(seed, 141, 2) : 0);
        uint16 left = 10_000;
        for (uint256 i = 0; i < payees.length; ++i) {
            uint16 share = i + 1 == payees.length ? left : uint16(1 + _pick(seed, 142 + i, 4_000));
            payees[i] = Payee(i < 2 ? accounts[10 + i] : owner, share);
            left -= share;
        }
        if (payees.length != 0 && seed > 16 && _pick(seed, 146, 4) == 0) {
            uint256 flaw = _pick(seed, 147, 4);
            if (flaw == 0) payees[0].account = payees[1].account;
            if (flaw == 1) payees[0].account = address(0);
            if (flaw == 2) payees[0].shareBps = 0;
            if (flaw == 3) payees[1].shareBps += 1;
        }
        bytes32 salt = bytes32(_pick(seed, 148, 100));
        uint48 size = uint48(1 + _pick(seed, 149, 5_000));
        bytes32 content = keccak256("content");
        Act memory act = Act({
            sender: owner,
            target: address(datasets),
            value: 0,
            call: abi.encodeCall(datasets.register, (content, salt, size, "ipfs://x", "{}", payees)),
            model: abi.encodeCall(model.register, (owner, content, salt, size, payees))
        });
        if (!_runOnce(act)) return;
        _done.push(act);
        datasetIds.push(keccak256(abi.encode(owner, content, salt)));
    }

    /* RUN AND COMPARE */

    /// @dev Some job, mostly one that has not ended; in `state` if one is named. If `recent`, mostly one of the last.
    function _live(uint256 seed, JobState state, bool recent) private view returns (uint256 index, JobOrder memory) {
        uint256 count = model.jobCount();
        uint256 first = count - 1 - _pick(seed, 1, recent && count > 4 ? 4 : count);
        bool any = _pick(seed, 150, 16) == 0;
        for (uint256 i = 0; i < count; ++i) {
            index = (first + count - i) % count;
            JobState found = model.stateAt(index);
            if (any || found == state || (state == JobState.None && (found == JobState.Open || found == JobState.Accepted))) {
                break;
            }
        }
        return (index, abi.decode(model.jobAt(index).order, (JobOrder)));
    }

    function _run(Act memory act) internal {
        if (_runOnce(act)) _done.push(act);
    }

    /// @dev The model first: the market's call must be the next after the prank.
    function _runOnce(Act memory act) internal returns (bool succeeded) {
        ++calls;
        (bool expected,) = address(model).call(act.model);
        bytes memory answer;
        vm.prank(act.sender);
        (succeeded, answer) = act.target.call{ value: act.value }(act.call);
        bytes4 selector = bytes4(act.call);
        if (succeeded != expected && mismatches++ == 0) {
            _mismatch = Mismatch(selector, succeeded, answer, act.model);
        }
        if (succeeded) {
            ++successes[selector];
            replay.readEvents();
        } else {
            ++refusals[selector];
            if (answer.length < 4 || bytes4(answer) == bytes4(keccak256("Panic(uint256)"))) ++untyped;
            replay.skipEvents();
        }
    }

    /// @dev The same question to the model for another sender: its first argument.
    function _sentBy(bytes memory modelCall, address sender) private pure returns (bytes memory changed) {
        changed = bytes.concat(modelCall);
        assembly ("memory-safe") {
            mstore(add(changed, 0x24), sender) // after length and selector
        }
    }
}
