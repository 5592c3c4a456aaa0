/**
 * Room: protocol/quote. The certificate chain of a quote: PEM text to DER bytes. Checks no signature. Pure.
 */
import { BaseError } from "../errors.ts";

/** Longest chain text, in bytes; real ones have 3,678. */
export const maxChainSize = 16_384;
/** Longest certificate, in bytes of DER; real ones have at most 1,300. */
export const maxCertificateSize = 4096;

const certificate = /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n?-----END CERTIFICATE-----(?:\r?\n)?/y;

/** PCK leaf, its issuer (Platform or Processor CA), root CA; each DER. */
export type PckChain = readonly [leaf: Uint8Array, issuer: Uint8Array, root: Uint8Array];

/**
 * Reads the chain of a quote: three PEM certificates one after the other, then at most zero bytes.
 *
 * @param bytes - at most {@link maxChainSize}.
 * @throws {@link MalformedChainError}
 * @example
 * const [leaf, issuer] = decodePemChain(pem)
 */
export function decodePemChain(bytes: Uint8Array): PckChain {
  const chain = decodePem(bytes);
  const [leaf, issuer, root] = chain;
  if (leaf === undefined || issuer === undefined || root === undefined || chain.length !== 3)
    throw new MalformedChainError(`${chain.length} certificates, 3 expected`);
  return [leaf, issuer, root];
}

/**
 * Reads PEM certificates one after the other, then at most zero bytes.
 *
 * @param bytes - at most {@link maxChainSize}.
 * @returns DER of each.
 * @throws {@link MalformedChainError}
 * @example
 * const [root] = decodePem(pem)
 */
export function decodePem(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length > maxChainSize) throw new MalformedChainError(`${bytes.length} bytes, limit ${maxChainSize}`);
  const text = String.fromCharCode(...bytes).replace(/\0+$/, "");
  const chain: Uint8Array[] = [];
  let end = 0;
  while (end < text.length) {
    certificate.lastIndex = end;
    const match = certificate.exec(text);
    if (match?.[1] === undefined) throw new MalformedChainError(`no certificate at byte ${end}`);
    chain.push(decodeBase64(match[1]));
    end = certificate.lastIndex;
  }
  return chain;
}

function decodeBase64(text: string): Uint8Array {
  let der: Uint8Array;
  try {
    der = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch (cause) {
    throw new MalformedChainError("not base64", cause);
  }
  if (der.length > maxCertificateSize)
    throw new MalformedChainError(`certificate of ${der.length} bytes, limit ${maxCertificateSize}`);
  return der;
}

/** The chain is not three PEM certificates. */
export class MalformedChainError extends BaseError {
  override readonly name = "Quote.MalformedChainError";
  constructor(fact: string, cause?: unknown) {
    super(`The quote's certificate chain is malformed: ${fact}.`, {
      hint: "The platform must embed PCK leaf, PCK CA and root CA as PEM (certification data type 5).",
      cause,
    });
  }
}
