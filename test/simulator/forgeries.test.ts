import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { verifyQuote } from "../../protocol/quote/verifyQuote.ts";
import { controls, forgeries } from "../../simulator/forgeries/forgeries.ts";
import type { Forgery } from "../../simulator/forgeries/workshop.ts";
import { createPlatform } from "../../simulator/platform.ts";
import { dcapQvlVerdict } from "./dcapQvl.ts";
import { appCompose, seed } from "./vectors.ts";

/** What only collateral or the workload can judge of a quote: `verifyQuote` looks at neither. */
const beyondVerifyQuote = [
  "xfam-x87-off",
  "xfam-reserved-bit",
  "mr-config-id-zero",
  "mr-config-id-version-4",
  "mr-config-id-padding",
  "td15-relaunch-advised",
  "qe-svn-below-lowest",
  "leaf-subject-name",
  "leaf-fmspc-mismatch",
  "leaf-pce-id-mismatch",
  /^(sgx-component-\d|pce-svn|tdx-component-3)-below-(first|lowest)$/,
  /^module-(unknown|(svn|of-other-version|version-0)-below-(first|lowest))$/,
] as const;

describe("forgeries", () => {
  const platform = createPlatform({ appCompose, seed });
  const { root } = platform.certificates;
  const all = [...forgeries(platform)];
  const good = [...controls(platform)];
  const genuine = good[0] as Forgery;
  const contentOf = ({ quote, collateral, before }: Forgery) => {
    const hash = createHash("sha256").update(quote);
    for (const item of [...Object.values(collateral), ...Object.values(before ?? {})]) {
      hash.update(`,${item.length},`).update(item);
    }
    return hash.digest("hex");
  };
  const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
  const isBeyondVerifyQuote = (name: string) =>
    beyondVerifyQuote.some((one) => (typeof one === "string" ? one === name : one.test(name)));

  it("are many, each with a name of its own and unlike all others", () => {
    expect(all.length).to.equal(318);
    expect(all.map(({ name }) => name).filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).to.deep.equal([]);
    const every = [...good, ...all];
    expect(new Set(every.map(({ name }) => name)).size).to.equal(every.length);
    const twins = Map.groupBy(every, contentOf)
      .values()
      .map((same) => same.map(({ name }) => name))
      .filter((names) => names.length > 1);
    expect([...twins]).to.deep.equal([]);
  });

  it("differ from the genuine pair where they say", () => {
    for (const { name, part, quote, collateral } of all) {
      const items = Object.keys(collateral) as (keyof typeof collateral)[];
      const changed = items.filter((item) => !sameBytes(collateral[item], genuine.collateral[item]));
      if (part === "collateral") expect(changed, name).not.to.deep.equal([]);
      else expect(sameBytes(quote, genuine.quote), name).to.equal(false);
    }
  });

  it("leave genuine pairs genuine: dcap-qvl accepts them, but where it mistakes a serial number", () => {
    const verdicts = good.map(({ name, quote, collateral, at }) => [name, dcapQvlVerdict(quote, collateral, root, at)]);
    expect(Object.fromEntries(verdicts)).to.deep.equal({
      genuine: "UpToDate",
      "genuine-unpadded": "UpToDate",
      "genuine-v5-td10": "UpToDate",
      "genuine-v5-td15": "UpToDate",
      "genuine-v5-td15-updated": "UpToDate",
      "genuine-tiny-s": "UpToDate",
      "genuine-turned-over": "UpToDate",
      "genuine-known-attributes": "UpToDate",
      "genuine-module-version-0": "UpToDate",
      "genuine-129-revoked": "UpToDate",
      // It looks for a serial number in every list, whoever issued it.
      "genuine-serials-of-other-issuers-revoked": "refused: Certificate is revoked",
      "genuine-sw-hardening-needed": "SWHardeningNeeded",
      "genuine-refreshed": "UpToDate",
    });
    for (const { name, quote, at } of good) {
      if (!name.includes("-v5-")) verifyQuote(quote, platform.rootKey, at);
    }
  });

  it("of quotes are refused by verifyQuote, but for what it does not look at", () => {
    const accepted = all.filter(({ part, quote, at }) => {
      if (part !== "quote") return false;
      try {
        verifyQuote(quote, platform.rootKey, at);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted.map(({ name }) => name).filter((name) => !isBeyondVerifyQuote(name))).to.deep.equal([]);
    // Genuine for it in all that it looks at: what collateral refuses is the one thing that is wrong.
    expect(accepted.length).to.be.within(20, 40);
  });

  it("have the verdicts of dcap-qvl that each one's fault explains", () => {
    const known = readFileSync(new URL("forgeries.verdicts.txt", import.meta.url), "utf8")
      .trimEnd()
      .split("\n");
    const verdicts = all.map(
      ({ name, quote, collateral, at }) => `${name}: ${dcapQvlVerdict(quote, collateral, root, at)}`,
    );
    expect(verdicts).to.deep.equal(known);
  });

  it("are made for any time and report data, of any platform", () => {
    const other = createPlatform({ appCompose, mrConfigVersion: 3, quoteForm: "v5-td15" });
    const options = { at: 1_800_000_000, reportData: new Uint8Array(64).fill(5) };
    const [first] = controls(other, options);
    if (first === undefined) throw new Error("no control");
    const { quote, collateral, at } = first;
    expect(dcapQvlVerdict(quote, collateral, other.certificates.root, at)).to.equal("UpToDate");
    expect(at).to.equal(1_800_000_000);
    expect(Buffer.from(verifyQuote(quote, other.rootKey, at).report.reportData)).to.deep.equal(Buffer.alloc(64, 5));
    const stale = [...forgeries(other, options)].find(({ name }) => name === "tcb-info-expired");
    if (stale === undefined) throw new Error("no such forgery");
    const verdict = (time: number) => dcapQvlVerdict(stale.quote, stale.collateral, other.certificates.root, time);
    expect([verdict(at), verdict(at - 1)]).to.deep.equal(["refused: TCBInfo expired", "UpToDate"]);
  });
});
