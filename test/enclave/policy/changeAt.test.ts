import { expect } from "chai";
import { changeAt } from "../../../enclave/policy/changeAt.ts";
import type { JsonValue } from "../../../protocol/jsonSchema.ts";

const double = (value: JsonValue) => (typeof value === "number" ? 2 * value : undefined);

describe("changeAt", () => {
  it("changes all that a path leads to, and nothing else", () => {
    expect(changeAt(3, "", double)).to.equal(6);
    expect(changeAt({ n: 1, m: 1 }, "/n", double)).to.deep.equal({ n: 2, m: 1 });
    expect(changeAt([1, 2], "/*", double)).to.deep.equal([2, 4]);
    expect(changeAt({ a: [{ n: 1, m: 1 }, { n: 2 }] }, "/a/*/n", double)).to.deep.equal({
      a: [{ n: 2, m: 1 }, { n: 4 }],
    });
    expect(changeAt([[1], [], [2, 3]], "/*/*", double)).to.deep.equal([[2], [], [4, 6]]);
    expect(changeAt([], "/*/n", double)).to.deep.equal([]);
  });

  it("refuses where a path leads nowhere, in any element", () => {
    const cases: [JsonValue, string][] = [
      [{}, "/n"],
      [{ n: null }, "/n/m"],
      [{ n: 1 }, "/n/m"],
      [{ n: "12" }, "/n/length"],
      [[1], "/length"],
      [{ a: 1 }, "/*"],
      ["ab", "/*"],
      [[{ n: 1 }, { m: 1 }], "/*/n"],
      [[{ n: 1 }, 1], "/*/n"],
      [[{ n: 1 }, "x"], "/*/n"],
    ];
    for (const [value, path] of cases) expect(changeAt(value, path, double), path).to.equal(undefined);
  });

  it("knows no names but an object's own", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "__defineGetter__"]) {
      let seen = 0;
      const found = changeAt({}, `/${name}`, () => ++seen);
      expect([found, seen], name).to.deep.equal([undefined, 0]);
    }
    expect(changeAt({ constructor: 1 }, "/constructor", double)).to.deep.equal({ constructor: 2 });
    expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
  });

  it("sees each value once, however many wildcards the path has", () => {
    let deep: JsonValue = 1;
    for (let i = 0; i < 31; i++) deep = [deep];
    let seen = 0;
    const count = (value: JsonValue) => {
      seen++;
      return value;
    };
    expect(changeAt([deep, deep], "/*".repeat(32), count)).to.deep.equal([deep, deep]);
    expect(seen).to.equal(2);
    expect(changeAt(deep, "/*".repeat(128), double)).to.equal(undefined);
  });
});
