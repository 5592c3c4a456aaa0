/**
 * Room: protocol/collateral. Intel's words for how well a platform is patched. Pure.
 * Source: Intel PCS API v4, "Get TDX TCB Info", `tcbStatus`; Intel QVL, EvaluateTcb.cpp and TDRelaunchCheck.cpp.
 */

/** Statuses of a level of TCB info. */
export const platformStatuses = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const;

/** Statuses of a level of a TDX module's or a quoting enclave's identity. Others are published for neither. */
export const enclaveStatuses = ["UpToDate", "OutOfDate", "Revoked"] as const;

/** Every status that a judgement can end in. */
export const tcbStatuses = [...platformStatuses, "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"] as const;

export type PlatformStatus = (typeof platformStatuses)[number];
export type EnclaveStatus = (typeof enclaveStatuses)[number];
export type TcbStatus = (typeof tcbStatuses)[number];

/** Statuses that are accepted unless the caller says otherwise: nothing is known to be unpatched or misconfigured. */
export const defaultPolicy: readonly TcbStatus[] = ["UpToDate", "SWHardeningNeeded"];
