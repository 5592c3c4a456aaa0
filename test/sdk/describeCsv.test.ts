import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { BadCsvError, createCsvDescriber, describeCsv } from "../../sdk/describeCsv.ts";

const describeText = (text: string) => describeCsv(new TextEncoder().encode(text));

describe("describeCsv", () => {
  it("describes the real measurements of the demo", async () => {
    const read = (name: string) => readFile(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url));
    expect(describeCsv(await read("co2-concentration.csv"))).to.deep.equal({
      columns: [
        { name: "Date", type: "date" },
        { name: "CO2", type: "number" },
        { name: "adjusted CO2", type: "number" },
      ],
      records: 741,
      timeRange: ["1958-03-01", "2020-04-01"],
    });
    expect(describeCsv(await read("global-temp.csv"))).to.deep.equal({
      columns: [
        { name: "year", type: "integer" },
        { name: "temp", type: "number" },
      ],
      records: 144,
      timeRange: ["1880", "2023"],
    });
  });

  it("reads quotes, escaped quotes, line ends of all kinds, a byte order mark and a missing last line end", () => {
    const { columns, records } = describeText('\ufeff"a ""x""",b\r\n"1,\n2",true\r3,FALSE\n\n"",');
    expect(columns).to.deep.equal([
      { name: 'a "x"', type: "string" },
      { name: "b", type: "boolean" },
    ]);
    expect(records).to.equal(3);
  });

  it("types columns by every value, ignoring empty ones", () => {
    const { columns } = describeText("i,n,s,d,e\n1,1,1,2020-01,\n-2,.5e-3,x,2021-02-03,\n,,,,\n");
    expect(columns.map((column) => column.type)).to.deep.equal(["integer", "number", "string", "date", "integer"]);
    expect(describeText("a,b").columns.map((column) => column.type)).to.deep.equal(["string", "string"]);
  });

  it("takes a range from dates, or from years under a name that says so", () => {
    expect(describeText("n\n1999\n2001\n").timeRange).to.equal(undefined);
    expect(describeText("Year\n2001\n1999\n").timeRange).to.deep.equal(["1999", "2001"]);
    expect(describeText("when\n2020-02-01\nx\n").timeRange).to.equal(undefined);
  });

  it("refuses what is not CSV, with the reason", () => {
    const wide = Array.from({ length: 257 }, (_, i) => `c${i}`).join(",");
    const cases: [string | Uint8Array, string][] = [
      ["", "it is empty"],
      ["\n\n", "it is empty"],
      ["a,b\n1\n", "record 1 has 1 fields, the header 2"],
      ['a\n"1', "a quoted field does not end"],
      ['a\n"1"x\n', "text follows a quoted field"],
      [`${"n".repeat(129)}\n1\n`, "a column's name is longer than 128 characters"],
      [wide, "it has 257 columns, limit 256"],
      [Uint8Array.of(0xff, 0xfe), "it is not UTF-8"],
    ];
    for (const [input, fact] of cases) {
      const run = () => describeCsv(typeof input === "string" ? new TextEncoder().encode(input) : input);
      expect(run, fact).to.throw(BadCsvError, `The file cannot be read as CSV: ${fact}.`);
    }
  });

  it("says the same of a file that comes in pieces, wherever it is cut", () => {
    const bytes = new TextEncoder().encode('\ufeff"a ""x""",né\r\n"1,\n2",2020-01\r\r\n3,"2021-02"\n"",');
    const whole = describeCsv(bytes);
    expect(whole.records).to.equal(3);
    for (let first = 0; first <= bytes.length; first++) {
      for (const second of [first, first + 1, first + 2, bytes.length]) {
        const describer = createCsvDescriber();
        for (const piece of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]) {
          describer.add(piece);
        }
        expect(describer.end()).to.deep.equal(whole);
      }
    }
  });

  it("holds no record longer than a million characters", () => {
    for (const start of ["a\n", 'a\n"']) {
      const endless = new TextEncoder().encode(start + "x".repeat(1_200_000));
      expect(() => describeCsv(endless)).to.throw(BadCsvError, "a record is longer than 1048576 characters");
    }
  });

  it("takes time in proportion to the file", () => {
    const large = `a,b\n${'"1",2020-01-01\n'.repeat(200_000)}`;
    const start = performance.now();
    expect(describeText(large).records).to.equal(200_000);
    expect(performance.now() - start).to.be.lessThan(5_000);
  });
});
