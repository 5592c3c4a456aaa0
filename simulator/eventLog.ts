/**
 * Room: simulator/eventLog. What was measured into a TD since it was started, and how registers follow from it. Pure.
 * Source: TCG PC Client Platform Firmware Profile (registers 0-2); dstack 0.5.8 for the runtime events of register 3.
 */
import { sha384 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** A measurement register of a TD. */
export type Rtmr = 0 | 1 | 2 | 3;

/** One measured event. */
export type TdEvent = {
  rtmr: Rtmr;
  type: number;
  /** Empty for the firmware's events. */
  name: string;
  payload: Uint8Array;
  /** SHA-384, 48 bytes: what extends the register. */
  digest: Uint8Array;
};

/** An event as the guest agent writes it. */
export type EventLogItem = { imr: Rtmr; event_type: number; digest: string; event: string; event_payload: string };

/** Type of the events that dstack and apps measure into register 3. */
export const runtimeEventType = 0x08000001;

/**
 * An event of register 3; digest = sha384(u32le(type) || ":" || name || ":" || payload).
 *
 * @example
 * runtimeEvent("compose-hash", composeHash)
 */
export function runtimeEvent(name: string, payload: Uint8Array): TdEvent {
  const type = Uint8Array.of(0x01, 0x00, 0x00, 0x08); // little-endian
  const digest = sha384(concatBytes(type, utf8ToBytes(`:${name}:`), payload));
  return { rtmr: 3, type: runtimeEventType, name, payload, digest };
}

/**
 * The value of a register after these events: mr = sha384(mr || digest), from 48 zero bytes.
 *
 * @example
 * replay(platform.events(), 3)
 */
export function replay(events: readonly TdEvent[], rtmr: Rtmr): Uint8Array {
  return events
    .filter((event) => event.rtmr === rtmr)
    .reduce<Uint8Array>((register, event) => sha384(concatBytes(register, event.digest)), new Uint8Array(48));
}

/**
 * The log in full, as Info gives it.
 *
 * @example
 * fullLog(platform.events())[0]?.digest
 */
export function fullLog(events: readonly TdEvent[]): EventLogItem[] {
  return events.map((event) => ({
    imr: event.rtmr,
    event_type: event.type,
    digest: bytesToHex(event.digest),
    event: event.name,
    event_payload: bytesToHex(event.payload),
  }));
}

/**
 * The log as GetQuote gives it since 0.5.6: no digests of runtime events (a verifier must recompute them from the
 * payloads), no payloads of boot events.
 *
 * @example
 * JSON.stringify(strippedLog(platform.events()))
 */
export function strippedLog(events: readonly TdEvent[]): EventLogItem[] {
  return fullLog(events).map((item) => (item.imr === 3 ? { ...item, digest: "" } : { ...item, event_payload: "" }));
}

/* BOOT */

/** Order, registers and types of a dstack boot on real hardware; the contents are made up and say so. */
const bootSteps: readonly (readonly [Rtmr, number, string])[] = [
  [0, 0x8000000b, "firmware volume hand-off"],
  [0, 0x8000000a, "firmware configuration"],
  [0, 0x80000001, "SecureBoot"],
  [0, 0x80000001, "PK"],
  [0, 0x80000001, "KEK"],
  [0, 0x80000001, "db"],
  [0, 0x80000001, "dbx"],
  [0, 0x00000004, "separator"],
  [0, 0x0000000a, "ACPI loader"],
  [0, 0x0000000a, "ACPI RSDP"],
  [0, 0x0000000a, "ACPI tables"],
  [1, 0x80000003, "kernel"],
  [0, 0x80000002, "BootOrder"],
  [0, 0x80000002, "Boot0000"],
  [1, 0x80000007, "Calling EFI Application from Boot Option"],
  [1, 0x00000004, "separator"],
  [2, 0x00000006, "kernel command line"],
  [2, 0x00000006, "initrd"],
  [1, 0x80000007, "Exit Boot Services Invocation"],
  [1, 0x80000007, "Exit Boot Services Returned with Success"],
];

/** Events of the simulated boot: the same on every simulated platform, so that a workload id means the same on each. */
export const bootEvents: readonly TdEvent[] = bootSteps.map(([rtmr, type, step]) => {
  const payload = utf8ToBytes(`SIMULATED ${step}`);
  return { rtmr, type, name: "", payload, digest: sha384(payload) };
});
