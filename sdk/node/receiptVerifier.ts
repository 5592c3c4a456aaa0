/**
 * Room: sdk/node/receiptVerifier. Hashes receipts and finds who signed them: in JavaScript as everywhere, or by the native
 * code of `secp256k1` and OpenSSL where both are there, for bulk audits. Both answer the same.
 */
import { createHash, getHashes } from "node:crypto";
import { bytesToHex, domainSeparator, hexToBytes, stringToBytes } from "viem";
import { type Domain, hashReceipt, type Receipt, receiptTypes } from "../../protocol/eip712.ts";
import { BaseError } from "../../protocol/errors.ts";
import { recoverSigner } from "../../protocol/signature.ts";
import type { ReceiptVerifier as Verifier } from "../audit/auditReceipts.ts";

/** Half of the group's order, rounded down: s above it is high. */
const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const word = 32;

/**
 * The verifier of a market's receipts.
 *
 * @param domain - of the JobMarket.
 * @param kind - default: native where it is there.
 * @throws {@link NoNativeVerifierError} if native is asked for and not there.
 * @example
 * const verifier = await openVerifier(client.marketDomain)
 */
export async function openVerifier(domain: Domain, kind?: Verifier["name"]): Promise<Verifier> {
  const native = kind === "javascript" ? undefined : await loadNative();
  if (native !== undefined) return { name: "native", signerOf: nativeSigner(domain, native) };
  if (kind === "native") throw new NoNativeVerifierError();
  return {
    name: "javascript",
    signerOf: (receipt, signature) => recoverSigner(hashReceipt(domain, receipt), signature),
  };
}

type Native = Pick<typeof import("secp256k1"), "ecdsaRecover">;

async function loadNative(): Promise<Native | undefined> {
  if (!getHashes().includes("keccak-256")) return undefined;
  try {
    // Its index falls back to JavaScript without a word.
    const { default: bindings }: { default: Native } = await import("secp256k1/bindings.js");
    return bindings;
  } catch {
    return undefined;
  }
}

function nativeSigner(domain: Domain, { ecdsaRecover }: Native): Verifier["signerOf"] {
  const head = Buffer.concat([Uint8Array.of(0x19, 0x01), hexToBytes(domainSeparator({ domain }))]);
  const fields = receiptTypes.Receipt.map(({ name, type }) => `${type} ${name}`).join(",");
  const typeHash = keccak(stringToBytes(`Receipt(${fields})`));
  return (receipt, signature) => {
    const bytes = hexToBytes(signature);
    const v = bytes[64];
    if (bytes.length !== 65 || (v !== 27 && v !== 28)) return undefined;
    if (BigInt(bytesToHex(bytes.subarray(32, 64))) > halfOrder) return undefined;
    const digest = keccak(Buffer.concat([head, keccak(encode(typeHash, receipt))]));
    try {
      const key = ecdsaRecover(bytes.subarray(0, 64), v - 27, digest, false);
      return bytesToHex(keccak(key.subarray(1)).subarray(12));
    } catch {
      return undefined; // the library throws for every malformed point or number
    }
  };
}

/** The words of a receipt's struct. Source: EIP-712; all its fields are of fixed size. */
function encode(typeHash: Uint8Array, receipt: Receipt): Uint8Array {
  const words = new Uint8Array(word * (receiptTypes.Receipt.length + 1));
  words.set(typeHash);
  for (const [i, { name, type }] of receiptTypes.Receipt.entries()) {
    const value = receipt[name];
    const hex =
      type === "bytes32"
        ? String(value).slice(2)
        : BigInt(value)
            .toString(16)
            .padStart(2 * word, "0");
    words.set(Buffer.from(hex, "hex"), word * (i + 1));
  }
  return words;
}

function keccak(bytes: Uint8Array): Uint8Array {
  return createHash("keccak-256").update(bytes).digest();
}

/** The native verifier was asked for and is not there. */
export class NoNativeVerifierError extends BaseError {
  override readonly name = "Receipts.NoNativeVerifierError";
  constructor() {
    super("The native verifier is not there: the optional package secp256k1 has no build for this machine.", {
      hint: "Leave --verifier away, or give `--verifier javascript`: the same checks, about fifty times slower.",
    });
  }
}
