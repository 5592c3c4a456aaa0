/**
 * Room: protocol/quote. Reads a dstack event log and replays it to RTMR3: what was launched in the VM. Pure.
 * Digests are computed anew from names and payloads: a log says nothing until it replays to the register in a quote.
 * Source: Dstack-TEE/dstack, cc-eventlog/src/tdx.rs and runtime_events.rs (event log versions 1 and 2).
 */
import { sha384 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, type Hex, hexToBytes } from "viem";
import { z } from "zod";
import { BaseError } from "../errors.ts";
import { toJcsBytes } from "../jcs.ts";

/** Longest log, in bytes of JSON; real ones have 10 to 20 KB. */
export const maxEventLogSize = 1024 * 1024;
const maxEvents = 2048;
const runtimeEventType = 0x08000001;
const runtimeRegister = 3;
const lastSystemEvent = "system-ready";

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
};

/**
 * Replays an event log and reads its system events.
 *
 * @param eventLog - the JSON text of GetQuote's `event_log`.
 * @param rtMr3 - 48 bytes, from the report of a verified quote.
 * @throws {@link MalformedEventLogError} | {@link EventDigestError} | {@link EventLogMismatchError} |
 * {@link DuplicateEventError} | {@link MissingEventError}
 * @example
 * const { composeHash } = verifyEventLog(answer.event_log, report.rtMr3)
 */
export function verifyEventLog(eventLog: string, rtMr3: Uint8Array): SystemEvents {
  const events = readRuntimeEvents(eventLog);
  let replayed: Uint8Array = new Uint8Array(48);
  for (const event of events) replayed = sha384(concatBytes([replayed, digestOf(event)]));
  if (bytesToHex(replayed) !== bytesToHex(rtMr3))
    throw new EventLogMismatchError(bytesToHex(replayed), bytesToHex(rtMr3));
  return readSystemEvents(events);
}

/** The events of RTMR3, in order; each digest that the log states is the right one. */
function readRuntimeEvents(eventLog: string): LogEvent[] {
  if (eventLog.length > maxEventLogSize) throw new MalformedEventLogError(`longer than ${maxEventLogSize} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(eventLog);
  } catch (cause) {
    throw new MalformedEventLogError("not JSON", cause);
  }
  const parsed = z.array(eventSchema).max(maxEvents).safeParse(json);
  if (!parsed.success) throw new MalformedEventLogError(z.prettifyError(parsed.error).slice(0, 500));
  const events = parsed.data.filter((event) => event.imr === runtimeRegister);
  for (const event of events) {
    if (event.event_type !== runtimeEventType)
      throw new MalformedEventLogError(`event of type ${event.event_type} in RTMR3`);
    if (event.digest !== "" && `0x${event.digest}` !== bytesToHex(digestOf(event)))
      throw new EventDigestError(event.event);
  }
  return events;
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
  for (const { event, event_payload } of events.slice(0, end)) {
    // In version 1 a colon may stand in the name or in the payload with the same digest.
    if (event.includes(":")) throw new MalformedEventLogError("colon in the name of a system event");
    if (payloads.has(event)) throw new DuplicateEventError(event);
    payloads.set(event, event_payload);
  }
  return {
    composeHash: payloadOf(payloads, "compose-hash", [32]),
    appId: payloadOf(payloads, "app-id", [20]),
    instanceId: payloadOf(payloads, "instance-id", [0, 20]),
    keyProvider: new TextDecoder().decode(hexToBytes(payloadOf(payloads, "key-provider"))),
    osImageHash: payloads.has("os-image-hash") ? payloadOf(payloads, "os-image-hash", [32]) : undefined,
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

/** A system event is missing. */
export class MissingEventError extends BaseError {
  override readonly name = "EventLog.MissingEventError";
  constructor(event: string) {
    super(`The event log has no ${event} event in its system part.`, {
      hint: "The VM was not booted by a supported dstack release.",
    });
  }
}
