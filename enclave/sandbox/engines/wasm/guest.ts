/**
 * Room: enclave/sandbox/engines/wasm. Runs one metered module inside the sandbox process. What it offers to the program is
 * docs/PROGRAMS-WASM.md: to read its inputs and parameters, to write its output, to print. Nothing else of the host can be
 * reached: no clock, no randomness, no shared memory.
 */
import { isUtf8 } from "node:buffer";
import { type GuestJob, type LoadGuest, type Meter, Stop } from "../../guest.ts";
import { bytesPerFuel, hostCallFuel, type ImportName, importModule } from "./abi.ts";

/** What the rewritten module exports: `exported` in abi.ts. */
type Exports = {
  memory: WebAssembly.Memory;
  run: () => void;
  start?: () => void;
  fuel: WebAssembly.Global<bigint>;
  stack: WebAssembly.Global<number>;
  outOfMemory: WebAssembly.Global<number>;
};

/** Largest part of memory that one call can name: lengths are 32 bits. */
const mostBytes = 2 ** 32 - 1;

/** There is nothing to start before the module is there: V8 is up. */
export const load: LoadGuest = async () => async (job, meter) => {
  for (const { bytes, format } of job.inputs) {
    if (bytes.length > mostBytes) throw new Stop("MemoryExceeded");
    if ((format === "csv" || format === "json" || format === "text") && !isUtf8(bytes)) throw new Stop("InputMismatch");
  }
  const output = new Output(job.limits.outputBytes);
  const host = new Host(job, meter, output);
  const exports = instantiate(job.prepared, host.imports());
  host.exports = exports;
  try {
    const { value: stack } = exports.stack;
    exports.start?.();
    exports.stack.value = stack; // each call finds there what its caller left to it
    exports.run();
  } catch (error) {
    if (error instanceof Stop) throw error;
    if (exports.fuel.value < 0n) throw new Stop("FuelExhausted");
    throw new Stop(exports.outOfMemory.value === 0 ? "ProgramTrapped" : "MemoryExceeded");
  } finally {
    meter.fuel = job.limits.fuel - Math.max(0, Number(exports.fuel.value));
  }
  // Runs are charged ahead but checked at loops and calls only: the last one may have gone too far.
  if (exports.fuel.value < 0n) throw new Stop("FuelExhausted");
  return output.bytes();
};

function instantiate(module: Uint8Array, imports: WebAssembly.Imports): Exports {
  try {
    const compiled = new WebAssembly.Module(module);
    return new WebAssembly.Instance(compiled, imports).exports as unknown as Exports; // names and types: see meterModule.ts
  } catch (error) {
    // RangeError: the machine does not give the memory. Else it is not valid, or a segment is out of bounds.
    throw new Stop(error instanceof RangeError ? "MemoryExceeded" : "ProgramTrapped");
  }
}

/** The functions that a program can call. All numbers come from it, as signed 32 bits. */
class Host {
  exports: Exports | undefined;
  private readonly job: GuestJob;
  private readonly meter: Meter;
  private readonly output: Output;

  constructor(job: GuestJob, meter: Meter, output: Output) {
    this.job = job;
    this.meter = meter;
    this.output = output;
  }

  imports(): WebAssembly.Imports {
    const { job, meter, output } = this;
    const functions: Record<ImportName, (...values: number[]) => number | undefined> = {
      input_size: (index) => {
        this.charge(0);
        return this.input(index).length;
      },
      input_read: (index, at, offset, length) => this.read(this.input(index), at, offset, length),
      input_refuse: () => {
        throw new Stop("InputMismatch");
      },
      params_size: () => {
        this.charge(0);
        return job.params.length;
      },
      params_read: (at, offset, length) => this.read(job.params, at, offset, length),
      output_write: (at, length) => {
        output.add(this.memory(at, length));
        return undefined;
      },
      print: (at, length) => {
        meter.print(this.memory(at, length));
        return undefined;
      },
    };
    return { [importModule]: functions };
  }

  private input(index = -1): Uint8Array {
    const input = this.job.inputs[index];
    if (input === undefined) throw new Stop("ProgramTrapped");
    return input.bytes;
  }

  private read(source: Uint8Array, at: number | undefined, offset = 0, length = 0): undefined {
    const target = this.memory(at, length);
    const from = offset >>> 0;
    if (from + target.length > source.length) throw new Stop("ProgramTrapped");
    target.set(source.subarray(from, from + target.length));
  }

  /** A part of the program's memory, as it is now; charged for. */
  private memory(at = 0, length = 0): Uint8Array {
    this.charge(length >>> 0);
    const { buffer } = this.exports?.memory ?? this.stop();
    if ((at >>> 0) + (length >>> 0) > buffer.byteLength) throw new Stop("ProgramTrapped");
    return new Uint8Array(buffer, at >>> 0, length >>> 0);
  }

  private charge(bytes: number): void {
    const { fuel } = this.exports ?? this.stop();
    fuel.value -= BigInt(hostCallFuel + Math.floor(bytes / bytesPerFuel));
    if (fuel.value < 0n) throw new Stop("FuelExhausted");
  }

  /** Called before there is an instance: nothing does that, for the start function is called behind it. */
  private stop(): never {
    throw new Stop("ProgramTrapped");
  }
}

/** Collects what is written, in one piece. */
class Output {
  private readonly limit: number;
  private buffer = new Uint8Array(1024);
  private length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.limit) throw new Stop("OutputTooLarge");
    if (length > this.buffer.length) {
      const grown = new Uint8Array(Math.min(this.limit, 2 * length));
      grown.set(this.bytes());
      this.buffer = grown;
    }
    this.buffer.set(bytes, this.length);
    this.length = length;
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
