// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";

/// @title QeReport
/// @notice Reads the report of a quoting enclave in place, and says whether it vouches for an attestation key. Verifies no
/// signature; whose enclave it is, `QeIdentity` says.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3.10 "Enclave Report Body"
/// @dev Integers are little-endian. Each function takes the 384 bytes of a report.
///
///   offset  size  field
///   ------  ----  ---------------------------
///       16     4  miscSelect
///       48    16  attributes
///      128    32  mrSigner
///      256     2  isvProdId
///      258     2  isvSvn
///      320    64  reportData
///      384        end
library QeReport {
    uint256 private constant MISC_SELECT_AT = 16;
    uint256 private constant ATTRIBUTES_AT = 48;
    uint256 private constant MR_SIGNER_AT = 128;
    uint256 private constant PRODUCT_ID_AT = 256;
    uint256 private constant ISV_SVN_AT = 258;
    uint256 private constant REPORT_DATA_AT = 320;

    /// @notice Reverts unless the quoting enclave put `hash`, and nothing else, into its report.
    function requireVouchesFor(bytes calldata qeReport, bytes32 hash) internal pure {
        bytes32 high = _word(qeReport, REPORT_DATA_AT);
        bytes32 low = _word(qeReport, REPORT_DATA_AT + 32);
        require(high == hash && low == 0, ITdxVerifier.TdxVerifier_QeReportDataMismatch(hash, high, low));
    }

    /// @notice Extended features of the enclave's SSA frames.
    function miscSelect(bytes calldata qeReport) internal pure returns (bytes4) {
        return bytes4(_word(qeReport, MISC_SELECT_AT));
    }

    /// @notice Flags and XFRM.
    function attributes(bytes calldata qeReport) internal pure returns (bytes16) {
        return bytes16(_word(qeReport, ATTRIBUTES_AT));
    }

    /// @notice Hash of the key that signed the enclave.
    function mrSigner(bytes calldata qeReport) internal pure returns (bytes32) {
        return _word(qeReport, MR_SIGNER_AT);
    }

    /// @notice Which of the signer's enclaves it is.
    function productId(bytes calldata qeReport) internal pure returns (uint16) {
        return _uint16(qeReport, PRODUCT_ID_AT);
    }

    /// @notice Security version of the enclave.
    function isvSvn(bytes calldata qeReport) internal pure returns (uint16) {
        return _uint16(qeReport, ISV_SVN_AT);
    }

    function _uint16(bytes calldata qeReport, uint256 offset) private pure returns (uint16) {
        uint16 value = uint16(bytes2(_word(qeReport, offset)));
        return value << 8 | value >> 8;
    }

    /// @dev The 32 bytes from `offset`, a constant from the table above: within the report as far as they are used.
    function _word(bytes calldata qeReport, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(qeReport.offset, offset))
        }
    }
}
