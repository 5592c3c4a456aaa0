/**
 * Room: sdk/wallets. JSON Schemas (draft 2020-12) of the files that people exchange, made of the schemas that read them.
 * They are as strict as JSON Schema can say; checksums of addresses and sums over fields only the reader checks.
 */
import { z } from "zod";
import { grantPackageSchema, signedGrantSchema } from "../../protocol/grantPackage.ts";
import { signedOfferSchema } from "../../protocol/offerJson.ts";
import { signedReceiptSchema } from "../../protocol/receiptJson.ts";
import { address } from "../../protocol/schemas.ts";
import { signedAppointmentSchema } from "../../protocol/sealerAppointment.ts";
import { signedOrderSchema } from "../../protocol/signedOrder.ts";
import { bundleSchema } from "../bundle/bundleSchema.ts";
import { certificateSchema } from "../certificateFile.ts";

const schemas = {
  "grant-package": {
    schema: grantPackageSchema,
    title: "A signed grant with the data set's key, sealed (POST /grants)",
  },
  "signed-grant": { schema: signedGrantSchema, title: "A grant with its owner's signature" },
  "signed-appointment": { schema: signedAppointmentSchema, title: "A sealer's appointment with its owner's signature" },
  "signed-order": { schema: signedOrderSchema, title: "An order with its signatures and parameters (POST /orders)" },
  "signed-offer": { schema: signedOfferSchema, title: "An operator's prices with its signature (GET /offer)" },
  "signed-receipt": { schema: signedReceiptSchema, title: "A receipt with its enclave's signature" },
  bundle: { schema: bundleSchema, title: "Everything that proves a job, for audits with no network (dcm bundle)" },
  certificate: { schema: certificateSchema, title: "What a public job over a data set came to (dcm dataset certify)" },
} as const;

/**
 * The schemas by file name.
 *
 * @example
 * const { "signed-order.schema.json": schema } = fileSchemas()
 */
export function fileSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { schema, title }]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", override: withAddress });
      return [`${name}.schema.json`, { $schema, title, ...rest }];
    }),
  );
}

/** The reader's check of an address is code; its shape can be said here. */
function withAddress({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: { pattern?: string } }): void {
  if (zodSchema === address.in) jsonSchema.pattern = "^0x[0-9a-fA-F]{40}$";
}
