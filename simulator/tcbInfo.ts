/**
 * Room: simulator/tcbInfo. What Intel says of platforms of one kind (FMSPC) and of its TD quoting enclave, as JSON: the
 * levels and advisories of August 2026, byte for byte when dated alike. Pure.
 * Source: Intel PCS API v4, "Get TDX TCB Info V4" (structure version 3) and "Get TD QE Identity" (version 2).
 */

/** Intel's verdict on a level. */
export type TcbStatus =
  | "UpToDate"
  | "SWHardeningNeeded"
  | "ConfigurationNeeded"
  | "ConfigurationAndSWHardeningNeeded"
  | "OutOfDate"
  | "OutOfDateConfigurationNeeded"
  | "Revoked";

/** What every level says. */
type Verdict = { tcbDate: string; tcbStatus: TcbStatus; advisoryIDs?: readonly string[] };
/** A level of an enclave or a module. */
export type IsvLevel = { tcb: { isvsvn: number } } & Verdict;
type Component = { svn: number; category?: string; type?: string };
/** A level of a platform. */
export type TcbLevel = {
  tcb: { sgxtcbcomponents: readonly Component[]; pcesvn: number; tdxtcbcomponents: readonly Component[] };
} & Verdict;

/** Who signed a module, and its levels. Hex in upper case. */
export type ModuleIdentity = {
  id: string;
  mrsigner: string;
  attributes: string;
  attributesMask: string;
  tcbLevels: readonly IsvLevel[];
};

/** TCB info of TDX, version 3: the fields in Intel's order. Dates as 2026-08-13T10:45:38Z. */
export type TcbInfo = {
  id: string;
  version: number;
  issueDate: string;
  nextUpdate: string;
  fmspc: string;
  pceId: string;
  tcbType: number;
  tcbEvaluationDataNumber: number;
  tdxModule: Omit<ModuleIdentity, "id" | "tcbLevels">;
  tdxModuleIdentities: readonly ModuleIdentity[];
  tcbLevels: readonly TcbLevel[];
};

/** Identity of the TD quoting enclave, version 2: the fields in Intel's order. */
export type QeIdentity = {
  id: string;
  version: number;
  issueDate: string;
  nextUpdate: string;
  tcbEvaluationDataNumber: number;
  miscselect: string;
  miscselectMask: string;
  attributes: string;
  attributesMask: string;
  mrsigner: string;
  isvprodid: number;
  tcbLevels: readonly IsvLevel[];
};

/** ISVSVN of the simulated quoting enclave: that of the real one in 2026, above the lowest that is up to date. */
export const quotingEnclaveSvn = 6;

/** First and last second of an item, as {@link TcbInfo} writes them. */
export type Dates = { issueDate: string; nextUpdate: string };

/**
 * TCB info of the simulated platform's kind. Its first level is the one that the platform is at.
 *
 * @example
 * JSON.stringify(tcbInfoOf({ issueDate, nextUpdate }))
 */
export function tcbInfoOf(dates: Dates): TcbInfo {
  return {
    id: "TDX",
    version: 3,
    ...dates,
    fmspc: "B0C06F000000",
    pceId: "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: 20,
    tdxModule: intelModule,
    tdxModuleIdentities: [
      moduleIdentity("TDX_03", [
        { tcb: { isvsvn: 5 }, tcbDate: day("2025-08-13"), tcbStatus: "UpToDate" },
        isvLevel(3, "2025-05-14", [1245, 1312]),
      ]),
      moduleIdentity("TDX_01", [
        { tcb: { isvsvn: 11 }, tcbDate: day("2025-08-13"), tcbStatus: "UpToDate" },
        isvLevel(6, "2025-05-14", [1192, 1245, 1312]),
        isvLevel(4, "2024-03-13", [1036, 1099, 1192, 1245, 1312]),
        isvLevel(2, "2023-08-09", [1036, 1099, 1192, 1245, 1312]),
      ]),
    ],
    tcbLevels: [
      { tcb: tcbOf([4, 4, 2, 2, 4, 1, 0, 5], 11, [5, 0, 4]), tcbDate: day("2025-08-13"), tcbStatus: "UpToDate" },
      outOfDate(tcbOf([3, 3, 2, 2, 4, 1, 0, 5], 11, [5, 0, 3]), "2025-05-14", [1192, 1245, 1312, 1313]),
      outOfDate(tcbOf([2, 2, 2, 2, 3, 1, 0, 5], 11, [5, 0, 2]), "2024-03-13", advisoriesOf2024),
      outOfDate(tcbOf([2, 2, 2, 2, 3, 1, 0, 5], 5, [5, 0, 2]), "2018-01-04", [
        ...advisoriesOf2018,
        ...advisoriesOf2024,
      ]),
    ],
  };
}

/**
 * Identity of Intel's TD quoting enclave.
 *
 * @example
 * JSON.stringify(qeIdentityOf({ issueDate, nextUpdate }))
 */
export function qeIdentityOf(dates: Dates): QeIdentity {
  return {
    id: "TD_QE",
    version: 2,
    ...dates,
    tcbEvaluationDataNumber: 19,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: "DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5",
    isvprodid: 2,
    tcbLevels: [{ tcb: { isvsvn: 4 }, tcbDate: day("2025-05-14"), tcbStatus: "UpToDate" }],
  };
}

/* PARTS */

const advisoriesOf2024 = [1036, 1079, 1099, 1103, 1111, 1192, 1245, 1312, 1313];
const advisoriesOf2018 = [106, 115, 135, 203, 220, 233, 270, 293, 320, 329, 381, 389, 477, 837];

/** Intel's own modules: signer and attributes of zero. */
const intelModule = { mrsigner: "00".repeat(48), attributes: "00".repeat(8), attributesMask: "FF".repeat(8) } as const;

/** What the components of a level are; the others have no name. */
const sgxComponents: readonly Omit<Component, "svn">[] = [
  { category: "BIOS", type: "Early Microcode Update" },
  { category: "OS/VMM", type: "SGX Late Microcode Update" },
  { category: "OS/VMM", type: "TXT SINIT" },
  { category: "BIOS" },
  { category: "BIOS" },
  { category: "BIOS" },
  {},
  { category: "OS/VMM", type: "SEAMLDR ACM" },
];
const tdxComponents: readonly Omit<Component, "svn">[] = [
  { category: "OS/VMM", type: "TDX Module" },
  { category: "OS/VMM", type: "TDX Module" },
  { category: "OS/VMM", type: "TDX Late Microcode Update" },
];

function tcbOf(sgx: readonly number[], pcesvn: number, tdx: readonly number[]): TcbLevel["tcb"] {
  const named = (svns: readonly number[], names: readonly Omit<Component, "svn">[]): Component[] =>
    Array.from({ length: 16 }, (_, index) => ({ svn: svns[index] ?? 0, ...names[index] }));
  return { sgxtcbcomponents: named(sgx, sgxComponents), pcesvn, tdxtcbcomponents: named(tdx, tdxComponents) };
}

function outOfDate<Tcb>(tcb: Tcb, date: string, advisories: readonly number[]) {
  const advisoryIDs = advisories.map((number) => `INTEL-SA-${String(number).padStart(5, "0")}`);
  return { tcb, tcbDate: day(date), tcbStatus: "OutOfDate" as const, advisoryIDs };
}

function isvLevel(isvsvn: number, date: string, advisories: readonly number[]): IsvLevel {
  return outOfDate({ isvsvn }, date, advisories);
}

function moduleIdentity(id: string, tcbLevels: readonly IsvLevel[]): ModuleIdentity {
  return { id, ...intelModule, tcbLevels };
}

function day(date: string): string {
  return `${date}T00:00:00Z`;
}
