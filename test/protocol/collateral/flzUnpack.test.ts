import { readFileSync } from "node:fs";
import { expect } from "chai";
import { flzCompress, maxUnpackedSize } from "../../../protocol/collateral/flz.ts";
import { BadPackingError, flzUnpack } from "../../../protocol/collateral/flzUnpack.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const folder = "../../vectors/tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/";

describe("flzUnpack", () => {
  it("gives back what was packed, Intel's TCB info among it", () => {
    const tcbInfo = new Uint8Array(readFileSync(new URL(`${folder}tcb_info.json`, import.meta.url)));
    const samples = [tcbInfo, bytes(), bytes(7), bytes(...Array(700).fill(5)), new Uint8Array(maxUnpackedSize)];
    for (const sample of samples) expect(flzUnpack(flzCompress(sample))).to.deep.equal(sample);
  });

  it("repeats what it is just writing, and reads both lengths of a match", () => {
    expect(flzUnpack(bytes(0, 9, 0x20, 0))).to.deep.equal(bytes(9, 9, 9, 9));
    expect(flzUnpack(bytes(1, 1, 2, 0xe0, 1, 1))).to.deep.equal(bytes(1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2));
  });

  it("refuses what is cut off, points before its beginning, or grows without end", async () => {
    const message = async (packed: Uint8Array) => (await rejection(() => flzUnpack(packed), BadPackingError)).message;
    for (const packed of [bytes(3, 1, 2), bytes(0), bytes(0, 1, 0x20), bytes(0, 1, 0xe0, 1)])
      expect(await message(packed)).to.match(/it is cut off/);
    for (const packed of [bytes(0x20, 0), bytes(0, 1, 0x20, 1), bytes(0, 1, 0xff, 0, 0xff)])
      expect(await message(packed)).to.match(/it points before its beginning/);
    const bomb = bytes(0, 1, ...Array(200).fill([0xe0, 255, 0]).flat());
    expect(await message(bomb)).to.match(/it unpacks to more than 24000 bytes/);
  });
});
