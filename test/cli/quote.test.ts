/** `dcm quote`, as a person runs it. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Collateral, collateralFiles } from "../../protocol/collateral/collateral.ts";
import { best, index } from "../protocol/collateral/index.ts";
import { now, signedCollateral } from "../protocol/collateral/signed.ts";
import { platform } from "../protocol/quote/vectors.ts";
import { dcm, forEach } from "./support/dcm.ts";

const vectors = new URL("../vectors/tdx/", import.meta.url).pathname;
const quoteFile = (name: string) => join(vectors, index.quotes[name]?.file ?? "");
const folder = (name: string) => join(vectors, index.collateral[name]?.dir ?? "");

describe("dcm quote", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dcm-quote-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const verify = (quote: string, collateral: string, at: number, ...more: string[]) =>
    dcm(["quote", "verify", "--quote", quote, "--collateral", collateral, "--at", String(at), ...more], {});

  it("accepts what both verifiers accept, and exits 0", async () => {
    const text = await verify(quoteFile(best.quote), folder(best.collateral), best.at);
    expect(text.stderr).to.equal("");
    expect(text.code).to.equal(0);
    expect(text.stdout).to.match(/^Judged at 2026-08-13 11:45:38 UTC \(1786621538\)\n/);
    expect(text.stdout).to.match(/this verifier {2}accepts: UpToDate\ndcap-qvl {7}accepts: UpToDate\n/);
    expect(text.stdout).to.contain("Left unchecked by @phala/dcap-qvl, checked here\n  - tdxModuleIdentities");
    expect(text.stdout).to.match(/\nACCEPTED by both\n$/);
    const { stdout, code } = await verify(quoteFile(best.quote), folder(best.collateral), best.at, "--json");
    expect(code).to.equal(0);
    const answer = JSON.parse(stdout);
    expect(answer).to.deep.include({ at: best.at, accepted: true, differences: [], simulated: false });
    expect(answer.own).to.include({ status: "UpToDate", fmspc: "0xb0c06f000000", error: null });
    expect(answer.dcapQvl).to.deep.equal({ accepted: true, status: "UpToDate", advisoryIds: [], error: null });
  });

  it("refuses what one of them refuses, says why, and exits 1", async () => {
    const eval18 = "nearmpc_B0C06F_2025-12-11_1b075a77b_eval18";
    const flash = await verify(quoteFile("flash_0x12c14e_quote"), folder(eval18), 1_763_500_336);
    expect(flash.code).to.equal(1);
    expect(flash.stdout).to.contain("X TCB policy: OutOfDate; allowed: UpToDate, SWHardeningNeeded");
    expect(flash.stdout).to.match(/They differ\n {2}TCB status is OutOfDate, dcap-qvl says UpToDate: the TDX module/);
    expect(flash.stdout).to.match(/\nREFUSED\n$/);
    const allowed = ["--policy", "OutOfDate,UpToDate", "--json"];
    const byPolicy = await verify(quoteFile("flash_0x12c14e_quote"), folder(eval18), 1_763_500_336, ...allowed);
    expect(byPolicy.code).to.equal(0);
    expect(JSON.parse(byPolicy.stdout).own.status).to.equal("OutOfDate");
    const late = await verify(quoteFile(best.quote), folder(best.collateral), 1_800_000_000, "--json");
    expect(late.code).to.equal(1);
    expect(JSON.parse(late.stdout).own.error.name).to.equal("Collateral.CollateralCheckError");
    const now = await dcm(
      ["quote", "verify", "--quote", quoteFile(best.quote), "--collateral", folder(eval18), "--json"],
      {},
    );
    expect(now.code).to.equal(1); // without --at it is now, and that collateral has long expired
    expect(Math.abs(JSON.parse(now.stdout).at - Date.now() / 1000)).to.be.lessThan(60);
    const sgx = await verify(quoteFile("phala_sgx_v3"), folder("phala_sgx_00A067_2025-06_eval17"), 1_750_334_171);
    expect(sgx.code).to.equal(1);
    expect(sgx.stdout).to.contain("X quote format: Quote of version 3 is not supported.");
  });

  it("exits 2 when it cannot be checked", async () => {
    const at = best.at;
    const cases: [Promise<{ code: number | null; stdout: string; stderr: string }>, RegExp][] = [
      [verify("/nonexistent", folder(best.collateral), at), /Cannot be checked: \/nonexistent does not exist\./],
      [verify(quoteFile(best.quote), directory, at), /Cannot be checked: .*tcb_info\.json does not exist\./],
      [verify(import.meta.filename, folder(best.collateral), at), /Cannot be checked: .*not whole bytes of hex/],
      [
        verify(quoteFile(best.quote), folder(best.collateral), at, "--root", quoteFile(best.quote)),
        /Cannot be checked/,
      ],
      [
        verify(quoteFile(best.quote), folder(best.collateral), at, "--policy", "Revoked"),
        /It must be a list of UpToDate/,
      ],
      [verify(quoteFile(best.quote), folder(best.collateral), at, "--policy", "uptodate"), /It must be a list of/],
      [verify(quoteFile(best.quote), folder(best.collateral), Number.NaN), /whole number from 0/],
      [dcm(["quote", "verify", "--quote", "x"], {}), /required option '--collateral <dir>'/],
    ];
    await forEach(cases, async ([ran, expected]) => {
      const { code, stdout, stderr } = await ran;
      expect(stderr).to.match(expected);
      expect(stderr).to.match(/^error: .+\nhint: .+\n$/);
      expect(code).to.equal(2);
      expect(stdout).to.equal("");
    });
  });

  it("says SIMULATED, loudly, under a root that is not Intel's", async () => {
    const collateral = signedCollateral();
    const path = join(directory, "simulated");
    await mkdir(path);
    for (const part of Object.keys(collateralFiles) as (keyof Collateral)[])
      await writeFile(join(path, collateralFiles[part]), collateral[part]);
    await writeFile(join(path, "quote.hex"), Buffer.from(platform.quote(new Uint8Array(64))).toString("hex"));
    const root = join(path, collateralFiles.rootCa);
    const quote = join(path, "quote.hex");
    const given = await verify(quote, path, now, "--root", root);
    expect(given.code).to.equal(0);
    expect(given.stderr).to.equal("SIMULATED: the root that was given is not Intel's; nothing here is Intel's word.\n");
    expect(given.stdout).to.match(/ACCEPTED by both\nSIMULATED: the platform's root key is not Intel's/);
    const json = JSON.parse((await verify(quote, path, now, "--root", root, "--json")).stdout);
    expect(json).to.include({ accepted: true, simulated: true });
    const none = await verify(quote, path, now);
    expect(none.code).to.equal(1);
    expect(none.stdout).to.contain("X root CA key: another key than the root that is believed");
    const intel = join(folder(best.collateral), "root_ca.der");
    const own = await verify(quoteFile(best.quote), folder(best.collateral), best.at, "--root", intel, "--json");
    expect(JSON.parse(own.stdout)).to.include({ accepted: true, simulated: false });
  });

  it("shows every field of a quote, and that none is verified", async () => {
    const { code, stdout, stderr } = await dcm(["quote", "show", quoteFile("gotdx_v5")], {});
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: "" });
    expect(stdout).to.match(/^Quote\n {2}version {19}5\n/);
    expect(stdout).to.contain("28 SEPT_VE_DISABLE");
    expect(stdout).to.contain("  PPID                      0x2734b654f553596897eaadfb5667a954\n");
    expect(stdout).to.match(/\nNothing here is verified\.\n$/);
    const { sections, verified } = JSON.parse(
      (await dcm(["quote", "show", quoteFile("gotdx_v5"), "--json"], {})).stdout,
    );
    expect(verified).to.equal(false);
    expect(sections[0].fields[0]).to.deep.equal({ name: "version", value: "5", meaning: "says which body it has" });
    const bad = await dcm(["quote", "show", quoteFile("phala_sgx_v3"), "--json"], {});
    expect(bad.code).to.equal(1);
    expect(JSON.parse(bad.stderr).error.name).to.equal("Quote.UnsupportedQuoteError");
  });
});
