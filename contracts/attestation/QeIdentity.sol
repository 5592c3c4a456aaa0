// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { TcbStatus } from "../interfaces/TcbTypes.sol";
import { Blob } from "./Blob.sol";
import { QeReport } from "./QeReport.sol";

/// @title QeIdentity
/// @notice Judges a quoting enclave by Intel's identity of it, as `TdxCollateral` keeps it.
/// @custom:source Intel PCS API v4, QE identity "TD_QE" version 2
/// @dev The PCK key signs reports of any enclave with provisioning rights, and a host can start one of its own making:
/// without this identity, it could have any attestation key certified. Integers are big-endian.
///
///   offset  size  field
///   ------  ----  ------------------------------------------------------------------
///        0     4  miscSelect
///        4     4  its mask
///        8    16  attributes
///       24    16  their mask
///       40    32  mrSigner
///       72     2  isvProdId
///       74     1  number of levels
///       75        levels, the best first: isvSvn 2, status 1, date 4, advisories (see `Blob`)
library QeIdentity {
    uint256 private constant ATTRIBUTES_AT = 8;
    uint256 private constant MR_SIGNER_AT = 40;
    uint256 private constant PRODUCT_ID_AT = 72;
    uint256 private constant LEVELS_AT = 75;
    uint256 private constant LEVEL_ADVISORIES = 7;

    /// @notice Reverts unless `qeReport` is of the enclave that `identity` describes.
    function requireMatch(bytes memory identity, bytes calldata qeReport) internal pure {
        bytes32 word = Blob.word(identity, 0);
        (bytes4 misc, bytes4 miscMask) = (bytes4(word), bytes4(word << 32));
        bytes4 miscSelect = QeReport.miscSelect(qeReport);
        require(
            miscSelect & miscMask == misc, ITdxVerifier.TdxVerifier_WrongQeMiscSelect(miscSelect, miscMask, misc)
        );

        word = Blob.word(identity, ATTRIBUTES_AT);
        (bytes16 expected, bytes16 mask) = (bytes16(word), bytes16(word << 128));
        bytes16 attributes = QeReport.attributes(qeReport);
        require(
            attributes & mask == expected, ITdxVerifier.TdxVerifier_WrongQeAttributes(attributes, mask, expected)
        );

        bytes32 mrSigner = QeReport.mrSigner(qeReport);
        word = Blob.word(identity, MR_SIGNER_AT);
        require(mrSigner == word, ITdxVerifier.TdxVerifier_WrongQeSigner(mrSigner, word));

        uint16 productId = QeReport.productId(qeReport);
        uint16 expectedId = uint16(Blob.number(identity, PRODUCT_ID_AT, 2));
        require(productId == expectedId, ITdxVerifier.TdxVerifier_WrongQeProduct(productId, expectedId));
    }

    /// @notice The status of a quoting enclave of `isvSvn`: of the first level that asks for no more.
    /// @return status Unsupported if there is none.
    /// @return advisoriesAt Where the level's advisories stand; 0 if there is no level.
    function statusOf(bytes memory identity, uint16 isvSvn)
        internal
        pure
        returns (TcbStatus status, uint256 advisoriesAt)
    {
        uint256 offset = LEVELS_AT;
        for (uint256 left = Blob.number(identity, LEVELS_AT - 1, 1); left != 0; left--) {
            if (Blob.number(identity, offset, 2) <= isvSvn) {
                return (TcbStatus(Blob.number(identity, offset + 2, 1)), offset + LEVEL_ADVISORIES);
            }
            offset = Blob.afterAdvisories(identity, offset + LEVEL_ADVISORIES);
        }
    }
}
