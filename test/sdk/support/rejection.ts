/** What a promise is rejected with, of the very class that is expected. */
import { AssertionError } from "chai";

/**
 * Waits for a rejection.
 *
 * @example
 * const error = await rejection(withdraw(client, { token }), NoCreditError);
 */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof type) return error;
    throw new AssertionError(`rejected with ${error instanceof Error ? `${error.name}: ${error.message}` : error}`);
  }
  throw new AssertionError(`was not rejected, expected ${type.name}`);
}
