// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Platform, TcbStatus } from "../interfaces/TcbTypes.sol";
import { Blob } from "./Blob.sol";

/// @notice Which levels of a TCB info a platform and its TDX module have.
/// @param platform Status of the platform's level; Unsupported if it has none.
/// @param module_ Status of the TDX module's level; Unsupported if it has none, UpToDate if the module's version is 0.
/// @param platformAdvisories Where the platform level's advisories stand; 0: nowhere.
/// @param moduleAdvisories Where the module level's advisories stand; 0: nowhere.
struct Levels {
    TcbStatus platform;
    TcbStatus module_;
    uint256 platformAdvisories;
    uint256 moduleAdvisories;
}

/// @title TcbLevels
/// @notice Finds a platform's levels in the TCB info of its FMSPC, as `TdxCollateral` keeps it.
/// @custom:source Intel PCS API v4, "Get TDX TCB Info", version 3; Intel SGX-TDX-DCAP-QuoteVerificationLibrary,
/// TcbLevelCheck.cpp and TdxModuleCheck.cpp
/// @dev Integers are big-endian.
///
///   offset  size  field
///   ------  ----  ---------------------------------------------------------------------------
///        0    32  hash of the content that this was made of
///       32     2  pceId
///       34     1  number of modules
///       35     1  number of platform levels
///       36        modules: version 1, number of levels 1, levels: isvSvn 1, status 1, date 4, advisories (see `Blob`)
///                 platform levels: SGX component SVNs 16, pceSvn 2, TDX component SVNs 16, status 1, date 4, advisories
library TcbLevels {
    uint256 private constant PCE_ID_AT = 32;
    uint256 private constant MODULE_COUNT_AT = 34;
    uint256 private constant LEVEL_COUNT_AT = 35;
    uint256 private constant MODULES_AT = 36;
    uint256 private constant MODULE_ADVISORIES = 6;
    uint256 private constant TDX_SVNS = 18;
    uint256 private constant STATUS = 34;
    uint256 private constant ADVISORIES = 39;

    uint256 private constant ALL = type(uint128).max;
    /// @dev All but the first two components.
    uint256 private constant FROM_INDEX_2 = type(uint112).max;
    uint256 private constant LOW_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant GUARDS = 0x0100010001000100010001000100010001000100010001000100010001000100;

    /// @notice The PCE id that the TCB info is for.
    function pceId(bytes memory info) internal pure returns (bytes2) {
        return bytes2(Blob.word(info, PCE_ID_AT));
    }

    /// @notice The levels of a platform under a TDX module of `teeTcbSvn`: the first, in Intel's order, of which the
    /// platform has all SVNs.
    /// @dev A module of a version above 0 is judged by the module's own levels: the platform's levels then say nothing of
    /// the first two components, which are the module's SVN and version.
    /// @param levels All zero; the levels found are written into it.
    function find(bytes memory info, Platform memory platform, bytes16 teeTcbSvn, Levels memory levels) internal pure {
        uint256 version = uint8(teeTcbSvn[1]);
        if (version == 0) levels.module_ = TcbStatus.UpToDate;
        uint256 offset = _findModule(info, version, uint8(teeTcbSvn[0]), levels);

        uint256 guardedSgx = _guard(uint128(platform.componentSvns));
        uint256 guardedTdx = _guard(uint128(teeTcbSvn));
        uint256 mask = version == 0 ? ALL : FROM_INDEX_2;
        for (uint256 left = Blob.number(info, LEVEL_COUNT_AT, 1); left != 0; left--) {
            uint256 word = uint256(Blob.word(info, offset));
            if (
                _allAtLeast(guardedSgx, word >> 128) && platform.pceSvn >= uint16(word >> 112)
                    && _allAtLeast(guardedTdx, Blob.number(info, offset + TDX_SVNS, 16) & mask)
            ) {
                levels.platform = TcbStatus(Blob.number(info, offset + STATUS, 1));
                levels.platformAdvisories = offset + ADVISORIES;
                break;
            }
            offset = Blob.afterAdvisories(info, offset + ADVISORIES);
        }
    }

    /// @dev Notes the module's level, if the TCB info knows the module.
    /// @return offset Where the modules end.
    function _findModule(bytes memory info, uint256 version, uint256 isvSvn, Levels memory levels)
        private
        pure
        returns (uint256 offset)
    {
        offset = MODULES_AT;
        bool found = version == 0;
        for (uint256 left = Blob.number(info, MODULE_COUNT_AT, 1); left != 0; left--) {
            bool searched = !found && Blob.number(info, offset, 1) == version;
            // Of two modules of one version only the first counts, whether it has a level or not.
            if (searched) found = true;
            uint256 levelsLeft = Blob.number(info, offset + 1, 1);
            offset += 2;
            for (; levelsLeft != 0; levelsLeft--) {
                if (searched && Blob.number(info, offset, 1) <= isvSvn) {
                    searched = false;
                    levels.module_ = TcbStatus(Blob.number(info, offset + 1, 1));
                    levels.moduleAdvisories = offset + MODULE_ADVISORIES;
                }
                offset = Blob.afterAdvisories(info, offset + MODULE_ADVISORIES);
            }
        }
    }

    /// @dev Spreads 16 SVNs over lanes of two bytes, each with a guard bit above it.
    function _guard(uint256 svns) private pure returns (uint256) {
        return _spread(svns) | GUARDS;
    }

    /// @dev Whether each of the guarded SVNs is at least the one of `least` at its place: a lane's guard bit survives the
    /// subtraction if, and only if, nothing was borrowed from it.
    function _allAtLeast(uint256 guarded, uint256 least) private pure returns (bool) {
        // Each lane of `guarded` is at least 0x100, each of the other at most 0xff: no borrow leaves its lane.
        unchecked {
            return (guarded - _spread(least)) & GUARDS == GUARDS;
        }
    }

    function _spread(uint256 svns) private pure returns (uint256) {
        return (svns & LOW_BYTES) | ((svns >> 8) & LOW_BYTES) << 128;
    }
}
