/**
 * Room: sdk/quote. What the bits of a TD's attributes and extended features mean. Pure.
 * Source: Intel TDX Module ABI specification, "ATTRIBUTES" and "XFAM"; Intel SDM volume 1, 13.1 "XCR0 and IA32_XSS".
 */

type BitTable = Readonly<Record<number, string>>;

/** TDATTRIBUTES: bits 0 to 7 leave the VM open to its host. */
export const tdAttributeBits: BitTable = {
  0: "DEBUG: the host reads and writes the VM's memory",
  4: "HGS_PLUS_PROF: the host profiles the VM",
  5: "PERF_PROF: the host profiles the VM",
  6: "PMT_PROF: the host reads the VM's telemetry",
  16: "ICSSD: indirect calls are speculated on",
  27: "LASS: linear address space separation",
  28: "SEPT_VE_DISABLE: removed pages halt the VM instead of surprising it (must be set)",
  29: "MIGRATABLE: the VM can be moved by a migration TD",
  30: "PKS: supervisor protection keys",
  31: "KL: key locker",
  62: "TPA: TDX Connect provisioning agent",
  63: "PERFMON: performance counters",
};

/** XFAM: which processor state the VM may use. */
export const xfamBits: BitTable = {
  0: "x87",
  1: "SSE",
  2: "AVX",
  5: "AVX-512 opmask",
  6: "AVX-512 ZMM high",
  7: "AVX-512 high ZMM",
  8: "processor trace",
  9: "PKRU",
  11: "CET user",
  12: "CET supervisor",
  14: "user interrupts",
  15: "last branch records",
  17: "AMX configuration",
  18: "AMX data",
  19: "APX",
};

/**
 * The bits that are set, in words.
 *
 * @param bytes - little-endian.
 * @example
 * bitsOf(report.tdAttributes, tdAttributeBits) // ["28 SEPT_VE_DISABLE: ..."]
 */
export function bitsOf(bytes: Uint8Array, table: BitTable): string[] {
  const set: string[] = [];
  for (const [i, byte] of bytes.entries())
    for (let bit = 0; bit < 8; bit++)
      if ((byte >> bit) & 1) set.push(`${i * 8 + bit} ${table[i * 8 + bit] ?? "reserved"}`);
  return set;
}
