/**
 * Room: sdk/node/quoteFile. Quotes and root certificates in the forms that people have them in.
 */
import { z } from "zod";
import { BaseError } from "../../protocol/errors.ts";
import { maxQuoteSize, quoteBytes } from "../../protocol/quote/parseQuote.ts";
import { decodePem, maxChainSize } from "../../protocol/quote/pemChain.ts";
import { readBounded } from "./files.ts";

/** Longest file: a dstack answer carries the event log too. */
const maxFileSize = 4_194_304;
const answer = z.object({ quote: z.string() });

/**
 * Reads a quote: raw bytes, hex text with or without 0x, or JSON with the hex in `quote`, as dstack answers.
 *
 * @returns the bytes; whether they are a quote is for `parseQuote` to say.
 * @throws FileUnreadableError | {@link NotAQuoteFileError}
 * @example
 * const quote = await readQuoteFile("quote.json")
 */
export async function readQuoteFile(path: string): Promise<Uint8Array> {
  const bytes = await readBounded(path, maxFileSize);
  if (bytes.length === 0) throw new NotAQuoteFileError(path, "it is empty");
  // Raw quotes start with their version, a byte that neither hex nor JSON starts with.
  if ((bytes[0] ?? 0) < 0x09) {
    if (bytes.length > maxQuoteSize) throw new NotAQuoteFileError(path, `it has more than ${maxQuoteSize} bytes`);
    return bytes;
  }
  const text = textOf(bytes)?.trim();
  if (text === undefined) throw new NotAQuoteFileError(path, "it is neither a raw quote, nor hex, nor JSON");
  const hex = text.startsWith("{") ? hexInJson(path, text) : text;
  try {
    return quoteBytes(hex);
  } catch (cause) {
    throw new NotAQuoteFileError(path, cause instanceof BaseError ? cause.message.replace(/\.$/, "") : "no hex", cause);
  }
}

/**
 * Reads a root CA certificate, DER or PEM.
 *
 * @returns DER.
 * @throws FileUnreadableError | MalformedChainError | {@link NotAQuoteFileError}
 * @example
 * const rootCa = await readRootFile("root_ca.der")
 */
export async function readRootFile(path: string): Promise<Uint8Array> {
  const bytes = await readBounded(path, maxChainSize);
  if (bytes[0] !== "-".charCodeAt(0)) return bytes;
  const [root, ...others] = decodePem(bytes);
  if (root === undefined || others.length > 0)
    throw new NotAQuoteFileError(path, `it has ${others.length + 1} certificates, not one`);
  return root;
}

function hexInJson(path: string, text: string): string {
  try {
    return answer.parse(JSON.parse(text)).quote;
  } catch (cause) {
    throw new NotAQuoteFileError(path, "it is JSON without a text `quote`", cause);
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The file holds no quote, or no certificate, in a form that is read. */
export class NotAQuoteFileError extends BaseError {
  override readonly name = "QuoteFile.NotAQuoteFileError";
  constructor(path: string, fact: string, cause?: unknown) {
    super(`${path} cannot be used: ${fact}.`, {
      hint: "Give a raw quote, its hex, or dstack's JSON answer; as a root one certificate, DER or PEM.",
      cause,
    });
  }
}
