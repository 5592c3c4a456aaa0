/**
 * Room: sdk/plainText. Text of strangers (metadata, symbols, answers) made safe to show in one line. Pure.
 */

// Control characters would move a terminal's cursor; bidirectional and invisible ones would make text read as another.
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/**
 * One line without control, invisible or direction-changing characters.
 *
 * @param limit - longest text in UTF-16 units; what is cut is marked with an ellipsis.
 * @example
 * plainText("a\u001b[31mb", 80) // "a [31mb"
 */
export function plainText(text: string, limit: number): string {
  const clean = text.slice(0, limit * 2).replace(unsafe, " ");
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/**
 * As {@link plainText}, for text of several lines: line feeds stay.
 *
 * @example
 * plainLines("a\n\u001b[31mb") // "a\n [31mb"
 */
export function plainLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(unsafe, " "))
    .join("\n");
}
