import { expect } from "chai";
import { evaluateTcb, type PlatformSvns, type TcbEvaluation } from "../../../protocol/collateral/evaluateTcb.ts";
import { readQeIdentity } from "../../../protocol/collateral/qeIdentity.ts";
import { readTcbInfo, type TcbInfo } from "../../../protocol/collateral/tcbInfo.ts";
import {
  type EnclaveStatus,
  enclaveStatuses,
  type PlatformStatus,
  platformStatuses,
  type TcbStatus,
} from "../../../protocol/collateral/tcbStatus.ts";
import { expectError, vector } from "../quote/vectors.ts";

const dir = "tdx/collateral/nearmpc_B0C06F_2026-08-14_50328c652_eval20";
const real = readTcbInfo(vector(`${dir}/tcb_info.json`));
const identity = readQeIdentity(vector(`${dir}/qe_identity.json`));
const platform: PlatformSvns = {
  fmspc: "0xb0c06f000000",
  pceId: "0x0000",
  componentSvns: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 11,
};
const svn = (...bytes: number[]) => Uint8Array.from([...bytes, ...Array(16 - bytes.length).fill(0)]);
const current = svn(11, 1, 4);

const evaluate = (
  changes: {
    info?: TcbInfo;
    platform?: Partial<PlatformSvns>;
    launch?: Uint8Array;
    now?: Uint8Array;
    qe?: number;
  } = {},
): TcbEvaluation =>
  evaluateTcb(
    changes.info ?? real,
    identity,
    { ...platform, ...changes.platform },
    changes.launch ?? current,
    changes.now,
    changes.qe ?? 6,
  );

describe("evaluateTcb on Intel's TCB info", () => {
  it("gives a patched platform the first level", () => {
    expect(evaluate()).to.deep.equal({
      status: "UpToDate",
      platform: "UpToDate",
      module: "UpToDate",
      qe: "UpToDate",
      advisoryIds: [],
      tcbDate: Date.UTC(2025, 7, 13) / 1000,
      evaluationNumbers: { tcbInfo: 20, qeIdentity: 19 },
    });
  });

  it("goes down a level for each kind of SVN that is one too low", () => {
    for (const i of [0, 1]) {
      const componentSvns = platform.componentSvns.map((one, at) => (at === i ? one - 1 : one));
      expect(evaluate({ platform: { componentSvns } })).to.include({ status: "OutOfDate", platform: "OutOfDate" });
    }
    expect(evaluate({ launch: svn(11, 1, 3) })).to.include({ status: "OutOfDate", platform: "OutOfDate" });
    expect(evaluate({ platform: { pceSvn: 10 } })).to.include({
      status: "OutOfDate",
      tcbDate: Date.UTC(2018, 0, 4) / 1000,
    });
    expect(evaluate({ launch: svn(10, 1, 4) })).to.deep.include({
      status: "OutOfDate",
      platform: "UpToDate",
      module: "OutOfDate",
      advisoryIds: ["INTEL-SA-01192", "INTEL-SA-01245", "INTEL-SA-01312"],
    });
  });

  it("compares each of the 16 components of SGX and TDX", () => {
    for (let i = 0; i < 16; i++) {
      const one = (list: readonly number[]) => list.map((value, at) => (at === i ? 200 : value));
      const demanding = real.levels.map((level) => ({ ...level, sgxSvns: one(level.sgxSvns) }));
      expect(() => evaluate({ info: { ...real, levels: demanding } }), `SGX ${i}`).to.throw("is below every level");
      const tdx = real.levels.map((level) => ({ ...level, tdxSvns: one(level.tdxSvns) }));
      const act = () => evaluate({ info: { ...real, levels: tdx } });
      // The module's identity judges bytes 0 and 1 of TEE_TCB_SVN.
      if (i < 2) expect(act().status).to.equal("UpToDate");
      else expect(act, `TDX ${i}`).to.throw("is below every level");
    }
  });

  it("compares from component 0 where the module has version 0, and takes no module status", () => {
    expect(evaluate({ launch: svn(5, 0, 4) })).to.include({ status: "UpToDate", module: undefined });
    const fact =
      "SGX 4.4.2.2.4.1.0.5.0.0.0.0.0.0.0.0, PCE 11, TDX 4.0.4.0.0.0.0.0.0.0.0.0.0.0.0.0 is below every level";
    expectError(
      () => evaluate({ launch: svn(4, 0, 4) }),
      "Collateral.UnsupportedTcbError",
      `Intel lists no status for the platform: ${fact}.`,
    );
  });

  it("refuses modules and quoting enclaves that Intel does not list, and other platforms", () => {
    const refuse = (changes: Parameters<typeof evaluate>[0], message: string) =>
      expectError(() => evaluate(changes), "Collateral.UnsupportedTcbError", message);
    const status = "Intel lists no status for the";
    refuse({ launch: svn(11, 2, 4) }, `${status} TDX module: no identity TDX_02.`);
    refuse({ launch: svn(11, 0xab, 4) }, `${status} TDX module: no identity TDX_ab.`);
    refuse({ launch: svn(1, 1, 4) }, `${status} TDX module: SVN 1 is below every level of version 1.`);
    refuse({ qe: 3 }, `${status} quoting enclave: ISVSVN 3 is below every level.`);
    refuse({ launch: new Uint8Array(15) }, `${status} TDX module: TEE_TCB_SVN of 15 bytes, not 16.`);
    refuse({ now: svn(11, 2, 4) }, `${status} TDX module: no identity TDX_02.`);
    const other = (changes: Partial<PlatformSvns>, message: string) =>
      expectError(() => evaluate({ platform: changes }), "Collateral.OtherPlatformError", message);
    other(
      { fmspc: "0x90c06f000000" },
      "TCB info is for FMSPC 0xb0c06f000000, the quote's platform has 0x90c06f000000.",
    );
    other({ pceId: "0x0001" }, "TCB info is for PCE id 0x0000, the quote's platform has 0x0001.");
  });
});

/** TCB info with these statuses: module 1 has SVN 2 of `module` and SVN 1 of `oldModule`. */
function infoOf(status: PlatformStatus, module: EnclaveStatus, oldModule: EnclaveStatus = "OutOfDate"): TcbInfo {
  const [level] = real.levels;
  const [first] = real.moduleIdentities;
  if (level === undefined || first === undefined) throw new Error("the vector has levels");
  const one = (isvSvn: number, of: EnclaveStatus) => ({ isvSvn, status: of, tcbDate: 0, advisoryIds: [`M-${isvSvn}`] });
  return {
    ...real,
    levels: [{ ...level, status, advisoryIds: ["P-1"] }],
    moduleIdentities: [{ ...first, version: 1, levels: [one(2, module), one(1, oldModule)] }],
  };
}

describe("evaluateTcb: statuses converge", () => {
  const outOfDate: Readonly<Record<PlatformStatus, PlatformStatus>> = {
    UpToDate: "OutOfDate",
    SWHardeningNeeded: "OutOfDate",
    ConfigurationNeeded: "OutOfDateConfigurationNeeded",
    ConfigurationAndSWHardeningNeeded: "OutOfDateConfigurationNeeded",
    OutOfDate: "OutOfDate",
    OutOfDateConfigurationNeeded: "OutOfDateConfigurationNeeded",
    Revoked: "Revoked",
  };

  it("over platform, module and quoting enclave, in every combination", () => {
    for (const status of platformStatuses)
      for (const module of enclaveStatuses)
        for (const qe of enclaveStatuses) {
          const qeIdentity = { ...identity, levels: [{ isvSvn: 0, status: qe, tcbDate: 0, advisoryIds: ["Q-1"] }] };
          const launch = svn(2, 1, 9);
          const found = evaluateTcb(infoOf(status, module), qeIdentity, platform, launch, undefined, 6);
          const parts: EnclaveStatus[] = [module, qe];
          const expected = parts.includes("Revoked")
            ? "Revoked"
            : parts.includes("OutOfDate")
              ? outOfDate[status]
              : status;
          expect(found.status, `${status} ${module} ${qe}`).to.equal(expected);
          expect(found).to.include({ platform: status, module, qe });
          expect(found.advisoryIds).to.deep.equal(["P-1", "M-2", "Q-1"]);
        }
  });

  it("for TDX 1.5, over launch and now: a newer module asks for a relaunch", () => {
    const launchedOld = (status: PlatformStatus, module: EnclaveStatus, oldModule?: EnclaveStatus): TcbStatus =>
      evaluateTcb(infoOf(status, module, oldModule), identity, platform, svn(1, 1, 9), svn(2, 1, 9), 6).status;
    expect(launchedOld("UpToDate", "UpToDate")).to.equal("TDRelaunchAdvised");
    expect(launchedOld("SWHardeningNeeded", "UpToDate")).to.equal("TDRelaunchAdvised");
    for (const status of ["ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"] as const)
      expect(launchedOld(status, "UpToDate"), status).to.equal("TDRelaunchAdvisedConfigurationNeeded");
    expect(launchedOld("OutOfDate", "UpToDate")).to.equal("OutOfDate");
    expect(launchedOld("OutOfDateConfigurationNeeded", "UpToDate")).to.equal("OutOfDateConfigurationNeeded");
    expect(launchedOld("UpToDate", "OutOfDate")).to.equal("OutOfDate");
    expect(launchedOld("UpToDate", "Revoked")).to.equal("Revoked");
    expect(launchedOld("UpToDate", "UpToDate", "Revoked")).to.equal("Revoked");
    expect(launchedOld("UpToDate", "OutOfDate", "UpToDate")).to.equal("UpToDate"); // the launch is what counts
    expect(launchedOld("Revoked", "UpToDate")).to.equal("Revoked");
  });

  it("for TDX 1.5, asks for a relaunch out of another level of the platform too", () => {
    const info = infoOf("ConfigurationNeeded", "UpToDate");
    const [newer] = info.levels;
    if (newer === undefined) throw new Error("a level");
    const now = { ...newer, status: "UpToDate" as const, tdxSvns: newer.tdxSvns.map((one, i) => (i === 2 ? 9 : one)) };
    const levels = [now, { ...newer, advisoryIds: ["P-2"] }];
    const found = evaluateTcb({ ...info, levels }, identity, platform, svn(1, 1, 4), svn(2, 1, 9), 6);
    // Launched on what needs configuration and is out of date; now runs what is up to date.
    expect(found.status).to.equal("TDRelaunchAdvisedConfigurationNeeded");
    expect(found).to.include({ platform: "ConfigurationNeeded", module: "OutOfDate" });
    expect(found.advisoryIds).to.deep.equal(["P-2", "M-1", "P-1", "M-2"]);
  });
});
