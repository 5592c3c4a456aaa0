/**
 * Room: enclave/sandbox. Counts and hashes what a program prints, and keeps some of it where its policy has it sealed for
 * the data's owner. Runs inside the sandbox process.
 */
import type { Hash } from "node:crypto";
import type { GuestFailure, Meter } from "./guest.ts";

/** SHA-256 of nothing. Most programs print nothing, and node:crypto takes longer to load than they run. */
const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * A meter at zero.
 *
 * @param end - see {@link Meter}.
 * @returns the meter for the guest; the hash of what was printed so far: 0x hex of the SHA-256 over the lines in UTF-8,
 * each with a line feed; how to keep up to so many bytes of it from now on; and what was kept.
 * @example
 * const { meter, printsHash } = createMeter(end)
 */
export function createMeter(end: (failure: GuestFailure) => never): {
  meter: Meter;
  printsHash: () => string;
  keep: (maxBytes: number) => void;
  kept: () => { text: Uint8Array; cut: boolean };
} {
  let hash: Hash | undefined;
  let buffer = new Uint8Array();
  let keptBytes = 0;
  let cut = false;
  const keepSome = (bytes: Uint8Array) => {
    const fits = bytes.subarray(0, buffer.length - keptBytes);
    buffer.set(fits, keptBytes);
    keptBytes += fits.length;
    cut ||= fits.length < bytes.length;
  };
  const meter: Meter = {
    fuel: 0,
    lines: 0,
    bytes: 0,
    print(line) {
      const bytes = typeof line === "string" ? Buffer.from(line, "utf8") : line;
      meter.lines += 1;
      meter.bytes += bytes.length;
      hash ??= process.getBuiltinModule("node:crypto").createHash("sha256");
      hash.update(bytes).update("\n");
      keepSome(bytes);
      keepSome(lineFeed);
    },
    end,
  };
  return {
    meter,
    printsHash: () => `0x${hash?.copy().digest("hex") ?? nothing}`,
    keep: (maxBytes) => {
      buffer = new Uint8Array(maxBytes);
    },
    kept: () => ({ text: buffer.subarray(0, keptBytes), cut }),
  };
}

const lineFeed = Uint8Array.of(0x0a);
