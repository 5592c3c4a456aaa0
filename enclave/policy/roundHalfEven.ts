/**
 * Room: enclave/policy. Rounding in decimal, with integers only: what is rounded is the number as canonical JSON shows it,
 * which anyone can do over by hand or in another language. Pure.
 */

/**
 * Rounds to a number of decimal places, half to even.
 *
 * @param value - finite.
 * @param decimals - from 0.
 * @returns never -0. It shows no more than `decimals` places: the shortest text of a double is never longer than one that
 * leads to it.
 * @example
 * roundHalfEven(2.675, 2) // 2.68
 */
export function roundHalfEven(value: number, decimals: number): number {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const places = fraction.length - Number(exponent);
  if (places <= decimals) return value;
  const digits = BigInt(whole + fraction); // of the value: digits / 10^places
  const unit = 10n ** BigInt(places - decimals);
  const rest = 2n * (digits % unit);
  const down = digits / unit;
  const kept = rest > unit || (rest === unit && down % 2n === 1n) ? down + 1n : down;
  return kept === 0n ? 0 : Number(`${value < 0 ? "-" : ""}${kept}e-${decimals}`);
}
