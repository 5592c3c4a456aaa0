/** `npm run conformance`: the contracts against @phala/dcap-qvl, on Intel's vectors and on hostile ones. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type Collateral, collateralFiles } from "../../protocol/collateral/collateral.ts";
import { type Row, runPairs } from "../../scripts/conformance/runPairs.ts";
import { BadIndexError, openVectors } from "../../scripts/conformance/vectors.ts";
import { controls, forgeries } from "../../simulator/forgeries/forgeries.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { forEach } from "../cli/support/dcm.ts";
import { failureOf } from "../support/failureOf.ts";

const vectors = fileURLToPath(new URL("../vectors/tdx", import.meta.url));
const script = fileURLToPath(new URL("../../scripts/conformance.ts", import.meta.url));
const good = { quote: "nearmpc_2026-08-14_50328c652", collateral: "nearmpc_B0C06F_2026-08-14_50328c652_eval20" };
const goodTime = 1_786_621_538;

async function conformance(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

const find = (rows: readonly Row[], quote: string, collateral: string) =>
  rows.find((row) => row.quote === quote && row.collateral === collateral);

describe("conformance on Intel's vectors", () => {
  type Listed = { quote: string; collateral: string; at: number; verdict: string };
  let rows: Row[];
  let listed: Listed[];
  before(async () => {
    const index = JSON.parse(await readFile(join(vectors, "index.json"), "utf8")) as { verdicts: Listed[] };
    listed = index.verdicts;
    rows = await runPairs(await openVectors(vectors));
  });

  it("runs every quote with every collateral, those of the index at their time", () => {
    expect(rows).to.have.length(14 * 8);
    expect(rows.slice(0, listed.length).map(({ quote, collateral, at }) => ({ quote, collateral, at }))).to.deep.equal(
      listed.map(({ quote, collateral, at }) => ({ quote, collateral, at })),
    );
    // An hour after the leaf's first second, which is later than the collateral's.
    expect(find(rows, "dstack_tdx_lite_getquote", "phala_90C06F_2026-02_eval18")?.at).to.equal(1_776_217_858);
  });

  it("gets from dcap-qvl what the index says", () => {
    for (const { quote, collateral, verdict } of listed) {
      const { accepted, status, error } = find(rows, quote, collateral)?.offChain ?? {};
      const said = verdict.startsWith("ERR") ? `ERR ${error}` : (status ?? "");
      expect(said, `${quote} ${collateral}`).to.equal(verdict.replace(/ \[.*$/, ""));
      expect(accepted).to.equal(verdict === "UpToDate");
    }
  });

  it("accepts on chain what Intel's rules accept, and says why not otherwise", () => {
    const moduleOutOfDate = [
      "nearmpc_B0C06F_2025-12-11_1b075a77b_eval18",
      "nearmpc_B0C06F_2026-01-28_832c32113_eval18",
    ];
    for (const { quote, collateral, verdict } of listed) {
      const row = find(rows, quote, collateral);
      const differs = quote === "flash_0x12c14e_quote" && moduleOutOfDate.includes(collateral);
      const accepted = verdict === "UpToDate" && !differs;
      expect(row?.onChain.accepted, `${quote} ${collateral}: ${row?.onChain.error}`).to.equal(accepted);
      expect(row?.onChain.error === null).to.equal(accepted);
      if (accepted) expect(row?.onChain).to.include({ status: "UpToDate" });
      else if (differs || verdict.startsWith("OutOfDate")) expect(row?.onChain).to.include({ status: "OutOfDate" });
      if (verdict === "ERR No matching TCB level found") expect(row?.onChain).to.include({ status: "Unsupported" });
    }
    const ofAlibaba = find(rows, "automata_alibaba_v5", "phala_90C06F_2026-02_eval18")?.onChain.error;
    expect(ofAlibaba).to.match(/^TdxVerifier_ServiceTdBound\(mrServiceTdHash: 0x[0-9a-f]{64}\)$/);
    const others = rows.slice(listed.length).filter(({ onChain }) => onChain.accepted);
    expect(others.map(({ quote, collateral }) => `${quote} ${collateral}`)).to.deep.equal([]);
  });

  it("tells the gas of whole transactions", () => {
    for (const { onChain } of rows) {
      if (onChain.accepted) expect(onChain.gas).to.be.within(80_000, 200_000);
      if (/^(pckCa|tcbSigning|rootCrl|pckCrl|qeIdentity|tcbInfo): /.test(onChain.error ?? ""))
        expect(onChain.gas).to.equal(null);
    }
  });

  it("explains every difference", () => {
    const reasons = rows.flatMap(({ quote, collateral, difference }) =>
      difference === undefined ? [] : [[quote, collateral, difference.explained, difference.reason]],
    );
    const module =
      "TCB status is OutOfDate, dcap-qvl says UpToDate: the TDX module is OutOfDate by tdxModuleIdentities, which dcap-qvl does not evaluate.";
    expect(reasons).to.deep.equal([
      [
        "phala_sgx_v3",
        "phala_sgx_00A067_2025-06_eval17",
        true,
        "an SGX quote: the contracts take TDX only, dcap-qvl judges both",
      ],
      ["flash_0x12c14e_quote", "nearmpc_B0C06F_2025-12-11_1b075a77b_eval18", true, module],
      ["flash_0x12c14e_quote", "nearmpc_B0C06F_2026-01-28_832c32113_eval18", true, module],
    ]);
  });
});

describe("conformance on hostile vectors", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "conformance-"));
  });
  after(() => rm(directory, { recursive: true }));

  it("gives every broken file a row with an error, and no broken file to anyone else", async () => {
    const home = join(directory, "broken");
    await mkdir(join(home, "quotes"), { recursive: true });
    const quote = await readFile(join(vectors, "quotes", `${good.quote}.bin`));
    const flip = (bytes: Buffer, at: number) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      return changed;
    };
    const end = 4936; // of the certificate chain; zeros follow
    const quotes: Record<string, Buffer> = {
      good: quote,
      empty: Buffer.alloc(0),
      "one byte": Buffer.of(4),
      "cut in the header": quote.subarray(0, 30),
      "cut in the body": quote.subarray(0, 400),
      "cut in the chain": quote.subarray(0, 3000),
      "without its chain": quote.subarray(0, 1252),
      "trailing byte": Buffer.concat([quote, Buffer.of(1)]),
      "too long": Buffer.concat([quote, Buffer.alloc(20_000)]),
      "not a quote": Buffer.from("not a quote at all, but long enough to be looked at in full detail"),
      "version flipped": flip(quote, 0),
      "body flipped": flip(quote, 100),
      "signature flipped": flip(quote, 640),
      "leaf flipped": flip(quote, 1700),
      // The contracts see neither of these two.
      "root of the chain flipped": flip(quote, end - 40),
      "PCK CA of the chain flipped": flip(quote, end - 1100),
    };
    for (const [name, bytes] of Object.entries(quotes)) await writeFile(join(home, "quotes", `${name}.bin`), bytes);
    const bundles: Record<string, (dir: string) => Promise<void>> = {
      good: async () => {},
      "file missing": (dir) => rm(join(dir, "pck_crl.der")),
      "file empty": (dir) => writeFile(join(dir, "tcb_info.json"), ""),
      "not JSON": (dir) => writeFile(join(dir, "qe_identity.json"), "{"),
      "not DER": (dir) => writeFile(join(dir, "root_ca_crl.der"), "x".repeat(300)),
      "list cut": async (dir) =>
        writeFile(join(dir, "pck_crl.der"), (await readFile(join(dir, "pck_crl.der"))).subarray(0, -1)),
      "CA cut": async (dir) =>
        writeFile(join(dir, "pck_ca.der"), (await readFile(join(dir, "pck_ca.der"))).subarray(0, 100)),
      "TCB info altered": async (dir) => {
        const text = await readFile(join(dir, "tcb_info.json"), "utf8");
        await writeFile(join(dir, "tcb_info.json"), text.replace("OutOfDate", "UpToDate"));
      },
      "signature short": (dir) => writeFile(join(dir, "tcb_info_signature.bin"), Buffer.alloc(63)),
      "signature of another": async (dir) =>
        writeFile(join(dir, "tcb_info_signature.bin"), await readFile(join(dir, "qe_identity_signature.bin"))),
      "root not DER": (dir) => writeFile(join(dir, "root_ca.der"), ""),
      "TCB info huge": (dir) => writeFile(join(dir, "tcb_info.json"), Buffer.alloc(100_000, 0x20)),
    };
    for (const [name, spoil] of Object.entries(bundles)) {
      const dir = join(home, "collateral", name);
      await cp(join(vectors, "collateral", good.collateral), dir, { recursive: true });
      await spoil(dir);
    }
    const at = goodTime;
    const index = {
      quotes: {
        ...Object.fromEntries(Object.keys(quotes).map((name) => [name, { file: `quotes/${name}.bin` }])),
        "not there": { file: "quotes/nothing.bin" },
        outside: { file: "../../../../etc/passwd" },
        absolute: { file: "/etc/passwd" },
        folder: { file: "quotes" },
      },
      collateral: {
        ...Object.fromEntries(Object.keys(bundles).map((name) => [name, { dir: `collateral/${name}` }])),
        "dir not there": { dir: "collateral/nothing" },
        "dir outside": { dir: "../.." },
      },
      verdicts: [
        { quote: "good", collateral: "good", at },
        { quote: "unknown", collateral: "good", at },
        { quote: "good", collateral: "unknown", at },
        { quote: "__proto__", collateral: "constructor", at },
        { quote: "good", collateral: "good", at: 1 },
        { quote: "good", collateral: "good", at: 2 ** 39 },
      ],
    };
    await writeFile(join(home, "index.json"), JSON.stringify(index));
    const rows = await runPairs(await openVectors(home));
    expect(rows).to.have.length(20 * 14 + 5); // the good pair has three times
    for (const { quote: q, collateral: c, at: time, onChain, offChain, difference } of rows) {
      const isGood = q === "good" && c === "good" && time === at;
      const what = `${q} with ${c} at ${time}: ${JSON.stringify({ onChain, offChain, difference })}`;
      expect(onChain.accepted, what).to.equal(isGood);
      if (!onChain.accepted) expect(onChain.error, what).to.match(/^(\w+: )?(\w+\.)?\w+(\(.*\)|: .+)$/s);
      expect(difference?.explained, what).not.to.equal(false);
    }
  });

  it("refuses every forgery under another root, and no genuine pair", async () => {
    const home = join(directory, "forged");
    const appCompose = await readFile(new URL("../../deploy/app-compose.json", import.meta.url), "utf8");
    const platform = createPlatform({ appCompose, seed: new Uint8Array(32).fill(5) });
    const index = { quotes: {}, collateral: {}, verdicts: [] as object[] };
    const genuine = [...controls(platform)].map((one) => ({ ...one, name: `genuine: ${one.name}` }));
    // Each needs a chain of its own: one in twelve is enough here, all of them are in the contracts' tests.
    const forged = [...forgeries(platform)].filter(({ before }, i) => before === undefined && i % 12 === 0);
    for (const { name, quote, collateral, at } of [...genuine, ...forged]) {
      const [file, dir] = [`${name}.bin`, name];
      await mkdir(join(home, dir), { recursive: true });
      await writeFile(join(home, file), quote);
      for (const [part, to] of Object.entries(collateralFiles))
        await writeFile(join(home, dir, to), collateral[part as keyof Collateral]);
      Object.assign(index.quotes, { [name]: { file } });
      Object.assign(index.collateral, { [name]: { dir } });
      index.verdicts.push({ quote: name, collateral: name, at });
    }
    await writeFile(join(home, "index.json"), JSON.stringify(index));
    await writeFile(join(home, "root.der"), platform.certificates.root);

    const { code, stdout, stderr } = await conformance("--vectors", home, "--root", join(home, "root.der"), "--json");
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.map(({ quote }) => quote)).to.deep.equal(Object.keys(index.quotes));
    // For the registry or a minimum number to refuse, or without effect: the verifier alone takes them.
    const notItsOwn =
      /^(genuine: |mr-config-id-|xfam-|.*below-minimum-evaluation|leaf-subject-name|tcb-info-json-lower-case-fmspc)/;
    for (const { quote, onChain } of rows)
      expect(onChain.accepted, `${quote}: ${onChain.error}`).to.equal(notItsOwn.test(quote));
    expect(stderr).to.match(/differs: /);
    expect(code, stderr).to.equal(0);
  });

  it("takes an index without verdicts or windows", async () => {
    const home = join(directory, "bare");
    await mkdir(home);
    await cp(join(vectors, "quotes", `${good.quote}.bin`), join(home, "q.bin"));
    await cp(join(vectors, "collateral", good.collateral), join(home, "c"), { recursive: true });
    await writeFile(
      join(home, "index.json"),
      JSON.stringify({ quotes: { q: { file: "q.bin" } }, collateral: { c: { dir: "c" } } }),
    );
    const { code, stdout } = await conformance("--vectors", home, "--json");
    expect(code).to.equal(0);
    const [row, ...more] = JSON.parse(stdout) as Row[];
    expect(more).to.deep.equal([]);
    expect(row).to.deep.equal({
      quote: "q",
      collateral: "c",
      at: goodTime,
      onChain: { accepted: true, status: "UpToDate", error: null, gas: row?.onChain.gas },
      offChain: { accepted: true, status: "UpToDate", error: null },
    });
  });

  it("takes windows that are none, times beyond every date, and names that begin with dots", async () => {
    const home = join(directory, "windows");
    await mkdir(home);
    await cp(join(vectors, "quotes", `${good.quote}.bin`), join(home, "..q.bin"));
    await cp(join(vectors, "collateral", good.collateral), join(home, "c"), { recursive: true });
    const windows = { none: null, numbers: [1, 2], far: ["+275760-09-13T00:00:00Z"] };
    const collateral = Object.entries(windows).map(([name, window]) => [name, { dir: "c", window }]);
    const index = {
      quotes: { q: { file: "..q.bin" } },
      collateral: Object.fromEntries(collateral),
      verdicts: null,
    };
    await writeFile(join(home, "index.json"), JSON.stringify(index));
    const rows = await runPairs(await openVectors(home));
    expect(rows.map(({ at, onChain }) => [at, onChain.accepted])).to.deep.equal([
      [goodTime, true],
      [goodTime, true],
      [2 ** 40, false],
    ]);
    expect(rows[2]?.onChain.error).to.match(/^pckCa: TdxCollateral_CertificateExpired\(/);
  });

  it("exits 2 where there is nothing to run, and says what is wrong", async () => {
    const home = join(directory, "unreadable");
    await mkdir(home);
    const cases: [string, string][] = [
      ["{", "not readable JSON"],
      ["[]", "Invalid input: expected object, received array"],
      ['{"quotes":{},"collateral":{"a":{}}}', "collateral.a.dir: Invalid input: expected string, received undefined"],
      ['{"quotes":{},"collateral":{},"verdicts":[{"quote":"a","collateral":"b","at":-1}]}', "verdicts.0.at: "],
      ['{"quotes":{},"collateral":{}}', "it names no pair"],
    ];
    for (const [text, fact] of cases) {
      await writeFile(join(home, "index.json"), text);
      const error = await failureOf(openVectors(home));
      expect(error).to.be.instanceOf(BadIndexError);
      expect(error.message).to.contain(fact);
    }
    const runs = [
      [["--vectors", home, "--json"], "hint: Give a folder with an index.json"],
      [["--vectors", join(home, "nowhere")], "does not exist"],
      [["--json"], "--vectors is missing\nhint: usage: npm run conformance"],
      [["--vectors", vectors, "--root", join(vectors, "index.json")], "error: "],
    ] as const;
    await forEach(runs, async ([args, message]) => {
      const { code, stdout, stderr } = await conformance(...args);
      expect([code, stdout]).to.deep.equal([2, ""]);
      expect(stderr).to.contain(message);
    });
  });
});
