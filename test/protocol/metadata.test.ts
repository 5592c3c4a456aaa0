import { expect } from "chai";
import { metadataSchema, readMetadata } from "../../protocol/metadata.ts";

const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const metadata = {
  v: 1,
  title: "CO2 at Mauna Loa",
  description: "Monthly means",
  topic: "climate",
  keywords: ["co2", "monthly"],
  format: "csv",
  columns: [{ name: "Date", type: "date" }],
  records: 741,
  timeRange: ["1958-03", "2020-04"],
  licence: "BSD-3-Clause",
  price: { token: address, amount: "2500000" },
};

const accepts = (change: object) => metadataSchema.safeParse({ ...metadata, ...change }).success;

describe("metadataSchema", () => {
  it("reads all fields, and the least there may be", () => {
    expect(metadataSchema.parse(metadata)).to.deep.equal({
      ...metadata,
      price: { token: address, amount: 2_500_000n },
    });
    expect(metadataSchema.parse({ v: 1, title: "x", format: "json" })).to.deep.equal({
      v: 1,
      title: "x",
      format: "json",
    });
  });

  it("refuses unknown fields, formats and types, and text that is too long", () => {
    expect(accepts({ more: 1 })).to.equal(false);
    expect(accepts({ v: 2 })).to.equal(false);
    expect(accepts({ title: "" })).to.equal(false);
    expect(accepts({ title: "x".repeat(201) })).to.equal(false);
    expect(accepts({ description: "x".repeat(2001) })).to.equal(false);
    expect(accepts({ format: "exe" })).to.equal(false);
    expect(accepts({ keywords: Array(33).fill("x") })).to.equal(false);
    expect(accepts({ keywords: [""] })).to.equal(false);
    expect(accepts({ columns: Array(257).fill(metadata.columns[0]) })).to.equal(false);
    expect(accepts({ columns: [{ name: "x", type: "object" }] })).to.equal(false);
    expect(accepts({ records: -1 })).to.equal(false);
    expect(accepts({ records: 0.5 })).to.equal(false);
    expect(accepts({ timeRange: ["1958"] })).to.equal(false);
    expect(accepts({ price: { token: address, amount: 1 } })).to.equal(false);
    expect(accepts({ price: { token: "0x", amount: "1" } })).to.equal(false);
  });
});

describe("readMetadata", () => {
  it("reads metadata, and gives undefined for whatever else a provider registered", () => {
    expect(readMetadata(JSON.stringify(metadata))?.title).to.equal("CO2 at Mauna Loa");
    for (const text of ["", "{", "null", "[]", '{"v":1}', "[".repeat(100_000), '{"__proto__":{"v":1}}'])
      expect(readMetadata(text)).to.equal(undefined);
  });
});
