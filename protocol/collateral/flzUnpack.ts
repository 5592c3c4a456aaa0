/**
 * Room: protocol/collateral. Unpacks FastLZ level 1, as `TdxCollateral` does: what was sent to the chain, read back. Pure.
 * Source: FastLZ, "Block format, level 1".
 */
import { BaseError } from "../errors.ts";
import { maxUnpackedSize } from "./flz.ts";

/**
 * Unpacks bytes.
 *
 * @throws {@link BadPackingError} if they are cut off, point before their beginning, or unpack to more than the contract takes.
 * @example
 * const tcbInfo = flzUnpack(compressed)
 */
export function flzUnpack(packed: Uint8Array): Uint8Array {
  const out: number[] = [];
  let at = 0;
  const next = (): number => {
    const byte = packed[at++];
    if (byte === undefined) throw new BadPackingError("it is cut off");
    return byte;
  };
  while (at < packed.length) {
    const first = next();
    const kind = first >> 5;
    if (kind === 0) {
      for (let left = first + 1; left > 0; left--) out.push(next());
    } else {
      const length = kind === 7 ? 9 + next() : 2 + kind;
      const from = out.length - 1 - (((first & 31) << 8) | next());
      if (from < 0) throw new BadPackingError("it points before its beginning");
      for (let i = 0; i < length; i++) out.push(out[from + i] ?? 0); // within `out`: it grows ahead of what is read
    }
    if (out.length > maxUnpackedSize) throw new BadPackingError(`it unpacks to more than ${maxUnpackedSize} bytes`);
  }
  return Uint8Array.from(out);
}

/** The bytes are not a packing. */
export class BadPackingError extends BaseError {
  override readonly name = "Collateral.BadPackingError";
  constructor(fact: string) {
    super(`The packed TCB info cannot be unpacked: ${fact}.`, {
      hint: "It is not what the contract took: the RPC is faulty or lies.",
    });
  }
}
