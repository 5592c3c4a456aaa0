import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { sha256 } from "@noble/hashes/sha2.js";
import { expect } from "chai";
import { bytesToHex } from "viem";
import { wasmEngine } from "../../../../enclave/sandbox/engines/wasm/index.ts";
import { runProgram } from "../../../../enclave/sandbox/runProgram.ts";
import { wasm } from "../../../../protocol/engines.ts";
import { checkProgram, type Program } from "../../../../protocol/program.ts";
import { i32, i32Const, imported, type ModuleSpec, wasmModule } from "../../../support/wasmModule.ts";

const limits = { fuel: 100_000_000, memoryBytes: 2 * 65_536 * 16, wallMs: 20_000 };
const types: NonNullable<ModuleSpec["types"]> = [
  [[], []],
  [[i32, i32], []],
  [[i32, i32, i32, i32], []],
];
const imports = [imported("dcm", "output_write", 1), imported("dcm", "print", 1), imported("dcm", "input_read", 2)];
const [write, print, read] = [
  [0x10, 0],
  [0x10, 1],
  [0x10, 2],
] as const;
const [own, end] = [3, 0x0b] as const;

/** A program whose `run` is this code. */
function programOf(code: readonly number[], more: Partial<ModuleSpec> = {}, changes: object = {}): Program {
  const bytes = wasmModule({ types, imports, functions: [{ code }], ...more });
  const files = [{ path: "main.wasm", sha256: bytesToHex(sha256(bytes)), size: bytes.length }];
  const manifest = {
    ...{ v: 1, name: "test", runtime: wasm, entry: "main.wasm", files, params: {}, limits },
    inputs: [{ name: "data", format: "bytes" }],
    output: { format: "json", schema: {}, maxBytes: 64 },
    ...changes,
  };
  return checkProgram(manifest, new Map([["main.wasm", bytes]]));
}

const run = (program: Program, data = "[1,2]") => runProgram({ program, inputs: [Buffer.from(data)], params: {} });
const echo = (length: number) => [
  ...[0, 0, 0, length].flatMap(i32Const),
  ...[...read, ...i32Const(0), ...i32Const(length), ...print, ...i32Const(0), ...i32Const(length), ...write],
];
const forEver = [0x03, 0x40, 0x0c, 0, end];

describe("WebAssembly engine", () => {
  it("is what is pinned, all of it", async () => {
    const { code, artifacts, nativeFiles } = await wasmEngine.load();
    expect(Object.keys(code)).to.deep.equal(["guest", "./abi.ts"]);
    expect([artifacts, nativeFiles]).to.deep.equal([[], []]);
    // Every file counts but the engine's own description, which reads the rest, and types.
    const folder = new URL("../../../../enclave/sandbox/engines/wasm/", import.meta.url);
    const hash = createHash("sha256");
    for (const name of (await readdir(folder)).sort()) {
      if (name === "index.ts" || name.endsWith(".d.ts")) continue;
      const source = await readFile(new URL(name, folder));
      hash.update(`${name} ${source.length}\n`).update(source);
    }
    expect(`0x${hash.digest("hex")}`).to.equal(wasm.artifactSha256);
  });

  it("runs a program in the sandbox process, and counts fuel and prints", async () => {
    const outcome = await run(programOf(echo(5)));
    expect(outcome).to.deep.include({ status: "ok", output: [1, 2], fuelUsed: 512 }); // 321 rounded up
    expect(outcome).to.have.deep.property("console", { lines: 1, bytes: 8 }); // 5 rounded up
  });

  it("ends what means harm there as well", async () => {
    const failureOf = async (code: readonly number[], more: Partial<ModuleSpec> = {}, changes: object = {}) => {
      const outcome = await run(programOf(code, more, changes));
      return outcome.status === "failed" ? outcome.failure : outcome.output;
    };
    const grow = (pages: number) => [...i32Const(pages), 0x40, 0, 0x1a];
    expect(await failureOf(forEver)).to.equal("FuelExhausted");
    expect(await failureOf([0x10, own])).to.equal("ProgramTrapped");
    expect(await failureOf(grow(31))).to.equal("OutputRefused"); // that much it may have
    expect(await failureOf(grow(32))).to.equal("MemoryExceeded");
    expect(await failureOf([], { memories: [[0, 33]] })).to.equal("MemoryExceeded");
    expect(await failureOf([], { imports: [imported("env", "abort", 0)] })).to.equal("ProgramTrapped");
    expect(await failureOf([0x6a])).to.equal("ProgramTrapped");
    expect(await failureOf(echo(5), {}, { output: { format: "json", schema: {}, maxBytes: 4 } })).to.equal(
      "OutputTooLarge",
    );
    expect(await failureOf(forEver, {}, { limits: { ...limits, fuel: 100_000_000_000, wallMs: 500 } })).to.equal(
      "TimeExceeded",
    );
    expect(await failureOf(echo(5), {}, { inputs: [{ name: "data", format: "json" }] })).to.deep.equal([1, 2]);
  });

  it("uses the same fuel and gives the same output in each process", async () => {
    const program = programOf(echo(5));
    const [one, other] = await Promise.all([run(program), run(program)]);
    expect(one).to.deep.equal(other);
  });
});
