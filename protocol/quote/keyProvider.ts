/**
 * Room: protocol/quote/keyProvider. Who gives a dstack app its keys: the word of the event log, of MRCONFIGID and of Info. Pure.
 * Source: Dstack-TEE/dstack, dstack-types/src/lib.rs, KeyProviderInfo; mr_config.rs, key_provider_kind_byte.
 */
import type { Hex } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";

/** Kinds, by their byte in MRCONFIGID of version 2. */
export const keyProviderKinds = ["none", "local", "kms", "tpm", "snp_derived"] as const;

/** A key provider: its kind, and the public key or measurement that identifies it (`0x` for none and tpm). */
export type KeyProvider = { kind: (typeof keyProviderKinds)[number]; id: Hex };

/** The log calls one kind by its full name. */
const logged = z.strictObject({
  name: z.enum([...keyProviderKinds, "local-sgx"]),
  id: z.string().regex(/^([0-9a-f]{2}){0,1024}$/),
});

/**
 * Reads what the `key-provider` event or `key_provider_info` says.
 *
 * @param text - JSON of `{name, id}`.
 * @throws {@link BadKeyProviderError}
 * @example
 * readKeyProvider('{"name":"local-sgx","id":"6b"}') // { kind: "local", id: "0x6b" }
 */
export function readKeyProvider(text: string): KeyProvider {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new BadKeyProviderError(text, cause);
  }
  const parsed = logged.safeParse(json);
  if (!parsed.success) throw new BadKeyProviderError(text, parsed.error);
  const { name, id } = parsed.data;
  return { kind: name === "local-sgx" ? "local" : name, id: `0x${id}` };
}

/** What is said of the key provider cannot be read. */
export class BadKeyProviderError extends BaseError {
  override readonly name = "Cvm.BadKeyProviderError";
  constructor(text: string, cause?: unknown) {
    super(`${JSON.stringify(text.slice(0, 100))} is no key provider.`, {
      hint: "It is JSON of name and id: none, kms, tpm or local-sgx.",
      cause,
    });
  }
}
