/**
 * Room: protocol/collateral. Reads TDX TCB info: which SVNs of one kind of platform have which status. Checks no signature
 * and no date. Pure. Source: Intel PCS API v4, "Get TDX TCB Info", version 3.
 */
import { bytesToHex, type Hex } from "viem";
import { z } from "zod";
import {
  advisoryIds,
  hexBytes,
  MalformedCollateralError,
  maxListLength,
  readCanonicalJson,
  unsigned,
  utcTime,
} from "./canonicalJson.ts";
import { type EnclaveStatus, enclaveStatuses, type PlatformStatus, platformStatuses } from "./tcbStatus.ts";

/** A level of an enclave's or a TDX module's identity. */
export type EnclaveLevel = {
  isvSvn: number;
  status: EnclaveStatus;
  /** Unix seconds: patches published until then are in it. */
  tcbDate: number;
  advisoryIds: readonly string[];
};

/** A level of TCB info. */
export type TcbLevel = Omit<EnclaveLevel, "isvSvn" | "status"> & {
  /** 16 SVNs each, 0 to 255. */
  sgxSvns: readonly number[];
  tdxSvns: readonly number[];
  pceSvn: number;
  status: PlatformStatus;
};

/** Who made a TDX module. */
export type ModuleSigner = {
  /** 48 bytes, as MRSIGNERSEAM. */
  mrSigner: Uint8Array;
  /** 8 bytes, as the SEAM attributes, and the bits of them that count. */
  attributes: Uint8Array;
  attributesMask: Uint8Array;
};

/** The TDX modules of one major version. */
export type ModuleIdentity = ModuleSigner & {
  /** Byte 1 of TEE_TCB_SVN: 1 for `TDX_01`. */
  version: number;
  levels: readonly EnclaveLevel[];
};

/** TCB info of one kind of platform. Levels are in the order in which Intel lists them. */
export type TcbInfo = {
  /** Unix seconds; valid from the first until before the second. */
  issueDate: number;
  nextUpdate: number;
  /** 6 and 2 bytes. */
  fmspc: Hex;
  pceId: Hex;
  evaluationNumber: number;
  /** The module of version 0. */
  module: ModuleSigner;
  moduleIdentities: readonly ModuleIdentity[];
  levels: readonly TcbLevel[];
};

const what = "TCB info";
const componentCount = 16;

const component = z.strictObject({
  svn: unsigned(1),
  category: z.string().max(100).optional(),
  type: z.string().max(100).optional(),
});
const components = z.array(component).length(componentCount);
const about = { tcbDate: utcTime, advisoryIDs: advisoryIds };
const signer = { mrsigner: hexBytes(48), attributes: hexBytes(8), attributesMask: hexBytes(8) };

const identityLevel = z.strictObject({
  tcb: z.strictObject({ isvsvn: unsigned(1) }),
  tcbStatus: z.enum(enclaveStatuses),
  ...about,
});

const schema = z.strictObject({
  id: z.literal("TDX"),
  version: z.literal(3),
  issueDate: utcTime,
  nextUpdate: utcTime,
  fmspc: hexBytes(6),
  pceId: hexBytes(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: unsigned(4),
  tdxModule: z.strictObject(signer),
  tdxModuleIdentities: z
    .array(
      z.strictObject({
        id: z.string().regex(/^TDX_[0-9a-fA-F]{2}$/),
        ...signer,
        tcbLevels: z.array(identityLevel).min(1).max(maxListLength),
      }),
    )
    .max(maxListLength)
    .default([]),
  tcbLevels: z
    .array(
      z.strictObject({
        tcb: z.strictObject({ sgxtcbcomponents: components, tdxtcbcomponents: components, pcesvn: unsigned(2) }),
        tcbStatus: z.enum(platformStatuses),
        ...about,
      }),
    )
    .min(1)
    .max(maxListLength),
});

/**
 * Reads TCB info of TDX.
 *
 * @param bytes - the signed JSON, as published.
 * @throws {@link MalformedCollateralError}
 * @example
 * const { levels } = readTcbInfo(collateral.tcbInfo)
 */
export function readTcbInfo(bytes: Uint8Array): TcbInfo {
  const read = readCanonicalJson(what, bytes, schema);
  const moduleIdentities = read.tdxModuleIdentities.map(({ id, mrsigner, tcbLevels, ...rest }) => ({
    version: Number.parseInt(id.slice(4), 16),
    mrSigner: mrsigner,
    attributes: rest.attributes,
    attributesMask: rest.attributesMask,
    levels: tcbLevels.map((level) => ({ isvSvn: level.tcb.isvsvn, status: level.tcbStatus, ...dated(level) })),
  }));
  const versions = moduleIdentities.map(({ version }) => version);
  if (new Set(versions).size !== versions.length)
    throw new MalformedCollateralError(what, "two module identities of one version");
  const { mrsigner, attributes, attributesMask } = read.tdxModule;
  return {
    issueDate: read.issueDate,
    nextUpdate: read.nextUpdate,
    fmspc: bytesToHex(read.fmspc),
    pceId: bytesToHex(read.pceId),
    evaluationNumber: read.tcbEvaluationDataNumber,
    module: { mrSigner: mrsigner, attributes, attributesMask },
    moduleIdentities,
    levels: read.tcbLevels.map((level) => ({
      sgxSvns: level.tcb.sgxtcbcomponents.map(({ svn }) => svn),
      tdxSvns: level.tcb.tdxtcbcomponents.map(({ svn }) => svn),
      pceSvn: level.tcb.pcesvn,
      status: level.tcbStatus,
      ...dated(level),
    })),
  };
}

function dated(level: { tcbDate: number; advisoryIDs: string[] }) {
  return { tcbDate: level.tcbDate, advisoryIds: level.advisoryIDs };
}
