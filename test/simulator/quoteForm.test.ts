import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Quote } from "@phala/dcap-qvl";
import { expect } from "chai";
import { keccak256 } from "viem";
import { createPlatform } from "../../simulator/platform.ts";
import { dcapQvlVerdict } from "./dcapQvl.ts";
import { appCompose, seed } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const reportData = new Uint8Array(64).fill(9);
const at = 1_787_184_000;
const real = Uint8Array.from(readFileSync(new URL("../vectors/tdx/alibaba_v5.quote.bin", import.meta.url)));

describe("quotes of version 5", () => {
  const platform = createPlatform({ appCompose, seed, quoteForm: "v5-td15" });
  const quote = platform.quote(reportData);
  const verdictOf = (bytes: Uint8Array) =>
    dcapQvlVerdict(bytes, platform.collateral({ now: at }), platform.certificates.root, at);

  it("carry a TD 1.5 report, and are laid out as a real one", () => {
    expect(hex(quote.subarray(0, 28))).to.equal(hex(real.subarray(0, 28))); // header up to the QE's id
    expect(hex(quote.subarray(48, 54))).to.equal("030088020000"); // type 3, 648 bytes
    expect(hex(quote.subarray(48, 54))).to.equal(hex(real.subarray(48, 54)));
    const sizes = (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const [signed, certification] = [702, 836].map((offset) => view.getUint32(offset, true));
      return { padding: bytes.length - 706 - (signed ?? 0), difference: (signed ?? 0) - (certification ?? 0) };
    };
    expect(sizes(quote)).to.deep.equal({ padding: 0, difference: 134 });
    expect(sizes(real)).to.deep.equal(sizes(quote));
  });

  it("have the fields of TD 1.5 behind those of TD 1.0", () => {
    const version4 = createPlatform({ appCompose, seed }).quote(reportData);
    expect(hex(quote.subarray(54, 638))).to.equal(hex(version4.subarray(48, 632)));
    expect(hex(quote.subarray(638, 702))).to.equal("0b0104".padEnd(128, "0"));
    const served = platform.quote(reportData, { mrServiceTd: new Uint8Array(48).fill(1) });
    expect(hex(served.subarray(654, 702))).to.equal("01".repeat(48));
  });

  it("are found good by dcap-qvl, and not when a byte of what is signed changes", () => {
    expect(verdictOf(quote)).to.equal("UpToDate");
    for (const offset of [30, 60, 640, 660, 701]) {
      const bytes = Uint8Array.from(quote);
      bytes[offset] = (bytes[offset] ?? 0) ^ 1;
      expect(verdictOf(bytes), String(offset)).to.equal("refused: ISV enclave report signature is invalid");
    }
    expect(verdictOf(platform.quote(reportData, { mrServiceTd: new Uint8Array(48).fill(1) }))).to.equal(
      "refused: Invalid mr service td",
    );
  });

  it("may carry a TD 1.0 report", () => {
    const bytes = createPlatform({ appCompose, seed, quoteForm: "v5-td10" }).quote(reportData);
    expect(hex(bytes.subarray(48, 54))).to.equal("020048020000"); // type 2, 584 bytes
    expect(bytes.length).to.equal(quote.length);
    expect(verdictOf(bytes)).to.equal("UpToDate");
    expect(Quote.parse(Buffer.from(bytes)).report.type).to.equal("td10");
  });
});

describe("MRCONFIGID", () => {
  const boot = (mrConfigVersion: 1 | 2 | 3, manifest = appCompose) => {
    const platform = createPlatform({ appCompose: manifest, seed, mrConfigVersion });
    const { mrConfigId } = platform.report(reportData);
    const text = Buffer.from(platform.mrConfigPreimage).toString("utf8");
    return { platform, mrConfigId: hex(mrConfigId), preimage: platform.mrConfigPreimage, text };
  };
  const composeHash = createHash("sha256").update(appCompose).digest("hex");
  const padding = "00".repeat(15);
  const keyProviderId = (JSON.parse(boot(1).platform.keyProviderInfo) as { id: string }).id;

  it("of version 1 holds the compose hash", () => {
    const { mrConfigId, preimage } = boot(1);
    expect(mrConfigId).to.equal(`01${composeHash}${padding}`);
    expect(preimage.length).to.equal(0);
  });

  it("of version 2 holds the Keccak-256 of compose hash, app id, kind and id of the key provider", () => {
    const { mrConfigId, preimage, platform } = boot(2);
    expect(hex(preimage)).to.equal(`${composeHash}${hex(platform.appId)}02${keyProviderId}`);
    expect(mrConfigId).to.equal(`02${keccak256(preimage).slice(2)}${padding}`);
  });

  it("of version 3 holds the SHA-256 of a canonical document", () => {
    const { mrConfigId, text, platform } = boot(3);
    expect(text).to.equal(
      `{"app_id":"${hex(platform.appId)}","compose_hash":"${composeHash}","instance_id":"${hex(platform.instanceId)}",` +
        `"key_provider":"kms","key_provider_id":"${keyProviderId}","version":3}`,
    );
    const hash = createHash("sha256").update("dstack-mr-config-v3:").update(Uint8Array.of(0)).update(text);
    expect(mrConfigId).to.equal(`03${hash.digest("hex")}${padding}`);
  });

  it("of version 3 names no instance where there is none", () => {
    const { text } = boot(3, JSON.stringify({ ...JSON.parse(appCompose), no_instance_id: true }));
    expect(Object.keys(JSON.parse(text))).to.deep.equal([
      "app_id",
      "compose_hash",
      "key_provider",
      "key_provider_id",
      "version",
    ]);
  });
});
