import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { ModuleRefusedError } from "../../../../enclave/sandbox/engines/wasm/bytes.ts";
import { meterModule } from "../../../../enclave/sandbox/engines/wasm/meterModule.ts";
import {
  exportOf,
  f64,
  i32,
  i32Const,
  i64,
  i64Const,
  imported,
  type ModuleSpec,
  wasmModule,
} from "../../../support/wasmModule.ts";
import { runModule } from "./runModule.ts";

const end = 0x0b;
const example = new URL("../../../../programs/set-intersection/main.wasm", import.meta.url);

/** Adds 1 to local 0 until it is `turns`: eight instructions a turn. */
const countTo = (turns: number) => [
  ...[0x03, 0x40, 0x20, 0, ...i32Const(1), 0x6a, 0x22, 0], // loop, get, const, add, tee
  ...[...i32Const(turns), 0x47, 0x0d, 0, end], // const, ne, br_if
];

/** A module with nearly everything that is allowed. */
const rich: ModuleSpec = {
  types: [
    [[], []],
    [[i32, i32], []],
    [
      [i32, f64],
      [f64, i32],
    ],
    [[f64], [f64]],
  ],
  imports: [imported("dcm", "output_write", 1)],
  functions: [
    {
      locals: [
        [1, i32],
        [1, f64],
      ],
      code: [
        ...[...countTo(5), 0x20, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 3, 0x21, 0, 0x21, 1],
        ...[0x20, 1, ...i32Const(0), 0x11, 3, 0, 0x21, 1], // through the table
        ...[...i32Const(0), 0x20, 1, 0x39, 3, 0, ...i32Const(8), ...i32Const(0), ...i32Const(8), 0xfc, 10, 0, 0],
        ...[...i32Const(16), ...i32Const(0), ...i32Const(3), 0xfc, 8, 1, 0, 0xfc, 9, 1],
        ...[0x23, 0, ...i64Const(3n), 0x7c, 0x24, 0, ...i32Const(0), 0x40, 0, 0x1a],
        ...[...i32Const(2), 0x0e, 2, 0, 0, 0],
      ],
    },
    { type: 0, code: [0x0f] },
    // two results and two returns, from blocks in each other
    {
      type: 2,
      code: [
        0x20,
        1,
        0x20,
        0,
        0x02,
        0x40,
        0x20,
        0,
        0x45,
        0x0d,
        0,
        0x20,
        1,
        0x20,
        0,
        0x10,
        2,
        0x0f,
        end,
        0x20,
        0,
        0x04,
        0x40,
        0x05,
        end,
      ],
    },
    { type: 3, code: [0x20, 0, 0x9f, 0xfc, 6, 0xb9, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xa6] },
  ],
  tables: [[0x70, 1, 1, 2]],
  globals: [[i64, 1, ...i64Const(-5n), end]],
  start: 2,
  elements: [[2, 0, ...i32Const(0), end, 0, 1, 4]],
  dataCount: 2,
  data: [
    [0, ...i32Const(100), end, 1, 0x31],
    [1, 3, 1, 2, 3],
  ],
};

describe("meterModule", () => {
  it("charges each instruction, entry and local, whichever way it takes", async () => {
    const fuelOf = async (code: readonly number[], more: Partial<ModuleSpec> = {}) => {
      const outcome = await runModule(wasmModule({ functions: [{ locals: [[1, i32]], code }], ...more }));
      expect(outcome).to.include({ output: "" });
      return outcome.meter.fuel;
    };
    const entry = 1 + 1;
    expect(await fuelOf([])).to.equal(entry);
    expect(await fuelOf([0x01])).to.equal(entry + 1);
    expect(await fuelOf(countTo(100))).to.equal(entry + 1 + 7 * 100);
    expect(await fuelOf([...i32Const(1), 0x04, 0x40, 0x01, 0x05, 0x01, 0x01, 0x01, end])).to.equal(entry + 3);
    expect(await fuelOf([...i32Const(0), 0x04, 0x40, 0x01, 0x05, 0x01, 0x01, 0x01, end])).to.equal(entry + 5);
    expect(await fuelOf([0x0f, 0x01, 0x01])).to.equal(entry + 1);
    expect(await fuelOf([...i32Const(8), ...i32Const(1), 0x6d, 0x1a])).to.equal(entry + 2 + 8 + 1);
    expect(await fuelOf([...[0, 1, 800].flatMap(i32Const), 0xfc, 11, 0])).to.equal(entry + 4 + 100);
    expect(await fuelOf([...i32Const(2), 0x40, 0, 0x1a])).to.equal(entry + 3 + 2 * 8192);
  });

  it("stops a loop at the turn at which its fuel ends, and not before", async () => {
    const module = wasmModule({ functions: [{ locals: [[1, i32]], code: countTo(100) }] });
    expect(await runModule(module, { fuel: 703 })).to.include({ output: "" });
    expect(await runModule(module, { fuel: 702 })).to.include({ failure: "FuelExhausted" });
  });

  it("keeps what a module calculates", async () => {
    const module = wasmModule(rich);
    const raw = new WebAssembly.Instance(new WebAssembly.Module(module), { dcm: { output_write: () => undefined } });
    (raw.exports.run as () => void)();
    const metered = new WebAssembly.Instance(
      new WebAssembly.Module(meterModule(module, { fuel: 10_000, memoryBytes: 1024 * 1024 })),
      { dcm: { output_write: () => undefined } },
    );
    (metered.exports.run as () => void)();
    const memoryOf = ({ exports }: WebAssembly.Instance) => Buffer.from((exports.memory as WebAssembly.Memory).buffer);
    expect(memoryOf(raw).readDoubleLE(8)).to.equal(1);
    expect(memoryOf(raw).equals(memoryOf(metered))).to.equal(true);
    expect(Object.keys(metered.exports)).to.deep.equal(["memory", "run", "start", "fuel", "stack", "outOfMemory"]);
  });

  it("lets memory grow to the manifest's limit and the module's own", async () => {
    const grow = (pages: number, memory: readonly number[]) =>
      wasmModule({ functions: [{ code: [...i32Const(pages), 0x40, 0, 0x1a] }], memories: [memory] });
    const memoryBytes = 4 * 65_536 + 65_535;
    expect(await runModule(grow(3, [0, 1]), { memoryBytes })).to.include({ output: "" });
    expect(await runModule(grow(4, [0, 1]), { memoryBytes })).to.include({ failure: "MemoryExceeded" });
    expect(await runModule(grow(2, [1, 1, 2]), { memoryBytes })).to.include({ failure: "MemoryExceeded" });
  });

  it("gives the stack that the start function took back to run", async () => {
    const down = (depth: number) => [...i32Const(depth), 0x10, 0];
    const module = (depth: number) =>
      wasmModule({
        types: [
          [[], []],
          [[i32], []],
        ],
        functions: [
          { type: 1, code: [0x20, 0, 0x45, 0x04, 0x40, 0x0f, end, 0x20, 0, ...i32Const(1), 0x6b, 0x10, 0] },
          { code: down(depth) },
          { code: down(depth) },
        ],
        exports: [exportOf("memory", 2, 0), exportOf("run", 0, 2)],
        start: 1,
      });
    expect(await runModule(module(4_000))).to.include({ output: "" });
    expect(await runModule(module(12_000))).to.include({ failure: "ProgramTrapped" });
  });

  it("refuses code that grows too large with its meter", () => {
    const code = Array.from({ length: 32_000 }, () => [0xbc, 0xbe]).flat(); // reinterpret there and back
    const bodies = Array.from({ length: 9 }, () => ({ code: [0x43, 0, 0, 0, 0, ...code, 0x1a] }));
    expect(() => meterModule(wasmModule({ functions: bodies }), { fuel: 1, memoryBytes: 1024 * 1024 }))
      .to.throw(ModuleRefusedError)
      .that.includes({
        name: "Wasm.ModuleRefusedError",
        hint: "Compile for WebAssembly 1.0 with bulk memory; what is allowed stands in docs/PROGRAMS-WASM.md.",
      })
      .with.property("message")
      .that.matches(/^The WebAssembly module has over 4194304 bytes of code with its meter \(at byte \d+\)\.$/);
  });

  it("ends deep recursion at the same call whatever the compiler makes of it", async () => {
    const script = `
      import { runModule } from ${JSON.stringify(new URL("runModule.ts", import.meta.url).href)};
      const modules = JSON.parse(process.argv[1]).map((bytes) => Uint8Array.from(bytes));
      const ends = [];
      for (const module of modules) ends.push(await runModule(module, { fuel: 1e9 }));
      console.log(JSON.stringify(ends));`;
    /** Writes how deep it is before it calls itself again, with so many operands or locals around the call. */
    const recursion = (operands: number, locals: number, depth: number) =>
      wasmModule({
        types: [
          [[], []],
          [[i32, i32], []],
          [[i32], []],
        ],
        imports: [imported("dcm", "output_write", 1)],
        functions: [
          {
            type: 2,
            locals: [[locals, i64]],
            code: [
              ...[0x20, 0, ...i32Const(depth), 0x46, 0x04, 0x40, 0x0f, end],
              ...Array.from({ length: operands }, () => [0x20, 0]).flat(),
              ...[0x20, 0, ...i32Const(1), 0x6a, 0x10, 1],
              ...Array<number>(operands).fill(0x1a),
            ],
          },
          { code: [...i32Const(0), 0x10, 1] },
        ],
        exports: [exportOf("memory", 2, 0), exportOf("run", 0, 2)],
      });
    // Slots: stack 262,144; a call 16 + 4 of the meter's + its parameter, locals, the meter's two, operands at the most.
    const deepest = (operands: number, locals: number) =>
      Math.floor(262_144 / (16 + 4 + 1 + locals + 2 + Math.max(2, operands + 2)));
    const shapes = [
      [0, 0],
      [20, 0],
      [0, 40],
      [1_000, 0],
      [0, 2_000],
      [100, 100],
    ] as const;
    const modules = shapes.flatMap(([operands, locals]) => {
      const depth = deepest(operands, locals);
      return [recursion(operands, locals, depth - 2), recursion(operands, locals, depth + 1)];
    });
    const argument = JSON.stringify(modules.map((module) => [...module]));
    const results = await Promise.all(
      [["--liftoff-only"], ["--no-liftoff"]].map(async (compiler) => {
        const flags = [
          "--stack-size=7000",
          ...compiler,
          "--no-warnings",
          "--input-type=module",
          "-e",
          script,
          argument,
        ];
        return JSON.parse((await promisify(execFile)(process.execPath, flags)).stdout);
      }),
    );
    expect(results[0]).to.deep.equal(results[1]);
    expect(
      results[0].map((end: object) => ("output" in end ? "ran" : "failure" in end ? end.failure : end)),
    ).to.deep.equal(shapes.flatMap(() => ["ran", "ProgramTrapped"]));
  });

  it("survives 6,000 mutations: refused, or a module that is valid only if it was before, and that ends", async () => {
    const random = generator(20261122);
    const below = (limit: number) => Math.floor(random() * limit);
    const interesting = [
      0, 1, 2, 0x0b, 0x03, 0x0c, 0x10, 0x23, 0x24, 0x40, 0x41, 0x60, 0x70, 0x7c, 0x7f, 0x80, 0xfc, 0xff,
    ];
    const seeds = [wasmModule(rich), wasmModule(rich), await readFile(example)];
    const count = { refused: 0, invalid: 0, ran: 0, failed: 0 };
    for (let round = 0; round < 6_000; round += 1) {
      const module = [...(seeds[round % 40 === 0 ? 2 : round % 2] ?? [])];
      for (let changes = 1 + below(3); changes > 0; changes -= 1) {
        const at = Math.floor(module.length * (1 - random() ** 2)); // rather in the code, which is at the end
        const byte = below(2) === 0 ? below(256) : (interesting[below(interesting.length)] ?? 0);
        if (below(8) === 0) module.splice(at, below(4), byte);
        else if (below(12) === 0) module.splice(at, 0, ...module.slice(at, at + below(8)));
        else module[at] = byte;
      }
      const bytes = Uint8Array.from(module);
      const valid = WebAssembly.validate(bytes);
      let prepared: Uint8Array;
      try {
        prepared = meterModule(bytes, { fuel: 20_000, memoryBytes: 1024 * 1024 });
      } catch (error) {
        if (!(error instanceof ModuleRefusedError)) throw error;
        count.refused += 1;
        continue;
      }
      expect(WebAssembly.validate(prepared), Buffer.from(bytes).toString("hex")).to.equal(valid);
      if (!valid) {
        count.invalid += 1;
        continue;
      }
      const outcome = await runModule(bytes, { fuel: 20_000 });
      if ("output" in outcome) count.ran += 1;
      else count.failed += 1;
      expect(outcome).not.to.have.property("refused");
    }
    for (const each of Object.values(count)) expect(each, JSON.stringify(count)).to.be.above(100);
  });
});

/** Numbers in [0, 1), the same ones for the same seed: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
