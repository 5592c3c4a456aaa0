// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ITdxVerifier } from "../interfaces/ITdxVerifier.sol";
import { Platform } from "../interfaces/TcbTypes.sol";

/// @title SgxExtension
/// @notice Reads Intel's extension of PCK certificates: what is known of the platform.
/// @custom:source Intel "SGX PCK Certificate and CRL Profile Specification", section 1.3.5, OID 1.2.840.113741.1.13.1
/// @dev `SEQUENCE OF SEQUENCE { OID, value }`, where the OID's last number is the field: PPID 1, TCB 2, PCE-ID 3, FMSPC 4, in
/// this order; then any others. The TCB is a list of the same kind: component SVNs 1 to 16, PCESVN 17, CPUSVN 18.
/// Offsets are treated as in `PckCertificate`. In the constants, zeros under a mask are sizes.
library SgxExtension {
    uint8 private constant PPID = 1;
    uint8 private constant TCB = 2;
    uint8 private constant PCE_ID = 3;
    uint8 private constant FMSPC = 4;

    /// @dev The extension's own OID, tag and size included.
    uint256 internal constant ID = 0x06092a864886f84d010d01;

    /// @dev The extension up to the octet string's tag, and from there up to its first field.
    uint256 private constant HEAD = 0x3082000006092a864886f84d010d01;
    uint256 private constant HEAD_MASK = 0xffff0000ffffffffffffffffffffff;
    uint256 private constant LIST = 0x0482000030820000;
    uint256 private constant LIST_MASK = 0xffff0000ffff0000;

    // Fields up to their content.
    uint256 private constant PPID_HEAD = 0x301e060a2a864886f84d010d01010410;
    uint256 private constant PCE_ID_HEAD = 0x3010060a2a864886f84d010d01030402;
    uint256 private constant FMSPC_HEAD = 0x3014060a2a864886f84d010d01040406;
    uint256 private constant TCB_HEAD = 0x0030820000060a2a864886f84d010d010230820000;
    uint256 private constant TCB_HEAD_MASK = 0x00ffff0000ffffffffffffffffffffffffffff0000;
    /// @dev Any field of a short value, up to the OID's last number.
    uint256 private constant FIELD_HEAD = 0x3000060a2a864886f84d010d01;
    uint256 private constant FIELD_HEAD_MASK = 0xff00ffffffffffffffffffffff;

    /// @dev An integer of the TCB, up to the integer's size. Its own size (second byte) and number (last but one) are zero.
    uint256 private constant INTEGER_HEAD = 0x3000060b2a864886f84d010d01020002;
    /// @dev The first component SVN where it is of one byte. Its value (last) is zero; its number stands 3 bytes before.
    uint256 private constant FIRST_SVN = 0x3010060b2a864886f84d010d010201020100;
    /// @dev The CPUSVN up to its content, which repeats the component SVNs in the CPU's own form.
    uint256 private constant CPU_SVN_HEAD = 0x301f060b2a864886f84d010d0102120410;

    /// @notice Whether the extension that begins with `word` is this one.
    function isHead(uint256 word) internal pure returns (bool) {
        return (word >> 136) & HEAD_MASK == HEAD;
    }

    /// @notice Reads the extension at `offset`, which passed `isHead`, into `platform`.
    /// @return end Where it ends.
    function read(bytes calldata leaf, uint256 offset, Platform memory platform) internal pure returns (uint256 end) {
        unchecked {
            uint256 word = _word(leaf, offset + 15);
            uint256 size = uint16(word >> 192);
            end = offset + 23 + size;
            require(
                (word >> 192) & LIST_MASK == LIST && size > 0xff && uint16(word >> 224) == size + 4
                    && uint16(_word(leaf, offset) >> 224) == size + 19,
                ITdxVerifier.TdxVerifier_MalformedCertificate(offset)
            );
            offset += 23;

            word = _word(leaf, offset);
            _require(word >> 128 == PPID_HEAD, PPID);
            platform.platformId = bytes16(keccak256(abi.encodePacked(uint128(word))));
            offset = _readTcb(leaf, offset + 32, platform);
            word = _word(leaf, offset);
            _require(word >> 128 == PCE_ID_HEAD, PCE_ID);
            platform.pceId = bytes2(uint16(word >> 112));
            word = _word(leaf, offset + 18);
            _require(word >> 128 == FMSPC_HEAD, FMSPC);
            platform.fmspc = bytes6(uint48(word >> 80));
            offset += 40;

            while (offset < end) {
                word = _word(leaf, offset);
                size = uint8(word >> 240);
                uint8 field = uint8(word >> 144);
                // The OID's 12 bytes, tag and size of the value, and the value.
                require(
                    (word >> 152) & FIELD_HEAD_MASK == FIELD_HEAD && size < 0x80
                        && size == 14 + uint256(uint8(word >> 128)),
                    ITdxVerifier.TdxVerifier_MalformedCertificate(offset)
                );
                _require(field > FMSPC, field);
                offset += 2 + size;
            }
            require(offset == end, ITdxVerifier.TdxVerifier_MalformedCertificate(end));
        }
    }

    /// @return end Where the TCB ends.
    function _readTcb(bytes calldata leaf, uint256 offset, Platform memory platform)
        private
        pure
        returns (uint256 end)
    {
        unchecked {
            uint256 word = _word(leaf, offset);
            uint256 size = uint16(word >> 96);
            end = offset + 20 + size;
            _require(
                (word >> 96) & TCB_HEAD_MASK == TCB_HEAD && size > 0xff && uint16(word >> 224) == size + 16, TCB
            );
            offset += 20;

            uint256 svns;
            (svns, offset) = _readComponents(leaf, offset);
            // 16 bytes, see there.
            platform.componentSvns = bytes16(uint128(svns));
            uint256 svn;
            (svn, offset) = _integer(leaf, offset, 17);
            _require(svn < 0x10000, TCB);
            // See the line before.
            platform.pceSvn = uint16(svn);
            _require(_word(leaf, offset) >> 120 == CPU_SVN_HEAD && offset + 33 == end, TCB);
        }
    }

    /// @return svns The 16 component SVNs, a byte each.
    function _readComponents(bytes calldata leaf, uint256 offset) private pure returns (uint256 svns, uint256 end) {
        unchecked {
            // As nearly all are: each of one byte, so that where its head is as it should be, the SVN alone is left.
            uint256 heads;
            for (uint256 i = 0; i < 16; i++) {
                uint256 svn = (_word(leaf, offset + 18 * i) >> 112) ^ (FIRST_SVN + (i << 24));
                heads |= svn;
                svns = svns << 8 | svn;
            }
            if (heads < 0x80) return (svns, offset + 18 * 16);

            svns = 0;
            for (uint256 number = 1; number < 17; number++) {
                uint256 svn;
                (svn, offset) = _integer(leaf, offset, number);
                _require(svn < 0x100, TCB);
                svns = svns << 8 | svn;
            }
            end = offset;
        }
    }

    /// @dev An integer of one to three bytes, in its shortest form: a first bit of one would be a sign.
    function _integer(bytes calldata leaf, uint256 offset, uint256 number)
        private
        pure
        returns (uint256 value, uint256 end)
    {
        unchecked {
            uint256 word = _word(leaf, offset);
            uint256 size = uint8(word >> 120);
            // Its own size counts the OID, 13 bytes, and the integer with its tag and size.
            _require(word >> 128 == (INTEGER_HEAD | (15 + size) << 112 | number << 8) && size - 1 < 3, TCB);
            value = uint120(word) >> (120 - 8 * size);
            // What the size before it could hold, and what this one can.
            uint256 least = size == 1 ? 0 : 1 << (8 * size - 9);
            _require(value >= least && value < 1 << (8 * size - 1), TCB);
            end = offset + 17 + size;
        }
    }

    function _require(bool condition, uint8 field) private pure {
        require(condition, ITdxVerifier.TdxVerifier_BadSgxExtension(field));
    }

    /// @dev The 32 bytes from `offset`; see `PckCertificate`.
    function _word(bytes calldata leaf, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(leaf.offset, offset))
        }
    }
}
