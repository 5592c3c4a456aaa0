/**
 * Room: simulator/quotingEnclave. Signs TD reports into quotes, as Intel's TD quoting enclave does. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3 "Version 4 Quote Format" and A.4 "Version 5 Quote Format"; compared
 * with real quotes in tests.
 */
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { toPem } from "./certificate.ts";
import { signP256 } from "./ecdsa.ts";
import { type PckChain, platformTcb } from "./pckChain.ts";
import { p256KeyPair, type Secrets } from "./secrets.ts";
import { quotingEnclaveSvn } from "./tcbInfo.ts";
import { encodeTdReport, type TdReport } from "./tdReport.ts";

/** Version of a quote, and of the TD report in it. */
export type QuoteForm = "v4" | "v5-td10" | "v5-td15";

/** Makes a quote of a report. */
export type QuotingEnclave = (report: TdReport) => Uint8Array;

/** Authentication data of the attestation key: Intel's enclave writes 0, 1, ..., 31. */
const authData = Uint8Array.from({ length: 32 }, (_, index) => index);
/**
 * By form: version, body type (none is written in version 4) and TDX version; zero bytes behind the quote on dstack
 * hardware, whose buffer fits TDX 1.5, 70 bytes longer.
 */
const forms = {
  v4: { version: 4, bodyType: undefined, tdx: "1.0", paddingSize: 70 },
  "v5-td10": { version: 5, bodyType: 2, tdx: "1.0", paddingSize: 64 },
  "v5-td15": { version: 5, bodyType: 3, tdx: "1.5", paddingSize: 0 },
} as const satisfies Record<QuoteForm, unknown>;
/** Intel's id as a vendor of quoting enclaves. */
const qeVendorId = hexToBytes("939a7233f79c4ca9940a0db3957f0607");
/** Certification data types. */
const pckCertChain = 5;
const qeReportCertification = 6;

/**
 * Boots the quoting enclave of a platform: one attestation key, certified by the platform's PCK.
 *
 * @example
 * const quoteOf = createQuotingEnclave(secrets, chain);
 * const quote = quoteOf(report);
 */
export function createQuotingEnclave(secrets: Secrets, chain: PckChain, form: QuoteForm = "v4"): QuotingEnclave {
  const { version, bodyType, tdx, paddingSize } = forms[form];
  const attestationKeys = p256KeyPair(secrets, "attestation key");
  const attestationKey = attestationKeys.publicKey.subarray(1); // x || y
  const header = concatBytes(
    u16(version),
    u16(2), // attestation key type: ECDSA over P-256
    u32(0x81), // TEE type: TDX
    new Uint8Array(4), // reserved
    qeVendorId,
    secrets("QE id", 16),
    new Uint8Array(4), // user data is 20 bytes; Intel's enclave fills 16
  );
  const qeReport = encodeQeReport(sha256(concatBytes(attestationKey, authData)));
  // Intel's chain ends in a NUL byte, counted in its length.
  const certificates = [chain.leaf, ...(chain.between ?? []), chain.issuer, chain.root];
  const pem = utf8ToBytes(`${certificates.map(toPem).join("")}\0`);
  const certification = concatBytes(
    qeReport,
    signP256(qeReport, chain.pckKeys, "compact"),
    u16(authData.length),
    authData,
    u16(pckCertChain),
    u32(pem.length),
    pem,
  );
  return function quoteOf(report) {
    const body = encodeTdReport(report, tdx);
    const descriptor = bodyType === undefined ? [] : [u16(bodyType), u32(body.length)];
    const signed = concatBytes(header, ...descriptor, body);
    const signatureData = concatBytes(
      signP256(signed, attestationKeys, "compact"),
      attestationKey,
      u16(qeReportCertification),
      u32(certification.length),
      certification,
    );
    return concatBytes(signed, u32(signatureData.length), signatureData, new Uint8Array(paddingSize));
  };
}

/** Report of the quoting enclave itself (an SGX enclave), 384 bytes. Identity as Intel publishes it, but for MRENCLAVE. */
function encodeQeReport(reportDataHead: Uint8Array): Uint8Array {
  return concatBytes(
    Uint8Array.from(platformTcb.componentSvns), // CPUSVN
    new Uint8Array(4), // MISCSELECT
    new Uint8Array(28),
    hexToBytes("1500000000000000e700000000000000"), // attributes: initialised, 64 bit, provision key
    sha384(utf8ToBytes("SIMULATED TD quoting enclave")).subarray(0, 32), // MRENCLAVE
    new Uint8Array(32),
    hexToBytes("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"), // MRSIGNER
    new Uint8Array(96),
    u16(2), // ISVPRODID: TD quoting enclave
    u16(quotingEnclaveSvn), // ISVSVN
    new Uint8Array(60),
    reportDataHead,
    new Uint8Array(32),
  );
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return concatBytes(u16(value & 0xffff), u16(value >>> 16));
}
