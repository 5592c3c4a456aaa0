// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Evidence } from "../../../contracts/interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../../../contracts/interfaces/TcbTypes.sol";
import { CertificateSpec } from "../../support/TestCertificates.sol";
import { TdxVerifierCase } from "../attestation/TdxVerifierCase.sol";

/// @notice Has quotes of one platform verified in all three ways, with right and stale evidence, while its certificates run
/// out and are revoked, and keeps books of what each verification must say.
contract CacheHandler is TdxVerifierCase {
    uint256 private constant LEAVES = 3;
    uint256 private constant KEYS = 2;
    uint256 private constant WAYS = 3;

    /// @notice A certificate of the platform, all for one key.
    struct Leaf {
        uint64 notAfter;
        bool revoked;
    }

    /// @notice What the platform's record stands for.
    struct Book {
        bool exists;
        uint256 leaf;
        uint256 key;
        address qeIdentity;
    }

    Leaf[LEAVES] private _leaves;
    bytes[LEAVES] private _certificates;
    bytes[KEYS] private _quotes;
    address[] private _identities;
    Book private _book;

    uint256[WAYS] public verified;
    uint256[WAYS] public refused;
    /// @notice Verifications that said other than the books.
    uint256 public wrongs;

    constructor() {
        super.setUp();
        inForce.validUntil = type(uint64).max;
        collateral.setInForce(inForce);
        _identities.push(inForce.qeIdentity);
        string[LEAVES] memory ends = ["260801000000Z", "261001000000Z", "270101000000Z"];
        uint64[LEAVES] memory seconds_ = [uint64(1_785_542_400), 1_790_812_800, 1_798_761_600];
        for (uint256 i = 0; i < LEAVES; ++i) {
            CertificateSpec memory spec = leafSpec();
            spec.validity = validityOf(NOT_BEFORE, ends[i]);
            _certificates[i] = certificateOfTbs(tbsOf(spec, uint160(SERIAL + i)), spec.signedBy);
            _leaves[i].notAfter = seconds_[i];
        }
        for (uint256 k = 0; k < KEYS; ++k) {
            uint256 key = ATTESTATION_KEY + k;
            _quotes[k] = assembleWith(key, header(), reportBody(), qeReportFor(key, AUTH_DATA), AUTH_DATA);
        }
    }

    /// @dev Done by the constructor: the runner takes it for one function more.
    function setUp() public override { }

    /* WHAT HAPPENS TO A PLATFORM */

    function letTimePass(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + _pick(seed, 1, 20 days));
    }

    /// @notice A revocation list with any of the platform's certificates, and others around them.
    function revoke(uint256 seed) external {
        bytes memory list = abi.encodePacked(uint160(1));
        for (uint256 i = 0; i < LEAVES; ++i) {
            _leaves[i].revoked = _pick(seed, 1 + i, 3) == 0;
            if (_leaves[i].revoked) list = abi.encodePacked(list, uint160(SERIAL + i));
        }
        useCrl(abi.encodePacked(list, uint160(SERIAL + 9)));
    }

    /// @notice The root revokes the CA, or certifies its key anew.
    function revokeIssuer(uint256 seed) external {
        inForce.issuerRevoked = _pick(seed, 1, 3) == 0;
        collateral.setInForce(inForce);
    }

    /// @notice Intel describes the quoting enclave anew, or the recorded description comes back.
    function changeQeIdentity(uint256 seed) external {
        if (_pick(seed, 1, 2) == 0) {
            inForce.qeIdentity = _identities[_pick(seed, 2, _identities.length)];
            collateral.setInForce(inForce);
        } else {
            useQeIdentity(qeIdentityBlob(qeLevel(uint16(_pick(seed, 2, 6)), TcbStatus.UpToDate, "")));
            _identities.push(inForce.qeIdentity);
        }
    }

    /* VERIFICATION */

    /// @notice By certificate, by the platform's record, or by its attestation key's too: evidence is that of the record, or
    /// of any other certificate, key and identity that there was.
    function verify(uint256 seed) external {
        uint256 way = _pick(seed, 1, WAYS);
        Book memory claimed = _book;
        if (_pick(seed, 2, 3) == 0) {
            claimed = Book(true, _pick(seed, 3, LEAVES), _pick(seed, 4, KEYS), _identities[_pick(seed, 5, _identities.length)]);
        }
        uint256 key = _pick(seed, 6, 4) == 0 ? _pick(seed, 7, KEYS) : claimed.key;

        Evidence memory evidence = way == 0 ? withLeaf(_certificates[claimed.leaf]) : _recordEvidence(claimed);
        evidence.revocationHint = _below(claimed.leaf);
        bool good = _isGood(claimed.leaf);
        if (way == 1) good = good && _isRecorded(claimed);
        if (way == 2) good = good && _isRecorded(Book(true, claimed.leaf, key, inForce.qeIdentity));

        bytes memory shown = way == 2 ? cut(_quotes[key]) : _quotes[key];
        try verifier.verify(shown, evidence, POLICY) {
            if (!good) ++wrongs;
            _book = Book(true, claimed.leaf, key, inForce.qeIdentity);
            ++verified[way];
        } catch {
            if (good) ++wrongs;
            ++refused[way];
        }
    }

    /* BOOKS */

    /// @notice The platform's record as the books have it.
    function expectedRecord() external view returns (bytes32) {
        if (!_book.exists) return 0;
        bytes32 platformHash = keccak256(abi.encode(_recordEvidence(_book).platform));
        return keccak256(abi.encode(platformHash, keyHashOf(ATTESTATION_KEY + _book.key, _book.qeIdentity)));
    }

    function record() external view returns (bytes32) {
        return verifier.platformRecord(pckIdOf());
    }

    function _isGood(uint256 leaf) private view returns (bool) {
        return vm.getBlockTimestamp() <= _leaves[leaf].notAfter && !_leaves[leaf].revoked && !inForce.issuerRevoked;
    }

    function _isRecorded(Book memory claimed) private view returns (bool) {
        return _book.exists && keccak256(abi.encode(claimed)) == keccak256(abi.encode(_book));
    }

    function _recordEvidence(Book memory claimed) private view returns (Evidence memory evidence) {
        evidence = withRecord();
        evidence.platform.serial = uint160(SERIAL + claimed.leaf);
        evidence.platform.notAfter = _leaves[claimed.leaf].notAfter;
        evidence.attestationKeyHash = keyHashOf(ATTESTATION_KEY + claimed.key, claimed.qeIdentity);
    }

    /// @dev How many serials on the list are below this certificate's.
    function _below(uint256 leaf) private view returns (uint16 count) {
        if (inForce.pckCrl.code.length == 1) return 0;
        count = 1;
        for (uint256 i = 0; i < leaf; ++i) {
            if (_leaves[i].revoked) ++count;
        }
    }

    /// @dev A number below `limit` from one seed, another for each `salt`.
    function _pick(uint256 seed, uint256 salt, uint256 limit) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt))) % limit;
    }
}
