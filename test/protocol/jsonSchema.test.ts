import { expect } from "chai";
import {
  checkSchema,
  isPlainJson,
  type JsonSchema,
  type JsonValue,
  maxSchemaDepth,
  maxSchemaLength,
  maxValueDepth,
  UnsupportedSchemaError,
  validate,
} from "../../protocol/jsonSchema.ts";

const nested = (levels: number, leaf: JsonSchema = {}): JsonSchema =>
  Array.from({ length: levels - 1 }).reduce<JsonSchema>((inner) => ({ items: inner }), leaf);

describe("checkSchema", () => {
  it("accepts every keyword of the subset", () => {
    const schema = {
      title: "t",
      description: "d",
      type: ["object", "null"],
      properties: {
        list: { type: "array", items: { type: "number", minimum: -1, maximum: 1.5 }, minItems: 0, maxItems: 9 },
        text: { type: "string", minLength: 0, maxLength: 5 },
        one: { enum: [1, "a", null, { b: [] }] },
        two: { const: { a: 1 } },
      },
      required: ["list"],
      additionalProperties: false,
    };
    expect(() => checkSchema(schema)).not.to.throw();
    expect(() => checkSchema({})).not.to.throw();
    expect(() => checkSchema(nested(maxSchemaDepth))).not.to.throw();
    expect(() => checkSchema({ description: "x".repeat(maxSchemaLength - 18) })).not.to.throw();
  });

  const cyclic: { items?: unknown } = {};
  cyclic.items = cyclic;
  const cases: [unknown, string, string][] = [
    [undefined, "/", "is not JSON"],
    [() => 1, "/", "is not JSON"],
    [{ minimum: Number.NaN }, "/", "is not JSON"],
    [cyclic, "/", "is not JSON"],
    [null, "/", "must be an object"],
    [[], "/", "must be an object"],
    [true, "/", "must be an object"],
    [{ pattern: "(a+)+$" }, "/", 'has the keyword "pattern", which is not supported'],
    [{ $ref: "#" }, "/", 'has the keyword "$ref", which is not supported'],
    [{ anyOf: [{}] }, "/", 'has the keyword "anyOf", which is not supported'],
    [{ constructor: {} }, "/", 'has the keyword "constructor", which is not supported'],
    [
      { properties: { a: { items: { format: "date" } } } },
      "/properties/a/items",
      'has the keyword "format", which is not supported',
    ],
    [JSON.parse('{"__proto__":{}}'), "/", "is nested too deep or has a __proto__ key"],
    [{ const: JSON.parse('{"__proto__":1}') }, "/", "is nested too deep or has a __proto__ key"],
    [{ title: 1 }, "/title", "must be a string"],
    [{ type: "float" }, "/type", "must name JSON types, each once"],
    [{ type: [] }, "/type", "must name JSON types, each once"],
    [{ type: ["null", "null"] }, "/type", "must name JSON types, each once"],
    [{ properties: [] }, "/properties", "must be an object"],
    [{ properties: { toString: {} } }, "/properties", "must not use a name that every object has"],
    [{ properties: { a: true } }, "/properties/a", "must be an object"],
    [{ required: ["valueOf"] }, "/required", "must not use a name that every object has"],
    [{ required: [1] }, "/required", "must not use a name that every object has"],
    [{ required: ["a", "a"] }, "/required", "must list property names, each once"],
    [{ additionalProperties: {} }, "/additionalProperties", "must be true or false"],
    [{ items: [{}] }, "/items", "must be an object"],
    [{ minItems: -1 }, "/minItems", "must be a whole number"],
    [{ maxLength: 1.5 }, "/maxLength", "must be a whole number"],
    [{ minimum: "0" }, "/minimum", "must be a number"],
    [{ enum: [] }, "/enum", "must list at least one value"],
    [
      nested(maxSchemaDepth + 1),
      `${"/items".repeat(maxSchemaDepth)}`,
      `is nested deeper than ${maxSchemaDepth} levels`,
    ],
    [nested(5000), "/", `has ${9 * 4999 + 2 + 4999} characters, limit ${maxSchemaLength}`],
    [{ const: JSON.parse("[".repeat(40) + "]".repeat(40)) }, "/", "is nested too deep or has a __proto__ key"],
    [{ title: "x".repeat(maxSchemaLength) }, "/", `has ${maxSchemaLength + 12} characters, limit ${maxSchemaLength}`],
  ];
  for (const [schema, at, fact] of cases)
    it(`refuses at ${at.slice(0, 40)}: ${fact}`, () => {
      expect(() => checkSchema(schema))
        .to.throw(UnsupportedSchemaError)
        .that.includes({
          name: "JsonSchema.UnsupportedSchemaError",
          message: `The schema at "${at}" ${fact}.`,
          hint: "docs/PROGRAMS.md lists the keywords that a manifest's schemas may use.",
          retryable: false,
        });
    });
});

describe("validate", () => {
  const cases: [JsonSchema, JsonValue[], JsonValue[]][] = [
    [{}, [null, 1, "", [], {}], []],
    [{ type: "integer" }, [0, -5, 1e20], [0.5, "1", null, true]],
    [{ type: ["string", "null"] }, ["", null], [0, [], {}]],
    [{ type: "number", minimum: 1, maximum: 2 }, [1, 2, 1.5], [0.999, 2.001]],
    [{ type: "string", minLength: 1, maxLength: 2 }, ["a", "😀😀"], ["", "abc"]],
    [
      { type: "array", items: { type: "boolean" }, minItems: 1, maxItems: 2 },
      [[true], [true, false]],
      [[], [1], [true, true, true]],
    ],
    [{ enum: [1, { a: [null] }] }, [1, { a: [null] }], ["1", { a: [] }, { a: [null], b: 1 }]],
    [{ const: null }, [null], [0, false, {}]],
    [
      { type: "object", properties: { a: { type: "integer" } }, required: ["a"], additionalProperties: false },
      [{ a: 1 }],
      [{}, { a: "1" }, { a: 1, b: 1 }, [], null, JSON.parse('{"a":1,"__proto__":1}')],
    ],
  ];
  for (const [schema, good, bad] of cases)
    it(JSON.stringify(schema), () => {
      checkSchema(schema);
      const before = structuredClone(schema);
      for (const value of good) expect(validate(schema, value), JSON.stringify(value)).to.equal(true);
      for (const value of bad) expect(validate(schema, value), JSON.stringify(value)).to.equal(false);
      expect(schema).to.deep.equal(before);
      expect(Object.getOwnPropertyNames(schema)).to.have.members(Object.keys(schema));
    });

  it("refuses values nested too deep or with a __proto__ key, whatever the schema", () => {
    const deep = (levels: number): JsonValue => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    expect(validate({}, deep(maxValueDepth))).to.equal(true);
    expect(validate({}, deep(maxValueDepth + 1))).to.equal(false);
    expect(validate({}, deep(1_000_000))).to.equal(false);
    expect(validate({}, JSON.parse('[{"__proto__":1}]'))).to.equal(false);
    expect(isPlainJson([[1]], 1)).to.equal(false);
  });
});
