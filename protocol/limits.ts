/**
 * Room: protocol/limits. Limits that both sides must agree on, so that nothing is published which no worker takes, and
 * nothing is sent that the market refuses. Pure. Source of the market's: IJobMarket.sol, ISessions.sol, MarketTypes.sol.
 */

/** Largest ciphertext of one data set, in bytes: a worker holds it in memory. */
export const maxCiphertextBytes = 64 * 1024 * 1024;

/** Most data sets of one job. */
export const maxDatasets = 16;
/** Longest parameters of a job, canonical JSON, in bytes. */
export const maxParamsBytes = 8192;
/** Longest URI of a program, in bytes. */
export const maxProgramUriBytes = 1024;
/** Most enclaves that may have to say the same. */
export const maxQuorum = 5;
/** Most orders of one group. */
export const maxGroupItems = 256;
/** Most jobs of one session. */
export const maxSessionJobs = 4096;
/** Bounds of a session's time for disputes, in seconds. */
export const challengeSeconds = { min: 600, max: 2_592_000 } as const;
