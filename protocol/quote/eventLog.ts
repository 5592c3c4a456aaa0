/**
 * Room: protocol/quote. Reads a dstack event log and replays it to RTMR3: what was launched in the VM. Pure.
 * Digests of RTMR3 are computed anew from names and payloads: a log says nothing until it replays to a quote's register.
 * Source: Dstack-TEE/dstack, cc-eventlog/src/tdx.rs and runtime_events.rs (event log versions 1 and 2),
 * dstack-util/src/system_setup.rs (which events, in which order; 0.4 to 0.6).
 */
import { sha384 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, type Hex, hexToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";
import { toJcsBytes } from "../jcs.ts";

/** Longest log, in bytes of JSON; real ones have 10 to 20 KB. */
export const maxEventLogSize = 1024 * 1024;
const maxEvents = 2048;
const zeroRegister: Hex = `0x${"00".repeat(48)}`;
const runtimeEventType = 0x08000001;
const runtimeRegister = 3;
const lastSystemEvent = "system-ready";

/** Every event that the system measures before an app can, in the order in which releases measure them. */
const systemEvents: readonly string[] = [
  "system-preparing",
  "rootfs-hash",
  "app-id",
  "compose-hash",
  "init-script-hash",
  "gpu-policy-hash",
  "gpu-attestation",
  "instance-id",
  "boot-mr-done",
  "mr-kms",
  "os-image-hash",
  "key-provider",
  "storage-fs",
];
/** One event a script: the only name that may stand in the system part more than once. */
const repeatedEvent = "init-script-hash";

const hexText = z.string().regex(/^([0-9a-f]{2})*$/, "must be whole bytes of lowercase hex");

const eventSchema = z.strictObject({
  imr: z.int().min(0).max(3),
  event_type: z.int().min(0).max(0xffffffff),
  // Hardware answers leave the digest of runtime events empty.
  digest: hexText.refine((value) => value.length === 0 || value.length === 96, "must be 48 bytes or empty"),
  event: z.string().max(256),
  event_payload: hexText.max(128 * 1024),
  version: z.union([z.literal(1), z.literal(2)]).optional(),
  preimage: z
    .string()
    .max(512 * 1024)
    .optional(),
});

type LogEvent = z.output<typeof eventSchema>;

/** What the system part of the log says was launched. `keyProvider` is JSON text as logged. */
export type SystemEvents = {
  composeHash: Hex;
  appId: Hex;
  /** Empty (`0x`) if the app asked for no instance id. */
  instanceId: Hex;
  keyProvider: string;
  osImageHash: Hex | undefined;
  /** SHA-256 of each init script, in order of execution; dstack 0.6 measures them. */
  initScriptHashes: Hex[];
  gpuPolicyHash: Hex | undefined;
};

/** A log, replayed. */
export type ReplayedLog = {
  /**
   * Registers 0 to 3, 48 bytes each, as they follow from the log; those of the firmware (0 to 2) from the digests that it
   * states, undefined if it has none.
   */
  registers: readonly (Hex | undefined)[];
  /** Reads the system events. Believe them only after comparing the register 3 with a verified quote's. */
  readSystem: () => SystemEvents;
};

/**
 * Replays an event log and reads its system events.
 *
 * @param eventLog - the JSON text of GetQuote's `event_log`.
 * @param rtMr3 - 48 bytes, from the report of a verified quote.
 * @throws {@link MalformedEventLogError} | {@link EventDigestError} | {@link EventLogMismatchError} |
 * {@link UnknownEventError} | {@link DuplicateEventError} | {@link EventOrderError} | {@link MissingEventError}
 * @example
 * const { composeHash } = verifyEventLog(answer.event_log, report.rtMr3)
 */
export function verifyEventLog(eventLog: string, rtMr3: Uint8Array): SystemEvents {
  const { registers, readSystem } = replayEventLog(eventLog);
  const [replayed, expected] = [registers[runtimeRegister] ?? zeroRegister, bytesToHex(rtMr3)];
  if (replayed !== expected) throw new EventLogMismatchError(replayed, expected);
  return readSystem();
}

/**
 * Replays an event log to all four registers. {@link verifyEventLog} also compares, and is what most callers want.
 *
 * @param eventLog - the JSON text of GetQuote's `event_log`.
 * @throws {@link MalformedEventLogError} | {@link EventDigestError}
 * @example
 * const { registers } = replayEventLog(answer.event_log)
 */
export function replayEventLog(eventLog: string): ReplayedLog {
  const events = readEvents(eventLog);
  const runtime = events.filter((event) => event.imr === runtimeRegister);
  const firmware = [0, 1, 2].map((register) => replayFirmware(events.filter((event) => event.imr === register)));
  return { registers: [...firmware, replay(runtime.map(digestOf))], readSystem: () => readSystemEvents(runtime) };
}

function replay(digests: readonly Uint8Array[]): Hex {
  let register: Uint8Array = new Uint8Array(48);
  for (const digest of digests) register = sha384(concatBytes([register, digest]));
  return bytesToHex(register);
}

function replayFirmware(events: readonly LogEvent[]): Hex | undefined {
  if (events.length === 0 || events.some((event) => event.digest === "")) return undefined;
  return replay(events.map((event) => hexToBytes(`0x${event.digest}`)));
}

/** All events, in order; each digest that the log states for an event of RTMR3 is the right one. */
function readEvents(eventLog: string): LogEvent[] {
  if (eventLog.length > maxEventLogSize) throw new MalformedEventLogError(`longer than ${maxEventLogSize} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(eventLog);
  } catch (cause) {
    throw new MalformedEventLogError("not JSON", cause);
  }
  const parsed = z.array(eventSchema).max(maxEvents).safeParse(json);
  if (!parsed.success) throw new MalformedEventLogError(z.prettifyError(parsed.error).slice(0, 500));
  for (const event of parsed.data) {
    if (event.imr !== runtimeRegister) continue;
    if (event.event_type !== runtimeEventType)
      throw new MalformedEventLogError(`event of type ${event.event_type} in RTMR3`);
    if (event.digest !== "" && `0x${event.digest}` !== bytesToHex(digestOf(event)))
      throw new EventDigestError(event.event);
  }
  return parsed.data;
}

function digestOf(event: LogEvent): Uint8Array {
  if (event.version === 2)
    return sha384(toJcsBytes({ name: event.event, payload: event.event_payload, type: runtimeEventType }));
  const type = new Uint8Array(4);
  new DataView(type.buffer).setUint32(0, runtimeEventType, true);
  const text = new TextEncoder();
  return sha384(concatBytes([type, text.encode(`:${event.event}:`), hexToBytes(`0x${event.event_payload}`)]));
}

/** Apps may append events of any name once the system is ready: only what comes before is the system's word. */
function readSystemEvents(events: readonly LogEvent[]): SystemEvents {
  const end = events.findIndex((event) => event.event === lastSystemEvent);
  if (end === -1) throw new MissingEventError(lastSystemEvent);
  const payloads = new Map<string, string>();
  const initScriptHashes: Hex[] = [];
  let before = -1;
  for (const { event, event_payload } of events.slice(0, end)) {
    // In version 1 a colon may stand in the name or in the payload with the same digest.
    if (event.includes(":")) throw new MalformedEventLogError("colon in the name of a system event");
    const place = systemEvents.indexOf(event);
    if (place === -1) throw new UnknownEventError(event);
    if (payloads.has(event) && event !== repeatedEvent) throw new DuplicateEventError(event);
    if (place < before) throw new EventOrderError(event, systemEvents[before] ?? "");
    before = place;
    payloads.set(event, event_payload);
    if (event === repeatedEvent) initScriptHashes.push(payloadOf(payloads, event, [32]));
  }
  return {
    composeHash: payloadOf(payloads, "compose-hash", [32]),
    appId: payloadOf(payloads, "app-id", [20]),
    instanceId: payloadOf(payloads, "instance-id", [0, 20]),
    keyProvider: new TextDecoder().decode(hexToBytes(payloadOf(payloads, "key-provider"))),
    osImageHash: payloads.has("os-image-hash") ? payloadOf(payloads, "os-image-hash", [32]) : undefined,
    initScriptHashes,
    gpuPolicyHash: payloads.has("gpu-policy-hash") ? payloadOf(payloads, "gpu-policy-hash", [32]) : undefined,
  };
}

function payloadOf(payloads: ReadonlyMap<string, string>, event: string, sizes?: readonly number[]): Hex {
  const payload = payloads.get(event);
  if (payload === undefined) throw new MissingEventError(event);
  const size = payload.length / 2;
  if (sizes !== undefined && !sizes.includes(size)) throw new MalformedEventLogError(`${event} of ${size} bytes`);
  return `0x${payload}`;
}

/** The log is not an event log. */
export class MalformedEventLogError extends BaseError {
  override readonly name = "EventLog.MalformedEventLogError";
  constructor(fact: string, cause?: unknown) {
    super(`The event log is malformed: ${fact}`, { hint: "Fetch the quote and its log again.", cause });
  }
}

/** An event states a digest that its name and payload do not have. */
export class EventDigestError extends BaseError {
  override readonly name = "EventLog.EventDigestError";
  constructor(event: string) {
    super(`Event ${JSON.stringify(event.slice(0, 64))} states a digest that is not its own.`, {
      hint: "The log was altered; do not trust what it says.",
    });
  }
}

/** The log does not replay to the register in the quote. */
export class EventLogMismatchError extends BaseError {
  override readonly name = "EventLog.EventLogMismatchError";
  constructor(replayed: Hex, rtMr3: Hex) {
    super(`The event log replays to ${replayed}, the quote has RTMR3 ${rtMr3}.`, {
      hint: "The log is of another boot, or was altered.",
    });
  }
}

/** A system event stands in the log more than once. */
export class DuplicateEventError extends BaseError {
  override readonly name = "EventLog.DuplicateEventError";
  constructor(event: string) {
    super(`Event ${JSON.stringify(event.slice(0, 64))} stands in the system part of the log twice.`, {
      hint: "No dstack release writes this; do not trust the VM.",
    });
  }
}

/** A name that no dstack release measures stands in the system part of the log. */
export class UnknownEventError extends BaseError {
  override readonly name = "EventLog.UnknownEventError";
  constructor(event: string) {
    super(`Event ${JSON.stringify(event.slice(0, 64))} stands in the system part of the log, and is not known.`, {
      hint: "The VM was not booted by a supported dstack release; do not trust it.",
    });
  }
}

/** System events stand in another order than any release measures them in. */
export class EventOrderError extends BaseError {
  override readonly name = "EventLog.EventOrderError";
  constructor(event: string, before: string) {
    super(`Event ${JSON.stringify(event.slice(0, 64))} stands after ${JSON.stringify(before)} in the log.`, {
      hint: "No dstack release writes this order; do not trust the VM.",
    });
  }
}

/** A system event is missing. */
export class MissingEventError extends BaseError {
  override readonly name = "EventLog.MissingEventError";
  constructor(event: string) {
    super(`The event log has no ${event} event in its system part.`, {
      hint: "The VM was not booted by a supported dstack release.",
    });
  }
}
