// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";

/// @title QeReport
/// @notice Says whether an SGX report is of Intel's TD quoting enclave and vouches for an attestation key. Verifies no
/// signature.
/// @custom:source Intel "TDX DCAP Quoting Library API", A.3.10 "Enclave Report Body"; Intel PCS API v4, QE identity
/// "TD_QE" version 2
/// @dev Integers are little-endian. The PCK key signs reports of any enclave with provisioning rights, and a host can
/// start one of its own making: without the identity below, it could have any attestation key certified. The parts of
/// the identity that Intel has never changed are pinned here; the ISVSVN is for collateral to judge.
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
    uint256 private constant REPORT_DATA_AT = 320;

    bytes32 private constant MR_SIGNER = 0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5;
    uint16 private constant PRODUCT_ID = 2;
    /// @dev INIT and PROVISION_KEY set, DEBUG clear, all other flags clear but MODE64BIT, which is free; XFRM is free.
    bytes16 private constant ATTRIBUTES = 0x11000000000000000000000000000000;
    bytes16 private constant ATTRIBUTES_MASK = 0xfbffffffffffffff0000000000000000;

    /// @notice Reverts unless `qeReport` is of Intel's TD quoting enclave, outside debug.
    /// @param qeReport 384 bytes.
    function requireIntelTdQe(bytes calldata qeReport) internal pure {
        bytes32 mrSigner = bytes32(qeReport[MR_SIGNER_AT:MR_SIGNER_AT + 32]);
        require(mrSigner == MR_SIGNER, ITdxVerifier.TdxVerifier_WrongQeSigner(mrSigner));
        uint16 productId = uint16(uint8(qeReport[PRODUCT_ID_AT])) | (uint16(uint8(qeReport[PRODUCT_ID_AT + 1])) << 8);
        require(productId == PRODUCT_ID, ITdxVerifier.TdxVerifier_WrongQeProduct(productId));
        bytes16 attributes = bytes16(qeReport[ATTRIBUTES_AT:ATTRIBUTES_AT + 16]);
        bytes4 miscSelect = bytes4(qeReport[MISC_SELECT_AT:MISC_SELECT_AT + 4]);
        require(
            attributes & ATTRIBUTES_MASK == ATTRIBUTES && miscSelect == 0,
            ITdxVerifier.TdxVerifier_WrongQeAttributes(attributes, miscSelect)
        );
    }

    /// @notice Reverts unless the quoting enclave put `attestationKeyHash`, and nothing else, into its report.
    /// @param qeReport 384 bytes.
    function requireVouchesFor(bytes calldata qeReport, bytes32 attestationKeyHash) internal pure {
        bytes32 high = bytes32(qeReport[REPORT_DATA_AT:REPORT_DATA_AT + 32]);
        bytes32 low = bytes32(qeReport[REPORT_DATA_AT + 32:REPORT_DATA_AT + 64]);
        require(
            high == attestationKeyHash && low == 0,
            ITdxVerifier.TdxVerifier_QeReportDataMismatch(attestationKeyHash, high, low)
        );
    }
}
