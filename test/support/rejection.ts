/** Exact errors in tests: what was thrown, of the class that was expected, so that its fields can be compared. */
import { AssertionError } from "chai";

/**
 * The error that a promise (or a function, called here) fails with.
 *
 * @throws AssertionError if it does not fail, or with another class of error.
 * @example
 * const error = await rejection(store.job(id), CorruptRowError);
 * expect(error.table).to.equal("jobs");
 */
export async function rejection<E extends Error>(
  work: Promise<unknown> | (() => unknown),
  type: new (...args: never[]) => E,
): Promise<E> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (error instanceof type) return error;
    throw new AssertionError(`expected ${type.name}, got ${String(error)}`);
  }
  throw new AssertionError(`expected ${type.name}, nothing was thrown`);
}
