/**
 * Room: protocol/errors. The one base class of every error thrown on purpose, in every room.
 * Pure. Mirrors nothing.
 */

/** What a reader needs to act on an error. */
export type ErrorDetails = {
  /** What to do next, one sentence. Never holds a secret. */
  hint: string;
  /** Whether the same call may succeed later without anything being changed. */
  retryable?: boolean;
  /** The error that led to this one. */
  cause?: unknown;
};

/**
 * Base of all errors thrown on purpose. `name` is `Room.FactError`; docs/errors.md has a row for each.
 *
 * @example
 * class EmptyFileError extends BaseError {
 *   override readonly name = "Dataset.EmptyFileError";
 *   constructor(path: string) {
 *     super(`${path} is empty.`, { hint: "Give a file with at least one byte." });
 *   }
 * }
 */
export abstract class BaseError extends Error {
  abstract override readonly name: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
  }
}
