// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDatasetRegistry, Payee } from "../../../contracts/interfaces/IDatasetRegistry.sol";
import { Enclave, EnclaveState } from "../../../contracts/interfaces/IEnclaveRegistry.sol";
import { IMarket } from "../../../contracts/interfaces/IMarket.sol";
import {
    FailureCode,
    Grant,
    JobOrder,
    Outcome,
    Receipt,
    ReceiptStatus,
    ShownGrant
} from "../../../contracts/interfaces/MarketTypes.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { MockEnclaveRegistry } from "../../../contracts/mocks/MockEnclaveRegistry.sol";
import { TestToken } from "../../../contracts/mocks/TestToken.sol";
import { Test, deploy } from "../../support/Test.sol";
import { deployMarket } from "../../support/deployMarket.sol";

/// @notice A market, its registries and a token; who takes part, and what they sign.
abstract contract MarketCase is Test {
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant BLOCK = 100_000;
    uint64 internal constant DEADLINE = uint64(NOW + 1 hours);
    uint256 internal constant REQUESTER_KEY = 0xA11CE;
    uint256 internal constant OPERATOR_KEY = 0x09E7;
    uint256 internal constant ENCLAVE_KEY = 0xE9C1A5E;
    bytes32 internal constant PROGRAM = keccak256("program");
    bytes32 internal constant WORKLOAD = keccak256("workload");
    string internal constant URI = "https://example.org/program.json";
    uint48 internal constant SIZE = 1000;
    uint256 internal constant FEE = 30;
    uint256 internal constant FAILURE_FEE = 5;

    address internal immutable requester = vm.addr(REQUESTER_KEY);
    address internal immutable operator = vm.addr(OPERATOR_KEY);
    address internal immutable enclaveSigner = vm.addr(ENCLAVE_KEY);
    address internal immutable stranger = address(0x57AA);

    MockEnclaveRegistry internal enclaves;
    IDatasetRegistry internal datasets;
    IMarket internal market;
    TestToken internal token;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.roll(BLOCK);
        vm.setBlockhash(BLOCK - 1, keccak256("anchor"));
        enclaves = new MockEnclaveRegistry();
        datasets = IDatasetRegistry(deploy("DatasetRegistry", ""));
        market = _newMarket();
        token = new TestToken();
    }

    function _newMarket() internal returns (IMarket) {
        return deployMarket(address(enclaves), address(datasets));
    }

    /* ACTORS */

    function _ownerKey(uint256 i) internal pure returns (uint256) {
        return 0xB0B0 + i;
    }

    function _owner(uint256 i) internal pure returns (address) {
        return vm.addr(_ownerKey(i));
    }

    function _enclave(address by, bytes32 workloadId) internal pure returns (Enclave memory) {
        return Enclave({
            operator: by,
            expiresAt: uint40(NOW + 1 days),
            registeredAtBlock: 1,
            tcbStatus: TcbStatus.UpToDate,
            state: EnclaveState.Active,
            workloadId: workloadId,
            platformId: bytes16(keccak256("platform")),
            evidenceHash: bytes16(keccak256("evidence"))
        });
    }

    function _register(address owner, uint256 salt, Payee[] memory payees) internal returns (bytes32) {
        vm.prank(owner);
        return datasets.register(
            keccak256("content"), bytes32(salt), SIZE, "https://example.org/data.age", "{}", payees
        );
    }

    /* WHAT THEY SIGN */

    /// @dev What the enclave signs.
    function _receiptOf(JobOrder memory order, Outcome memory it) internal view returns (Receipt memory receipt) {
        receipt.jobId = market.hashOrder(order);
        receipt.status = it.failureCode == FailureCode.None ? ReceiptStatus.Ok : ReceiptStatus.Failed;
        (receipt.programId, receipt.workloadId) = (order.programId, order.workloadId);
        (receipt.inputsRoot, receipt.grantsRoot) = (it.inputsRoot, it.grantsRoot);
        receipt.paramsHash = order.paramsHash;
        (receipt.resultHash, receipt.outputCommitment) = (it.resultHash, it.outputCommitment);
        (receipt.policyHash, receipt.fuelUsed) = (it.policyHash, it.fuelUsed);
        (receipt.outputRows, receipt.runSeconds) = (it.outputRows, it.runSeconds);
        receipt.countedGrants = it.countedGrants;
        (receipt.logRoot, receipt.logSize) = (it.logRoot, it.logSize);
        (receipt.anchorBlock, receipt.anchorHash) = (it.anchorBlock, it.anchorHash);
        receipt.failureCode = it.failureCode;
    }

    function _signGrant(Grant memory grant, uint256 key) internal view returns (ShownGrant memory) {
        return _shown(grant, _signature(key, market.hashGrant(grant)));
    }

    /// @dev What the market is shown of `grant`: what it says beyond the order.
    function _shown(Grant memory grant, bytes memory signature) internal pure returns (ShownGrant memory) {
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

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _typed(IMarket its, bytes32 structHash) internal view returns (bytes32) {
        return _typed(block.chainid, address(its), structHash);
    }

    /// @dev EIP-712 hash, made without the market's help.
    function _typed(uint256 chain, address verifier, bytes32 structHash) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DataCollabMarket"),
                keccak256("1"),
                chain,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
