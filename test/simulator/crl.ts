/**
 * Takes a revocation list of version 2 apart. Nothing of the simulator is used, so that the same code can read Intel's
 * and simulated ones.
 */
type Value = { tag: number; content: Uint8Array; whole: Uint8Array };

/** What a list says; times in Unix seconds, serials and key identifier as they stand there. */
export function readCrl(der: Uint8Array) {
  const [list] = readAll(der);
  if (list === undefined || list.whole.length !== der.length) throw new Error("not one value");
  const [signedPart, , signature] = readAll(list.content);
  if (signedPart === undefined || signature === undefined) throw new Error("no signature");
  const fields = readAll(signedPart.content);
  const [, , , thisUpdate, nextUpdate] = fields;
  const entries = fields[5]?.tag === 0x30 ? readAll(fields[5].content) : [];
  const [extensionList] = readAll(fields.at(-1)?.content ?? new Uint8Array());
  const extensions = readAll(extensionList?.content ?? new Uint8Array()).map(({ content }) => readAll(content));
  const extensionOf = (id: string) => extensions.find(([oid]) => hex(oid?.content) === id)?.at(-1)?.content;
  return {
    signedPart: signedPart.whole,
    signature: signature.content.subarray(1),
    thisUpdate: utcTime(thisUpdate),
    nextUpdate: utcTime(nextUpdate),
    serials: entries.map(({ content }) => unsigned(readAll(content)[0]?.content)),
    number: Number(`0x${hex(readAll(extensionOf("551d14") ?? new Uint8Array())[0]?.content)}`),
    keyIdentifier: hex(extensionOf("551d23")?.subarray(4)),
  };
}

function readAll(bytes: Uint8Array): Value[] {
  const values = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const length = extra === 0 ? first : Number(`0x${hex(bytes.subarray(at + 2, at + 2 + extra))}`);
    const start = at + 2 + extra;
    values.push({
      tag: bytes[at] ?? 0,
      content: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return values;
}

function utcTime(value: Value | undefined): number {
  const [year, month, day, hour, minute, second] =
    Buffer.from(value?.content ?? [])
      .toString()
      .match(/\d\d/g) ?? [];
  return Date.parse(`20${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000;
}

function unsigned(bytes: Uint8Array = new Uint8Array()): Uint8Array {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function hex(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString("hex");
}
