/**
 * Room: enclave/fetch. Reads a stream into one array, never past a limit. Imports nothing.
 */

/**
 * Collects a stream into memory. Chunks are copied at once, so a peer that sends single bytes costs no more
 * memory than one that sends blocks.
 *
 * @param maxBytes - the most that is read.
 * @param tooLarge - makes the error thrown when there is more; the source is then closed.
 * @example
 * const bytes = await collectBytes(stream, 1024, () => new TooLargeError(1024))
 */
export async function collectBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tooLarge: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new ArrayBuffer(0, { maxByteLength: maxBytes });
  const view = new Uint8Array(buffer); // tracks the buffer's length
  for await (const chunk of source) {
    const offset = buffer.byteLength;
    if (offset + chunk.length > maxBytes) throw tooLarge();
    buffer.resize(offset + chunk.length);
    view.set(chunk, offset);
  }
  return new Uint8Array(buffer.transferToFixedLength());
}
