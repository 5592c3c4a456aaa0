import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { checkSchema } from "../../protocol/jsonSchema.ts";
import {
  BadMetadataError,
  type Metadata,
  maxMetadataBytes,
  metadataToText,
  parseMetadata,
  readMetadata,
} from "../../protocol/metadata.ts";

const token = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const metadata = {
  v: 1,
  title: "CO2 at Mauna Loa",
  description: "Monthly means",
  topic: "climate",
  keywords: ["co2", "monthly"],
  format: "csv",
  columns: [
    { name: "Date", type: "date" },
    { name: "Interpolated", type: "number", description: "Monthly mean, gaps filled", unit: "ppm" },
  ],
  records: 741,
  timeRange: ["1958-03", "2020-04"],
  place: "Hawaii",
  language: "en",
  edition: "2020-05",
  licence: "BSD-3-Clause",
  price: { token, amount: "2500000", unit: "use" },
};
const least = { v: 1, title: "x", format: "json" };
const column = metadata.columns[0];

/** What is wrong with the metadata once `change` is made to them. */
function failureWith(change: object): string | undefined {
  try {
    parseMetadata({ ...metadata, ...change });
    return undefined;
  } catch (error) {
    if (error instanceof BadMetadataError) return error.message.replace("The metadata are not valid: ", "");
    throw error;
  }
}

describe("parseMetadata", () => {
  it("reads all fields, and the least there may be", () => {
    expect(parseMetadata(metadata)).to.deep.equal({ ...metadata, price: { token, amount: 2_500_000n, unit: "use" } });
    expect(parseMetadata(least)).to.deep.equal(least);
  });

  it("reads a token in any case as one address", () => {
    for (const written of [token.toLowerCase(), `0x${token.slice(2).toUpperCase()}`])
      expect(parseMetadata({ ...least, price: { token: written, amount: "0" } }).price).to.deep.equal({
        token,
        amount: 0n,
      });
  });

  it("takes every field up to its limit", () => {
    const limits = {
      title: "😀".repeat(200), // counted in characters, not in UTF-16 units
      description: "x".repeat(2000),
      topic: "x".repeat(80),
      keywords: Array(32).fill("x".repeat(40)),
      columns: Array(256).fill({ ...column, name: "x".repeat(128) }),
      records: Number.MAX_SAFE_INTEGER,
      timeRange: ["1958", "2020-04-01T00:00:00.000+02:00"],
      place: "x".repeat(120),
      language: "zh-Hant-TW",
      edition: "x".repeat(40),
      licence: "x".repeat(80),
      price: { token, amount: "9".repeat(77), unit: "inputByte" },
    };
    for (const [field, value] of Object.entries(limits))
      expect(failureWith({ [field]: value }), field).to.equal(undefined);
  });

  const refused: [object, string][] = [
    [{ more: 1 }, "/more is no field of metadata"],
    [{ constructor: 1 }, "/constructor is no field of metadata"],
    [{ columns: [{ ...column, toString: "x" }] }, "/columns/0/toString is no field of metadata"],
    [{ price: { token, amount: "1", fee: "1" } }, "/price/fee is no field of metadata"],
    [{ v: 2 }, "/v Instance does not match 1."],
    [{ title: "" }, "/title String is too short (0 < 1)."],
    [{ title: "x".repeat(201) }, "/title String is too long (201 > 200)."],
    [{ title: ["x"] }, '/title Instance type "array" is invalid. Expected "string".'],
    [{ description: "x".repeat(2001) }, "/description String is too long (2001 > 2000)."],
    [{ topic: "x".repeat(81) }, "/topic String is too long (81 > 80)."],
    [{ format: "exe" }, '/format Instance does not match any of ["csv","json","text","parquet","bytes"].'],
    [{ keywords: Array(33).fill("x") }, "/keywords Array has too many items (33 > 32)."],
    [{ keywords: [""] }, "/keywords/0 String is too short (0 < 1)."],
    [{ columns: Array(257).fill(column) }, "/columns Array has too many items (257 > 256)."],
    [
      { columns: [column, { name: "x", type: "object" }] },
      '/columns/1/type Instance does not match any of ["string","number","integer","boolean","date"].',
    ],
    [{ columns: [{ name: "x" }] }, '/columns/0 Instance does not have required property "type".'],
    [{ records: -1 }, "/records -1 is less than 0."],
    [{ records: 0.5 }, '/records Instance type "number" is invalid. Expected "integer".'],
    [{ records: 2 ** 53 }, "/records 9007199254740992 is greater than 9007199254740991."],
    [{ timeRange: ["1958"] }, "/timeRange Array has too few items (1 < 2)."],
    [{ timeRange: ["1958", "1959", "1960"] }, "/timeRange Array has too many items (3 > 2)."],
    [{ timeRange: ["1958", "soon"] }, "/timeRange/1 String does not match pattern."],
    [{ place: "x".repeat(121) }, "/place String is too long (121 > 120)."],
    [{ language: "English, mostly" }, "/language String does not match pattern."],
    [{ edition: "x".repeat(41) }, "/edition String is too long (41 > 40)."],
    [{ licence: "x".repeat(81) }, "/licence String is too long (81 > 80)."],
    [{ price: { token, amount: 1 } }, '/price/amount Instance type "number" is invalid. Expected "string".'],
    [{ price: { token, amount: "1".repeat(78) } }, "/price/amount String does not match pattern."],
    [{ price: { token, amount: "01" } }, "/price/amount String does not match pattern."],
    [{ price: { token: "0x", amount: "1" } }, "/price/token String does not match pattern."],
    [{ price: { token } }, '/price Instance does not have required property "amount".'],
    [
      { price: { token, amount: "1", unit: "row" } },
      '/price/unit Instance does not match any of ["use","outputRow","inputByte"].',
    ],
    [{ keywords: [["x"]] }, '/keywords/0 Instance type "array" is invalid. Expected "string".'],
    [{ columns: [{ name: ["x"] }] }, "/ is nested too deep or has a __proto__ key"],
  ];
  for (const [change, fact] of refused)
    it(`refuses: ${fact.slice(0, 90)}`, () => expect(failureWith(change)).to.equal(fact));

  it("says in the error which schema holds", () => {
    expect(() => parseMetadata(null))
      .to.throw(BadMetadataError)
      .that.includes({
        name: "Metadata.BadMetadataError",
        message: 'The metadata are not valid: / Instance type "null" is invalid. Expected "object".',
        hint: "docs/schemas/dataset-metadata.schema.json says what each field may be.",
        retryable: false,
      });
  });
});

describe("the published schema", () => {
  it("is strict and bounded: no open objects, no text, list or number without a limit", async () => {
    const text = await readFile("docs/schemas/dataset-metadata.schema.json", "utf8");
    const visit = (schema: Record<string, unknown>, at: string) => {
      if (schema.type === "object") expect(schema.additionalProperties, at).to.equal(false);
      if (schema.type === "array") expect(schema.maxItems, at).to.be.a("number");
      if (schema.type === "integer") expect(schema.maximum, at).to.be.a("number");
      if (schema.type === "string") expect(schema.maxLength ?? schema.pattern, at).not.to.equal(undefined);
      if (typeof schema.pattern === "string" && schema.maxLength === undefined)
        expect(schema.pattern, at).to.match(/^\^[^*+]*\$$/); // bounds its own length
      for (const [name, inner] of Object.entries((schema.properties ?? {}) as Record<string, object>))
        visit({ ...inner }, `${at}/${name}`);
      if (schema.items !== undefined) visit(schema.items as Record<string, unknown>, `${at}/items`);
    };
    visit(JSON.parse(text), "");
  });

  it("uses nothing beyond the keywords of manifests, but for patterns", async () => {
    const text = await readFile("docs/schemas/dataset-metadata.schema.json", "utf8");
    const { $schema, $id, ...schema } = JSON.parse(text, (key, value) => (key === "pattern" ? undefined : value));
    expect($schema).to.equal("https://json-schema.org/draft/2020-12/schema");
    expect($id).to.equal("urn:data-collab-market:dataset-metadata:1");
    expect(() => checkSchema(schema)).not.to.throw();
  });
});

describe("metadataToText", () => {
  it("writes what is read back", () => {
    const parsed = parseMetadata(metadata);
    expect(readMetadata(metadataToText(parsed))).to.deep.equal(parsed);
  });

  it("refuses what readers would not accept", () => {
    const bad = { ...least, title: "" } as Metadata;
    expect(() => metadataToText(bad)).to.throw(BadMetadataError, "/title String is too short (0 < 1).");
  });

  it("refuses what is longer than the registry takes, in bytes", () => {
    const columns = (count: number) => Array(count).fill({ name: "ü".repeat(128), type: "number" });
    const long = { ...least, columns: columns(29) } as Metadata;
    const sizeBytes = new TextEncoder().encode(JSON.stringify(long)).length;
    expect(sizeBytes).to.be.greaterThan(maxMetadataBytes);
    expect(() => metadataToText(long)).to.throw(BadMetadataError, `/ has ${sizeBytes} bytes, limit 8192`);
    expect(() => metadataToText({ ...least, columns: columns(28) } as Metadata)).not.to.throw();
  });
});

describe("readMetadata", () => {
  it("reads metadata, and gives undefined for whatever else a provider registered", () => {
    expect(readMetadata(JSON.stringify(metadata))?.title).to.equal("CO2 at Mauna Loa");
    for (const text of ["", "{", "null", "[]", '{"v":1}', "[".repeat(100_000), '{"__proto__":{"v":1}}'])
      expect(readMetadata(text)).to.equal(undefined);
  });
});
