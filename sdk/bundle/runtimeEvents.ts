/**
 * Room: sdk/bundle/runtimeEvents. The part of an event log that is judged: the events of RTMR3, without their digests, which
 * follow from them. Pure. Source: as `protocol/quote/eventLog.ts`.
 */
import { z } from "zod";

/** An event of RTMR3; `payload` is lowercase hex without 0x. */
export type RuntimeEvent = { event: string; payload: string; version: 1 | 2 };

const register = 3;
const eventType = 0x08000001;

const logSchema = z.array(
  z.object({
    imr: z.int(),
    event: z.string(),
    event_payload: z.string(),
    version: z.union([z.literal(1), z.literal(2)]).default(1),
  }),
);

/**
 * The events of RTMR3 in a log.
 *
 * @param eventLog - JSON, as a worker shows it.
 * @returns undefined if it is no event log.
 * @example
 * const events = runtimeEventsOf(shown.eventLog)
 */
export function runtimeEventsOf(eventLog: string): RuntimeEvent[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(eventLog);
  } catch {
    return undefined;
  }
  const parsed = logSchema.safeParse(json);
  return parsed.data
    ?.filter(({ imr }) => imr === register)
    .map(({ event, event_payload: payload, version }) => ({ event, payload, version }));
}

/**
 * A log of these events, as `verifyEventLog` reads it.
 *
 * @example
 * verifyEventLog(eventLogOf(events), report.rtMr3)
 */
export function eventLogOf(events: readonly RuntimeEvent[]): string {
  const common = { imr: register, event_type: eventType, digest: "" };
  return JSON.stringify(
    events.map(({ event, payload, version }) => ({ ...common, event, event_payload: payload, version })),
  );
}
