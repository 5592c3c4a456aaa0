/**
 * Room: sdk/audit/evidenceHash. Which evidence each line of an audit looks at, and its hash: two audits that say
 * different things of the same hash, and believe the same, contradict each other. Pure.
 */
import { bytesToHex, type Hex, sha256 } from "viem";
import { toJcsBytes } from "../../protocol/jcs.ts";
import type { Evidence } from "./evidence.ts";

/** A part of the evidence. */
export type EvidencePart = keyof Evidence;

const signer = ["deployment", "registration"] as const;
const job = ["deployment", "jobId", "opening"] as const;

/** What the lines under each prefix look at; the longest prefix that fits counts. */
const parts: Readonly<Record<string, readonly EvidencePart[]>> = {
  attestation: [...signer, "opening", "settlement", "ending", "enclaveRecord", "wiring", "worker"],
  chain: ["deployment", "anchor"],
  code: [...signer, "opening", "worker", "program", "endorsements"],
  consent: [...job, "settlement", "ending", "receiptAnchor", "registration", "datasets"],
  log: ["settlement", "registration", "opening", "datasets", "worker"],
  money: [...job, "ending", "settlement", "session", "registration", "datasets", "credits", "acceptance", "counted"],
  order: [...job, "wiring", "state", "ending", "settlement", "session", "acceptance"],
  privacy: [],
  receipt: [
    ...[...job, "registration", "settlement", "session", "ending", "receiptAnchor", "datasets", "counted", "program"],
    "worker",
  ] as const,
  result: ["opening", "settlement", "worker", "opened"],
};

/**
 * The parts that a line looks at.
 *
 * @throws RangeError for an id of no known kind.
 * @example
 * partsOf("code.program") // ["deployment", "registration", ...]
 */
export function partsOf(lineId: string): readonly EvidencePart[] {
  const found = parts[lineId.split(".")[0] ?? ""];
  if (found === undefined) throw new RangeError(`No line is called ${lineId}.`);
  return found;
}

/**
 * Hashes parts of the evidence: SHA-256 over the canonical JSON of `{part: value}`, where a big integer is a decimal
 * string and bytes are 0x-hex.
 *
 * @example
 * const hash = evidenceHasher(evidence)("order.id")
 */
export function evidenceHasher(evidence: Evidence): (lineId: string) => Hex {
  const known = new Map<string, Hex>();
  return (lineId) => {
    const wanted = partsOf(lineId);
    const key = wanted.join();
    const hash =
      known.get(key) ?? sha256(toJcsBytes(toPlain(Object.fromEntries(wanted.map((it) => [it, evidence[it]])))));
    known.set(key, hash);
    return hash;
  };
}

function toPlain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return bytesToHex(value);
  if (Array.isArray(value)) return value.map((item) => toPlain(item) ?? null);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, toPlain(item)]])),
  );
}
