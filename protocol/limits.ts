/**
 * Room: protocol/limits. Limits that both sides must agree on, so that nothing is published which no worker takes, and
 * nothing is sent that the market refuses. Pure. Source of the market's: IJobMarket.sol, ISessions.sol, MarketTypes.sol.
 */

/** Largest ciphertext of one data set, in bytes: 1 GiB with what age adds. A worker holds it on disk and reads a stream. */
export const maxCiphertextBytes = 1025 * 1024 * 1024;

/** Largest sealed result, in bytes: an output of 64 MiB with its envelope and what age adds for each reader. */
export const maxSealedResultBytes = 65 * 1024 * 1024;

/**
 * Longest signature of an account, in bytes: contracts (ERC-1271) want more than a key's 65. All 16 members of a council
 * come to 1,392, see protocol/council.ts.
 */
export const maxSignatureBytes = 2048;

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
