// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Enclave,
    EnclaveState,
    OperatorAuthorization,
    RegistrationRequest,
    RenewalRequest
} from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { Evidence, QuoteVerdict } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbAssessment, TcbEvidence, TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { EnclaveCase } from "../enclave/EnclaveCase.sol";
import { RegistryReplay } from "./RegistryReplay.sol";

/// @notice Does whatever operators, their agents and attackers may do to the registry, and keeps books of what must follow.
contract RegistryHandler is EnclaveCase {
    /// @notice An enclave as the books know it.
    struct Book {
        EnclaveState state;
        address operator;
        bytes32 workloadId;
        bytes16 platformId;
        TcbStatus tcbStatus;
        bytes tcb; // abi.encode(TcbEvidence), the last that was verified
        uint64 validUntil; // of the last verdict
        uint256 writtenAt; // Unix seconds of the last verdict
        uint256 registeredAtBlock;
    }

    uint256 public constant KEYS = 8;
    uint256 private constant OPERATORS = 3;
    address private constant AGENT = address(0xA6E27);

    mapping(address signingKey => Book) private _books;
    RegistryReplay public immutable replay;

    uint256[5] public reached; // how often an enclave came into each state
    uint256 public renewals;
    uint256 public refusals;
    /// @notice Calls that succeeded and never may.
    uint256 public thefts;

    constructor() {
        _deploy();
        replay = new RegistryReplay(address(registry));
        replay.start();
    }

    /* WHAT OPERATORS DO */

    /// @notice Registers a key, sent by its operator, by an authorised agent, or by one who is not authorised.
    function register(uint256 seed) external {
        uint256 key = _keyOf(_pick(seed, 1, KEYS));
        uint256 operatorKey = OPERATOR_KEY + _pick(seed, 2, OPERATORS);
        RegistrationRequest memory request = RegistrationRequest({
            operator: vm.addr(operatorKey),
            signingKey: vm.addr(key),
            vaultKey: VAULT_KEY,
            endpoint: "https://worker.example",
            appConfig: "",
            blockNumber: _freshBlock()
        });
        bytes memory body = _bodyFor(_freshBinding(request.operator, request.signingKey));
        body[MR_TD_AT] = bytes1(uint8(_pick(seed, 3, 2)));
        QuoteVerdict memory verdict = _verdictOf(seed);
        bytes memory quote = _quoteOf(body);
        verifier.accept(quote, verdict);
        bytes memory signature = _sign(key, _digest(request));
        (address sender, OperatorAuthorization memory authorization, bool rightful) =
            _senderOf(seed, operatorKey, request.operator);
        Evidence memory evidence;
        EnclaveState before = _books[request.signingKey].state;

        vm.prank(sender);
        try registry.register(quote, evidence, request, signature, authorization) returns (bytes32 workloadId) {
            if (before != EnclaveState.None || !rightful || !_isAllowed(verdict.tcbStatus)) ++thefts;
            Book storage book = _books[request.signingKey];
            (book.operator, book.workloadId, book.platformId) =
                (request.operator, workloadId, verdict.tcb.platform.platformId);
            book.registeredAtBlock = vm.getBlockNumber();
            _write(request.signingKey, verdict);
        } catch {
            ++refusals;
        }
        replay.readEvents();
    }

    /// @notice Renews a key, sometimes with another workload, platform or operator in the quote, or by old evidence.
    function renew(uint256 seed) external {
        address signingKey = vm.addr(_keyOf(_pick(seed, 1, KEYS)));
        Book storage book = _books[signingKey];
        if (book.state == EnclaveState.None) return;
        uint256 attack = _pick(seed, 9, 12);
        bytes memory body = _bodyFor(_freshBinding(attack == 0 ? AGENT : book.operator, signingKey));
        body[MR_TD_AT] = 0x00;
        bool same = _workloadId(COMPOSE_HASH, body) == book.workloadId;
        if (!same && attack != 1) {
            body[MR_TD_AT] = 0x01;
            same = true;
        } else if (same && attack == 1) {
            body[MR_TD_AT] = 0x01;
            same = false;
        }
        QuoteVerdict memory verdict = _verdictOf(seed);
        if (attack != 2) verdict.tcb.platform.platformId = book.platformId;
        bool samePlatform = verdict.tcb.platform.platformId == book.platformId;
        bytes32 tcbEvidenceHash = attack == 3 ? bytes32(seed) : keccak256(book.tcb);
        bytes memory quote = _quoteOf(body);
        verifier.accept(quote, verdict);
        RenewalRequest memory request =
            RenewalRequest(signingKey, VAULT_KEY_HASH, tcbEvidenceHash, "", _freshBlock());
        Evidence memory evidence;

        vm.prank(AGENT);
        try registry.renew(quote, evidence, request) {
            bool ended = book.state == EnclaveState.Demoted || book.state == EnclaveState.Retired;
            if (ended || attack == 0 || attack == 3 || !same || !samePlatform || !_isAllowed(verdict.tcbStatus)) {
                ++thefts;
            }
            ++renewals;
            _write(signingKey, verdict);
        } catch {
            ++refusals;
        }
        replay.readEvents();
    }

    /// @notice Retires a key, by its operator and by others.
    function retire(uint256 seed) external {
        address signingKey = vm.addr(_keyOf(_pick(seed, 1, KEYS)));
        Book storage book = _books[signingKey];
        address sender = _pick(seed, 2, 4) == 0 ? book.operator : AGENT;
        vm.prank(sender);
        try registry.retire(signingKey) {
            bool current = book.state == EnclaveState.Active || book.state == EnclaveState.Expired;
            if (sender != book.operator || !current) ++thefts;
            _enter(book, EnclaveState.Retired);
        } catch {
            ++refusals;
        }
        replay.readEvents();
    }

    /// @notice Demotes a key by whatever collateral says now, by its evidence or by that of another platform.
    function demote(uint256 seed) external {
        address signingKey = vm.addr(_keyOf(_pick(seed, 1, KEYS)));
        Book storage book = _books[signingKey];
        TcbEvidence memory tcb = _tcb();
        bool own = book.tcb.length != 0 && _pick(seed, 2, 4) != 0;
        if (own) tcb = abi.decode(book.tcb, (TcbEvidence));
        else tcb.platform.serial = uint160(seed);
        TcbAssessment memory assessment = _assessment(_statusOf(seed));
        assessment.certificateRevoked = _pick(seed, 3, 4) == 0;
        verifier.judge(tcb, assessment, 0);
        bool bad = own && (assessment.certificateRevoked || !_isAllowed(assessment.tcbStatus));
        bool expired = vm.getBlockTimestamp() >= expiryOf(book);

        vm.prank(AGENT);
        try registry.demote(signingKey, VAULT_KEY_HASH, tcb, 0) {
            if (book.state != EnclaveState.Active || !(expired || bad)) ++thefts;
            _enter(book, expired ? EnclaveState.Expired : EnclaveState.Demoted);
        } catch {
            // What collateral condemns cannot stay.
            if (book.state == EnclaveState.Active && (expired || bad)) ++thefts;
            ++refusals;
        }
        replay.readEvents();
    }

    /// @notice Lets time and blocks pass.
    function letTimePass(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + _pick(seed, 1, 2 days));
        vm.roll(vm.getBlockNumber() + 1 + _pick(seed, 2, 300));
    }

    /* BOOKS */

    function keyAt(uint256 index) external pure returns (address) {
        return vm.addr(_keyOf(index));
    }

    function bookOf(address signingKey) external view returns (Book memory) {
        return _books[signingKey];
    }

    function recorded(address signingKey) external view returns (Enclave memory) {
        return registry.enclave(signingKey);
    }

    function isLive(address signingKey) external view returns (bool) {
        return registry.isLive(signingKey);
    }

    /// @notice Unix seconds at which the books say that an enclave expires.
    function expiryOf(Book memory book) public pure returns (uint256) {
        uint256 latest = book.writtenAt + MAX_LIFE;
        return latest < book.validUntil ? latest : book.validUntil;
    }

    /// @notice Renews what has not ended for good, as anyone may at any time with a good quote.
    function renewRightfully(address signingKey) external {
        Book storage book = _books[signingKey];
        bytes memory body = _bodyFor(_freshBinding(book.operator, signingKey));
        for (uint8 i = 0; i < 2 && _workloadId(COMPOSE_HASH, body) != book.workloadId; ++i) {
            body[MR_TD_AT] = bytes1(i);
        }
        QuoteVerdict memory verdict = _verdict();
        verdict.tcb.platform.platformId = book.platformId;
        verdict.validUntil = uint64(vm.getBlockTimestamp() + 1 days);
        bytes memory quote = _quoteOf(body);
        verifier.accept(quote, verdict);
        Evidence memory evidence;
        registry.renew(
            quote, evidence, RenewalRequest(signingKey, VAULT_KEY_HASH, keccak256(book.tcb), "", _freshBlock())
        );
        _write(signingKey, verdict);
        replay.readEvents();
    }

    function _write(address signingKey, QuoteVerdict memory verdict) private {
        Book storage book = _books[signingKey];
        book.tcb = abi.encode(verdict.tcb);
        (book.tcbStatus, book.validUntil, book.writtenAt) =
            (verdict.tcbStatus, verdict.validUntil, vm.getBlockTimestamp());
        _enter(book, EnclaveState.Active);
    }

    function _enter(Book storage book, EnclaveState state) private {
        book.state = state;
        ++reached[uint256(state)];
    }

    /* TERMS */

    function _keyOf(uint256 index) private pure returns (uint256) {
        return SIGNING_KEY + index;
    }

    /// @dev The block before this one, whose hash is known.
    function _freshBlock() private returns (uint64 number) {
        number = uint64(vm.getBlockNumber() - 1);
        vm.setBlockhash(number, keccak256(abi.encode(number)));
    }

    function _freshBinding(address operator_, address signingKey) private returns (EnclaveBinding memory binding) {
        binding = _bindingOf(signingKey);
        binding.operator = operator_;
        binding.blockNumber = _freshBlock();
        binding.blockHash = keccak256(abi.encode(binding.blockNumber));
    }

    function _verdictOf(uint256 seed) private view returns (QuoteVerdict memory verdict) {
        verdict = _verdict();
        verdict.tcb.platform.platformId = bytes16(keccak256(abi.encode(_pick(seed, 4, 2))));
        verdict.tcb.qeIsvSvn = uint16(_pick(seed, 5, 4));
        verdict.tcbStatus = _statusOf(seed);
        verdict.validUntil = uint64(vm.getBlockTimestamp() + 1 + _pick(seed, 6, 2 * MAX_LIFE));
    }

    /// @dev Mostly one that is allowed.
    function _statusOf(uint256 seed) private pure returns (TcbStatus) {
        if (_pick(seed, 7, 3) != 0) return TcbStatus.UpToDate;
        return TcbStatus(_pick(seed, 8, uint256(type(TcbStatus).max) + 1));
    }

    /// @dev Written anew: the two statuses that may register here.
    function _isAllowed(TcbStatus status) private pure returns (bool) {
        return status == TcbStatus.UpToDate || status == TcbStatus.SWHardeningNeeded;
    }

    function _senderOf(uint256 seed, uint256 operatorKey, address operator_)
        private
        view
        returns (address sender, OperatorAuthorization memory authorization, bool rightful)
    {
        uint256 way = _pick(seed, 10, 6);
        if (way < 3) return (operator_, authorization, true);
        uint64 validUntil = uint64(vm.getBlockTimestamp() - (way == 3 ? 1 : 0));
        bytes32 digest = _authorizationDigest(operator_, AGENT, validUntil);
        authorization = OperatorAuthorization(validUntil, _sign(way == 4 ? SIGNING_KEY : operatorKey, digest));
        return (AGENT, authorization, way == 5);
    }

    /// @dev A number below `limit` from one seed, another for each `salt`.
    function _pick(uint256 seed, uint256 salt, uint256 limit) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % limit;
    }
}
