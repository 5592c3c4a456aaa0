/**
 * Room: protocol/quote. Reads which platform a PCK leaf certificate is for, from Intel's SGX extension. Pure.
 * Source: Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.5.
 */
import { bytesToHex, type Hex } from "viem";
import { BaseError } from "../errors.ts";
import { type Element, readDer, tag } from "./der.ts";

/** 1.2.840.113741.1.13.1, as OID content in hex; the fields are numbered below it. */
const sgxOid = "0x2a864886f84d010d01";
const fields = { ppid: "01", tcb: "02", pceId: "03", fmspc: "04" } as const;

/** The platform that a PCK certificate was issued for. */
export type Platform = {
  /** Platform provisioning id, 16 bytes. */
  ppid: Hex;
  /** Family, model, stepping, platform type, custom SKU; 6 bytes. */
  fmspc: Hex;
  /** Id of the provisioning certification enclave, 2 bytes. */
  pceId: Hex;
};

/**
 * Reads the SGX extension of a PCK leaf certificate.
 *
 * @param value - content of the extension's octet string.
 * @throws `MalformedDerError` | {@link MalformedSgxExtensionError}
 * @example
 * const { ppid } = readSgxExtension(leaf.sgxExtension)
 */
export function readSgxExtension(value: Uint8Array): Platform {
  const outer = readDer(value, "SGX extension");
  const list = readDer(outer.next(tag.sequence).content, "SGX extension");
  outer.end();
  const found = new Map<string, Element>();
  while (list.more()) {
    const item = readDer(list.next(tag.sequence).content, "SGX extension item");
    const id = bytesToHex(item.next(tag.oid).content);
    if (!id.startsWith(sgxOid)) throw new MalformedSgxExtensionError(`foreign field ${id}`);
    const field = id.slice(sgxOid.length);
    if (found.has(field)) throw new MalformedSgxExtensionError(`field ${field} twice`);
    // Only octet strings are read; the TCB (a sequence) is for TCB collateral to judge.
    const element = item.optional(tag.octetString) ?? item.optional(tag.sequence) ?? item.next(tag.enumerated);
    item.end();
    found.set(field, element);
  }
  if (found.get(fields.tcb)?.tag !== tag.sequence) throw new MalformedSgxExtensionError("no TCB");
  return {
    ppid: octets(found.get(fields.ppid), 16, "PPID"),
    fmspc: octets(found.get(fields.fmspc), 6, "FMSPC"),
    pceId: octets(found.get(fields.pceId), 2, "PCE id"),
  };
}

function octets(element: Element | undefined, size: number, what: string): Hex {
  if (element?.tag !== tag.octetString || element.content.length !== size)
    throw new MalformedSgxExtensionError(`${what} is not ${size} bytes`);
  return bytesToHex(element.content);
}

/** The PCK leaf does not say which platform it is for. */
export class MalformedSgxExtensionError extends BaseError {
  override readonly name = "Quote.MalformedSgxExtensionError";
  constructor(fact: string) {
    super(`The SGX extension of the PCK certificate is malformed: ${fact}.`, {
      hint: "The leaf is no PCK certificate of Intel's.",
    });
  }
}
