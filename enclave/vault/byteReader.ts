/**
 * Room: enclave/vault/byteReader. Takes exact numbers of bytes from a stream that delivers as it likes. Imports nothing.
 */

/** See {@link readerOf}. Errors of the source pass through, again at each later call. */
export type ByteReader = {
  /** The next 1 to `most` bytes, as a view; undefined at the end. */
  upTo(most: number): Promise<Uint8Array | undefined>;
  /** The next `count` bytes, as a view, if the source has delivered them already. */
  held(count: number): Uint8Array | undefined;
  /** A copy of the next `count` bytes; undefined if there are fewer. */
  exactly(count: number): Promise<Uint8Array | undefined>;
  /** How many bytes were taken. */
  taken(): number;
  /** Reads what is left and forgets it. */
  drain(): Promise<void>;
  /** Closes the source; again does nothing. */
  close(): Promise<void>;
};

/**
 * Starts reading a stream.
 *
 * @example
 * const nonce = await readerOf(source).exactly(16)
 */
export function readerOf(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Uint8Array = new Uint8Array();
  let taken = 0;
  let ended = false;
  let failure: { error: unknown } | undefined;

  async function upTo(most: number): Promise<Uint8Array | undefined> {
    while (held.length === 0) {
      if (failure) throw failure.error;
      if (ended) return undefined;
      try {
        const next = await iterator.next();
        ended = next.done === true;
        held = next.value ?? held;
      } catch (error) {
        failure = { error };
      }
    }
    return take(most);
  }

  function take(most: number): Uint8Array {
    const bytes = held.subarray(0, most);
    held = held.subarray(bytes.length);
    taken += bytes.length;
    return bytes;
  }

  return {
    upTo,
    held: (count) => (held.length < count ? undefined : take(count)),
    async exactly(count) {
      const bytes = new Uint8Array(count);
      for (let length = 0; length < count; ) {
        const piece = await upTo(count - length);
        if (piece === undefined) return undefined;
        bytes.set(piece, length);
        length += piece.length;
      }
      return bytes;
    },
    taken: () => taken,
    async drain() {
      while ((await upTo(Number.MAX_SAFE_INTEGER)) !== undefined);
    },
    async close() {
      held = new Uint8Array();
      if (ended || failure) return;
      ended = true;
      await iterator.return?.();
    },
  };
}
