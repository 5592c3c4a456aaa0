import { createHash } from "node:crypto";
import { expect } from "chai";
import { keccak256, stringToBytes } from "viem";
import { quickjs } from "../../protocol/engines.ts";
import {
  BadManifestError,
  checkProgram,
  encodeParams,
  FileMismatchError,
  type Manifest,
  maxBundleBytes,
  packProgram,
  policyHashOf,
  programIdOf,
  unpackProgram,
} from "../../protocol/program.ts";

const source = new TextEncoder().encode("export default () => 1");
const sha256 = `0x${createHash("sha256").update(source).digest("hex")}` as const;
const manifest: Manifest = {
  v: 1,
  name: "one",
  runtime: quickjs,
  entry: "main.js",
  files: [{ path: "main.js", sha256, size: source.length }],
  params: { type: "object" },
  inputs: [{ name: "data", format: "csv" }],
  output: { format: "json", schema: { type: "integer" }, maxBytes: 16 },
  limits: { fuel: 1_000_000, memoryBytes: 16_777_216, wallMs: 1000 },
};
const files = new Map([["main.js", source]]);
const hint = "Compare it with docs/PROGRAMS.md; unknown fields are refused.";

describe("checkProgram", () => {
  it("accepts a program and gives it the id of its canonical manifest", () => {
    const program = checkProgram(JSON.parse(JSON.stringify(manifest)), files);
    expect(program).to.deep.equal({ id: programIdOf(manifest), manifest, files });
    const canonical =
      `{"entry":"main.js","files":[{"path":"main.js","sha256":"${sha256}","size":22}],"inputs":[{"format":"csv","name":"data"}],` +
      '"limits":{"fuel":1000000,"memoryBytes":16777216,"wallMs":1000},"name":"one","output":{"format":"json","maxBytes":16,' +
      `"schema":{"type":"integer"}},"params":{"type":"object"},"runtime":{"artifactSha256":"${quickjs.artifactSha256}",` +
      '"engine":"quickjs","version":"3.6.2"},"v":1}';
    expect(program.id).to.equal(keccak256(stringToBytes(canonical)));
    expect(policyHashOf(manifest)).to.equal(
      keccak256(stringToBytes('{"format":"json","maxBytes":16,"schema":{"type":"integer"}}')),
    );
  });

  it("takes roles of columns and bounds of contributions for SQL only", () => {
    const fields = [{ path: "", sensitivity: 1 }];
    const noise = { epsilonMicros: 1_000, budgetMicros: 1_000, fields };
    for (const policy of [
      { columns: { data: { id: "hidden" } } },
      { noise: { ...noise, bounds: { data: { unit: "id", rows: 1 } } } },
    ]) {
      const output = { ...manifest.output, policy };
      expect(() => checkProgram({ ...manifest, output }, files))
        .to.throw(BadManifestError)
        .with.property(
          "message",
          "The program manifest is not valid: ✖ roles of columns and bounds of contributions can be held in SQL only\n" +
            "  → at output.policy",
        );
      checkProgram({ ...manifest, output, runtime: { ...quickjs, engine: "duckdb" } }, files);
    }
    checkProgram({ ...manifest, output: { ...manifest.output, policy: { noise } } }, files);
  });

  it("takes no policy that names a column which its input does not have: it would hold nothing", () => {
    const inputs: Manifest["inputs"] = [
      {
        name: "data",
        format: "csv",
        columns: [
          { name: "id", type: "string" },
          { name: "age", type: "integer" },
        ],
      },
    ];
    const noise = { epsilonMicros: 1_000, budgetMicros: 1_000, fields: [{ path: "", sensitivity: 1 }] };
    const group = { k: 2, rows: "", count: "n", otherwise: "omit" } as const;
    const runtime = { ...quickjs, engine: "duckdb" } as const;
    const policies = (id: string, age: string) => [
      { columns: { data: { [id]: "join", [age]: "hidden" } } },
      { group: { ...group, units: { data: id } } },
      { noise: { ...noise, bounds: { data: { unit: id, rows: 1, clamp: { [age]: [0, 120] } } } } },
    ];
    const check = (policy: object) =>
      checkProgram({ ...manifest, inputs, runtime, output: { ...manifest.output, policy } }, files);
    for (const policy of policies("id", "age")) check(policy);
    for (const policy of [...policies("ID", "age"), ...policies("id", "agee").filter((each) => !("group" in each))])
      expect(() => check(policy))
        .to.throw(BadManifestError)
        .with.property("message")
        .that.contains("the policy names a column that its input does not have");
    const unlisted = {
      ...manifest,
      output: { ...manifest.output, policy: { group: { ...group, units: { data: "x" } } } },
    };
    checkProgram(unlisted, files);
  });

  it("gives another id for another engine, schema or limit", () => {
    const others = [
      { ...manifest, runtime: { ...quickjs, version: "3.6.3" } },
      { ...manifest, params: {} },
      { ...manifest, limits: { ...manifest.limits, fuel: 1_000_001 } },
    ];
    expect(new Set([manifest, ...others].map(programIdOf)).size).to.equal(4);
  });

  const wrong: Record<string, [change: object, detail: string]> = {
    "an unknown field": [{ more: 1 }, '✖ Unrecognized key: "more"'],
    "another version": [{ v: 2 }, "✖ Invalid input: expected 1\n  → at v"],
    "another engine": [
      { runtime: { ...quickjs, engine: "v8" } },
      '✖ Invalid option: expected one of "quickjs"|"duckdb"|"wasm"|"pyodide"\n  → at runtime.engine',
    ],
    "an entry that is no file": [{ entry: "other.js" }, "✖ the entry must be one of the files"],
    "a path that climbs": [
      { entry: "../a.js" },
      "✖ the entry must be one of the files\n✖ must be a plain relative path\n  → at entry",
    ],
    "two inputs of one name": [
      { inputs: [manifest.inputs[0], { name: "data", format: "text" }] },
      "✖ input names must differ",
    ],
    "a schema keyword out of the subset": [
      { params: { pattern: "a" } },
      '✖ The schema at "/" has the keyword "pattern", which is not supported.\n  → at params',
    ],
    "an output schema that is none": [
      { output: { ...manifest.output, schema: [] } },
      '✖ The schema at "/" must be an object.\n  → at output.schema',
    ],
    "an output schema that is missing": [
      { output: { format: "json", maxBytes: 1 } },
      '✖ The schema at "/" is not JSON.\n  → at output.schema',
    ],
    "too much output": [
      { output: { ...manifest.output, maxBytes: 67_108_865 } },
      "✖ Too big: expected number to be <=67108864\n  → at output.maxBytes",
    ],
    "too much fuel": [
      { limits: { ...manifest.limits, fuel: 100_000_000_001 } },
      "✖ Too big: expected number to be <=100000000000\n  → at limits.fuel",
    ],
  };
  for (const [name, [change, detail]] of Object.entries(wrong))
    it(`refuses ${name}`, () => {
      expect(() => checkProgram({ ...manifest, ...change }, files))
        .to.throw(BadManifestError)
        .that.includes({
          name: "Program.BadManifestError",
          message: `The program manifest is not valid: ${detail}`,
          hint,
        });
    });

  const utf16 = Uint8Array.of(0xff, 0xfe, 0x31, 0);
  const utf16Sha256 = `0x${createHash("sha256").update(utf16).digest("hex")}` as const;
  const changed = Uint8Array.from(source).fill(0x32, 21);
  const mismatches: [string, Manifest, Map<string, Uint8Array>, string][] = [
    ["a missing file", manifest, new Map(), "Program file main.js is missing."],
    ["a file too many", manifest, new Map([...files, ["b.js", source]]), "Program file b.js is not in the manifest."],
    [
      "another size",
      manifest,
      new Map([["main.js", source.subarray(1)]]),
      "Program file main.js has 21 bytes, not 22.",
    ],
    ["another content", manifest, new Map([["main.js", changed]]), "Program file main.js has another SHA-256."],
    [
      "a file that is not UTF-8",
      { ...manifest, files: [{ path: "main.js", sha256: utf16Sha256, size: 4 }] },
      new Map([["main.js", utf16]]),
      "Program file main.js is not UTF-8 text.",
    ],
  ];
  for (const [name, given, content, message] of mismatches)
    it(`refuses ${name}`, () => {
      expect(() => checkProgram(given, content))
        .to.throw(FileMismatchError)
        .that.includes({
          name: "Program.FileMismatchError",
          message,
          hint: "Rebuild the manifest with `dcm program id DIR --write`.",
        });
    });
});

describe("unpackProgram", () => {
  const program = checkProgram(manifest, files);

  it("reads what packProgram wrote", () => {
    expect(unpackProgram(packProgram(program))).to.deep.equal(program);
  });

  const deep = `{"manifest":${JSON.stringify({ ...manifest, params: "DEEP" })},"files":{}}`.replace(
    '"DEEP"',
    `${'{"items":'.repeat(50_000)}{}${"}".repeat(50_000)}`,
  );
  const bad: [string, Uint8Array, string | RegExp][] = [
    ["too many bytes", new Uint8Array(maxBundleBytes + 1), "bundle of 1048577 bytes, limit 1048576"],
    ["bytes that are not UTF-8", Uint8Array.of(0xff), "not UTF-8 JSON"],
    ["text that is not JSON", new TextEncoder().encode("{"), "not UTF-8 JSON"],
    [
      "no files",
      new TextEncoder().encode(JSON.stringify({ manifest })),
      "✖ Invalid input: expected record, received undefined\n  → at files",
    ],
    [
      "a schema nested without end",
      new TextEncoder().encode(deep),
      '✖ The schema at "/" has 500002 characters, limit 16384.\n  → at manifest.params',
    ],
  ];
  for (const [name, bytes, detail] of bad)
    it(`refuses ${name}`, () => {
      expect(() => unpackProgram(bytes))
        .to.throw(BadManifestError)
        .that.includes({
          name: "Program.BadManifestError",
          message: `The program manifest is not valid: ${detail}`,
          hint,
        });
    });

  it("keeps its own errors short, however long what it refuses", () => {
    const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`unknown-${i}`, 1]));
    const bytes = new TextEncoder().encode(JSON.stringify({ manifest: { ...manifest, ...keys }, files: {} }));
    const error = catchError(() => unpackProgram(bytes));
    expect(error).to.be.instanceOf(BadManifestError);
    expect(String(error).length).to.be.lessThan(1200);
  });
});

describe("encodeParams", () => {
  it("hashes canonical JSON", () => {
    const { bytes, hash } = encodeParams({ b: 1, a: [1e2] });
    expect(new TextDecoder().decode(bytes)).to.equal('{"a":[100],"b":1}');
    expect(hash).to.equal(keccak256(stringToBytes('{"a":[100],"b":1}')));
  });
});

function catchError(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
