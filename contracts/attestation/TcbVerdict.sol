// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { TcbStatus } from "../interfaces/TcbTypes.sol";

/// @title TcbVerdict
/// @notice Intel's rules by which the statuses of a quote's parts become one.
/// @custom:source Intel SGX-TDX-DCAP-QuoteVerificationLibrary, EvaluateTcb.cpp, section 4.1.2.5.2; Intel PCS API v4
library TcbVerdict {
    /// @notice One status out of those of the platform's level, the TDX module's, and the quoting enclave's.
    function converge(TcbStatus platform, TcbStatus module_, TcbStatus qe) internal pure returns (TcbStatus) {
        if (platform == TcbStatus.Unsupported || !_isKnown(module_)) return TcbStatus.Unsupported;
        if (platform == TcbStatus.Revoked || module_ == TcbStatus.Revoked) return TcbStatus.Revoked;
        if (qe == TcbStatus.Revoked) return TcbStatus.Revoked;
        if (!_isKnown(qe)) return TcbStatus.Unsupported;
        if (module_ == TcbStatus.UpToDate && qe == TcbStatus.UpToDate) return platform;

        // One of the two is out of date: so is the whole.
        if (platform == TcbStatus.UpToDate || platform == TcbStatus.SWHardeningNeeded) return TcbStatus.OutOfDate;
        if (_needsConfiguration(platform)) return TcbStatus.OutOfDateConfigurationNeeded;
        return platform;
    }

    /// @notice One status out of those under the TDX module that started the guest and under the one that runs now.
    /// @dev A guest keeps what it was given at its start: a module that was updated since does not mend it, but a
    /// relaunch does.
    function relaunch(TcbStatus launch, TcbStatus current) internal pure returns (TcbStatus) {
        if (launch == TcbStatus.Unsupported || current == TcbStatus.Unsupported) return TcbStatus.Unsupported;
        // Stricter than Intel, who looks at what runs now only where the launch was out of date.
        if (current == TcbStatus.Revoked) return TcbStatus.Revoked;

        bool configure = _needsConfiguration(current);
        bool mended = configure || current == TcbStatus.UpToDate || current == TcbStatus.SWHardeningNeeded;
        if (launch == TcbStatus.OutOfDate && mended) {
            return configure ? TcbStatus.TDRelaunchAdvisedConfigurationNeeded : TcbStatus.TDRelaunchAdvised;
        }
        if (launch == TcbStatus.OutOfDateConfigurationNeeded && mended) {
            return TcbStatus.TDRelaunchAdvisedConfigurationNeeded;
        }
        return launch;
    }

    /// @dev Whether Intel gives modules and quoting enclaves this status.
    function _isKnown(TcbStatus status) private pure returns (bool) {
        return status == TcbStatus.UpToDate || status == TcbStatus.OutOfDate || status == TcbStatus.Revoked;
    }

    function _needsConfiguration(TcbStatus status) private pure returns (bool) {
        return status == TcbStatus.ConfigurationNeeded || status == TcbStatus.ConfigurationAndSWHardeningNeeded;
    }
}
