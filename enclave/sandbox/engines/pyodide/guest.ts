/**
 * Room: enclave/sandbox/engines/pyodide. Runs one program in CPython. This file is executed only inside the sandbox process.
 * Best effort: CPython was not made to hold programs back. What holds is the process around it, which has no right to
 * anything; from inside, a program may reach JavaScript objects, and with them a clock.
 */
import { type GuestJob, type Meter, Stop } from "../../guest.ts";

/** What is used of Pyodide; its own types are for hosts that have files. */
type Pyodide = {
  FS: { mkdirTree(path: string): void; writeFile(path: string, bytes: Uint8Array): void };
  runPython(source: string): unknown;
  setInterruptBuffer(buffer: { 0: number }): void;
  setStdout(options: { write(bytes: Uint8Array): number }): void;
  setStderr(options: { write(bytes: Uint8Array): number }): void;
};

/** The interpreter looks for signals once in about so many turns of loops and calls. */
const fuelPerTick = 50;

/**
 * Runs in the interpreter before the program. What is found through `js` and `pyodide_js` is JavaScript's; the importers
 * that lead there, and what they have loaded, are taken away.
 */
const prelude = `
def _load():
    import sys, json, importlib
    sys.path.insert(0, "/program")
    sys.meta_path[:] = [finder for finder in sys.meta_path if "yodide" not in type(finder).__module__]
    bridges = ("js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core")
    for name in [name for name in sys.modules if name.split(".")[0] in bridges]:
        del sys.modules[name]
    sys.modules.update(dict.fromkeys(bridges))
    sys.argv[:] = ["program"]

    def run(entry, inputs):
        def read(path):
            with open(path, "rb") as file:
                return file.read()

        try:
            values = {}
            for name, form in inputs:
                data = read("/inputs/" + name)
                values[name] = data if form == "bytes" else data.decode("utf-8-sig")
                if form == "json":
                    values[name] = json.loads(values[name])
        except MemoryError:
            return "MemoryExceeded"
        except ValueError:
            return "InputMismatch"
        try:
            scope = {"__name__": "program", "__builtins__": __builtins__}
            exec(compile(read("/program/" + entry), entry, "exec"), scope)
            result = scope["main"](values, json.loads(read("/inputs/.params")))
        except MemoryError:
            return "MemoryExceeded"
        except BaseException:
            return "ProgramTrapped"
        try:
            return "ok" + json.dumps(result, allow_nan=False, ensure_ascii=False)
        except MemoryError:
            return "MemoryExceeded"
        except BaseException:
            return "OutputRefused"

    return run

_run = _load()
del _load
`;

/** See `LoadGuest`. */
export async function load(artifacts: readonly Uint8Array[]) {
  const [wasm, library, lock] = artifacts;
  // @ts-expect-error: made by index.ts
  const { put } = await import("nothing:node:fs/promises");
  put("/engine/pyodide.asm.wasm", wasm);
  put("/engine/python_stdlib.zip", library);
  stopClocks();
  // @ts-expect-error: given by index.ts
  const [{ loadPyodide }, core] = await Promise.all([import("pyodide"), import("pyodide-core")]);
  const python = (await loadPyodide({
    indexURL: "/engine/",
    lockFileContents: new TextDecoder().decode(lock),
    createPyodideModule: core.default,
    jsglobals: Object.create(null),
    env: { HOME: "/program", PYTHONHASHSEED: "0", TZ: "UTC" },
    stdin: () => null,
  })) as unknown as Pyodide;
  python.runPython(prelude);
  return async (job: GuestJob, meter: Meter) => run(python, job, meter);
}

function run(python: Pyodide, job: GuestJob, meter: Meter): Uint8Array {
  count(python, meter);
  for (const [path, bytes] of job.files) write(python, `/program/${path}`, bytes);
  for (const { name, bytes } of job.inputs) write(python, `/inputs/${name}`, bytes);
  write(python, "/inputs/.params", job.params);
  meterFuel(python, job, meter);
  // Names and paths have no quotes or backslashes: the manifest's schema says so.
  const inputs = job.inputs.map(({ name, format }) => `("${name}", "${format}")`).join(", ");
  const answer = String(python.runPython(`_run("${job.entry}", [${inputs}])`));
  if (!answer.startsWith("ok")) throw new Stop(failures.find((failure) => failure === answer) ?? "ProgramTrapped");
  // More units of UTF-16 than bytes are allowed are more bytes, too.
  if (answer.length - 2 > job.limits.outputBytes) throw new Stop("OutputTooLarge");
  const output = new TextEncoder().encode(answer.slice(2));
  if (output.length > job.limits.outputBytes) throw new Stop("OutputTooLarge");
  return output;
}

const failures = ["InputMismatch", "MemoryExceeded", "ProgramTrapped", "OutputRefused"] as const;

function write(python: Pyodide, path: string, bytes: Uint8Array): void {
  python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  python.FS.writeFile(path, bytes);
}

/** What is printed is counted and goes nowhere. */
function count(python: Pyodide, meter: Meter): void {
  const sink = {
    write(bytes: Uint8Array): number {
      for (const byte of bytes) if (byte === 10) meter.lines += 1;
      meter.bytes += bytes.length;
      return bytes.length;
    },
  };
  python.setStdout(sink);
  python.setStderr(sink);
}

/** The interpreter reads the buffer to learn of signals; here it is told of none, and its readings are the meter. */
function meterFuel(python: Pyodide, { limits }: GuestJob, meter: Meter): void {
  python.setInterruptBuffer({
    get 0() {
      meter.fuel += fuelPerTick;
      // A program could catch whatever is thrown here.
      if (meter.fuel > limits.fuel) meter.end("FuelExhausted");
      return 0;
    },
    set 0(_) {},
  });
}

/** Time stands at zero for what asks JavaScript, as CPython does. */
function stopClocks(): void {
  Date.now = () => 0;
  performance.now = () => 0;
  crypto.getRandomValues = (view) => {
    if (view !== null) new Uint8Array(view.buffer, view.byteOffset, view.byteLength).fill(0);
    return view;
  };
  // Where it finds itself under Node it asks for constants of the operating system, which this process may not have.
  Object.assign(process, { binding: () => ({ fs: {} }) });
}
