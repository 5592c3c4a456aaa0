/**
 * Room: sdk/cvm/attestBlob. Reads the binary answer of the guest agent's Attest: quote, event log and the host's words in
 * one. Nothing here is believed. Pure.
 * Source: samples of Dstack-TEE/dstack (0.5.11 and 0.6), which are SCALE: sizes are compact integers, others little-endian.
 */
import { bytesToHex, type Hex } from "viem";
import { BaseError } from "../../protocol/errors.ts";

const maxEvents = 2048;
const reportDataSize = 64;
const runtimeRegister = 3;

/** What Attest answers. */
export type AttestBlob = { quote: Uint8Array; eventLog: string; reportData: Hex; config: string };

/**
 * Reads the answer.
 *
 * @returns the event log as GetQuote writes it. Of a log whose runtime digests are stripped the firmware's events are left
 * out: the agent keeps but a few of them, which replay to nothing.
 * @throws {@link BadAttestBlobError}
 * @example
 * const { quote, eventLog } = readAttestBlob(bytes)
 */
export function readAttestBlob(bytes: Uint8Array): AttestBlob {
  const reader = readerOf(bytes);
  if (reader.u8() !== 0 || reader.u8() !== 0) throw new BadAttestBlobError("its version or kind is not known");
  const quote = reader.bytes();
  const events = reader.list(() => ({
    imr: reader.u32(),
    event_type: reader.u32(),
    digest: digits(reader.bytes()),
    event: reader.text(),
    event_payload: digits(reader.bytes()),
  }));
  const repeated = reader.list(() => `${reader.text()}:${digits(reader.bytes())}`);
  const reportData = bytesToHex(reader.take(reportDataSize));
  const config = reader.text();
  reader.end();
  const runtime = events.filter(({ imr }) => imr === runtimeRegister);
  if (runtime.map(({ event, event_payload }) => `${event}:${event_payload}`).join("\n") !== repeated.join("\n"))
    throw new BadAttestBlobError("its runtime events are not those of its event log");
  const isStripped = runtime.some(({ digest }) => digest === "");
  return { quote, eventLog: JSON.stringify(isStripped ? runtime : events), reportData, config };
}

function readerOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const take = (length: number) => {
    if (length > bytes.length - offset) throw new BadAttestBlobError("it is cut off");
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const number = (length: 1 | 2 | 4) => {
    take(length);
    if (length === 1) return view.getUint8(offset - 1);
    return length === 2 ? view.getUint16(offset - 2, true) : view.getUint32(offset - 4, true);
  };
  /** The lowest two bits say how many bytes the integer has: 1, 2 or 4. */
  const compact = () => {
    const form = (bytes[offset] ?? 0) & 3;
    if (form === 3) throw new BadAttestBlobError("a size is too large");
    return number(form === 0 ? 1 : form === 1 ? 2 : 4) >>> 2;
  };
  const text = () => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(take(compact()));
    } catch (cause) {
      if (cause instanceof BaseError) throw cause;
      throw new BadAttestBlobError("a text is not UTF-8", cause);
    }
  };
  return {
    take,
    text,
    u8: () => number(1),
    u32: () => number(4),
    bytes: () => take(compact()),
    list<T>(item: () => T): T[] {
      const length = compact();
      if (length > maxEvents) throw new BadAttestBlobError(`it has more than ${maxEvents} events`);
      return Array.from({ length }, item);
    },
    end() {
      if (offset !== bytes.length) throw new BadAttestBlobError("bytes stand behind it");
    },
  };
}

function digits(bytes: Uint8Array): string {
  return bytesToHex(bytes).slice(2);
}

/** The bytes are not what Attest answers. */
export class BadAttestBlobError extends BaseError {
  override readonly name = "Cvm.BadAttestBlobError";
  constructor(fact: string, cause?: unknown) {
    super(`The attestation cannot be read: ${fact}`, {
      hint: "Give what the guest agent's Attest answered, unchanged, or GetQuote's answer instead.",
      cause,
    });
  }
}
