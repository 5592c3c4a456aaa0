/**
 * Room: protocol/quote. Reads which platform a PCK leaf certificate is for, from Intel's SGX extension. Pure.
 * Source: Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.5.
 */
import { bytesToHex, type Hex, keccak256, slice } from "viem";
import { BaseError } from "../errors.ts";
import { type Element, fixedInteger, readDer, tag } from "./der.ts";

/** 1.2.840.113741.1.13.1, as OID content in hex; the fields are numbered below it. */
const sgxOid = "0x2a864886f84d010d01";
/** Below `tcb`: SVNs of the 16 components are 1 to 16. */
const tcbFields = { components: 16, pceSvn: 17, cpuSvn: 18 } as const;
const fields = { ppid: "01", tcb: "02", pceId: "03", fmspc: "04" } as const;

/** The platform that a PCK certificate was issued for. */
export type Platform = {
  /** Platform provisioning id, 16 bytes. */
  ppid: Hex;
  /** Family, model, stepping, platform type, custom SKU; 6 bytes. */
  fmspc: Hex;
  /** Id of the provisioning certification enclave, 2 bytes. */
  pceId: Hex;
  /** Security version of each of the 16 SGX TCB components, 0 to 255. */
  componentSvns: readonly number[];
  /** Security version of the provisioning certification enclave, 0 to 65,535. */
  pceSvn: number;
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
  const found = readFields(outer.next(tag.sequence), sgxOid);
  outer.end();
  const tcb = found.get(fields.tcb);
  if (tcb?.tag !== tag.sequence) throw new MalformedSgxExtensionError("no TCB");
  const levels = readFields(tcb, `${sgxOid}${fields.tcb}`);
  if (levels.size !== tcbFields.cpuSvn) throw new MalformedSgxExtensionError(`TCB of ${levels.size} fields, not 18`);
  const componentSvns = Array.from({ length: tcbFields.components }, (_, i) => svn(levels, i + 1, 1));
  return {
    ppid: octets(found.get(fields.ppid), 16, "PPID"),
    fmspc: octets(found.get(fields.fmspc), 6, "FMSPC"),
    pceId: octets(found.get(fields.pceId), 2, "PCE id"),
    componentSvns,
    pceSvn: svn(levels, tcbFields.pceSvn, 2),
  };
}

/** Values by their number below `prefix`, as hex; none twice, none from elsewhere. */
function readFields(sequence: Element, prefix: string): Map<string, Element> {
  const list = readDer(sequence.content, "SGX extension");
  const found = new Map<string, Element>();
  while (list.more()) {
    const item = readDer(list.next(tag.sequence).content, "SGX extension item");
    const id = bytesToHex(item.next(tag.oid).content);
    if (!id.startsWith(prefix)) throw new MalformedSgxExtensionError(`foreign field ${id}`);
    const field = id.slice(prefix.length);
    if (found.has(field)) throw new MalformedSgxExtensionError(`field ${field} twice`);
    // Whatever else is in there (type, configuration) is of no use here.
    const element =
      item.optional(tag.octetString) ??
      item.optional(tag.sequence) ??
      item.optional(tag.integer) ??
      item.next(tag.enumerated);
    item.end();
    found.set(field, element);
  }
  return found;
}

function svn(levels: ReadonlyMap<string, Element>, field: number, size: number): number {
  const element = levels.get(field.toString(16).padStart(2, "0"));
  if (element?.tag !== tag.integer) throw new MalformedSgxExtensionError(`TCB field ${field} is no integer`);
  return Number(bytesToHex(fixedInteger(element, size, `TCB field ${field}`)));
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

/**
 * How the contracts name a platform: the first 16 bytes of keccak256 of its PPID.
 *
 * @param ppid - 16 bytes.
 * @example
 * if (platformIdOf(platform.ppid) !== enclave.platformId) throw new OtherPlatformError()
 */
export function platformIdOf(ppid: Hex): Hex {
  return slice(keccak256(ppid), 0, 16);
}
