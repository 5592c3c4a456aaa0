/**
 * Room: enclave/sandbox. Counts and hashes what a program prints. Runs inside the sandbox process.
 */
import { createHash } from "node:crypto";
import type { GuestFailure, Meter } from "./guest.ts";

/**
 * A meter at zero.
 *
 * @param end - see {@link Meter}.
 * @returns the meter for the guest, and the hash of what was printed so far: 0x hex of the SHA-256 over the lines in UTF-8,
 * each with a line feed.
 * @example
 * const { meter, printsHash } = createMeter(end)
 */
export function createMeter(end: (failure: GuestFailure) => never): { meter: Meter; printsHash: () => string } {
  const hash = createHash("sha256");
  const meter: Meter = {
    fuel: 0,
    lines: 0,
    bytes: 0,
    print(line) {
      const bytes = typeof line === "string" ? Buffer.from(line, "utf8") : line;
      meter.lines += 1;
      meter.bytes += bytes.length;
      hash.update(bytes).update("\n");
    },
    end,
  };
  return { meter, printsHash: () => `0x${hash.copy().digest("hex")}` };
}
