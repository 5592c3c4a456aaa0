// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice Intel's verdict on a platform's TCB, in the words of the PCS API. `Unsupported`: no TCB level of the
/// collateral fits the platform. The two TDRelaunchAdvised are for TD 1.5 only: the guest started under an outdated TDX
/// module that has been updated since.
enum TcbStatus {
    Unsupported,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
    TDRelaunchAdvised,
    TDRelaunchAdvisedConfigurationNeeded
}

/// @notice A P-256 public key, big-endian coordinates.
struct P256Key {
    bytes32 x;
    bytes32 y;
}

/// @notice What a PCK leaf certificate says of its platform. Certified once, then remembered by its hash alone.
/// @param pckKey The certified key.
/// @param platformId First 16 bytes of keccak256 of the platform's PPID, which is as long.
/// @param serial The certificate's serial number.
/// @param notAfter Unix seconds, the certificate's last second of validity.
/// @param issuer Number of the PCK CA that signed it; see `ITdxCollateral.authority`.
/// @param fmspc Family, model, stepping, platform type and custom SKU.
/// @param pceId The provisioning certification enclave's id, as in the certificate.
/// @param pceSvn Its security version.
/// @param componentSvns SGX TCB component SVNs 1 to 16, a byte each.
struct Platform {
    P256Key pckKey;
    bytes16 platformId;
    uint160 serial;
    uint64 notAfter;
    uint16 issuer;
    bytes6 fmspc;
    bytes2 pceId;
    uint16 pceSvn;
    bytes16 componentSvns;
}

/// @notice All that collateral judges of one quote.
/// @param platform The platform, from its PCK certificate.
/// @param teeTcbSvn SVNs of the TDX module under which the guest started.
/// @param currentTeeTcbSvn SVNs of the TDX module now (TD 1.5); equal to `teeTcbSvn` for TD 1.0.
/// @param qeIsvSvn Security version of the quoting enclave.
struct TcbEvidence {
    Platform platform;
    bytes16 teeTcbSvn;
    bytes16 currentTeeTcbSvn;
    uint16 qeIsvSvn;
}

/// @notice A verdict and what it is made of.
/// @param tcbStatus The converged status.
/// @param platform Status of the platform's TCB level, before convergence.
/// @param module_ Status of the TDX module; UpToDate if the module's version is 0.
/// @param qe Status of the quoting enclave.
/// @param certificateRevoked The PCK certificate or its CA is revoked: no status makes up for that.
/// @param validUntil Unix seconds: the first second at which something the verdict rests on is no longer valid.
/// @param advisoryIds Numbers of the Intel advisories that hold for the levels: 1245 is INTEL-SA-01245. With
/// repetitions.
struct TcbAssessment {
    TcbStatus tcbStatus;
    TcbStatus platform;
    TcbStatus module_;
    TcbStatus qe;
    bool certificateRevoked;
    uint64 validUntil;
    uint24[] advisoryIds;
}
