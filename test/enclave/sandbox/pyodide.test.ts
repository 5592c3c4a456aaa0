/** Python programs in the real sandbox. Starting CPython takes seconds: many attempts share a process. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import { pinOf, pyodideEngine } from "../../../enclave/sandbox/engines/pyodide/index.ts";
import { runProgram } from "../../../enclave/sandbox/runProgram.ts";
import { pyodide } from "../../../protocol/engines.ts";
import { checkProgram, type Manifest } from "../../../protocol/program.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const table = "name,n\r\nada,1\nbob,41\n";

function program(source: string, changes: Partial<Manifest> = {}, more: Record<string, string> = {}) {
  const files = new Map(Object.entries({ "main.py": source, ...more }).map(([path, text]) => [path, encode(text)]));
  const listed = [...files].map(([path, bytes]) => {
    return { path, sha256: `0x${createHash("sha256").update(bytes).digest("hex")}` as const, size: bytes.length };
  });
  const manifest: Manifest = {
    ...{ v: 1, name: "test", runtime: pyodide, entry: "main.py", files: listed, params: {} },
    inputs: [{ name: "data", format: "csv" }],
    output: { format: "json", schema: {}, maxBytes: 16_384 },
    limits: { fuel: 20_000_000, memoryBytes: 64 * 1024 * 1024, wallMs: 60_000 },
    ...changes,
  };
  return checkProgram(manifest, files);
}

const run = (source: string, changes: Partial<Manifest> = {}, inputs: Uint8Array[] = [encode(table)]) =>
  runProgram({ program: program(source, changes), inputs, params: { times: 2 } });

/** Each is tried by itself. None may give what a program must not have: its value says what was got, or is an error. */
const attempts: Record<string, string> = {
  "read /etc/passwd": "open('/etc/passwd').read()",
  "read the environment of the host": "open('/proc/self/environ', 'rb').read()",
  "list the host's root": "sorted(set(os.listdir('/')) - {'tmp', 'home', 'dev', 'proc', 'lib', 'program', 'inputs'})",
  "see variables of the environment": "[name for name in os.environ if name not in SAFE]",
  "start a process": "subprocess.run(['ls'])",
  fork: "os.fork()",
  exec: "os.execv('/bin/sh', ['sh'])",
  "spawn by posix": "os.posix_spawn('/bin/sh', ['sh'], {})",
  "kill its parent": "os.kill(os.getppid(), 9)",
  connect: "socket.create_connection(('127.0.0.1', 80), 1)",
  "resolve a name": "socket.gethostbyname_ex('example.org')[2] and socket.create_connection(('example.org', 80), 1)",
  fetch: "urllib.request.urlopen('http://127.0.0.1/').read()",
  "import js": "__import__('js').process",
  "import pyodide_js": "__import__('pyodide_js').loadPackage",
  "import pyodide": "__import__('pyodide.code').code.run_js('1+1')",
  "import _pyodide_core": "__import__('_pyodide_core').run_js",
  "import pyodide.http": "__import__('pyodide.http')",
  "bring the importers back": "importlib.reload(__import__('_pyodide')).importhook",
  "find JavaScript by the collector":
    "[o for o in gc.get_objects() if type(o).__name__ in ('JsProxy', 'JsCallable', 'JsBuffer')]",
  "run JavaScript by the collector":
    "[o for o in gc.get_objects() if type(o).__name__ == 'JsProxy'][0].constructor.constructor('return process')()",
  "load a library": "__import__('ctypes').CDLL('libc.so.6').getpid()",
  "install a package": "__import__('micropip')",
  threads: "threading.Thread(target=print).start()",
  processes: "__import__('multiprocessing').Process(target=print).start()",
  "shared memory": "__import__('multiprocessing.shared_memory').shared_memory.SharedMemory(create=True, size=1)",
  "the time": "time.time()",
  "a clock that runs": "[time.perf_counter() for _ in range(1000)][-1] - time.perf_counter()",
  "the date": "__import__('datetime').datetime.now().year - 1970",
  "processor time": "time.process_time()",
  "randomness of the system": "any(os.urandom(32))",
  "a random seed": "random.Random().random() - random.Random().random()",
  secrets: "__import__('secrets').token_bytes(8).strip(bytes(1))",
  "a hash seed": "hash('a') - HASH_OF_A",
  "an id of the machine": "__import__('platform').node().replace('emscripten', '')",
  "the user": "os.getuid() * 0",
  "other file descriptors": "[fd for fd in range(3, 64) if readable(fd)]",
  "write to the answer": "os.write(3, b'x')",
  "standard input": "sys.stdin.read()",
  "mount the host": "__import__('pyodide_js').mountNodeFS('/x', '/')",
  "a debugger": "sys.gettrace()",
  arguments: "sys.argv[1:]",
  "code of the host in a traceback": "[line for line in HOST_LINES if '/work' in line or 'sandbox' in line]",
  "sqlite to a file of the host": "__import__('sqlite3').connect('/etc/x.db').execute('create table a(b)')",
  "symbolic link out": "os.symlink('/proc/1/root', '/program/root') or os.listdir('/program/root')",
};

const suite = `
import gc, importlib, os, random, socket, subprocess, sys, threading, time, traceback, urllib.request
SAFE = {"USER", "LOGNAME", "PATH", "PWD", "HOME", "LANG", "_", "PYTHONHASHSEED", "TZ", "PYTHONINSPECT", "LD_LIBRARY_PATH"}
HASH_OF_A = hash("a")

def readable(fd):
    try:
        return bool(os.read(fd, 1))
    except OSError:
        return False

try:
    open("/nothing")
except OSError:
    HOST_LINES = traceback.format_exc().splitlines()

def main(inputs, params):
    got = {}
    for name, source in ATTEMPTS.items():
        try:
            value = eval(source)
            if value:
                got[name] = repr(value)[:200]
        except BaseException as error:
            pass
    return got
`;

describe("sandbox: Python", function () {
  this.timeout(180_000); // CPython takes seconds to start, more on a busy machine

  it("is what is pinned", async () => {
    const { artifacts } = await pyodideEngine.load();
    expect(artifacts).to.have.length(3);
    expect(pinOf(artifacts)).to.not.equal(pyodide.artifactSha256); // the two sources are part of the pin
  });

  it("computes, the same in every process", async () => {
    const source = `
import csv, io, json, random, statistics
from helper import double
def main(inputs, params):
    rows = list(csv.DictReader(io.StringIO(inputs["data"])))
    print("rows", len(rows))
    return {"sum": double(sum(int(row["n"]) for row in rows)), "mean": statistics.mean([1.5, 2.25]), "params": params,
            "random": random.random(), "hash": hash("a"), "set": list({"x", "y", "z"}), "text": "\\u00e9\\U0001f600"}
`;
    const request = {
      program: program(source, {}, { "helper.py": "def double(n):\n    return 2 * n\n" }),
      ...{ inputs: [encode(`\ufeff${table}`)], params: { times: 2 } },
    };
    const [one, other] = [await runProgram(request), await runProgram(request)];
    if (one.status !== "ok") return expect.fail(one.failure);
    expect(one.output).to.deep.include({ sum: 84, mean: 1.875, params: { times: 2 }, text: "\u00e9\u{1f600}" });
    expect(one.console).to.deep.equal({ lines: 1, bytes: 8 });
    expect(other).to.deep.equal(one);
  });

  it("gives nothing to 44 attempts at more", async () => {
    expect(Object.keys(attempts)).to.have.length(44);
    const outcome = await run(`${suite}\nATTEMPTS = ${JSON.stringify(attempts)}\n`);
    expect(outcome).to.deep.include({ status: "ok", output: {} });
  });

  it("ends what does not end, whatever it catches", async () => {
    const bombs: [string, string][] = [
      ["while True:\n        try:\n            while True: pass\n        except BaseException: pass", "FuelExhausted"],
      ["import re; re.match('(a+)+$', 'a' * 40 + 'b')", "TimeExceeded"],
      ["x = []\n    while True: x.append(bytearray(1 << 20))", "MemoryExceeded"],
      ["import sys; print('a'); print('b', file=sys.stderr); (lambda f: f(f))(lambda f: f(f))", "ProgramTrapped"],
    ];
    const output = { format: "json", schema: {}, maxBytes: 64, policy: { prints: "readers" } } as const;
    let told = "";
    for (const [body, failure] of bombs) {
      const limits = {
        fuel: 20_000_000,
        memoryBytes: 64 * 1024 * 1024,
        wallMs: failure === "TimeExceeded" ? 1_000 : 60_000,
      };
      const outcome = await run(`def main(inputs, params):\n    ${body}\n`, { limits, output });
      expect(outcome, body).to.deep.include({ status: "failed", failure });
      told = new TextDecoder().decode(outcome.prints?.text);
    }
    expect(told).to.match(/^a\nb\n(main\.py:2 ?){2,64}\nRecursionError\nmaximum recursion depth exceeded.*\n$/);
  });

  it("refuses inputs and outputs that are not what they must be", async () => {
    const cases: [string, Partial<Manifest>, Uint8Array, string][] = [
      ["return 1", { inputs: [{ name: "data", format: "json" }] }, encode("{'a': 1}"), "InputMismatch"],
      ["return [float('nan')]", {}, encode(table), "OutputRefused"],
    ];
    for (const [body, changes, input, failure] of cases) {
      const outcome = await run(`def main(inputs, params):\n    ${body}\n`, changes, [input]);
      expect(outcome, body).to.deep.include({ status: "failed", failure });
    }
  });
});
