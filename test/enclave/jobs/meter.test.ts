import { expect } from "chai";
import { zeroHash } from "viem";
import { billedRows, billedSeconds, rowsOf } from "../../../enclave/jobs/meter.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";

describe("rowsOf", () => {
  it("counts an array, or the array under rows; all else is one row", () => {
    const cases: [JsonValue, bigint][] = [
      [[], 0n],
      [[[1, 2], null], 2n],
      [{ rows: [1, 2, 3], columns: ["a"] }, 3n],
      [{ rows: [] }, 0n],
      [{ rows: { length: 9 } }, 1n],
      [{ rows: "abc" }, 1n],
      [{ data: [1, 2] }, 1n],
      [{}, 1n],
      [null, 1n],
      ["abc", 1n],
      [7, 1n],
      [JSON.parse('{"__proto__":{"rows":[1,2]}}') as JsonValue, 1n],
    ];
    for (const [output, rows] of cases) expect(rowsOf(output), JSON.stringify(output)).to.equal(rows);
  });
});

describe("billedRows", () => {
  it("tells the rows only where a grant is priced by them", () => {
    expect(billedRows([{ priceUnit: 0 }, { priceUnit: 2 }], [1, 2])).to.equal(0n);
    expect(billedRows([{ priceUnit: 0 }, { priceUnit: 1 }], [1, 2])).to.equal(2n);
  });
});

describe("billedSeconds", () => {
  it("rounds up, and tells them only where an offer charges for them", () => {
    const offerHash = `0x${"01".repeat(32)}` as const;
    expect([0, 0.2, 1000, 1000.1].map((ms) => billedSeconds({ offerHash }, ms))).to.deep.equal([0, 1, 1, 2]);
    expect(billedSeconds({ offerHash: zeroHash }, 5000)).to.equal(0);
  });
});
