/** Every real quote of test/vectors/tdx whose VM showed nothing else, with Intel's collateral of its time where there is any. */
import { expect } from "chai";
import { UnsupportedQuoteError } from "../../../protocol/quote/parseQuote.ts";
import { collateralJudge } from "../../../sdk/cvm/collateralJudge.ts";
import { readQuoteAnswer } from "../../../sdk/cvm/evidence.ts";
import { verifyCvm } from "../../../sdk/cvm/verifyCvm.ts";
import { readCollateralDir } from "../../../sdk/node/collateralFiles.ts";
import { at, said, strict, vector } from "./vms.ts";

const folder = new URL("../../vectors/tdx/collateral/", import.meta.url);
const of2025 = ["phala_B0C06F_2025-06_eval17", 1_750_332_747] as const;
const of2026 = ["phala_90C06F_2026-02_eval18", 1_771_415_931] as const;
const ofAugust = ["nearmpc_B0C06F_2026-08-14_50328c652_eval20", 1_786_621_538] as const;
const genuine = /^verified: quote, quoting enclave and PCK certificates verified as of 202/;
const good = /^verified: UpToDate: platform UpToDate, TDX module UpToDate, QE UpToDate; no advisories$/;
const outOfDate = /^not verified: Quote refused, TCB policy: OutOfDate; allowed: UpToDate, SWHardeningNeeded\.$/;
const below = /^not verified: Intel lists no status for the platform: .* is below every level\.$/;
const open = /^cannot be verified: TCB not evaluated/;
const unbound = /^not verified: MRCONFIGID is zero: nothing binds the VM to a compose file\.$/;
const launched = (hash: string) => new RegExp(`^verified: version 1, compose hash 0x${hash}`);

type Record = [
  name: string,
  by: readonly [collateral: string, at: number] | undefined,
  signature: RegExp,
  tcb: RegExp,
  config: RegExp,
];
const records: Record[] = [
  ["phala_sample_v4", of2025, genuine, good, unbound],
  ["phala_sample_v4", ofAugust, genuine, outOfDate, unbound],
  ["phala_tappd_old_v4", of2025, genuine, below, unbound],
  ["phala_sample_v5_td15", of2026, genuine, below, unbound],
  ["nearmpc_2025-12-11_1b075a77b", ofAugust, genuine, good, launched("3efecc42bdef4cb4")],
  ["nearmpc_2026-01-28_832c32113", ofAugust, genuine, outOfDate, launched("719a73091d61b77e")],
  ["nearmpc_2026-08-14_50328c652", ofAugust, genuine, good, launched("2911e1f733466216")],
  ["flash_0x12c14e_quote", of2025, genuine, good, unbound],
  ["dstack_quote_report", of2026, genuine, good, unbound],
  ["dstack_tdx_lite_getquote", undefined, genuine, open, launched("86b0e55f2fa8e4fb")],
  ["automata_gcp_v4", ["automata_gcp_00806F05_2025-06_eval17", 1_749_034_298], genuine, outOfDate, unbound],
  ["gotdx_v5", of2026, genuine, good, unbound],
  [
    "automata_alibaba_v5",
    of2026,
    /^not verified: Quote refused, MRSERVICETD: a service TD is bound to the VM\.$/,
    /^not verified: Quote refused, MRSERVICETD: a service TD is bound to the VM\.$/,
    unbound,
  ],
  ["gotdx_SPR_E4_v4", undefined, /^not verified: Quote is malformed: padding: not zero\.$/, open, unbound],
];

describe("verifyCvm on real quotes", () => {
  for (const [name, by, signature, tcb, config] of records)
    it(`${name} by ${by?.[0] ?? "no collateral"}`, async () => {
      const judge = by && collateralJudge(await readCollateralDir(new URL(by[0], folder).pathname));
      const answer = readQuoteAnswer(vector(`tdx/quotes/${name}.bin`));
      const report = await verifyCvm({ answer }, { ...strict, at: by?.[1] ?? at, judge });
      const lines = said(report);
      expect(lines["quote.signature"]).to.match(signature);
      expect(lines["quote.tcb"]).to.match(tcb);
      expect(lines["boot.config"]).to.match(config);
      expect(lines["quote.genuine"]).to.match(signature === genuine ? /^verified: / : /^not verified: /);
      const silent = "cannot be verified: no event log was given";
      expect(said(report, "boot.log", "id")).to.deep.equal({
        "boot.log": silent,
        "id.app": silent,
        "id.instance": silent,
        "id.keys": silent,
      });
    });

  it("phala_sgx_v3 is of no VM", async () => {
    const answer = readQuoteAnswer(vector("tdx/quotes/phala_sgx_v3.bin"));
    const refused = await verifyCvm({ answer }, strict).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(UnsupportedQuoteError);
    expect(refused).to.have.property("message", "Quote of version 3 is not supported.");
  });
});
