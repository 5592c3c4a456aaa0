import { Validator } from "@cfworker/json-schema";
import { expect } from "chai";
import { maxSignatureBytes } from "../../../protocol/limits.ts";
import { signedOfferSchema } from "../../../protocol/offerJson.ts";
import { fileSchemas } from "../../../sdk/wallets/fileSchemas.ts";

type Schema = ConstructorParameters<typeof Validator>[0];

describe("fileSchemas", () => {
  const schemas = fileSchemas() as Record<string, Exclude<Schema, boolean>>;
  const accepts = (name: string, value: unknown): boolean =>
    new Validator(schemas[`${name}.schema.json`] ?? false, "2020-12").validate(value).valid;

  const offer = {
    operator: `0x${"0a".repeat(20)}`,
    workloadId: `0x${"0b".repeat(32)}`,
    token: `0x${"00".repeat(20)}`,
    fee: "12",
    pricePerSecond: "0",
    validUntil: "1800000000",
    nonce: "1",
  };
  const signature = "0x0102";
  const cases: [name: string, value: unknown, good: boolean][] = [
    ["as it should be", { offer, signature }, true],
    ["with a field nobody knows", { offer, signature, signer: "me" }, false],
    ["without its signature", { offer }, false],
    ["with an address too short", { offer: { ...offer, token: "0x0a" }, signature }, false],
    ["with an amount in words", { offer: { ...offer, fee: "twelve" }, signature }, false],
    ["with a signature too long", { offer, signature: `0x${"00".repeat(maxSignatureBytes + 1)}` }, false],
  ];
  for (const [name, value, good] of cases) {
    it(`${good ? "accept" : "refuse"} an offer ${name}, as its reader does`, () => {
      expect(accepts("signed-offer", value)).to.equal(good);
      expect(signedOfferSchema.safeParse(value).success).to.equal(good);
    });
  }

  it("refuse unknown fields at every depth, and no text is without bounds where it is hex or a number", () => {
    const objects = Object.values(schemas).flatMap((schema) => partsOf(schema));
    const open = objects.filter((part) => part.type === "object" && part.additionalProperties !== false);
    expect(open).to.deep.equal([]);
    const texts = objects.filter((part) => part.type === "string");
    const { programUri } = schemas["signed-order.schema.json"]?.properties ?? {}; // counted in bytes by its reader
    const shapeless = texts.filter((part) => !part.pattern && part.maxLength === undefined && !part.enum);
    expect(shapeless).to.deep.equal([programUri]);
    expect(texts.length).to.be.greaterThan(60);
  });

  function partsOf(schema: unknown): Exclude<Schema, boolean>[] {
    if (typeof schema !== "object" || schema === null) return [];
    return [schema, ...Object.values(schema).flatMap(partsOf)];
  }
});
