/**
 * Room: enclave/store. Checks what is read back: the disk is the host's, so a row is a claim like any other.
 */
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";

/** A block number in a column. */
export const blockColumn = z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER));

/** Bytes in a column, up to a limit; a copy. */
export function bytesColumn(maxBytes: number) {
  return z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length <= maxBytes, `must be at most ${maxBytes} bytes`)
    .transform((bytes) => Uint8Array.from(bytes));
}

/** JSON text in a column, up to a limit of characters, of a given form. */
export function jsonColumn<T extends z.ZodType>(schema: T, maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "must be JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/**
 * Reads a row through its schema.
 *
 * @param key - what names the row in an error.
 * @throws {@link CorruptRowError} if the row is anything else.
 * @example
 * const job = readRow(jobRow, "jobs", jobId, row)
 */
export function readRow<T extends z.ZodType>(schema: T, table: string, key: string, row: unknown): z.output<T> {
  const parsed = schema.safeParse(row);
  if (!parsed.success) throw new CorruptRowError(table, key, parsed.error);
  return parsed.data;
}

/** A row is not what was written: the disk failed, or somebody changed it. */
export class CorruptRowError extends BaseError {
  override readonly name = "Store.CorruptRowError";
  readonly table: string;
  readonly key: string;
  constructor(table: string, key: string, cause?: unknown) {
    super(`Row ${printable(key)} of table ${table} is corrupt.`, {
      hint: "Restore the data directory from a copy, or move it away; the worker reads the chain again.",
      cause,
    });
    this.table = table;
    this.key = key;
  }
}

function printable(key: string): string {
  return key.replace(/[^\x21-\x7e]/g, "?").slice(0, 100);
}
