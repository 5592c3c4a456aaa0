/**
 * Room: simulator/forgeries. Quotes whose attestation key no quoting enclave of Intel's vouches for. Pure.
 * Source: Intel SGX ECDSA QuoteLibReference, "Enclave Report Body"; Intel PCS API v4, "Get TD QE Identity".
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { signP256 } from "../ecdsa.ts";
import { issuePckChain } from "../pckChain.ts";
import { createQuotingEnclave } from "../quotingEnclave.ts";
import { p256KeyPair } from "../secrets.ts";
import { bindingOf, type Edit, type Forgery, offset, put, strangerTo, type Workshop } from "./workshop.ts";

/** Offsets in the quoting enclave's report. */
const qe = { miscSelect: 16, attributes: 48, mrSigner: 128, isvProdId: 256, isvSvn: 258, reportData: 320 } as const;

/** Other enclaves than Intel's TD quoting enclave, certified by the PCK all the same. */
export function* enclaveForgeries(w: Workshop): Generator<Forgery> {
  const report = (name: string, check: string, edit: Edit) =>
    w.forge("quote", name, check, { quote: w.quote({ qeReport: edit }) });
  yield report("qe-mr-signer", "the quoting enclave is signed by Intel", put(qe.mrSigner, 0));
  yield report("qe-product-1", "the quoting enclave is the one for TDs", put(qe.isvProdId, 1));
  yield report("qe-debug", "the quoting enclave is no debug enclave", put(qe.attributes, 0x13));
  yield report("qe-without-provision-key", "the quoting enclave has its attributes", put(qe.attributes, 0x01));
  yield report("qe-other-attribute", "the quoting enclave has no other attributes", put(qe.attributes + 7, 0x01));
  yield report("qe-misc-select", "the quoting enclave has its MISCSELECT", put(qe.miscSelect, 1));
  yield report("qe-svn-below-lowest", "the quoting enclave's SVN has a level", put(qe.isvSvn, 3));
  yield report(
    "qe-report-data-tail",
    "the report data of the quoting enclave end in zeros",
    put(qe.reportData + 63, 1),
  );
  yield report(
    "qe-report-data-tail-first",
    "the report data of the quoting enclave end in zeros",
    put(qe.reportData + 32, 1),
  );
  yield report("qe-binding-other", "the quoting enclave vouches for the attestation key", put(qe.reportData, 0, 0));
}

/** Attestation keys of the host's own, and quoting enclaves of other platforms. */
export function* bindingForgeries(w: Workshop): Generator<Forgery> {
  const secrets = strangerTo(w.secrets);
  const own = p256KeyPair(secrets, "attestation key");
  const bound = "the quoting enclave vouches for the attestation key";
  const takeOwnKey: Edit = (bytes) => {
    bytes.set(own.publicKey.subarray(1), offset.attestationKey);
    bytes.set(signP256(bytes.subarray(0, offset.signatureDataSize), own, "compact"), offset.signature);
  };
  yield w.forge("quote", "own-attestation-key", bound, { quote: w.quote({ raw: takeOwnKey }) });
  yield w.forge("quote", "auth-data-changed", bound, { quote: w.quote({ raw: put(offset.authData, 0xff) }) });

  const othersChain = issuePckChain(secrets, w.authorities);
  const others = createQuotingEnclave(secrets, othersChain)(w.report());
  const certified = others.subarray(offset.qeReport, offset.authDataSize);
  yield w.forge("quote", "qe-report-of-another-platform", "the PCK signed the quoting enclave's report", {
    quote: w.quote({ raw: (bytes) => bytes.set(certified, offset.qeReport) }),
  });
  yield w.forge("quote", "qe-report-and-leaf-of-another-platform", bound, {
    quote: w.quote({ chain: othersChain, raw: (bytes) => bytes.set(certified, offset.qeReport) }),
  });
  yield w.forge("quote", "leaf-of-another-platform", "the PCK signed the quoting enclave's report", {
    quote: w.quote({ chain: { ...othersChain, pckKeys: w.chain.pckKeys } }),
  });
  yield w.forge("quote", "td-report-of-another-quote", "the attestation key signed header and body", {
    quote: w.quote({ raw: put(48 + 520, 0x55) }),
  });
  yield w.forge("quote", "attestation-key-off-curve", "the attestation key is a point of the curve", {
    quote: offCurve(w),
  });
  yield w.forge("quote", "auth-data-of-2-kib", "the authentication data are at most 1,024 bytes", {
    quote: withAuthData(w, new Uint8Array(2048)),
  });
}

/** The attestation key one step off the curve, vouched for by the quoting enclave. */
function offCurve(w: Workshop): Uint8Array {
  return w.quote({
    raw(bytes) {
      const last = offset.certificationType - 1;
      bytes[last] = (bytes[last] ?? 0) ^ 1;
      vouch(w, bytes, bytes.subarray(offset.authData, offset.chainType));
    },
  });
}

/** A quote with these authentication data, vouched for, and with the sizes around them right. */
function withAuthData(w: Workshop, authData: Uint8Array): Uint8Array {
  const bytes = w.quote();
  vouch(w, bytes, authData);
  const longer = concatBytes(bytes.subarray(0, offset.authData), authData, bytes.subarray(offset.chainType));
  const view = new DataView(longer.buffer);
  const growth = longer.length - bytes.length;
  view.setUint16(offset.authDataSize, authData.length, true);
  for (const at of [offset.certificationSize, offset.signatureDataSize]) {
    view.setUint32(at, view.getUint32(at, true) + growth, true);
  }
  return longer;
}

/** Has the quoting enclave vouch for the attestation key that stands in the quote. */
function vouch(w: Workshop, bytes: Uint8Array, authData: Uint8Array): void {
  const report = bytes.subarray(offset.qeReport, offset.qeSignature);
  report.set(bindingOf(bytes.subarray(offset.attestationKey, offset.certificationType), authData), qe.reportData);
  bytes.set(signP256(report, w.chain.pckKeys, "compact"), offset.qeSignature);
}
