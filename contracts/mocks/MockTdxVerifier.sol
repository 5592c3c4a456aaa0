// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { CollateralKind, ITdxCollateral } from "../interfaces/ITdxCollateral.sol";
import { Evidence, ITdxVerifier, QuoteVerdict } from "../interfaces/ITdxVerifier.sol";
import { TcbAssessment, TcbEvidence, TcbStatus } from "../interfaces/TcbTypes.sol";

/// @title MockTdxVerifier
/// @notice An ITdxVerifier whose genuine quotes and whose collateral a test names. Refuses everything else, with the errors
/// of the real one, and needs no evidence. Verifies no signature: for tests of what stands on a verifier.
contract MockTdxVerifier is ITdxVerifier {
    mapping(bytes32 quoteHash => bytes verdict) private _verdicts;
    mapping(bytes32 tcbEvidenceHash => bytes assessment) private _assessments;
    mapping(bytes32 tcbEvidenceHash => uint16 hint) private _hints;

    /// @notice Makes `quote` genuine. The verdict's evidence hash is made from its evidence.
    function accept(bytes calldata quote, QuoteVerdict memory verdict) external {
        verdict.tcbEvidenceHash = keccak256(abi.encode(verdict.tcb));
        _verdicts[keccak256(quote)] = abi.encode(verdict);
    }

    /// @notice Sets what collateral says of `tcb` from now on, and the only right hint.
    function judge(TcbEvidence calldata tcb, TcbAssessment calldata assessment, uint16 hint) external {
        bytes32 tcbEvidenceHash = keccak256(abi.encode(tcb));
        _assessments[tcbEvidenceHash] = abi.encode(assessment);
        _hints[tcbEvidenceHash] = hint;
    }

    /// @inheritdoc ITdxVerifier
    function verify(bytes calldata quote, Evidence calldata, uint16 allowedTcb)
        external
        view
        returns (QuoteVerdict memory verdict)
    {
        bytes memory encoded = _verdicts[keccak256(quote)];
        require(encoded.length != 0, TdxVerifier_BadQuoteSignature());
        verdict = abi.decode(encoded, (QuoteVerdict));
        require(
            block.timestamp < verdict.validUntil, TdxVerifier_CertificateExpired(verdict.validUntil, block.timestamp)
        );
        TcbStatus status = verdict.tcbStatus;
        require(allowedTcb & (1 << uint256(status)) != 0, TdxVerifier_TcbStatusNotAllowed(status, allowedTcb));
    }

    /// @inheritdoc ITdxVerifier
    function assess(TcbEvidence calldata tcb, uint16 revocationHint) external view returns (TcbAssessment memory) {
        bytes32 tcbEvidenceHash = keccak256(abi.encode(tcb));
        bytes memory encoded = _assessments[tcbEvidenceHash];
        require(
            encoded.length != 0,
            ITdxCollateral.TdxCollateral_Missing(CollateralKind.TcbInfo, bytes32(tcb.platform.fmspc))
        );
        require(
            revocationHint == _hints[tcbEvidenceHash],
            TdxVerifier_WrongRevocationHint(revocationHint, tcb.platform.serial)
        );
        return abi.decode(encoded, (TcbAssessment));
    }

    /// @inheritdoc ITdxVerifier
    function platformRecord(bytes32) external pure returns (bytes32) {
        return 0;
    }

    /// @inheritdoc ITdxVerifier
    function collateral() external view returns (address) {
        return address(this);
    }

    /// @inheritdoc ITdxVerifier
    function rootKey() external pure returns (bytes32 x, bytes32 y) {
        return (0, 0);
    }
}
