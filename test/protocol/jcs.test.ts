import { expect } from "chai";
import { toJcs, toJcsBytes } from "../../protocol/jcs.ts";
import { expectError } from "./quote/vectors.ts";

describe("toJcs", () => {
  it("writes the example of RFC 8785, 3.2.2 and 3.2.3", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(toJcs(value)).to.equal(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts keys by UTF-16 code units (RFC 8785, 3.2.3)", () => {
    const keys = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    const value = Object.fromEntries(keys.map((key) => [key, 1]));
    expect(Object.keys(JSON.parse(toJcs(value)))).to.have.members(keys);
    const written = [...toJcs(value).matchAll(/("(?:[^"\\]|\\.)*"):1/g)].map((match) => JSON.parse(match[1] ?? ""));
    expect(written).to.deep.equal(sorted);
  });

  it("writes numbers as ECMAScript does", () => {
    expect(toJcs([0, -0, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53 + 1])).to.equal(
      "[0,0,1e+21,1e-7,5e-324,1.7976931348623157e+308,9007199254740992]",
    );
  });

  it("gives UTF-8 bytes", () => {
    expect(toJcsBytes({ a: "\u20ac" })).to.deep.equal(new TextEncoder().encode('{"a":"\u20ac"}'));
  });

  it("refuses what has no JSON form", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY, [Number.NaN], 1n, { a: 1n }, cyclic])
      expectError(() => toJcs(value), "Jcs.NotJsonError", "The value has no JSON form.");
  });
});
