/** Programs that are not what was agreed, or do anything but return what they should; and inputs they cannot read. */
import { expect } from "chai";
import { type Hex, keccak256, sha256, toBytes } from "viem";
import type { SignedGrant } from "../../../protocol/eip712.ts";
import { type Program, packProgram, unpackProgram } from "../../../protocol/program.ts";
import { ParamsRefusedError, prepareJob } from "../../../sdk/prepareJob.ts";
import { uploadBlob } from "../../../sdk/worker.ts";
import { startFileServer } from "../../support/fileServer.ts";
import {
  consent,
  countingProgram,
  expectFailure,
  expectHonestJob,
  expectNoEscrowLeft,
  fees,
  oneInputProgram,
  openRaw,
  type RawTerms,
} from "../../support/hostile.ts";
import { settlement } from "../../support/outcomes.ts";
import { rejection } from "../../support/rejection.ts";
import { type Scenario, startScenario } from "../../support/scenario.ts";

const mebibyte = 1024 * 1024;

describe("a hostile program", () => {
  let s: Scenario;
  let honest: Program;
  before(async () => {
    s = await startScenario({ env: { GRANT_WAIT_SECONDS: "0" } });
    honest = countingProgram(s);
  });
  after(async () => {
    try {
      await expectNoEscrowLeft(s);
    } finally {
      await s.stop();
    }
  });

  const consents = new Map<Hex, SignedGrant>();
  const open = async (program: Program, terms: Partial<RawTerms> = {}) => {
    const grant = consents.get(program.id) ?? (await consent(s, s.providers[0], program));
    consents.set(program.id, grant);
    return openRaw(s, { program, grants: [grant], ...terms });
  };
  const upload = async (bytes: Uint8Array) => (await uploadBlob(s.worker().url, bytes)).uri;

  describe("bundle", () => {
    it("fails with ProgramMismatch unless it is the agreed program, file by file", async () => {
      const text = new TextDecoder().decode(packProgram(honest));
      const other = oneInputProgram(s, "export default ({ data }) => data;");
      const source = Buffer.from(honest.files.get("main.js") ?? "").toString("base64");
      const evil = Buffer.from(other.files.get("main.js") ?? "").toString("base64");
      expect(unpackProgram(toBytes(text)).id).to.equal(honest.id); // so that what follows differs by what it says
      const bundles: Record<string, string> = {
        "another program": new TextDecoder().decode(packProgram(other)),
        "another file under the agreed manifest": text.replace(source, evil),
        "a file more": text.replace('"files":{', `"files":{"extra.js":"${evil}",`),
        "no file": text.replace(`"main.js":"${source}"`, ""),
        "another limit": text.replace('"wallMs":10000', '"wallMs":20000'),
        "an unknown field": text.replace('{"files"', '{"x":1,"files"'),
        "cut off": text.slice(0, -10),
        "not JSON": "export default () => 1;",
        "an array": "[]",
        nothing: "",
      };
      for (const [what, bundle] of Object.entries(bundles)) {
        expect(bundle, what).to.not.equal(text);
        const programUri = await upload(toBytes(bundle));
        await expectFailure(s, "ProgramMismatch", () => open(honest, { programUri }));
      }
    });

    it("fails with ProgramMismatch if it is too large, for another engine, or takes other inputs", async () => {
      const large = packProgram(honest);
      const padded = new Uint8Array(mebibyte + 1).fill(0x20);
      padded.set(large);
      const programUri = await upload(padded);
      await expectFailure(s, "ProgramMismatch", () => open(honest, { programUri }));

      const runtime = { ...honest.manifest.runtime, artifactSha256: sha256("0x") };
      const otherEngine = oneInputProgram(s, "export default () => 1;", { runtime });
      await expectFailure(s, "ProgramMismatch", () => open(otherEngine));

      const grant = await consent(s, s.providers[0], honest);
      await expectFailure(s, "ProgramMismatch", () => open(honest, { grants: [grant, grant] }));
    });

    it("fails with ProgramUnavailable if it is nowhere, or what answers is no file", async () => {
      const files = await startFileServer((request, response) => {
        if (request.url === "/endless") response.writeHead(302, { location: "/endless" }).end();
        else if (request.url === "/packed") response.writeHead(200, { "content-encoding": "gzip" }).end("x");
        else if (request.url === "/cut") response.writeHead(200, { "content-length": "100" }).destroy();
        else response.writeHead(500).end();
      });
      const uris = ["/endless", "/packed", "/cut", "/500"].map((path) => `${files.url}${path}`);
      for (const programUri of ["", "blob:", `blob:${"00".repeat(32)}`, "javascript:1", ...uris]) {
        await expectFailure(s, "ProgramUnavailable", () => open(honest, { programUri }));
      }
      await files.close();
    });
  });

  describe("at work", () => {
    it("ends with the exact failure, whatever it does", async () => {
      const limits = { ...honest.manifest.limits, fuel: 1_000_000 };
      const endless = { ...limits, fuel: 100_000_000_000, wallMs: 300 };
      const cases: [string, Program][] = [
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
      for (const [failure, program] of cases) {
        const job = await expectFailure(s, failure as "ProgramTrapped", () => open(program));
        expect(Number((await settlement(s, job.jobId)).fuelUsed)).to.be.at.most(2 * program.manifest.limits.fuel);
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
        await expectFailure(s, "OutputRefused", () => open(program));
      }
    });

    it("cannot return anything but what its output policy leaves, nor run under a grant that overdraws it", async () => {
      const group = { k: 10, rows: "/rows", count: "n", units: { data: "id" }, otherwise: "fail" } as const;
      const output = { format: "json", schema: {}, maxBytes: 256, policy: { group } } as const;
      const few = oneInputProgram(s, "export default () => ({ rows: [{ n: 9 }] });", { output });
      await expectFailure(s, "GroupTooSmall", () => open(few));
      const limited = { ...output, policy: { maxUses: 2 } };
      const overdrawn = oneInputProgram(s, "export default () => 1;", { output: limited }); // any number of uses
      await expectFailure(s, "BudgetExceeded", () => open(overdrawn));
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
        await expectFailure(s, "ParamsRefused", () =>
          open(honest, { params, changes: { paramsHash: keccak256(params) } }),
        );
      }
    });

    it("fails with InputMismatch if a data set is not UTF-8, or not the JSON that the manifest says", async () => {
      const notText = Uint8Array.from([0x61, 0xff, 0xfe, 0x62]);
      const json = oneInputProgram(s, "export default ({ data }) => 1;", {
        inputs: [{ name: "data", format: "json" }],
      });
      for (const [program, bytes] of [
        [honest, notText],
        [json, notText],
        [json, toBytes("{ not json")],
      ] as const) {
        const provider = await s.addProvider(2, bytes);
        const grants = [await consent(s, provider, program)];
        await expectFailure(s, "InputMismatch", () => openRaw(s, { program, grants }));
      }
    });
  });

  describe("and the worker afterwards", () => {
    it("does an honest job as before", () => expectHonestJob(s));
  });
});
