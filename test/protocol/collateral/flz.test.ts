import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import solady from "solady";
import { bytesToHex } from "viem";
import { flzCompress, maxUnpackedSize, TooLongToPackError } from "../../../protocol/collateral/flz.ts";

const collateral = new URL("../../vectors/tdx/collateral/", import.meta.url);

function unpack(bytes: Uint8Array): Uint8Array {
  return Uint8Array.fromHex(solady.LibZip.flzDecompress(bytesToHex(bytes)).slice(2));
}

/** Bytes of a seed, of few or many kinds and with repetitions, so that every kind of token occurs. */
function sample(seed: number): Uint8Array {
  let state = seed + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const bytes: number[] = [];
  const size = next(2000);
  while (bytes.length < size) {
    const distance = 1 + next(300);
    if (next(3) === 0 && distance <= bytes.length)
      for (let n = next(400); n > 0; n--) bytes.push(bytes[bytes.length - distance] ?? 0);
    else for (let n = next(80); n > 0; n--) bytes.push(next(1 + (seed % 256)));
  }
  return Uint8Array.from(bytes);
}

describe("flzCompress", () => {
  it("packs Intel's TCB infos to less than half, so that LibZip unpacks the same", () => {
    for (const bundle of readdirSync(collateral)) {
      const bytes = readFileSync(new URL(`${bundle}/tcb_info.json`, collateral));
      const packed = flzCompress(bytes);
      expect(bytesToHex(unpack(packed))).to.equal(bytesToHex(bytes));
      expect(packed.length).to.be.lessThan(bytes.length / 2);
    }
  });

  it("packs anything so that it can be unpacked", () => {
    for (let seed = 0; seed < 300; seed++) {
      const bytes = sample(seed);
      expect(bytesToHex(unpack(flzCompress(bytes))), `seed ${seed}`).to.equal(bytesToHex(bytes));
    }
  });

  it("packs nothing, one byte, and the longest input", () => {
    for (const size of [0, 1, 2, 3, 4, maxUnpackedSize]) {
      const bytes = new Uint8Array(size).fill(65);
      expect(bytesToHex(unpack(flzCompress(bytes)))).to.equal(bytesToHex(bytes));
    }
  });

  it("reaches back 8,192 bytes and not one more", () => {
    // Bytes of a counter do not repeat within 3; the head comes again after `gap` bytes.
    for (const gap of [8191, 8192, 8193]) {
      const bytes = new Uint8Array(gap + 200);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (Math.imul(i, 2_654_435_761) >>> 13) & 0xff;
      bytes.copyWithin(gap, 0, 200);
      expect(bytesToHex(unpack(flzCompress(bytes))), `gap ${gap}`).to.equal(bytesToHex(bytes));
    }
  });

  it("throws TooLongToPackError beyond the limit", () => {
    expect(() => flzCompress(new Uint8Array(maxUnpackedSize + 1))).to.throw(
      TooLongToPackError,
      "24001 bytes are to be packed, the contract takes 24000.",
    );
  });
});
