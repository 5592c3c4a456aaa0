/**
 * Room: simulator/forgeries. Quotes whose header, sizes or TD report are wrong. Pure.
 * Source: Intel TDX DCAP Quoting Library API, A.3 and A.4; Intel TDX Module ABI, "ATTRIBUTES" and "XFAM".
 */
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { signP256 } from "../ecdsa.ts";
import type { TdReport } from "../tdReport.ts";
import { add, type Forgery, offset, put, type Workshop } from "./workshop.ts";

/** Forged headers: quotes of other kinds. */
export function* headerForgeries(w: Workshop): Generator<Forgery> {
  const header = (name: string, check: string, at: number, ...bytes: number[]) =>
    w.forge("quote", name, check, { quote: w.quote({ signed: put(at, ...bytes) }) });
  yield header("version-3", "the quote is of version 4 or 5", offset.version, 3, 0);
  yield header("version-6", "the quote is of version 4 or 5", offset.version, 6, 0);
  yield header("attestation-key-type-3", "the attestation key is ECDSA over P-256", offset.attestationKeyType, 3, 0);
  yield header("tee-type-sgx", "the TEE is TDX", offset.teeType, 0, 0, 0, 0);
  yield header("tee-type-high-bits", "the TEE is TDX, in all 32 bits", offset.teeType, 0x81, 0, 1, 0);
  yield header("qe-vendor-other", "the quoting enclave's vendor is Intel", offset.qeVendorId, 0);
  yield w.forge("quote", "sgx-quote-v3", "the quote is of a TD, not of an SGX enclave", { quote: sgxQuote(w, 3) });
  yield w.forge("quote", "sgx-quote-v4", "the quote is of a TD, not of an SGX enclave", { quote: sgxQuote(w, 4) });
}

/** Every length of a quote off by one, types of its parts, bytes before and behind its end. */
export function* lengthForgeries(w: Workshop): Generator<Forgery> {
  const raw = (name: string, check: string, edit: (bytes: Uint8Array) => void) =>
    w.forge("quote", name, check, { quote: w.quote({ raw: edit }) });
  for (const [name, at] of [
    ["signature-data-size", offset.signatureDataSize],
    ["certification-size", offset.certificationSize],
    ["auth-data-size", offset.authDataSize],
    ["chain-size", offset.chainSize],
  ] as const) {
    yield raw(`${name}-plus-one`, `${name} is what follows`, add(at, 1));
    yield raw(`${name}-minus-one`, `${name} is what follows`, add(at, -1));
  }
  yield raw("signature-data-size-huge", "signature-data-size is what follows", put(offset.signatureDataSize + 3, 0x80));
  yield raw("certification-type-5", "the certification data hold a QE report", put(offset.certificationType, 5));
  yield raw("chain-type-1", "the chain is of PEM certificates", put(offset.chainType, 1));
  yield raw("padding-not-zero", "nothing but zeros follows", (bytes) => bytes.fill(1, bytes.length - 1));
  const whole = w.quote();
  const unpadded = whole.subarray(0, whole.length - 70);
  const cut = "the quote is as long as it says";
  yield w.forge("quote", "cut-by-one", cut, { quote: unpadded.slice(0, -1) });
  yield w.forge("quote", "cut-in-signature", cut, { quote: whole.slice(0, offset.signature + 63) });
  yield w.forge("quote", "cut-in-body", cut, { quote: whole.slice(0, 631) });
  yield w.forge("quote", "empty", cut, { quote: new Uint8Array(0) });
  yield w.forge("quote", "trailing-byte", "nothing but zeros follows", {
    quote: concatBytes(whole, Uint8Array.of(1)),
  });

  const form = "v5-td15";
  const described = (name: string, check: string, ...descriptor: number[]) =>
    w.forge("quote", name, check, { quote: w.quote({ form, signed: put(48, ...descriptor) }) });
  yield described("v5-body-size-plus-one", "the body's size is that of its type", 3, 0, 0x89, 2, 0, 0);
  yield described("v5-body-size-minus-one", "the body's size is that of its type", 3, 0, 0x87, 2, 0, 0);
  yield described("v5-body-size-of-td10", "the body's size is that of its type", 3, 0, 0x48, 2, 0, 0);
  yield described("v5-body-type-sgx", "the body is of a TD", 1, 0, 0x80, 1, 0, 0);
  yield described("v5-body-type-4", "the body is of a known type", 4, 0, 0x88, 2, 0, 0);
  yield described("v5-body-type-td10-size-of-td15", "the body's size is that of its type", 2, 0, 0x88, 2, 0, 0);
}

/** TDs that are not closed to their host, or not Intel's. */
export function* reportForgeries(w: Workshop): Generator<Forgery> {
  const report = (name: string, check: string, changes: Partial<TdReport>) =>
    w.forge("quote", name, check, { quote: w.quote({ report: changes }) });
  const attributes = (hex: string) => ({ tdAttributes: hexToBytes(hex) });
  for (const bit of [0, 1, 4, 5, 7]) {
    const tud = (1 << bit).toString(16).padStart(2, "0");
    yield report(
      `debug-attribute-bit-${bit}`,
      "no bit of the debug group (TUD) is set",
      attributes(`${tud}00001000000000`),
    );
  }
  yield report("sept-ve-disable-off", "SEPT_VE_DISABLE is set", attributes("0000000000000000"));
  for (const [bit, hex] of [
    [8, "0001001000000000"],
    [23, "0000801000000000"],
    [24, "0000001100000000"],
    [29, "0000003000000000"],
    [32, "0000001001000000"],
    [62, "0000001000000040"],
  ] as const) {
    yield report(`reserved-attribute-bit-${bit}`, "reserved attributes are zero", attributes(hex));
  }
  yield report("xfam-x87-off", "XFAM: x87 and SSE are always on", { xfam: hexToBytes("e602060000000000") });
  yield report("xfam-reserved-bit", "XFAM: reserved features are off", { xfam: hexToBytes("e702060000000080") });
  yield report("mr-signer-seam", "the TDX module is signed by Intel", { mrSignerSeam: lastByteOne(48) });
  yield report("seam-attributes", "the TDX module has no attributes", { seamAttributes: lastByteOne(8) });

  yield report("mr-config-id-zero", "MRCONFIGID binds a compose file", { mrConfigId: new Uint8Array(48) });
  const { mrConfigId } = w.report();
  yield report("mr-config-id-version-4", "MRCONFIGID is of version 1, 2 or 3", {
    mrConfigId: withByte(mrConfigId, 0, 4),
  });
  yield report("mr-config-id-padding", "MRCONFIGID ends in zeros", { mrConfigId: withByte(mrConfigId, 47, 1) });

  const form = "v5-td15";
  yield w.forge("quote", "mr-service-td", "no service TD is bound", {
    quote: w.quote({ form, report: { mrServiceTd: lastByteOne(48) } }),
  });
  // Started under module 6, which is out of date; the module was updated since, the TD was not started again.
  const startedBefore = { teeTcbSvn: hexToBytes("06010400000000000000000000000000") };
  yield w.forge("quote", "td15-relaunch-advised", "the TD was started under an up-to-date module", {
    quote: w.quote({ form, report: startedBefore }),
  });
}

/** A truly signed quote of an SGX enclave, by the same platform. Source: Intel SGX ECDSA QuoteLibReference, A.4. */
function sgxQuote(w: Workshop, version: 3 | 4): Uint8Array {
  const tdx = w.quote();
  const header = tdx.slice(0, 48);
  header.set([version, 0], offset.version);
  header.fill(0, offset.teeType, offset.teeType + 4);
  const enclave = tdx.subarray(offset.qeReport, offset.qeSignature); // any enclave's report will do
  const signed = concatBytes(header, enclave);
  const signature = signP256(signed, w.attestationKeys, "compact");
  const key = tdx.subarray(offset.attestationKey, offset.certificationType);
  const chainEnd = tdx.length - 70;
  // Version 3 has the QE report right behind the key, version 4 within certification data.
  const certification = tdx.subarray(version === 3 ? offset.qeReport : offset.certificationType, chainEnd);
  const data = concatBytes(signature, key, certification);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, data.length, true);
  return concatBytes(signed, size, data);
}

function lastByteOne(length: number): Uint8Array {
  return withByte(new Uint8Array(length), length - 1, 1);
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}
