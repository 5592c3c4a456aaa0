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

/** Longer lines are passed on in pieces of so many bytes. */
const maxLineBytes = 4096;
const lineFeed = 0x0a;

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

    def no_json(word):
        raise ValueError(word)

    def explain(error):
        flush()
        places, trace = [], error.__traceback__.tb_next
        while trace is not None and len(places) < 64:
            places.append("%s:%d" % (trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        try:
            print(" ".join(places), type(error).__name__, error, sep="\\n", file=sys.__stderr__, flush=True)
        except BaseException:
            pass

    def run(*job):
        answer = attempt(*job)
        flush()
        return answer

    def flush():
        try:
            sys.__stdout__.flush()
        except BaseException:
            pass

    def attempt(entry, inputs, explains):
        def read(path):
            with open(path, "rb") as file:
                return file.read()

        try:
            values = {}
            for name, form in inputs:
                data = read("/inputs/" + name)
                values[name] = data if form == "bytes" else data.decode("utf-8-sig")
                if form == "json":
                    values[name] = json.loads(values[name], parse_constant=no_json)
        except MemoryError:
            return "MemoryExceeded"
        except (ValueError, RecursionError):
            return "InputMismatch"
        try:
            scope = {"__name__": "program", "__builtins__": __builtins__}
            exec(compile(read("/program/" + entry), entry, "exec"), scope)
            result = scope["main"](values, json.loads(read("/inputs/.params")))
        except MemoryError:
            return "MemoryExceeded"
        except BaseException as error:
            if explains:
                explain(error)
            return "ProgramTrapped"
        try:
            return "ok" + json.dumps(result, allow_nan=False, ensure_ascii=False)
        except MemoryError:
            return "MemoryExceeded"
        except BaseException as error:
            if explains:
                explain(error)
            return "OutputRefused"

    return run

_run = _load()
del _load
`;

/** Deepest nesting of an input of JSON. */
const maxJsonDepth = 500;

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
  const flush = passPrints(python, meter);
  for (const [path, bytes] of job.files) write(python, `/program/${path}`, bytes);
  for (const { name, format, bytes } of job.inputs) {
    if (format === "json" && isDeeper(bytes, maxJsonDepth)) throw new Stop("InputMismatch");
    write(python, `/inputs/${name}`, bytes);
  }
  write(python, "/inputs/.params", job.params);
  meterFuel(python, job, meter);
  // Names and paths have no quotes or backslashes: the manifest's schema says so.
  const inputs = job.inputs.map(({ name, format }) => `("${name}", "${format}")`).join(", ");
  const explains = job.limits.printsBytes > 0 ? "True" : "False";
  const answer = String(python.runPython(`_run("${job.entry}", [${inputs}], ${explains})`));
  flush();
  if (!answer.startsWith("ok")) throw new Stop(failures.find((failure) => failure === answer) ?? "ProgramTrapped");
  // More units of UTF-16 than bytes are allowed are more bytes, too.
  if (answer.length - 2 > job.limits.outputBytes) throw new Stop("OutputTooLarge");
  const output = new TextEncoder().encode(answer.slice(2));
  if (output.length > job.limits.outputBytes) throw new Stop("OutputTooLarge");
  return output;
}

const failures = ["InputMismatch", "MemoryExceeded", "ProgramTrapped", "OutputRefused"] as const;

/** Whether arrays and objects of JSON nest deeper. The interpreter's reader would run out of stack, and end the process. */
function isDeeper(json: Uint8Array, levels: number): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === 0x22) isQuoted = !isQuoted;
    else if (isQuoted) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b)
      depth++; // [ {
    else if (byte === 0x5d || byte === 0x7d) depth--; // ] }
    if (depth > levels) return true;
  }
  return false;
}

function write(python: Pyodide, path: string, bytes: Uint8Array): void {
  python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  python.FS.writeFile(path, bytes);
}

/**
 * What is printed goes to the meter, line by line; of a line only what fits.
 *
 * @returns passes on what was printed without a line feed.
 */
function passPrints(python: Pyodide, meter: Meter): () => void {
  const line = new Uint8Array(maxLineBytes);
  let length = 0;
  const flush = () => {
    if (length > 0) meter.print(line.subarray(0, length));
    length = 0;
  };
  const add = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += line.length) {
      const piece = bytes.subarray(at, at + line.length);
      if (length + piece.length > line.length) flush();
      line.set(piece, length);
      length += piece.length;
    }
  };
  const sink = {
    write(bytes: Uint8Array): number {
      let from = 0;
      for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, from)) {
        add(bytes.subarray(from, at));
        if (length === 0) meter.print("");
        else flush();
        from = at + 1;
      }
      add(bytes.subarray(from));
      return bytes.length;
    },
  };
  python.setStdout(sink);
  python.setStderr(sink);
  return flush;
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
