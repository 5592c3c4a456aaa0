/**
 * Room: simulator/quotingEnclave. Signs TD reports into quotes of version 4, as Intel's TD quoting enclave does. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3 "Quote Format 4"; compared with real quotes in tests.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { toPem } from "./certificate.ts";
import { type PckChain, platformTcb } from "./pckChain.ts";
import { p256KeyPair, type Secrets } from "./secrets.ts";
import { encodeTdReport, type TdReport } from "./tdReport.ts";

/** Makes a quote of a report. */
export type QuotingEnclave = (report: TdReport) => Uint8Array;

/** Authentication data of the attestation key: Intel's enclave writes 0, 1, ..., 31. */
const authData = Uint8Array.from({ length: 32 }, (_, index) => index);
/** Zero bytes behind a version 4 quote on dstack hardware: its buffer fits version 5, whose body is 70 bytes longer. */
const paddingSize = 70;
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
export function createQuotingEnclave(secrets: Secrets, chain: PckChain): QuotingEnclave {
  const attestationKeys = p256KeyPair(secrets, "attestation key");
  const attestationKey = attestationKeys.publicKey.subarray(1); // x || y
  const header = concatBytes(
    u16(4), // version
    u16(2), // attestation key type: ECDSA over P-256
    u32(0x81), // TEE type: TDX
    new Uint8Array(4), // reserved
    qeVendorId,
    secrets("QE id", 16),
    new Uint8Array(4), // user data is 20 bytes; Intel's enclave fills 16
  );
  const qeReport = encodeQeReport(sha256(concatBytes(attestationKey, authData)));
  // Intel's chain ends in a NUL byte, counted in its length.
  const pem = utf8ToBytes(`${toPem(chain.leaf)}${toPem(chain.issuer)}${toPem(chain.root)}\0`);
  const certification = concatBytes(
    qeReport,
    sign(qeReport, chain.pckKeys.privateKey),
    u16(authData.length),
    authData,
    u16(pckCertChain),
    u32(pem.length),
    pem,
  );
  return function quoteOf(report) {
    const signed = concatBytes(header, encodeTdReport(report));
    const signatureData = concatBytes(
      sign(signed, attestationKeys.privateKey),
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
    u16(6), // ISVSVN
    new Uint8Array(60),
    reportDataHead,
    new Uint8Array(32),
  );
}

/** ECDSA with SHA-256 as r || s. s is left as it falls, as Intel's code does: half of all signatures are "high s". */
function sign(message: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return p256.sign(sha256(message), privateKey, { lowS: false }).toBytes("compact");
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return concatBytes(u16(value & 0xffff), u16(value >>> 16));
}
