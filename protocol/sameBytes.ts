/** Room: protocol/sameBytes. Pure. */

/**
 * Whether two byte strings are the same. Not for secrets: the time it takes tells where they differ.
 *
 * @example
 * if (!sameBytes(certificate.issuer, root.subject)) refuse()
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
