/** Room: sdk/node/rows. Files of many rows, of any size and from anybody: no row is held that is longer than asked for. */
import { readPieces } from "./files.ts";

/**
 * Reads a regular file of UTF-8 text row by row. What is not UTF-8 is replaced by U+FFFD.
 *
 * @param maxRow - in UTF-16 units: of a longer row the beginning is given, longer than that, and the rest is skipped.
 * @throws FileUnreadableError
 * @example
 * for await (const row of readRows("receipts.ndjson", 4096)) if (row.length <= 4096) parse(row)
 */
export async function* readRows(path: string, maxRow: number): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let last = "";
  for await (const piece of readPieces(path, Number.MAX_SAFE_INTEGER)) {
    const [first = "", ...rows] = decoder.decode(piece, { stream: true }).split("\n");
    if (last.length <= maxRow) last += first;
    for (const row of rows) {
      yield last;
      last = row;
    }
  }
  last += decoder.decode();
  if (last !== "") yield last;
}
