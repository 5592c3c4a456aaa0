// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { LibZip } from "solady/src/utils/LibZip.sol";
import { ITdxCollateral } from "../../contracts/interfaces/ITdxCollateral.sol";
import { P256Key } from "../../contracts/interfaces/TcbTypes.sol";
import { deploy } from "./Test.sol";
import { CertificateSpec, TestCertificates } from "./TestCertificates.sol";

/// @title TestCollateral
/// @notice Collateral of any content, truly signed under a root of its own.
abstract contract TestCollateral is TestCertificates {
    uint256 internal constant COLLATERAL_ROOT = 0x2001;
    uint256 internal constant PLATFORM_CA = 0x2002;
    uint256 internal constant PROCESSOR_CA = 0x2003;
    uint256 internal constant TCB_SIGNER = 0x2004;
    /// @dev 2026-06-01 00:00:00 UTC, and when what is made here is issued and runs out.
    uint256 internal constant COLLATERAL_NOW = 1_780_272_000;
    string internal constant ISSUED = "2026-05-31T00:00:00Z";
    string internal constant NEXT = "2026-06-30T00:00:00Z";
    uint32 internal constant ISSUED_SECONDS = 1_780_185_600;
    uint32 internal constant NEXT_SECONDS = 1_782_777_600;
    /// @dev 2033-01-01 00:00:00 UTC.
    uint64 internal constant AUTHORITY_NOT_AFTER = 1_988_150_400;

    string internal constant ZEROS_96 =
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

    function keyOf(uint256 secret) internal pure returns (P256Key memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(secret);
        return P256Key(bytes32(x), bytes32(y));
    }

    function deployCollateral(uint16 minimum) internal returns (ITdxCollateral) {
        P256Key memory root = keyOf(COLLATERAL_ROOT);
        return ITdxCollateral(deploy("TdxCollateral", abi.encode(root, minimum)));
    }

    /* AUTHORITIES */

    /// @notice A certificate that the root signed.
    function authoritySpec(string memory commonName, uint256 key, bytes memory extensions)
        internal
        pure
        returns (CertificateSpec memory)
    {
        return CertificateSpec({
            issuer: intelName("Intel SGX Root CA"),
            subject: intelName(commonName),
            validity: validityOf("260101000000Z", "330101000000Z"),
            publicKey: key,
            extensions: extensions,
            signedBy: COLLATERAL_ROOT
        });
    }

    function platformCaSpec() internal pure returns (CertificateSpec memory) {
        return authoritySpec("Intel SGX PCK Platform CA", PLATFORM_CA, caExtensions());
    }

    function processorCaSpec() internal pure returns (CertificateSpec memory) {
        return authoritySpec("Intel SGX PCK Processor CA", PROCESSOR_CA, caExtensions());
    }

    function tcbSigningSpec() internal pure returns (CertificateSpec memory) {
        return authoritySpec("Intel SGX TCB Signing", TCB_SIGNER, signerExtensions());
    }

    function signerExtensions() internal pure returns (bytes memory) {
        return bytes.concat(
            extension(KEY_USAGE, true, hex"030206c0"), extension(BASIC_CONSTRAINTS, true, hex"3000")
        );
    }

    function certificateOf(CertificateSpec memory spec, uint160 serial) internal pure returns (bytes memory) {
        return certificateOfTbs(tbsOf(spec, serial), spec.signedBy);
    }

    /// @notice Platform CA (1, serial 101), Processor CA (2, serial 102) and TCB signing (3, serial 103).
    function addAuthorities(ITdxCollateral collateral) internal {
        collateral.addAuthority(certificateOf(platformCaSpec(), 101));
        collateral.addAuthority(certificateOf(processorCaSpec(), 102));
        collateral.addAuthority(certificateOf(tcbSigningSpec(), 103));
    }

    /* REVOCATION LISTS */

    /// @notice Entries with a reason code, as Intel writes them; nothing for no serials.
    function crlEntries(uint160[] memory serials) internal pure returns (bytes memory list) {
        for (uint256 i = 0; i < serials.length; i++) {
            list = bytes.concat(
                list,
                tlv(0x30, bytes.concat(integer(serials[i]), tlv(0x17, "260530000000Z"), hex"300c300a0603551d1504030a0101"))
            );
        }
        if (list.length != 0) list = tlv(0x30, list);
    }

    /// @notice Extensions of a list: its number, and a key identifier.
    function crlExtensions(uint256 number) internal pure returns (bytes memory) {
        return bytes.concat(
            extension(hex"0603551d14", false, integer(number)),
            extension(hex"0603551d23", false, hex"301680140000000000000000000000000000000000000000")
        );
    }

    /// @notice The signed part of a list.
    /// @param dates Two times, DER.
    /// @param list The field of entries, DER, or nothing.
    function crlTbs(bytes memory issuer, bytes memory dates, bytes memory list, bytes memory extensions)
        internal
        pure
        returns (bytes memory)
    {
        return tlv(
            0x30,
            bytes.concat(hex"020101", ECDSA_WITH_SHA256, issuer, dates, list, tlv(0xa0, tlv(0x30, extensions)))
        );
    }

    function crlDates() internal pure returns (bytes memory) {
        return validityOf("260531000000Z", "260630000000Z");
    }

    function pckCrlOf(uint160[] memory serials) internal pure returns (bytes memory) {
        bytes memory name = intelName("Intel SGX PCK Platform CA");
        return certificateOfTbs(crlTbs(name, crlDates(), crlEntries(serials), crlExtensions(1)), PLATFORM_CA);
    }

    function rootCrlOf(uint160[] memory serials, bytes memory dates) internal pure returns (bytes memory) {
        bytes memory name = intelName("Intel SGX Root CA");
        return certificateOfTbs(crlTbs(name, dates, crlEntries(serials), crlExtensions(1)), COLLATERAL_ROOT);
    }

    /// @notice The places of serials in ascending order.
    function orderOf(uint160[] memory serials) internal pure returns (bytes memory order) {
        for (uint256 i = 0; i < serials.length; i++) {
            uint16 place = 0;
            for (uint256 j = 0; j < serials.length; j++) {
                if (serials[j] < serials[i]) place++;
            }
            order = abi.encodePacked(order, place);
        }
    }

    /* JSON */

    function signatureOf(uint256 key, bytes memory text) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, sha256(text));
        return bytes.concat(r, s);
    }

    function packed(bytes memory text) internal pure returns (bytes memory) {
        return LibZip.flzCompress(text);
    }

    function tcbHead(string memory issued, string memory next, string memory number)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            '{"id":"TDX","version":3,"issueDate":"', bytes(issued), '","nextUpdate":"', bytes(next),
            '","fmspc":"00a06f000000","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":', bytes(number)
        );
    }

    function moduleBody() internal pure returns (bytes memory) {
        return bytes.concat(
            '"mrsigner":"', bytes(ZEROS_96), '","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"'
        );
    }

    function components(string memory first) internal pure returns (bytes memory list) {
        list = bytes.concat('{"svn":', bytes(first), ',"category":"BIOS","type":"Early Microcode Update"}');
        for (uint256 i = 1; i < 16; i++) list = bytes.concat(list, ',{"svn":0}');
    }

    function levelOf(string memory svn, string memory status, bytes memory advisories)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            '{"tcb":{"sgxtcbcomponents":[', components(svn), '],"pcesvn":11,"tdxtcbcomponents":[', components("5"),
            ']},"tcbDate":"2025-08-13T00:00:00Z","tcbStatus":"', bytes(status), '"', advisories, "}"
        );
    }

    function tcbBody() internal pure returns (bytes memory) {
        return bytes.concat(
            ',"tdxModule":{', moduleBody(), '},"tdxModuleIdentities":[{"id":"TDX_01",', moduleBody(),
            ',"tcbLevels":[{"tcb":{"isvsvn":11},"tcbDate":"2025-08-13T00:00:00Z","tcbStatus":"UpToDate"}]}],"tcbLevels":[',
            levelOf("4", "UpToDate", ""), ",", levelOf("3", "OutOfDate", ',"advisoryIDs":["INTEL-SA-01245","other"]'), "]}"
        );
    }

    function tcbInfoOf(string memory issued, string memory next, string memory number)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(tcbHead(issued, next, number), tcbBody());
    }

    function qeIdentityOf(string memory issued, string memory next, string memory number)
        internal
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            '{"id":"TD_QE","version":2,"issueDate":"', bytes(issued), '","nextUpdate":"', bytes(next),
            '","tcbEvaluationDataNumber":', bytes(number),
            ',"miscselect":"00000000","miscselectMask":"FFFFFFFF","attributes":"11000000000000000000000000000000",'
            '"attributesMask":"FBFFFFFFFFFFFFFF0000000000000000",'
            '"mrsigner":"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5","isvprodid":2,'
            '"tcbLevels":[{"tcb":{"isvsvn":4},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"UpToDate"}]}'
        );
    }

    function submitTcbInfo(ITdxCollateral collateral, bytes memory text) internal {
        collateral.upsertTcbInfo(keyOf(TCB_SIGNER), packed(text), signatureOf(TCB_SIGNER, text));
    }

    function submitQeIdentity(ITdxCollateral collateral, bytes memory text) internal {
        collateral.upsertQeIdentity(keyOf(TCB_SIGNER), text, signatureOf(TCB_SIGNER, text));
    }
}
