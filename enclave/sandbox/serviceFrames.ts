/**
 * Room: enclave/sandbox. The bytes between the worker and the sandbox service, on a Unix socket. Each connection begins
 * with one {@link Ask} of the worker (see frames.ts for how it is packed).
 *
 *   ask      then from the worker         from the service
 *   -------  ---------------------------  --------------------------------------------------------------
 *   facts    -                            Facts
 *   process  nothing                      what a new process writes; ends when the process is reaped
 *   input    what the process reads       overByte, if the process ended by itself
 *
 * When the worker ends the connection of a process, or is gone, the process is killed. It has one of its own for its input
 * because the end of a connection shows only to who reads it, and nobody reads for a process that does not.
 */
import { z } from "zod";
import { engineNames } from "../../protocol/program.ts";
import { bytes32 } from "../../protocol/schemas.ts";
import { isHeadWhole, packHead, unpackFrame } from "./frames.ts";
import { wallNames } from "./wall.ts";

const bytes = z
  .int()
  .min(0)
  .max(2 ** 43);
const id = z.string().regex(/^[0-9a-f]{32}$/);

/** What a connection is for. `id`: random, the worker's; whoever knows it may write to the process. */
export const askSchema = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("facts") }),
  z.strictObject({
    ask: z.literal("process"),
    id,
    runtime: z.strictObject({ engine: z.enum(engineNames), version: z.string().max(32), artifactSha256: bytes32 }),
    limits: z.strictObject({
      wasmBytes: bytes,
      heapBytes: bytes,
      nativeBytes: bytes,
      bufferBytes: bytes,
      scratchBytes: bytes,
      wallMs: z
        .int()
        .min(0)
        .max(2 ** 31),
    }),
  }),
  z.strictObject({ ask: z.literal("input"), id }),
]);

/** See {@link askSchema}. */
export type Ask = z.infer<typeof askSchema>;

/** What the service says of itself. */
export const factsSchema = z.strictObject({ v: z.literal(1), wall: z.enum(wallNames), hides: z.boolean() });

/** See {@link factsSchema}. */
export type Facts = z.infer<typeof factsSchema>;

/** The process ended, and not the service. */
export const overByte = 0x4f;

/** Longest ask and longest facts, in bytes. */
export const maxMessageBytes = 4096;

/**
 * The bytes of an ask.
 *
 * @example
 * socket.write(packAsk({ ask: "facts" }))
 */
export function packAsk(ask: Ask): Uint8Array {
  return packHead(ask);
}

/**
 * Reads a message that stands first on a connection.
 *
 * @param bytes - all that has come so far.
 * @returns the message and a view of what follows it; undefined: it is not whole yet; null: it is none.
 * @example
 * const message = readMessage(askSchema, bytes)
 */
export function readMessage<T>(
  schema: z.ZodType<T>,
  bytes: Uint8Array,
): { message: T; rest: Uint8Array } | undefined | null {
  const isWhole = isHeadWhole(bytes, maxMessageBytes);
  if (isWhole === undefined) return null;
  if (!isWhole) return undefined;
  const frame = unpackFrame(bytes);
  const parsed = schema.safeParse(frame?.head);
  return frame === undefined || !parsed.success ? null : { message: parsed.data, rest: frame.body };
}
