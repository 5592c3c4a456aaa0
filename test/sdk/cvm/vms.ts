/** VMs to examine: real ones from test/vectors, and simulated ones that are truly signed but hostile. */
import { readFileSync } from "node:fs";
import { sha384 } from "@noble/hashes/sha2.js";
import { type Address, bytesToHex, concatBytes, type Hex, hexToBytes, keccak256, sha256, stringToBytes } from "viem";
import type { EnclaveBinding } from "../../../protocol/attestationBinding.ts";
import { intelRootKey } from "../../../protocol/deployment.ts";
import { toJcs } from "../../../protocol/jcs.ts";
import { verifyQuote } from "../../../protocol/quote/verifyQuote.ts";
import type { CvmEvidence, CvmPolicy } from "../../../sdk/cvm/case.ts";
import type { CvmReport } from "../../../sdk/cvm/verifyCvm.ts";
import { runtimeEvent, strippedLog } from "../../../simulator/eventLog.ts";
import { createPlatform } from "../../../simulator/platform.ts";

/** When the certificates of all quotes are valid. */
export const at = 1_787_184_000;
const folder = new URL("../../vectors/", import.meta.url);

/** A file under test/vectors. */
export function vector(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(path, folder)));
}

/** Nothing is allowed or expected. */
export const strict: CvmPolicy = {
  rootKey: intelRootKey,
  at,
  allowedEnvs: [],
  acceptedScripts: [],
  allowedOsImages: [],
};

/** id -> "verdict: reason". */
export function said(report: CvmReport, ...prefixes: string[]): Record<string, string> {
  const lines = report.lines.filter(
    ({ id }) => prefixes.length === 0 || prefixes.some((start) => id.startsWith(start)),
  );
  return Object.fromEntries(lines.map(({ id, verdict, reason }) => [id, `${verdict}: ${reason}`]));
}

/** Ids of the lines of one verdict. */
export function idsOf(report: CvmReport, verdict: CvmReport["lines"][number]["verdict"]): string[] {
  return report.lines.filter((line) => line.verdict === verdict).map(({ id }) => id);
}

/** An image pinned by digest. */
export const image = `example/app@sha256:${"ab".repeat(32)}`;
const goodCompose = `services:\n  app:\n    image: ${image}\n    read_only: true\n    volumes: [data:/data]\nvolumes:\n  data:\n`;

/** A manifest with nothing to find fault with. */
export const goodManifest = {
  manifest_version: 2,
  name: "app",
  runner: "docker-compose",
  docker_compose_file: goodCompose,
  kms_enabled: true,
  public_logs: false,
  public_sysinfo: false,
  allowed_envs: [] as string[],
};

/** An item of an event log. */
export type Item = ReturnType<typeof strippedLog>[number];

/** How a simulated VM differs from an honest one: what is changed was truly measured and signed. */
export type Changes = {
  manifest?: object;
  /** Raw manifest instead. */
  appCompose?: string;
  events?: (items: Item[]) => Item[];
  /** Version of MRCONFIGID; 0: all zero. */
  configVersion?: 0 | 1 | 2 | 3;
  /** Changes of the document of version 3. */
  document?: object;
  /** 64 bytes. */
  reportData?: Hex;
};

/** A simulated VM's evidence, the policy under which it is good, and the document it was launched with. */
export function simulatedVm(changes: Changes = {}) {
  const appCompose = changes.appCompose ?? JSON.stringify({ ...goodManifest, ...changes.manifest });
  const honest = JSON.stringify(goodManifest);
  const platform = createPlatform({ appCompose: honest, seed: new Uint8Array(32).fill(7) });
  const composeHash = sha256(stringToBytes(appCompose));
  const measured = strippedLog(platform.events()).map((item) => {
    if (item.event === "compose-hash") return { ...item, event_payload: composeHash.slice(2) };
    return item.event === "app-id" ? { ...item, event_payload: composeHash.slice(2, 42) } : item;
  });
  const items = changes.events?.(measured) ?? measured;
  let rtMr3: Uint8Array = new Uint8Array(48);
  for (const { event, event_payload, imr } of items)
    if (imr === 3) rtMr3 = sha384(concatBytes([rtMr3, runtimeEvent(event, hexToBytes(`0x${event_payload}`)).digest]));

  const keyProviderId = JSON.parse(platform.keyProviderInfo).id;
  const preimage = concatBytes([
    ...[composeHash, composeHash.slice(0, 42) as Hex].map((part) => hexToBytes(part)),
    Uint8Array.of(2),
    hexToBytes(`0x${keyProviderId}`),
  ]);
  const document = toJcs({
    version: 3,
    app_id: composeHash.slice(2, 42),
    compose_hash: composeHash.slice(2),
    instance_id: Buffer.from(platform.instanceId).toString("hex"),
    key_provider: "kms",
    key_provider_id: keyProviderId,
    ...changes.document,
  });
  const commitments: Record<number, Hex> = {
    1: composeHash,
    2: keccak256(preimage),
    3: sha256(concatBytes([stringToBytes("dstack-mr-config-v3:\0"), stringToBytes(document)])),
  };
  const version = changes.configVersion ?? 1;
  const commitment = commitments[version];
  const mrConfigId =
    commitment === undefined
      ? new Uint8Array(48)
      : concatBytes([Uint8Array.of(version), hexToBytes(commitment), new Uint8Array(15)]);

  const quote = platform.quote(changes.reportData ? hexToBytes(changes.reportData) : new Uint8Array(64), {
    rtMr3,
    mrConfigId,
  });
  const evidence: CvmEvidence = {
    answer: { quote, eventLog: JSON.stringify(items) },
    appCompose: stringToBytes(appCompose),
  };
  const policy: CvmPolicy = { ...strict, rootKey: platform.rootKey };
  return { platform, evidence, policy, items, document, preimage, composeHash };
}

const account = (byte: string): Address => `0x${byte.repeat(20)}`;
/** The keys of a simulated worker. */
export const binding: EnclaveBinding = {
  chainId: 31_337n,
  registry: account("a1"),
  operator: account("a2"),
  signingKey: account("a3"),
  vaultKey: `0x${"a4".repeat(32)}`,
};

/** What a worker on a simulated VM answers to GET /attestation, and the policy under which nothing of it is false. */
export function workerAnswer(reportData: Hex, reportDataKind: "challenge" | "registration") {
  const { evidence, platform, policy } = simulatedVm({ reportData });
  const { platformId } = verifyQuote(evidence.answer.quote, policy.rootKey, policy.at);
  const answer = {
    quote: bytesToHex(evidence.answer.quote),
    eventLog: evidence.answer.eventLog ?? "",
    appCompose: JSON.stringify(goodManifest),
    info: {
      appId: Buffer.from(platform.appId).toString("hex"),
      instanceId: Buffer.from(platform.instanceId).toString("hex"),
      appName: goodManifest.name,
    },
    binding: { ...binding, chainId: 31_337 },
    images: [image],
    buildManifest: `0x${"b1".repeat(32)}`,
    reportDataKind,
    registrationTx: `0x${"b2".repeat(32)}`,
    registration: { registry: binding.registry, platformId, tcbStatus: "UpToDate", expiresAt: String(at + 3600) },
    simulated: true,
  };
  return { answer, platform, policy };
}
