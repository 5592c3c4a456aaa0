/**
 * Room: protocol/collateral. The hint that `TdxCollateral.upsertPckCrl` asks for: where each entry of a revocation list
 * stands among all of them in ascending order. Not trusted there. Pure.
 */

/** Entries in ascending order, as the contract stores them: 20 bytes each. */
export function sortedSerials(serials: readonly bigint[]): Uint8Array {
  const sorted = serials.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Uint8Array.fromHex(sorted.map((serial) => serial.toString(16).padStart(40, "0")).join(""));
}

/**
 * Places of the entries.
 *
 * @param serials - in the list's order, at most 65,536, each below 2^160.
 * @returns two bytes an entry, big-endian.
 * @example
 * const order = crlOrder(readCrl(collateral.pckCrl).serials)
 */
export function crlOrder(serials: readonly bigint[]): Uint8Array {
  const places = serials.map((serial, index) => ({ serial, index }));
  places.sort((a, b) => (a.serial < b.serial ? -1 : a.serial > b.serial ? 1 : a.index - b.index));
  const order = new Uint8Array(serials.length * 2);
  const view = new DataView(order.buffer);
  places.forEach(({ index }, place) => {
    view.setUint16(index * 2, place);
  });
  return order;
}
