/**
 * Room: protocol/metadata. Public metadata of a data set: what a requester searches and sees before paying. Pure.
 * Nothing in it is verified by anyone but the provider; it says what the provider claims.
 */
import { z } from "zod";
import { address, uintString } from "./schemas.ts";

/** Public metadata, as JSON in the registration event. Sizes are checked by the contract (8,192 bytes). */
export const metadataSchema = z.strictObject({
  v: z.literal(1),
  title: z.string().min(1).max(200),
  description: z.string().max(2000).optional(),
  topic: z.string().max(80).optional(),
  keywords: z.array(z.string().min(1).max(40)).max(32).optional(),
  format: z.enum(["csv", "json", "text"]),
  columns: z
    .array(
      z.strictObject({ name: z.string().max(128), type: z.enum(["string", "number", "integer", "boolean", "date"]) }),
    )
    .max(256)
    .optional(),
  records: z.int().min(0).optional(),
  /** First and last date or year covered, as the provider writes them. */
  timeRange: z.tuple([z.string().max(32), z.string().max(32)]).optional(),
  licence: z.string().max(80).optional(),
  /** What one use is offered for; the grant is what binds. */
  price: z.strictObject({ token: address, amount: uintString }).optional(),
});

/** Checked metadata; `price.amount` in units of `price.token`. */
export type Metadata = z.output<typeof metadataSchema>;

/**
 * Reads the metadata of a registration event.
 *
 * @returns undefined if a provider registered something else than metadata: show the data set without them.
 * @example
 * const title = readMetadata(event.metadata)?.title
 */
export function readMetadata(text: string): Metadata | undefined {
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
