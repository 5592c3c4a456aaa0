/** This verifier against npm @phala/dcap-qvl: on the shared vectors, on flipped bytes, under a simulated root. */
import { expect } from "chai";
import type { Collateral } from "../../../protocol/collateral/collateral.ts";
import type { BaseError } from "../../../protocol/errors.ts";
import { compareWithDcapQvl } from "../../../sdk/quote/compareWithDcapQvl.ts";
import { runDcapQvl } from "../../../sdk/quote/dcapQvl.ts";
import { formatComparison } from "../../../sdk/quote/formatComparison.ts";
import { best, collateralOf, index, quoteOf } from "../../protocol/collateral/index.ts";
import {
  asTdx15,
  crl,
  jsonBytes,
  keys,
  names,
  now,
  signedCollateral,
  signedTcbInfo,
  tcbInfoJson,
} from "../../protocol/collateral/signed.ts";
import { caught, platform } from "../../protocol/quote/vectors.ts";

const moduleOutOfDate =
  "TCB status is OutOfDate, dcap-qvl says UpToDate: the TDX module is OutOfDate by tdxModuleIdentities, which dcap-qvl does not evaluate.";

/** Where the two differ on the vectors, and the reason that is given. */
const differing: Readonly<Record<string, string>> = {
  "phala_sgx_v3 phala_sgx_00A067_2025-06_eval17":
    "Quote of version 3 is not supported. dcap-qvl reads it, and says ConfigurationAndSWHardeningNeeded.",
  "flash_0x12c14e_quote nearmpc_B0C06F_2025-12-11_1b075a77b_eval18": moduleOutOfDate,
  "flash_0x12c14e_quote nearmpc_B0C06F_2026-01-28_832c32113_eval18": moduleOutOfDate,
};

const genuine = collateralOf(best.collateral);
const quote = quoteOf(best.quote);
const rootCa = signedCollateral().rootCa;

/** Numbers that look random and are the same each time: a linear congruential generator. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

describe("runDcapQvl", () => {
  it("says of every pair what index.json says", () => {
    for (const { quote: name, collateral, at, verdict } of index.verdicts) {
      const { status, advisoryIds, error, accepted } = runDcapQvl(quoteOf(name), collateralOf(collateral), at);
      const advisories = advisoryIds.length === 0 ? "" : ` [${advisoryIds.join()}]`;
      expect(error === undefined ? `${status}${advisories}` : `ERR ${error}`, `${name} ${collateral}`).to.equal(
        verdict,
      );
      expect(accepted).to.equal(status === "UpToDate");
    }
  });

  it("knows no root but Intel's unless it is given one", () => {
    const simulated = platform.quote(new Uint8Array(64));
    expect(runDcapQvl(simulated, signedCollateral(), now)).to.include({ accepted: false });
    expect(runDcapQvl(simulated, signedCollateral(), now, rootCa)).to.include({ accepted: true, status: "UpToDate" });
    expect(runDcapQvl(quote, genuine, best.at, rootCa)).to.include({ accepted: false });
  });

  it("says Revoked, which it throws", () => {
    const json = tcbInfoJson();
    json.tcbLevels[0].tcbStatus = "Revoked";
    const revoked = signedCollateral(signedTcbInfo(jsonBytes(json)));
    const verdict = runDcapQvl(platform.quote(new Uint8Array(64)), revoked, now, rootCa);
    expect(verdict).to.include({ accepted: false, status: "Revoked", error: "TCB status is invalid: Revoked" });
  });
});

describe("compareWithDcapQvl", () => {
  it("explains every difference on the vectors, and finds no other", () => {
    for (const { quote: name, collateral, at } of index.verdicts) {
      const found = compareWithDcapQvl(quoteOf(name), collateralOf(collateral), at);
      const expected = differing[`${name} ${collateral}`];
      expect(found.differences, `${name} ${collateral}`).to.deep.equal(expected === undefined ? [] : [expected]);
      expect(found.accepted).to.equal(found.own.accepted && found.dcapQvl.accepted);
      expect(found.simulated).to.equal(false);
    }
  });

  it("explains relaunches, components that the module's identity judges, and what dcap-qvl does not check", () => {
    const compare = (made: Uint8Array, changes: Partial<Collateral> = {}) => {
      const found = compareWithDcapQvl(made, signedCollateral(changes), now, rootCa);
      expect(found.accepted).to.equal(false);
      expect(found.simulated).to.equal(true);
      return found.differences;
    };
    const svn = (first: number) => Uint8Array.from([first, 1, 4, ...Array(13).fill(0)]);
    const reportData = new Uint8Array(64);
    expect(compare(asTdx15(platform.quote(reportData, { teeTcbSvn: svn(6) }), svn(11)))).to.deep.equal([
      "TCB status is TDRelaunchAdvised, dcap-qvl says UpToDate: the TDX module has been updated since this TD was launched; dcap-qvl looks at the launch only; the TDX module is OutOfDate by tdxModuleIdentities, which dcap-qvl does not evaluate.",
    ]);
    const small = tcbInfoJson();
    small.tdxModuleIdentities[1].tcbLevels[0].tcb.isvsvn = 3;
    expect(compare(platform.quote(reportData, { teeTcbSvn: svn(3) }), signedTcbInfo(jsonBytes(small)))).to.deep.equal([
      "dcap-qvl refuses (No matching TCB level found) what is evaluated here: it compares TDX components 0 and 1 with the TCB levels, though the TDX module's identity judges them.",
    ]);
    const late = crl(keys.pckCa, { issuer: names.pckCa, nextUpdate: now });
    expect(compare(platform.quote(reportData), { pckCrl: late })).to.deep.equal([
      `dcap-qvl says UpToDate though PCK CRL dates fails (${now} is outside ${now - 3600} to ${now - 1}): it does not check signatures, issuers and dates of revocation lists; one that it cannot read counts as empty.`,
    ]);
    const other = { ...tcbInfoJson(), pceId: "0001" };
    const [difference] = compare(platform.quote(reportData), signedTcbInfo(jsonBytes(other)));
    expect(difference).to.match(/platform match fails .* it does not check the PCE id of TCB info/);
  });

  it("accepts what both accept, and writes it for people", () => {
    const found = compareWithDcapQvl(quote, genuine, best.at);
    expect(found).to.deep.include({ accepted: true, differences: [], simulated: false });
    const lines = formatComparison(found);
    expect(lines).to.include(
      "  + TCB info dates: 2026-08-13T11:45:38Z is within 2026-08-13T10:45:38Z to 2026-09-12T10:45:37Z",
    );
    expect(lines.at(-1)).to.equal("ACCEPTED by both");
  });

  it("refuses a root that is no certificate", () => {
    const error = caught(() => compareWithDcapQvl(quote, genuine, best.at, Uint8Array.of(1, 2)));
    expect((error as BaseError).name).to.equal("Quote.MalformedDerError");
  });
});

describe("against dcap-qvl, on flipped bytes", () => {
  it("never accepts a quote that dcap-qvl refuses", function () {
    this.timeout(30_000);
    const random = numbers(1);
    const next = () => random.next().value ?? 0;
    const reasons = new Set<string>();
    const v5 = quoteOf("gotdx_v5");
    const collateralOfV5 = collateralOf("phala_90C06F_2026-02_eval18");
    for (let i = 0; i < 200; i++) {
      const [bytes, collateral, time] = i < 130 ? [quote, genuine, best.at] : [v5, collateralOfV5, 1_771_415_931];
      const flipped = Uint8Array.from(bytes);
      const at = next() % bytes.length;
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (next() % 8));
      const { own, dcapQvl, differences } = compareWithDcapQvl(flipped, collateral, time);
      const where = bytes === quote && at >= 4936 ? "padding" : "quote";
      if (own.accepted) expect(dcapQvl.accepted, `byte ${at}`).to.equal(true);
      if (!own.accepted && dcapQvl.accepted) reasons.add(`${where}: ${own.checks.at(-1)?.check}`);
      expect(differences.join(), `byte ${at}`).to.not.contain("not explained");
    }
    // What dcap-qvl lets pass: bytes behind the chain, and between its certificates.
    expect([...reasons].sort()).to.deep.equal(["padding: quote format", "quote: quote format"]);
  });

  it("never accepts collateral that dcap-qvl refuses", function () {
    this.timeout(30_000);
    const random = numbers(2);
    const next = () => random.next().value ?? 0;
    const reasons = new Map<string, Set<string>>();
    const parts = Object.keys(genuine) as (keyof Collateral)[];
    for (let i = 0; i < 90; i++) {
      const part = parts[i % parts.length] as keyof Collateral;
      const bytes = Uint8Array.from(genuine[part]);
      const at = next() % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (next() % 8));
      const { own, dcapQvl } = compareWithDcapQvl(quote, { ...genuine, [part]: bytes }, best.at);
      expect(own.accepted, `${part} byte ${at}`).to.equal(false);
      if (dcapQvl.accepted) reasons.set(part, (reasons.get(part) ?? new Set()).add(own.checks.at(-1)?.check ?? ""));
    }
    // It takes the PCK CA from the quote, and no signature of a revocation list is checked.
    expect([...reasons.keys()].sort()).to.deep.equal(["pckCa", "pckCrl", "rootCaCrl"]);
  });
});
