/** Programs that are not what was agreed, or do anything but return what they should; and inputs they cannot read. */
import { expect } from "chai";
import { type Hex, keccak256, sha256, toBytes } from "viem";
import type { FailureCode, SignedGrant } from "../../../protocol/eip712.ts";
import { duckdb, pyodide, quickjs, wasm } from "../../../protocol/engines.ts";
import { encodeParams, type Program, packProgram } from "../../../protocol/program.ts";
import { ParamsRefusedError, prepareJob } from "../../../sdk/prepareJob.ts";
import { badBundles } from "../../support/badBundles.ts";
import { badData, oneFile } from "../../support/badData.ts";
import { startFileServer } from "../../support/fileServer.ts";
import {
  consent,
  countingProgram,
  expectHonestJob,
  expectNoEscrowLeft,
  fees,
  grantOf,
  oneInputProgram,
  type RawTerms,
} from "../../support/hostile.ts";
import { expectAllFail, type FailingJob, registerAll } from "../../support/manyJobs.ts";
import { rejection } from "../../support/rejection.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";

describe("a hostile program", function () {
  this.timeout(300_000); // many jobs in each test
  let s: Scenario;
  let honest: Program;
  let files: Awaited<ReturnType<typeof startFileServer>>;
  const served = new Map<string, Uint8Array>();
  before(async () => {
    files = await startFileServer((request, response) => {
      const bytes = served.get(request.url ?? "");
      if (bytes === undefined) response.writeHead(404).end();
      else response.end(bytes);
    });
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "0", POLL_MS: "50" } });
    honest = countingProgram(s);
  });
  after(async () => {
    try {
      await expectNoEscrowLeft(s);
    } finally {
      await s.stop();
      await files.close();
    }
  });

  const serve = (bytes: Uint8Array) => {
    const path = `/${sha256(bytes)}`;
    served.set(path, bytes);
    return `${files.url}${path}`;
  };

  const consents = new Map<Hex, SignedGrant>();
  /** A job on provider 0's data, with its consent. */
  const job = async (what: string, failure: FailureCode, program: Program, terms: Partial<RawTerms> = {}) => {
    const grant = consents.get(program.id) ?? (await consent(s, s.providers[0], program));
    consents.set(program.id, grant);
    const programUri = serve(packProgram(program));
    return { what, failure, terms: { program, grants: [grant], programUri, ...terms } } satisfies FailingJob;
  };

  describe("bundle", () => {
    it("fails with ProgramMismatch unless it is the agreed program, file by file", async () => {
      const other = oneInputProgram(s, "export default ({ data }) => data;");
      const grants = [await grantOf(s, s.providers[0], honest)]; // never brought: no bundle gets that far
      const bundles = badBundles(honest, other);
      const jobs = bundles.map(({ what, programId, bytes }): FailingJob => {
        const terms = { program: { ...honest, id: programId }, grants, programUri: serve(bytes) };
        return { what, failure: "ProgramMismatch", terms };
      });
      const twice = { program: honest, grants: [...grants, ...grants], programUri: serve(packProgram(honest)) };
      jobs.push({ what: "two data sets for one input", failure: "ProgramMismatch", terms: twice });
      const { runtime } = honest.manifest;
      for (const change of [{ version: "3.6.1" }, { artifactSha256: sha256("0x") }]) {
        // It is valid, but no engine of this worker's.
        const program = oneInputProgram(s, "export default () => 1;", { runtime: { ...runtime, ...change } });
        jobs.push(await job(`another ${Object.keys(change)} of the engine`, "ProgramMismatch", program));
      }
      await expectAllFail(s, jobs);
    });

    it("fails with ProgramUnavailable if it is nowhere, or what answers is no file", async () => {
      const files = await startFileServer((request, response) => {
        if (request.url === "/endless") response.writeHead(302, { location: "/endless" }).end();
        else if (request.url === "/packed") response.writeHead(200, { "content-encoding": "gzip" }).end("x");
        else if (request.url === "/cut") response.writeHead(200, { "content-length": "100" }).destroy();
        else response.writeHead(500).end();
      });
      const jobs: FailingJob[] = [];
      const uris = ["/endless", "/packed", "/cut", "/500"].map((path) => `${files.url}${path}`);
      for (const programUri of ["", "blob:", `blob:${"00".repeat(32)}`, "javascript:1", ...uris]) {
        jobs.push(await job(`at ${programUri}`, "ProgramUnavailable", honest, { programUri }));
      }
      await expectAllFail(s, jobs);
      await files.close();
    });
  });

  describe("at work", () => {
    it("ends with the exact failure, whatever it does", async () => {
      const limits = { ...honest.manifest.limits, fuel: 1_000_000 };
      const endless = { ...limits, fuel: 100_000_000_000, wallMs: 300 };
      const cases: [FailureCode, Program][] = [
        ["FuelExhausted", oneInputProgram(s, "export default () => { for (;;); };", { limits })],
        ["FuelExhausted", oneInputProgram(s, "for (;;); export default () => 1;", { limits })],
        [
          "FuelExhausted",
          oneInputProgram(
            s,
            "const f = () => { Promise.resolve().then(f); }; export default () => { f(); return new Promise(() => {}); };",
            { limits },
          ),
        ],
        ["TimeExceeded", oneInputProgram(s, "export default () => { for (;;); };", { limits: endless })],
        [
          "MemoryExceeded",
          oneInputProgram(s, "export default () => { const a = []; for (;;) a.push('x'.repeat(1e5) + a.length); };"),
        ],
        ["MemoryExceeded", oneInputProgram(s, "export default () => new Uint8Array(1e9).length;")],
        ["ProgramTrapped", oneInputProgram(s, "export default ({ data }) => { throw new Error(data); };")],
        ["ProgramTrapped", oneInputProgram(s, "export default () => new Promise(() => {});")],
        ["ProgramTrapped", oneInputProgram(s, "export default () => { const f = () => f() + 1; return f(); };")],
        ["ProgramTrapped", oneInputProgram(s, "export const run = () => 1;")],
        ["ProgramTrapped", oneInputProgram(s, "export default (;")],
        ["ProgramTrapped", oneInputProgram(s, 'import "node:fs"; export default () => 1;')],
        ["OutputTooLarge", oneInputProgram(s, "export default ({ data }) => data;")],
        ["OutputRefused", oneInputProgram(s, "export default () => undefined;")],
        ["OutputRefused", oneInputProgram(s, "export default () => ({ n: NaN });")],
        ["OutputRefused", oneInputProgram(s, "export default () => { const a = {}; a.a = a; return a; };")],
      ];
      const jobs: FailingJob[] = [];
      for (const [failure, program] of cases) {
        jobs.push(await job(new TextDecoder().decode(program.files.get("main.js")), failure, program));
      }
      for (const [i, { fuelUsed }] of (await expectAllFail(s, jobs)).entries()) {
        expect(Number(fuelUsed)).to.be.at.most(2 * (jobs[i]?.terms.program.manifest.limits.fuel ?? 0));
      }
    });

    it("cannot return anything but what its schema says", async () => {
      const schema = {
        type: "object",
        additionalProperties: false,
        required: ["n"],
        properties: { n: { type: "integer", minimum: 0, maximum: 9 } },
      };
      const output = { format: "json", schema, maxBytes: 256 } as const;
      const jobs: FailingJob[] = [];
      for (const value of [
        "{ n: 10 }",
        "{ n: 1.5 }",
        '{ n: "1" }',
        "{}",
        "{ n: 1, data: data.slice(0, 9) }",
        "[1]",
        "1",
      ]) {
        const program = oneInputProgram(s, `export default ({ data }) => (${value});`, { output });
        jobs.push(await job(value, "OutputRefused", program));
      }
      await expectAllFail(s, jobs);
    });

    it("cannot return anything but what its output policy leaves, nor run under a grant that overdraws it", async () => {
      const group = { k: 10, rows: "/rows", count: "n", units: { data: "id" }, otherwise: "fail" } as const;
      const output = { format: "json", schema: {}, maxBytes: 256, policy: { group } } as const;
      const few = oneInputProgram(s, "export default () => ({ rows: [{ n: 9 }] });", { output });
      const limited = { ...output, policy: { maxUses: 2 } };
      const overdrawn = oneInputProgram(s, "export default () => 1;", { output: limited }); // any number of uses
      await expectAllFail(s, [
        await job("a small group", "GroupTooSmall", few),
        await job("an overdrawn budget", "BudgetExceeded", overdrawn),
      ]);
    });
  });

  describe("what it is given", () => {
    it("fails with ParamsRefused unless the parameters are canonical JSON that the manifest takes", async () => {
      const terms = {
        program: honest,
        programUri: "blob:",
        workloadId: s.workloadId,
        grants: [await consent(s, s.providers[0], honest)],
        resultKey: sha256("0x"),
        operatorFee: fees.operatorFee,
        token: s.market.token,
        deadline: 2n ** 40n,
      } as const;
      await rejection(prepareJob(s.requester, { ...terms, params: { extra: 1 } }), ParamsRefusedError);
      const jobs: FailingJob[] = [];
      const deep = `${"[".repeat(4000)}${"]".repeat(4000)}`;
      for (const text of [
        '{"extra":1}',
        "{ }",
        "",
        "nonsense",
        "[]",
        '{"a":1,"a":2}',
        '{"__proto__":{}}',
        deep,
        "\u{FEFF}{}",
      ]) {
        const params = toBytes(text);
        const changes = { paramsHash: keccak256(params) };
        jobs.push(await job(text.slice(0, 20), "ParamsRefused", honest, { params, changes }));
      }
      await expectAllFail(s, jobs);
    });

    it("fails with ParamsRefused if they do not meet the schema, whatever the engine", async () => {
      const schema = { type: "object", properties: { k: { type: "integer" } }, additionalProperties: false };
      const changes = { params: schema };
      const csv = { format: "csv" } as const;
      const programs = [
        oneFile(quickjs, "main.js", "export default () => 1;", csv, changes),
        oneFile(duckdb, "main.sql", "SELECT count(*) AS n FROM data", csv, changes),
        oneFile(pyodide, "main.py", "def main(inputs, params): return 1", csv, changes),
        oneFile(wasm, "main.wasm", "", csv, changes),
      ];
      const params = toBytes('{"k":"1"}');
      const terms = { params, changes: { paramsHash: keccak256(params) } };
      const jobs: FailingJob[] = [];
      for (const program of programs) {
        jobs.push(await job(program.manifest.runtime.engine, "ParamsRefused", program, terms));
      }
      await expectAllFail(s, jobs);
    });

    it("fails with the exact failure if a data set is not what the manifest says, whatever the engine", async () => {
      const all = await badData();
      const files = all.map(({ bytes, program }) => ({ bytes, format: program.manifest.inputs[0]?.format ?? "" }));
      const providers = await registerAll(s, files, serve);
      const jobs: FailingJob[] = [];
      for (const [i, { what, program, failure, params = {} }] of all.entries()) {
        const grant = await consent(s, providers[i] ?? s.providers[0], program);
        const { bytes, hash } = encodeParams(params);
        const grants = program.manifest.inputs.map(() => grant);
        const terms = { program, grants, programUri: serve(packProgram(program)), params: bytes };
        jobs.push({ what, failure, terms: { ...terms, changes: { paramsHash: hash } } });
      }
      await expectAllFail(s, jobs);
    });
  });

  describe("and the worker afterwards", () => {
    it("does an honest job as before", () => expectHonestJob(s));
  });
});
