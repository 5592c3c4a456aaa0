/**
 * Room: sdk/cvm/uniqueKeys. Whether JSON names a key twice: `JSON.parse` keeps the last, other readers the first. Pure.
 */

/** A string, a key (with its colon) or a bracket; whatever else stands in JSON needs no look. */
const token = /("[^"\\]*(?:\\.[^"\\]*)*")([ \t\r\n]*:)?|[{}[\]]/g;

/**
 * The first key that stands twice in one object of a JSON text.
 *
 * @param json - text that `JSON.parse` takes.
 * @returns the key, unescaped, or undefined if all are unique.
 * @example
 * repeatedKey('{"a":1,"\\u0061":2}') // "a"
 */
export function repeatedKey(json: string): string | undefined {
  /** Keys of the open objects, from the outermost; of an array, none. */
  const open: Set<string>[] = [];
  for (const [bracket, text, colon] of json.matchAll(token)) {
    if (bracket === "{" || bracket === "[") open.push(new Set());
    else if (bracket === "}" || bracket === "]") open.pop();
    else if (text !== undefined && colon !== undefined) {
      const key: string = JSON.parse(text);
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
