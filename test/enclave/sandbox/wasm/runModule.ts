/** Runs a module through the fuel pass and the guest, in this process: what they hold back, they hold back alone. */

import { ModuleRefusedError } from "../../../../enclave/sandbox/engines/wasm/bytes.ts";
import { load } from "../../../../enclave/sandbox/engines/wasm/guest.ts";
import { meterModule } from "../../../../enclave/sandbox/engines/wasm/meterModule.ts";
import { type GuestFailure, type GuestInput, type Meter, Stop } from "../../../../enclave/sandbox/guest.ts";
import { createMeter } from "../../../../enclave/sandbox/meter.ts";

/** What came of it. `refused`: what the pass says of the module. */
export type ModuleEnd = ({ output: string } | { failure: GuestFailure } | { refused: string }) & { meter: Meter };

/** What a test may set. */
export type ModuleRun = { fuel?: number; memoryBytes?: number; outputBytes?: number; inputs?: readonly GuestInput[] };

const text = new TextDecoder();

/** Everything that is thrown on purpose is an end; the rest is thrown. */
export async function runModule(module: Uint8Array, options: ModuleRun = {}): Promise<ModuleEnd> {
  const { fuel = 1_000_000, memoryBytes = 1024 * 1024, outputBytes = 64, inputs = [input("abc")] } = options;
  const { meter } = createMeter((failure) => {
    throw new Stop(failure);
  });
  try {
    const prepared = meterModule(module, { fuel, memoryBytes });
    const run = await load([]);
    const job = {
      entry: "main.wasm",
      files: new Map(),
      params: Buffer.from("{}"),
      policy: undefined,
      inputs,
      prepared,
    };
    const limits = { fuel, memoryBytes, outputBytes, printsBytes: 0 };
    return { output: text.decode(await run({ ...job, limits }, meter)), meter };
  } catch (error) {
    if (error instanceof Stop) return { failure: error.failure, meter };
    if (!(error instanceof ModuleRefusedError)) throw error;
    return { refused: error.message.replace(/^The WebAssembly module (.*) \(at byte \d+\)\.$/, "$1"), meter };
  }
}

/** A text input. */
export function input(content: string | Uint8Array): GuestInput {
  return { name: "data", format: "text", bytes: Buffer.from(content) };
}
