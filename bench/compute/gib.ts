/**
 * Large jobs through a whole marketplace on this machine: a file is encrypted, uploaded, registered and granted; a worker
 * decrypts it in a stream, DuckDB runs in its sandbox, the sealed result is fetched and opened. Prints how long each took, and
 * the most memory that the worker and a sandbox process had, the input's place in memory apart.
 * Run `node bench/compute/gib.ts [MIB] [csv|parquet|result ...]`; 1024 MiB, and all of them, unless told otherwise.
 */
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { duckdb } from "../../protocol/engines.ts";
import type { Manifest, Program } from "../../protocol/program.ts";
import { decryptResult } from "../../sdk/encryption.ts";
import { encryptFile } from "../../sdk/node/encryptFile.ts";
import { publishEncrypted } from "../../sdk/publishDataset.ts";
import { uploadBlob } from "../../sdk/worker.ts";
import { oneFile } from "../../test/support/badData.ts";
import { consent, openRaw } from "../../test/support/hostile.ts";
import { failureOf, releasedResult, settlement } from "../../test/support/outcomes.ts";
import { type Scenario, startScenario } from "../../test/support/scenario.ts";

const mebibyte = 2 ** 20;
const waitMs = 1_800_000;

/** A large job. `rows`: how many the result must have. */
type Large = { format: "csv" | "parquet"; program: Program; write(path: string): Promise<void>; rows: number };

const columns = [
  { name: "id", type: "integer" },
  { name: "place", type: "string" },
  { name: "value", type: "number" },
  { name: "note", type: "string" },
] as const;
const grouping =
  "SELECT place, count(*) AS n, avg(value) AS mean, max(length(note)) AS longest FROM data GROUP BY place";

/** Bytes of the note in each row, and places. */
const noteBytes = 1000;
const places = 50;

function programOf(format: "csv" | "parquet", sql: string, inputBytes: number, maxBytes: number): Program {
  const limits: Manifest["limits"] = { fuel: 10 ** 10, memoryBytes: inputBytes + 256 * mebibyte, wallMs: 600_000 };
  const output = { format: "json", schema: {}, maxBytes } as const;
  return oneFile(duckdb, "main.sql", sql, { format, columns: [...columns] }, { limits, output });
}

/** Notes of letters that differ, so that nothing can be packed. */
function* csv(sizeBytes: number): Generator<string> {
  yield `${columns.map(({ name }) => name).join()}\n`;
  let state = 1;
  const letters = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state.toString(36).padStart(8, "0");
  };
  for (let id = 0, written = 0; written < sizeBytes; id++) {
    const note = letters().repeat(noteBytes / 8);
    const row = `${id},place${id % places},${id / 7},${note}\n`;
    written += row.length;
    yield row;
  }
}

const writeCsv = (sizeBytes: number) => async (path: string) =>
  pipeline(Readable.from(csv(sizeBytes)), createWriteStream(path));

/** Uncompressed, so that it is as large as it is said to be. */
const writeParquet = (sizeBytes: number) => async (path: string) => {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const rows = Math.floor(sizeBytes / (noteBytes + 20));
  const note = `md5(i::VARCHAR) || repeat(md5((i + 1)::VARCHAR), 30)`;
  const select = `SELECT i AS id, 'place' || (i % ${places}) AS place, i / 7 AS value, ${note} AS note FROM range(${rows}) AS r(i)`;
  await connection.run("SET threads = 1");
  await connection.run(
    `COPY (${select}) TO '${path}' (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 20000)`,
  );
  instance.closeSync();
};

/** Most memory of the worker, and of one process below it, in bytes: what the kernel says of each while it is there. */
function watchMemory(pid: number) {
  const most = { worker: 0, sandbox: 0 };
  const ending = new AbortController();
  const statusOf = async (id: number) => {
    const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  };
  const below = async (id: number): Promise<number[]> => {
    const ids = (await readFile(`/proc/${id}/task/${id}/children`, "utf8").catch(() => "")).split(" ").filter(Boolean);
    return (await Promise.all(ids.map(async (own) => [Number(own), ...(await below(Number(own)))]))).flat();
  };
  const watching = (async () => {
    while (!ending.signal.aborted) {
      most.worker = Math.max(most.worker, await statusOf(pid));
      for (const id of await below(pid)) most.sandbox = Math.max(most.sandbox, await statusOf(id));
      await sleep(50);
    }
  })();
  return {
    async stop() {
      ending.abort();
      await watching;
      return most;
    },
  };
}

/** How long the worker takes to answer at most, in ms, while it works. */
function watchAnswers(url: string) {
  let slowestMs = 0;
  const ending = new AbortController();
  const watching = (async () => {
    while (!ending.signal.aborted) {
      const at = performance.now();
      await (await fetch(`${url}/healthz`, { headers: { connection: "close" } })).body?.cancel();
      slowestMs = Math.max(slowestMs, performance.now() - at);
      await sleep(200);
    }
  })();
  return {
    async stop() {
      ending.abort();
      await watching;
      return slowestMs;
    },
  };
}

async function timed<T>(laps: string[], name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const value = await work();
  laps.push(`${name} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return value;
}

async function pass(s: Scenario, name: string, { format, program, write, rows }: Large, directory: string) {
  const laps: string[] = [];
  const path = join(directory, "plain");
  await write(path);
  const sizeBytes = (await stat(path)).size;
  const [{ client, grants, broker }] = s.providers;
  const { url, child } = s.worker();
  const memory = watchMemory(child.process.pid ?? 0);
  const answers = watchAnswers(url);
  let datasetKey = "";
  const published = await timed(laps, "encrypt, upload, register", () =>
    encryptFile(path, { directory, describe: false }, async (file) =>
      publishEncrypted(client, {
        ...{ key: file.key, contentHash: file.sha256, sizeBytes: file.sizeBytes },
        metadata: { v: 1, title: name, format },
        keepKey: async (_, key) => {
          datasetKey = key;
        },
        place: async () => (await uploadBlob(url, file)).uri,
      }),
    ),
  );
  await rm(path);
  const provider = { ...published, client, grants, broker, datasetKey };
  const grant = await consent(s, provider, program);
  const job = await openRaw(s, { program, grants: [grant] });
  const failure = await timed(laps, "job", () => failureOf(s, job.jobId, waitMs));
  if (failure !== "None") throw new Error(`${name} failed: ${failure}`);
  const sealed = await timed(laps, "fetch the result", () => releasedResult(s, job.jobId));
  const { output } = await timed(laps, "open it", async () =>
    decryptResult(job.identity, sealed, await settlement(s, job.jobId)),
  );
  const { worker, sandbox } = await memory.stop();
  const slowestMs = await answers.stop();
  const count = (output as { rows: unknown[] }).rows.length;
  if (count !== rows) throw new Error(`${name}: ${count} rows, not ${rows}`);
  const mib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`;
  console.log(`${name}: input ${mib(sizeBytes)}, sealed result ${sealed.length} bytes; ${laps.join(", ")}`);
  console.log(`  most memory: worker ${mib(worker)}, sandbox ${mib(sandbox)} beside the input`);
  console.log(`  slowest answer of the worker meanwhile: ${slowestMs.toFixed(0)} ms`);
}

const [mibs = "1024", ...names] = process.argv.slice(2);
const sizeBytes = Number(mibs) * mebibyte;
const resultBytes = 64 * mebibyte;
const resultRows = 60_000;
const all: Record<string, Large> = {
  csv: {
    ...{ format: "csv", program: programOf("csv", grouping, sizeBytes, mebibyte), rows: places },
    write: writeCsv(sizeBytes - mebibyte),
  },
  parquet: {
    ...{ format: "parquet", program: programOf("parquet", grouping, sizeBytes, mebibyte), rows: places },
    write: writeParquet(sizeBytes - 2 * mebibyte),
  },
  result: {
    ...{ format: "csv", rows: resultRows, write: writeCsv(80 * mebibyte) },
    program: programOf(
      "csv",
      `SELECT id, place, value, note FROM data WHERE id < ${resultRows}`,
      128 * mebibyte,
      resultBytes,
    ),
  },
};
const directory = await mkdtemp(join(tmpdir(), "dcm-gib-"));
try {
  for (const [name, large] of Object.entries(all)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const s = await startScenario(); // each with a worker of its own: the kernel's count of memory only grows
    try {
      await pass(s, name, large, directory);
    } finally {
      await s.stop();
    }
  }
  if ((await readdir(directory)).length > 0) throw new Error("something of the files was left");
} finally {
  await rm(directory, { recursive: true });
}
