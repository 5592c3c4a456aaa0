/** Readers of TCB info, QE identity and revocation lists: what they read of Intel's, and what they refuse. */
import { expect } from "chai";
import { bytesToHex } from "viem";
import { readCrl } from "../../../protocol/collateral/crl.ts";
import { readQeIdentity } from "../../../protocol/collateral/qeIdentity.ts";
import { readTcbInfo } from "../../../protocol/collateral/tcbInfo.ts";
import { intelTdQe } from "../../../protocol/quote/enclaveIdentity.ts";
import { extension } from "../../../simulator/certificate.ts";
import * as asn1 from "../../../simulator/der.ts";
import { expectError, vector } from "../quote/vectors.ts";
import { crl, jsonBytes, keys, qeIdentityJson, tcbInfoJson } from "./signed.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const malformed = "Collateral.MalformedCollateralError";

describe("readTcbInfo", () => {
  const refuse = (json: unknown, fact: string | RegExp) =>
    expectError(
      () => readTcbInfo(typeof json === "string" ? bytes(json) : jsonBytes(json)),
      malformed,
      typeof fact === "string" ? `TCB info is malformed: ${fact}.` : fact,
    );

  it("reads Intel's", () => {
    const info = readTcbInfo(vector("tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/tcb_info.json"));
    expect(info).to.include({ fmspc: "0xb0c06f000000", pceId: "0x0000", evaluationNumber: 20 });
    expect(info.issueDate).to.equal(Date.UTC(2026, 7, 13, 10, 45, 38) / 1000);
    expect(info.levels.map(({ status }) => status)).to.deep.equal(["UpToDate", ...Array(3).fill("OutOfDate")]);
    expect(info.levels[0]?.tdxSvns).to.deep.equal([5, 0, 4, ...Array(13).fill(0)]);
    expect(info.moduleIdentities.map(({ version, levels }) => [version, levels.map(({ isvSvn }) => isvSvn)]))
      .to.deep //
      .equal([
        [3, [5, 3]],
        [1, [11, 6, 4, 2]],
      ]);
    expect(bytesToHex(info.module.attributesMask)).to.equal("0xffffffffffffffff");
  });

  it("reads fields in any order, and TCB info of before there were module identities", () => {
    const json = tcbInfoJson();
    const turned = Object.fromEntries(Object.entries(json).reverse());
    expect(readTcbInfo(jsonBytes(turned))).to.deep.equal(readTcbInfo(jsonBytes(json)));
    const { tdxModuleIdentities: _, ...old } = json;
    expect(readTcbInfo(jsonBytes(old)).moduleIdentities).to.deep.equal([]);
  });

  it("refuses other documents, versions and types", () => {
    refuse({ ...tcbInfoJson(), id: "SGX" }, 'id: Invalid input: expected "TDX"');
    refuse({ ...tcbInfoJson(), version: 2 }, "version: Invalid input: expected 3");
    refuse({ ...tcbInfoJson(), tcbType: 1 }, "tcbType: Invalid input: expected 0");
    refuse(qeIdentityJson(), /^TCB info is malformed: id: /);
    refuse([], /^TCB info is malformed: it: /);
  });

  it("refuses unknown and missing keys, at every depth", () => {
    refuse({ ...tcbInfoJson(), extra: 1 }, 'it: Unrecognized key: "extra"');
    const json = tcbInfoJson();
    json.tcbLevels[0].tcb.extra = 1;
    refuse(json, 'tcbLevels.0.tcb: Unrecognized key: "extra"');
    const other = tcbInfoJson();
    other.tdxModuleIdentities[0].tcbLevels[0].tcb.extra = 1;
    refuse(other, 'tdxModuleIdentities.0.tcbLevels.0.tcb: Unrecognized key: "extra"');
    const text = JSON.stringify(tcbInfoJson());
    refuse(text.replace("{", '{"__proto__":{},'), 'it: Unrecognized key: "__proto__"');
    refuse(text.replace("{", '{"1":1,'), 'it: Unrecognized key: "1"');
    for (const key of Object.keys(tcbInfoJson()).filter((one) => one !== "tdxModuleIdentities")) {
      const { [key]: _, ...rest } = tcbInfoJson();
      refuse(rest, new RegExp(`^TCB info is malformed: ${key}: `));
    }
  });

  it("refuses duplicated keys, white space and other spellings, which other readers may take otherwise", () => {
    const text = JSON.stringify(tcbInfoJson());
    const twice = "a key stands twice, or it is not written without white space";
    refuse(text.replace('"version":3', '"version":3,"version":3'), twice);
    refuse(text.replace('"svn":4', '"svn":9,"svn":4'), twice);
    refuse(text.replace('"tcbStatus":"OutOfDate"', '"tcbStatus":"OutOfDate","tcbStatus":"UpToDate"'), twice);
    refuse(`${text} `, twice);
    refuse(text.replace('"version":3', '"version": 3'), twice);
    refuse(text.replace('"version":3', '"version":3.0'), twice);
    refuse(text.replace('"id"', '"\\u0069d"'), twice);
    refuse(`${text}x`, "not JSON");
    refuse(`\ufeff${text}`, "not JSON");
    refuse("[".repeat(60_000), "not JSON");
    expectError(() => readTcbInfo(Uint8Array.of(0xff)), malformed, "TCB info is malformed: not JSON.");
    expectError(() => readTcbInfo(new Uint8Array(65_537)), malformed, /65537 bytes, limit 65536/);
  });

  it("refuses values out of their bounds", () => {
    const changed = (change: (json: ReturnType<typeof tcbInfoJson>) => void) => {
      const json = tcbInfoJson();
      change(json);
      return json;
    };
    const at = "tcbLevels.0.tcb.sgxtcbcomponents";
    const svn = (value: unknown) => changed((json) => (json.tcbLevels[0].tcb.sgxtcbcomponents[0].svn = value));
    for (const value of [256, -1, 1.5, "1", null]) refuse(svn(value), new RegExp(`malformed: ${at}.0.svn: `));
    refuse(
      changed((json) => json.tcbLevels[0].tcb.sgxtcbcomponents.pop()),
      new RegExp(`malformed: ${at}: Too small`),
    );
    refuse(
      changed((json) => json.tcbLevels[0].tcb.tdxtcbcomponents.push({ svn: 0 })),
      /malformed: tcbLevels.0.tcb.tdxtcbcomponents: /,
    );
    refuse(
      changed((json) => (json.tcbLevels[0].tcb.pcesvn = 65_536)),
      /malformed: tcbLevels.0.tcb.pcesvn: /,
    );
    for (const status of ["Uptodate", "TDRelaunchAdvised", ""])
      refuse(
        changed((json) => (json.tcbLevels[1].tcbStatus = status)),
        /malformed: tcbLevels.1.tcbStatus: /,
      );
    refuse(
      changed((json) => (json.tdxModuleIdentities[0].tcbLevels[0].tcbStatus = "SWHardeningNeeded")),
      /malformed: tdxModuleIdentities.0.tcbLevels.0.tcbStatus: /,
    );
    refuse(
      changed((json) => (json.tdxModuleIdentities[0].id = "TDX_1")),
      /malformed: tdxModuleIdentities.0.id: /,
    );
    refuse(
      changed((json) => (json.tdxModuleIdentities[0].id = "TDX_01")),
      "two module identities of one version",
    );
    for (const date of [
      "2026-02-31T00:00:00Z",
      "2026-08-13T10:45:38",
      "2026-08-13",
      "2026-13-01T00:00:00Z",
      "1969-12-31T23:59:59Z",
    ])
      refuse({ ...tcbInfoJson(), issueDate: date }, /malformed: issueDate: /);
    for (const fmspc of ["B0C06F0000", "B0C06F00000000", "B0C06F00000g", ""])
      refuse({ ...tcbInfoJson(), fmspc }, /malformed: fmspc: /);
    refuse({ ...tcbInfoJson(), tcbLevels: [] }, /malformed: tcbLevels: /);
    refuse({ ...tcbInfoJson(), tcbLevels: Array(65).fill(tcbInfoJson().tcbLevels[0]) }, /malformed: tcbLevels: /);
  });
});

describe("readQeIdentity", () => {
  it("reads Intel's, which is the quoting enclave that is pinned where there is no collateral", () => {
    const identity = readQeIdentity(
      vector("tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/qe_identity.json"),
    );
    expect(identity.enclave).to.deep.equal(intelTdQe);
    expect(identity.evaluationNumber).to.equal(19);
    expect(identity.levels).to.deep.equal([
      { isvSvn: 4, status: "UpToDate", tcbDate: Date.UTC(2025, 4, 14) / 1000, advisoryIds: [] },
    ]);
  });

  it("refuses the SGX quoting enclave, other versions, unknown keys and statuses", () => {
    const refuse = (json: unknown, fact: string) =>
      expectError(() => readQeIdentity(jsonBytes(json)), malformed, `QE identity is malformed: ${fact}.`);
    const sgx = vector("tdx/collateral/phala_sgx_00A067_2025-06_eval17/qe_identity.json");
    expectError(() => readQeIdentity(sgx), malformed, 'QE identity is malformed: id: Invalid input: expected "TD_QE".');
    refuse({ ...qeIdentityJson(), version: 3 }, "version: Invalid input: expected 2");
    refuse({ ...qeIdentityJson(), extra: 1 }, 'it: Unrecognized key: "extra"');
    const json = qeIdentityJson();
    json.tcbLevels[0].tcbStatus = "ConfigurationNeeded";
    refuse(json, 'tcbLevels.0.tcbStatus: Invalid option: expected one of "UpToDate"|"OutOfDate"|"Revoked"');
  });
});

describe("readCrl", () => {
  it("reads Intel's", () => {
    for (const [name, count] of [
      ["44_entries_20250604", 44],
      ["57_entries_20260716", 57],
      ["129_entries_20260716", 129],
    ] as const) {
      const { revoked, number, thisUpdate, nextUpdate } = readCrl(vector(`tdx/crl/pck_platform_${name}.der`));
      expect(revoked.length).to.equal(count);
      expect(new Set(revoked).size).to.equal(count);
      expect(number).to.equal(1n);
      expect(nextUpdate - thisUpdate).to.equal(30 * 86_400);
    }
    const root = readCrl(vector("tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/root_ca_crl.der"));
    expect(root.revoked).to.deep.equal([]);
    expect(root.thisUpdate).to.equal(Date.UTC(2026, 1, 26, 13, 4) / 1000);
  });

  it("reads serials of any size up to 20 bytes", () => {
    const revoked = [1n, 0x80n, 0x7f00n, (1n << 160n) - 1n];
    expect(readCrl(crl(keys.root, { revoked })).revoked).to.deep.equal(revoked);
    expectError(
      () => readCrl(crl(keys.root, { revoked: [1n << 160n] })),
      "Quote.MalformedDerError",
      /serial number at byte 0: integer of more than 20 bytes/,
    );
  });

  it("refuses lists of another version, kind or reach", () => {
    const refuse = (changes: Parameters<typeof crl>[1], fact: string) =>
      expectError(
        () => readCrl(crl(keys.root, changes)),
        "Collateral.UnsupportedCrlError",
        `Revocation list not supported: ${fact}.`,
      );
    const number = extension("2.5.29.20", asn1.unsignedInteger(Uint8Array.of(7)));
    refuse({ version: 0 }, "version other than 2");
    refuse({ extensions: [extension("2.5.29.35", asn1.sequence())] }, "no CRL number");
    refuse({ extensions: [number, number] }, "extension 0x551d14 twice");
    const delta = extension("2.5.29.27", asn1.unsignedInteger(Uint8Array.of(1)), true);
    refuse({ extensions: [number, delta] }, "critical extension 0x551d1b");
    const scope = extension("2.5.29.28", asn1.sequence(), true);
    refuse({ extensions: [number, scope] }, "critical extension 0x551d1c");
    const issuer = extension("2.5.29.29", asn1.sequence(), true);
    refuse({ revoked: [5n], entryExtensions: [issuer] }, "critical extension of an entry");
    expectError(() => readCrl(new Uint8Array(65_536)), "Collateral.UnsupportedCrlError", /size of 65536 bytes/);
  });

  it("refuses every truncation, and bytes behind", () => {
    const der = vector("tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20/root_ca_crl.der");
    for (let length = 0; length < der.length; length++)
      expectError(() => readCrl(der.subarray(0, length)), "Quote.MalformedDerError", /cut short/);
    expectError(() => readCrl(Uint8Array.from([...der, 0])), "Quote.MalformedDerError", /trailing bytes/);
  });
});
