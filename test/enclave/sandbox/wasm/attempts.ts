/** Modules that mean harm, by what they are after, each with what must come of it. */
import {
  body,
  exportOf,
  i32,
  i32Const,
  i64,
  i64Const,
  imported,
  type ModuleSpec,
  name,
  preamble,
  section,
  sectionId,
  u32,
  wasmModule,
} from "../../../support/wasmModule.ts";
import type { ModuleRun } from "./runModule.ts";

/** Types that the modules here use: 0 nothing, 1 print and output_write, 2 input_size, 3 input_read, 4 params_size, 5 i64. */
const types: NonNullable<ModuleSpec["types"]> = [
  [[], []],
  [[i32, i32], []],
  [[i32], [i32]],
  [[i32, i32, i32, i32], []],
  [[], [i32]],
  [[i64], []],
];
/** Functions 0 to 4; a module's own begin at 5. */
const imports = [
  imported("dcm", "output_write", 1),
  imported("dcm", "print", 1),
  imported("dcm", "input_size", 2),
  imported("dcm", "input_read", 3),
  imported("dcm", "input_refuse", 0),
];
const own = 5;
const call = (index: number) => [0x10, ...u32(index)];
const [writes, prints, inputSize, inputRead, refuses] = [0, 1, 2, 3, 4].map(call) as [
  number[],
  number[],
  number[],
  number[],
  number[],
];
const loop = (code: readonly number[]) => [0x03, 0x40, ...code, 0x0b];
const block = (code: readonly number[]) => [0x02, 0x40, ...code, 0x0b];
const [unreachable, drop, end] = [0x00, 0x1a, 0x0b];
const always = loop([0x0c, 0]);

/** A module whose `run` is this code. */
const program = (code: readonly number[], more: Partial<ModuleSpec> = {}) =>
  wasmModule({ types, imports, functions: [{ code }], ...more });
/** The same, with the functions behind it. */
const programs = (functions: ModuleSpec["functions"], more: Partial<ModuleSpec> = {}) =>
  wasmModule({ types, imports, functions, ...more });
/** A module of which one section is this. */
const withSection = (id: number, content: readonly number[], at = id) =>
  wasmModule({ functions: [{ code: [] }], extra: [{ before: at, bytes: section(id, content) }] });
/** Writes out the eight bytes of the i64 that the code leaves. */
const showI64 = (code: readonly number[]) => [
  ...[...i32Const(0), ...code, 0x37, 3, 0], // i64.store
  ...hex(),
];
/** Turns the eight bytes at 0 into sixteen hex digits at 16, and writes them. */
function hex(): number[] {
  const digit = (from: number, shift: number, to: number) => [
    ...[...i32Const(to), ...i32Const(from), 0x2d, 0, 0], // i32.load8_u
    ...[...i32Const(shift), 0x76, ...i32Const(15), 0x71], // shr_u, and
    ...[0x21, 0, ...i32Const(48), ...i32Const(87), 0x20, 0, ...i32Const(10), 0x49, 0x1b], // set, '0', 'a' - 10, < 10, select
    ...[0x20, 0, 0x6a, 0x3a, 0, 0], // get, add, i32.store8
  ];
  const digits = Array.from({ length: 8 }, (_, i) => [...digit(7 - i, 4, 16 + 2 * i), ...digit(7 - i, 0, 17 + 2 * i)]);
  return [...digits.flat(), ...i32Const(16), ...i32Const(16), ...writes];
}
const shows = (code: readonly number[]) => programs([{ locals: [[1, i32]], code: showI64(code) }]);
const f64Const = (...bytes: readonly number[]) => [0x44, ...bytes];
/** A signalling NaN with its sign set and a payload. */
const oddNaN = f64Const(1, 2, 3, 4, 5, 6, 0xf4, 0xff);
const canonicalNaN = "7ff8000000000000";
const minusInfinity = f64Const(0, 0, 0, 0, 0, 0, 0xf0, 0xff);

type Expected = { refused: string } | { failure: string } | { output: string };
/** What it tries, the module, what comes of it, and in what surroundings. */
export type Attempt = readonly [what: string, module: Uint8Array, expected: Expected, options?: ModuleRun];

const trapped = { failure: "ProgramTrapped" } as const;
const exhausted = { failure: "FuelExhausted" } as const;
const tooMuchMemory = { failure: "MemoryExceeded" } as const;
const refused = (fact: string) => ({ refused: fact });
const notOffered = (opcode: string) => refused(`uses instruction ${opcode}, which is not offered`);
const gigabyte = { memoryBytes: 2 ** 30, fuel: 10_000_000_000 };

/** All of them. */
export const attempts = {
  reachTheHost: [
    [
      "import a function of another module",
      program([], { imports: [imported("env", "abort", 0)] }),
      refused("imports what is not offered"),
    ],
    [
      "import a clock",
      program([], { imports: [imported("wasi_snapshot_preview1", "clock_time_get", 2)] }),
      refused("imports what is not offered"),
    ],
    [
      "import what every object has",
      program([], { imports: [imported("dcm", "constructor", 0)] }),
      refused("imports what is not offered"),
    ],
    [
      "import a prototype",
      program([], { imports: [imported("dcm", "__proto__", 0)] }),
      refused("imports what is not offered"),
    ],
    [
      "import a name that ends behind a zero byte",
      program([], { imports: [imported("dcm", "print\0", 1)] }),
      refused("imports what is not offered"),
    ],
    [
      "import a name that is not UTF-8",
      program([], { imports: [[1, 0xff, ...name("print"), 0, 1]] }),
      refused("has a name that is not UTF-8"),
    ],
    [
      "import a memory",
      program([], { imports: [[...name("dcm"), ...name("print"), 2, 0, 1]] }),
      refused("imports what is not a function"),
    ],
    [
      "import a mutable global",
      program([], { imports: [[...name("dcm"), ...name("print"), 3, i64, 1]] }),
      refused("imports what is not a function"),
    ],
    [
      "import a table",
      program([], { imports: [[...name("dcm"), ...name("print"), 1, 0x70, 0, 1]] }),
      refused("imports what is not a function"),
    ],
    [
      "import print with 64-bit numbers, to have the host convert them",
      program([], { imports: [imported("dcm", "print", 5)] }),
      refused("imports print with another type"),
    ],
    [
      "take host objects as externref",
      program([], { types: [[[0x6f], []]] }),
      refused("uses a type that is not a number"),
    ],
    [
      "run the host's function itself",
      program([], { exports: [exportOf("memory", 2, 0), exportOf("run", 0, 4)] }),
      { failure: "InputMismatch" },
    ],
  ],
  readAndWriteElsewhere: [
    ["write output from behind the memory", program([...i32Const(65_536), ...i32Const(1), ...writes]), trapped],
    ["write output over the end of the memory", program([...i32Const(65_535), ...i32Const(2), ...writes]), trapped],
    ["wrap pointer and length around 2^32", program([...i32Const(-8), ...i32Const(16), ...writes]), trapped],
    [
      "write output of a negative length",
      program([...i32Const(16), ...i32Const(-8), ...writes], {}),
      trapped,
      gigabyte,
    ],
    ["print from behind the memory", program([...i32Const(-1), ...i32Const(1), ...prints]), trapped],
    ["read an input to behind the memory", program([0, 65_534, 0, 3].flatMap(i32Const).concat(inputRead)), trapped],
    ["read from behind an input", program([0, 0, 1, 3].flatMap(i32Const).concat(inputRead)), trapped],
    ["wrap an offset around 2^32", program([0, 0, -1, 2].flatMap(i32Const).concat(inputRead)), trapped],
    ["size of an input that is not there", program([...i32Const(1), ...inputSize, drop]), trapped],
    ["size of input -1", program([...i32Const(-1), ...inputSize, drop]), trapped],
    ["load from behind the memory", program([...i32Const(65_533), 0x28, 2, 0, drop]), trapped],
    ["load with an offset that wraps around", program([...i32Const(-1), 0x28, 2, ...u32(2 ** 32 - 1), drop]), trapped],
    ["data segment behind the memory", program([], { data: [[0, ...i32Const(65_535), end, 2, 1, 1]] }), trapped],
    ["data segment at a negative place", program([], { data: [[0, ...i32Const(-1), end, 1, 1]] }), trapped],
    [
      "init from behind a passive segment",
      program([0, 1, 2].flatMap(i32Const).concat([0xfc, 8, 0, 0]), { dataCount: 1, data: [[1, 2, 1, 1]] }),
      trapped,
    ],
    [
      "init from a dropped segment",
      program([0xfc, 9, 0, ...[0, 0, 1].flatMap(i32Const), 0xfc, 8, 0, 0], { dataCount: 1, data: [[1, 1, 1]] }),
      trapped,
    ],
    [
      "passive segments that were not counted",
      program([0xfc, 9, 0], { data: [[1, 1, 1]] }),
      refused("uses data segments without having counted them"),
    ],
    [
      "count more segments than there are",
      program([0xfc, 9, 1], { dataCount: 2, data: [[1, 1, 1]] }),
      refused("counts its data segments wrongly"),
    ],
    ["copy over the end of the memory", program([0, 65_530, 8].flatMap(i32Const).concat([0xfc, 10, 0, 0])), trapped],
  ],
  takeMore: [
    [
      "start with more than the manifest allows",
      program([], { memories: [[0, ...u32(17)]] }),
      refused("starts with 17 pages of memory, limit 16"),
    ],
    [
      "grow to a larger maximum of its own",
      program([...i32Const(16), 0x40, 0, drop], { memories: [[1, 1, ...u32(65_536)]] }),
      tooMuchMemory,
    ],
    ["grow for ever", program(loop([...i32Const(1), 0x40, 0, drop, 0x0c, 0])), tooMuchMemory],
    ["grow by nothing for ever", program(loop([...i32Const(0), 0x40, 0, drop, 0x0c, 0])), exhausted],
    ["grow by 2^32 - 1 pages", program([...i32Const(-1), 0x40, 0, drop]), exhausted],
    ["grow by more than its fuel", program([...i32Const(15), 0x40, 0, drop]), exhausted, { fuel: 100_000 }],
    [
      "share its memory",
      program([], { memories: [[3, 1, 2]] }),
      refused("has a table or memory that is shared or of 64 bits"),
    ],
    [
      "use a memory of 64 bits",
      program([], { memories: [[4, 1]] }),
      refused("has a table or memory that is shared or of 64 bits"),
    ],
    [
      "have two memories",
      program([], {
        memories: [
          [0, 1],
          [0, 1],
        ],
      }),
      refused("has 2 memories, limit 1"),
    ],
    ["have none", wasmModule({ functions: [{ code: [] }], memories: [] }), refused("has no memory of its own")],
    [
      "state a maximum below the minimum",
      program([], { memories: [[1, 2, 1]] }),
      refused("has a table or memory whose maximum is below its minimum"),
    ],
    [
      "have a table of 2^32 - 1 entries",
      program([], { tables: [[0x70, 0, ...u32(2 ** 32 - 1)]] }),
      refused("has a table of 4294967295 entries, limit 65536"),
    ],
    [
      "write more output than allowed",
      program([0, 65].flatMap(i32Const).concat(writes)),
      { failure: "OutputTooLarge" },
    ],
    [
      "write output for ever",
      program(loop([...i32Const(0), ...i32Const(1), ...writes, 0x0c, 0])),
      { failure: "OutputTooLarge" },
    ],
    ["write nothing for ever", program(loop([...i32Const(0), ...i32Const(0), ...writes, 0x0c, 0])), exhausted],
  ],
  runForEver: [
    ["br", program(always), exhausted],
    ["br_if", program(loop([...i32Const(1), 0x0d, 0])), exhausted],
    ["br_table", program(loop([...i32Const(7), 0x0e, 1, 0, 0])), exhausted],
    ["br out of a block", program(loop(block([0x0c, 1]))), exhausted],
    ["br out of an if", program(loop([...i32Const(1), 0x04, 0x40, 0x0c, 1, 0x05, 0x0f, end])), exhausted],
    ["loop in a loop", program(loop(loop([...i32Const(1), 0x0d, 1, 0x0c, 0]))), exhausted],
    ["loop with a parameter", program([...i32Const(1), 0x03, 2, 0x0c, 0, end, drop]), exhausted],
    [
      "loop of one expensive instruction",
      program(loop([0, 0, 1_000_000].flatMap(i32Const).concat([0xfc, 11, 0, 0x0c, 0])), { memories: [[0, 16]] }),
      exhausted,
    ],
    ["loop behind code that is not reached", program(loop([0x0c, 0, ...loop([unreachable])])), exhausted],
    ["loop in the start function", programs([{ code: [] }, { code: always }], { start: own + 1 }), exhausted],
    ["recursion on little fuel", program(call(own)), exhausted, { fuel: 50_000 }],
    ["recursion without end", program(call(own)), trapped, { fuel: 1e9 }],
    ["recursion of two", programs([{ code: call(own + 1) }, { code: call(own) }]), trapped],
    [
      "recursion through the table",
      program([...i32Const(0), 0x11, 0, 0], { tables: [[0x70, 0, 1]], elements: [[0, ...i32Const(0), end, 1, own]] }),
      trapped,
    ],
    ["recursion with large frames", programs([{ locals: [[2_000, i64]], code: call(own) }]), trapped],
    [
      "recursion with many operands",
      program([
        ...Array.from({ length: 3_000 }, () => i32Const(1)).flat(),
        ...call(own),
        ...Array<number>(3_000).fill(drop),
      ]),
      trapped,
    ],
    [
      "a tree of 2^40 calls",
      programs(
        Array.from({ length: 41 }, (_, i) => ({ code: i === 40 ? [] : [...call(own + i + 1), ...call(own + i + 1)] })),
      ),
      exhausted,
    ],
    [
      "calls of a function with many locals",
      programs([{ code: loop([...call(own + 1), 0x0c, 0]) }, { locals: [[2_000, i64]], code: [] }]),
      exhausted,
    ],
    ["print for ever", program(loop([...i32Const(0), ...i32Const(8), ...prints, 0x0c, 0])), exhausted],
    ["read the input for ever", program(loop([...[0, 0, 0, 3].flatMap(i32Const), ...inputRead, 0x0c, 0])), exhausted],
    ["ask for sizes for ever", program(loop([...i32Const(0), ...inputSize, drop, 0x0c, 0])), exhausted],
  ],
  getAtTheMeter: [
    ["set the global behind its own", program([...i64Const(2n ** 62n), 0x24, 0]), refused("refers to global 0 of 0")],
    [
      "read it",
      program([0x23, 1, drop], { globals: [[i64, 1, ...i64Const(0n), end]] }),
      refused("refers to global 1 of 1"),
    ],
    [
      "set the local behind its own",
      programs([{ locals: [[1, i64]], code: [...i64Const(2n ** 62n), 0x21, 1] }]),
      refused("refers to local 1 of 1"),
    ],
    [
      "export a global as fuel",
      program(always, {
        globals: [[i64, 1, ...i64Const(2n ** 62n), end]],
        exports: [exportOf("memory", 2, 0), exportOf("run", 0, own), exportOf("fuel", 3, 0)],
      }),
      exhausted,
    ],
    [
      "export a function as start",
      programs([{ code: [...i32Const(0), ...i32Const(0), ...writes] }, { code: [unreachable] }], {
        exports: [exportOf("memory", 2, 0), exportOf("run", 0, own), exportOf("start", 0, own + 1)],
      }),
      { output: "" },
    ],
    [
      "export the global behind its own",
      program([], { exports: [exportOf("memory", 2, 0), exportOf("run", 0, own), exportOf("g", 3, 0)] }),
      refused("exports what is not there"),
    ],
    [
      "export run twice",
      program([], { exports: [exportOf("memory", 2, 0), exportOf("run", 0, own), exportOf("run", 0, own)] }),
      refused("exports one name twice"),
    ],
    ["use the type behind its own", programs([{ code: [0x02, ...u32(6), 0x0b] }]), refused("refers to type 6 of 6")],
    ["leave a loop by a label of the wrapper", program(loop([0x0c, 2])), refused("refers to block 2 of 2")],
    ["wrap the price of a fill around", program([0, 0, -1].flatMap(i32Const).concat([0xfc, 11, 0])), exhausted],
  ],
  callWhatIsNotMeant: [
    ["a table entry that is not there", program([...i32Const(9), 0x11, 0, 0], { tables: [[0x70, 0, 1]] }), trapped],
    ["an empty table entry", program([...i32Const(0), 0x11, 0, 0], { tables: [[0x70, 0, 1]] }), trapped],
    [
      "an entry of another type",
      program([...i32Const(1), ...i32Const(0), 0x11, 2, 0, drop], {
        tables: [[0x70, 0, 1]],
        elements: [[0, ...i32Const(0), end, 1, own]],
      }),
      trapped,
    ],
    [
      "through a second table",
      program([...i32Const(0), 0x11, 0, 1], { tables: [[0x70, 0, 1]] }),
      refused("calls through a table that is not there"),
    ],
    ["through no table", program([...i32Const(0), 0x11, 0, 0]), refused("calls through a table that is not there")],
    [
      "elements behind the table",
      program([], { tables: [[0x70, 0, 1]], elements: [[0, ...i32Const(1), end, 1, own]] }),
      trapped,
    ],
    [
      "elements of a function that is not there",
      program([], { tables: [[0x70, 0, 1]], elements: [[0, ...i32Const(0), end, 1, own + 1]] }),
      refused("refers to function 6 of 6"),
    ],
    ["a function that is not there", program(call(own + 1)), refused("refers to function 6 of 6")],
    ["a start function with parameters", program([], { start: 0 }), refused("starts with no such function")],
    [
      "run with a result",
      programs([{ type: 4, code: i32Const(1) }]),
      refused("does not export run as a function of no parameters and results"),
    ],
    [
      "run as a global",
      program([], {
        globals: [[i32, 0, ...i32Const(0), end]],
        exports: [exportOf("memory", 2, 0), exportOf("run", 3, 0)],
      }),
      refused("does not export run as a function"),
    ],
    ["operands of other types", program([0x44, 0, 0, 0, 0, 0, 0, 0, 0, ...i32Const(1), 0x6a, drop]), trapped],
    ["fewer operands than it takes", program([0x6a, drop]), trapped],
  ],
  makeTheMachineShow: [
    ["bits of a NaN as an integer", shows([...oddNaN, 0xbd]), { output: canonicalNaN }],
    [
      "bits of a NaN that was calculated",
      shows([...minusInfinity, ...minusInfinity, 0xa1, 0xbd]),
      { output: canonicalNaN },
    ],
    [
      "bits of a NaN in memory",
      programs([{ locals: [[1, i32]], code: [...i32Const(0), ...oddNaN, 0x39, 3, 0, ...hex()] }]),
      { output: canonicalNaN },
    ],
    [
      "bits of a NaN of 32 bits in memory",
      programs([{ locals: [[1, i32]], code: [...i32Const(0), 0x43, 1, 2, 0xa3, 0xff, 0x38, 2, 0, ...hex()] }]),
      { output: "000000007fc00000" },
    ],
    [
      "bits of a NaN of 32 bits as an integer",
      shows([0x43, 1, 2, 0xa3, 0xff, 0xbc, 0xad]),
      { output: "000000007fc00000" },
    ],
    [
      "sign of a NaN",
      shows([...f64Const(0, 0, 0, 0, 0, 0, 0xf0, 0x3f), ...oddNaN, 0xa6, 0xbd]),
      { output: "3ff0000000000000" },
    ],
    ["other floats stay as they are", shows([...minusInfinity, 0xbd]), { output: "fff0000000000000" }],
    ["a division by zero", program([...i32Const(1), ...i32Const(0), 0x6d, drop]), trapped],
    ["a division that overflows", program([...i32Const(-(2 ** 31)), ...i32Const(-1), 0x6d, drop]), trapped],
    ["a conversion of NaN", program([...oddNaN, 0xaa, drop]), trapped],
    ["use SIMD", program([0xfd, 12]), notOffered("0xfd")],
    ["use threads", program([0xfe, 3, 0]), notOffered("0xfe")],
    ["use garbage collection", program([0xfb, 0]), notOffered("0xfb")],
    ["catch traps: try", program([0x06, 0x40, end]), notOffered("0x06")],
    ["catch traps: try_table", program([0x1f, 0x40, 0, end]), notOffered("0x1f")],
    ["call without a frame: return_call", program([0x12, own]), notOffered("0x12")],
    ["call without a frame: return_call_indirect", program([0x13, 0, 0]), notOffered("0x13")],
    ["make references", program([0xd2, own, drop]), notOffered("0xd2")],
    ["get table entries", program([...i32Const(0), 0x25, 0, drop]), notOffered("0x25")],
    ["grow tables", program([0xfc, 15, 0]), refused("uses instruction 0xfc 15, which is not offered")],
    ["copy tables", program([0xfc, 14, 0, 0]), refused("uses instruction 0xfc 14, which is not offered")],
  ],
  confuseTheParser: [
    [
      "fewer bodies than functions",
      programs([{ code: [] }], { bodies: [] }),
      refused("has fewer bodies than functions"),
    ],
    ["no bytes", new Uint8Array(), refused("ends too early")],
    ["another version", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), refused("is not WebAssembly 1")],
    ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), refused("is not WebAssembly 1")],
    ["a section twice", withSection(sectionId.memory, [1, 0, 1]), refused("has section 5 where it may not be")],
    [
      "a section too late",
      withSection(sectionId.type, [0], sectionId.data),
      refused("has section 1 where it may not be"),
    ],
    ["a section of exceptions", withSection(13, [0], sectionId.global), refused("has section 13 where it may not be")],
    [
      "a section longer than the module",
      wasmModule({ functions: [{ code: [] }], extra: [{ bytes: [0, ...u32(1_000)] }] }),
      refused("ends too early"),
    ],
    [
      "a custom section whose name is longer than itself",
      withSection(sectionId.custom, [9, 1], sectionId.type),
      refused("ends too early"),
    ],
    [
      "a custom section that says what functions are called",
      withSection(sectionId.custom, [...name("name"), 0xff, 0xff], sectionId.code),
      { output: "" },
    ],
    [
      "a count of 2^32 - 1 types",
      Uint8Array.from([...preamble, ...section(1, u32(2 ** 32 - 1))]),
      refused("has 4294967295 types, limit 2000"),
    ],
    [
      "2^32 - 1 locals",
      programs([{ locals: [[2 ** 32 - 1, i32]], code: [] }]),
      refused("has a function of over 2000 locals"),
    ],
    [
      "locals that add up over 2^32",
      programs([
        {
          locals: [
            [1_999, i32],
            [2 ** 32 - 1_999, i64],
          ],
          code: [],
        },
      ]),
      refused("has a function of over 2000 locals"),
    ],
    [
      "br_table of 2^32 - 1 targets",
      program([...i32Const(0), 0x0e, ...u32(2 ** 32 - 1)]),
      refused("has 4294967295 targets of one br_table, limit 4096"),
    ],
    [
      "br_table longer than its function",
      program([...i32Const(0), 0x0e, ...u32(4_000), 0]),
      refused("has fewer targets of one br_table than it says"),
    ],
    [
      "501 blocks in each other",
      program([...Array.from({ length: 501 }, () => [2, 0x40]).flat(), ...Array<number>(501).fill(end)]),
      refused("nests over 500 blocks"),
    ],
    [
      "500 blocks in each other",
      program([...Array.from({ length: 500 }, () => [2, 0x40]).flat(), ...Array<number>(500).fill(end)]),
      { output: "" },
    ],
    [
      "a function of over 128 KiB",
      program(Array<number>(131_072).fill(1)),
      refused("has a function of 131074 bytes, limit 131072"),
    ],
    [
      "an index in five bytes, as linkers write them",
      program([0x10, 0x84, 0x80, 0x80, 0x80, 0]),
      { failure: "InputMismatch" },
    ],
    [
      "an index in six bytes",
      program([0x10, 0x84, 0x80, 0x80, 0x80, 0x80, 0]),
      refused("has an integer of more than 32 bits"),
    ],
    [
      "an index of 33 bits",
      program([0x10, 0x84, 0x80, 0x80, 0x80, 0x10]),
      refused("has an integer of more than 32 bits"),
    ],
    [
      "a constant of 33 bits",
      program([0x41, 0x80, 0x80, 0x80, 0x80, 0x08, drop]),
      refused("has an integer of more than 32 bits"),
    ],
    [
      "a constant of 65 bits",
      program([0x42, ...Array<number>(9).fill(0x80), 0x01, drop]),
      refused("has an integer of more than 64 bits"),
    ],
    ["a block of a negative type", program([0x02, 0xbf, 0x7f, end]), refused("has a block of no known type")],
    ["a function without an end", program([0x02, 0x40]), refused("ends too early")],
    ["code behind the end of a function", program([end, 1]), refused("has bytes left over")],
    ["an else without an if", program([0x02, 0x40, 0x05, end]), refused("has an else without an if")],
    ["two else", program([...i32Const(1), 0x04, 0x40, 0x05, 0x05, end]), refused("has an else without an if")],
    [
      "more bodies than functions",
      programs([{ code: [] }], { bodies: [body({ code: [] }), body({ code: [] })] }),
      refused("has more bodies than functions"),
    ],
    [
      "an alignment that is too large",
      program([...i32Const(0), 0x28, 3, 0, drop]),
      refused("states an alignment that is too large"),
    ],
    [
      "a global that starts with code",
      program([], { globals: [[i32, 0, 0x23, 0, end]] }),
      refused("has an initial value that is no constant of its type"),
    ],
    [
      "a global of two constants",
      program([], { globals: [[i32, 0, ...i32Const(1), ...i32Const(1), 0x6a, end]] }),
      refused("has an initial value that is no constant"),
    ],
  ],
} as const satisfies Readonly<Record<string, readonly Attempt[]>>;

/** Writes out the three bytes of its input. */
export const echo = program([
  ...[0, 0, 0, 3].flatMap(i32Const),
  ...[...inputRead, ...i32Const(0), ...i32Const(3), ...writes],
]);
/** Prints eight bytes, again and again. */
export const printForEver = program(loop([...i32Const(0), ...i32Const(8), ...prints, 0x0c, 0]));
/** Says that its input is not what it was promised. */
export const refuseInput = program(refuses);
/** All of it is needed, to the last byte. */
export const wholeModule = program([...i32Const(0), 0x11, 0, 0], {
  tables: [[0x70, 0, 1]],
  elements: [[0, ...i32Const(0), end, 1, own]],
  dataCount: 0,
});
