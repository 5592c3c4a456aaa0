/** Awaits a promise that must fail, and returns what it failed with. */
import { AssertionError } from "chai";

/**
 * The error that `promise` rejects with; an assertion error if it does not.
 *
 * @example
 * expect(await failureOf(store.get(name))).to.deep.equal(new BlobMissingError(name));
 */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new AssertionError(`Expected an Error, got ${String(error)}`);
  }
  throw new AssertionError(`Expected a failure, got ${typeof value}`);
}
