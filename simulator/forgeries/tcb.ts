/**
 * Room: simulator/forgeries. Platforms, modules and quoting enclaves that Intel's collateral does not approve of, and
 * collateral out of date. Pure.
 * Source: Intel PCS API v4, "Get TDX TCB Info V4": how a platform's TCB status is found.
 */
import type { CollateralOptions } from "../collateral.ts";
import { isoSeconds } from "../collateral.ts";
import { platformTcb } from "../pckChain.ts";
import { type TcbStatus, tcbInfoOf } from "../tcbInfo.ts";
import type { Forgery, Workshop } from "./workshop.ts";

const noDates = { issueDate: "", nextUpdate: "" };

/** Statuses that the default policy (UpToDate and SWHardeningNeeded) does not allow. */
export function* statusForgeries(w: Workshop): Generator<Forgery> {
  const statuses: readonly (readonly [TcbStatus, string])[] = [
    ["ConfigurationNeeded", "configuration-needed"],
    ["ConfigurationAndSWHardeningNeeded", "configuration-and-sw-hardening-needed"],
    ["OutOfDate", "out-of-date"],
    ["OutOfDateConfigurationNeeded", "out-of-date-configuration-needed"],
    ["Revoked", "revoked"],
  ];
  for (const what of ["platform", "module", "qe"] as const) {
    // Modules and enclaves need no configuration.
    for (const [status, name] of what === "platform" ? statuses : statuses.filter(([, n]) => !n.includes("config"))) {
      yield w.forge("collateral", `${what}-${name}`, `the policy allows the status of the ${what}: ${status}`, {
        collateral: w.collateral({ statuses: { [what]: status } }),
      });
    }
  }
}

/** Platforms one SVN below a level: below the first they are out of date, below the lowest they are at none. */
export function* svnForgeries(w: Workshop): Generator<Forgery> {
  const platform = (name: string, check: string, tcb: Partial<typeof platformTcb>) =>
    w.forge("quote", name, check, { quote: w.quote({ chain: w.chainWith({ tcb }) }) });
  const module = (name: string, check: string, ...svn: number[]) =>
    w.forge("quote", name, check, {
      quote: w.quote({ report: { teeTcbSvn: Uint8Array.from({ length: 16 }, (_, index) => svn[index] ?? 0) } }),
    });
  const levels = tcbInfoOf(noDates).tcbLevels;
  const [first, lowest] = [levels[0], levels.at(-1)];
  if (first === undefined || lowest === undefined) return;
  for (const [where, { tcb }] of [
    ["first", first],
    ["lowest", lowest],
  ] as const) {
    const check = where === "first" ? "the platform is at an up-to-date level" : "the platform is at a level";
    for (const [index, { svn }] of tcb.sgxtcbcomponents.entries()) {
      if (svn === 0 || (where === "first" && svn === lowest.tcb.sgxtcbcomponents[index]?.svn)) continue;
      const componentSvns = platformTcb.componentSvns.with(index, svn - 1);
      yield platform(`sgx-component-${index + 1}-below-${where}`, check, { componentSvns });
    }
    yield platform(`pce-svn-below-${where}`, check, { pceSvn: tcb.pcesvn - 1 });
    yield module(`tdx-component-3-below-${where}`, check, 11, 1, (tcb.tdxtcbcomponents[2]?.svn ?? 0) - 1);
  }
  yield module("module-svn-below-first", "the TDX module is at an up-to-date level", 10, 1, 4);
  yield module("module-svn-below-lowest", "the TDX module is at a level", 1, 1, 4);
  yield module("module-unknown", "Intel knows the TDX module's version", 11, 2, 4);
  // Version 3 is there, but svn 4 of it is not up to date, though it would be of version 1's list.
  yield module(
    "module-of-other-version-below-first",
    "the TDX module is at an up-to-date level of its version",
    4,
    3,
    4,
  );
  yield module(
    "module-version-0-below-lowest",
    "a module without identity is judged by the first components too",
    4,
    0,
    4,
  );
}

/** Collateral of other platforms, or for another purpose. */
export function* matchForgeries(w: Workshop): Generator<Forgery> {
  const info = (name: string, check: string, tcbInfo: CollateralOptions["tcbInfo"] & object) =>
    w.forge("collateral", name, check, { collateral: w.collateral({ tcbInfo }) });
  const identity = (name: string, check: string, qeIdentity: CollateralOptions["qeIdentity"] & object) =>
    w.forge("collateral", name, check, { collateral: w.collateral({ qeIdentity }) });
  const platform = (name: string, check: string, tcb: Partial<typeof platformTcb>) =>
    w.forge("quote", name, check, { quote: w.quote({ chain: w.chainWith({ tcb }) }) });
  yield info("fmspc-mismatch", "the TCB info is of the platform's FMSPC", { fmspc: "B0C06F000001" });
  yield info("pce-id-mismatch", "the TCB info is of the platform's PCE id", { pceId: "0001" });
  yield platform("leaf-fmspc-mismatch", "the TCB info is of the platform's FMSPC", {
    fmspc: Uint8Array.of(0, 0x80, 0x6f, 5, 0, 0),
  });
  yield platform("leaf-pce-id-mismatch", "the TCB info is of the platform's PCE id", { pceId: Uint8Array.of(0, 1) });

  yield info("tcb-info-id-sgx", "the TCB info is of TDX", { id: "SGX" });
  yield w.forge("collateral", "tcb-info-of-sgx", "the TCB info is of TDX", {
    collateral: w.json("tcbInfo", (text) => {
      const { tdxModule: _, tdxModuleIdentities: __, ...rest } = JSON.parse(text);
      const withoutTdx = ({ tcb: { tdxtcbcomponents: ___, ...tcb }, ...level }: { tcb: Record<string, unknown> }) => ({
        tcb,
        ...level,
      });
      return JSON.stringify({ ...rest, id: "SGX", tcbLevels: rest.tcbLevels.map(withoutTdx) });
    }),
  });
  yield info("tcb-info-version-2", "the TCB info is of version 3", { version: 2 });
  yield info("tcb-info-version-4", "the TCB info is of version 3", { version: 4 });
  yield info("tcb-info-type-1", "the TCB type is known", { tcbType: 1 });
  yield info("tcb-info-below-minimum-evaluation", "the evaluation number is at least the pinned one", {
    tcbEvaluationDataNumber: 1,
  });
  yield info("tcb-info-without-levels", "the platform is at a level", { tcbLevels: [] });
  yield info("tcb-info-without-modules", "Intel knows the TDX module's version", { tdxModuleIdentities: [] });
  const modules = tcbInfoOf(noDates).tdxModuleIdentities;
  yield info("module-identity-mr-signer", "the TDX module's signer is the one of its identity", {
    tdxModuleIdentities: modules.map((module) => ({ ...module, mrsigner: "01".repeat(48) })),
  });
  yield info("module-identity-attributes", "the TDX module's attributes are those of its identity", {
    tdxModuleIdentities: modules.map((module) => ({ ...module, attributes: "0100000000000000" })),
  });

  yield identity("qe-identity-of-sgx", "the QE identity is of the TD quoting enclave", {
    id: "QE",
    isvprodid: 1,
    mrsigner: "8C4F5775D796503E96137F77C68A829A0056AC8DED70140B081B094490C57BFF",
  });
  yield identity("qe-identity-id-qe", "the QE identity is of the TD quoting enclave", { id: "QE" });
  yield identity("qe-identity-version-1", "the QE identity is of version 2", { version: 1 });
  yield identity("qe-identity-mr-signer", "the quoting enclave is signed by whom the identity says", {
    mrsigner: "00".repeat(32),
  });
  yield identity("qe-identity-product", "the quoting enclave is the one that the identity says", { isvprodid: 3 });
  yield identity("qe-identity-without-levels", "the quoting enclave's SVN has a level", { tcbLevels: [] });
  yield identity("qe-identity-below-minimum-evaluation", "the evaluation number is at least the pinned one", {
    tcbEvaluationDataNumber: 1,
  });
}

/** Items before and after their time, by one second. */
export function* itemDateForgeries(w: Workshop): Generator<Forgery> {
  const second = (unixSeconds: number) => new Date(unixSeconds * 1000);
  for (const [state, check, date] of [
    ["expired", "is not past its next update", { nextUpdate: w.at - 1 }],
    ["from-the-future", "is not issued in the future", { issueDate: w.at + 1 }],
  ] as const) {
    const [field, time] = Object.entries(date)[0] ?? ["", 0];
    const json = { [field]: isoSeconds(time) };
    const list = { [field === "issueDate" ? "thisUpdate" : field]: second(time) };
    for (const [item, name, changes] of [
      ["tcbInfo", "tcb-info", json],
      ["qeIdentity", "qe-identity", json],
      ["pckCrl", "pck-crl", list],
      ["rootCaCrl", "root-crl", list],
    ] as const) {
      yield w.forge("collateral", `${name}-${state}`, `the ${name} ${check}`, {
        collateral: w.collateral({ [item]: changes }),
      });
    }
  }
}

/** Items that are older than what is there, each in date by itself. */
export function* rollbackForgeries(w: Workshop): Generator<Forgery> {
  const before = w.collateral({ pckCrl: { number: 2 }, rootCaCrl: { number: 2 } });
  const older = w.issuedAt - 86_400;
  const rollback = (name: string, check: string, options: Partial<CollateralOptions>) =>
    w.forge("collateral", name, check, {
      before,
      collateral: w.collateral({ pckCrl: { number: 2 }, rootCaCrl: { number: 2 }, ...options }),
    });
  const dated = { issueDate: isoSeconds(older) };
  const newer = { issueDate: isoSeconds(w.issuedAt + 3600) };
  const listed = { thisUpdate: new Date(older * 1000), number: 2 };
  const newerList = { thisUpdate: new Date((w.issuedAt + 3600) * 1000), number: 1 };
  yield rollback("tcb-info-rolled-back", "no TCB info replaces a newer one", { tcbInfo: dated });
  yield rollback("qe-identity-rolled-back", "no QE identity replaces a newer one", { qeIdentity: dated });
  yield rollback("pck-crl-rolled-back", "no list replaces a newer one", { pckCrl: listed });
  yield rollback("root-crl-rolled-back", "no list replaces a newer one", { rootCaCrl: listed });
  const evaluation = "no evaluation replaces a later one";
  yield rollback("tcb-info-evaluation-rolled-back", evaluation, { tcbInfo: { ...newer, tcbEvaluationDataNumber: 19 } });
  yield rollback("qe-identity-evaluation-rolled-back", evaluation, {
    qeIdentity: { ...newer, tcbEvaluationDataNumber: 18 },
  });
  yield rollback("pck-crl-number-rolled-back", "no list replaces one of a higher number", { pckCrl: newerList });
  yield rollback("root-crl-number-rolled-back", "no list replaces one of a higher number", { rootCaCrl: newerList });
}
