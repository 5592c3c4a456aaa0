// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IDatasetRegistry } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import {
    DatasetUse,
    FailureCode,
    Grant,
    JobOrder,
    Offer,
    Outcome,
    PriceUnit,
    Receipt,
    ReceiptStatus,
    ShownGrant,
    SignedOffer
} from "../../../contracts/interfaces/MarketTypes.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { BareToken } from "../../../contracts/mocks/BareToken.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { VM, Vm, deploy } from "../../support/Test.sol";
import { deployMarket } from "../../support/deployMarket.sol";
import { MarketModel } from "./MarketModel.sol";
import { MarketSessionModel } from "./MarketSessionModel.sol";
import { MarketSessionReplay } from "./MarketSessionReplay.sol";

/// @notice Who takes part in the market, what they hold, and what they sign.
abstract contract MarketWorld {
    Vm internal constant vm = VM;
    bytes32 internal constant PROGRAM = keccak256("program");
    bytes32 internal constant WORKLOAD = keccak256("workload");
    bytes32 internal constant ANCHOR_HASH = keccak256("anchor");
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant BLOCK = 100_000;
    uint256 public constant WEALTH = 1e30;

    /// @dev Accounts: 0-2 requesters, 3-4 sponsors, 5-7 providers, 8-9 operators, 10-11 payees, 12 a stranger.
    uint256 public constant ACCOUNTS = 13;
    uint256 public constant TOKENS = 3;
    uint256 internal constant PAYERS = 5;
    uint256 internal constant PROVIDER = 5;
    uint256 internal constant PROVIDERS = 3;
    uint256 internal constant OPERATOR = 8;
    uint256 internal constant STRANGER = 12;
    uint256 internal constant ENCLAVES = 6;
    uint256 private constant ENCLAVE_KEY = 0xE0;
    uint256 public constant NONCES = 300; // two words of the market's bitmap
    uint256 public constant GRANT_NONCES = 12;
    uint64 internal constant MAX_ROWS = 50;

    IMarket public immutable market;
    IDatasetRegistry public immutable datasets;
    MarketSessionModel public immutable model;
    MarketSessionReplay public immutable replay;
    address[TOKENS] public tokens; // the native coin; one with permit; one whose transfers answer nothing
    address[ACCOUNTS] public accounts;
    mapping(address account => uint256) internal _keyOf;

    mapping(bytes32 grantHash => bytes) private _grants; // abi.encode(Grant)
    mapping(bytes32 grantHash => address) internal _grantSigner;
    mapping(address token => bytes32[]) private _grantsIn;
    bytes32[] public grantHashes;
    bytes32[] public datasetIds;
    mapping(bytes32 offerHash => bytes) private _offers; // abi.encode(Offer)
    uint256 private _offerCount;

    constructor() {
        vm.warp(NOW);
        vm.roll(BLOCK);
        vm.setBlockhash(BLOCK - 1, ANCHOR_HASH);
        MockEnclaveRegistry enclaves = MockEnclaveRegistry(deploy("MockEnclaveRegistry", ""));
        datasets = IDatasetRegistry(deploy("DatasetRegistry", ""));
        market = deployMarket(address(enclaves), address(datasets));
        model = new MarketSessionModel(address(market), ANCHOR_HASH);
        replay = new MarketSessionReplay(address(market), address(datasets));
        tokens = [address(0), deploy("TestToken", ""), deploy("BareToken", "")];
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            accounts[i] = i < 10 ? vm.addr(i + 1) : address(uint160(0xA000 + i));
            if (i < 10) _keyOf[accounts[i]] = i + 1;
            vm.deal(accounts[i], WEALTH);
            TestToken(tokens[1]).mint(accounts[i], WEALTH);
            BareToken(tokens[2]).mint(accounts[i], WEALTH);
            if (i < PAYERS) _letPull(accounts[i]);
        }
        _addEnclave(enclaves, 0, accounts[OPERATOR], 1, WORKLOAD, 365 days);
        _addEnclave(enclaves, 1, accounts[OPERATOR], 2, WORKLOAD, 365 days);
        _addEnclave(enclaves, 2, accounts[OPERATOR + 1], 2, WORKLOAD, 365 days);
        _addEnclave(enclaves, 3, accounts[OPERATOR + 1], 3, WORKLOAD, 365 days);
        _addEnclave(enclaves, 4, accounts[OPERATOR], 4, keccak256("another workload"), 365 days);
        _addEnclave(enclaves, 5, accounts[OPERATOR + 1], 5, WORKLOAD, 2 hours);
        replay.start();
    }

    function _letPull(address account) private {
        for (uint256 t = 1; t < TOKENS; ++t) {
            vm.prank(account);
            BareToken(tokens[t]).approve(address(market), type(uint256).max);
        }
        model.setPull(account);
    }

    function _addEnclave(
        MockEnclaveRegistry enclaves,
        uint256 i,
        address operator,
        uint128 platform,
        bytes32 workloadId,
        uint256 life
    ) private {
        address signer = vm.addr(ENCLAVE_KEY + i);
        _keyOf[signer] = ENCLAVE_KEY + i;
        enclaves.set(
            signer,
            Enclave({
                operator: operator,
                expiresAt: uint40(NOW + life),
                registeredAtBlock: 1,
                tcbStatus: TcbStatus.UpToDate,
                state: EnclaveState.Active,
                workloadId: workloadId,
                platformId: bytes16(platform),
                evidenceHash: 0
            })
        );
        model.addEnclave(signer, MarketModel.Enclave(operator, bytes16(platform), workloadId, NOW + life));
        replay.addEnclave(signer, operator, bytes16(platform));
    }

    /* ORDERS */

    function _order(uint256 seed) internal returns (JobOrder memory order) {
        order.requester = accounts[_pick(seed, 1, 3)];
        order.payer = _pick(seed, 2, 2) == 0 ? order.requester : accounts[_pick(seed, 3, PAYERS)];
        (order.programId, order.workloadId) = (PROGRAM, WORKLOAD);
        order.paramsHash = keccak256("{}");
        order.resultKey = bytes32(seed);
        order.token = tokens[_pick(seed, 4, TOKENS)];
        order.operatorFee = _pick(seed, 5, 1e6);
        order.failureFee = _pick(seed, 6, order.operatorFee + 1);
        if (_pick(seed, 7, 4) == 0) order.operator = accounts[OPERATOR + _pick(seed, 8, 2)];
        if (_pick(seed, 9, 3) == 0) order.offerHash = _offer(seed, order);
        order.deadline = uint64(block.timestamp + _pick(seed, 10, 6 hours));
        order.quorum = 1;
        order.nonce = _pick(seed, 11, NONCES);
        order.datasets = new DatasetUse[](1 + _pick(seed, 12, 3));
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            order.datasets[i] = _use(uint256(keccak256(abi.encode(seed, i))), order);
        }
    }

    /// @dev With a ceiling that mostly covers what the use comes to.
    function _use(uint256 seed, JobOrder memory order) private returns (DatasetUse memory use) {
        bytes32[] storage known = _grantsIn[order.token];
        bytes32 grantHash = known.length != 0 && _pick(seed, 1, 3) != 0
            ? known[known.length - 1 - _pick(seed, 2, known.length < 8 ? known.length : 8)]
            : _newGrant(seed, order, false);
        Grant memory grant = _grantOf(grantHash);
        uint256 price = grant.price;
        if (grant.priceUnit == PriceUnit.OutputRow) price *= MAX_ROWS;
        if (grant.priceUnit == PriceUnit.InputByte) price *= model.entryOf(grant.datasetId).sizeBytes;
        if (_pick(seed, 3, 16) == 0) price = price / 2;
        else price += _pick(seed, 4, 100);
        return DatasetUse(grant.datasetId, grantHash, price);
    }

    /// @param flat Whether its price must be for each use.
    function _newGrant(uint256 seed, JobOrder memory order, bool flat) internal returns (bytes32 grantHash) {
        Grant memory grant;
        MarketModel.Entry memory entry;
        for (uint256 i = 0; i < 4; ++i) {
            grant.datasetId = datasetIds[_pick(seed, 200 + i, datasetIds.length)];
            entry = model.entryOf(grant.datasetId);
            if (!entry.retired) break;
        }
        (grant.programId, grant.workloadId, grant.token) = (PROGRAM, WORKLOAD, order.token);
        if (_pick(seed, 6, 4) == 0) grant.requester = order.requester;
        if (_pick(seed, 7, 6) == 0) grant.operator = accounts[OPERATOR + _pick(seed, 8, 2)];
        if (!flat) grant.priceUnit = PriceUnit(_pick(seed, 9, 3));
        grant.price = _pick(seed, 10, 4) * 333;
        grant.maxUses = uint64(_pick(seed, 11, 4));
        grant.notBefore = uint64(block.timestamp + (_pick(seed, 12, 16) == 0 ? 1 hours : 0));
        grant.notAfter = uint64(grant.notBefore + (_pick(seed, 13, 8) == 0 ? 1 hours : 365 days));
        (grant.epoch, grant.ownerEpoch) = (entry.epoch, model.ownerEpochOf(entry.owner));
        for (uint256 i = 0; i < 4; ++i) {
            grant.nonce = grantNonce(_pick(seed, 210 + i, GRANT_NONCES));
            if (!model.isNonceRevoked(entry.owner, grant.nonce)) break;
        }
        grantHash = market.hashGrant(grant);
        if (_grants[grantHash].length != 0) return grantHash;
        _grants[grantHash] = abi.encode(grant);
        _grantSigner[grantHash] = _pick(seed, 15, 24) == 0 ? accounts[1] : entry.owner;
        _grantsIn[order.token].push(grantHash);
        grantHashes.push(grantHash);
    }

    /// @dev Some that share the owner's slot, 0 to 223, and some that do not.
    function grantNonce(uint256 i) public pure returns (uint256) {
        return i < 8 ? i * 223 / 7 : 216 + i; // from 224 on
    }

    function _offer(uint256 seed, JobOrder memory order) private returns (bytes32 offerHash) {
        Offer memory offer = Offer({
            operator: accounts[OPERATOR + _pick(seed, 20, 2)],
            workloadId: WORKLOAD,
            token: order.token,
            fee: order.operatorFee / 2,
            pricePerSecond: order.operatorFee / 100,
            validUntil: uint64(block.timestamp + (_pick(seed, 21, 8) == 0 ? 1 hours : 30 days)),
            nonce: _offerCount++
        });
        if (order.operator != address(0) && _pick(seed, 22, 8) != 0) offer.operator = order.operator;
        offerHash = market.hashOffer(offer);
        _offers[offerHash] = abi.encode(offer);
    }

    function _grantOf(bytes32 grantHash) internal view returns (Grant memory) {
        return abi.decode(_grants[grantHash], (Grant));
    }

    function grantCount() external view returns (uint256) {
        return grantHashes.length;
    }

    function datasetCount() external view returns (uint256) {
        return datasetIds.length;
    }

    function maxUsesOf(bytes32 grantHash) external view returns (uint64) {
        return _grantOf(grantHash).maxUses;
    }

    /* WHAT ENCLAVES SAY */

    /// @dev Mostly one that the order allows. Six stands for none.
    function _signer(uint256 seed, JobOrder memory order) internal view returns (address) {
        if (_pick(seed, 30, 12) == 0) return vm.addr(ENCLAVE_KEY + _pick(seed, 31, ENCLAVES));
        address operator = order.operator;
        if (order.offerHash != 0) operator = abi.decode(_offers[order.offerHash], (Offer)).operator;
        uint256 first = operator == accounts[OPERATOR + 1] ? 2 : 0;
        return vm.addr(ENCLAVE_KEY + first + _pick(seed, 32, operator == address(0) ? 4 : 2));
    }

    function _outcome(uint256 seed, JobOrder memory order, bool ok) internal view returns (Outcome memory outcome) {
        outcome.inputsRoot = bytes32(seed);
        outcome.logSize = uint64(_pick(seed, 40, 1e6));
        (outcome.anchorBlock, outcome.anchorHash) = (uint64(BLOCK - 1), ANCHOR_HASH);
        if (order.offerHash != 0) outcome.runSeconds = uint32(_pick(seed, 41, 100));
        if (!ok) {
            outcome.failureCode = FailureCode.FuelExhausted;
            return outcome;
        }
        outcome.resultHash = keccak256("result");
        outcome.outputCommitment = keccak256("commitment");
        outcome.outputRows = uint64(_pick(seed, 42, MAX_ROWS + 1));
        outcome.countedGrants = _countedOf(order);
    }

    function _receipt(bytes32 jobId, JobOrder memory order, Outcome memory outcome)
        internal
        pure
        returns (Receipt memory)
    {
        return Receipt({
            jobId: jobId,
            status: outcome.failureCode == FailureCode.None ? ReceiptStatus.Ok : ReceiptStatus.Failed,
            programId: order.programId,
            workloadId: order.workloadId,
            inputsRoot: outcome.inputsRoot,
            grantsRoot: outcome.grantsRoot,
            paramsHash: order.paramsHash,
            resultHash: outcome.resultHash,
            outputCommitment: outcome.outputCommitment,
            policyHash: outcome.policyHash,
            fuelUsed: outcome.fuelUsed,
            outputRows: outcome.outputRows,
            runSeconds: outcome.runSeconds,
            countedGrants: outcome.countedGrants,
            logRoot: outcome.logRoot,
            logSize: outcome.logSize,
            anchorBlock: outcome.anchorBlock,
            anchorHash: outcome.anchorHash,
            failureCode: outcome.failureCode
        });
    }

    function _countedOf(JobOrder memory order) internal view returns (uint16 counted) {
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            Grant memory grant = _grantOf(order.datasets[i].grantHash);
            if (grant.price != 0 || grant.maxUses != 0) counted |= uint16(1 << i);
        }
    }

    /// @dev The grants that count, signed. One in eight is signed by somebody else, or once seen by nobody.
    function _shown(uint256 seed, JobOrder memory order)
        internal
        view
        returns (ShownGrant[] memory shown, MarketModel.Given[] memory given)
    {
        uint16 counted = _countedOf(order);
        uint256 count = 0;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            count += (counted >> i) & 1;
        }
        shown = new ShownGrant[](count);
        given = new MarketModel.Given[](count);
        count = 0;
        for (uint256 i = 0; i < order.datasets.length; ++i) {
            if ((counted >> i) & 1 == 0) continue;
            bytes32 grantHash = order.datasets[i].grantHash;
            Grant memory grant = _grantOf(grantHash);
            address signer = _grantSigner[grantHash];
            if (_pick(seed, 50 + i, 8) == 0) signer = _pick(seed, 53 + i, 2) == 0 ? accounts[1] : address(0);
            bytes memory signature = signer == address(0) ? bytes("") : _sign(signer, grantHash);
            (shown[count], given[count]) = (_show(grant, signature), MarketModel.Given(grant, signer));
            ++count;
        }
    }

    function _show(Grant memory grant, bytes memory signature) private pure returns (ShownGrant memory) {
        return ShownGrant({
            anyRequester: grant.requester == address(0),
            anyOperator: grant.operator == address(0),
            priceUnit: grant.priceUnit,
            price: grant.price,
            maxUses: grant.maxUses,
            notBefore: grant.notBefore,
            notAfter: grant.notAfter,
            resultReaders: grant.resultReaders,
            epoch: grant.epoch,
            ownerEpoch: grant.ownerEpoch,
            nonce: grant.nonce,
            signature: signature
        });
    }

    function _shownOffer(uint256 seed, JobOrder memory order)
        internal
        view
        returns (SignedOffer[] memory shown, Offer[] memory offers, address signer)
    {
        if (order.offerHash == 0) return (shown, offers, signer);
        (shown, offers) = (new SignedOffer[](1), new Offer[](1));
        offers[0] = abi.decode(_offers[order.offerHash], (Offer));
        signer = _pick(seed, 60, 16) == 0 ? accounts[0] : offers[0].operator;
        shown[0] = SignedOffer(offers[0], _sign(signer, order.offerHash));
    }

    /* TOOLS */

    function _sign(address signer, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf[signer], digest);
        return abi.encodePacked(r, s, v);
    }

    function _typed(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataCollabMarket"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @dev A number below `limit` from one seed, another for each `salt`.
    function _pick(uint256 seed, uint256 salt, uint256 limit) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % limit;
    }
}
