/**
 * Room: sdk/quote. A quote field by field, in words. Reads only: nothing of it is verified, whatever it says. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3 and A.4; Intel "SGX PCK Certificate and CRL Profile".
 */
import { bytesToHex, hexToBytes } from "viem";
import { type Certificate, readCertificate } from "../../protocol/quote/certificate.ts";
import { parseQuote, type Quote, splitQuote } from "../../protocol/quote/parseQuote.ts";
import { readSgxExtension } from "../../protocol/quote/sgxExtension.ts";
import { readEnclaveReport, type TdReport } from "../../protocol/quote/tdReport.ts";
import { commonNameOf } from "../../protocol/quote/x509.ts";
import { bitsOf, tdAttributeBits, xfamBits } from "./bits.ts";

/** One field: what it is called, what it holds, what that means. */
export type QuoteField = { name: string; value: string; meaning: string };

/** Fields that belong together. */
export type QuoteSection = { title: string; fields: readonly QuoteField[] };

/**
 * Describes a TDX quote.
 *
 * @param bytes - a whole quote, with its certificate chain.
 * @throws what reading the quote and its certificates throws.
 * @example
 * for (const { title, fields } of describeQuote(bytes)) print(title, fields)
 */
export function describeQuote(bytes: Uint8Array): QuoteSection[] {
  const quote = parseQuote(bytes);
  const { pckLeaf, pckIssuer } = splitQuote(bytes);
  const leaf = readCertificate(hexToBytes(pckLeaf));
  const issuer = readCertificate(hexToBytes(pckIssuer));
  return [
    { title: "Quote", fields: describeHeader(quote) },
    { title: "TDX module", fields: describeModule(quote.report) },
    { title: "VM", fields: describeVm(quote.report) },
    { title: "Measurements", fields: describeMeasurements(quote.report) },
    { title: "Quoting enclave", fields: describeEnclave(quote) },
    { title: "Platform (PCK leaf certificate)", fields: describeLeaf(leaf) },
    { title: "Issuer of the PCK leaf", fields: describeCertificate(issuer) },
  ];
}

const field = (name: string, value: string | number, meaning: string): QuoteField => ({
  name,
  value: String(value),
  meaning,
});
const bytesField = (name: string, bytes: Uint8Array, meaning: string) => field(name, bytesToHex(bytes), meaning);

function describeHeader({ version, header, report, tail }: Quote): QuoteField[] {
  const body = report.teeTcbSvn2 === undefined ? "TDX 1.0" : "TDX 1.5";
  return [
    field("version", version, version === 4 ? "TDX 1.0 body only" : "says which body it has"),
    field("body", body, body === "TDX 1.0" ? "584 bytes" : "648 bytes: tells the running TDX module from the launch"),
    field("attestation key", "ECDSA P-256", "made by the quoting enclave; signs header and body"),
    field("TEE", "TDX (0x81)", "a virtual machine, not an SGX enclave"),
    bytesField("QE vendor", header.subarray(12, 28), "Intel"),
    bytesField("user data", header.subarray(28, 48), "set by the quoting enclave"),
    field("certificates and padding", tail.length, "bytes behind the signed parts"),
  ];
}

function describeModule(report: TdReport): QuoteField[] {
  const { teeTcbSvn2: current } = report;
  const svns = (bytes: Uint8Array) => {
    const [svn, version] = bytes;
    const identity = `TDX_${(version ?? 0).toString(16).padStart(2, "0")}`;
    const judged = version === 0 ? "judged by the TCB levels" : `judged by module identity ${identity}`;
    return `module version ${version}, SVN ${svn}: ${judged}`;
  };
  return [
    bytesField("TEE_TCB_SVN", report.teeTcbSvn, `at launch: ${svns(report.teeTcbSvn)}`),
    ...(current === undefined ? [] : [bytesField("TEE_TCB_SVN_2", current, `running now: ${svns(current)}`)]),
    bytesField("MRSEAM", report.mrSeam, "measurement of the TDX module"),
    bytesField(
      "MRSIGNERSEAM",
      report.mrSignerSeam,
      isZero(report.mrSignerSeam) ? "Intel's module" : "NOT Intel's module",
    ),
    bytesField(
      "SEAM attributes",
      report.seamAttributes,
      isZero(report.seamAttributes) ? "production" : "NOT zero: refused",
    ),
  ];
}

function describeVm(report: TdReport): QuoteField[] {
  const debug = report.tdAttributes[0] !== 0 ? "OPEN TO ITS HOST. " : "";
  const { mrServiceTd } = report;
  const service = mrServiceTd && (isZero(mrServiceTd) ? "none" : "a service TD is bound to the VM: refused");
  return [
    bytesField("TDATTRIBUTES", report.tdAttributes, debug + bitsOf(report.tdAttributes, tdAttributeBits).join("; ")),
    bytesField("XFAM", report.xfam, bitsOf(report.xfam, xfamBits).join("; ")),
    ...(mrServiceTd && service ? [bytesField("MRSERVICETD", mrServiceTd, service)] : []),
    bytesField("report data", report.reportData, "what the software in the VM had bound: keys, a challenge"),
  ];
}

function describeMeasurements(report: TdReport): QuoteField[] {
  return [
    bytesField("MRTD", report.mrTd, "firmware that the VM was launched with"),
    bytesField("RTMR0", report.rtMr0, "virtual hardware: processors, memory, ACPI tables"),
    bytesField("RTMR1", report.rtMr1, "kernel"),
    bytesField("RTMR2", report.rtMr2, "kernel command line (with the root file system's hash) and initrd"),
    bytesField("RTMR3", report.rtMr3, "events of the app: replay the event log to read them"),
    bytesField("MRCONFIGID", report.mrConfigId, meaningOfConfigId(report.mrConfigId)),
    bytesField("MROWNER", report.mrOwner, isZero(report.mrOwner) ? "not used" : "set by who launched the VM"),
    bytesField(
      "MROWNERCONFIG",
      report.mrOwnerConfig,
      isZero(report.mrOwnerConfig) ? "not used" : "set by who launched the VM",
    ),
  ];
}

/** dstack's use of it; 48 bytes. */
function meaningOfConfigId(configId: Uint8Array): string {
  if (isZero(configId)) return "zero: nothing binds the VM to a compose file";
  const hash = bytesToHex(configId.subarray(1, 33));
  if (configId[0] === 1) return `dstack version 1: SHA-256 of app-compose.json is ${hash}`;
  if (configId[0] === 2) return "dstack version 2: hash over compose hash, app id and key provider";
  if (configId[0] === 3) return "dstack version 3: hash of a configuration document";
  return "of no version of dstack's that is known";
}

function describeEnclave(quote: Quote): QuoteField[] {
  const { isvSvn, isvProdId, mrSigner, attributes } = readEnclaveReport(quote.qeReport);
  const debug = ((attributes[0] ?? 0) & 2) !== 0;
  return [
    field("ISVSVN", isvSvn, "security version; QE identity says whether it is up to date"),
    field(
      "ISVPRODID",
      isvProdId,
      isvProdId === 2 ? "Intel's TD quoting enclave, if the signer is Intel" : "NOT the TD quoting enclave",
    ),
    bytesField("MRSIGNER", mrSigner, "who signed the enclave"),
    bytesField("attributes", attributes, debug ? "DEBUG: its host reads its keys" : "not a debug enclave"),
    bytesField("authentication data", quote.authData, "bound with the attestation key into the enclave's report"),
    bytesField("public key", quote.attestationKey, "the attestation key, x and y"),
  ];
}

function describeLeaf(leaf: Certificate): QuoteField[] {
  if (leaf.sgxExtension === undefined) return [...describeCertificate(leaf), field("platform", "", "NO SGX extension")];
  const { fmspc, ppid, pceId, componentSvns, pceSvn } = readSgxExtension(leaf.sgxExtension);
  return [
    field("FMSPC", fmspc, "kind of platform: TCB info is published for each"),
    field("PPID", ppid, "this one machine; the chain stores its keccak256 as platform id"),
    field("PCE id", pceId, "provisioning certification enclave"),
    field("SGX component SVNs", componentSvns.join("."), "microcode and firmware that the key was certified for"),
    field("PCESVN", pceSvn, "security version of the provisioning certification enclave"),
    ...describeCertificate(leaf),
  ];
}

function describeCertificate(certificate: Certificate): QuoteField[] {
  const date = (unixSeconds: number) => new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z");
  return [
    field("subject", commonNameOf(certificate.subject), "common name"),
    field("issuer", commonNameOf(certificate.issuer), "common name"),
    field("serial", `0x${certificate.serial.toString(16)}`, "what a revocation list names"),
    field("valid", `${date(certificate.notBefore)} to ${date(certificate.notAfter)}`, "both seconds included"),
  ];
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
