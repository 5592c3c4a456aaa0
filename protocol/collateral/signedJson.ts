/**
 * Room: protocol/collateral. Cuts the signed bytes out of an answer of Intel's: parsing and printing anew could change
 * them, and the signature is over the bytes. Pure. Source: Intel PCS API v4, "Get TDX TCB Info", "Get TD QE Identity".
 */
import { BaseError } from "../errors.ts";

/** The signed bytes and their signature. */
export type SignedJson = { signed: Uint8Array; signature: Uint8Array };

const signatureSize = 64;
const quote = 0x22;
const backslash = 0x5c;
const open = "{".charCodeAt(0);
const close = "}".charCodeAt(0);

/**
 * Reads `{"<key>":{...},"signature":"<hex>"}`, fields in any order, and nothing else.
 *
 * @param body - the answer; its size is for the caller to bound.
 * @param key - name of the signed object.
 * @returns `signed`: the object from brace to brace, a view into `body`. What is in it is for its reader to judge.
 * @throws {@link MalformedAnswerError}
 * @example
 * const { signed, signature } = cutSignedJson(body, "tcbInfo")
 */
export function cutSignedJson(body: Uint8Array, key: string): SignedJson {
  let at = 0;
  const refuse = (fact: string) => new MalformedAnswerError(key, at, fact);
  const skipSpace = () => {
    while (at < body.length && [0x20, 0x09, 0x0a, 0x0d].includes(body[at] ?? 0)) at++;
  };
  const expect = (character: string) => {
    skipSpace();
    if (body[at] !== character.charCodeAt(0)) throw refuse(`${character} expected`);
    at++;
  };
  const readText = (): string => {
    expect('"');
    const start = at;
    while (at < body.length && body[at] !== quote && body[at] !== backslash) at++;
    if (body[at] !== quote) throw refuse("text that ends and has no escapes expected");
    return new TextDecoder("latin1").decode(body.subarray(start, at++));
  };
  const readObject = (): Uint8Array => {
    skipSpace();
    if (body[at] !== open) throw refuse("{ expected");
    const start = at;
    let depth = 0;
    let inText = false;
    for (; at < body.length; at++) {
      const byte = body[at];
      if (inText && byte === backslash) at++;
      else if (byte === quote) inText = !inText;
      else if (!inText && byte === open) depth++;
      else if (!inText && byte === close && --depth === 0) return body.subarray(start, ++at);
    }
    throw refuse("object is cut short");
  };

  let signed: Uint8Array | undefined;
  let hex: string | undefined;
  expect("{");
  for (let more = true; more; ) {
    const field = readText();
    expect(":");
    if (field === key && signed === undefined) signed = readObject();
    else if (field === "signature" && hex === undefined) hex = readText();
    else throw refuse(`field ${JSON.stringify(field.slice(0, 40))} is unknown or there twice`);
    skipSpace();
    more = body[at] === ",".charCodeAt(0);
    if (more) at++;
  }
  expect("}");
  skipSpace();
  if (at !== body.length) throw refuse("end expected");
  if (signed === undefined || hex === undefined) throw refuse(`${signed === undefined ? key : "signature"} is missing`);
  if (!new RegExp(`^[0-9a-fA-F]{${signatureSize * 2}}$`).test(hex)) throw refuse("signature is not 64 bytes of hex");
  return { signed, signature: Uint8Array.fromHex(hex) };
}

/** The answer is not one signed object with its signature. */
export class MalformedAnswerError extends BaseError {
  override readonly name = "Pcs.MalformedAnswerError";
  constructor(key: string, offset: number, fact: string) {
    super(`The answer with ${key} is malformed at byte ${offset}: ${fact}.`, {
      hint: "The server is no PCS or PCCS of version 4, or is broken: use another one.",
    });
  }
}
