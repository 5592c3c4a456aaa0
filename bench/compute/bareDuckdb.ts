/** The statement in DuckDB and nothing around it, on one thread, in a process that ran nothing before. Prints its rows and times. */
import { DuckDBInstance } from "@duckdb/node-api";
import { statement, vegaFile } from "./sqlQuery.ts";

const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
const connection = await instance.connect();
const startedAt = performance.now();
await connection.run(`CREATE VIEW flights AS FROM read_parquet('${vegaFile("flights-3m.parquet")}')`);
await connection.run(`CREATE VIEW airports AS FROM read_csv('${vegaFile("airports.csv")}')`);
const reader = await connection.runAndReadAll(statement);
const rows = reader.getRowObjectsJson();
console.log(JSON.stringify({ ms: performance.now() - startedAt, rows: rows.length }));
