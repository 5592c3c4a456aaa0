/**
 * A WebAssembly program with the meter that the fuel pass puts in, held against the same module without: the set
 * intersection of programs/ over two tables of 200,000 rows. Same imports, compiled anew for each round, which counts too.
 */
import { readFile } from "node:fs/promises";
import { meterModule } from "../../enclave/sandbox/engines/wasm/meterModule.ts";

const rows = 200_000;
const rounds = 25;
const limits = { fuel: 100_000_000_000, memoryBytes: 2 ** 30 };
const params = Buffer.from('{"left":"id","right":"id"}');

/**
 * Measures both in turn.
 *
 * @returns the ratio of their speeds (1: the meter costs nothing): median of the rounds, and largest less smallest.
 * @example
 * const { value, spread } = await measure()
 */
export async function measure(): Promise<{ value: number; spread: number }> {
  const module = await readFile(new URL("../../programs/set-intersection/main.wasm", import.meta.url));
  const metered = meterModule(module, limits);
  const inputs = [table(0), table(rows / 4)];
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const without = timed(module, inputs);
    const withMeter = timed(metered, inputs);
    if (withMeter.output !== without.output) throw new RangeError(`${withMeter.output} is not ${without.output}.`);
    if (round > 0) ratios.push(without.ms / withMeter.ms); // the first warms up
  }
  ratios.sort((one, other) => one - other);
  return { value: ratios[rounds >> 1] ?? 0, spread: (ratios.at(-1) ?? 0) - (ratios[0] ?? 0) };
}

/** Ids from `first` on, in an order that is not theirs, each in a row of three columns. */
function table(first: number): Buffer {
  const lines = ["name,id,note"];
  for (let row = 0; row < rows; row++) {
    const id = first + ((row * 7_919) % rows); // 7,919 is prime: each id once
    lines.push(`"customer, no ${row}",id-${id.toString(36)},${row % 97}`);
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

function timed(module: Uint8Array, inputs: readonly Uint8Array[]): { ms: number; output: string } {
  let output = "";
  let memory: WebAssembly.Memory | undefined;
  const part = (at: number, length: number) => new Uint8Array(memory?.buffer ?? new ArrayBuffer(0), at, length);
  const imports = {
    input_size: (index: number) => inputs[index]?.length,
    input_read: (index: number, at: number, offset: number, length: number) =>
      part(at, length).set(inputs[index]?.subarray(offset, offset + length) ?? []),
    input_refuse: () => {
      throw new RangeError("The table was refused.");
    },
    params_size: () => params.length,
    params_read: (at: number, offset: number, length: number) =>
      part(at, length).set(params.subarray(offset, offset + length)),
    output_write: (at: number, length: number) => {
      output += Buffer.from(part(at, length)).toString();
    },
  };
  const startedAt = performance.now();
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { dcm: imports });
  memory = exports.memory as WebAssembly.Memory;
  (exports.start as (() => void) | undefined)?.();
  (exports.run as () => void)();
  return { ms: performance.now() - startedAt, output };
}

if (import.meta.main) {
  const { value, spread } = await measure();
  console.log(`wasm: ${value.toFixed(3)}x of the module without (spread ${spread.toFixed(3)}, ${rounds} rounds)`);
}
