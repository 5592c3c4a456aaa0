/**
 * Room: protocol/limits. Limits that both sides must agree on, so that nothing is published which no worker takes. Pure.
 */

/** Largest ciphertext of one data set, in bytes: a worker holds it in memory. */
export const maxCiphertextBytes = 64 * 1024 * 1024;
