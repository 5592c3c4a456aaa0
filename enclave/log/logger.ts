/**
 * Room: enclave/log. JSON lines on stdout: event names, ids, sizes, codes. The host reads them, so nothing else goes in.
 * May import: protocol/errors. Must not import: other rooms.
 */
import { type DestinationStream, type Level, pino, stdTimeFunctions } from "pino";
import { BaseError } from "../../protocol/errors.ts";

/** What a field may hold. Of an error only its name, code and source positions are written, never its message. */
export type LogValue = string | number | bigint | boolean | undefined | Error;

/** Flat fields of one line. */
export type LogFields = Readonly<Record<string, LogValue>>;

/** Writes one line per call; `event` is a constant like "http.request". */
export type Logger = Record<"debug" | "info" | "warn" | "error", (event: string, fields?: LogFields) => void>;

const maxTextLength = 120;
/** What to do, in the words of an error of ours: a sentence, and half of it would help nobody. */
const maxHintLength = 320;
const maxFrames = 6;
const redacted = "[redacted]";

/** Field names whose value is never written, whoever asks. */
const secretFields = [
  "authorization",
  "cookie",
  "identity",
  "key",
  "mnemonic",
  "password",
  "plaintext",
  "privateKey",
  "secret",
  "seed",
];

/**
 * Makes the logger.
 *
 * @param destination - where lines go; stdout when left out.
 * @example
 * createLogger().info("blob.stored", { sizeBytes: 12 })
 */
export function createLogger(options: { level?: Level; destination?: DestinationStream } = {}): Logger {
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      messageKey: "event",
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: secretFields, censor: redacted },
    },
    options.destination ?? together(process.stdout),
  );
  return {
    debug: (event, fields) => logger.debug(clean(fields), event),
    info: (event, fields) => logger.info(clean(fields), event),
    warn: (event, fields) => logger.warn(clean(fields), event),
    error: (event, fields) => logger.error(clean(fields), event),
  };
}

/** Writes at once what comes in one turn of the event loop: jobs write several lines each, and a write is what costs. */
function together(out: NodeJS.WritableStream): DestinationStream {
  let lines = "";
  const flush = () => {
    if (lines !== "") out.write(lines);
    lines = "";
  };
  process.on("exit", flush);
  return {
    write(line) {
      if (lines === "") setImmediate(flush);
      lines += line;
    },
  };
}

function clean(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      cleanValue(value, name === "hint" ? maxHintLength : maxTextLength),
    ]),
  );
}

function cleanValue(value: LogValue, maxLength: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" || typeof value === "boolean" || value === undefined) return value;
  // Not by type but by value: JavaScript callers and casts exist.
  if (typeof value !== "string") return "[dropped]";
  if (value.includes("AGE-SECRET-KEY")) return redacted;
  return value.slice(0, maxLength).replace(/[^ -~]/g, "?");
}

/** An error's name, code and positions: its message may quote data. */
function describeError(error: Error) {
  const code = "code" in error && typeof error.code === "string" ? error.code.slice(0, 40) : undefined;
  const cause = error.cause instanceof Error ? error.cause.name.slice(0, maxTextLength) : undefined;
  const name = error.name.slice(0, maxTextLength);
  // Errors thrown on purpose are found by their name; of the others the place is needed.
  return error instanceof BaseError ? { name, code, cause } : { name, code, cause, at: positions(error.stack ?? "") };
}

/** `file.ts:line:column` of the innermost frames. Only this shape is taken, whatever else the stack holds. */
function positions(stack: string): string {
  const frames = stack.matchAll(/^ {4}at .*?([\w.-]{1,60}\.[cm]?[jt]s:\d{1,6}:\d{1,6})\)?$/gm);
  return [...frames]
    .slice(0, maxFrames)
    .map((frame) => frame[1])
    .join(" ");
}
