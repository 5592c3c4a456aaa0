/**
 * Room: enclave/vault/datasetKey. A data set key is an age X25519 identity in its text form (AGE-SECRET-KEY-1...).
 */

const identityPattern = /^AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}$/;

/**
 * The identity text in a data set key.
 *
 * @returns undefined if the bytes are anything else.
 * @example
 * const identity = parseDatasetKey(key)
 */
export function parseDatasetKey(key: Uint8Array): string | undefined {
  if (key.length !== 74) return undefined;
  const text = String.fromCharCode(...key);
  return identityPattern.test(text) ? text : undefined;
}
