/**
 * The shape of a DER value without what differs between two certificates of the same kind: tags and nesting, all
 * object identifiers, and the lengths of small values. Steps into OCTET STRINGs that hold DER.
 */

/** One line per value, indented by depth. */
export function derSkeleton(bytes: Uint8Array, depth = 0): string[] {
  const lines: string[] = [];
  for (const { tag, value } of readAll(bytes)) {
    const name = `${" ".repeat(depth)}${tag.toString(16).padStart(2, "0")}`;
    const inner = tag & 0x20 ? value : tag === 0x04 && isOneValue(value) ? value : undefined;
    if (inner !== undefined) lines.push(name, ...derSkeleton(inner, depth + 1));
    else if (tag === 0x06) lines.push(`${name} ${Buffer.from(value).toString("hex")}`);
    else if (isFixedSize(tag)) lines.push(`${name} ${value.length}`);
    else lines.push(name);
  }
  return lines;
}

// BOOLEAN, OCTET STRING, ENUMERATED, UTCTime. Serials, names, keys and URLs have lengths of their own.
function isFixedSize(tag: number): boolean {
  return tag === 0x01 || tag === 0x04 || tag === 0x0a || tag === 0x17;
}

function isOneValue(bytes: Uint8Array): boolean {
  try {
    return readAll(bytes).length === 1;
  } catch {
    return false;
  }
}

function readAll(bytes: Uint8Array): { tag: number; value: Uint8Array }[] {
  const values = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    if (extra > 2) throw new Error("length of more than two bytes");
    let length = extra === 0 ? first : 0;
    for (let i = 0; i < extra; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    const start = at + 2 + extra;
    if (start + length > bytes.length) throw new Error("value beyond the end");
    values.push({ tag, value: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return values;
}
